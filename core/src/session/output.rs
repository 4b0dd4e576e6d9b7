//! What a session hands out.

use alloc::sync::Arc;
use core::fmt;

use bytes::Bytes;

use super::Error;
use crate::fault::Quirk;
use crate::rtsp::Url;
use crate::rtsp::headers::{Range, RtpInfo};
use crate::sdp::Presentation;
use crate::time::Micros;

/// What [`Session::poll_output`](super::Session::poll_output) gives.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Output<'a> {
    /// Bytes to send, in this order.
    Send(Bytes),
    /// An RTP packet, whole and unchecked.
    Rtp {
        /// Index of the media in the presentation.
        media: usize,
        /// The packet, in the receive buffer.
        bytes: &'a [u8],
        /// When its last bytes were received.
        received: Micros,
    },
    /// A compound RTCP packet, whole and unchecked.
    Rtcp {
        /// Index of the media in the presentation.
        media: usize,
        /// The packet, in the receive buffer.
        bytes: &'a [u8],
        /// When its last bytes were received.
        received: Micros,
    },
    /// Something happened.
    Event(Event),
    /// Close the connection. Nothing comes after it.
    Close,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The camera said what it has. The video is being set up; nothing needs to be answered.
    Described(Arc<Presentation>),
    /// PLAY was answered. Some servers send the first RTP packets before.
    Playing(Playing),
    /// The camera broke a rule in a tolerable way, told once for each rule; [`Session::quirks`](super::Session::quirks)
    /// counts.
    Quirk(Quirk),
    /// The camera says that the stream is elsewhere: open a connection to it with
    /// [`Config::redirected`](super::Config::redirected), which leaves credentials behind where the host is another.
    Redirected(Url),
    /// The session ended as it should: TEARDOWN was answered, or came from the camera.
    Ended,
    /// The session ended.
    Failed(Error),
}

/// What the answers to SETUP and PLAY said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Playing {
    /// Index of the media in the presentation.
    pub media: usize,
    /// What will be sent. `Range::clock_start` is the UTC of `rtp_info.rtptime`, where both are there.
    pub range: Option<Range>,
    /// Where RTP begins. Values known to be inventions are left out: `seq` 0 and 1 (Hikvision DS-2CD2032-I, Tapo
    /// C320WS), `rtptime` 0 (EvoStream, OMNY M5S2A).
    pub rtp_info: Option<RtpInfo>,
    /// The synchronisation source that the camera announced. Not to be trusted (Reolink RLC-410).
    pub ssrc: Option<u32>,
}

/// What a session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Waits for the answer to OPTIONS.
    Options,
    /// Waits for the answer to DESCRIBE.
    Describe,
    /// Waits for the answer to SETUP.
    Setup,
    /// Waits for the answer to PLAY.
    Play,
    /// Receives media.
    Playing,
    /// Waits for the answer to TEARDOWN.
    Teardown,
    /// Ended.
    Closed,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Options => "in OPTIONS",
            Self::Describe => "in DESCRIBE",
            Self::Setup => "in SETUP",
            Self::Play => "in PLAY",
            Self::Playing => "while playing",
            Self::Teardown => "in TEARDOWN",
            Self::Closed => "after the end",
        })
    }
}

/// Counters of a session, from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes received on the connection.
    pub bytes_received: u64,
    /// RTP packets handed out.
    pub rtp_packets: u64,
    /// Their bytes.
    pub rtp_bytes: u64,
    /// RTCP packets handed out.
    pub rtcp_packets: u64,
    /// Interleaved packets dropped: before PLAY, after TEARDOWN, on unknown channels.
    pub dropped_packets: u64,
    /// Bytes skipped to find lost framing again.
    pub skipped_bytes: u64,
    /// Requests sent, keep-alives included.
    pub requests: u64,
    /// Keep-alives sent.
    pub keep_alives: u64,
    /// Keep-alives that were answered with success.
    pub keep_alives_answered: u64,
}

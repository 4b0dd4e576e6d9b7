//! What a session hands out.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::{Agreed, Error};
use crate::fault::Quirk;
use crate::rtsp::headers::{Range, RtpInfo};
use crate::rtsp::{Status, Url};
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
    /// The packet of this media that was handed out last may have been cut short, and end in bytes that are not its own
    /// ([`Quirk::LostFraming`]). What is open of the media lacks something.
    Cut {
        /// Index of the media in the presentation.
        media: usize,
    },
    /// A datagram to send to the agreed server port, from the media's socket.
    Datagram {
        /// Index of the media in the presentation.
        media: usize,
        /// From and to the port of RTCP, not of RTP.
        rtcp: bool,
        /// What to send.
        bytes: Bytes,
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
    /// Open two UDP sockets, an even port for RTP and the odd one above it for RTCP, and answer with
    /// [`Session::bound`](super::Session::bound) or [`Session::not_bound`](super::Session::not_bound).
    Bind {
        /// Index of the media in the presentation.
        media: usize,
    },
    /// SETUP was answered: how this media will travel.
    SetUp {
        /// Index of the media in the presentation.
        media: usize,
        /// What was agreed on.
        transport: Agreed,
    },
    /// The camera refuses SETUP of a media that the session can do without; the others go on.
    Refused {
        /// Index of the media in the presentation.
        media: usize,
        /// Its answer.
        status: Status,
    },
    /// PLAY was answered. Some servers send the first RTP packets before.
    Playing(Playing),
    /// The camera broke a rule in a tolerable way, told once for each rule; [`Session::quirks`](super::Session::quirks)
    /// counts.
    Quirk(Quirk),
    /// The camera says that the stream is elsewhere: open a connection to it with
    /// [`Config::redirected`](super::Config::redirected), which leaves credentials behind where the host is another.
    Redirected(Url),
    /// PAUSE was answered with success.
    Paused,
    /// PAUSE was refused: the camera goes on sending.
    NotPaused(Status),
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
    /// What it said of each media, in the order of SETUP; the first is the one above.
    pub streams: Vec<Stream>,
}

/// One media of [`Playing`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stream {
    /// Index of the media in the presentation.
    pub media: usize,
    /// Where RTP begins, with the same reservations as in [`Playing`].
    pub rtp_info: Option<RtpInfo>,
    /// The synchronisation source that the camera announced.
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
    /// Waits for the answer to PAUSE.
    Pause,
    /// Paused.
    Paused,
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
            Self::Pause => "in PAUSE",
            Self::Paused => "while paused",
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
    /// Packets dropped: before PLAY, after the answer to TEARDOWN, on unknown channels.
    pub dropped_packets: u64,
    /// Bytes skipped to find lost framing again.
    pub skipped_bytes: u64,
    /// Requests sent, keep-alives included.
    pub requests: u64,
    /// Keep-alives sent.
    pub keep_alives: u64,
    /// Keep-alives that were answered with success.
    pub keep_alives_answered: u64,
    /// Microseconds from a keep-alive to its answer, the last time.
    pub keep_alive_round_trip: Option<u64>,
    /// Answers to challenges that the camera refused.
    pub refusals: u64,
}

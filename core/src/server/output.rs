//! What a connection hands out.

use alloc::string::String;
use core::net::IpAddr;

use bytes::Bytes;

use super::Error;
use crate::rtsp::Url;
use crate::rtsp::auth::Authorization;
use crate::rtsp::headers::{Frames, Range};

/// What [`Connection::poll_output`](super::Connection::poll_output) gives.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// Bytes to send, in this order.
    Send(Bytes),
    /// Something happened.
    Event(Event),
    /// Close the connection once everything was sent. Nothing comes after it.
    Close,
}

/// A request that waits for the application's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub(super) u64);

/// What happened. No further request is read until one with a [`RequestId`] was answered.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// DESCRIBE. Answer with [`describe`](super::Connection::describe) or [`refuse`](super::Connection::refuse).
    Describe {
        /// To be given back with the answer.
        request: RequestId,
        /// What is asked for.
        url: Url,
        /// `Authorization` of this request, or of an earlier one on this connection.
        authorization: Option<Authorization>,
        /// `User-Agent`.
        user_agent: Option<String>,
    },
    /// SETUP of one media over UDP. Open sockets and answer with [`accept_udp`](super::Connection::accept_udp) or
    /// [`accept_multicast`](super::Connection::accept_multicast), or with [`refuse`](super::Connection::refuse).
    Bind {
        /// To be given back with the answer.
        request: RequestId,
        /// Index of the media in the description that was sent.
        media: usize,
        /// Ports of RTP and RTCP at the client; `None`: to a group.
        client_ports: Option<(u16, u16)>,
    },
    /// SETUP of one media, answered already.
    Setup {
        /// Index of the media in the description that was sent.
        media: usize,
        /// How it travels.
        transport: Agreed,
    },
    /// PLAY. Answer with [`accept_play`](super::Connection::accept_play) or [`refuse`](super::Connection::refuse).
    Play {
        /// To be given back with the answer.
        request: RequestId,
        /// What was described.
        url: Url,
        /// From where to where.
        range: Option<Range>,
        /// What else is asked for.
        asked: Asked,
        /// `Authorization` of this request, or of an earlier one on this connection.
        authorization: Option<Authorization>,
    },
    /// PAUSE, answered already. Send nothing until the next PLAY.
    Pause,
    /// TEARDOWN, answered already. The client may describe anew on the same connection.
    Teardown,
    /// The connection ended with an error.
    Failed(Error),
}

/// How one media travels.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Agreed {
    /// The channels of RTP and RTCP: always 0 and 1 for the first media, 2 and 3 for the second, so that one piece of
    /// framed media serves every viewer.
    Interleaved(u8, u8),
    /// UDP to the client.
    Udp {
        /// Ports of RTP and RTCP at the client.
        client: (u16, u16),
        /// Ports of RTP and RTCP here.
        server: (u16, u16),
    },
    /// UDP to a group.
    Multicast {
        /// The group.
        group: IpAddr,
        /// Ports of RTP and RTCP.
        ports: (u16, u16),
        /// How far the packets go.
        ttl: u8,
    },
}

/// How a client wants to be played to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Asked {
    /// `Require: onvif-replay`: recorded footage, with the header extension 0xABAC.
    pub replay: bool,
    /// `Rate-Control: no`: as fast as the client takes it.
    pub no_rate_control: bool,
    /// Which pictures.
    pub frames: Frames,
    /// What is queued is dropped.
    pub immediate: bool,
    /// `Scale`; below 0 backwards.
    pub scale: Option<f32>,
    /// `CSeq`, whose low byte belongs into the header extension.
    pub cseq: u32,
}

/// Counters of a connection, from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes received.
    pub bytes_received: u64,
    /// Bytes handed out to be sent.
    pub bytes_sent: u64,
    /// Requests received.
    pub requests: u64,
    /// Requests answered with an error.
    pub refused: u64,
    /// Interleaved packets received (RTCP receiver reports).
    pub packets_received: u64,
    /// Pieces of media refused because the queue was full.
    pub media_refused: u64,
}

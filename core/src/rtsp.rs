//! RTSP 1.0 messages and interleaved framing, RFC 2326.
//!
//! [`Message`] is what both ends say; [`Url`] is where; [`auth`] is who; [`framing`] finds messages and interleaved
//! packets in a stream of bytes and finds its place again when a server loses it. Reading is lenient, writing is not.

use thiserror::Error;

use crate::fault::{Blame, Code, Fault, Offset};

pub mod auth;
pub mod framing;
pub mod headers;
mod message;
mod status;
mod url;

pub use auth::Credentials;
pub use headers::Headers;
pub use message::{Message, Method, Request, Response, redact};
pub use status::Status;
pub use url::{Scheme, Url};

/// Why bytes are not RTSP, or a text is not an RTSP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind}, at {at}")]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Where: bytes from the start of the message, of the address, or of the connection's input.
    pub at: Offset,
}

/// The kinds of [`Error`](struct@Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Kind {
    /// The first bytes are neither an RTSP message nor interleaved data.
    #[error("the peer does not speak RTSP")]
    NotRtsp,
    /// A start line that is neither a request's nor a response's.
    #[error("a start line that RTSP does not allow")]
    StartLine,
    /// Start line and headers are longer than `Limits::rtsp_head`.
    #[error("the headers of an RTSP message are longer than allowed")]
    HeadTooLong,
    /// `Content-Length` is larger than `Limits::rtsp_body`.
    #[error("the body of an RTSP message is longer than allowed")]
    BodyTooLong,
    /// Framing was lost and not found again within `Limits::resync` bytes.
    #[error("lost the boundary between RTSP messages and did not find it again")]
    LostFraming,
    /// The address does not begin with `rtsp://` or `rtsps://`.
    #[error("not an RTSP address; write it like rtsp://user:password@host:554/path")]
    UrlScheme,
    /// The address has no host, or one with characters that no host has.
    #[error("the RTSP address has no usable host")]
    UrlHost,
    /// The address has a port that is not a number from 1 to 65535.
    #[error("the RTSP address has a port that is not a number from 1 to 65535")]
    UrlPort,
}

impl Fault for Kind {
    fn blame(&self) -> Blame {
        match self {
            Self::UrlScheme | Self::UrlHost | Self::UrlPort => Blame::Caller,
            _ => Blame::Peer,
        }
    }

    fn code(&self) -> Code {
        Code(match self {
            Self::NotRtsp => 100,
            Self::StartLine => 101,
            Self::HeadTooLong => 102,
            Self::BodyTooLong => 103,
            Self::LostFraming => 104,
            Self::UrlScheme => 110,
            Self::UrlHost => 111,
            Self::UrlPort => 112,
        })
    }
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        self.kind.blame()
    }

    fn code(&self) -> Code {
        self.kind.code()
    }
}

impl Error {
    pub(crate) const fn new(kind: Kind, at: usize) -> Self {
        Self { kind, at: Offset(at as u64) }
    }
}

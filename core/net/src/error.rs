//! Why a camera could not be reached.

use std::io::ErrorKind;

use vigie::fault::{Blame, Code, Fault};

/// What kept a connection from being made or ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
#[non_exhaustive]
pub struct Error {
    /// What went wrong.
    pub kind: Kind,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// The name does not resolve.
    #[error("no such host")]
    NoSuchHost,
    /// The host answers, and nothing listens at the port.
    #[error("the port is closed: connection refused")]
    Refused,
    /// No way to the host.
    #[error("no route to the host")]
    Unreachable,
    /// Nothing answered in time.
    #[error("no answer to the connection request")]
    ConnectTimeout,
    /// Any other refusal of the system.
    #[error("the socket failed: {0}")]
    Socket(ErrorKind),
    /// The connection broke: reset by the camera or by something between.
    #[error("the connection broke")]
    Broken,
    /// The camera closed the connection.
    #[error("the camera closed the connection")]
    Closed,
    /// More redirects than [`Options::redirects`](crate::Options::redirects), or one to no usable address.
    #[error("redirected too often, or to nowhere")]
    Redirect,
    /// A scheme that this version has no transport for.
    #[error("only rtsp:// over TCP is supported")]
    Scheme,
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self { kind }
    }
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        match self.kind {
            Kind::NoSuchHost | Kind::Scheme => Blame::Caller,
            _ => Blame::Peer,
        }
    }

    fn code(&self) -> Code {
        Code(match self.kind {
            Kind::NoSuchHost => 800,
            Kind::Refused => 801,
            Kind::Unreachable => 802,
            Kind::ConnectTimeout => 803,
            Kind::Socket(_) => 804,
            Kind::Broken => 805,
            Kind::Closed => 806,
            Kind::Redirect => 807,
            Kind::Scheme => 808,
        })
    }
}

//! Why a camera could not be reached, or was lost.

use std::io::ErrorKind;

use vigie::fault::{Blame, Code, Fault};
use vigie::session;
use vigie::store::Cause;

/// What kept a connection from being made, or ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
#[non_exhaustive]
pub struct Error {
    /// What went wrong.
    pub kind: Kind,
    /// What a gap in the recording is to say.
    pub cause: Cause,
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
    /// More redirects in a row than [`Options::redirects`](crate::Options::redirects).
    #[error("redirected too often")]
    Redirects,
    /// A scheme that this version has no transport for.
    #[error("only rtsp:// over TCP is supported")]
    Scheme,
    /// The camera ended the session in order.
    #[error("the camera ended the session")]
    Ended,
    /// The session failed.
    #[error("{0}")]
    Session(session::Error),
}

impl Error {
    /// Of a session. `silent`: not a byte came since long before the end, so that the way is more likely to be broken
    /// than the camera.
    pub(crate) fn session(error: session::Error, silent: bool) -> Self {
        use session::Kind as K;
        let cause = match error.kind {
            K::CredentialsNeeded | K::CredentialsRefused | K::ChallengeUnsupported => Cause::Authentication,
            K::Stalled | K::NoResponse if silent => Cause::Network,
            _ => Cause::Camera,
        };
        Self { kind: Kind::Session(error), cause }
    }

    /// Is it a refused user or password, which trying again soon does not help and may lock out?
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.cause == Cause::Authentication
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        let cause = match kind {
            Kind::NoSuchHost | Kind::Unreachable | Kind::ConnectTimeout | Kind::Socket(_) | Kind::Broken => {
                Cause::Network
            }
            _ => Cause::Camera,
        };
        Self { kind, cause }
    }
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        match self.kind {
            Kind::NoSuchHost | Kind::Scheme => Blame::Caller,
            Kind::Session(error) => error.blame(),
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
            Kind::Redirects => 806,
            Kind::Scheme => 807,
            Kind::Ended => 808,
            Kind::Session(error) => return error.code(),
        })
    }
}

//! Why a camera could not be reached, or was lost.

use std::io::ErrorKind;

use vigie::fault::{Blame, Code, Fault};
use vigie::session;
use vigie::store::Cause;

use crate::tls::{Distrust, Fingerprint};

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
    /// The governor knows as many cameras as its plan has room for.
    #[error("the governor has no room for another camera")]
    Full,
    /// The camera ended the session in order.
    #[error("the camera ended the session")]
    Ended,
    /// The camera's certificate is none of those that were pinned: it was renewed, or this is not the camera.
    #[error("the certificate is not the pinned one: expected {expected}, found {found}")]
    CertificateChanged {
        /// The first that was pinned.
        expected: Fingerprint,
        /// That of the certificate that was shown.
        found: Fingerprint,
    },
    /// The camera's certificate cannot be trusted.
    #[error("{why}; its fingerprint is {found}")]
    Certificate {
        /// Why.
        why: Distrust,
        /// That of the certificate that was shown.
        found: Fingerprint,
    },
    /// What answers at the port does not speak TLS.
    #[error("no TLS at this port")]
    NotTls,
    /// The two sides have no version or cipher of TLS in common: many cameras know TLS 1.1 and older only.
    #[error("the TLS handshake failed: nothing in common with the camera")]
    Handshake,
    /// The camera wants a client certificate, or refuses the one that it was shown.
    #[error("the camera wants a client certificate, or refuses the one it was shown")]
    ClientCertificate,
    /// Certificates or a key, given by the caller, that cannot be used.
    #[error("the certificates or the key cannot be used: not PEM, or they do not belong together")]
    Identity,
    /// The system knows no certificate authorities.
    #[error("this machine has no list of certificate authorities")]
    NoAuthorities,
    /// Not the SHA-256 of anything.
    #[error("not a fingerprint: 64 hexadecimal digits are wanted")]
    NotAFingerprint,
    /// What answers at the port does not speak HTTP, or says more than a head may hold.
    #[error("no HTTP at this port")]
    NotHttp,
    /// The camera refuses the tunnel or the WebSocket.
    #[error("the camera refuses the tunnel: HTTP status {0}")]
    Tunnel(u16),
    /// The client said nothing, or not enough, in the time that it had.
    #[error("the client did not say in time what it wants")]
    Silent,
    /// What the client said opens none of the doors that are open.
    #[error("the client asks for a transport that is not served")]
    Door,
    /// Too many tunnels wait for their second half.
    #[error("too many tunnels wait for their second half")]
    Crowded,
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
            Kind::ClientCertificate | Kind::Tunnel(401) => Cause::Authentication,
            _ => Cause::Camera,
        };
        Self { kind, cause }
    }
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        match self.kind {
            Kind::NoSuchHost | Kind::Identity | Kind::NoAuthorities | Kind::NotAFingerprint => Blame::Caller,
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
            // 807 was the refusal of rtsps, before there was TLS.
            Kind::Ended => 808,
            Kind::Full => 830,
            Kind::CertificateChanged { .. } => 809,
            Kind::Certificate { .. } => 810,
            Kind::NotTls => 811,
            Kind::Handshake => 812,
            Kind::ClientCertificate => 813,
            Kind::Identity => 814,
            Kind::NoAuthorities => 815,
            Kind::NotAFingerprint => 816,
            Kind::NotHttp => 817,
            Kind::Tunnel(_) => 818,
            Kind::Silent => 819,
            Kind::Door => 820,
            Kind::Crowded => 821,
            Kind::Session(error) => return error.code(),
        })
    }
}

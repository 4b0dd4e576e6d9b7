//! Why a session ended, and where.

use core::fmt;

use thiserror::Error;

use super::Phase;
use crate::fault::{Blame, Code, Fault, Offset, Quirk};
use crate::rtp::srtp;
use crate::rtsp::auth::Refused;
use crate::rtsp::{self, Status};
use crate::sdp;
use crate::time::Micros;

/// What ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind} ({at})")]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Where it was found.
    pub at: Where,
}

/// A place in a session, to be found again in a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Where {
    /// What the session was doing.
    pub phase: Phase,
    /// The last `CSeq` that was sent.
    pub cseq: u32,
    /// Bytes received on the connection before the place.
    pub rtsp_offset: Offset,
    /// When the last bytes were received.
    pub received: Micros,
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, CSeq {}, {} of the connection", self.phase, self.cseq, self.rtsp_offset)
    }
}

/// The kinds of [`Error`](struct@Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Kind {
    /// The bytes are not RTSP, or break it beyond repair.
    #[error("{0}")]
    Rtsp(rtsp::Kind),
    /// The answer to DESCRIBE is not a session description.
    #[error("{0}")]
    Sdp(sdp::Kind),
    /// The camera asks for a user and a password, and there are none.
    #[error("the camera asks for a user and a password; give them")]
    CredentialsNeeded,
    /// The camera refuses the user, the password or the token.
    #[error("the camera refuses the user or the password; check both")]
    CredentialsRefused,
    /// The camera offers no authentication that this library knows.
    #[error("the camera asks for an authentication other than Basic and Digest")]
    ChallengeUnsupported,
    /// The session description has no video.
    #[error("the camera offers no video at this address")]
    NoVideo,
    /// The session description has video, but none that is read: H.264, H.265, JPEG, AV1.
    #[error("the camera's video is none of H.264, H.265, JPEG and AV1; choose one of them in its settings")]
    UnsupportedCodec,
    /// The camera does not send RTP over the RTSP connection.
    #[error("the camera does not send video over any transport that is allowed")]
    UnsupportedTransport,
    /// The camera answers 404.
    #[error("the camera has no stream at this address; check the path")]
    NotFound,
    /// The camera answers another error.
    #[error("the camera answers {0}")]
    Status(Status),
    /// A request was not answered in time.
    #[error("the camera does not answer")]
    NoResponse,
    /// No RTP for `Config::media_timeout`.
    #[error("the camera stopped sending video")]
    Stalled,
    /// The camera closed the connection.
    #[error("the camera closed the connection")]
    Closed,
    /// Every session that the camera can serve is taken (Tapo: two; Hikvision over Wi-Fi: two).
    #[error("the camera serves no further viewer ({0}); end another session of it")]
    Busy(Status),
    /// The camera refuses SETUP for want of keys it can use (status 463), though it was given ours where it sends SRTP.
    #[error("the camera wants keys for SRTP from the client")]
    KeysNeeded,
    /// A redirection from TLS to clear text, where a password or token would follow.
    #[error("the camera redirects from TLS to an address in clear text; refused")]
    Downgrade,
    /// None of what was asked for is in the presentation.
    #[error("the camera offers nothing of what was asked for at this address")]
    NothingWanted,
    /// No UDP ports could be opened, and no other transport is allowed.
    #[error("no UDP ports could be opened for the media")]
    NotBound,
    /// The camera breaks a rule that the policy does not let it break.
    #[error("the camera breaks a rule: {0}")]
    Violation(Quirk),
    /// The keys of an encrypted media cannot be used.
    #[error("{0}")]
    Srtp(srtp::Kind),
    /// A redirection without a usable address.
    #[error("the camera redirects to an address that cannot be used")]
    BadRedirect,
}

impl From<Refused> for Kind {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoCredentials => Self::CredentialsNeeded,
            Refused::NoChallenge => Self::ChallengeUnsupported,
            Refused::Wrong => Self::CredentialsRefused,
        }
    }
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        match self.kind {
            Kind::Rtsp(kind) => kind.blame(),
            Kind::CredentialsNeeded | Kind::CredentialsRefused | Kind::NotFound => Blame::Caller,
            Kind::NothingWanted | Kind::NotBound => Blame::Caller,
            _ => Blame::Peer,
        }
    }

    fn code(&self) -> Code {
        Code(match self.kind {
            Kind::Rtsp(kind) => return kind.code(),
            Kind::Sdp(kind) => return kind.code(),
            Kind::Srtp(kind) => return kind.code(),
            Kind::CredentialsNeeded => 700,
            Kind::CredentialsRefused => 701,
            Kind::ChallengeUnsupported => 702,
            Kind::NoVideo => 703,
            Kind::UnsupportedCodec => 704,
            Kind::UnsupportedTransport => 705,
            Kind::NotFound => 706,
            Kind::Status(_) => 707,
            Kind::NoResponse => 708,
            Kind::Stalled => 709,
            Kind::Closed => 710,
            Kind::BadRedirect => 711,
            Kind::Busy(_) => 712,
            Kind::KeysNeeded => 713,
            Kind::Downgrade => 714,
            Kind::NothingWanted => 715,
            Kind::NotBound => 716,
            Kind::Violation(_) => 717,
        })
    }
}

//! Why a media section's sound cannot be read.

use crate::fault::{Blame, Code, Fault, Quirk};

/// Why a media section's sound cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
#[non_exhaustive]
pub struct Error {
    /// What.
    pub kind: Kind,
}

/// What can be wrong with a description of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// No sound, or a coding that is not carried.
    #[error("not a coding of sound that is carried")]
    Codec,
    /// The session description does not say how the sound is coded.
    #[error("the description of the sound lacks what decoding needs")]
    Configuration,
    /// It breaks a rule, and the policy does not tolerate that.
    #[error("the description of the sound breaks a rule that the policy holds to: {0}")]
    NotTolerated(Quirk),
}

impl Fault for Kind {
    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn code(&self) -> Code {
        Code(match self {
            Self::Codec => 360,
            Self::Configuration => 361,
            Self::NotTolerated(_) => 362,
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

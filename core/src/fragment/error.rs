//! What a group of samples can be refused for.

use crate::fault::{Blame, Code, Fault, Offset};

/// Why a group cannot become a fragment. The step before makes no such group from any input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} (sample {})", at.0)]
#[non_exhaustive]
pub struct Error {
    /// What.
    pub kind: Kind,
    /// The number of the sample in its group, from 0.
    pub at: Offset,
}

/// What a group can be refused for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// A group without samples.
    #[error("a group has no samples")]
    Empty,
    /// Decoding times that do not rise, or leap by more than 32 bits of ticks.
    #[error("decoding times do not rise")]
    Times,
    /// 2 GiB or more in one fragment (ISO/IEC 14496-12 §8.8.8: `data_offset` is signed, 32 bits).
    #[error("a group is too large for a fragment")]
    TooLarge,
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        Blame::Bug
    }

    fn code(&self) -> Code {
        Code(match self.kind {
            Kind::Empty => 430,
            Kind::Times => 431,
            Kind::TooLarge => 432,
        })
    }
}

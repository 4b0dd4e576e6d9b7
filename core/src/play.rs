//! Playing a recording: seek by UTC, go on from there, follow what is being recorded; gaps and damage as data.
//!
//! [`Archive`] does no IO. It says which bytes of which file it needs, and is given them: over a [`Storage`] by [`Local`],
//! over HTTP ranges by the player in a browser. A fragment is handed out only when its CRC passes. With a page directory of
//! 16 KB per camera and day it finds any moment in two reads.
//!
//! [`Storage`]: crate::store::Storage

mod archive;
mod day;
mod footage;
pub mod hls;
mod local;
#[cfg(test)]
mod seeks;
#[cfg(test)]
mod served;
#[cfg(test)]
mod tests;
mod virtual_mp4;

pub use archive::{Archive, Output};
pub use footage::{Footage, Place, Stored, init_segment};
pub use local::Local;
pub use virtual_mp4::{About, VirtualMp4};

use crate::fault::{Blame, Code, Fault, Offset};
use crate::store;

/// What of a recording cannot be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// The index is damaged: what it says after that place is lost until it is made anew from the media.
    #[error("the index is damaged; it can be made anew from the media")]
    Index,
    /// A fragment's checksum fails.
    #[error("footage is damaged: its checksum fails")]
    Fragment,
    /// An init segment's checksum fails: the file that starts with it cannot be played.
    #[error("the head of a media file is damaged")]
    Init,
    /// A media file that the index names is not there.
    #[error("a media file is missing")]
    Missing,
    /// An index of a later version.
    #[error("the index is of a version that this Vigie does not read")]
    Version,
    /// More pictures than one file is made of.
    #[error("the span is too long for one file: ask for less, or for a playlist")]
    Long,
}

/// What is wrong, and where in the file concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} ({at})")]
pub struct Error {
    /// What.
    pub kind: Kind,
    /// Where.
    pub at: Offset,
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        match self.kind {
            Kind::Version | Kind::Long => Blame::Caller,
            _ => Blame::Storage,
        }
    }

    fn code(&self) -> Code {
        Code(match self.kind {
            Kind::Index => 600,
            Kind::Fragment => 601,
            Kind::Init => 602,
            Kind::Missing => 603,
            Kind::Version => 604,
            Kind::Long => 605,
        })
    }
}

/// Why bytes of a recording cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] store::Error),
    /// The recording is not as its index says.
    #[error(transparent)]
    Footage(#[from] Error),
}

impl Fault for Failure {
    fn blame(&self) -> Blame {
        match self {
            Self::Storage(error) => error.blame(),
            Self::Footage(error) => error.blame(),
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::Storage(error) => error.code(),
            Self::Footage(error) => error.code(),
        }
    }
}

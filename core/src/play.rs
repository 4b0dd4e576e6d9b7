//! Playing a recording: seek by UTC, go on from there, follow what is being recorded; gaps and damage as data.
//!
//! [`Archive`] does no IO. It says which bytes of which file it needs, and is given them: over a [`Storage`] by [`Local`],
//! over HTTP ranges by the player in a browser. A fragment is handed out only when its CRC passes.
//!
//! [`Storage`]: crate::store::Storage

mod archive;
mod day;
mod local;
#[cfg(test)]
mod tests;

pub use archive::{Archive, Output};
pub use local::Local;

use crate::fault::{Blame, Code, Fault, Offset};

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
            Kind::Version => Blame::Caller,
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
        })
    }
}

//! The bytes of the store's index and of the marks in its media. No IO: `docs/format.md` says where they stand.
//!
//! ```text
//! media file   init segment, FileMark, room, { FragmentMark, prft, moof, mdat }*, mfra
//! index        Header, { 87 records, trailer }*
//! ```
//! A day's index is a function of the day's media, byte for byte: [`Builder`] is that function, and both the recorder
//! and the rebuild go through it.

mod build;
mod cover;
mod crc32c;
mod directory;
mod header;
mod index;
mod key;
mod mark;
mod page;
mod record;
mod tail;
mod words;

pub use build::Builder;
pub use cover::{Cover, JOIN, Span};
pub use crc32c::{Crc32c, crc32c};
pub use directory::{PageDirectory, PageDirectoryBuilder};
pub use header::Header;
pub use index::{Entry, Index, Init};
pub use key::{Day, Key, NotAKey};
pub use mark::{FileMark, FragmentMark};
pub use record::{FileRecord, InitRecord};
pub(crate) use tail::{Last, last};
pub use words::{Flags, Id, Kid, Text};

use crate::fault::{Blame, Code, Fault, Offset};

/// Bytes of a page, and of the header.
const PAGE: usize = 4_096;

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// Another box, or another file.
    #[error("not a Vigie index or mark")]
    NotOurs,
    /// A version that this library does not read.
    #[error("a version of the index that this version of Vigie does not read")]
    Version,
    /// The checksum fails.
    #[error("the checksum fails")]
    Checksum,
    /// Fewer bytes than it has.
    #[error("cut short")]
    Short,
    /// A field holds what no writer writes, though the checksum passes.
    #[error("a field out of range")]
    Field,
}

/// What is wrong, and where in the bytes given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} ({at})")]
pub struct Error {
    /// What.
    pub kind: Kind,
    /// Where.
    pub at: Offset,
}

impl Error {
    const fn new(kind: Kind) -> Self {
        Self { kind, at: Offset(0) }
    }

    const fn at(kind: Kind, at: u64) -> Self {
        Self { kind, at: Offset(at) }
    }
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
            Kind::NotOurs => 500,
            Kind::Version => 501,
            Kind::Checksum => 502,
            Kind::Short => 503,
            Kind::Field => 504,
        })
    }
}

//! Keeping segments and their index: appending, syncing, recovering, listing, checking. `docs/format.md` says what the
//! files hold, in which order they are written, and why each state that a power cut leaves is recovered.
//!
//! ```text
//! segment ──▶ Writer ──▶ Storage (FileStorage, Memory)
//!                           ▲
//!    play, list, verify ────┘
//! ```
//! A [`Writer`] writes one camera. It holds no clock and no thread: the caller says what time it is, and asks when it wants
//! to be called next. Its calls block as long as the storage does.

#[doc = include_str!("../docs/format.md")]
pub mod format {}

mod availability;
mod check;
mod close;
mod day;
#[cfg(feature = "std")]
mod files;
pub mod forecast;
mod gap;
pub mod hold;
mod jobs;
pub mod journal;
mod kept;
mod last;
mod list;
mod media;
mod memory;
mod mend;
mod merged;
mod name;
mod options;
mod pages;
mod placement;
mod recover;
pub mod retain;
mod scan;
mod split;
mod storage;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub(crate) mod together;
mod verify;
mod volume;
mod writer;

pub use availability::{Availability, months};
pub use check::{Checked, DayCheck, Finding, Repair, Wrong};
#[cfg(feature = "std")]
pub use files::FileStorage;
pub use gap::{Cause, GapEntry, gap_log_path};
pub use last::LastRecorded;
pub use list::{Gap, Listing, SegmentFile, cameras, days, tenants};
pub use memory::{Cut, Memory};
pub use merged::Merged;
pub use name::{Name, Source, index_path, media_path};
pub use options::{Options, Stats};
pub use pages::{page_directory, pages_path};
pub use placement::{Placed, Placement, Reason};
pub use recover::Recovered;
pub use scan::{read_init, rebuild};
pub use split::Split;
pub use storage::{Access, File, Listed, Storage};
pub use verify::{Verified, verify};
pub use volume::{Volume, VolumeId, VolumeMark};
pub use writer::Writer;

use crate::fault::{Blame, Code, Fault, Offset};

/// Why the store cannot do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// No such file or folder.
    #[error("no such file or folder in the store")]
    NotFound,
    /// The name is taken.
    #[error("a file of that name is there already")]
    Exists,
    /// No room: disk or quota.
    #[error("the disk is full: make room, or point the store at a larger disk")]
    Full,
    /// Not allowed to.
    #[error(
        "not allowed to write there: give the user who runs Vigie the right to write to the store's folder"
    )]
    Denied,
    /// The file system is mounted read-only.
    #[error("the file system is mounted read-only: disks often are after an error, see the system's log")]
    ReadOnly,
    /// A part of the path is a file where a folder is needed.
    #[error("a file stands where the store needs a folder")]
    NotAFolder,
    /// Another process writes the same camera.
    #[error("another process is recording this camera into this store")]
    Locked,
    /// A tenant's or camera's name that cannot be a folder of the store.
    #[error("not a name for a tenant or camera: 1 to 64 of a-z, 0-9, - and _")]
    Name,
    /// A time that no file name can hold: before 1970 or after 9999.
    #[error("a time before 1970 or after 9999")]
    Time,
    /// A fragment or head that is not as the format says; nothing of it was written.
    #[error("not a fragment or segment as the store takes it")]
    NotOurs,
    /// An index of a later version.
    #[error("the index is of a version that this Vigie does not read")]
    Version,
    /// The file is as long as a file may be.
    #[error("the media file has reached its largest length")]
    TooLong,
    /// Called out of order: a fragment without an open file.
    #[error("no media file is open")]
    NoFile,
    /// The volume's id file is not there: the disk is not mounted.
    #[error("the volume is not there: the disk is not mounted, and nothing is written below its mount point")]
    NoVolume,
    /// Another volume is there than the one that belongs there, or its id file is damaged.
    #[error("the disk that is mounted there is not the volume that belongs there")]
    ForeignVolume,
    /// The storage was too slow for what came, and footage was dropped.
    #[error("the storage is too slow: footage was dropped")]
    TooSlow,
    /// The storage answers what cannot be: more bytes than were asked for, no file where it has opened one, a file longer than
    /// its kind can be.
    #[error(
        "the storage answers what cannot be: more than was asked for, or a file longer than its kind can be"
    )]
    Implausible,
    /// The storage device failed: the operating system's number.
    #[error("the storage failed (error {0} of the operating system)")]
    Io(i32),
}

/// What went wrong, and where in the file concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    /// What.
    pub kind: Kind,
    /// Where in the file; 0 where it is not about a place.
    pub at: Offset,
}

impl Error {
    /// At a place in a file.
    #[must_use]
    pub const fn at(kind: Kind, at: u64) -> Self {
        Self { kind, at: Offset(at) }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self::at(kind, 0)
    }
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        match self.kind {
            Kind::Name | Kind::Time | Kind::NotFound | Kind::Version | Kind::Locked => Blame::Caller,
            Kind::NotOurs | Kind::NoFile | Kind::TooLong => Blame::Bug,
            _ => Blame::Storage,
        }
    }

    fn code(&self) -> Code {
        Code(match self.kind {
            Kind::NotFound => 550,
            Kind::Exists => 551,
            Kind::Full => 552,
            Kind::Denied => 553,
            Kind::ReadOnly => 554,
            Kind::NotAFolder => 555,
            Kind::Locked => 556,
            Kind::Name => 557,
            Kind::Time => 558,
            Kind::NotOurs => 559,
            Kind::Version => 560,
            Kind::TooLong => 561,
            Kind::NoFile => 562,
            Kind::Io(_) => 563,
            Kind::NoVolume => 570,
            Kind::ForeignVolume => 571,
            Kind::TooSlow => 572,
            Kind::Implausible => 573,
        })
    }
}

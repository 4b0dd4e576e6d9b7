//! What the journal holds: `docs/format.md` §7.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::policy::Policy;
use super::words::utc;
use crate::store::Name;
use crate::time::UtcMicros;

/// What people or rules decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Record {
    /// A hold; its number is that of its line.
    HoldAdded {
        /// The case that it is for.
        case: String,
        /// Whose footage.
        cameras: Vec<Name>,
        /// The first moment.
        #[serde(with = "utc")]
        from: UtcMicros,
        /// The moment after the last.
        #[serde(with = "utc")]
        to: UtcMicros,
        /// Who ordered it.
        who: String,
        /// Why.
        why: String,
        /// People that it takes to release it.
        agents: u8,
    },
    /// A hold reaches further.
    HoldExtended {
        /// Its number.
        hold: u64,
        /// The first moment, now.
        #[serde(with = "utc")]
        from: UtcMicros,
        /// The moment after the last, now.
        #[serde(with = "utc")]
        to: UtcMicros,
        /// Who ordered it.
        who: String,
        /// Why.
        why: String,
    },
    /// The first of two people wants a hold released.
    ReleaseAsked {
        /// Its number.
        hold: u64,
        /// Who asks.
        who: String,
        /// Why.
        why: String,
    },
    /// A hold is over.
    Released {
        /// Its number.
        hold: u64,
        /// Who released it.
        who: String,
        /// Why.
        why: String,
    },
    /// A copy was handed out.
    Exported {
        /// Of which camera.
        camera: Name,
        /// The first moment asked for.
        #[serde(with = "utc")]
        from: UtcMicros,
        /// The moment after the last.
        #[serde(with = "utc")]
        to: UtcMicros,
        /// The case that it is for.
        case: String,
        /// Who made it.
        who: String,
        /// Why.
        why: String,
        /// The files of it.
        files: Vec<ExportedFile>,
    },
    /// How long footage is kept, from now on.
    Policy {
        /// All of it.
        policy: Policy,
        /// Is it in force at once? Else the brake stops what it would delete, until somebody confirms.
        accepted: bool,
        /// Who set it.
        who: String,
        /// Why.
        why: String,
    },
    /// What the brake stopped may go on.
    Confirmed {
        /// Who says so.
        who: String,
        /// Why.
        why: String,
        /// Damaged lines that this person was told of: what is damaged later is not confirmed.
        #[serde(default)]
        damaged: u64,
    },
    /// A tombstone: this will be deleted.
    DeletionBegun(Begun),
    /// A tombstone: this is gone.
    Deleted(Deleted),
    /// A pass that did not delete what its rule asks for.
    Braked {
        /// Of which camera.
        camera: Name,
        /// What stopped it.
        brake: Brake,
        /// Files that it would have deleted, whole or in part.
        files: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// What somebody asked for and did not get.
    Refused {
        /// What it was.
        what: String,
        /// Who asked.
        who: String,
        /// Why it was refused.
        why: String,
    },
    /// A torn line was cut off before this one.
    Mended {
        /// Its bytes.
        bytes: u64,
    },
    /// Lines that a checkpoint was made of were gone before this one.
    Lost {
        /// How many.
        lines: u64,
    },
    /// Of a kind that this Vigie does not know.
    #[serde(other)]
    Unknown,
}

/// A file that was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedFile {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// Their SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

/// How much there is, or was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Media files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of the indexes and gap logs of their days.
    pub index_bytes: i64,
}

impl Amount {
    pub(in crate::store) const fn add(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.index_bytes += other.index_bytes;
    }
}

/// What a pass is about to delete of a camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Begun {
    /// Which camera.
    pub camera: Name,
    /// By which rule: `max_age 14d`.
    pub rule: String,
    /// Files whose first picture is not after this are expired.
    #[serde(with = "utc")]
    pub before: UtcMicros,
    /// The first picture that goes.
    #[serde(with = "utc")]
    pub from: UtcMicros,
    /// The end of the last.
    #[serde(with = "utc")]
    pub to: UtcMicros,
    /// Media files that go, whole or in part.
    pub files: u64,
    /// Bytes of media that go.
    pub bytes: u64,
    /// All that is expired, held or not.
    pub there: Amount,
}

/// What a pass has deleted of a camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Deleted {
    /// Which camera.
    pub camera: Name,
    /// Number of the line that said it would.
    pub begun: u64,
    /// By which rule: `max_age 14d`.
    pub rule: String,
    /// The first picture that went.
    #[serde(with = "utc")]
    pub from: UtcMicros,
    /// The end of the last.
    #[serde(with = "utc")]
    pub to: UtcMicros,
    /// Media files that are gone.
    pub files: u64,
    /// Media files of which only what a hold keeps is left; counted by the pass that ended the deletion.
    pub trimmed: u64,
    /// Bytes of media gone, those of trimmed files with them.
    pub bytes: u64,
    /// Bytes by which indexes and gap logs are shorter.
    pub index_bytes: i64,
}

/// What stops a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Brake {
    /// A stricter policy would delete much, and nobody has confirmed it.
    Change,
    /// The clock has leapt, or is not known to be right.
    Clock,
    /// The journal is damaged, or of a later Vigie.
    Journal,
}

impl Brake {
    /// Its name in tables and in the journal.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Clock => "clock",
            Self::Journal => "journal",
        }
    }
}

//! What people and rules decided about a tenant's footage: `docs/format.md` §7.
//!
//! ```text
//! hold, retain, export ──Record──▶ Journal ──line──▶ Storage
//!                                     │
//!                                     └──▶ State: policy, holds in force, deletions begun
//! ```
//! A decision is a line that is on the disk: what cannot be written is not decided. Each function opens the journal anew, so
//! that several processes may use it one after the other.

mod checkpoint;
mod line;
mod policy;
mod read;
mod record;
mod state;
#[cfg(test)]
mod tests;
mod words;

use alloc::string::String;
use alloc::vec::Vec;

pub use line::Line;
pub use policy::{Policy, Rule};
pub(super) use read::read_state;
pub use read::{Damage, Read, read};
pub use record::{Amount, Begun, Brake, Deleted, ExportedFile, Record};
pub use state::{Hold, State};
pub use words::show_age;

use super::storage::{folder_of, replace};
use super::{Access, Name, Storage};
use crate::fault::{Blame, Code, Fault, Offset};
use crate::time::UtcMicros;

/// A file of so many bytes is not written on.
const FILE: u64 = 4 << 20;
/// Lines after which a checkpoint is made.
const CHECKPOINT: u64 = 128;
/// Characters of a name, a reason or a case.
pub(super) const TEXT: usize = 500;

/// Why something that people or rules want is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// The storage: nothing was decided.
    #[error("{0}")]
    Store(super::Kind),
    /// A name, reason or case that is empty or too long.
    #[error("a name, a reason and a case have 1 to 500 characters, none of them a control character")]
    Text,
    /// A range that ends before it starts.
    #[error("the range ends before it starts")]
    Range,
    /// A hold without a camera, or of more than 1 000.
    #[error("a hold is of 1 to 1000 cameras")]
    Cameras,
    /// Nothing of the range is recorded, and nothing of it lies ahead.
    #[error("nothing of the range is recorded, and nothing of it lies ahead: there is nothing to hold")]
    NoFootage,
    /// No hold of that number is in force.
    #[error("no hold of that number is in force")]
    NoHold,
    /// It takes two people, and this one has asked already.
    #[error("it takes two people to release this hold: another one than who asked for it")]
    SamePerson,
    /// A hold can be made longer; making it shorter is a release.
    #[error("a hold can reach further, not less far: release it, and add another")]
    Shorter,
    /// An age that is none: 0 or negative.
    #[error("the maximum age is above 0, the minimum age not below")]
    Age,
    /// The minimum age is above the maximum.
    #[error("the minimum age is above the maximum age: no file could keep to both")]
    MinAboveMax,
    /// A file lasts longer than what lies between the two ages.
    #[error(
        "minimum age and the length of a file are together above the maximum age: no file could keep to both"
    )]
    MinAndFile,
    /// Neither one nor two people.
    #[error("it takes 1 or 2 people to release a hold")]
    Agents,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    /// What.
    pub kind: Kind,
    /// Where in the file; 0 where it is not about a place.
    pub at: Offset,
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self { kind, at: Offset(0) }
    }
}

impl From<super::Error> for Error {
    fn from(error: super::Error) -> Self {
        Self { kind: Kind::Store(error.kind), at: error.at }
    }
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        match self.kind {
            Kind::Store(kind) => super::Error::from(kind).blame(),
            _ => Blame::Caller,
        }
    }

    fn code(&self) -> Code {
        if let Kind::Store(kind) = self.kind {
            return super::Error::from(kind).code();
        }
        Code(match self.kind {
            Kind::Text => 580,
            Kind::Range => 581,
            Kind::Cameras => 582,
            Kind::NoFootage => 583,
            Kind::NoHold => 584,
            Kind::SamePerson => 585,
            Kind::Shorter => 586,
            Kind::Age => 587,
            Kind::MinAboveMax => 588,
            Kind::MinAndFile => 589,
            Kind::Agents => 590,
            Kind::Store(_) => 0,
        })
    }
}

/// A tenant's journal, open to be written: nobody else writes it until it is [closed](Journal::close).
#[derive(Debug)]
pub struct Journal {
    tenant: Name,
    found: Read,
    /// Line of the last checkpoint.
    checkpoint: u64,
    /// Its last file holds no line that is known to be whole, or a write failed: what is there is read again.
    stale: bool,
}

impl Journal {
    /// Opens it, cuts off a line that a power cut has torn, and puts the copy of the policy right.
    ///
    /// # Errors
    /// [`Locked`](super::Kind::Locked) where another process writes it: it is soon done. All that a disk can fail by.
    pub fn open(storage: &mut dyn Storage, tenant: Name, now: UtcMicros) -> Result<Self, Error> {
        storage.lock(tenant.as_str())?;
        let opened = Self::locked(storage, tenant, now);
        if opened.is_err() {
            storage.unlock(tenant.as_str());
        }
        opened
    }

    fn locked(storage: &mut dyn Storage, tenant: Name, now: UtcMicros) -> Result<Self, Error> {
        let found = read::from_checkpoint(storage, tenant)?;
        let mut journal = Self { tenant, checkpoint: found.checkpoint, found, stale: false };
        if journal.found.torn > 0 {
            let bytes = journal.found.torn;
            journal.cut(storage)?;
            journal.append(storage, now, &Record::Mended { bytes })?;
        }
        if journal.found.lost > 0 {
            // Remembered until somebody confirms it; the checkpoint that knew of them would say it again.
            let lines = core::mem::take(&mut journal.found.lost);
            journal.append(storage, now, &Record::Lost { lines })?;
            journal.make_checkpoint(storage)?;
        }
        journal.copy_policy(storage)?;
        Ok(journal)
    }

    /// Lets others write it.
    pub fn close(self, storage: &mut dyn Storage) {
        storage.unlock(self.tenant.as_str());
    }

    /// Whose it is.
    #[must_use]
    pub const fn tenant(&self) -> Name {
        self.tenant
    }

    /// What its lines come to.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.found.state
    }

    /// What reading it found.
    #[must_use]
    pub const fn found(&self) -> &Read {
        &self.found
    }

    /// Appends a line and syncs it. Gives its number.
    ///
    /// # Errors
    /// All that a disk can fail by: then the line is not there, and what it says not decided.
    pub fn append(
        &mut self,
        storage: &mut dyn Storage,
        at: UtcMicros,
        record: &Record,
    ) -> Result<u64, Error> {
        if self.stale {
            self.found = read::from_checkpoint(storage, self.tenant)?;
            self.cut(storage)?;
            self.stale = false;
        }
        let n = self.found.n.saturating_add(1);
        let Some((bytes, crc)) = line::write(n, self.found.link, at, record) else {
            return Err(super::Error::from(super::Kind::NotOurs).into());
        };
        let turn = self.found.file == 0 || self.found.offset >= FILE;
        let mut written = self.put(storage, &bytes, turn);
        if written.is_err_and(|error| error.kind == Kind::Store(super::Kind::Full))
            && storage.spend_reserve()?
        {
            written = self.put(storage, &bytes, turn);
        }
        if let Err(error) = written {
            self.stale = true;
            return Err(error);
        }
        if turn {
            self.found.file += 1;
            self.found.offset = 0;
        }
        self.found.offset += bytes.len() as u64;
        (self.found.n, self.found.link) = (n, crc);
        self.found.state.apply(&Line { n, at, record: record.clone() });
        if turn || n.saturating_sub(self.checkpoint) >= CHECKPOINT {
            // The line is there, and counts: without the checkpoint the next opening reads more.
            let _ = self.make_checkpoint(storage);
        }
        Ok(n)
    }

    fn put(&self, storage: &mut dyn Storage, bytes: &[u8], turn: bool) -> Result<(), Error> {
        let path = path(self.tenant, self.found.file + u32::from(turn));
        let file = match storage.open(&path, Access::Write) {
            Err(super::Error { kind: super::Kind::NotFound, .. }) if turn => storage.create_new(&path)?,
            other => other?,
        };
        let len = if turn { 0 } else { self.found.offset };
        let written = storage.append(file, &[bytes]).and_then(|()| storage.sync(file));
        // What is there of it is cut off; where it cannot be, that is the error: nothing may stand behind it.
        let written = written.or_else(|error| {
            storage.truncate(file, len)?;
            let _ = storage.sync(file);
            Err(error)
        });
        storage.close(file);
        written?;
        if len == 0 {
            // The tenant's folder may be new, too.
            storage.sync_folder(self.tenant.as_str())?;
            storage.sync_folder("")?;
        }
        Ok(())
    }

    /// Cuts off what is torn.
    fn cut(&mut self, storage: &mut dyn Storage) -> Result<(), Error> {
        if core::mem::take(&mut self.found.torn) == 0 {
            return Ok(());
        }
        let file = storage.open(&path(self.tenant, self.found.file), Access::Write)?;
        let cut = storage.truncate(file, self.found.offset).and_then(|()| storage.sync(file));
        storage.close(file);
        Ok(cut?)
    }

    fn make_checkpoint(&mut self, storage: &mut dyn Storage) -> Result<(), Error> {
        if let Some(bytes) = checkpoint::write(&self.found) {
            replace(storage, &checkpoint::path(self.tenant), &bytes)?;
            self.checkpoint = self.found.n;
        }
        Ok(())
    }

    /// Sets how long footage is kept. `longest` is how long a file may last, in microseconds; is the policy `accepted`, it is in
    /// force at once.
    ///
    /// # Errors
    /// As [`Policy::check`]; [`Kind::Text`]; all that a disk can fail by.
    pub fn set_policy(
        &mut self,
        storage: &mut dyn Storage,
        at: UtcMicros,
        (policy, accepted): (Policy, bool),
        longest: i64,
        (who, why): (&str, &str),
    ) -> Result<u64, Error> {
        policy.check(longest)?;
        let (who, why) = (text(who)?, text(why)?);
        let n = self.append(storage, at, &Record::Policy { policy, accepted, who, why })?;
        self.copy_policy(storage)?;
        Ok(n)
    }

    /// Notes that somebody lets go on what a brake stopped.
    ///
    /// # Errors
    /// [`Kind::Text`]; all that a disk can fail by.
    pub fn confirm(
        &mut self,
        storage: &mut dyn Storage,
        at: UtcMicros,
        (who, why): (&str, &str),
    ) -> Result<u64, Error> {
        let damaged = self.state().damaged;
        let record = Record::Confirmed { who: text(who)?, why: text(why)?, damaged };
        self.append(storage, at, &record)
    }

    /// The copy that people read is that of the journal.
    fn copy_policy(&self, storage: &mut dyn Storage) -> Result<(), Error> {
        let path = alloc::format!("{}/policy.json", self.tenant);
        let Some(policy) = &self.state().policy else { return Ok(()) };
        let Ok(mut json) = serde_json::to_vec_pretty(policy) else { return Ok(()) };
        json.push(b'\n');
        if super::storage::read_whole(storage, &path)?.as_ref() != Some(&json) {
            replace(storage, &path, &json)?;
        }
        Ok(())
    }
}

/// Where a file of the journal is.
fn path(tenant: Name, file: u32) -> String {
    alloc::format!("{tenant}/journal-{file:06}.jsonl")
}

/// The numbers of the journal's files, rising.
fn files(storage: &mut dyn Storage, tenant: Name) -> Result<Vec<u32>, super::Error> {
    let listed = match storage.list(folder_of(&path(tenant, 1))) {
        Err(super::Error { kind: super::Kind::NotFound, .. }) => return Ok(Vec::new()),
        other => other?,
    };
    let number = |name: &str| {
        let digits = name.strip_prefix("journal-")?.strip_suffix(".jsonl")?;
        digits.parse().ok().filter(|n| *n > 0 && digits.len() == 6)
    };
    let mut files: Vec<u32> = listed.iter().filter(|l| !l.folder).filter_map(|l| number(&l.name)).collect();
    files.sort_unstable();
    Ok(files)
}

/// Has this tenant a journal?
///
/// # Errors
/// All that a disk can fail by.
pub fn exists(storage: &mut dyn Storage, tenant: Name) -> Result<bool, Error> {
    Ok(!files(storage, tenant)?.is_empty())
}

/// A name, reason or case as it may stand in the journal.
pub(super) fn text(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= TEXT && !text.chars().any(char::is_control);
    if fits { Ok(text.into()) } else { Err(Kind::Text.into()) }
}

//! Why nothing was recorded: the gap log of a camera and day, `docs/format.md` §4.

use alloc::string::String;
use alloc::vec::Vec;

use super::storage::read_whole;
use super::{Source, Storage};
use crate::gix::{Day, Span, crc32c};
use crate::octets::{Reader, Write as _};
use crate::time::UtcMicros;

/// Why there was nothing to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The camera sent nothing, or what cannot be recorded.
    Camera,
    /// It could not be reached.
    Network,
    /// It refused name and password.
    Authentication,
    /// The store could not be written: full, failing, not allowed.
    Storage,
    /// A clock was set forward: nothing is missing but time.
    Clock,
    /// A person stopped it.
    Operator,
    /// It was deleted when its time had come.
    Retention,
    /// The recorder itself was down: a crash, a power cut.
    Recorder,
}

impl Cause {
    /// Every cause, in the order of their numbers in the log, from 1.
    pub const ALL: [Self; 8] = [
        Self::Camera,
        Self::Network,
        Self::Authentication,
        Self::Storage,
        Self::Clock,
        Self::Operator,
        Self::Retention,
        Self::Recorder,
    ];

    /// Its name in tables, JSON and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Network => "network",
            Self::Authentication => "authentication",
            Self::Storage => "storage",
            Self::Clock => "clock",
            Self::Operator => "operator",
            Self::Retention => "retention",
            Self::Recorder => "recorder",
        }
    }
}

impl core::fmt::Display for Cause {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// An entry of the gap log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapEntry {
    /// When.
    pub at: UtcMicros,
    /// Does a gap begin then, or end?
    pub begins: bool,
    /// Why.
    pub cause: Cause,
    /// The stable number of the error behind it, 0 where there is none.
    pub code: u16,
}

impl GapEntry {
    /// Bytes of an entry.
    pub const LEN: usize = 40;

    /// The bytes, as entry number `n` of a log.
    #[must_use]
    pub fn write(&self, n: u32) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN);
        out.put(b"GAP1");
        out.put_u8(if self.begins { 1 } else { 2 });
        out.put_u8(Cause::ALL.iter().position(|c| *c == self.cause).unwrap_or(0) as u8 + 1);
        out.put_u16(self.code);
        out.put_u64(self.at.0 as u64);
        out.resize(Self::LEN - 4, 0);
        let crc = crc32c(&[&n.to_be_bytes(), &out]);
        out.put_u32(crc);
        out
    }

    /// The entries of a log, as far as they pass.
    #[must_use]
    pub fn read_all(log: &[u8]) -> Vec<Self> {
        let entry = |(n, bytes): (usize, &[u8])| {
            let (body, crc) = bytes.split_at(Self::LEN - 4);
            let mut r = Reader::new(body);
            let passes = crc == crc32c(&[&(n as u32).to_be_bytes(), body]).to_be_bytes();
            if !passes || r.array() != Some(*b"GAP1") {
                return None;
            }
            let begins = r.u8()? == 1;
            let cause = *Cause::ALL.get(usize::from(r.u8()?).checked_sub(1)?)?;
            Some(Self { begins, cause, code: r.u16()?, at: UtcMicros(r.u64()? as i64) })
        };
        log.chunks_exact(Self::LEN).enumerate().map_while(entry).collect()
    }

    /// The cause (and error) of a gap of the timeline, from the entries of its day and the day before, in order.
    #[must_use]
    pub fn cause_of(gap: Span, entries: &[Self]) -> Option<(Cause, u16)> {
        // One that had ended before this gap began says nothing of it.
        let ended = |at: usize| entries.iter().skip(at).find(|e| !e.begins).is_some_and(|e| e.at <= gap.from);
        let begins = entries
            .iter()
            .enumerate()
            .filter(|(at, e)| e.begins && e.at < gap.to && e.at >= gap.from.plus(-NOTICED) && !ended(at + 1));
        // The first that concerns it: what came after (a camera that refuses once the network is back) came of it.
        begins.min_by_key(|(_, e)| e.at.max(gap.from)).map(|(_, e)| (e.cause, e.code))
    }
}

/// Microseconds that may pass before a camera's silence is noticed, and that a picture's time and the log's may differ.
const NOTICED: i64 = 30_000_000;

/// Where a day's gap log is in the store.
#[must_use]
pub fn gap_log_path(source: &Source, day: Day) -> String {
    alloc::format!("{source}/{day}.gap")
}

/// A day's entries; none where there is no log.
pub(super) fn read_log(
    storage: &mut dyn Storage,
    source: &Source,
    day: Day,
) -> Result<Vec<GapEntry>, super::Error> {
    let log = read_whole(storage, &gap_log_path(source, day))?;
    Ok(log.map(|bytes| GapEntry::read_all(&bytes)).unwrap_or_default())
}

/// Appends to the log of the entry's day, and syncs it. What does not pass at its end is cut off first.
pub(super) fn append_log(
    storage: &mut dyn Storage,
    source: &Source,
    entry: &GapEntry,
) -> Result<(), super::Error> {
    let day = Day::of(entry.at);
    let path = gap_log_path(source, day);
    let there = read_log(storage, source, day)?.len();
    let (file, new) = match storage.open(&path, super::Access::Write) {
        Ok(file) => (file, false),
        Err(super::Error { kind: super::Kind::NotFound, .. }) => (storage.create_new(&path)?, true),
        Err(error) => return Err(error),
    };
    let written = append_entry(storage, file, there, entry);
    storage.close(file);
    written?;
    if new {
        let folder = alloc::format!("{source}");
        super::scan::sync_folders(storage, &folder)?;
    }
    Ok(())
}

/// Cuts off what does not pass.
pub(super) fn cut_log(storage: &mut dyn Storage, source: &Source, day: Day) -> Result<(), super::Error> {
    let len = (read_log(storage, source, day)?.len() * GapEntry::LEN) as u64;
    let path = gap_log_path(source, day);
    let file = match storage.open(&path, super::Access::Write) {
        Err(super::Error { kind: super::Kind::NotFound, .. }) => return Ok(()),
        other => other?,
    };
    let cut = match storage.len(file) {
        Ok(there) if there > len => storage.truncate(file, len).and_then(|()| storage.sync(file)),
        other => other.map(|_| ()),
    };
    storage.close(file);
    cut
}

fn append_entry(
    storage: &mut dyn Storage,
    file: super::File,
    there: usize,
    entry: &GapEntry,
) -> Result<(), super::Error> {
    let len = (there * GapEntry::LEN) as u64;
    if storage.len(file)? != len {
        storage.truncate(file, len)?;
    }
    storage.append(file, &[&entry.write(there as u32)])?;
    storage.sync(file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn entries_there_and_back_and_only_as_far_as_they_pass() {
        let entries: Vec<_> = Cause::ALL
            .iter()
            .enumerate()
            .map(|(i, cause)| GapEntry {
                at: UtcMicros(i as i64 * 7),
                begins: i % 2 == 0,
                cause: *cause,
                code: 700 + i as u16,
            })
            .collect();
        let log: Vec<u8> = entries.iter().enumerate().flat_map(|(n, e)| e.write(n as u32)).collect();
        assert_eq!(GapEntry::read_all(&log), entries);
        for cut in 0..log.len() {
            assert_eq!(GapEntry::read_all(&log[..cut]), entries[..cut / GapEntry::LEN]);
        }
        for bit in 0..log.len() * 8 {
            let mut bad = log.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(GapEntry::read_all(&bad).len(), bit / 8 / GapEntry::LEN);
        }
    }

    #[test]
    fn a_gap_takes_the_cause_that_began_it() {
        let at = |seconds: i64| UtcMicros(seconds * 1_000_000);
        let entry = |seconds, begins, cause| GapEntry { at: at(seconds), begins, cause, code: 0 };
        let log = [
            entry(100, true, Cause::Network),
            entry(110, true, Cause::Camera),
            entry(130, false, Cause::Network),
            entry(500, true, Cause::Operator),
        ];
        let cause = |from, to| GapEntry::cause_of(Span::new(at(from), at(to)), &log).map(|(c, _)| c);
        assert_eq!(cause(95, 131), Some(Cause::Network));
        assert_eq!(cause(102, 131), Some(Cause::Network));
        assert_eq!(cause(499, 900), Some(Cause::Operator));
        assert_eq!(cause(200, 300), None);
        let all = Span::new(UtcMicros(i64::MIN), at(120));
        assert_eq!(GapEntry::cause_of(all, &log), Some((Cause::Network, 0)), "before the first picture");
    }

    #[test]
    fn an_entry_that_had_ended_explains_nothing_that_comes_after() {
        let entry = |second: i64, begins, cause| GapEntry {
            at: UtcMicros(second * 1_000_000),
            begins,
            cause,
            code: 0,
        };
        let gap = |from: i64, to: i64| Span::new(UtcMicros(from * 1_000_000), UtcMicros(to * 1_000_000));
        let mut log = alloc::vec![entry(10, true, Cause::Camera), entry(14, false, Cause::Camera)];
        assert_eq!(GapEntry::cause_of(gap(10, 14), &log), Some((Cause::Camera, 0)));
        assert_eq!(GapEntry::cause_of(gap(18, i64::MAX / 1_000_000), &log), None, "being recorded");
        log.push(entry(18, true, Cause::Network));
        assert_eq!(GapEntry::cause_of(gap(18, 22), &log), Some((Cause::Network, 0)));
        assert_eq!(GapEntry::cause_of(gap(10, 14), &log), Some((Cause::Camera, 0)));
    }
}

//! What there is of a camera that is, or may be, expired: `docs/format.md` §9.2.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::trim::{self, Moved};
use crate::gix::{Day, FragmentMark, Index, Key, Span};
use crate::store::hold::held_entries;
use crate::store::journal::Amount;
use crate::store::list::days;
use crate::store::storage::{folder_of, read_whole};
use crate::store::{Error, Kind, Source, Storage, gap_log_path, index_path};
use crate::time::UtcMicros;

/// A moment so near to what is held goes with it: names of spans' ends, gap logs.
const NEAR: i64 = 1_000_000;
/// 2000-01-01: footage dated before was recorded while the clock had not been set, `docs/format.md` §2.2.
pub(super) const DATED: UtcMicros = UtcMicros(946_684_800_000_000);
/// A fragment lasts no longer.
const SPAN: i64 = 60_000_000;
/// A file that no index tells of may last so long.
const UNKNOWN: i64 = 600_000_000;

/// What is to become of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Not expired, or being written.
    Stay,
    /// Expired, and all of it held.
    Held,
    /// Expired, and these fragments of it held: where they are.
    Trim(Vec<(u64, FragmentMark)>),
    /// Expired.
    Delete,
}

/// A media file, or one put aside by recovery.
#[derive(Clone, Debug)]
pub(super) struct Media {
    /// Below the camera's folder.
    pub(super) name: String,
    pub(super) key: Key,
    pub(super) len: u64,
    pub(super) fate: Fate,
    /// Of a file to be trimmed: its length then.
    pub(super) left: u64,
    /// Where its last fragment ends, as far as is known.
    pub(super) end: UtcMicros,
    /// Of a file that stays since it is held: where the last of its fragments that stays ends.
    pub(super) held_end: Option<UtcMicros>,
    /// Where its fragments stand, by where the index has them: it was trimmed, and the index not replaced.
    pub(super) moved: Option<Moved>,
}

/// A day of a camera.
#[derive(Debug)]
pub(super) struct DaySurvey {
    pub(super) day: Day,
    pub(super) index: Option<Index>,
    index_len: u64,
    gap_len: u64,
    /// Does its gap log go, once there are no media?
    pub(super) gap_goes: bool,
    pub(super) media: Vec<Media>,
    /// Names without contents, or without use, that go.
    pub(super) names: Vec<String>,
    pub(super) hours: Vec<String>,
    /// Does the index not tell of all media, or not read to its end?
    pub(super) unsound: bool,
}

/// What is asked.
pub(super) struct Question<'a> {
    pub(super) source: &'a Source,
    /// Files whose first picture is not after this are expired.
    pub(super) before: UtcMicros,
    pub(super) held: &'a [Span],
    /// The file that is open.
    pub(super) open: Option<Key>,
}

/// The days that start at or before `before`, by time.
pub(super) fn survey(storage: &mut dyn Storage, ask: &Question<'_>) -> Result<Vec<DaySurvey>, Error> {
    let all = days(storage, ask.source)?;
    let old = all.into_iter().filter(|day| day.start() <= ask.before && day.start() >= DATED);
    old.map(|day| survey_day(storage, ask, day)).collect()
}

pub(super) fn survey_day(
    storage: &mut dyn Storage,
    ask: &Question<'_>,
    day: Day,
) -> Result<DaySurvey, Error> {
    let index_bytes = read_whole(storage, &index_path(ask.source, day))?;
    let read = index_bytes.as_deref().map(|bytes| Index::read(bytes, day));
    let (index, whole) = match read {
        Some(Ok((index, stop))) => (Some(index), stop.is_none()),
        Some(Err(error)) if error.kind == crate::gix::Kind::Version => return Err(Kind::Version.into()),
        Some(Err(_)) => (None, false),
        None => (None, true),
    };
    let near = |from: UtcMicros, to: UtcMicros| {
        ask.held.iter().any(|span| span.from.plus(-NEAR) < to && from < span.to.plus(NEAR))
    };
    let mut out = DaySurvey {
        day,
        index,
        index_len: index_bytes.map_or(0, |bytes| bytes.len() as u64),
        gap_len: 0,
        gap_goes: day.end() <= ask.before && !near(day.start(), day.end()),
        media: Vec::new(),
        names: Vec::new(),
        hours: Vec::new(),
        unsound: !whole,
    };
    if let Some(log) = read_whole(storage, &gap_log_path(ask.source, day))? {
        out.gap_len = log.len() as u64;
    }
    let expired = |key: Key| key.utc <= ask.before && ask.open != Some(key);
    let mut ends = Vec::new();
    for (hour, name, len) in names(storage, ask.source, day, &mut out.hours)? {
        let name = alloc::format!("{day}/{hour}/{name}");
        if let Ok(key) = name.parse::<Key>() {
            let media = Media {
                name,
                key,
                len,
                fate: Fate::Stay,
                left: 0,
                end: key.utc,
                held_end: None,
                moved: None,
            };
            out.media.push(media);
        } else if let Some(key) = named(&name, ".torn") {
            let goes = expired(key) && !near(key.utc, key.utc.plus(UNKNOWN));
            let fate = match (expired(key), goes) {
                (_, true) => Fate::Delete,
                (true, _) => Fate::Held,
                _ => Fate::Stay,
            };
            out.media.push(Media {
                name,
                key,
                len,
                fate,
                left: 0,
                end: key.utc,
                held_end: None,
                moved: None,
            });
        } else if let Some(key) = named(&name, "_end") {
            if expired(key) {
                ends.push((name, key));
            }
        } else if named(&name, ".trim").is_some() {
            out.names.push(name);
        }
    }
    decide(storage, &mut out, ask, &expired, &near)?;
    // The end of a span is that of a file; the file of one just after midnight is of the day before.
    let held = |key: Key| {
        let early = key.utc < day.start().plus(SPAN);
        out.media.iter().any(|file| file.held_end == Some(key.utc))
            || early && near(key.utc.plus(-SPAN), key.utc.plus(1))
    };
    let gone: Vec<String> = ends.into_iter().filter(|(_, key)| !held(*key)).map(|(name, _)| name).collect();
    out.names.extend(gone);
    Ok(out)
}

fn named(name: &str, suffix: &str) -> Option<Key> {
    name.strip_suffix(suffix)?.parse().ok()
}

/// The names in a day's folder, with their hours' folders, by name.
fn names(
    storage: &mut dyn Storage,
    source: &Source,
    day: Day,
    hours: &mut Vec<String>,
) -> Result<Vec<(String, String, u64)>, Error> {
    let mut out = Vec::new();
    let listed = match storage.list(&alloc::format!("{source}/{day}")) {
        Err(Error { kind: Kind::NotFound, .. }) => return Ok(out),
        other => other?,
    };
    for hour in listed.into_iter().filter(|l| l.folder) {
        for file in storage.list(&alloc::format!("{source}/{day}/{}", hour.name))? {
            if !file.folder {
                out.push((hour.name.clone(), file.name, file.len));
            }
        }
        hours.push(hour.name);
    }
    Ok(out)
}

/// What becomes of each media file.
fn decide(
    storage: &mut dyn Storage,
    day: &mut DaySurvey,
    ask: &Question<'_>,
    expired: &dyn Fn(Key) -> bool,
    near: &dyn Fn(UtcMicros, UtcMicros) -> bool,
) -> Result<(), Error> {
    let (index, media) = (&day.index, &mut day.media);
    let known: BTreeSet<Key> = index.iter().flat_map(|index| index.files()).map(|file| file.key).collect();
    for file in media.iter_mut().filter(|file| !file.name.ends_with(".torn")) {
        day.unsound |= !known.contains(&file.key) && ask.open != Some(file.key);
        if expired(file.key) {
            // Of one that no index tells of only its name speaks.
            let held = !known.contains(&file.key) && near(file.key.utc, file.key.utc.plus(UNKNOWN));
            file.fate = if held { Fate::Held } else { Fate::Delete };
        }
    }
    let Some(index) = index else { return Ok(()) };
    let held = held_entries(index, ask.held);
    let files = index.files();
    let mut rest = index.entries().iter().zip(held).peekable();
    while let Some((first, _)) = rest.peek() {
        let place = first.file;
        let (mut kept, mut all, mut end) = (Vec::new(), Vec::new(), first.mark.end());
        let mut held_end = None;
        while let Some((entry, held)) = rest.next_if(|(entry, _)| entry.file == place) {
            all.push((entry.offset, entry.mark));
            end = end.max(entry.mark.end());
            if held {
                kept.push((entry.offset, entry.mark));
                held_end = Some(entry.mark.end());
            }
        }
        let Some(record) = files.get(place as usize) else { continue };
        let torn = |file: &&mut Media| file.key == record.key && !file.name.ends_with(".torn");
        let Some(file) = media.iter_mut().find(torn) else { continue };
        file.end = end;
        file.held_end = held_end;
        if !expired(file.key) || kept.is_empty() {
            continue;
        }
        if file.len != trim::closed_length(record, &all) {
            // What more is to be trimmed of it is seen when the index is right.
            let moved = trim::moved(storage, ask.source, file.key, &all)?;
            if moved.trimmed && moved.places.len() < all.len() || moved.places.iter().any(|(a, b)| a != b) {
                let there = all.iter().filter(|(at, _)| moved.places.contains_key(at));
                file.held_end = there.map(|(_, mark)| mark.end()).next_back();
                file.moved = Some(moved);
            }
        }
        if kept.len() == all.len() || file.moved.is_some() {
            file.fate = Fate::Held;
        } else {
            file.left = trim::length(record, &kept);
            file.fate = Fate::Trim(kept);
        }
    }
    Ok(())
}

impl DaySurvey {
    /// All that is expired of it, held or not.
    pub(super) fn there(&self) -> Amount {
        let mut amount = Amount::default();
        for file in self.media.iter().filter(|file| file.fate != Fate::Stay) {
            amount.files += 1;
            amount.bytes += file.len;
        }
        amount.index_bytes = (self.index_len + self.gap_len) as i64;
        amount
    }

    /// Is there nothing left but what speaks of media that are gone?
    fn is_over(&self) -> bool {
        self.gap_goes && self.media.is_empty()
    }

    /// Did, or does, a name go from this hour's folder, or is one exchanged there?
    pub(super) fn went_from(&self, hour: &str, source: &Source) -> bool {
        let goes = |file: &&Media| matches!(file.fate, Fate::Delete | Fate::Trim(_));
        let media = self.media.iter().filter(goes).map(|file| &file.name);
        media.chain(&self.names).any(|name| folder_of(&alloc::format!("{source}/{name}")) == hour)
    }

    /// Is there anything to delete?
    pub(super) fn has_work(&self) -> bool {
        let goes = |file: &Media| matches!(file.fate, Fate::Delete | Fate::Trim(_)) || file.moved.is_some();
        let media = self.media.iter().any(goes);
        let left = self.is_over() && (self.index_len > 0 || self.gap_len > 0 || !self.hours.is_empty());
        media || !self.names.is_empty() || left
    }

    /// Does the index name files of expired times that are not there?
    pub(super) fn names_missing(&self, before: UtcMicros) -> bool {
        let there: BTreeSet<Key> = self.media.iter().map(|file| file.key).collect();
        self.index
            .iter()
            .flat_map(|index| index.files())
            .any(|f| f.key.utc <= before && !there.contains(&f.key))
    }
}

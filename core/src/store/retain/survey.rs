//! What there is of a camera that is, or may be, expired: `docs/format.md` §9.2.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::trim::{self, Moved};
use crate::gix::{Day, FragmentMark, Index, Key, Span};
use crate::store::hold::held_entries;
use crate::store::journal::Amount;
use crate::store::list::walk_index;
use crate::store::scan::with_file;
use crate::store::storage::{folder_of, read_whole};
use crate::store::{Access, Error, Kind, Source, Storage, gap_log_path, index_path};
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
    /// Only where it was asked for.
    pub(super) index: Option<Index>,
    /// Bytes of its index and its gap log.
    beside: u64,
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

impl Question<'_> {
    fn expired(&self, key: Key) -> bool {
        key.utc <= self.before && self.open != Some(key)
    }

    fn near(&self, from: UtcMicros, to: UtcMicros) -> bool {
        self.held.iter().any(|span| span.from.plus(-NEAR) < to && from < span.to.plus(NEAR))
    }

    /// The days, of all that there are, in which something may be expired.
    pub(super) fn concerned(&self, all: &[Day]) -> Vec<Day> {
        all.iter().copied().filter(|day| day.start() <= self.before && day.start() >= DATED).collect()
    }
}

/// What there is of a day. Its index is kept only where it is asked for: a day's fragments are many.
pub(super) fn survey_day(
    storage: &mut dyn Storage,
    ask: &Question<'_>,
    day: Day,
    keep: bool,
) -> Result<DaySurvey, Error> {
    let mut out = DaySurvey {
        day,
        index: None,
        beside: beside(storage, ask.source, day)?,
        gap_goes: day.end() <= ask.before && !ask.near(day.start(), day.end()),
        media: Vec::new(),
        names: Vec::new(),
        hours: Vec::new(),
        unsound: false,
    };
    let mut ends = Vec::new();
    for (hour, name, len) in names(storage, ask.source, day, &mut out.hours)? {
        let name = alloc::format!("{day}/{hour}/{name}");
        let media = |name, key: Key, fate| Media {
            name,
            key,
            len,
            fate,
            left: 0,
            end: key.utc,
            held_end: None,
            moved: None,
        };
        if let Ok(key) = name.parse::<Key>() {
            out.media.push(media(name, key, Fate::Stay));
        } else if let Some(key) = named(&name, ".torn") {
            let fate = match ask.expired(key) {
                true if ask.near(key.utc, key.utc.plus(UNKNOWN)) => Fate::Held,
                true => Fate::Delete,
                false => Fate::Stay,
            };
            out.media.push(media(name, key, fate));
        } else if let Some(key) = named(&name, "_end") {
            if ask.expired(key) {
                ends.push((name, key));
            }
        } else if named(&name, ".trim").is_some() {
            out.names.push(name);
        }
    }
    if keep || !ask.held.is_empty() {
        by_index(storage, &mut out, ask)?;
    } else {
        by_files(storage, &mut out, ask)?;
    }
    if !keep {
        out.index = None;
    }
    // The end of a span is that of a file; the file of one just after midnight is of the day before.
    let held = |key: Key| {
        let early = key.utc < day.start().plus(SPAN);
        out.media.iter().any(|file| file.held_end == Some(key.utc))
            || early && ask.near(key.utc.plus(-SPAN), key.utc.plus(1))
    };
    let gone: Vec<String> = ends.into_iter().filter(|(_, key)| !held(*key)).map(|(name, _)| name).collect();
    out.names.extend(gone);
    Ok(out)
}

/// All of a day that is expired, held or not: by names and lengths alone.
pub(super) fn there(storage: &mut dyn Storage, ask: &Question<'_>, day: Day) -> Result<Amount, Error> {
    let mut amount = Amount { index_bytes: beside(storage, ask.source, day)? as i64, ..Amount::default() };
    for (hour, name, len) in names(storage, ask.source, day, &mut Vec::new())? {
        let name = alloc::format!("{day}/{hour}/{name}");
        if media_key(&name).is_some_and(|key| ask.expired(key)) {
            amount.files += 1;
            amount.bytes += len;
        }
    }
    Ok(amount)
}

/// The media files of a day, those that recovery put aside among them.
pub(super) fn left(storage: &mut dyn Storage, source: &Source, day: Day) -> Result<BTreeSet<Key>, Error> {
    let names = names(storage, source, day, &mut Vec::new())?;
    let key = |(hour, name, _): &(String, String, u64)| media_key(&alloc::format!("{day}/{hour}/{name}"));
    Ok(names.iter().filter_map(key).collect())
}

fn media_key(name: &str) -> Option<Key> {
    name.parse().ok().or_else(|| named(name, ".torn"))
}

/// Bytes of a day's index and gap log.
fn beside(storage: &mut dyn Storage, source: &Source, day: Day) -> Result<u64, Error> {
    let mut sum = 0;
    for path in [index_path(source, day), gap_log_path(source, day)] {
        match with_file(storage, &path, Access::Read, |storage, file| storage.len(file)) {
            Ok(len) => sum += len,
            Err(Error { kind: Kind::NotFound, .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sum)
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

/// What becomes of each media file where nothing is held: the index says where they end.
fn by_files(storage: &mut dyn Storage, day: &mut DaySurvey, ask: &Question<'_>) -> Result<(), Error> {
    let mut ends: BTreeMap<Key, UtcMicros> = BTreeMap::new();
    let mut last: Option<(Key, UtcMicros)> = None;
    let whole = walk_index(storage, ask.source, day.day, |index, entry| {
        let Some(key) = index.file_of(entry).map(|file| file.key) else { return };
        match &mut last {
            Some((file, end)) if *file == key => *end = (*end).max(entry.mark.end()),
            _ => ends.extend(last.replace((key, entry.mark.end()))),
        }
    })?;
    ends.extend(last);
    day.unsound |= !whole;
    expire(day, ask, |key| ends.contains_key(&key));
    for file in day.media.iter_mut().filter(|file| !file.is_torn()) {
        file.end = ends.get(&file.key).copied().unwrap_or(file.end);
    }
    Ok(())
}

/// Which files are expired.
fn expire(day: &mut DaySurvey, ask: &Question<'_>, known: impl Fn(Key) -> bool) {
    for file in day.media.iter_mut().filter(|file| !file.is_torn()) {
        let known = known(file.key);
        day.unsound |= !known && ask.open != Some(file.key);
        if ask.expired(file.key) {
            // Of one that no index tells of only its name speaks.
            let held = !known && ask.near(file.key.utc, file.key.utc.plus(UNKNOWN));
            file.fate = if held { Fate::Held } else { Fate::Delete };
        }
    }
}

/// What becomes of each media file, fragment by fragment.
fn by_index(storage: &mut dyn Storage, day: &mut DaySurvey, ask: &Question<'_>) -> Result<(), Error> {
    let bytes = read_whole(storage, &index_path(ask.source, day.day))?;
    match bytes.as_deref().map(|bytes| Index::read(bytes, day.day)) {
        Some(Ok((index, stop))) => (day.index, day.unsound) = (Some(index), stop.is_some()),
        Some(Err(error)) if error.kind == crate::gix::Kind::Version => return Err(Kind::Version.into()),
        Some(Err(_)) => day.unsound = true,
        None => {}
    }
    drop(bytes);
    let files = day.index.iter().flat_map(|index| index.files());
    let known: BTreeSet<Key> = files.map(|file| file.key).collect();
    expire(day, ask, |key| known.contains(&key));
    let (Some(index), media) = (&day.index, &mut day.media) else { return Ok(()) };
    let places = media.iter().enumerate().filter(|(_, file)| !file.is_torn());
    let places: BTreeMap<Key, usize> = places.map(|(place, file)| (file.key, place)).collect();
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
        let Some(file) = places.get(&record.key).and_then(|place| media.get_mut(*place)) else { continue };
        file.end = end;
        file.held_end = held_end;
        if !ask.expired(file.key) || kept.is_empty() {
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

impl Media {
    /// Was it put aside by recovery?
    fn is_torn(&self) -> bool {
        self.name.ends_with(".torn")
    }
}

impl DaySurvey {
    /// All that is expired of it, held or not.
    pub(super) fn there(&self) -> Amount {
        let mut amount = Amount { index_bytes: self.beside as i64, ..Amount::default() };
        for file in self.media.iter().filter(|file| file.fate != Fate::Stay) {
            amount.files += 1;
            amount.bytes += file.len;
        }
        amount
    }

    /// Files that start after a moment stay, but for what was being exchanged already.
    pub(super) fn spare(&mut self, expired: UtcMicros) {
        for file in self.media.iter_mut().filter(|file| file.key.utc > expired && file.moved.is_none()) {
            file.fate = Fate::Stay;
        }
        self.names.retain(|name| named(name, "_end").is_none_or(|key| key.utc <= expired));
        self.gap_goes &= self.day.end() <= expired;
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
        let left = self.is_over() && (self.beside > 0 || !self.hours.is_empty());
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

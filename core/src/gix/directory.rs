//! Which page of a day's index holds which moment, in 16 KB: `docs/format.md` §3.7.

use alloc::vec::Vec;
use core::ops::Range;

use super::page::Place;
use super::record::{FileRecord, INIT, InitRecord, Record};
use super::{Day, Error, Flags, Header, Id, Index, JOIN, Key, Kid, Kind, PAGE, crc32c};
use crate::octets::{Reader, Write as _};
use crate::time::UtcMicros;

/// Bytes before the first entry, of an entry, of a context without its init segment, of the CRC at the end.
const HEAD: usize = 48;
const ENTRY: usize = 20;
const CONTEXT: usize = 106;
const CRC: usize = 4;
/// Entries at most: where there are more pages, an entry stands for 2, 4, … of them.
const MOST_ENTRIES: usize = 640;
/// Says that an entry's context is not among those listed.
const UNLISTED: u8 = 255;
const MILLI: i64 = 1_000;

/// Flags of an entry.
const CONTINUES: u8 = 1;
const STARTS: u8 = 2;
const STEPPED: u8 = 4;

/// A page, or a few that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    /// UTC of its earliest fragment, microseconds, rounded down to a millisecond; `i64::MAX` without one.
    earliest: i64,
    /// Latest end of its fragments, rounded up; `i64::MIN` without one.
    latest: i64,
    /// The file that its first records are of.
    key: Key,
    context: u8,
    flags: u8,
}

/// An init segment and a key with which a part of the day is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Context {
    /// A file that starts with the init segment.
    key: Key,
    record: InitRecord,
    kid: Kid,
    /// The init segment; empty where there was no room for it.
    bytes: Vec<u8>,
}

/// What a day's index holds, page by page: with it, any moment is found in one read of the index and one of the media.
///
/// [`PageDirectoryBuilder`] makes its bytes of an index; it is a function of the index and of the init segments that the
/// index names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageDirectory {
    day: Day,
    id: Id,
    record_len: u16,
    records: u32,
    /// An entry stands for two to this power of pages.
    shift: u8,
    damaged: bool,
    entries: Vec<Entry>,
    contexts: Vec<Context>,
}

impl PageDirectory {
    /// Bytes of one, at most.
    pub const MOST: usize = 16 << 10;

    /// Reads one.
    ///
    /// # Errors
    /// [`Kind::Short`], [`Kind::NotOurs`], [`Kind::Version`], [`Kind::Checksum`], [`Kind::Field`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut r = Reader::new(bytes);
        let short = Error::new(Kind::Short);
        if r.array().ok_or(short)? != *b"GIXD" {
            return Err(Error::new(Kind::NotOurs));
        }
        let (body, crc) = bytes.split_last_chunk::<CRC>().ok_or(short)?;
        if crc32c(&[body]).to_be_bytes() != *crc {
            return Err(Error::new(Kind::Checksum));
        }
        if r.u16() != Some(1) {
            return Err(Error::at(Kind::Version, 4));
        }
        Self::read(&mut r).filter(|_| r.left() == CRC).ok_or(Error::at(Kind::Field, 6))
    }

    fn read(r: &mut Reader<'_>) -> Option<Self> {
        let record_len = r.u16().filter(|len| Header::is_record(*len))?;
        let start = UtcMicros(r.u64()? as i64);
        let day = Day::of(start);
        let id = Id(r.array()?);
        let (records, shift, flags) = (r.u32()?, r.u8()?, r.u8()?);
        let (entries, contexts) = (r.u16()?, r.u16()?);
        r.take(6)?;
        if day.start() != start || shift > 20 || usize::from(entries) > MOST_ENTRIES {
            return None;
        }
        let entries = (0..entries).map(|_| Entry::read(r, day)).collect::<Option<_>>()?;
        let contexts = (0..contexts).map(|_| Context::read(r, day)).collect::<Option<_>>()?;
        Some(Self { day, id, record_len, records, shift, damaged: flags & 1 != 0, entries, contexts })
    }

    /// The day that it is of.
    #[must_use]
    pub const fn day(&self) -> Day {
        self.day
    }

    /// Records that the index had.
    #[must_use]
    pub const fn records(&self) -> u32 {
        self.records
    }

    /// Did the index have more, that did not pass?
    #[must_use]
    pub const fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// Entries: of one page each, or of 2, 4, … where a day has more than 640.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Was a clock set back, so that a moment may stand in pages far from each other?
    #[must_use]
    pub fn is_stepped(&self) -> bool {
        self.entries.iter().any(|entry| entry.flags & STEPPED != 0)
    }

    /// The init segment of that digest, where it is told in full.
    #[must_use]
    pub fn init(&self, digest: Id) -> Option<(&[u8], &InitRecord)> {
        let found = self.contexts.iter().find(|c| c.record.digest == digest && !c.bytes.is_empty())?;
        Some((&found.bytes, &found.record))
    }

    /// The entries whose pages may hold what shows `utc`. `open`: the index may have more than is told here.
    pub(crate) fn candidates(&self, utc: UtcMicros, open: bool) -> Option<Range<usize>> {
        let holds = |at: &usize| {
            self.entries.get(*at).is_some_and(|e| e.earliest <= utc.0) && utc.0 < self.reach(*at, open)
        };
        let first = (0..self.entries.len()).find(holds)?;
        let last = (first..self.entries.len()).rev().find(holds)?;
        Some(first..last + 1)
    }

    /// No fragment of the entry shows a moment from there on.
    fn reach(&self, at: usize, open: bool) -> i64 {
        let Some(entry) = self.entries.get(at) else { return i64::MIN };
        let near = entry.latest.saturating_add(JOIN);
        match self.entries.get(at + 1) {
            None if open => i64::MAX,
            // The last fragment lasts until the first of the next page starts.
            Some(next) if next.flags & CONTINUES != 0 && next.flags & STEPPED != 0 => near.max(next.latest),
            Some(next) if next.flags & CONTINUES != 0 => near.max(next.earliest.saturating_add(MILLI)),
            _ => near,
        }
    }

    /// A moment after `utc` before which, but for the entries in `without`, nothing starts that is after it.
    pub(crate) fn after(&self, utc: UtcMicros, without: &Range<usize>) -> Option<UtcMicros> {
        let others = self.entries.iter().enumerate().filter(|(at, _)| !without.contains(at));
        let starts = others.map(|(_, entry)| entry.earliest).filter(|from| *from > utc.0 && *from < i64::MAX);
        starts.min().map(UtcMicros)
    }

    /// From the entry where decoding can start to show the first fragment of `range`, and its end.
    pub(crate) fn with_start(&self, range: Range<usize>) -> Range<usize> {
        let starts = |at: &usize| self.entries.get(*at).is_none_or(|entry| entry.flags & STARTS != 0);
        (0..=range.start).rev().find(starts).unwrap_or(0)..range.end
    }

    /// The entry that holds a record.
    pub(crate) fn entry_of(&self, record: u32) -> usize {
        ((record / self.per_page()) >> self.shift) as usize
    }

    const fn per_page(&self) -> u32 {
        Place::per_page_of(self.record_len)
    }

    /// Where an entry's first page starts in the index; that of the entry behind the last: where they all end.
    pub(crate) fn offset(&self, entry: usize) -> u64 {
        (1 + ((entry as u64) << self.shift)) * PAGE as u64
    }

    /// An index that is read from an entry on; `None` where it is not told how.
    pub(crate) fn part(&self, entry: usize) -> Option<Index> {
        let at = self.entries.get(entry)?;
        let page = u32::try_from(entry).ok()?.checked_shl(self.shift.into())?;
        let place = Place::at_page(self.id, self.day, self.record_len, page);
        if entry == 0 {
            return Some(Index::part(self.day, place, None, at.flags & CONTINUES != 0));
        }
        let context = self.contexts.get(usize::from(at.context))?;
        let file = FileRecord {
            key: at.key,
            init_len: context.record.len,
            ordinal: 0,
            head_len: 0,
            id: Id::default(),
            trimmed: false,
        };
        let before = Some((file, context.record, context.kid));
        Some(Index::part(self.day, place, before, at.flags & CONTINUES != 0))
    }
}

impl Entry {
    fn put(&self, out: &mut Vec<u8>, day: Day) {
        let start = day.start().0;
        let milli = |at: i64, round: i64| {
            let since = at.saturating_sub(start).saturating_add(round).div_euclid(MILLI);
            since.clamp(i32::MIN.into(), i32::MAX.into()) as i32
        };
        let empty = self.earliest == i64::MAX;
        let (earliest, latest) = if empty {
            (i32::MAX, i32::MIN)
        } else {
            (milli(self.earliest, 0), milli(self.latest, MILLI - 1))
        };
        out.put_u32(earliest as u32);
        out.put_u32(latest as u32);
        let key = self.key.utc.0.saturating_sub(start).max(0) as u64;
        out.put(key.to_be_bytes().get(3..).unwrap_or(&[]));
        out.put_u32(self.key.counter);
        out.put_u8(self.context);
        out.put_u8(self.flags);
        out.put_u8(0);
    }

    fn read(r: &mut Reader<'_>, day: Day) -> Option<Self> {
        let start = day.start().0;
        let moment = |milli: u32| start.saturating_add(i64::from(milli as i32) * MILLI);
        let (earliest, latest) = (r.u32()?, r.u32()?);
        let empty = earliest as i32 == i32::MAX && latest as i32 == i32::MIN;
        // What does not fit may be any time before or after.
        let earliest = match earliest as i32 {
            i32::MIN => i64::MIN,
            _ if empty => i64::MAX,
            _ => moment(earliest),
        };
        let latest = match latest as i32 {
            _ if empty => i64::MIN,
            i32::MAX => i64::MAX,
            _ => moment(latest),
        };
        let [a, b, c, d, e] = r.array()?;
        let since = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]) as i64;
        let key = Key { utc: UtcMicros(start.saturating_add(since)), counter: r.u32()? };
        let (context, flags) = (r.u8()?, r.u8()?);
        r.u8()?;
        Some(Self { earliest, latest, key, context, flags })
    }

    /// This and the pages behind it as one.
    fn fold(pages: &[Self]) -> Option<Self> {
        let (first, rest) = pages.split_first()?;
        Some(rest.iter().fold(*first, |all, page| Self {
            earliest: all.earliest.min(page.earliest),
            latest: all.latest.max(page.latest),
            flags: all.flags | (page.flags & STEPPED),
            ..all
        }))
    }
}

impl Context {
    fn put(&self, out: &mut Vec<u8>, day: Day, bytes: &[u8]) {
        out.put_u64(self.key.utc.0 as u64);
        out.put_u32(self.key.counter);
        out.put(&Record::Init(self.record).write(day).1);
        out.put(&self.kid.0);
        out.put_u16(bytes.len() as u16);
        out.put(bytes);
    }

    fn read(r: &mut Reader<'_>, day: Day) -> Option<Self> {
        let key = Key { utc: UtcMicros(r.u64()? as i64), counter: r.u32()? };
        let Record::Init(record) = Record::parse(INIT, r.take(76)?, day)? else { return None };
        let kid = Kid(r.array()?);
        let len = r.u16()?;
        let bytes = r.take(len.into())?;
        let proved = bytes.is_empty() || bytes.len() == record.len as usize && crc32c(&[bytes]) == record.crc;
        proved.then(|| Self { key, record, kid, bytes: bytes.to_vec() })
    }
}

/// Makes a page directory: takes an index as it arrives, from its start, and keeps 40 bytes of each page.
#[derive(Debug)]
pub struct PageDirectoryBuilder {
    day: Day,
    place: Option<Place>,
    directory: Option<PageDirectory>,
    file: Key,
    context: u8,
    kid: Kid,
    init: Option<InitRecord>,
    any: bool,
    broken: bool,
    last: i64,
    /// Has the page at hand a fragment yet?
    begun: bool,
}

impl PageDirectoryBuilder {
    /// Of a day's index, of which nothing is read.
    #[must_use]
    pub const fn new(day: Day) -> Self {
        let file = Key { utc: day.start(), counter: 0 };
        Self {
            day,
            place: None,
            directory: None,
            file,
            context: 0,
            kid: Kid([0; 16]),
            init: None,
            any: false,
            broken: false,
            last: i64::MIN,
            begun: false,
        }
    }

    /// The offset in the index of the first byte that it has not read.
    #[must_use]
    pub fn wanted(&self) -> u64 {
        self.place.as_ref().map_or(0, Place::offset)
    }

    /// Takes bytes of the index from [`wanted`](Self::wanted) on, as [`Index::push`] does.
    ///
    /// # Errors
    /// As there. What was taken before stays.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut at = 0;
        if self.place.is_none() {
            let Some(header) = Header::begun(self.day, bytes)? else { return Ok(()) };
            self.place = Some(Place::new(&header));
            self.directory = Some(PageDirectory {
                day: self.day,
                id: header.id,
                record_len: header.record_len(),
                records: 0,
                shift: 0,
                damaged: false,
                entries: Vec::new(),
                contexts: Vec::new(),
            });
            at = PAGE;
        }
        loop {
            let (Some(rest), Some(place)) = (bytes.get(at..), &mut self.place) else { return Ok(()) };
            let page = place.page_number();
            place.prove(rest);
            match place.read(rest) {
                Ok((record, len)) => {
                    at += len;
                    let records = place.number();
                    self.take(&record, page, records);
                }
                Err(Error { kind: Kind::Short, .. }) => return Ok(()),
                Err(error) => {
                    if let Some(directory) = &mut self.directory {
                        directory.damaged = true;
                    }
                    return Err(error);
                }
            }
        }
    }

    fn take(&mut self, record: &Record, page: u32, records: u32) {
        let Some(directory) = &mut self.directory else { return };
        directory.records = records;
        if directory.entries.len() <= page as usize {
            let (key, context) = (self.file, self.context);
            directory.entries.push(Entry { earliest: i64::MAX, latest: i64::MIN, key, context, flags: 0 });
            self.begun = false;
        }
        match record {
            Record::File(file) => self.file = file.key,
            Record::Init(init) => {
                self.init = Some(*init);
                self.note();
            }
            Record::Key(kid) => {
                self.kid = *kid;
                self.note();
            }
            Record::Break(_) => self.broken = true,
            Record::Fragment(fragment) => {
                let mark = &fragment.mark;
                let continues = self.any && !self.broken;
                if let Some(entry) = directory.entries.last_mut() {
                    entry.earliest = entry.earliest.min(mark.utc.0);
                    entry.latest = entry.latest.max(mark.end().0);
                    if !self.begun {
                        let starts = mark.flags.has(Flags::RANDOM_ACCESS) || !continues;
                        entry.flags |= (u8::from(continues) * CONTINUES) | (u8::from(starts) * STARTS);
                    }
                    entry.flags |= u8::from(mark.utc.0 < self.last) * STEPPED;
                }
                (self.begun, self.any, self.broken, self.last) = (true, true, false, mark.utc.0);
            }
            Record::Other => {}
        }
    }

    /// Init segment and key are those from here on.
    fn note(&mut self) {
        let (Some(directory), Some(record)) = (&mut self.directory, self.init) else { return };
        let same = |c: &Context| (c.record.digest, c.kid) == (record.digest, self.kid);
        let found = directory.contexts.iter().position(same).unwrap_or(directory.contexts.len());
        if found == directory.contexts.len() && found < usize::from(UNLISTED) {
            directory.contexts.push(Context { key: self.file, record, kid: self.kid, bytes: Vec::new() });
        }
        self.context = u8::try_from(found).unwrap_or(UNLISTED);
    }

    /// The directory's bytes, 16 KB at most; `None` where there is no index. `init` gives the init segment that a file of
    /// that name starts with, where it can; it is asked for those that there is room for.
    pub fn write(&self, mut init: impl FnMut(Key, &InitRecord) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        let directory = self.directory.as_ref()?;
        let pages = &directory.entries;
        let shift = (0_u8..32).find(|shift| pages.len().div_ceil(1 << shift) <= MOST_ENTRIES)?;
        let entries: Vec<Entry> = pages.chunks(1 << shift).filter_map(Entry::fold).collect();
        let mut left = PageDirectory::MOST - HEAD - CRC - entries.len() * ENTRY;
        let contexts = directory.contexts.get(..directory.contexts.len().min(left / CONTEXT))?;
        left -= contexts.len() * CONTEXT;

        let mut out = Vec::with_capacity(PageDirectory::MOST);
        out.put(b"GIXD");
        out.put_u16(1);
        out.put_u16(directory.record_len);
        out.put_u64(self.day.start().0 as u64);
        out.put(&directory.id.0);
        out.put_u32(directory.records);
        out.put_u8(shift);
        out.put_u8(directory.damaged.into());
        out.put_u16(entries.len() as u16);
        out.put_u16(contexts.len() as u16);
        out.put(&[0; 6]);
        for entry in &entries {
            let listed = usize::from(entry.context) < contexts.len();
            let context = if listed { entry.context } else { UNLISTED };
            Entry { context, ..*entry }.put(&mut out, self.day);
        }
        for context in contexts {
            let len = context.record.len as usize;
            let proved = |bytes: &Vec<u8>| bytes.len() == len && crc32c(&[bytes]) == context.record.crc;
            let bytes =
                (len <= left.min(u16::MAX.into())).then(|| init(context.key, &context.record)).flatten();
            let bytes = bytes.filter(proved).unwrap_or_default();
            left -= bytes.len();
            context.put(&mut out, self.day, &bytes);
        }
        let crc = crc32c(&[&out]);
        out.put_u32(crc);
        Some(out)
    }
}

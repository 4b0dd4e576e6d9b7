//! Reading a camera's recording, without IO.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use super::day::Loaded;
use super::{Error, Kind};
use crate::fault::Offset;
use crate::gix::{self, Day, Entry, Flags, FragmentMark, Id, JOIN, Key, Span, Text, crc32c};
use crate::store::{Source, index_path};
use crate::time::UtcMicros;

/// Bytes of an index asked for at a time.
const PIECE: usize = 256 << 10;
/// A day's index may still grow for so long after midnight: its last file runs over, a sync is late.
const SETTLED: i64 = 900_000_000;

/// Days without footage that are searched for the next that has some.
const MOST_EMPTY: u32 = 400;

/// Days whose index is kept: one of a camera at a fragment each 2 s takes 6 MB. Those farthest from the day at hand go.
const MOST_DAYS: usize = 8;

/// A camera's recording.
///
/// [`seek`](Self::seek), then for each fragment wanted [`next`](Self::next), and [`pull`](Self::pull) until it gives nothing:
/// to [`Output::Read`] the answer is [`filled`](Self::filled), or [`absent`](Self::absent) where there is no such file; all
/// else is for the player.
///
/// ```
/// use vigie::{play::{Archive, Output}, store::Source, time::UtcMicros};
/// let mut archive = Archive::new(Source::new("vannes", "port-1")?);
/// let now: UtcMicros = "2026-11-22T05:15:00Z".parse()?;
/// archive.seek(now.plus(-60_000_000));
/// archive.next(now);
/// let Some(Output::Read { path, offset: 0, .. }) = archive.pull() else { panic!() };
/// assert_eq!(path, "vannes/port-1/2026-11-22.gix");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Archive {
    source: Source,
    days: BTreeMap<Day, Loaded>,
    cursor: Cursor,
    /// Asked for, and not yet answered.
    request: Option<Request>,
    ready: VecDeque<Output>,
    wanted: bool,
    /// Counts the calls of `next`: what ended before may have grown since.
    look: u64,
    now: UtcMicros,
    /// The init segment that the player has.
    init: Option<Id>,
    last: Option<Given>,
    /// Where a gap starts that ends with the next fragment.
    gap: Option<UtcMicros>,
    /// Days searched in vain since the last seek.
    empty: u32,
    /// Files that cannot be played.
    bad: BTreeSet<(Day, u32)>,
}

/// What the archive has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// It needs bytes of a file. Where the file ends before, those that there are.
    Read {
        /// The file's path in the store.
        path: String,
        /// The first byte.
        offset: u64,
        /// How many.
        len: usize,
    },
    /// What follows needs this init segment.
    Init {
        /// As stored: `avc3` or `hev1`. `view::Playback` makes of it what players take.
        bytes: Vec<u8>,
        /// RFC 6381 codec string, out-of-band sample entry.
        codec: Text<48>,
        /// Width and height of the pictures.
        size: (u16, u16),
    },
    /// A fragment, whole as stored, its checksum proved.
    Fragment {
        /// Mark, `prft`, `moof`, `mdat`.
        bytes: Vec<u8>,
        /// What the index says of it, with the whole of its mark.
        entry: Entry,
        /// Do its decoding times continue those of the fragment given before?
        continues: bool,
    },
    /// There is nothing of this span.
    Gap(Span),
    /// Something of this span is there and cannot be played; what follows comes.
    Damaged {
        /// When.
        span: Span,
        /// What is wrong.
        error: Error,
    },
    /// There is nothing more, yet. What is recorded from now on comes with later calls of `next`.
    End,
    /// It cannot be played.
    Failed(Error),
}

#[derive(Clone, Copy, Debug)]
enum Cursor {
    Idle,
    Sought(UtcMicros),
    /// The entry of a day that comes next.
    At(Day, u32),
}

#[derive(Clone, Copy, Debug)]
enum Request {
    Index(Day),
    Init(Day, u32),
    Fragment(Day, u32),
}

/// The fragment given last.
#[derive(Clone, Copy, Debug)]
struct Given {
    entry: Entry,
    key: Key,
    day: Day,
    place: u32,
}

impl Archive {
    /// Of one camera.
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self {
            source,
            days: BTreeMap::new(),
            cursor: Cursor::Idle,
            request: None,
            ready: VecDeque::new(),
            wanted: false,
            look: 0,
            now: UtcMicros(0),
            init: None,
            last: None,
            gap: None,
            empty: 0,
            bad: BTreeSet::new(),
        }
    }

    /// Goes to a moment. The first fragment given holds it, or is the one where decoding has to start to show it; where
    /// nothing does, the first after it (within 400 days), behind an [`Output::Gap`]. The init segment is given again. What is asked for and
    /// not answered is void.
    pub fn seek(&mut self, utc: UtcMicros) {
        self.cursor = Cursor::Sought(utc);
        self.request = None;
        self.ready.clear();
        self.wanted = false;
        self.empty = 0;
        (self.init, self.last, self.gap) = (None, None, None);
        self.bad.clear();
    }

    /// Asks for the next fragment. `now` is the time of day: no later moment is looked for.
    pub fn next(&mut self, now: UtcMicros) {
        self.wanted = true;
        self.now = now;
        self.look += 1;
    }

    /// Forgets what was asked for and not answered: the same is asked for again.
    pub fn retry(&mut self) {
        self.request = None;
    }

    /// What it has to say; `None` when it waits for an answer, or when nothing is wanted.
    pub fn pull(&mut self) -> Option<Output> {
        loop {
            if let Some(output) = self.ready.pop_front() {
                return Some(output);
            }
            if self.request.is_some() || !self.wanted {
                return None;
            }
            if let Some(request) = self.step() {
                self.request = Some(request);
                return Some(self.read(request));
            }
        }
    }

    /// The moments covered within `window`, of the days at hand: those read last.
    #[must_use]
    pub fn ranges(&self, window: Span) -> Vec<Span> {
        let mut out: Vec<Span> = Vec::new();
        for range in self.days.values().flat_map(|day| day.cover().ranges(window)) {
            match out.last_mut() {
                Some(last) if range.from.0.saturating_sub(last.to.0) < JOIN => {
                    last.to = last.to.max(range.to)
                }
                _ => out.push(range),
            }
        }
        out
    }

    /// The moments not covered within `window`, of the days at hand: those read last.
    #[must_use]
    pub fn gaps(&self, window: Span) -> Vec<Span> {
        let mut from = window.from;
        let mut out = Vec::new();
        for range in self.ranges(window) {
            out.push(Span::new(from, range.from));
            from = range.to;
        }
        out.push(Span::new(from, window.to));
        out.retain(|span| !span.is_empty());
        out
    }

    /// One step towards what is wanted; a request where bytes are needed for it.
    fn step(&mut self) -> Option<Request> {
        match self.cursor {
            Cursor::Idle => {
                self.wanted = false;
                None
            }
            Cursor::Sought(utc) => self.find(utc),
            Cursor::At(day, place) => self.give(day, place),
        }
    }

    /// Is the day's index read to its end? Else what to read.
    fn need(&mut self, day: Day) -> Option<Request> {
        let settled = day.end().plus(SETTLED) < self.now;
        if !self.days.contains_key(&day) && self.days.len() >= MOST_DAYS {
            let far = |other: &Day| other.start().0.abs_diff(day.start().0);
            if let Some(farthest) = self.days.keys().copied().max_by_key(far) {
                self.days.remove(&farthest);
            }
        }
        let loaded = self.days.entry(day).or_insert_with(|| Loaded::new(day));
        let ended = loaded.ended.is_some_and(|look| settled || look == self.look);
        (!ended).then_some(Request::Index(day))
    }

    fn find(&mut self, utc: UtcMicros) -> Option<Request> {
        let day = Day::of(utc);
        let mut after = None;
        // The day before may run past midnight.
        for day in [day, day.before()] {
            if let Some(request) = self.need(day) {
                return Some(request);
            }
            let Some(loaded) = self.days.get(&day) else { continue };
            match loaded.at(utc) {
                Ok(Some(place)) => {
                    self.cursor = Cursor::At(day, loaded.start(place));
                    return None;
                }
                Ok(None) => {}
                Err((from, place)) => after = after.into_iter().chain([(from, day, place)]).min(),
            }
        }
        self.gap.get_or_insert(utc);
        match after {
            Some((_, day, place)) => {
                let start = self.days.get(&day).map_or(place, |loaded| loaded.start(place));
                self.cursor = Cursor::At(day, start);
            }
            None if day.end() > self.now || self.empty >= MOST_EMPTY => self.end(),
            None => {
                self.empty += 1;
                self.cursor = Cursor::Sought(day.end());
            }
        }
        None
    }

    /// Nothing more for now; the cursor stays where it is.
    fn end(&mut self) {
        self.wanted = false;
        self.ready.push_back(Output::End);
    }

    fn give(&mut self, day: Day, place: u32) -> Option<Request> {
        let Some(entry) = self.days.get(&day).and_then(|loaded| loaded.entry(place)).copied() else {
            return self.go_on(day);
        };
        if self.bad.contains(&(day, entry.file)) {
            self.gap.get_or_insert(entry.mark.utc);
            self.cursor = Cursor::At(day, place + 1);
            return None;
        }
        let digest = self
            .days
            .get(&day)
            .and_then(|loaded| loaded.index.init_of(&entry))
            .map(|init| init.record.digest);
        if digest != self.init {
            return Some(Request::Init(day, place));
        }
        Some(Request::Fragment(day, place))
    }

    /// From the end of a day to the next one, if that has begun.
    fn go_on(&mut self, day: Day) -> Option<Request> {
        if let Some(request) = self.need(day) {
            return Some(request);
        }
        let next = Day::of(day.end());
        if next.start() > self.now {
            self.end();
        } else {
            if let Some(request) = self.need(next) {
                return Some(request);
            }
            let none = self.days.get(&next).is_none_or(|loaded| loaded.index.entries().is_empty());
            // Stays with the last day that has something, while what comes may still be appended to it.
            let settled = day.end().plus(SETTLED) < self.now;
            if none && !settled {
                self.end();
            } else {
                self.cursor = Cursor::At(next, 0);
            }
        }
        None
    }

    fn path(&self, day: Day, entry: &Entry) -> Option<String> {
        let key = self.days.get(&day)?.index.file_of(entry)?.key;
        Some(alloc::format!("{}/{key}", self.source))
    }

    fn read(&self, request: Request) -> Output {
        let index = |day| {
            let offset = self.days.get(&day).map_or(0, |loaded| loaded.index.wanted());
            Output::Read { path: index_path(&self.source, day), offset, len: PIECE }
        };
        match request {
            Request::Index(day) => index(day),
            Request::Init(day, place) | Request::Fragment(day, place) => {
                let found = self.days.get(&day).and_then(|loaded| {
                    let entry = loaded.entry(place)?;
                    Some((self.path(day, entry)?, *entry, loaded.index.init_of(entry)?.record.len))
                });
                match (found, request) {
                    (Some((path, _, len)), Request::Init(..)) => {
                        Output::Read { path, offset: 0, len: len as usize }
                    }
                    (Some((path, entry, _)), _) => {
                        Output::Read { path, offset: entry.offset, len: entry.mark.len as usize }
                    }
                    (None, _) => index(day),
                }
            }
        }
    }

    /// The bytes asked for, or as many of them as there are.
    pub fn filled(&mut self, bytes: Vec<u8>) {
        match self.request.take() {
            None => {}
            Some(Request::Index(day)) => self.index(day, &bytes),
            Some(Request::Init(day, place)) => self.init(day, place, bytes),
            Some(Request::Fragment(day, place)) => self.fragment(day, place, bytes),
        }
    }

    /// There is no file of the name asked for.
    pub fn absent(&mut self) {
        match self.request.take() {
            None => {}
            Some(Request::Index(day)) => {
                // Not there any more, or not yet: what was read of it is void.
                let mut none = Loaded::new(day);
                none.ended = Some(self.look);
                self.days.insert(day, none);
            }
            Some(Request::Init(day, place) | Request::Fragment(day, place)) => {
                self.bad(day, place, Kind::Missing)
            }
        }
    }

    fn index(&mut self, day: Day, bytes: &[u8]) {
        let (look, now) = (self.look, self.now);
        let loaded = self.days.entry(day).or_insert_with(|| Loaded::new(day));
        let from = loaded.index.wanted();
        let pushed = loaded.push(bytes);
        // A piece that brings nothing new is the end, too: a record that is not whole yet.
        if bytes.len() < PIECE || loaded.index.wanted() == from || pushed.is_err() {
            loaded.ended = Some(look);
        }
        let Err(error) = pushed else { return };
        if error.kind == gix::Kind::Version {
            self.wanted = false;
            self.ready.push_back(Output::Failed(Error { kind: Kind::Version, at: error.at }));
        } else if day.end().plus(SETTLED) < now && !core::mem::replace(&mut loaded.told, true) {
            // Of a day that is being written a record may be half there; of one that is over it is damage.
            let from = loaded.index.entries().last().map_or(day.start(), |entry| entry.utc_end());
            let error = Error { kind: Kind::Index, at: error.at };
            self.ready.push_back(Output::Damaged { span: Span::new(from, day.end()), error });
        }
    }

    fn init(&mut self, day: Day, place: u32, bytes: Vec<u8>) {
        let record =
            self.days.get(&day).and_then(|loaded| Some(loaded.index.init_of(loaded.entry(place)?)?.record));
        match record {
            Some(record) if bytes.len() == record.len as usize && crc32c(&[&bytes]) == record.crc => {
                self.init = Some(record.digest);
                self.ready.push_back(Output::Init { bytes, codec: record.codec, size: record.size });
            }
            _ => self.bad(day, place, Kind::Init),
        }
    }

    fn fragment(&mut self, day: Day, place: u32, bytes: Vec<u8>) {
        let found = self.days.get(&day).and_then(|loaded| {
            let entry = *loaded.entry(place)?;
            Some((entry, *loaded.index.file_of(&entry)?))
        });
        let Some((entry, file)) = found else { return };
        // All of its mark is in the fragment; the index has it only roughly.
        let mark = FragmentMark::parse(&bytes)
            .ok()
            .filter(|_| bytes.len() == entry.mark.len as usize)
            .filter(|mark| (mark.file, mark.crc) == (file.id, entry.mark.crc))
            .filter(|_| FragmentMark::passes(&bytes, entry.mark.crc));
        self.cursor = Cursor::At(day, place + 1);
        let Some(mark) = mark else {
            let error = Error { kind: Kind::Fragment, at: Offset(entry.offset) };
            self.ready.push_back(Output::Damaged { span: entry.span(), error });
            return;
        };
        let entry = Entry { mark, ..entry };
        let given = Given { entry, key: file.key, day, place };
        let continues = self.last.is_some_and(|last| last.continued_by(&given));
        let from = match (self.gap.take(), self.last) {
            (Some(from), _) => Some(from),
            (None, Some(last)) if !continues => Some(last.entry.utc_end()),
            _ => None,
        };
        if let Some(from) = from.filter(|from| entry.mark.utc.0.saturating_sub(from.0) >= JOIN) {
            self.ready.push_back(Output::Gap(Span::new(from, entry.mark.utc)));
        }
        self.last = Some(given);
        self.wanted = false;
        self.ready.push_back(Output::Fragment { bytes, entry, continues });
    }

    /// A file that cannot be played: all of its fragments are stepped over.
    fn bad(&mut self, day: Day, place: u32, kind: Kind) {
        let Some(loaded) = self.days.get(&day) else { return };
        let Some(first) = loaded.entry(place).copied() else { return };
        let own =
            loaded.index.entries().iter().skip(place as usize).take_while(|entry| entry.file == first.file);
        let to = own.map(|entry| entry.utc_end()).max().unwrap_or(first.utc_end());
        self.bad.insert((day, first.file));
        let error = Error { kind, at: Offset(first.offset) };
        self.ready.push_back(Output::Damaged { span: Span::new(first.mark.utc, to), error });
        self.cursor = Cursor::At(day, place);
    }
}

impl Given {
    /// Do the decoding times of `next` go on where these end?
    fn continued_by(&self, next: &Self) -> bool {
        if self.day == next.day {
            return self.place + 1 == next.place && next.entry.continues;
        }
        // Across midnight the index of the new day does not tell.
        !next.entry.mark.flags.has(Flags::DISCONTINUITY)
            && Some(next.key.counter) == self.key.counter.checked_add(1)
            && next.entry.mark.dts == self.entry.mark.dts.plus(i64::from(self.entry.mark.duration))
    }
}

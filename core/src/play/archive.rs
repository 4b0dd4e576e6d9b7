//! Reading a camera's recording, without IO.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use super::Error;
use super::day::{Loaded, Look};
use crate::gix::{Day, Entry, Flags, Id, InitRecord, Key, Span, Text};
use crate::store::Source;
use crate::time::UtcMicros;

mod answer;
mod walk;

/// A day's index may still grow for so long after midnight: its last file runs over, a sync is late.
const SETTLED: i64 = 900_000_000;

/// Days without footage that are searched for the next that has some.
const MOST_EMPTY: u32 = 400;
/// Likewise backwards, for the last that has some.
const MOST_EMPTY_BACK: u32 = 40;

/// Days whose index is kept, or as much of it as was read. Those farthest from the day at hand go.
const MOST_DAYS: usize = 8;

/// A camera's recording.
///
/// [`seek`](Self::seek), then for each fragment wanted [`next`](Self::next), and [`pull`](Self::pull) until it gives nothing:
/// to [`Output::Read`] the answer is [`filled`](Self::filled), or [`absent`](Self::absent) where there is no such file; all
/// else is for the player. [`next_key`](Self::next_key) and [`back`](Self::back) go from picture to picture that decoding can
/// start at, forwards and backwards. The order is that of the days by their date, and within each that of the recording: after a
/// clock set back over midnight, what was recorded later comes with its own day, first.
///
/// Of each day it asks for the page directory first (`<day>.pages`, 16 KB; `docs/format.md` §3.7). With that, a seek takes two
/// reads: the page, or a few that follow one another, and the fragment; a third where a clock set back over midnight left two days
/// that may hold the moment. Where there is no directory it reads the index as a whole.
///
/// ```
/// use vigie::{play::{Archive, Output}, store::Source, time::UtcMicros};
/// let mut archive = Archive::new(Source::new("vannes", "port-1")?);
/// let now: UtcMicros = "2026-11-22T05:15:00Z".parse()?;
/// archive.seek(now.plus(-60_000_000));
/// archive.next(now);
/// let Some(Output::Read { path, offset: 0, .. }) = archive.pull() else { panic!() };
/// assert_eq!(path, "vannes/port-1/2026-11-22.pages");
/// archive.absent();
/// let Some(Output::Read { path, offset: 0, .. }) = archive.pull() else { panic!() };
/// // The directory of an index's pages; that of the day before first, whose last file may run past midnight.
/// assert_eq!(path, "vannes/port-1/2026-11-21.pages");
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
    want: Option<Want>,
    /// Counts the calls of `next`: what ended before may have grown since.
    look: u64,
    now: UtcMicros,
    /// Does the store serve page directories, as far as is known?
    directories: Option<bool>,
    entries_only: bool,
    /// The init segment that the player has.
    init: Option<Id>,
    last: Option<Given>,
    /// Where the GOP given last starts, and when.
    anchor: Option<(Day, u32, UtcMicros)>,
    /// Where the cursor stood before days were searched backwards.
    origin: Option<Cursor>,
    /// Where a gap starts that ends with the next fragment.
    gap: Option<UtcMicros>,
    /// Days searched in vain since the last seek.
    empty: u32,
    /// Files that cannot be played, and until when that was told.
    bad: BTreeMap<Key, (Error, UtcMicros)>,
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
    /// Of an archive of [`entries_only`](Archive::entries_only): what is known of a fragment without reading it.
    Entry {
        /// What the index says of it.
        entry: Entry,
        /// The file that it is in.
        key: Key,
        /// The init segment that it needs, whose bytes that file starts with.
        init: InitRecord,
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
    /// There is nothing more in that direction, yet. What is recorded from now on comes with later calls of `next`.
    End,
    /// It cannot be played.
    Failed(Error),
}

#[derive(Clone, Copy, Debug)]
enum Cursor {
    Idle,
    Sought(UtcMicros),
    /// What comes next: the first fragment of a day at this place or behind it.
    At(Day, u32),
    /// What comes next is before the end of a day.
    End(Day),
}

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    /// One more fragment.
    Next,
    /// The next one that decoding can start with.
    Key,
    /// The GOP before the one given last.
    Back,
    /// All fragments up to a place.
    Until(u32),
}

#[derive(Clone, Copy, Debug)]
enum Request {
    Pages(Day),
    Index(Day, usize),
    Init(Day, u32),
    Fragment(Day, u32),
}

/// The fragment given last.
#[derive(Clone, Copy, Debug)]
struct Given {
    entry: Entry,
    key: Key,
    day: Day,
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
            want: None,
            look: 0,
            now: UtcMicros(0),
            directories: None,
            entries_only: false,
            init: None,
            last: None,
            anchor: None,
            origin: None,
            gap: None,
            empty: 0,
            bad: BTreeMap::new(),
        }
    }

    /// Of one camera, of which only indexes are read: it gives [`Output::Entry`] instead of init segments and fragments, and
    /// knows nothing of damage to those.
    #[must_use]
    pub fn entries_only(source: Source) -> Self {
        Self { entries_only: true, ..Self::new(source) }
    }

    /// Goes to a moment. The first fragment given holds it, or is the one where decoding has to start to show it; where
    /// nothing does, the first after it (within 400 days), behind an [`Output::Gap`]. The init segment is given again. What is asked for and
    /// not answered is void.
    pub fn seek(&mut self, utc: UtcMicros) {
        self.cursor = Cursor::Sought(utc);
        self.request = None;
        self.ready.clear();
        self.want = None;
        self.empty = 0;
        (self.init, self.last, self.anchor, self.origin, self.gap) = (None, None, None, None, None);
        self.bad.clear();
    }

    /// Asks for the next fragment. `now` is the time of day: no later moment is looked for.
    pub fn next(&mut self, now: UtcMicros) {
        self.ask(Want::Next, now);
    }

    /// Asks for the next fragment that starts at a random access point: its first picture is the next key picture.
    pub fn next_key(&mut self, now: UtcMicros) {
        self.ask(Want::Key, now);
    }

    /// Asks for the GOP before the one given last (before the moment sought, where nothing was given since), in the order of the
    /// recording: all its fragments, one mostly, the first of which starts at a random access point. Called again and
    /// again it goes backwards, GOP by GOP; an [`Output::Gap`] then comes before the GOP that it lies behind. Where there is
    /// none (within 40 days), [`Output::End`]. [`next`](Self::next) goes on forwards behind the GOP given last.
    pub fn back(&mut self, now: UtcMicros) {
        self.empty = 0;
        self.ask(Want::Back, now);
    }

    fn ask(&mut self, want: Want, now: UtcMicros) {
        self.want = Some(want);
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
            if self.request.is_some() || self.want.is_none() {
                return None;
            }
            if let Some(request) = self.step() {
                self.request = Some(request);
                return Some(self.read(request));
            }
        }
    }

    fn look(&self, day: Day) -> Look {
        Look { settled: day.end().plus(SETTLED) < self.now, number: self.look }
    }
}

impl Given {
    /// Do the decoding times of `next` go on where these end? `before`: the fragment before that one in its index.
    fn continued_by(&self, next: &Self, before: Option<u32>) -> bool {
        if self.day == next.day {
            return before == Some(self.entry.number) && next.entry.continues;
        }
        // Across midnight the index of the new day does not tell.
        !next.entry.mark.flags.has(Flags::DISCONTINUITY)
            && Some(next.key.counter) == self.key.counter.checked_add(1)
            && next.entry.mark.dts == self.entry.mark.dts.plus(i64::from(self.entry.mark.duration))
    }
}

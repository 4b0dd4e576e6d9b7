//! Which fragment comes next.

use alloc::string::String;

use super::{Archive, Cursor, MOST_DAYS, MOST_EMPTY, MOST_EMPTY_BACK, Output, Request, Want};
use crate::gix::{Day, Entry, JOIN, PageDirectory, Span};
use crate::play::day::{Found, Loaded, PIECE, Pages};
use crate::store::{index_path, pages_path};
use crate::time::UtcMicros;

impl Archive {
    /// One step towards what is wanted; a request where bytes are needed for it.
    pub(super) fn step(&mut self) -> Option<Request> {
        match self.cursor {
            Cursor::Idle => {
                self.want = None;
                None
            }
            Cursor::Sought(utc) => self.find(utc),
            Cursor::At(day, place) if self.want == Some(Want::Back) => {
                let (day, place) = self.anchor.map_or((day, place), |(day, place, _)| (day, place));
                self.go_back(day, Some(place))
            }
            Cursor::At(day, place) => self.give(day, place),
            Cursor::End(day) => self.go_back(day, None),
        }
    }

    /// The day, as it is known; what to read first where nothing is.
    fn day(&mut self, day: Day) -> Result<&mut Loaded, Request> {
        if !self.days.contains_key(&day) && self.days.len() >= MOST_DAYS {
            let far = |other: &Day| other.start().0.abs_diff(day.start().0);
            if let Some(farthest) = self.days.keys().copied().max_by_key(far) {
                self.days.remove(&farthest);
            }
        }
        let (look, directories) = (self.look(day), self.directories);
        let new = || if directories == Some(false) { Loaded::whole(day) } else { Loaded::new(day) };
        let loaded = self.days.entry(day).or_insert_with(new);
        let stale = |number: u64| !look.settled && number != look.number;
        match &loaded.pages {
            Pages::Unknown => Err(Request::Pages(day)),
            Pages::Absent(number) if stale(*number) => Err(Request::Pages(day)),
            Pages::Told(directory, number) if directory.is_empty() && stale(*number) => {
                Err(Request::Pages(day))
            }
            _ => Ok(loaded),
        }
    }

    fn find(&mut self, utc: UtcMicros) -> Option<Request> {
        let today = Day::of(utc);
        let mut after: Option<(UtcMicros, Option<(Day, u32)>)> = None;
        // The day before may run past midnight. Both directories first: they may say that one need not be read.
        for day in [today, today.before()] {
            if let Err(request) = self.day(day) {
                return Some(request);
            }
        }
        for day in [today, today.before()] {
            let look = self.look(day);
            let loaded = match self.day(day) {
                Ok(loaded) => loaded,
                Err(request) => return Some(request),
            };
            match loaded.find(utc, look) {
                Found::Read(len) => return Some(Request::Index(day, len)),
                Found::At(place) => {
                    self.cursor = Cursor::At(day, place);
                    return None;
                }
                Found::After(from, place) if after.is_none_or(|(known, _)| from < known) => {
                    after = Some((from, place.map(|place| (day, place))));
                }
                Found::After(..) | Found::Nothing => {}
            }
        }
        self.gap.get_or_insert(utc);
        match after {
            Some((_, Some((day, place)))) => self.cursor = Cursor::At(day, place),
            Some((from, None)) => self.cursor = Cursor::Sought(from),
            None if self.want == Some(Want::Back) => self.leave_for(today),
            None if today.end() > self.now || self.empty >= MOST_EMPTY => self.end(),
            None => {
                self.empty += 1;
                self.cursor = Cursor::Sought(today.end());
            }
        }
        None
    }

    /// Nothing more for now; the cursor stays where it is.
    fn end(&mut self) {
        self.want = None;
        self.ready.push_back(Output::End);
    }

    /// What of the index is to be read before the fragment at a place, or the day's end, is known.
    fn reach(&mut self, day: Day, place: u32) -> Option<Request> {
        let look = self.look(day);
        match self.day(day) {
            Err(request) => Some(request),
            Ok(loaded) => loaded.reach(place, look).map(|len| Request::Index(day, len)),
        }
    }

    fn give(&mut self, day: Day, place: u32) -> Option<Request> {
        if matches!(self.want, Some(Want::Until(end)) if place >= end) {
            self.want = None;
            return None;
        }
        if let Some(request) = self.reach(day, place) {
            return Some(request);
        }
        let loaded = self.days.get(&day);
        let Some(entry) = loaded.and_then(|loaded| loaded.entry(place)).copied() else {
            return self.go_on(day, place);
        };
        match self.want {
            Some(Want::Until(end)) if entry.number >= end => {
                self.want = None;
                return None;
            }
            Some(Want::Key) if !entry.mark.flags.has(crate::gix::Flags::RANDOM_ACCESS) => {
                self.cursor = Cursor::At(day, entry.number + 1);
                return None;
            }
            _ => {}
        }
        let key = loaded.and_then(|loaded| loaded.index.file_of(&entry)).map(|file| file.key);
        let init = loaded.and_then(|loaded| loaded.index.init_of(&entry)).map(|init| init.record);
        if let Some(key) = key
            && self.step_over(key, &entry)
        {
            self.cursor = Cursor::At(day, entry.number + 1);
            return None;
        }
        if self.entries_only {
            self.hand(day, &entry);
            return None;
        }
        if init.map(|init| init.digest) == self.init {
            return Some(Request::Fragment(day, entry.number));
        }
        let told = self.days.get(&day).and_then(Loaded::directory).zip(init);
        let Some((bytes, init)) = told.and_then(|(directory, init)| directory.init(init.digest)) else {
            return Some(Request::Init(day, entry.number));
        };
        let output = Output::Init { bytes: bytes.to_vec(), codec: init.codec, size: init.size };
        self.init = Some(init.digest);
        self.ready.push_back(output);
        None
    }

    /// Is the entry of a file that cannot be played? Says so, unless it did.
    fn step_over(&mut self, key: crate::gix::Key, entry: &Entry) -> bool {
        let Some((error, told)) = self.bad.get_mut(&key) else { return false };
        self.gap.get_or_insert(entry.mark.utc);
        let (end, error) = (entry.utc_end(), *error);
        if end > *told {
            let from = entry.mark.utc.max(*told);
            *told = end;
            self.ready.push_back(Output::Damaged { span: Span::new(from, end), error });
        }
        true
    }

    /// From the end of a day to the next one, if that has begun.
    fn go_on(&mut self, day: Day, place: u32) -> Option<Request> {
        if matches!(self.want, Some(Want::Until(_))) {
            self.want = None;
            return None;
        }
        if let Some(error) = self.torn(day) {
            self.ready.push_back(error);
        }
        let next = Day::of(day.end());
        if next.start() > self.now {
            self.end();
            return None;
        }
        if let Some(request) = self.reach(next, 0) {
            return Some(request);
        }
        let none = self.days.get(&next).is_none_or(|loaded| loaded.entry(0).is_none());
        // Stays with the last day that has something, while what comes may still be appended to it.
        if none && !self.look(day).settled {
            self.cursor = Cursor::At(day, place);
            self.end();
        } else {
            self.cursor = Cursor::At(next, 0);
        }
        None
    }

    /// To the GOP before a place, or before the end of a day.
    fn go_back(&mut self, day: Day, place: Option<u32>) -> Option<Request> {
        let look = self.look(day);
        let loaded = match self.day(day) {
            Ok(loaded) => loaded,
            Err(request) => return Some(request),
        };
        match loaded.back(place, look) {
            Found::Read(len) => Some(Request::Index(day, len)),
            Found::At(start) => {
                let end = place.unwrap_or(u32::MAX);
                let from = loaded.before(end).map(Entry::utc_end);
                let to = self.anchor.map(|(_, _, utc)| utc).or(self.gap);
                if let (Some(from), Some(to)) = (from, to)
                    && to.0.saturating_sub(from.0) >= JOIN
                {
                    self.ready.push_back(Output::Gap(Span::new(from, to)));
                }
                (self.gap, self.last, self.origin) = (None, None, None);
                self.cursor = Cursor::At(day, start);
                let utc =
                    self.days.get(&day).and_then(|l| l.entry(start)).map_or(day.start(), |e| e.mark.utc);
                self.anchor = Some((day, start, utc));
                self.want = Some(Want::Until(end));
                None
            }
            _ if self.empty >= MOST_EMPTY_BACK => {
                self.cursor = self.origin.take().unwrap_or(self.cursor);
                self.end();
                None
            }
            _ => {
                self.empty += 1;
                self.leave_for(day.before());
                None
            }
        }
    }

    /// To the end of a day, for what is before it; where there is nothing, the cursor comes back.
    fn leave_for(&mut self, day: Day) {
        self.origin.get_or_insert(self.cursor);
        self.cursor = Cursor::End(day);
    }

    fn path(&self, day: Day, entry: &Entry) -> Option<String> {
        let key = self.days.get(&day)?.index.file_of(entry)?.key;
        Some(alloc::format!("{}/{key}", self.source))
    }

    pub(super) fn read(&self, request: Request) -> Output {
        let index = |day, len| {
            let offset = self.days.get(&day).map_or(0, |loaded| loaded.index.wanted());
            Output::Read { path: index_path(&self.source, day), offset, len }
        };
        match request {
            Request::Pages(day) => {
                Output::Read { path: pages_path(&self.source, day), offset: 0, len: PageDirectory::MOST }
            }
            Request::Index(day, len) => index(day, len),
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
                    (None, _) => index(day, PIECE),
                }
            }
        }
    }
}

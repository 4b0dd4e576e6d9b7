//! What the bytes asked for say.

use alloc::vec::Vec;

use super::{Archive, Cursor, Given, Output, Request, Want};
use crate::fault::Offset;
use crate::gix::{self, Day, Entry, FragmentMark, Id, JOIN, PageDirectory, Span, crc32c};
use crate::play::day::{Loaded, Pages, alone};
use crate::play::{Error, Kind};

impl Archive {
    /// The bytes asked for, or as many of them as there are.
    pub fn filled(&mut self, bytes: Vec<u8>) {
        match self.request.take() {
            None => {}
            Some(Request::Pages(day)) => self.pages(day, &bytes),
            Some(Request::Index(day, len)) => self.index(day, len, &bytes),
            Some(Request::Init(day, place)) => self.init(day, place, bytes),
            Some(Request::Fragment(day, place)) => self.fragment(day, place, bytes),
        }
    }

    /// There is no file of the name asked for.
    pub fn absent(&mut self) {
        match self.request.take() {
            None => {}
            Some(Request::Pages(day)) => {
                // Of a store without directories, or of a day without index.
                let mut loaded = Loaded::whole(day);
                if self.directories == Some(true) {
                    loaded.pages = Pages::Absent(self.look);
                }
                self.days.insert(day, loaded);
            }
            Some(Request::Index(day, _)) => {
                // Not there any more, or not yet: what was read of it is void.
                let mut none = Loaded::whole(day);
                none.ended = Some(self.look);
                self.days.insert(day, none);
            }
            Some(Request::Init(day, place) | Request::Fragment(day, place)) => {
                self.bad(day, place, Kind::Missing)
            }
        }
    }

    fn pages(&mut self, day: Day, bytes: &[u8]) {
        let renewed = self.days.get(&day).is_some_and(|loaded| loaded.renewed);
        let mut loaded = Loaded::whole(day);
        loaded.renewed = renewed;
        if let Ok(directory) = PageDirectory::parse(bytes)
            && directory.day() == day
        {
            self.directories = Some(true);
            loaded.pages = Pages::Told(directory, self.look);
        }
        self.days.insert(day, loaded);
    }

    fn index(&mut self, day: Day, asked: usize, bytes: &[u8]) {
        let look = self.look(day);
        let Some(loaded) = self.days.get_mut(&day) else { return };
        let from = loaded.index.wanted();
        let pushed = loaded.push(bytes);
        if self.directories.is_none() && loaded.index.wanted() > 0 {
            self.directories = Some(false);
        }
        // A piece that brings nothing new is the end, too: a record that is not whole yet.
        let nothing = loaded.index.wanted() == from;
        if bytes.len() < asked || nothing || pushed.is_err() {
            loaded.ended = Some(look.number);
        }
        let promised = loaded.directory().map_or(0, PageDirectory::records);
        let short = bytes.len() < asked && loaded.index.next_record() < promised;
        if promised > 0 && !loaded.renewed && (short || nothing && pushed.is_err()) {
            // Perhaps the index was replaced since the directory was made.
            *loaded = Loaded::new(day);
            loaded.renewed = true;
            return;
        }
        let Err(error) = pushed else { return };
        if error.kind == gix::Kind::Version {
            self.want = None;
            self.ready.push_back(Output::Failed(Error { kind: Kind::Version, at: error.at }));
        } else if look.settled && !core::mem::replace(&mut loaded.told, true) {
            // Of a day that is being written a record may be half there; of one that is over it is damage.
            let from = loaded.index.entries().last().map_or(day.start(), Entry::utc_end);
            let error = Error { kind: Kind::Index, at: error.at };
            self.ready.push_back(Output::Damaged { span: Span::new(from, day.end()), error });
        }
    }

    /// What the end of a day says of its index, where the directory says that there is more that does not pass.
    pub(super) fn torn(&mut self, day: Day) -> Option<Output> {
        let settled = self.look(day).settled;
        let loaded = self.days.get_mut(&day).filter(|loaded| settled && !loaded.told)?;
        loaded.directory().filter(|directory| directory.is_damaged())?;
        loaded.told = true;
        let from = loaded.index.entries().last().map_or(day.start(), Entry::utc_end);
        let error = Error { kind: Kind::Index, at: Offset(loaded.index.wanted()) };
        Some(Output::Damaged { span: Span::new(from, day.end()), error })
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
        // All of its mark is in the fragment; the index has it only roughly. Of a file whose record was not read the id is
        // not known.
        let mark = FragmentMark::parse(&bytes)
            .ok()
            .filter(|_| bytes.len() == entry.mark.len as usize)
            .filter(|mark| mark.crc == entry.mark.crc && (file.id == Id::default() || mark.file == file.id))
            .filter(|_| FragmentMark::passes(&bytes, entry.mark.crc));
        let Some(mark) = mark else {
            self.cursor = Cursor::At(day, entry.number + 1);
            let error = Error { kind: Kind::Fragment, at: Offset(entry.offset) };
            self.ready.push_back(Output::Damaged { span: entry.span(), error });
            return;
        };
        let entry = Entry { mark, ..entry };
        if let Some(continues) = self.pass(day, &entry) {
            self.ready.push_back(Output::Fragment { bytes, entry, continues });
        }
    }

    /// Gives what the index says of a fragment.
    pub(super) fn hand(&mut self, day: Day, entry: &Entry) {
        let found = self
            .days
            .get(&day)
            .and_then(|loaded| Some((loaded.index.file_of(entry)?.key, loaded.index.init_of(entry)?.record)));
        if let (Some((key, init)), Some(continues)) = (found, self.pass(day, entry)) {
            self.ready.push_back(Output::Entry { entry: *entry, key, init, continues });
        }
    }

    /// Goes past a fragment that is given, says what lies before it, and whether it continues the one given last.
    fn pass(&mut self, day: Day, entry: &Entry) -> Option<bool> {
        let loaded = self.days.get(&day)?;
        let key = loaded.index.file_of(entry)?.key;
        let before = loaded.before(entry.number).map(|entry| entry.number);
        let start = loaded.start(entry.number);
        self.cursor = Cursor::At(day, entry.number + 1);
        let given = Given { entry: *entry, key, day };
        let continues = self.last.is_some_and(|last| last.continued_by(&given, before));
        let from = match (self.gap.take(), self.last) {
            (Some(from), _) => Some(from),
            (None, Some(last)) if !continues => Some(last.entry.utc_end()),
            _ => None,
        };
        if let Some(from) = from.filter(|from| entry.mark.utc.0.saturating_sub(from.0) >= JOIN) {
            self.ready.push_back(Output::Gap(Span::new(from, entry.mark.utc)));
        }
        if alone(entry) {
            self.anchor = Some((day, entry.number, entry.mark.utc));
        } else if self.anchor.is_none() {
            self.anchor = Some((day, start, entry.mark.utc));
        }
        self.last = Some(given);
        if !matches!(self.want, Some(Want::Until(_))) {
            self.want = None;
        }
        Some(continues)
    }

    /// A file that cannot be played: all of its fragments are stepped over.
    fn bad(&mut self, day: Day, place: u32, kind: Kind) {
        let Some(loaded) = self.days.get(&day) else { return };
        let Some(first) = loaded.entry(place).copied() else { return };
        let Some(key) = loaded.index.file_of(&first).map(|file| file.key) else { return };
        let own = loaded.index.entries().iter();
        let own = own.skip_while(|e| e.number < first.number).take_while(|entry| entry.file == first.file);
        let to = own.map(Entry::utc_end).max().unwrap_or(first.utc_end());
        let error = Error { kind, at: Offset(first.offset) };
        self.bad.insert(key, (error, to));
        self.ready.push_back(Output::Damaged { span: Span::new(first.mark.utc, to), error });
        self.cursor = Cursor::At(day, first.number);
    }
}

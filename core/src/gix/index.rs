//! An index as it is read: fragments with their files and init segments.

use alloc::vec::Vec;

use super::page::Place;
use super::record::Record;
use super::{Day, Error, FileRecord, FragmentMark, Header, InitRecord, Kid, Kind, PAGE, Span};
use crate::time::UtcMicros;

/// A fragment of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number of its record in the index.
    pub number: u32,
    /// Its mark, with the id of its file. What the index does not hold of it is 0 (its number in the file) or the nearest that
    /// the index holds: `docs/format.md` §3.2.
    pub mark: FragmentMark,
    /// Its file, in [`Index::files`].
    pub file: u32,
    /// The init segment that it needs, in [`Index::inits`].
    pub init: u32,
    /// Its first byte in the file.
    pub offset: u64,
    /// Does it continue the fragment before it?
    pub continues: bool,
    /// The key that it is encrypted with; all zero: none.
    pub kid: Kid,
}

/// An init segment, and a file that starts with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Init {
    /// What the index says of it.
    pub record: InitRecord,
    /// The file, in [`Index::files`].
    pub file: u32,
}

/// Reads an index as it arrives: [`Index::push`] takes bytes from [`Index::wanted`] on.
#[derive(Clone, Debug)]
pub struct Index {
    day: Day,
    header: Option<Header>,
    place: Option<Place>,
    files: Vec<FileRecord>,
    inits: Vec<Init>,
    entries: Vec<Entry>,
    kid: Kid,
    broken: bool,
    /// Is there something before what it has?
    part: bool,
}

impl Index {
    /// That of a day, with nothing read.
    #[must_use]
    pub const fn new(day: Day) -> Self {
        Self {
            day,
            header: None,
            place: None,
            files: Vec::new(),
            inits: Vec::new(),
            entries: Vec::new(),
            kid: Kid([0; 16]),
            broken: false,
            part: false,
        }
    }

    /// A part of one, that starts at a page: in the file, with the init segment and the key given.
    pub(super) fn part(
        day: Day,
        place: Place,
        before: Option<(FileRecord, InitRecord, Kid)>,
        continues: bool,
    ) -> Self {
        let mut part = Self { place: Some(place), part: true, broken: !continues, ..Self::new(day) };
        if let Some((file, record, kid)) = before {
            part.files.push(file);
            part.inits.push(Init { record, file: 0 });
            part.kid = kid;
        }
        part
    }

    /// Reads a day's whole index, as far as it passes.
    ///
    /// # Errors
    /// Where the header does not pass, or is another day's.
    pub fn read(bytes: &[u8], day: Day) -> Result<(Self, Option<Error>), Error> {
        let mut index = Self::new(day);
        let stop = index.push(bytes).err();
        if index.header.is_none() {
            return Err(stop.unwrap_or(Error::new(Kind::Short)));
        }
        Ok((index, stop))
    }

    /// The offset in the file of the first byte that it has not read.
    #[must_use]
    pub fn wanted(&self) -> u64 {
        self.place.as_ref().map_or(0, Place::offset)
    }

    /// Number of the first record that it has not read.
    #[must_use]
    pub fn next_record(&self) -> u32 {
        self.place.as_ref().map_or(0, Place::number)
    }

    /// Takes bytes of the file that start at [`Index::wanted`]. A record that is not whole is left: its bytes are to be
    /// given again, with more.
    ///
    /// # Errors
    /// A header, record or trailer that does not pass. While the index is being written to that may be one that is not all
    /// there yet: asking again later is right. Nothing is taken of it.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut at = 0;
        if self.place.is_none() {
            let Some(header) = Header::begun(self.day, bytes)? else { return Ok(()) };
            self.place = Some(Place::new(&header));
            self.header = Some(header);
            at = PAGE;
        }
        loop {
            let (Some(rest), Some(place)) = (bytes.get(at..), &mut self.place) else { return Ok(()) };
            place.prove(rest);
            match place.read(rest) {
                Ok((record, len)) => {
                    at += len;
                    let number = place.number() - 1;
                    self.take(record, number);
                }
                Err(Error { kind: Kind::Short, .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn take(&mut self, record: Record, number: u32) {
        match record {
            Record::File(file) => self.files.push(file),
            Record::Init(record) => {
                self.inits.push(Init { record, file: self.files.len().saturating_sub(1) as u32 });
            }
            Record::Key(kid) => self.kid = kid,
            Record::Break(_) => self.broken = true,
            Record::Fragment(fragment) => {
                // A fragment without file or init segment before it is what no builder writes; it cannot be reached.
                let (Some(file), Some(_)) = (self.files.last(), self.inits.last()) else { return };
                let entry = Entry {
                    number,
                    mark: FragmentMark { file: file.id, ..fragment.mark },
                    file: self.files.len() as u32 - 1,
                    init: self.inits.len() as u32 - 1,
                    offset: fragment.offset.into(),
                    continues: !self.broken && (self.part || !self.entries.is_empty()),
                    kid: self.kid,
                };
                self.entries.push(entry);
                self.broken = false;
            }
            Record::Other => {}
        }
    }

    /// The fragments read since this was called last, for who needs each of them once: they are not kept.
    pub(crate) fn take_entries(&mut self) -> Vec<Entry> {
        self.part |= !self.entries.is_empty();
        core::mem::take(&mut self.entries)
    }

    /// Its header, once read.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// The media files, in order of creation.
    #[must_use]
    pub fn files(&self) -> &[FileRecord] {
        &self.files
    }

    /// The init segments.
    #[must_use]
    pub fn inits(&self) -> &[Init] {
        &self.inits
    }

    /// The fragments, in order of writing.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The file of an entry.
    #[must_use]
    pub fn file_of(&self, entry: &Entry) -> Option<&FileRecord> {
        self.files.get(entry.file as usize)
    }

    /// The init segment of an entry.
    #[must_use]
    pub fn init_of(&self, entry: &Entry) -> Option<&Init> {
        self.inits.get(entry.init as usize)
    }
}

impl Entry {
    /// The span that it covers by its own UTC and duration.
    #[must_use]
    pub const fn span(&self) -> Span {
        Span::new(self.mark.utc, self.mark.end())
    }

    /// The bytes of its file that hold it up to the end of its first sample, or a little more: with the init segment, all that its
    /// first picture is decoded from. Its checksum is of all of it, and not proved by these.
    #[must_use]
    pub const fn first_sample(&self) -> core::ops::Range<u64> {
        self.offset..self.offset + self.mark.first_sample_end as u64
    }

    /// The offset just after it in its file.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset + self.mark.len as u64
    }

    /// Where it ends, by its own UTC and duration.
    #[must_use]
    pub const fn utc_end(&self) -> UtcMicros {
        self.mark.end()
    }
}

//! Writing one camera.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::gap::append_log;
use super::list::days;
use super::recover::{OpenDay, end_span, open_day, open_index};
use super::scan::LARGEST;
use super::storage::folder_of;
use super::{Cause, Error, File, GapEntry, Kind, Recovered, Source, Storage, index_path};
use crate::fragment::{Fragment, InitSegment};
use crate::gix::{Day, FileMark, FragmentMark, Key, Kid, Text};
use crate::segment::Output;
use crate::time::{Micros, UtcMicros};

/// How a writer writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Microseconds that a power cut may cost: so often what was written is synced. 2 s.
    pub sync_every: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { sync_every: 2_000_000 }
    }
}

impl Options {
    /// Sync so often; 0: after each fragment.
    #[must_use]
    pub const fn sync_every(mut self, micros: u64) -> Self {
        self.sync_every = micros;
        self
    }
}

/// Counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Files begun.
    pub files: u64,
    /// Fragments appended.
    pub fragments: u64,
    /// Fragments known to be on the disk, with their index.
    pub synced: u64,
    /// Bytes of fragments appended.
    pub bytes: u64,
    /// Syncs of media and index.
    pub syncs: u64,
    /// Failures of the storage.
    pub failures: u64,
}

/// Times after the one asked for that are tried where a name is taken.
const NAMES: i64 = 1_000;
/// Where no file name can hold the time any more: the year 10000.
const LAST: i64 = 253_402_300_800_000_000;
/// Gap entries that wait for the storage to come back; the oldest stay.
const GAPS: usize = 256;

/// Writes the media files and indexes of one camera.
///
/// [`apply`](Self::apply) what a `Segmenter` puts out; call [`handle_timeout`](Self::handle_timeout) when
/// [`poll_timeout`](Self::poll_timeout) says so. A call that fails has let go of the file that was open: what of it is whole
/// is indexed and closed when the next file is created, by the same code that recovers after a power cut.
#[derive(Debug)]
pub struct Writer<S: Storage> {
    storage: S,
    source: Source,
    options: Options,
    day: Option<Writing>,
    media: Option<Media>,
    /// Folders whose names, and those of the folders above, are synced.
    folders: BTreeSet<String>,
    /// When the oldest thing not yet synced was written.
    since: Option<Micros>,
    gaps: Vec<GapEntry>,
    stats: Stats,
}

/// The day whose index is open.
#[derive(Debug)]
struct Writing {
    open: OpenDay,
    index: Option<File>,
}

/// The media file that is open.
#[derive(Debug)]
struct Media {
    file: File,
    path: String,
    mark: FileMark,
    init: bytes::Bytes,
    announced: bool,
    len: u64,
    number: u32,
    /// Appended, not yet in the index.
    pending: Vec<(u64, FragmentMark)>,
}

impl<S: Storage> Writer<S> {
    /// Opens a camera for writing: makes its last days whole, whatever happened to them.
    ///
    /// # Errors
    /// [`Kind::Locked`] where another process writes it; all that a disk can fail by.
    pub fn open(mut storage: S, source: Source, options: Options) -> Result<(Self, Recovered), Error> {
        storage.lock(&alloc::format!("{source}"))?;
        let mut found = Recovered::default();
        // The last two: one past midnight, and the one before. Any other day is made whole when it is written to.
        for day in days(&mut storage, &source)?.into_iter().rev().take(2) {
            let (_, recovered) = open_day(&mut storage, &source, day)?;
            found.add(&recovered);
        }
        let writer = Self {
            storage,
            source,
            options,
            day: None,
            media: None,
            folders: BTreeSet::new(),
            since: None,
            gaps: Vec::new(),
            stats: Stats::default(),
        };
        Ok((writer, found))
    }

    /// The camera.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// Counters.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// Is a media file open?
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.media.is_some()
    }

    /// The storage, to read from.
    pub const fn storage(&mut self) -> &mut S {
        &mut self.storage
    }

    /// Lets go of the storage, without syncing.
    pub fn into_storage(mut self) -> S {
        self.let_go();
        self.storage
    }

    /// Does what a `Segmenter` says.
    ///
    /// # Errors
    /// As [`create`](Self::create), [`append`](Self::append) and the others say; the file that was open is let go of then.
    pub fn apply(&mut self, now: Micros, output: Output) -> Result<(), Error> {
        match output {
            Output::Create { key, init, bytes } => self.create(now, key, &init, &bytes).map(|_| ()),
            Output::Append { fragment, offset } => self.append(now, &fragment, offset),
            Output::Trailer { bytes, offset } => self.trailer(&bytes, offset),
            Output::Patch { bytes, offset } => self.patch(&bytes, offset),
            Output::Close => {
                self.close();
                Ok(())
            }
            Output::SpanEnd { key } => self.end_span(key),
        }
    }

    /// Begins a media file with `bytes`: the init segment, a blank file mark, the room. Gives its key, whose time is some
    /// microseconds later than asked for where the name was taken.
    ///
    /// # Errors
    /// [`Kind::NotOurs`] where the bytes are not that, [`Kind::Time`]; all that a disk can fail by.
    pub fn create(&mut self, now: Micros, key: Key, init: &InitSegment, bytes: &[u8]) -> Result<Key, Error> {
        self.sync()?;
        let created = self.begin(key, init, bytes);
        match created {
            Ok(key) => {
                self.since.get_or_insert(now);
                self.stats.files += 1;
                Ok(key)
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    fn begin(&mut self, key: Key, init: &InitSegment, bytes: &[u8]) -> Result<Key, Error> {
        self.close();
        let (key, file) = self.create_free(key)?;
        let path = alloc::format!("{}/{key}", self.source);
        let Some(writing) = &self.day else { return Err(Kind::NoFile.into()) };
        let (width, height) = init.size();
        let size = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
        let mark = FileMark {
            ordinal: writing.open.next,
            key,
            init_len: init.bytes.len() as u32,
            head_len: bytes.len() as u32,
            id: FileMark::id_of(self.source.tenant.as_str(), self.source.camera.as_str(), key),
            kid: Kid::default(),
            size: (size(width), size(height)),
            codec: Text::new(&init.codec_string()).unwrap_or(Text::EMPTY),
            tenant: self.source.tenant.text(),
            camera: self.source.camera.text(),
            trimmed: false,
        };
        let head = sealed(&mark, init, bytes);
        let written = head.and_then(|head| self.storage.append(file, &[&head]));
        if let Err(error) = written {
            self.storage.close(file);
            // Empty or torn, and never synced: recovery would do the same.
            let _ = self.storage.remove(&path);
            return Err(error);
        }
        self.media = Some(Media {
            file,
            path,
            init: init.bytes.clone(),
            announced: false,
            len: bytes.len() as u64,
            number: 0,
            pending: Vec::new(),
            mark,
        });
        if let Some(writing) = &mut self.day {
            writing.open.next = writing.open.next.saturating_add(1);
        }
        Ok(key)
    }

    /// Creates a file of this name, or of the first after it that is free, in the day that it belongs to.
    fn create_free(&mut self, key: Key) -> Result<(Key, File), Error> {
        for later in 0..NAMES {
            let key = Key { utc: key.utc.plus(later), ..key };
            if key.utc.0 < 0 || key.utc.0 >= LAST {
                return Err(Kind::Time.into());
            }
            self.enter(key.day())?;
            match self.storage.create_new(&alloc::format!("{}/{key}", self.source)) {
                Err(Error { kind: Kind::Exists, .. }) => {}
                other => return Ok((key, other?)),
            }
        }
        Err(Kind::Exists.into())
    }

    /// Makes `day` the day that is written to.
    fn enter(&mut self, day: Day) -> Result<(), Error> {
        if self.day.as_ref().is_some_and(|writing| writing.open.day == day) {
            return Ok(());
        }
        self.leave();
        // The new day's folders are not those of yesterday, which need not be remembered.
        self.folders.clear();
        let (open, _) = open_day(&mut self.storage, &self.source, day)?;
        let index = open_index(&mut self.storage, &self.source, &open)?;
        self.day = Some(Writing { open, index });
        Ok(())
    }

    fn leave(&mut self) {
        if let Some(index) = self.day.take().and_then(|writing| writing.index) {
            self.storage.close(index);
        }
    }

    /// Appends a fragment, which starts at `offset` of the file; its body is not copied.
    ///
    /// # Errors
    /// [`Kind::NoFile`] where none is open, [`Kind::NotOurs`], [`Kind::TooLong`]; all that a disk can fail by.
    pub fn append(&mut self, now: Micros, fragment: &Fragment, offset: u64) -> Result<(), Error> {
        let done = self.put(fragment, offset);
        if let Err(error) = done {
            return Err(self.failed(error));
        }
        self.stats.fragments += 1;
        self.stats.bytes += fragment.len() as u64;
        self.since.get_or_insert(now);
        self.handle_timeout(now)
    }

    fn put(&mut self, fragment: &Fragment, offset: u64) -> Result<(), Error> {
        let Some(media) = &mut self.media else { return Err(Kind::NoFile.into()) };
        if media.len + fragment.len() as u64 > LARGEST {
            return Err(Error::at(Kind::TooLong, media.len));
        }
        if offset != media.len {
            return Err(Error::at(Kind::NotOurs, offset));
        }
        let mut head = fragment.head.to_vec();
        let mark = FragmentMark::seal(&mut head, &fragment.body, media.mark.id, media.number)
            .map_err(|_| Error::at(Kind::NotOurs, offset))?;
        let mut parts: Vec<&[u8]> = Vec::with_capacity(1 + fragment.body.len());
        parts.push(&head);
        parts.extend(fragment.body.iter().map(|part| &**part));
        if let Err(error) = self.storage.append(media.file, &parts) {
            // What there is of it is no use, and on a full disk its room is wanted.
            let _ = self.storage.truncate(media.file, media.len);
            return Err(Error::at(error.kind, offset));
        }
        media.pending.push((media.len, mark));
        media.len += u64::from(mark.len);
        media.number = media.number.saturating_add(1);
        Ok(())
    }

    /// Syncs what was written, media before index.
    ///
    /// # Errors
    /// All that a disk can fail by.
    pub fn sync(&mut self) -> Result<(), Error> {
        self.since = None;
        // A gap log that cannot be written keeps no footage from the disk.
        let _ = self.sync_gaps();
        self.sync_media().map_err(|error| self.failed(error))
    }

    fn sync_media(&mut self) -> Result<(), Error> {
        let (Some(media), Some(writing)) = (&mut self.media, &mut self.day) else { return Ok(()) };
        if media.pending.is_empty() {
            return Ok(());
        }
        self.storage.sync(media.file)?;
        sync_new_folders(&mut self.storage, &mut self.folders, folder_of(&media.path), !media.announced)?;
        // Here is the barrier: from now on the index may say so.
        let builder = &mut writing.open.builder;
        if !media.announced {
            builder.file(&media.mark, &media.init);
            media.announced = true;
        }
        let mut records = Vec::new();
        for (offset, mark) in &media.pending {
            builder.fragment(*offset, mark, &mut records);
        }
        let (index, new) = match writing.index {
            Some(index) => (index, false),
            None => (self.storage.create_new(&index_path(&self.source, writing.open.day))?, true),
        };
        writing.index = Some(index);
        self.storage.append(index, &[&records])?;
        self.storage.sync(index)?;
        if new {
            self.storage.sync_folder(&alloc::format!("{}", self.source))?;
        }
        self.stats.synced += media.pending.len() as u64;
        self.stats.syncs += 1;
        media.pending.clear();
        Ok(())
    }

    /// When it wants [`handle_timeout`](Self::handle_timeout) to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        self.since.map(|since| since.plus(self.options.sync_every))
    }

    /// Syncs, if it is time.
    ///
    /// # Errors
    /// All that a disk can fail by.
    pub fn handle_timeout(&mut self, now: Micros) -> Result<(), Error> {
        if self.poll_timeout().is_some_and(|due| due <= now) { self.sync() } else { Ok(()) }
    }

    /// Syncs, and appends what stands at the end of a file: its `mfra`.
    ///
    /// # Errors
    /// [`Kind::NoFile`] where none is open, [`Kind::NotOurs`]; all that a disk can fail by.
    pub fn trailer(&mut self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        self.sync()?;
        let write = |this: &mut Self| {
            let Some(media) = &mut this.media else { return Err(Kind::NoFile.into()) };
            if offset != media.len {
                return Err(Error::at(Kind::NotOurs, offset));
            }
            media.len += bytes.len() as u64;
            this.storage.append(media.file, &[bytes])?;
            this.storage.sync(media.file)
        };
        write(self).map_err(|error| self.failed(error))
    }

    /// Overwrites the room, and syncs: the `sidx`.
    ///
    /// # Errors
    /// [`Kind::NoFile`] where none is open, [`Kind::NotOurs`] where that is not in the room; all that a disk can fail by.
    pub fn patch(&mut self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        let write = |this: &mut Self| {
            let Some(media) = &this.media else { return Err(Kind::NoFile.into()) };
            let room = u64::from(media.mark.init_len) + FileMark::LEN as u64..=u64::from(media.mark.head_len);
            if !room.contains(&offset) || !room.contains(&(offset + bytes.len() as u64)) {
                return Err(Error::at(Kind::NotOurs, offset));
            }
            this.storage.write_at(media.file, offset, bytes)?;
            this.storage.sync(media.file)
        };
        write(self).map_err(|error| self.failed(error))
    }

    /// Closes the file that is open, if one is.
    pub fn close(&mut self) {
        if let Some(media) = self.media.take() {
            self.storage.close(media.file);
        }
    }

    /// Notes that a span ended in order.
    ///
    /// # Errors
    /// All that a disk can fail by.
    pub fn end_span(&mut self, key: Key) -> Result<(), Error> {
        end_span(&mut self.storage, &self.source, key).map_err(|error| self.failed(error))
    }

    /// Notes in the gap log that there is nothing to record from `at` on, or that there is again. Where the log cannot be
    /// written now (a full disk), it will be as soon as the storage takes it.
    pub fn gap(&mut self, at: UtcMicros, begins: bool, cause: Cause, code: u16) {
        if self.gaps.len() < GAPS {
            self.gaps.push(GapEntry { at, begins, cause, code });
        }
        // Kept where it fails.
        let _ = self.sync_gaps();
    }

    fn sync_gaps(&mut self) -> Result<(), Error> {
        while let Some(entry) = self.gaps.first() {
            append_log(&mut self.storage, &self.source, entry)?;
            self.gaps.remove(0);
        }
        Ok(())
    }

    /// Lets go of all that is open, as a crash would: the next file created finds out what of it is whole.
    fn let_go(&mut self) {
        self.close();
        self.leave();
        self.since = None;
        self.folders.clear();
    }

    fn failed(&mut self, error: Error) -> Error {
        self.stats.failures += 1;
        self.let_go();
        error
    }
}

/// The head of a file with its mark filled in.
fn sealed(mark: &FileMark, init: &InitSegment, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let at = init.bytes.len();
    let blank = FileMark::blank();
    let starts = bytes.get(..at) == Some(&*init.bytes) && bytes.get(at..at + FileMark::LEN) == Some(&*blank);
    let mut head = bytes.to_vec();
    match head.get_mut(at..at + FileMark::LEN) {
        Some(place) if starts => place.copy_from_slice(&mark.write(&init.bytes)),
        _ => return Err(Error::at(Kind::NotOurs, at as u64)),
    }
    Ok(head)
}

/// Syncs a folder that gained a name, and those above it that may have.
fn sync_new_folders(
    storage: &mut dyn Storage,
    known: &mut BTreeSet<String>,
    folder: &str,
    gained: bool,
) -> Result<(), Error> {
    if !gained {
        return Ok(());
    }
    storage.sync_folder(folder)?;
    let mut folder = folder;
    while !known.contains(folder) {
        known.insert(folder.into());
        if folder.is_empty() {
            break;
        }
        folder = folder_of(folder);
        storage.sync_folder(folder)?;
    }
    Ok(())
}

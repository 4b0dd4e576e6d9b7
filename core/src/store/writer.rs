//! Writing one camera.

mod retire;

use alloc::collections::{BTreeSet, VecDeque};
use alloc::string::String;

use super::day::Writing;
use super::gap::append_log;
use super::jobs::{Jobs, mark_late};
use super::media::{Media, Written, file_mark};
use super::recover::end_span;
use super::storage::folder_of;
use super::{Cause, Error, File, GapEntry, Kind, Options, Recovered, Source, Stats, Storage};
use crate::fragment::{Fragment, InitSegment};
use crate::gix::{Day, FileMark, Key};
use crate::segment::Output;
use crate::time::{Micros, Ticks, UtcMicros};

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
///
/// Where a crash has left much to make whole, recording starts at once and the rest is done behind: a step with each sync,
/// and as many as the caller likes with [`catch_up`](Self::catch_up).
#[derive(Debug)]
pub struct Writer<S: Storage> {
    storage: S,
    source: Source,
    options: Options,
    day: Option<Writing>,
    /// It is before two later ones, and marked so.
    late: bool,
    media: Option<Media>,
    /// Other days that are being made whole.
    jobs: Jobs,
    /// Folders whose names, and those of the folders above, are synced.
    folders: BTreeSet<String>,
    /// When the oldest picture came that is not yet synced.
    since: Option<Micros>,
    gaps: VecDeque<GapEntry>,
    /// Where the last fragment written ends.
    end: Option<UtcMicros>,
    /// Another says when to sync.
    together: bool,
    stats: Stats,
    found: Recovered,
}

impl<S: Storage> Writer<S> {
    /// Opens a camera for writing, and makes its last days whole, whatever happened to them: at once where no more than
    /// [`Options::at_once`] has to be read for it, else behind. Gives what was found at once.
    ///
    /// # Errors
    /// [`Kind::Locked`] where another process writes it; all that a disk can fail by.
    pub fn open(mut storage: S, source: Source, options: Options) -> Result<(Self, Recovered), Error> {
        storage.lock(&alloc::format!("{source}"))?;
        let (jobs, found) = Jobs::start(&mut storage, &source, options.at_once)?;
        let writer = Self {
            storage,
            source,
            options,
            day: None,
            late: false,
            media: None,
            jobs,
            folders: BTreeSet::new(),
            since: None,
            gaps: VecDeque::new(),
            end: found.end,
            together: false,
            stats: Stats::default(),
            found,
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

    /// How it writes.
    #[must_use]
    pub const fn options(&self) -> Options {
        self.options
    }

    /// Where the last fragment written ends.
    #[must_use]
    pub const fn end(&self) -> Option<UtcMicros> {
        self.end
    }

    /// Is a media file open?
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.media.is_some()
    }

    /// Bytes of fragments that are held and not yet written.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.media.as_ref().map_or(0, Media::held)
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

    /// Is something left by a crash still being made whole?
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.day.as_ref().is_some_and(Writing::is_behind) || !self.jobs.is_empty()
    }

    /// What recovery has found and done so far.
    #[must_use]
    pub const fn recovered(&self) -> Recovered {
        self.found
    }

    /// Makes a little more whole: reads a file at most. Gives whether there is more to do.
    ///
    /// # Errors
    /// All that a disk can fail by. Recording is not concerned; a later call tries again.
    pub fn catch_up(&mut self) -> Result<bool, Error> {
        if let Some(day) = self.day.as_mut().filter(|day| day.is_behind()) {
            if let Some(done) = day.step(&mut self.storage, &self.source)? {
                self.found.add(done.found());
            }
        } else {
            self.jobs.step(&mut self.storage, &self.source, &mut self.found)?;
        }
        Ok(self.is_behind())
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
        match self.begin(key, init, bytes) {
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
        self.storage.room()?;
        let (key, file) = self.create_free(key)?;
        let path = alloc::format!("{}/{key}", self.source);
        let Some(day) = &mut self.day else { return Err(Kind::NoFile.into()) };
        let mark = file_mark(&self.source, day.next, key, init, bytes.len());
        match Media::begin(&mut self.storage, file, path.clone(), mark, init, bytes) {
            Ok(media) => self.media = Some(media),
            Err(error) => {
                self.storage.close(file);
                // Empty or torn, and never synced: recovery would do the same.
                let _ = self.storage.remove(&path);
                return Err(error);
            }
        }
        day.next = day.next.saturating_add(1);
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
        if self.day.as_ref().is_some_and(|writing| writing.day == day) {
            return Ok(());
        }
        self.leave();
        // The new day's folders are not those of yesterday, which need not be remembered.
        self.folders.clear();
        let recovery = self.jobs.take(&mut self.storage, &self.source, day)?;
        let (writing, found) =
            Writing::open(&mut self.storage, recovery, &self.source, self.options.at_once)?;
        self.found.add(&found);
        self.late = mark_late(&mut self.storage, &self.source, day)?;
        self.jobs.note(&mut self.storage, &self.source)?;
        self.day = Some(writing);
        Ok(())
    }

    fn leave(&mut self) {
        let Some(writing) = self.day.take() else { return };
        if writing.is_behind() || self.late {
            self.jobs.add(writing.day);
        }
        writing.close(&mut self.storage);
    }

    /// Appends a fragment, which starts at `offset` of the file; its body is not copied.
    ///
    /// # Errors
    /// [`Kind::NoFile`] where none is open, [`Kind::NotOurs`], [`Kind::TooLong`]; all that a disk can fail by.
    pub fn append(&mut self, now: Micros, fragment: &Fragment, offset: u64) -> Result<(), Error> {
        let held = match &mut self.media {
            Some(media) => media.hold(fragment, offset).map(|()| media.held()),
            None => Err(Kind::NoFile.into()),
        };
        let written = held.and_then(|held| if held > self.options.hold { self.write() } else { Ok(()) });
        written.map_err(|error| self.failed(error))?;
        // Its first picture came about so long ago.
        let lasts = Ticks::micros(i64::try_from(fragment.duration).unwrap_or(i64::MAX));
        let came = Micros(now.0.saturating_sub(u64::try_from(lasts).unwrap_or(0)));
        self.since = Some(self.since.map_or(came, |since| since.min(came)));
        if self.together { Ok(()) } else { self.handle_timeout(now) }
    }

    /// Writes what is held.
    fn write(&mut self) -> Result<(), Error> {
        let Some(media) = &mut self.media else { return Ok(()) };
        if media.held() == 0 {
            return Ok(());
        }
        self.storage.room()?;
        let mut written = Written::default();
        let done = media.write(&mut self.storage, &mut written);
        self.stats.fragments += written.fragments;
        self.stats.bytes += written.bytes;
        self.end = written.end.or(self.end);
        done
    }

    /// Writes what is held and syncs, media before index.
    ///
    /// # Errors
    /// All that a disk can fail by.
    pub fn sync(&mut self) -> Result<(), Error> {
        self.begin_sync();
        let done = self
            .sync_media()
            .and_then(|()| self.append_index())
            .and_then(|more| if more { self.sync_index() } else { Ok(()) });
        done.map_err(|error| self.failed(error))
    }

    /// The steps of a sync, which `together` takes for many writers at once. Where one fails, [`Self::failed`].
    pub(super) fn begin_sync(&mut self) {
        self.since = None;
        // A gap log that cannot be written keeps no footage from the disk; neither does what is made whole behind.
        let _ = self.sync_gaps();
        if self.is_behind() {
            let _ = self.catch_up();
        }
    }

    pub(super) fn sync_media(&mut self) -> Result<(), Error> {
        self.write()?;
        let Some(media) = &mut self.media else { return Ok(()) };
        if media.pending.is_empty() {
            return Ok(());
        }
        self.storage.sync(media.file)?;
        sync_new_folders(&mut self.storage, &mut self.folders, folder_of(&media.path), !media.named)?;
        media.named = true;
        // Here is the barrier: from now on the index may say so.
        self.stats.synced += media.pending.len() as u64;
        self.stats.syncs += 1;
        if let Some(day) = &mut self.day {
            day.take(&media.mark, &media.init, &mut media.pending);
        }
        media.pending.clear();
        Ok(())
    }

    /// Gives whether the index is to be synced.
    pub(super) fn append_index(&mut self) -> Result<bool, Error> {
        self.day.as_mut().map_or(Ok(false), |day| day.flush(&mut self.storage, &self.source))
    }

    pub(super) fn sync_index(&mut self) -> Result<(), Error> {
        self.day.as_mut().map_or(Ok(()), |day| day.sync(&mut self.storage, &self.source))
    }

    /// When it wants [`handle_timeout`](Self::handle_timeout) to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        self.since.map(|since| since.plus(self.options.rpo))
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

    /// Closes the file that is open, if one is. What of it is not synced may be lost.
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
            self.gaps.push_back(GapEntry { at, begins, cause, code });
        }
        // Kept where it fails.
        let _ = self.sync_gaps();
    }

    fn sync_gaps(&mut self) -> Result<(), Error> {
        while let Some(entry) = self.gaps.front() {
            append_log(&mut self.storage, &self.source, entry)?;
            self.gaps.pop_front();
        }
        Ok(())
    }

    /// The gap entries that no log holds yet.
    pub(crate) fn take_gaps(&mut self) -> impl Iterator<Item = GapEntry> {
        core::mem::take(&mut self.gaps).into_iter()
    }

    /// From now on it syncs when all writers of its volume do, not by itself.
    pub(crate) const fn sync_together(&mut self) {
        self.together = true;
    }

    /// Lets go of all that is open, as a crash would: the next file created finds out what of it is whole.
    fn let_go(&mut self) {
        self.close();
        self.leave();
        self.since = None;
        self.folders.clear();
    }

    pub(super) fn failed(&mut self, error: Error) -> Error {
        self.stats.failures += 1;
        let day = self.day.as_ref().map(|writing| (writing.day, writing.is_behind()));
        self.let_go();
        if let Some((day, behind)) = day {
            self.jobs.add(day);
            // On a full disk what is open is closed in the reserve's room, as after a crash.
            if error.kind == Kind::Full && !behind && self.storage.spend_reserve().unwrap_or(false) {
                let _ = self.jobs.finish(&mut self.storage, &self.source, day, &mut self.found);
            }
        }
        error
    }
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

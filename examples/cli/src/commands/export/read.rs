//! The stored stream of a range: read once in order for the plan, then by place.

use std::collections::BTreeMap;

use vigie::bmff;
use vigie::gix::{Entry, FragmentMark, Id, Key, Span};
use vigie::limits::Limits;
use vigie::play::{self, Local};
use vigie::store::{self, Access, File, FileStorage, Listing, Merged, Source, Storage as _};
use vigie::time::UtcMicros;
use vigie::view::export::{Export, Part};

use crate::commands::stop::Stop;
use crate::explain;
use crate::failure::Failure;
use crate::moment::utc_now;
use crate::output::Progress;
use crate::stores::Stores;

/// How long before the range a file may begin whose pictures are needed in it, microseconds: an hour.
const BEFORE: i64 = 3_600_000_000;

/// A stored fragment, and the file that it is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) entry: Entry,
    pub(super) key: Key,
}

/// What of one camera is exported.
pub(super) struct Reader<'a> {
    pub(super) storage: Merged<FileStorage>,
    pub(super) source: Source,
    pub(super) window: Span,
    pub(super) stores: &'a Stores,
    pub(super) listing: Listing,
    /// The fragments, by the number that the plan knows them by.
    pub(super) stored: Vec<Stored>,
    pub(super) damaged: Vec<(Span, play::Error)>,
    stop: &'a Stop,
    /// The file read last.
    open: Option<(Key, File)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        mut storage: Merged<FileStorage>,
        source: Source,
        window: Span,
        stores: &'a Stores,
        stop: &'a Stop,
    ) -> Result<Self, Failure> {
        let listing = Listing::load(&mut storage, &source, window);
        let listing = listing.map_err(|e| explain::store("read", &stores.name(), &e))?;
        let (stored, damaged) = (Vec::new(), Vec::new());
        Ok(Self { storage, source, window, stores, listing, stored, damaged, stop, open: None })
    }

    /// The camera's sound; `None` where there is none.
    pub(super) fn sound(&self) -> Result<Option<Self>, Failure> {
        let Ok(source) = self.source.audio() else { return Ok(None) };
        let mut storage = self.storage.clone();
        let days = store::days(&mut storage, &source).map_err(|e| self.failed(&e))?;
        if days.is_empty() {
            return Ok(None);
        }
        Self::new(storage, source, self.window, self.stores, self.stop).map(Some)
    }

    /// # Errors
    /// Ctrl-C: what is not whole goes.
    fn go_on(&self) -> Result<(), Failure> {
        if self.stop.told() {
            return Err(Failure::new(
                "the export was interrupted; nothing of it was kept",
                "run the same command again",
            ));
        }
        Ok(())
    }

    fn failed(&self, error: &store::Error) -> Failure {
        explain::store("read", &self.stores.name(), error)
    }

    /// Shows `plan` all from the fragment that decoding has to start at, to the last that may show a picture of the range.
    /// Each fragment's checksum is proved.
    pub(super) fn plan(&mut self, mut plan: Export, progress: &Progress) -> Result<Export, Failure> {
        let keys = self.keys()?;
        let mut local = Local::new(self.storage.clone(), self.source);
        local.seek(self.window.from);
        let all = self.window.to.0.saturating_sub(self.window.from.0).max(1);
        loop {
            self.go_on()?;
            let bug = |e: bmff::Error| explain::bug("the recording cannot be put into an MP4", &e);
            match local.next(utc_now()).map_err(|e| self.failed(&e))? {
                play::Output::Init { bytes, .. } => plan.init(&bytes).map_err(bug)?,
                play::Output::Fragment { entry, .. } if entry.span().from >= self.window.to => break,
                play::Output::Fragment { bytes, entry, .. } => {
                    let key = *keys.get(&entry.mark.file.0).ok_or_else(changed)?;
                    plan.fragment(self.stored.len() as u64, &bytes).map_err(bug)?;
                    self.stored.push(Stored { entry, key });
                    let done = entry.mark.end().0.saturating_sub(self.window.from.0).clamp(0, all);
                    progress.say(format!("reading {}: {} %", self.source, done * 100 / all));
                }
                play::Output::Gap(gap) if gap.to >= self.window.to => break,
                play::Output::Damaged { span, error } => {
                    self.damaged.push((span.and(self.window), error));
                }
                play::Output::End => break,
                play::Output::Failed(error) => {
                    return Err(Failure::fault(
                        "the recording cannot be read",
                        &error,
                        "record the camera once more into this store: opening it makes the index anew",
                    ));
                }
                _ => {}
            }
        }
        // What was recorded meanwhile may be in the plan already.
        let listing = Listing::load(&mut self.storage, &self.source, self.window);
        self.listing = listing.map_err(|e| self.failed(&e))?;
        Ok(plan)
    }

    /// Until when the stream was read. What is recorded later is not in the plan.
    pub(super) fn until(&self) -> UtcMicros {
        let stored = self.stored.iter().map(|stored| stored.entry.mark.end());
        stored.chain(self.damaged.iter().map(|(span, _)| span.to)).max().unwrap_or(self.window.from)
    }

    /// A plan of the sound: what belongs to it is decided by the pictures.
    pub(super) fn plan_sound(&mut self, progress: &Progress) -> Result<Export, Failure> {
        self.plan(Export::new(self.window.from, self.window.to, &Limits::default()), progress)
    }

    /// The files that fragments of the range may be in, by their ids.
    fn keys(&mut self) -> Result<BTreeMap<[u8; 16], Key>, Failure> {
        let window = Span::new(self.window.from.plus(-BEFORE), self.window.to);
        let wide = Listing::load(&mut self.storage, &self.source, window).map_err(|e| self.failed(&e))?;
        let id = |Id(id): Id| id;
        Ok(wide.segments.iter().map(|file| (id(file.id), file.key)).collect())
    }

    /// Reads bytes of a stored file.
    pub(super) fn bytes(&mut self, key: Key, offset: u64, len: usize) -> Result<Vec<u8>, Failure> {
        self.go_on()?;
        let file = self.file(key)?;
        let mut bytes = vec![0; len];
        let n = self.storage.read_at(file, offset, &mut bytes).map_err(|e| self.failed(&e))?;
        bytes.truncate(n);
        Ok(bytes)
    }

    /// How long a stored file is.
    pub(super) fn len(&mut self, key: Key) -> Result<u64, Failure> {
        let file = self.file(key)?;
        self.storage.len(file).map_err(|e| self.failed(&e))
    }

    fn file(&mut self, key: Key) -> Result<File, Failure> {
        if let Some((open, file)) = self.open {
            if open == key {
                return Ok(file);
            }
            self.storage.close(file);
            self.open = None;
        }
        let path = Listing::path(&self.source, key);
        match self.storage.open(&path, Access::Read) {
            Ok(file) => {
                self.open = Some((key, file));
                Ok(file)
            }
            Err(error) if error.kind == store::Kind::NotFound => Err(changed()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// A whole fragment, its checksum proved once more.
    pub(super) fn fragment(&mut self, stored: &Stored) -> Result<Vec<u8>, Failure> {
        let len = stored.entry.mark.len as usize;
        let bytes = self.bytes(stored.key, stored.entry.offset, len)?;
        let passes = bytes.len() == len && FragmentMark::passes(&bytes, stored.entry.mark.crc);
        passes.then_some(bytes).ok_or_else(changed)
    }

    /// Copies parts of fragments, in order.
    pub(super) fn copy(
        &mut self,
        parts: &[Part],
        mut out: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        for parts in parts.chunk_by(|a, b| a.fragment == b.fragment) {
            let number = parts.first().map_or(0, |part| part.fragment);
            let stored = usize::try_from(number).ok().and_then(|n| self.stored.get(n)).copied();
            let bytes = self.fragment(&stored.ok_or_else(changed)?)?;
            for part in parts {
                let range =
                    usize::try_from(part.offset).ok().zip(usize::try_from(part.offset + part.len).ok());
                out(range.and_then(|(from, to)| bytes.get(from..to)).ok_or_else(changed)?)?;
            }
        }
        Ok(())
    }
}

fn changed() -> Failure {
    Failure::new(
        "the recording was changed while it was exported",
        "export again; footage whose time is over may just have been deleted",
    )
}

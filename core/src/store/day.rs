//! The day that is written to, and its index.

use alloc::boxed::Box;
use alloc::vec::Vec;
use bytes::Bytes;

use super::recover::{Recovered, Recovery, open_index};
use super::{Error, File, Source, Storage, index_path};
use crate::gix::{Builder, Day, FileMark, FragmentMark, Id};

/// The day that is written to. While recovery of what was there before runs behind, the records of what is written now
/// wait: the index holds the day's files in their order.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) day: Day,
    /// Ordinal of the next file.
    pub(super) next: u32,
    state: State,
    index: Option<File>,
    /// The index was created and its folder not synced since.
    new: bool,
    /// On the disk, not in the index.
    waiting: Vec<Waiting>,
    /// The file that the builder knows as its last.
    announced: Option<Id>,
}

#[derive(Debug)]
enum State {
    Whole(Box<Builder>),
    Behind(Box<Recovery>),
}

#[derive(Debug)]
struct Waiting {
    mark: FileMark,
    init: Bytes,
    fragments: Vec<(u64, FragmentMark)>,
}

impl Writing {
    /// Makes the day whole first where no more than `at_once` bytes of media have to be read for it.
    pub(super) fn open(
        storage: &mut dyn Storage,
        recovery: Recovery,
        source: &Source,
        at_once: u64,
    ) -> Result<(Self, Recovered), Error> {
        let mut found = Recovered::default();
        let mut day = Self {
            day: recovery.day(),
            next: recovery.next(),
            state: State::Behind(Box::new(recovery)),
            index: None,
            new: false,
            waiting: Vec::new(),
            announced: None,
        };
        while matches!(&day.state, State::Behind(recovery) if recovery.left() <= at_once) {
            if let Some(done) = day.step(storage, source)? {
                found = *done.found();
            }
        }
        Ok((day, found))
    }

    pub(super) const fn is_behind(&self) -> bool {
        matches!(self.state, State::Behind(_))
    }

    /// Does one step of the recovery; gives it once it is done.
    pub(super) fn step(
        &mut self,
        storage: &mut dyn Storage,
        source: &Source,
    ) -> Result<Option<Box<Recovery>>, Error> {
        let State::Behind(recovery) = &mut self.state else { return Ok(None) };
        let Some(builder) = recovery.step(storage)? else { return Ok(None) };
        self.index = open_index(storage, source, self.day, &builder)?;
        let before = core::mem::replace(&mut self.state, State::Whole(Box::new(builder)));
        if self.flush(storage, source)? {
            self.sync(storage, source)?;
        }
        Ok(match before {
            State::Behind(recovery) => Some(recovery),
            State::Whole(_) => None,
        })
    }

    /// These fragments are on the disk from now on.
    pub(super) fn take(&mut self, mark: &FileMark, init: &Bytes, fragments: &mut Vec<(u64, FragmentMark)>) {
        match self.waiting.last_mut().filter(|file| file.mark.id == mark.id) {
            Some(file) => file.fragments.append(fragments),
            None => {
                let fragments = core::mem::take(fragments);
                self.waiting.push(Waiting { mark: mark.clone(), init: init.clone(), fragments });
            }
        }
    }

    /// Appends the records of what is on the disk; nothing while recovery runs.
    pub(super) fn flush(&mut self, storage: &mut dyn Storage, source: &Source) -> Result<bool, Error> {
        let State::Whole(builder) = &mut self.state else { return Ok(false) };
        let mut records = Vec::new();
        for file in self.waiting.drain(..) {
            if self.announced != Some(file.mark.id) {
                builder.file(&file.mark, &file.init);
                self.announced = Some(file.mark.id);
            }
            for (offset, mark) in &file.fragments {
                builder.fragment(*offset, mark, &mut records);
            }
        }
        if records.is_empty() {
            return Ok(false);
        }
        let index = match self.index {
            Some(index) => index,
            None => {
                self.new = true;
                *self.index.insert(storage.create_new(&index_path(source, self.day))?)
            }
        };
        storage.append(index, &[&records])?;
        Ok(true)
    }

    /// Syncs the index.
    pub(super) fn sync(&mut self, storage: &mut dyn Storage, source: &Source) -> Result<(), Error> {
        let Some(index) = self.index else { return Ok(()) };
        storage.sync(index)?;
        if self.new {
            storage.sync_folder(&alloc::format!("{source}"))?;
            self.new = false;
        }
        Ok(())
    }

    /// Its index and what writes on in it, for who makes another one of it; `None` while recovery runs.
    pub(super) fn index(&mut self) -> Option<(&mut Builder, &mut Option<File>)> {
        match &mut self.state {
            State::Whole(builder) => Some((builder, &mut self.index)),
            State::Behind(_) => None,
        }
    }

    pub(super) fn close(self, storage: &mut dyn Storage) {
        if let Some(index) = self.index {
            storage.close(index);
        }
    }
}

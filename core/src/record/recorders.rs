//! Cameras that are recorded to one volume, by one thread.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Recorder;
use crate::store::{Error, Source, Storage, together};
use crate::time::Micros;

/// The recorders of one volume: they sync together, when the first of them has to, so that a disk with many cameras seeks
/// once for all of them and not for each at a moment of its own. Run one, with a thread, per volume.
///
/// Give each access unit to its [`recorder`](Self::recorder), and call [`handle_timeout`](Self::handle_timeout) of this, not
/// of the recorders, at the time of [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Recorders<S: Storage> {
    recorders: BTreeMap<Source, Recorder<S>>,
    /// Bytes held in memory, of all.
    hold: u64,
}

impl<S: Storage> Recorders<S> {
    /// None yet. `hold`: bytes of all of them that may be held in memory between two syncs (see
    /// [`Options::hold`](crate::store::Options::hold), which is of each); where there are more, all are written.
    #[must_use]
    pub const fn new(hold: u64) -> Self {
        Self { recorders: BTreeMap::new(), hold }
    }

    /// Adds a camera; gives back the recorder that it had.
    pub fn add(&mut self, mut recorder: Recorder<S>) -> Option<Recorder<S>> {
        recorder.writer().sync_together();
        self.recorders.insert(*recorder.source(), recorder)
    }

    /// Takes a camera out. Its recorder is not finished.
    pub fn remove(&mut self, source: &Source) -> Option<Recorder<S>> {
        self.recorders.remove(source)
    }

    /// A camera's recorder.
    pub fn recorder(&mut self, source: &Source) -> Option<&mut Recorder<S>> {
        self.recorders.get_mut(source)
    }

    /// All of them.
    pub fn iter(&mut self) -> impl Iterator<Item = &mut Recorder<S>> {
        self.recorders.values_mut()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout): when the first of them has to sync.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        let held: u64 = self.recorders.values().map(Recorder::held).sum();
        let due = self.recorders.values().filter_map(Recorder::poll_timeout).min();
        if held > self.hold { due.map(|_| Micros(0)) } else { due }
    }

    /// Syncs all that have something to sync, if it is time: media of all, then indexes of all. Gives what failed; those
    /// recorders go on as after any failure, and the others are not concerned.
    pub fn handle_timeout(&mut self, now: Micros) -> Vec<(Source, Error)> {
        if self.poll_timeout().is_none_or(|due| due > now) {
            return Vec::new();
        }
        // Of those that hold too much, none may be due by itself: they are, all together.
        let due =
            self.recorders.values().filter_map(Recorder::poll_timeout).min().map_or(now, |due| due.max(now));
        let failed = together::handle_timeout(due, self.recorders.values_mut().map(Recorder::writer));
        let sources: Vec<Source> = self.recorders.keys().copied().collect();
        let named = failed.into_iter().filter_map(|(place, error)| Some((*sources.get(place)?, error)));
        let failed: Vec<(Source, Error)> = named.collect();
        for (source, error) in &failed {
            if let Some(recorder) = self.recorders.get_mut(source) {
                recorder.store_failed(now, *error);
            }
        }
        failed
    }
}

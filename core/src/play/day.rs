//! A day's index, as far as it was read.

use crate::gix::{Cover, Day, Entry, Error, Flags, Index};
use crate::time::UtcMicros;

/// A day of the archive.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) index: Index,
    /// What covers which moment, by place in the index.
    cover: Cover<u32>,
    covered: usize,
    /// At which look its end was reached last.
    pub(super) ended: Option<u64>,
    /// Told that it is damaged.
    pub(super) told: bool,
}

impl Loaded {
    /// Of which nothing is read yet.
    pub(super) fn new(day: Day) -> Self {
        Self { index: Index::new(day), cover: Cover::default(), covered: 0, ended: None, told: false }
    }

    /// Takes bytes of the index from [`Index::wanted`] on.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let done = self.index.push(bytes);
        for (n, entry) in self.index.entries().iter().enumerate().skip(self.covered) {
            self.cover.add(entry.span(), entry.continues, n as u32);
        }
        self.covered = self.index.entries().len();
        done
    }

    pub(super) fn entry(&self, place: u32) -> Option<&Entry> {
        self.index.entries().get(place as usize)
    }

    pub(super) const fn cover(&self) -> &Cover<u32> {
        &self.cover
    }

    /// The entry that shows `utc`; `Ok(None)` where nothing does, and `Err` the first after it.
    pub(super) fn at(&self, utc: UtcMicros) -> Result<Option<u32>, (UtcMicros, u32)> {
        match self.cover.at(utc) {
            None => Ok(None),
            Some((span, place)) if span.from <= utc => Ok(Some(place)),
            Some((span, place)) => Err((span.from, place)),
        }
    }

    /// Where decoding has to start to show the entry at `place`.
    pub(super) fn start(&self, place: u32) -> u32 {
        let mut at = place;
        while let Some(entry) = self.entry(at) {
            let alone = entry.mark.flags.has(Flags::RANDOM_ACCESS) || !entry.continues;
            match at.checked_sub(1) {
                Some(before) if !alone => at = before,
                _ => break,
            }
        }
        at
    }
}

//! What waits for a slow disk, within bounds.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that all backlogs together may hold.
#[derive(Debug)]
pub struct Budget {
    most: usize,
    used: AtomicUsize,
}

impl Budget {
    /// At most so many bytes.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, used: AtomicUsize::new(0) })
    }

    /// Bytes held now.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        let more = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.most);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What something that waits is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sort {
    /// A picture at which decoding can start.
    Start,
    /// A picture that needs those before it.
    Continues,
    /// Not a picture, and of no use without those around it: a sender report.
    Beside,
    /// Not a picture, and never to be lost: an interruption.
    Word,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next<T> {
    /// It came in this order.
    Item(T),
    /// Pictures that came here were dropped, since the disk was too slow: tell the recorder that it was
    /// [`interrupted`](super::Recorder::interrupted) by the storage.
    Dropped(Dropped),
}

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// Pictures.
    pub pictures: u64,
    /// Their bytes.
    pub bytes: u64,
}

#[derive(Debug)]
enum Entry<T> {
    Item { item: T, bytes: usize, sort: Sort },
    Dropped(Dropped),
}

/// Pictures of one source between the network and the thread that writes: bounded in bytes, by a cap of its own and by a
/// [`Budget`] that all sources share. When the disk is too slow, whole GOPs are dropped, the oldest first, and whoever
/// [`pop`](Self::pop)s is told where.
///
/// ```
/// use vigie::record::{Backlog, Budget, Next, Sort};
/// let mut backlog = Backlog::new(3_000, Budget::new(1 << 30));
/// for n in 0..10 {
///     backlog.push(n, 900, if n % 3 == 0 { Sort::Start } else { Sort::Continues });
/// }
/// assert!(matches!(backlog.pop(), Some(Next::Dropped(dropped)) if dropped.pictures == 9));
/// assert_eq!(backlog.pop(), Some(Next::Item(9)));
/// ```
#[derive(Debug)]
pub struct Backlog<T> {
    entries: VecDeque<Entry<T>>,
    bytes: usize,
    most: usize,
    budget: Arc<Budget>,
    /// What came before was dropped up to its end: what continues it is of no use.
    broken: bool,
    dropped: Dropped,
}

/// What an entry takes besides its picture's bytes.
const ENTRY: usize = 128;

impl<T> Backlog<T> {
    /// Holds at most so many bytes.
    #[must_use]
    pub const fn new(most: usize, budget: Arc<Budget>) -> Self {
        let dropped = Dropped { pictures: 0, bytes: 0 };
        Self { entries: VecDeque::new(), bytes: 0, most, budget, broken: false, dropped }
    }

    /// Bytes that wait.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Does nothing wait?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All that was dropped so far.
    #[must_use]
    pub const fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Takes something of `bytes`.
    pub fn push(&mut self, item: T, bytes: usize, sort: Sort) {
        let bytes = bytes.saturating_add(ENTRY);
        if sort == Sort::Start {
            self.broken = false;
        }
        if self.broken && sort == Sort::Continues {
            return self.note(bytes);
        }
        let mut counted = bytes;
        while !self.take(bytes) {
            if self.drop_oldest() {
                continue;
            }
            // Nothing of its own is left to drop. A word is kept whatever it costs: there are few.
            match sort {
                Sort::Word => {
                    counted = 0;
                    break;
                }
                Sort::Beside => return,
                Sort::Start | Sort::Continues => {
                    self.broken = true;
                    return self.note(bytes);
                }
            }
        }
        if self.broken && sort == Sort::Continues {
            // Its own GOP had to go.
            self.release(bytes);
            return self.note(bytes);
        }
        self.broken &= sort != Sort::Start;
        self.entries.push_back(Entry::Item { item, bytes: counted, sort });
    }

    /// What comes next.
    pub fn pop(&mut self) -> Option<Next<T>> {
        Some(match self.entries.pop_front()? {
            Entry::Item { item, bytes, .. } => {
                self.release(bytes);
                Next::Item(item)
            }
            Entry::Dropped(dropped) => Next::Dropped(dropped),
        })
    }

    fn take(&mut self, bytes: usize) -> bool {
        let fits = self.bytes.saturating_add(bytes) <= self.most && self.budget.take(bytes);
        if fits {
            self.bytes += bytes;
        }
        fits
    }

    fn release(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.budget.give(bytes);
    }

    /// A picture that is dropped as it comes.
    fn note(&mut self, bytes: usize) {
        let bytes = (bytes - ENTRY) as u64;
        self.dropped.pictures += 1;
        self.dropped.bytes += bytes;
        match self.entries.back_mut() {
            Some(Entry::Dropped(dropped)) => {
                dropped.pictures += 1;
                dropped.bytes += bytes;
            }
            _ => self.entries.push_back(Entry::Dropped(Dropped { pictures: 1, bytes })),
        }
    }

    /// Drops the oldest pictures up to the next at which decoding can start; `false` where there are none.
    fn drop_oldest(&mut self) -> bool {
        let picture =
            |entry: &Entry<T>| matches!(entry, Entry::Item { sort: Sort::Start | Sort::Continues, .. });
        let start = |entry: &Entry<T>| matches!(entry, Entry::Item { sort: Sort::Start, .. });
        let Some(first) = self.entries.iter().position(picture) else { return false };
        let next = self.entries.iter().skip(first + 1).position(start).map(|at| first + 1 + at);
        self.broken |= next.is_none();
        let rest = next.map_or_else(VecDeque::new, |next| self.entries.split_off(next));
        let mut dropped = Dropped::default();
        let mut kept = VecDeque::new();
        for entry in core::mem::take(&mut self.entries) {
            match entry {
                Entry::Item { bytes, sort: Sort::Start | Sort::Continues, .. } => {
                    self.release(bytes);
                    dropped.pictures += 1;
                    dropped.bytes += (bytes - ENTRY) as u64;
                }
                Entry::Item { bytes, sort: Sort::Beside, .. } => self.release(bytes),
                Entry::Item { .. } => kept.push_back(entry),
                // Two holes beside each other are one.
                Entry::Dropped(before) => {
                    dropped.pictures += before.pictures;
                    dropped.bytes += before.bytes;
                    self.dropped.pictures -= before.pictures;
                    self.dropped.bytes -= before.bytes;
                }
            }
        }
        self.dropped.pictures += dropped.pictures;
        self.dropped.bytes += dropped.bytes;
        kept.push_back(Entry::Dropped(dropped));
        kept.extend(rest);
        self.entries = kept;
        true
    }
}

impl<T> Drop for Backlog<T> {
    fn drop(&mut self) {
        self.budget.give(self.bytes);
    }
}

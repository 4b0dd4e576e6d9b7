//! The receive buffer itself: where bytes are put, and how many connections share one.

use alloc::vec;
use alloc::vec::Vec;

use super::{Input, LARGEST};

/// Bytes that are moved at every read: two packets, as cameras send them.
const LITTLE: usize = 4 << 10;

impl Input {
    /// Where to put the bytes that come next. Empty only if the items there are were not read.
    pub fn spare(&mut self) -> &mut [u8] {
        if self.buffer.is_empty() {
            // Zeroed by the system where it can: pages that are never written cost nothing.
            self.take_back(vec![0; self.capacity]);
        } else if self.buffer.len() < self.capacity {
            self.buffer.resize(self.capacity, 0);
        }
        let kept = self.last_packet.unwrap_or(self.start);
        // To the front where that is little: what is read next lies where it lay, in a cache and in memory that is mapped.
        if kept > 0 && (self.end - kept <= LITTLE || self.buffer.len() - self.end < LARGEST) {
            self.buffer.copy_within(kept..self.end, 0);
            self.moved(kept);
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// Says how many bytes were put into [`Input::spare`].
    pub fn filled(&mut self, bytes: usize) {
        self.end = (self.end + bytes).min(self.buffer.len());
    }

    /// Copies what fits of `bytes` and says how much that was.
    pub fn copy(&mut self, bytes: &[u8]) -> usize {
        let spare = self.spare();
        let n = spare.len().min(bytes.len());
        if let (Some(to), Some(from)) = (spare.get_mut(..n), bytes.get(..n)) {
            to.copy_from_slice(from);
        }
        self.filled(n);
        n
    }

    /// Bytes that were received and not yet read.
    #[must_use]
    pub const fn unread(&self) -> usize {
        self.end - self.start
    }

    /// Gives the buffer away, where next to nothing in it is still wanted, for [`spare`](Self::spare) of another connection:
    /// one that many share stays in the processor's cache, those of many that are read in turn do not.
    pub fn lend_buffer(&mut self) -> Option<Vec<u8>> {
        let kept = self.last_packet.unwrap_or(self.start);
        // A packet that is held may be wanted without that another byte comes.
        if self.buffer.is_empty() || self.holding || self.end - kept > LITTLE {
            return None;
        }
        self.kept.clear();
        self.kept.extend_from_slice(self.buffer.get(kept..self.end).unwrap_or_default());
        self.moved(kept);
        Some(core::mem::take(&mut self.buffer))
    }

    /// Takes a buffer that another connection lent. Where it has one, or needs a larger one, gives it back.
    pub fn borrow_buffer(&mut self, buffer: Vec<u8>) -> Option<Vec<u8>> {
        if !self.buffer.is_empty() || buffer.len() < self.capacity {
            return Some(buffer);
        }
        self.take_back(buffer);
        None
    }

    fn take_back(&mut self, mut buffer: Vec<u8>) {
        if let Some(front) = buffer.get_mut(..self.kept.len()) {
            front.copy_from_slice(&self.kept);
        }
        self.buffer = buffer;
    }

    /// What was at `kept` is at the front now.
    fn moved(&mut self, kept: usize) {
        self.start -= kept;
        self.end -= kept;
        self.before += kept as u64;
        self.last_packet = self.last_packet.map(|_| 0);
    }
}

//! The side buffer: packets that came before their turn.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::rtp::sequence_distance;
use crate::time::Micros;

/// A packet that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    bytes: Vec<u8>,
    pub(super) sequence: u16,
    pub(super) received: Micros,
    /// When the first came of those that are not before it: since then what is before it is missed.
    pub(super) noticed: Micros,
    /// Another numbering starts with it.
    pub(super) restart: bool,
}

/// Where a packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    /// Behind all others.
    Last,
    /// Before one that came earlier: since then it was missed.
    Between { noticed: Micros },
    /// Nowhere: one of its number waits already.
    Known,
}

/// Buffers kept to be used again: what disorder usually takes, not what an outage does.
const SPARE: usize = 32;

/// Packets that wait, in their order. Its buffers are used again.
#[derive(Debug, Default)]
pub(super) struct Held {
    queue: VecDeque<Waiting>,
    /// The first so many have to go, whatever is missing.
    release: usize,
    /// What was taken last, lent to the caller.
    taken: Vec<u8>,
    free: Vec<Vec<u8>>,
}

impl Held {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn front(&self) -> Option<&Waiting> {
        self.queue.front()
    }

    pub(super) fn back(&self) -> Option<&Waiting> {
        self.queue.back()
    }

    pub(super) fn must_go(&self) -> bool {
        self.release > 0
    }

    /// All that waits now has to go.
    pub(super) fn release(&mut self) {
        self.release = self.queue.len();
    }

    /// One that restarts the numbering goes last, and pushes out what is before it.
    pub(super) fn insert(
        &mut self,
        bytes: &[u8],
        sequence: u16,
        received: Micros,
        restart: bool,
    ) -> Inserted {
        let mut at = self.queue.len();
        while !restart && at > self.release {
            let Some(before) = self.queue.get(at - 1) else { break };
            match sequence_distance(before.sequence, sequence) {
                0 => return Inserted::Known,
                1.. => break,
                _ => at -= 1,
            }
        }
        let mut copy = self.free.pop().unwrap_or_default();
        copy.clear();
        copy.extend_from_slice(bytes);
        // It is the last to come: nothing before it was missed any earlier for it.
        let after = self.queue.get(at).map(|after| after.noticed);
        let noticed = after.unwrap_or(received);
        self.queue.insert(at, Waiting { bytes: copy, sequence, received, noticed, restart });
        if restart {
            self.release();
        }
        after.map_or(Inserted::Last, |noticed| Inserted::Between { noticed })
    }

    /// The bytes of the first one.
    pub(super) fn take_front(&mut self) -> Option<&[u8]> {
        let front = self.queue.pop_front()?;
        self.release = self.release.saturating_sub(1);
        let before = core::mem::replace(&mut self.taken, front.bytes);
        if self.free.len() < SPARE {
            self.free.push(before);
        }
        Some(&self.taken)
    }
}

//! Where decoding can begin, and what never can be decoded.

use alloc::collections::VecDeque;

use super::Mode;
use crate::depacket::{AccessUnit, RandomAccess};
use crate::limits::Limits;
use crate::time::Micros;

/// Lets access units through from the first random access point on, without the leading pictures that refer to what
/// was before it (H.265 §8.1.3: RASL pictures of an IRAP picture with NoRaslOutputFlag are not output).
#[derive(Clone, Debug)]
pub(super) struct Gate {
    mode: Mode,
    limits: Limits,
    open: bool,
    /// Before the first random access point. A recording takes them if none comes.
    waiting: VecDeque<AccessUnit>,
    bytes: usize,
    since: Micros,
    /// RASL pictures refer to pictures that are not there.
    no_rasl: bool,
    dropped: u64,
}

impl Gate {
    pub(super) fn new(mode: Mode, limits: &Limits) -> Self {
        Self {
            mode,
            limits: *limits,
            open: false,
            waiting: VecDeque::new(),
            bytes: 0,
            since: Micros(0),
            no_rasl: false,
            dropped: 0,
        }
    }

    /// Access units that were not let through.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// What comes next refers to nothing that was before: it must start at a random access point again.
    pub(super) fn close(&mut self) {
        self.dropped += self.waiting.len() as u64;
        self.waiting = VecDeque::new();
        self.bytes = 0;
        self.open = false;
    }

    /// Is the next access unit let through, and nothing before it? Else [`hold`](Self::hold) wants it.
    #[inline]
    pub(super) fn lets_through(&mut self, unit: &AccessUnit) -> bool {
        if unit.random_access.is_some_and(RandomAccess::starts_gop) {
            self.no_rasl = !self.open
                || unit.random_access == Some(RandomAccess::Bla)
                || unit.order.is_some_and(|order| order.restart);
        }
        if self.open {
            return !(unit.skipped_leading && self.no_rasl);
        }
        if unit.random_access.is_some() && unit.parameters.is_some() {
            self.dropped += self.waiting.len() as u64;
            self.waiting = VecDeque::new();
            self.open = true;
        }
        self.open
    }

    /// Takes an access unit that is not let through now; appends to `out` what is after all.
    #[cold]
    pub(super) fn hold(&mut self, unit: AccessUnit, out: &mut VecDeque<AccessUnit>) {
        if self.open || self.mode == Mode::Live || unit.parameters.is_none() {
            self.dropped += 1;
            return;
        }
        if self.waiting.is_empty() {
            self.since = unit.received;
        }
        self.bytes = self.bytes.saturating_add(unit.data.len());
        let over = self.bytes > self.limits.fragment_bytes
            || unit.received.since(self.since) > self.limits.fragment_micros
            || self.waiting.len() >= self.limits.fragment_samples;
        self.waiting.push_back(unit);
        if over {
            self.finish(out);
        }
    }

    /// Nothing more comes, or it took too long: a camera that refreshes without ever saying so is recorded all the same.
    pub(super) fn finish(&mut self, out: &mut VecDeque<AccessUnit>) {
        self.open |= !self.waiting.is_empty();
        out.append(&mut self.waiting);
    }
}

//! NAL units that are sent in another order than they are decoded in, and how the SDP says so: the interleaved mode of
//! RFC 6184 §5.5 and §7.2.2, `sprop-max-don-diff` of RFC 7798 §6.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::h26x::{Codec, Nal, NalKind};
use crate::limits::Limits;
use crate::sdp::Media;
use crate::time::Micros;

/// NAL units that may wait where the SDP does not say how many must.
const DEPTH: usize = 32;
/// NAL units in a row whose turn is over: their numbers start anew.
const LATE_RUN: u32 = 8;

/// How payloads are made, as the SDP says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packetization {
    /// `packetization-mode` of RFC 6184; `None` where nobody said.
    pub mode: Option<u8>,
    /// Decoding order numbers are in the payloads.
    pub order: Option<DecodingOrder>,
}

/// What the SDP says of decoding order numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodingOrder {
    /// NAL units (in H.264: slices) that may have to wait for one: `sprop-interleaving-depth`,
    /// `sprop-depack-buf-nalus`.
    pub depth: usize,
    /// Bytes that these may have: `sprop-deint-buf-req`, `sprop-depack-buf-bytes`.
    pub bytes: Option<usize>,
    /// By how much a number may be behind one that was sent before it: `sprop-max-don-diff`.
    pub difference: Option<u16>,
}

impl Default for DecodingOrder {
    fn default() -> Self {
        Self { depth: DEPTH, bytes: None, difference: None }
    }
}

impl Packetization {
    /// What a media section says: packetization-mode 2 of RFC 6184, `sprop-max-don-diff` above 0 of RFC 7798.
    #[must_use]
    pub fn of(media: &Media) -> Self {
        let number = |key: &str| media.fmtp(key).and_then(|value| value.parse::<usize>().ok());
        let difference = number("sprop-max-don-diff").and_then(|diff| u16::try_from(diff).ok());
        let h264 = media.codec == Some(Codec::H264);
        let (depth, bytes) = if h264 {
            ("sprop-interleaving-depth", "sprop-deint-buf-req")
        } else {
            ("sprop-depack-buf-nalus", "sprop-depack-buf-bytes")
        };
        let numbered = if h264 { media.packetization_mode == 2 } else { media.uses_don };
        Self {
            mode: h264.then_some(media.packetization_mode),
            order: numbered.then(|| DecodingOrder {
                // 0 cannot be meant where numbers are: the difference says it all then.
                depth: number(depth).filter(|depth| *depth > 0).unwrap_or(DEPTH),
                bytes: number(bytes),
                difference,
            }),
        }
    }
}

/// A NAL unit whose number is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbered {
    /// AbsDON, RFC 6184 §5.5, RFC 7798 §4.1.
    pub(super) order: i64,
    pub(super) timestamp: u32,
    pub(super) received: Micros,
    pub(super) bytes: Vec<u8>,
    slice: bool,
}

/// What the number of a NAL unit says of its neighbour before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing is between them, or nobody knows.
    Next,
    /// Something is between them that was lost, or may be.
    Gap,
}

/// The deinterleaving (de-packetization) buffer. Its buffers are used again.
#[derive(Clone, Debug)]
pub(super) struct Deinterleaver {
    codec: Codec,
    depth: usize,
    most_units: usize,
    most_bytes: usize,
    difference: Option<i64>,
    /// In decoding order.
    waiting: VecDeque<Numbered>,
    /// Slices among them; all of them in H.265.
    counted: usize,
    bytes: usize,
    /// The one being received.
    open: Option<Numbered>,
    taken: Numbered,
    free: Vec<Vec<u8>>,
    /// The number of the NAL unit received last, as it was sent and without end.
    received: Option<(u16, i64)>,
    /// That of the NAL unit given out last.
    given: Option<i64>,
    late: u32,
    /// No number was ever left out or used twice where nothing was lost.
    consecutive: bool,
    /// NAL units given out since the last loss.
    since_loss: Option<usize>,
    /// All that waits has to go.
    release: bool,
}

/// A NAL unit came after its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Late;

/// RFC 6184 §5.5, RFC 7798 §4.1: how far `to` is ahead of `from`.
fn difference(from: u16, to: u16) -> i64 {
    match i64::from(to) - i64::from(from) {
        far @ 32_768.. => far - 65_536,
        far @ ..=-32_768 => far + 65_536,
        near => near,
    }
}

impl Deinterleaver {
    pub(super) fn new(codec: Codec, order: DecodingOrder, limits: &Limits) -> Self {
        Self {
            codec,
            depth: order.depth,
            most_units: limits.interleaved_units,
            most_bytes: order.bytes.unwrap_or(usize::MAX).min(limits.interleaved_bytes),
            difference: order.difference.filter(|difference| *difference > 0).map(i64::from),
            waiting: VecDeque::new(),
            counted: 0,
            bytes: 0,
            open: None,
            taken: Numbered::default(),
            free: Vec::new(),
            received: None,
            given: None,
            late: 0,
            consecutive: true,
            since_loss: None,
            release: false,
        }
    }

    /// A NAL unit starts. One without number follows the one received before it.
    pub(super) fn begin(&mut self, order: Option<u16>, timestamp: u32, received: Micros) {
        self.abort();
        let (number, absolute) = match (self.received, order) {
            (Some((before, at)), Some(order)) => (order, at.saturating_add(difference(before, order))),
            (Some((before, at)), None) => (before.wrapping_add(1), at.saturating_add(1)),
            (None, order) => (order.unwrap_or(0), i64::from(order.unwrap_or(0))),
        };
        self.received = Some((number, absolute));
        let mut bytes = self.free.pop().unwrap_or_default();
        bytes.clear();
        self.open = Some(Numbered { order: absolute, timestamp, received, bytes, slice: false });
    }

    /// More of it; `false` where it is too large and was dropped.
    pub(super) fn extend(&mut self, bytes: &[u8]) -> bool {
        let Some(open) = &mut self.open else { return true };
        if open.bytes.len() + bytes.len() <= self.most_bytes {
            open.bytes.extend_from_slice(bytes);
            return true;
        }
        self.abort();
        false
    }

    /// Is one being received?
    pub(super) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Its rest is missing.
    pub(super) fn abort(&mut self) {
        if let Some(open) = self.open.take() {
            self.free.push(open.bytes);
        }
    }

    /// It is whole, and waits for its turn.
    pub(super) fn end(&mut self) -> Result<(), Late> {
        let Some(mut unit) = self.open.take() else { return Ok(()) };
        if self.given.is_some_and(|given| unit.order < given) {
            self.late += 1;
            if self.late < LATE_RUN {
                self.free.push(unit.bytes);
                return Err(Late);
            }
            // The camera counts anew: what waits of the old numbers goes first.
            unit.order = self.waiting.back().map_or(self.given, |last| Some(last.order)).unwrap_or(0) + 1;
            self.received = self.received.map(|(number, _)| (number, unit.order));
            self.consecutive = false;
        }
        self.late = 0;
        let kind = Nal::new(&unit.bytes).kind(self.codec);
        unit.slice = self.codec == Codec::H265 || kind == NalKind::Slice;
        self.counted += usize::from(unit.slice);
        self.bytes += unit.bytes.len();
        let at = self.waiting.partition_point(|waiting| waiting.order <= unit.order);
        self.waiting.insert(at, unit);
        Ok(())
    }

    /// Packets are missing.
    pub(super) fn lost(&mut self) {
        self.abort();
        self.since_loss = Some(0);
    }

    /// Nothing more comes: all that waits has its turn, and what comes after it is numbered anew.
    pub(super) fn finish(&mut self) {
        self.abort();
        self.release = true;
    }

    /// The next in decoding order, if its turn is now. It is lent until the next call.
    pub(super) fn pull(&mut self) -> Option<(Step, &Numbered)> {
        let Some(first) = self.waiting.front() else {
            if core::mem::take(&mut self.release) {
                (self.received, self.given, self.since_loss) = (None, None, None);
            }
            return None;
        };
        // Nothing can come between two numbers that follow each other: no need to wait then.
        let follows = self.given.is_some_and(|given| first.order <= given.saturating_add(1));
        // "Whenever the difference between the greatest and smallest … is greater than or equal to" it, RFC 7798 §6.
        let apart = self.waiting.back().map_or(0, |last| last.order.saturating_sub(first.order));
        let due = self.counted > self.depth
            || self.difference.is_some_and(|most| apart >= most)
            || self.waiting.len() > self.most_units
            || self.bytes > self.most_bytes;
        if !(follows || due || self.release) {
            return None;
        }
        let unit = self.waiting.pop_front()?;
        self.counted = self.counted.saturating_sub(usize::from(unit.slice));
        self.bytes = self.bytes.saturating_sub(unit.bytes.len());
        let step = self.step(unit.order);
        self.given = Some(unit.order);
        let before = core::mem::replace(&mut self.taken, unit);
        self.free.push(before.bytes);
        Some((step, &self.taken))
    }

    /// May NAL units around a loss still wait?
    pub(super) fn lost_lately(&self) -> bool {
        let matters = 2 * self.depth.min(self.most_units) + 64;
        self.since_loss.is_some_and(|since| since < matters)
    }

    /// Numbers may leave some out (RFC 6184 §5.5 does not ask that they follow each other). A camera that never did so
    /// before the loss tells by them what was lost; of another nobody knows, for as long as the loss may matter.
    fn step(&mut self, order: i64) -> Step {
        // What was lost before the first was given out may have been numbered before it.
        let near = self.given.map_or(self.since_loss.is_none(), |given| order == given + 1);
        let recent = self.lost_lately();
        self.since_loss = self.since_loss.map(|since| since.saturating_add(1));
        match (near, recent) {
            (_, true) if !self.consecutive => Step::Gap,
            (true, _) => Step::Next,
            (false, true) => Step::Gap,
            (false, false) => {
                self.consecutive = false;
                Step::Next
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_compared_around_the_end() {
        for (from, to, apart) in [(0, 1, 1), (65_535, 2, 3), (2, 65_535, -3), (0, 32_767, 32_767), (7, 7, 0)]
        {
            assert_eq!(difference(from, to), apart, "{from} {to}");
        }
        // Exactly half-way, §5.5 lets the sign depend on which is the larger.
        assert_eq!((difference(0, 32_768), difference(32_768, 0)), (-32_768, 32_768));
    }

    fn give(buffer: &mut Deinterleaver, order: u16) -> Result<(), Late> {
        buffer.begin(Some(order), 0, Micros(0));
        buffer.extend(&[0x41, order as u8]);
        buffer.end()
    }

    fn all(buffer: &mut Deinterleaver) -> Vec<(Step, u8)> {
        core::iter::from_fn(|| buffer.pull().map(|(step, unit)| (step, unit.bytes[1]))).collect()
    }

    fn buffer(depth: usize) -> Deinterleaver {
        let order = DecodingOrder { depth, ..DecodingOrder::default() };
        Deinterleaver::new(Codec::H264, order, &Limits::default())
    }

    #[test]
    fn a_number_that_follows_waits_for_nothing_and_a_gap_for_the_depth() {
        let mut buffer = buffer(2);
        for (order, out) in [(5, vec![]), (4, vec![]), (6, vec![4, 5, 6]), (7, vec![7]), (9, vec![])] {
            give(&mut buffer, order).unwrap();
            assert_eq!(all(&mut buffer).iter().map(|(_, n)| *n).collect::<Vec<_>>(), out, "{order}");
        }
        buffer.lost();
        give(&mut buffer, 10).unwrap();
        give(&mut buffer, 11).unwrap();
        assert_eq!(all(&mut buffer), [(Step::Gap, 9), (Step::Next, 10), (Step::Next, 11)]);
        assert_eq!(give(&mut buffer, 8), Err(Late));
    }

    #[test]
    fn numbers_that_start_anew_are_followed() {
        let mut buffer = buffer(2);
        for order in 20_000..20_040 {
            give(&mut buffer, order).unwrap();
            assert_eq!(
                all(&mut buffer).len(),
                usize::from(order > 20_001) + 2 * usize::from(order == 20_002)
            );
        }
        let taken = (0..20).filter(|order| give(&mut buffer, *order).is_ok()).count();
        assert_eq!((taken, all(&mut buffer).len()), (13, 13));
    }

    #[test]
    fn the_caps_hold() {
        let limits = Limits { interleaved_units: 10, interleaved_bytes: 1_000, ..Limits::default() };
        let mut buffer = Deinterleaver::new(
            Codec::H264,
            DecodingOrder { depth: 32_767, ..DecodingOrder::default() },
            &limits,
        );
        for n in 0..200 {
            buffer.begin(Some(n * 2), 0, Micros(0));
            buffer.extend(&[0x41; 150]);
            buffer.end().unwrap();
            while buffer.pull().is_some() {}
            assert!(buffer.waiting.len() <= 10 && buffer.bytes <= 1_000);
        }
        buffer.begin(Some(0), 0, Micros(0));
        assert!(!buffer.extend(&[0x41; 1_001]) && !buffer.is_open());
    }

    proptest! {
        /// Whatever is sent no earlier than the depth allows comes out in decoding order.
        #[test]
        fn any_order_within_the_depth_is_undone(keys in prop::collection::vec(0_usize..6, 1..200), start: u16, step in 1_u16..4) {
            // A stable sort by index plus a delay below 6 puts no more than 5 before any.
            let mut sent: Vec<(usize, usize)> = keys.iter().enumerate().map(|(n, key)| (n + key, n)).collect();
            sent.sort_unstable();
            let mut buffer = buffer(6);
            let mut got = vec![];
            let number = |n: usize| start.wrapping_add(step.wrapping_mul(n as u16));
            for (_, n) in &sent {
                prop_assert_eq!(give(&mut buffer, number(*n)), Ok(()));
                got.extend(all(&mut buffer));
            }
            buffer.finish();
            got.extend(all(&mut buffer));
            prop_assert_eq!(got, (0..keys.len()).map(|n| (Step::Next, number(n) as u8)).collect::<Vec<_>>());
        }
    }
}

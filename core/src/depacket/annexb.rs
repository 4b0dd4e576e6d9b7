//! A byte stream (ITU-T H.264 Annex B, H.265 Annex B) to access units.

use alloc::sync::Arc;

use super::{AccessUnit, Assembler};
use crate::fault::Quirks;
use crate::h26x::{Codec, ParameterSets, annexb};
use crate::limits::Limits;
use crate::time::Micros;

/// Reads a byte stream given in pieces of any size.
///
/// [`push`](Self::push) bytes, then [`pull`](Self::pull) until `None`; at the end [`finish`](Self::finish) and pull
/// what is left. An access unit comes out when the next one starts. Its timestamp and time of arrival are 0.
///
/// ```
/// use vigie::depacket::AnnexBReader;
/// use vigie::{h26x::Codec, limits::Limits};
///
/// let mut reader = AnnexBReader::new(Codec::H264, &Limits::default());
/// reader.push(&[0, 0, 0, 1, 0x65, 0x88]); // a start code and the start of an IDR slice
/// reader.push(&[0x80, 0x40]);
/// reader.finish();
/// assert_eq!(&reader.pull().unwrap().data[..], &[0, 0, 0, 4, 0x65, 0x88, 0x80, 0x40]);
/// ```
#[derive(Clone, Debug)]
pub struct AnnexBReader {
    assembler: Assembler,
    /// A start code was seen: bytes belong to a NAL unit.
    inside: bool,
    /// Zero bytes at the end of what was pushed, up to 2: a start code may straddle two pieces.
    zeros: usize,
}

impl AnnexBReader {
    /// For a stream of `codec`; [`annexb::detect`] tells it by content.
    #[must_use]
    pub fn new(codec: Codec, limits: &Limits) -> Self {
        Self { assembler: Assembler::new(codec, limits), inside: false, zeros: 0 }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let zeros = bytes.iter().rev().take_while(|b| **b == 0).count();
        let mut rest = bytes;
        match (self.zeros, bytes) {
            (2, [1, tail @ ..]) | (1 | 2, [0, 1, tail @ ..]) => rest = self.start(tail),
            _ => {}
        }
        while let Some(at) = annexb::find(rest) {
            let (nal, tail) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            self.take(nal);
            rest = self.start(tail.get(3..).unwrap_or(&[]));
        }
        self.take(rest);
        self.zeros = if zeros == bytes.len() { self.zeros + zeros } else { zeros }.min(2);
    }

    /// A start code ends; returns what stands behind it.
    fn start<'a>(&mut self, tail: &'a [u8]) -> &'a [u8] {
        self.assembler.end_nal();
        self.assembler.begin_nal(0, Micros(0));
        self.inside = true;
        tail
    }

    /// Zero bytes before a start code may come along: the assembler drops those at the end of a NAL unit.
    fn take(&mut self, bytes: &[u8]) {
        if self.inside {
            self.assembler.extend_plain(bytes);
        }
    }

    /// The stream ended.
    pub fn finish(&mut self) {
        self.assembler.end_nal();
        self.assembler.finish();
        self.inside = false;
        self.zeros = 0;
    }

    /// The next whole access unit.
    pub fn pull(&mut self) -> Option<AccessUnit> {
        self.assembler.pull()
    }

    /// The parameter sets received so far.
    #[must_use]
    pub const fn parameters(&self) -> &Arc<ParameterSets> {
        self.assembler.parameters()
    }

    /// What was tolerated so far.
    #[must_use]
    pub const fn quirks(&self) -> &Quirks {
        self.assembler.quirks()
    }
}

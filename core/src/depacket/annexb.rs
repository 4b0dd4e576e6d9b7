//! A byte stream (ITU-T H.264 Annex B, H.265 Annex B) to access units.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use super::{AccessUnit, Assembler, PictureOrder};
use crate::fault::Quirks;
use crate::h26x::picture::{OrderCounter, Slice};
use crate::h26x::{Codec, NalKind, ParameterSets, annexb, nal_units};
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
    /// Access units that came before their parameter sets, until those come.
    early: VecDeque<AccessUnit>,
    early_bytes: usize,
    /// Parameter sets came, or it took too long.
    settled: bool,
    finished: bool,
    access_unit: usize,
}

impl AnnexBReader {
    /// For a stream of `codec`; [`annexb::detect`] tells it by content.
    #[must_use]
    pub fn new(codec: Codec, limits: &Limits) -> Self {
        Self {
            assembler: Assembler::untimed(codec, limits),
            inside: false,
            zeros: 0,
            early: VecDeque::new(),
            early_bytes: 0,
            settled: false,
            finished: false,
            access_unit: limits.access_unit,
        }
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
        self.finished = true;
        self.inside = false;
        self.zeros = 0;
    }

    /// The next whole access unit.
    pub fn pull(&mut self) -> Option<AccessUnit> {
        while !self.settled {
            let Some(unit) = self.assembler.pull() else {
                // Whatever is still without parameter sets at the end stays so.
                self.settled = self.finished;
                break;
            };
            match unit.parameters.clone() {
                Some(sets) => self.settle(&sets),
                None => self.early_bytes = self.early_bytes.saturating_add(unit.data.len()),
            }
            self.settled |= self.early_bytes > self.access_unit;
            self.early.push_back(unit);
        }
        if self.settled { self.early.pop_front().or_else(|| self.assembler.pull()) } else { None }
    }

    /// The first parameter sets: the pictures that came before them need them too (a recording cut in the middle). All
    /// that a decoder does with those is to show them in an order.
    fn settle(&mut self, sets: &Arc<ParameterSets>) {
        self.settled = true;
        let mut counter = OrderCounter::new(sets.codec());
        for unit in &mut self.early {
            let Some(nal) = nal_units(&unit.data).find(|nal| nal.kind(unit.codec) == NalKind::Slice) else {
                continue;
            };
            let slice = Slice::read(nal, unit.codec, sets);
            unit.order = counter.count(&slice, sets).map(|(count, restart)| PictureOrder { count, restart });
            unit.parameters = slice.header.is_some().then(|| Arc::clone(sets));
        }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    use super::*;
    use crate::h26x::testing::{Picture, Stream};

    fn read(codec: Codec, pieces: &[&[u8]]) -> Vec<AccessUnit> {
        let mut reader = AnnexBReader::new(codec, &Limits::default());
        let mut units = vec![];
        for piece in pieces {
            reader.push(piece);
            units.extend(core::iter::from_fn(|| reader.pull()));
        }
        reader.finish();
        units.extend(core::iter::from_fn(|| reader.pull()));
        units
    }

    fn datas(units: &[AccessUnit]) -> Vec<Vec<u8>> {
        units.iter().map(|u| u.data.to_vec()).collect()
    }

    #[test]
    fn pictures_before_their_parameter_sets_get_them() {
        let stream = Stream { order_type: 0, fields: false, reorder: None };
        let picture = |frame_num, order_lsb| Picture {
            idr: frame_num == 0,
            reference: true,
            frame_num,
            order_lsb,
            ..Picture::default()
        };
        let nals = [
            stream.slice(picture(0, 0)),
            stream.slice(picture(1, 2)),
            stream.sps(),
            stream.pps(),
            stream.slice(picture(2, 4)),
        ];
        let bytes: Vec<u8> = nals.iter().flat_map(|nal| [&[0, 0, 1], &nal[..]].concat()).collect();
        let units = read(Codec::H264, &[&bytes]);
        let counts: Vec<_> = units.iter().map(|u| u.order.unwrap().count).collect();
        assert_eq!(counts, [0, 2, 4]);
        assert!(units.iter().all(|u| u.parameters.is_some()));
        // Where none ever come, the pictures come out without.
        let bytes: Vec<u8> = nals[..2].iter().flat_map(|nal| [&[0, 0, 1], &nal[..]].concat()).collect();
        assert_eq!(read(Codec::H264, &[&bytes]).iter().filter(|u| u.parameters.is_none()).count(), 2);
    }

    /// NAL units of both codecs' looks, with start codes of 3 and more bytes and zeros behind.
    fn streams() -> impl Strategy<Value = Vec<u8>> {
        let bytes = prop::sample::select(vec![0_u8, 0, 0, 1, 1, 3, 0x26, 0x41, 0x65, 0x67, 0x80, 0xff]);
        prop::collection::vec(bytes, 0..300)
    }

    proptest! {
        #[test]
        fn split_anywhere_is_whole(bytes in streams(), h265: bool, mut cuts in prop::collection::vec(0_usize..300, 0..20)) {
            let codec = if h265 { Codec::H265 } else { Codec::H264 };
            cuts.retain(|cut| *cut <= bytes.len());
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
            let whole = datas(&read(codec, &[&bytes]));
            prop_assert_eq!(&datas(&read(codec, &pieces)), &whole);
            prop_assert_eq!(&datas(&read(codec, &bytewise)), &whole);
        }

        #[test]
        fn every_unit_is_one_of_the_stream(bytes in streams()) {
            let mut expected = annexb::units(&bytes);
            for unit in read(Codec::H264, &[&bytes]) {
                for nal in nal_units(&unit.data) {
                    prop_assert!(expected.any(|e| e == nal.bytes));
                }
            }
        }
    }
}

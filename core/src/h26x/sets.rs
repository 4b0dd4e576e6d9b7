//! The parameter sets of a stream.

use alloc::collections::BTreeMap;
use bytes::Bytes;

use super::error::{Error, Kind};
use super::h265::Vps;
use super::picture::Header;
use super::{Codec, Nal, NalKind, VideoFormat, format, h264, h265};
use crate::fault::Offset;

/// The parameter sets of a stream, by id, and which sequence parameter set is active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSets {
    codec: Codec,
    active: Option<u8>,
    vps: BTreeMap<u8, (Bytes, h265::Vps)>,
    sps: BTreeMap<u8, (Bytes, Sps)>,
    pps: BTreeMap<u8, (Bytes, Pps)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sps {
    H264(h264::Sps),
    H265(h265::Sps),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pps {
    H264(h264::Pps),
    H265(h265::Pps),
}

/// What became of a parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inserted {
    /// It was there, byte for byte.
    Same,
    /// Its id was not there.
    New,
    /// It took the place of another with its id.
    Changed,
}

impl ParameterSets {
    /// None yet.
    #[must_use]
    pub const fn new(codec: Codec) -> Self {
        Self { codec, active: None, vps: BTreeMap::new(), sps: BTreeMap::new(), pps: BTreeMap::new() }
    }

    /// The coding standard.
    #[must_use]
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// Takes a parameter set: NAL unit with header, without start code.
    ///
    /// # Errors
    /// [`Error`] where it is none or does not parse; the table is unchanged then.
    pub fn insert(&mut self, nal: &[u8]) -> Result<Inserted, Error> {
        self.insert_within(nal, usize::MAX)
    }

    /// As [`insert`](Self::insert), refusing sets of more than `limit` bytes.
    pub(crate) fn insert_within(&mut self, nal: &[u8], limit: usize) -> Result<Inserted, Error> {
        if nal.len() > limit {
            return Err(Error { kind: Kind::TooLong, at: Offset(limit as u64) });
        }
        match (self.codec, Nal::new(nal).kind(self.codec)) {
            (_, NalKind::Vps) => {
                let vps = h265::Vps::parse(nal)?;
                Ok(put(&mut self.vps, vps.id, nal, vps))
            }
            (Codec::H264, NalKind::Sps) => {
                let sps = h264::Sps::parse(nal)?;
                Ok(put(&mut self.sps, sps.id, nal, Sps::H264(sps)))
            }
            (Codec::H265, NalKind::Sps) => {
                let sps = h265::Sps::parse(nal)?;
                Ok(put(&mut self.sps, sps.id, nal, Sps::H265(sps)))
            }
            (Codec::H264, NalKind::Pps) => {
                let pps = h264::Pps::parse(nal)?;
                Ok(put(&mut self.pps, pps.id, nal, Pps::H264(pps)))
            }
            (Codec::H265, NalKind::Pps) => {
                let pps = h265::Pps::parse(nal)?;
                Ok(put(&mut self.pps, pps.id, nal, Pps::H265(pps)))
            }
            _ => Err(Error { kind: Kind::WrongType, at: Offset(0) }),
        }
    }

    /// Is this very parameter set in the table, byte for byte?
    #[must_use]
    pub fn holds(&self, nal: &[u8]) -> bool {
        match Nal::new(nal).kind(self.codec) {
            NalKind::Vps => self.vps.values().any(|(bytes, _)| bytes == nal),
            NalKind::Sps => self.sps.values().any(|(bytes, _)| bytes == nal),
            NalKind::Pps => self.pps.values().any(|(bytes, _)| bytes == nal),
            _ => false,
        }
    }

    /// A picture that needs sequence parameter set `id` is about to be decoded.
    pub fn activate(&mut self, id: u8) {
        self.active = Some(id);
    }

    /// The id of the active sequence parameter set; before any picture, the lowest there is.
    #[must_use]
    pub fn active(&self) -> Option<u8> {
        self.active.filter(|id| self.sps.contains_key(id)).or_else(|| self.sps.keys().next().copied())
    }

    /// Video parameter sets by id (H.265).
    pub fn vps(&self) -> impl Iterator<Item = (u8, &Bytes)> {
        self.vps.iter().map(|(id, (bytes, _))| (*id, bytes))
    }

    /// Sequence parameter sets by id.
    pub fn sps(&self) -> impl Iterator<Item = (u8, &Bytes)> {
        self.sps.iter().map(|(id, (bytes, _))| (*id, bytes))
    }

    /// Picture parameter sets by id.
    pub fn pps(&self) -> impl Iterator<Item = (u8, &Bytes)> {
        self.pps.iter().map(|(id, (bytes, _))| (*id, bytes))
    }

    /// Sequence parameter set `id` of an H.264 stream.
    #[must_use]
    pub fn sps_h264(&self, id: u8) -> Option<&h264::Sps> {
        match self.sps.get(&id) {
            Some((_, Sps::H264(sps))) => Some(sps),
            _ => None,
        }
    }

    /// Sequence parameter set `id` of an H.265 stream.
    #[must_use]
    pub fn sps_h265(&self, id: u8) -> Option<&h265::Sps> {
        match self.sps.get(&id) {
            Some((_, Sps::H265(sps))) => Some(sps),
            _ => None,
        }
    }

    /// Picture parameter set `id` of an H.264 stream.
    #[must_use]
    pub fn pps_h264(&self, id: u8) -> Option<&h264::Pps> {
        match self.pps.get(&id) {
            Some((_, Pps::H264(pps))) => Some(pps),
            _ => None,
        }
    }

    /// Picture parameter set `id` of an H.265 stream.
    #[must_use]
    pub fn pps_h265(&self, id: u8) -> Option<&h265::Pps> {
        match self.pps.get(&id) {
            Some((_, Pps::H265(pps))) => Some(pps),
            _ => None,
        }
    }

    /// The header of a slice; `None` where the sets it needs are missing, or it does not parse.
    #[must_use]
    pub fn slice_header(&self, nal: Nal<'_>) -> Option<Header> {
        let mut bits = crate::octets::BitReader::new(nal.payload(self.codec));
        match self.codec {
            Codec::H264 => {
                bits.ue()?; // first_mb_in_slice
                bits.ue()?; // slice_type
                let pps = self.pps_h264(u8::try_from(bits.ue()?).ok()?)?;
                let sps = self.sps_h264(pps.sps_id)?;
                h264::SliceHeader::parse(nal, pps, sps).ok().map(Header::H264)
            }
            Codec::H265 => {
                // first_slice_segment_in_pic_flag; no_output_of_prior_pics_flag of IRAP pictures.
                bits.skip(if matches!(nal.unit_type(Codec::H265), 16..=23) { 2 } else { 1 })?;
                let pps = self.pps_h265(u8::try_from(bits.ue()?).ok()?)?;
                let sps = self.sps_h265(pps.sps_id)?;
                h265::SliceHeader::parse(nal, pps, sps).ok().map(Header::H265)
            }
        }
    }

    /// What the active sequence parameter set says of the pictures.
    #[must_use]
    pub fn format(&self) -> Option<VideoFormat> {
        match &self.sps.get(&self.active()?)?.1 {
            Sps::H264(sps) => Some(format::h264(sps)),
            Sps::H265(sps) => Some(format::h265(sps, self.vps.get(&sps.vps_id).map(|(_, vps)| vps))),
        }
    }

    /// Does an init segment made of one table serve the pictures of the other? `false` where an id is in one only,
    /// where a set differs in more than timing, or where the active sets give pictures of another size or codec
    /// string. Not the order of arrival, nor cosmetic changes (cameras that rewrite their SPS every few seconds).
    #[must_use]
    pub fn decodes_like(&self, other: &Self) -> bool {
        let shape = |sets: &Self| sets.format().map(|f| (f.codec_string, f.width, f.height));
        let vps = same(&self.vps, &other.vps, |a, b| {
            a.0 == b.0 || Vps { timing: None, ..a.1 } == Vps { timing: None, ..b.1 }
        });
        let sps = same(&self.sps, &other.sps, |a, b| match (&a.1, &b.1) {
            _ if a.0 == b.0 => true,
            (Sps::H264(a), Sps::H264(b)) => a.decodes_like(b),
            (Sps::H265(a), Sps::H265(b)) => a.decodes_like(b),
            _ => false,
        });
        let pps = same(&self.pps, &other.pps, |a, b| a.0 == b.0);
        self.codec == other.codec && vps && sps && pps && shape(self) == shape(other)
    }
}

fn put<T>(sets: &mut BTreeMap<u8, (Bytes, T)>, id: u8, nal: &[u8], set: T) -> Inserted {
    match sets.get(&id) {
        Some((bytes, _)) if bytes == nal => return Inserted::Same,
        _ => {}
    }
    match sets.insert(id, (Bytes::copy_from_slice(nal), set)) {
        Some(_) => Inserted::Changed,
        None => Inserted::New,
    }
}

fn same<T>(a: &BTreeMap<u8, T>, b: &BTreeMap<u8, T>, equal: impl Fn(&T, &T) -> bool) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|((i, a), (j, b))| i == j && equal(a, b))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use alloc::vec::Vec;
    use proptest::prelude::*;

    use super::*;
    use crate::h26x::annexb;
    use crate::h26x::testing::Stream;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    fn format(codec: Codec, sets: &[&str]) -> VideoFormat {
        let mut table = ParameterSets::new(codec);
        for set in sets {
            assert_eq!(table.insert(&hex(set)), Ok(Inserted::New));
            assert_eq!(table.insert(&hex(set)), Ok(Inserted::Same));
        }
        table.format().unwrap()
    }

    /// x264 High at 640x360, 20 pictures a second; x265 Main at 1280x720, 25 a second by VPS and SPS.
    #[test]
    fn the_format_is_what_the_sets_say() {
        let got = format(Codec::H264, &["67640016ac3b505017fcb0800001f400004e2042"]);
        assert_eq!((got.codec_string.as_str(), got.width, got.height), ("avc1.640016", 640, 360));
        assert_eq!((got.frame_rate, got.sample_aspect), (Some((20, 1)), (1, 1)));
        let sps = "420101016000000300900000030000030078a003c08010e596666924cae010000003001000000301e080";
        let got = format(Codec::H265, &[sps]);
        assert_eq!((got.codec_string.as_str(), got.width, got.height), ("hvc1.1.6.L120.90", 1920, 1080));
        assert_eq!(got.frame_rate, Some((30, 1)));
    }

    fn table(streams: &[Stream]) -> ParameterSets {
        let mut table = ParameterSets::new(Codec::H264);
        for stream in streams {
            table.insert(&stream.sps()).unwrap();
            table.insert(&stream.pps()).unwrap();
        }
        table
    }

    #[test]
    fn an_init_segment_serves_until_something_that_decoding_needs_changes() {
        let plain = Stream { order_type: 0, fields: false, reorder: None };
        let other = Stream { order_type: 2, ..plain };
        assert!(table(&[plain]).decodes_like(&table(&[other, plain])));
        assert!(!table(&[plain]).decodes_like(&table(&[other])));
        let mut without = ParameterSets::new(Codec::H264);
        without.insert(&plain.sps()).unwrap();
        assert!(!without.decodes_like(&table(&[plain])));
        // The same set, but for num_units_in_tick.
        let timing = |units: &str| {
            let mut table = ParameterSets::new(Codec::H264);
            let sps = ["67640016ac3b505017fcb0800001", units, "00004e2042"].concat();
            table.insert(&hex(&sps)).unwrap();
            table
        };
        assert!(timing("f4").decodes_like(&timing("f5")));
        assert_ne!(timing("f4"), timing("f5"));
    }

    #[test]
    fn a_slice_without_its_sets_has_no_header() {
        let stream = Stream { order_type: 0, fields: false, reorder: None };
        let slice =
            stream.slice(crate::h26x::testing::Picture { idr: true, reference: true, ..Default::default() });
        assert!(table(&[]).slice_header(Nal::new(&slice)).is_none());
        assert!(table(&[stream]).slice_header(Nal::new(&slice)).is_some());
    }

    #[test]
    fn the_codec_is_told_by_content() {
        let stream = Stream { order_type: 0, fields: false, reorder: None };
        let h264 = [&[0, 0, 1], &stream.sps()[..], &[0, 0, 1], &stream.pps()].concat();
        assert_eq!(annexb::detect(&h264), Some(Codec::H264));
        let sps = hex("420101016000000300900000030000030078a003c08010e596666924cae010000003001000000301e080");
        assert_eq!(annexb::detect(&[&[0, 0, 0, 1], &sps[..]].concat()), Some(Codec::H265));
        assert_eq!(annexb::detect(b"not a stream"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_set_or_an_error(
            h265: bool,
            unit_type in prop::sample::select([7_u8, 8, 32, 33, 34].to_vec()),
            body in prop::collection::vec(any::<u8>(), 0..120),
            slice in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let codec = if h265 { Codec::H265 } else { Codec::H264 };
            let header = if h265 { [unit_type << 1, 1].to_vec() } else { [0x60 | unit_type & 0x1f].to_vec() };
            let mut table = ParameterSets::new(codec);
            let _ = table.insert(&[header, body].concat());
            let _ = (table.format(), table.slice_header(Nal::new(&slice)), table.decodes_like(&table.clone()));
        }

        /// A real set with bits turned over: reads on into every branch.
        #[test]
        fn damaged_sets_are_survived(at in 0_usize..40, bit in 0_u8..8, cut in 2_usize..42) {
            for (codec, set) in [
                (Codec::H264, "67640029ac133140780447de03ea020203e000000300200000065280"),
                (Codec::H265, "420101016000000300800000030000030096a001802006c1fe36bbb5377725d602dc0404041000003e80"),
            ] {
                let mut nal = hex(set);
                nal.truncate(cut);
                if let Some(byte) = nal.get_mut(at.max(2)) {
                    *byte ^= 1 << bit;
                }
                let mut table = ParameterSets::new(codec);
                let _ = table.insert(&nal);
                let _ = table.format();
            }
        }
    }
}

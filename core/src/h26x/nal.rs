//! NAL units: what their headers say (ITU-T H.264 §7.3.1, table 7-1; H.265 §7.3.1.2, table 7-1).

use super::Codec;

/// What a NAL unit is, as far as the way through Vigie needs to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NalKind {
    /// A slice (or H.264 data partition A) of the base layer: has a slice header.
    Slice,
    /// More of a picture already begun, without a header that this crate reads: H.264 data partitions B and C,
    /// auxiliary slices, SVC and MVC slices (19 to 21); H.265 NAL units of a higher layer.
    SliceExtension,
    /// Video parameter set (H.265).
    Vps,
    /// Sequence parameter set.
    Sps,
    /// Picture parameter set.
    Pps,
    /// H.264 subset sequence parameter set of SVC and MVC (15).
    SubsetSps,
    /// H.264 sequence parameter set extension (13).
    SpsExtension,
    /// H.264 prefix NAL unit of SVC and MVC (14): belongs to the slice that follows it.
    Prefix,
    /// Access unit delimiter.
    Delimiter,
    /// Supplemental enhancement information that precedes its picture.
    Sei,
    /// H.265 suffix SEI.
    SuffixSei,
    /// End of sequence.
    EndOfSequence,
    /// End of bitstream (H.264: of stream).
    EndOfBitstream,
    /// Filler data.
    Filler,
    /// Reserved or unspecified, but defined to start an access unit when it follows a picture
    /// (H.264 16 to 18; H.265 41 to 44 and 48 to 55).
    OtherLeading,
    /// Anything else.
    Other,
}

impl NalKind {
    /// Does such a NAL unit after a picture's last slice start the next access unit (H.264 §7.4.1.2.3, H.265 §7.4.2.4.4)?
    #[must_use]
    pub const fn leads(self) -> bool {
        matches!(
            self,
            Self::Vps
                | Self::Sps
                | Self::Pps
                | Self::SubsetSps
                | Self::Prefix
                | Self::Delimiter
                | Self::Sei
                | Self::OtherLeading
        )
    }

    /// Vps, Sps or Pps: what [`ParameterSets`](super::ParameterSets) holds.
    #[must_use]
    pub const fn is_parameter_set(self) -> bool {
        matches!(self, Self::Vps | Self::Sps | Self::Pps)
    }
}

/// One NAL unit: header and payload, emulation prevention bytes included, no start code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nal<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl<'a> Nal<'a> {
    /// `bytes` begin with the NAL unit header.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// nal_unit_type; 0 for no bytes at all.
    #[must_use]
    pub fn unit_type(self, codec: Codec) -> u8 {
        let first = self.bytes.first().copied().unwrap_or(0);
        match codec {
            Codec::H264 => first & 0x1f,
            Codec::H265 => first >> 1 & 0x3f,
        }
    }

    /// What it is.
    #[inline]
    #[must_use]
    pub fn kind(self, codec: Codec) -> NalKind {
        match codec {
            Codec::H264 => kind_h264(self.unit_type(codec)),
            Codec::H265 if self.layer() > 0 => NalKind::SliceExtension,
            Codec::H265 => kind_h265(self.unit_type(codec)),
        }
    }

    /// H.264 nal_ref_idc: above 0 where other pictures may refer to this one.
    #[must_use]
    pub fn ref_idc(self) -> u8 {
        self.bytes.first().map_or(0, |b| b >> 5 & 3)
    }

    /// H.265 nuh_layer_id: 0 for the base layer.
    #[must_use]
    pub fn layer(self) -> u8 {
        match self.bytes {
            [a, b, ..] => (a & 1) << 5 | b >> 3,
            _ => 0,
        }
    }

    /// H.265 TemporalId; 0 also where the header is cut short or its nuh_temporal_id_plus1 is a forbidden 0.
    #[must_use]
    pub fn temporal_id(self) -> u8 {
        self.bytes.get(1).map_or(0, |b| (b & 7).saturating_sub(1))
    }

    /// The bytes after the header (1 byte in H.264, 2 in H.265); empty where there are none.
    #[must_use]
    pub fn payload(self, codec: Codec) -> &'a [u8] {
        self.bytes.get(codec.nal_header()..).unwrap_or(&[])
    }
}

impl Codec {
    /// Bytes of a NAL unit header.
    #[must_use]
    pub const fn nal_header(self) -> usize {
        match self {
            Self::H264 => 1,
            Self::H265 => 2,
        }
    }
}

const fn kind_h264(unit_type: u8) -> NalKind {
    match unit_type {
        1 | 2 | 5 => NalKind::Slice,
        3 | 4 | 19..=21 => NalKind::SliceExtension,
        6 => NalKind::Sei,
        7 => NalKind::Sps,
        8 => NalKind::Pps,
        9 => NalKind::Delimiter,
        10 => NalKind::EndOfSequence,
        11 => NalKind::EndOfBitstream,
        12 => NalKind::Filler,
        13 => NalKind::SpsExtension,
        14 => NalKind::Prefix,
        15 => NalKind::SubsetSps,
        16..=18 => NalKind::OtherLeading,
        _ => NalKind::Other,
    }
}

const fn kind_h265(unit_type: u8) -> NalKind {
    match unit_type {
        0..=9 | 16..=21 => NalKind::Slice,
        32 => NalKind::Vps,
        33 => NalKind::Sps,
        34 => NalKind::Pps,
        35 => NalKind::Delimiter,
        36 => NalKind::EndOfSequence,
        37 => NalKind::EndOfBitstream,
        38 => NalKind::Filler,
        39 => NalKind::Sei,
        40 => NalKind::SuffixSei,
        41..=44 | 48..=55 => NalKind::OtherLeading,
        _ => NalKind::Other,
    }
}

/// The NAL units of a sample (ISO/IEC 14496-15 §5.3.3, 4-byte lengths). Stops at a length that does not fit.
pub fn nal_units(length_prefixed: &[u8]) -> impl Iterator<Item = Nal<'_>> {
    let mut rest = length_prefixed;
    core::iter::from_fn(move || {
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (bytes, tail) = tail.split_at_checked(length)?;
        rest = tail;
        Some(Nal { bytes })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn kinds_of_both_codecs() {
        for (bytes, kind) in [
            (&[0x65, 0x88][..], NalKind::Slice),
            (&[0x67], NalKind::Sps),
            (&[0x09, 0xf0], NalKind::Delimiter),
            (&[0x6e], NalKind::Prefix),
            (&[0x74], NalKind::SliceExtension),
            (&[], NalKind::Other),
        ] {
            assert_eq!(Nal::new(bytes).kind(Codec::H264), kind);
        }
        for (bytes, kind) in [
            (&[0x26, 0x01][..], NalKind::Slice),
            (&[0x40, 0x01], NalKind::Vps),
            (&[0x42, 0x01], NalKind::Sps),
            (&[0x42, 0x09], NalKind::SliceExtension),
            (&[0x50, 0x01], NalKind::SuffixSei),
        ] {
            assert_eq!(Nal::new(bytes).kind(Codec::H265), kind);
        }
    }

    #[test]
    fn a_sample_is_cut_at_its_lengths_and_no_further() {
        let sample = [0, 0, 0, 2, 9, 0xf0, 0, 0, 0, 1, 0x67, 0, 0, 0, 9, 1];
        let got: Vec<_> = nal_units(&sample).map(|n| n.bytes).collect();
        assert_eq!(got, [&[9, 0xf0][..], &[0x67]]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_walked(bytes in proptest::collection::vec(0_u8..4, 0..64)) {
            let total: usize = nal_units(&bytes).map(|n| n.bytes.len() + 4).sum();
            proptest::prop_assert!(total <= bytes.len());
        }
    }
}

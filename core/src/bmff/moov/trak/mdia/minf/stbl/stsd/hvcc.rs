//! `hvcC`: HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 §8.3.3.1.

use alloc::vec::Vec;
use bytes::{Bytes, BytesMut};

use super::avcc::put_sets;
use crate::bmff::{Body, Boxed, Error, FourCc};
use crate::octets::Write as _;

/// Configuration of an H.265 decoder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HvcC {
    /// The 12 bytes of profile_tier_level() from general_profile_space to general_level_idc, emulation prevention
    /// bytes removed: they stand in the record as they do in the SPS.
    pub profile_tier_level: [u8; 12],
    /// min_spatial_segmentation_idc; 0: not known.
    pub min_spatial_segmentation: u16,
    /// 0: not known.
    pub parallelism: u8,
    /// chroma_format_idc.
    pub chroma_format: u8,
    /// Bits of a luma sample.
    pub luma_bits: u8,
    /// Bits of a chroma sample.
    pub chroma_bits: u8,
    /// Pictures in 256 seconds; 0: not known.
    pub average_frame_rate: u16,
    /// 0: not known.
    pub constant_frame_rate: u8,
    /// sps_max_sub_layers_minus1 + 1.
    pub temporal_layers: u8,
    /// sps_temporal_id_nesting_flag.
    pub temporal_id_nested: bool,
    /// Bytes of the length in front of each NAL unit: 1, 2 or 4.
    pub length_size: u8,
    /// Parameter sets, and SEI that hold for all.
    pub arrays: Vec<Array>,
}

/// NAL units of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Array {
    /// Are all of this type here and none among the samples? `hvc1` demands it.
    pub complete: bool,
    /// nal_unit_type.
    pub nal_type: u8,
    /// The NAL units, header included.
    pub nals: Vec<Bytes>,
}

impl HvcC {
    /// Bytes of the file where the arrays of a record start: array_completeness is the top bit there.
    ///
    /// # Errors
    /// [`Error`] where the record is cut short.
    pub fn array_headers(body: &mut Body<'_>) -> Result<Vec<u64>, Error> {
        body.skip(22)?;
        let count = body.u8()?;
        let mut starts = Vec::new();
        for _ in 0..count {
            starts.push(body.offset());
            body.skip(1)?;
            for _ in 0..body.u16()? {
                let len = body.u16()?;
                body.skip(usize::from(len))?;
            }
        }
        Ok(starts)
    }
}

impl Boxed for HvcC {
    const KIND: FourCc = FourCc(*b"hvcC");

    fn write_body(&self, out: &mut BytesMut) {
        out.put_u8(1);
        out.put(&self.profile_tier_level);
        out.put_u16(0xf000 | self.min_spatial_segmentation & 0x0fff);
        out.put_u8(0xfc | self.parallelism & 3);
        out.put_u8(0xfc | self.chroma_format & 3);
        out.put_u8(0xf8 | self.luma_bits.wrapping_sub(8) & 7);
        out.put_u8(0xf8 | self.chroma_bits.wrapping_sub(8) & 7);
        out.put_u16(self.average_frame_rate);
        out.put_u8(
            (self.constant_frame_rate & 3) << 6
                | (self.temporal_layers & 7) << 3
                | u8::from(self.temporal_id_nested) << 2
                | self.length_size.wrapping_sub(1) & 3,
        );
        out.put_u8(u8::try_from(self.arrays.len()).unwrap_or(u8::MAX));
        for array in self.arrays.iter().take(usize::from(u8::MAX)) {
            out.put_u8(u8::from(array.complete) << 7 | array.nal_type & 0x3f);
            let at = out.len();
            out.put_u16(0);
            let n = put_sets(out, &array.nals, usize::from(u16::MAX));
            if let Some(field) = out.get_mut(at..at + 2) {
                field.copy_from_slice(&(n as u16).to_be_bytes());
            }
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        body.skip(1)?;
        let profile_tier_level = body.array()?;
        let (min_spatial, parallelism, chroma) = (body.u16()?, body.u8()?, body.u8()?);
        let (luma, chroma_bits, average_frame_rate) = (body.u8()?, body.u8()?, body.u16()?);
        let (packed, count) = (body.u8()?, body.u8()?);
        let mut arrays = Vec::new();
        for _ in 0..count {
            let (kind, n) = (body.u8()?, body.u16()?);
            let mut array = Array { complete: kind >> 7 == 1, nal_type: kind & 0x3f, nals: Vec::new() };
            for _ in 0..n {
                let len = body.u16()?;
                array.nals.push(Bytes::copy_from_slice(body.take(usize::from(len))?));
            }
            arrays.push(array);
        }
        Ok(Self {
            profile_tier_level,
            min_spatial_segmentation: min_spatial & 0x0fff,
            parallelism: parallelism & 3,
            chroma_format: chroma & 3,
            luma_bits: 8 + (luma & 7),
            chroma_bits: 8 + (chroma_bits & 7),
            average_frame_rate,
            constant_frame_rate: packed >> 6,
            temporal_layers: packed >> 3 & 7,
            temporal_id_nested: packed >> 2 & 1 == 1,
            length_size: (packed & 3) + 1,
            arrays,
        })
    }
}

//! Slice segment header, ITU-T H.265 §7.3.6, as far as picture boundaries and picture order need it.

use super::{Pps, Sps};
use crate::h26x::error::{Bits, Error, Kind};
use crate::h26x::fields::{Fields, Window};
use crate::h26x::picture::Relation;
use crate::h26x::{Codec, Nal};

/// What a slice segment header says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SliceHeader {
    /// nal_unit_type.
    pub unit_type: u8,
    /// TemporalId.
    pub temporal_id: u8,
    /// first_slice_segment_in_pic_flag.
    pub first: bool,
    /// slice_pic_parameter_set_id.
    pub pps_id: u8,
    /// pps_seq_parameter_set_id of that picture parameter set.
    pub sps_id: u8,
    /// dependent_slice_segment_flag: what follows is as in the slice segment before, and 0 or `None` here.
    pub dependent: bool,
    /// slice_type: 0 B, 1 P, 2 I; `None` in a dependent slice segment.
    pub slice_type: Option<u8>,
    /// pic_output_flag; `true` where absent.
    pub output: bool,
    /// slice_pic_order_cnt_lsb; 0 in an IDR picture.
    pub order_lsb: u32,
}

impl SliceHeader {
    /// Reads the header of a slice segment whose picture parameter set and sequence parameter set are these.
    ///
    /// # Errors
    /// [`Kind::Truncated`](crate::h26x::Kind::Truncated), [`Kind::OutOfRange`](crate::h26x::Kind::OutOfRange).
    pub fn parse(nal: Nal<'_>, pps: &Pps, sps: &Sps) -> Result<Self, Error> {
        Self::parse_by(nal, |_| Some((pps, sps)))
    }

    /// As [`parse`](Self::parse); `sets` finds the sets of a slice_pic_parameter_set_id.
    pub(in crate::h26x) fn parse_by<'a>(
        nal: Nal<'_>,
        sets: impl Fn(u8) -> Option<(&'a Pps, &'a Sps)>,
    ) -> Result<Self, Error> {
        match Window::new(nal.bytes, 2).map(|window| Self::read(nal, window, &sets)) {
            Some(Ok(header)) => Ok(header),
            _ => Self::read(nal, Bits::new(nal.bytes, 2), &sets),
        }
    }

    #[inline]
    pub(in crate::h26x) fn read<'a>(
        nal: Nal<'_>,
        mut bits: impl Fields,
        sets: &impl Fn(u8) -> Option<(&'a Pps, &'a Sps)>,
    ) -> Result<Self, Error> {
        let (unit_type, first) = (nal.unit_type(Codec::H265), bits.flag()?);
        if is_irap(unit_type) {
            bits.skip(1)?; // no_output_of_prior_pics_flag
        }
        let (pps, sps) = sets(bits.ue_max(63)? as u8).ok_or_else(|| bits.error(Kind::MissingSet))?;
        let mut header = Self {
            unit_type,
            temporal_id: nal.temporal_id(),
            first,
            pps_id: pps.id,
            sps_id: sps.id,
            dependent: false,
            slice_type: None,
            output: true,
            order_lsb: 0,
        };
        if !first {
            header.dependent = pps.dependent_slices && bits.flag()?;
            bits.skip(sps.address_bits())?;
        }
        if header.dependent {
            return Ok(header);
        }
        bits.skip(u32::from(pps.extra_bits))?;
        header.slice_type = Some(bits.ue_max(2)? as u8);
        if pps.output_flag {
            header.output = bits.flag()?;
        }
        if sps.separate_planes {
            bits.skip(2)?; // colour_plane_id
        }
        if !header.is_idr() {
            header.order_lsb = bits.bits(u32::from(sps.order_bits))?;
        }
        Ok(header)
    }

    /// IDR_W_RADL or IDR_N_LP.
    #[must_use]
    pub const fn is_idr(&self) -> bool {
        matches!(self.unit_type, 19 | 20)
    }

    /// An intra random access point: BLA, IDR, CRA or reserved as such.
    #[must_use]
    pub const fn is_irap(&self) -> bool {
        is_irap(self.unit_type)
    }

    /// How `next` stands to this one, §7.4.2.4.5.
    pub(in crate::h26x) fn relation(&self, next: &Self) -> Relation {
        // Another count without a first slice segment: that one was lost.
        let lost_first = !self.dependent && !next.dependent && self.order_lsb != next.order_lsb;
        if next.first || lost_first { Relation::Next } else { Relation::Same }
    }
}

/// Table 7-1.
const fn is_irap(unit_type: u8) -> bool {
    matches!(unit_type, 16..=23)
}

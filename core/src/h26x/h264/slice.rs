//! Slice header, ITU-T H.264 §7.3.3, as far as picture boundaries and picture order need it.

use super::{OrderType, Pps, Sps};
use crate::h26x::error::{Bits, Error, Kind};
use crate::h26x::fields::{Fields, Window};
use crate::h26x::picture::Relation;
use crate::h26x::{Codec, Nal};

/// What a slice header says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SliceHeader {
    /// nal_ref_idc.
    pub ref_idc: u8,
    /// nal_unit_type is 5.
    pub idr: bool,
    /// first_mb_in_slice.
    pub first_mb: u32,
    /// slice_type modulo 5: 0 P, 1 B, 2 I, 3 SP, 4 SI.
    pub slice_type: u8,
    /// pic_parameter_set_id.
    pub pps_id: u8,
    /// seq_parameter_set_id of that picture parameter set.
    pub sps_id: u8,
    /// frame_num.
    pub frame_num: u32,
    /// field_pic_flag.
    pub field: bool,
    /// bottom_field_flag.
    pub bottom: bool,
    /// idr_pic_id; 0 where it is no IDR.
    pub idr_id: u32,
    /// pic_order_cnt_lsb; 0 where the type is not 0.
    pub order_lsb: u32,
    /// delta_pic_order_cnt_bottom; 0 where absent.
    pub order_bottom: i32,
    /// delta_pic_order_cnt; 0 where absent.
    pub order_delta: [i32; 2],
    /// redundant_pic_cnt; 0 for the primary picture.
    pub redundant: u32,
    /// A memory_management_control_operation is 5: everything before is forgotten.
    pub forgets: bool,
}

impl SliceHeader {
    /// Reads the header of a slice NAL unit whose picture parameter set and sequence parameter set are these.
    ///
    /// # Errors
    /// [`Kind::Truncated`](crate::h26x::Kind::Truncated), [`Kind::OutOfRange`](crate::h26x::Kind::OutOfRange).
    pub fn parse(nal: Nal<'_>, pps: &Pps, sps: &Sps) -> Result<Self, Error> {
        Self::parse_by(nal, |_| Some((pps, sps)))
    }

    /// As [`parse`](Self::parse); `sets` finds the sets of a pic_parameter_set_id.
    pub(in crate::h26x) fn parse_by<'a>(
        nal: Nal<'_>,
        sets: impl Fn(u8) -> Option<(&'a Pps, &'a Sps)>,
    ) -> Result<Self, Error> {
        match Window::new(nal.bytes, 1).map(|window| Self::read(nal, window, &sets)) {
            Some(Ok(header)) => Ok(header),
            _ => Self::read(nal, Bits::new(nal.bytes, 1), &sets),
        }
    }

    #[inline]
    pub(in crate::h26x) fn read<'a, F: Fields>(
        nal: Nal<'_>,
        mut bits: F,
        sets: &impl Fn(u8) -> Option<(&'a Pps, &'a Sps)>,
    ) -> Result<Self, Error> {
        let (first_mb, slice_type) = (bits.ue()?, bits.ue_max(9)? as u8 % 5);
        let (pps, sps) = sets(bits.ue_max(255)? as u8).ok_or_else(|| bits.error(Kind::MissingSet))?;
        let mut header = Self {
            ref_idc: nal.ref_idc(),
            idr: nal.unit_type(Codec::H264) == 5,
            first_mb,
            slice_type,
            pps_id: pps.id,
            sps_id: sps.id,
            frame_num: 0,
            field: false,
            bottom: false,
            idr_id: 0,
            order_lsb: 0,
            order_bottom: 0,
            order_delta: [0; 2],
            redundant: 0,
            forgets: false,
        };
        if sps.separate_planes {
            bits.skip(2)?; // colour_plane_id
        }
        header.frame_num = bits.bits(u32::from(sps.frame_num_bits))?;
        if !sps.frames_only {
            header.field = bits.flag()?;
            header.bottom = header.field && bits.flag()?;
        }
        if header.idr {
            header.idr_id = bits.ue_max(65_535)?;
        }
        header.read_order(&mut bits, pps, sps)?;
        if pps.redundant {
            header.redundant = bits.ue_max(127)?;
        }
        if header.ref_idc > 0 && !header.idr {
            header.forgets = match header.read_forgets(&mut bits, pps, sps) {
                // A header that breaks off here still says where the picture belongs.
                Err(_) if F::WHOLE => false,
                read => read?,
            };
        }
        Ok(header)
    }

    #[inline]
    fn read_order(&mut self, bits: &mut impl Fields, pps: &Pps, sps: &Sps) -> Result<(), Error> {
        let both = pps.bottom_field_order && !self.field;
        match sps.order {
            OrderType::Lsb { bits: width } => {
                self.order_lsb = bits.bits(u32::from(width))?;
                if both {
                    self.order_bottom = bits.se()?;
                }
            }
            OrderType::Cycle { always_zero: false, .. } => {
                self.order_delta[0] = bits.se()?;
                if both {
                    self.order_delta[1] = bits.se()?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// From after redundant_pic_cnt to the end of dec_ref_pic_marking(): is there an operation 5?
    #[inline]
    fn read_forgets(&self, bits: &mut impl Fields, pps: &Pps, sps: &Sps) -> Result<bool, Error> {
        let (b, inter) = (self.slice_type == 1, !matches!(self.slice_type, 2 | 4));
        let mut refs = [pps.refs_l0, pps.refs_l1];
        if b {
            bits.skip(1)?; // direct_spatial_mv_pred_flag
        }
        if inter && bits.flag()? {
            refs[0] = bits.ue_max(31)? + 1;
            if b {
                refs[1] = bits.ue_max(31)? + 1;
            }
        }
        let lists = usize::from(inter) + usize::from(b);
        for _ in 0..lists {
            ref_list_modification(bits)?;
        }
        if pps.weighted && inter && !b || pps.weighted_bi == 1 && b {
            weights(bits, &refs[..lists], sps.chroma_array_type() != 0)?;
        }
        if !bits.flag()? {
            return Ok(false); // adaptive_ref_pic_marking_mode_flag
        }
        loop {
            match bits.ue_max(6)? {
                0 => return Ok(false),
                3 => {
                    bits.ue()?;
                    bits.ue()?;
                }
                5 => return Ok(true),
                _ => {
                    bits.ue()?;
                }
            }
        }
    }

    /// How `next` stands to this one, §7.4.1.2.4.
    pub(in crate::h26x) fn relation(&self, next: &Self) -> Relation {
        if next.redundant > 0 {
            return Relation::Same;
        }
        // After operation 5 the first field counts as one with frame_num 0, §7.4.3; a second field is never an IDR.
        let frame_num = if self.forgets { 0 } else { self.frame_num };
        if self.field && next.field && self.bottom != next.bottom && frame_num == next.frame_num && !next.idr
        {
            return Relation::SecondField;
        }
        let differs = self.frame_num != next.frame_num
            || self.sps_id != next.sps_id
            || self.field != next.field
            || self.bottom != next.bottom
            || (self.ref_idc == 0) != (next.ref_idc == 0)
            || self.idr != next.idr
            || self.idr_id != next.idr_id
            || self.order_lsb != next.order_lsb
            || self.order_bottom != next.order_bottom
            || self.order_delta != next.order_delta;
        match (differs, next.first_mb) {
            (true, _) => Relation::Next,
            (false, 0) => Relation::Again,
            (false, _) => Relation::Same,
        }
    }
}

/// ref_pic_list_modification() of one list, §7.3.3.1.
fn ref_list_modification(bits: &mut impl Fields) -> Result<(), Error> {
    if bits.flag()? {
        while bits.ue_max(5)? != 3 {
            bits.ue()?;
        }
    }
    Ok(())
}

/// pred_weight_table(), §7.3.3.2.
fn weights(bits: &mut impl Fields, refs: &[u32], chroma: bool) -> Result<(), Error> {
    bits.ue()?;
    if chroma {
        bits.ue()?;
    }
    for count in refs {
        for _ in 0..*count {
            if bits.flag()? {
                bits.se()?;
                bits.se()?;
            }
            if chroma && bits.flag()? {
                for _ in 0..4 {
                    bits.se()?;
                }
            }
        }
    }
    Ok(())
}

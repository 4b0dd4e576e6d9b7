//! Slices of both codecs: which belong to one picture, and the order in which pictures are put out.

use super::{Codec, Nal, ParameterSets};

/// What the header of a slice says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Slice {
    /// first_mb_in_slice is 0, or first_slice_segment_in_pic_flag is set.
    pub first: bool,
    /// nal_unit_type.
    pub unit_type: u8,
    /// Other pictures may refer to it.
    pub reference: bool,
    codec: Codec,
}

/// How a slice stands to the picture before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Relation {
    /// Of the same picture.
    Same,
    /// The second field of the frame whose first field it is.
    SecondField,
    /// Of the next picture.
    Next,
}

impl Slice {
    /// Reads as much as there is.
    #[must_use]
    pub fn read(nal: Nal<'_>, codec: Codec, _sets: &ParameterSets) -> Self {
        let first = nal.payload(codec).first().is_some_and(|b| b & 0x80 != 0);
        Self { first, unit_type: nal.unit_type(codec), reference: nal.ref_idc() > 0, codec }
    }

    /// How `next`, which follows in decoding order, stands to this one.
    #[must_use]
    pub fn relation(&self, next: &Self) -> Relation {
        if next.first { Relation::Next } else { Relation::Same }
    }

    /// Is it of a field, not of a frame?
    #[must_use]
    pub const fn is_field(&self) -> bool {
        false
    }
}

/// Counts pictures in output order.
#[derive(Clone, Debug)]
pub struct OrderCounter {}

impl OrderCounter {
    /// At the start of a stream.
    #[must_use]
    pub const fn new(_codec: Codec) -> Self {
        Self {}
    }

    /// An end of sequence NAL unit.
    pub fn end_of_sequence(&mut self) {}

    /// Second field.
    pub fn second_field(&mut self, _slice: &Slice, _sets: &ParameterSets) {}
}

//! Slices of both codecs: which belong to one picture, and the order in which pictures are put out.

use super::{Codec, Nal, ParameterSets, h264, h265};

/// What the header of a slice says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Slice {
    /// first_mb_in_slice is 0, or first_slice_segment_in_pic_flag is set.
    pub first: bool,
    /// nal_unit_type.
    pub unit_type: u8,
    /// Other pictures may refer to it: nal_ref_idc is not 0; in H.265, it is no sub-layer non-reference picture.
    pub reference: bool,
    /// The rest; `None` where it could not be read: no parameter sets, or it breaks off.
    pub header: Option<Header>,
}

/// A slice header of either codec.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Header {
    /// ITU-T H.264 §7.3.3.
    H264(h264::SliceHeader),
    /// ITU-T H.265 §7.3.6.
    H265(h265::SliceHeader),
}

/// How a slice stands to the picture before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Relation {
    /// Of the same picture.
    Same,
    /// The header is the same picture's, and it starts at the first macroblock: of the next picture where the picture
    /// already has that (cameras whose frame_num stands still), else of this one (arbitrary slice order).
    Again,
    /// The second field of the frame whose first field it is.
    SecondField,
    /// Of the next picture.
    Next,
}

impl Slice {
    /// Reads as much of the header as the parameter sets allow.
    #[must_use]
    pub fn read(nal: Nal<'_>, codec: Codec, sets: &ParameterSets) -> Self {
        let unit_type = nal.unit_type(codec);
        let reference = match codec {
            Codec::H264 => nal.ref_idc() > 0,
            Codec::H265 => unit_type >= 16 || unit_type % 2 == 1,
        };
        let first = nal.payload(codec).first().is_some_and(|b| b & 0x80 != 0);
        Self { first, unit_type, reference, header: sets.slice_header(nal) }
    }

    /// How `next`, which follows in decoding order, stands to this one.
    #[must_use]
    pub fn relation(&self, next: &Self) -> Relation {
        match (&self.header, &next.header) {
            (Some(Header::H264(this)), Some(Header::H264(next))) => this.relation(next),
            (Some(Header::H265(this)), Some(Header::H265(next))) => this.relation(next),
            _ if next.first => Relation::Next,
            _ => Relation::Same,
        }
    }

    /// Is it of a field, not of a frame?
    #[must_use]
    pub const fn is_field(&self) -> bool {
        matches!(&self.header, Some(Header::H264(header)) if header.field)
    }

    /// The sequence parameter set it needs.
    #[must_use]
    pub const fn sps_id(&self) -> Option<u8> {
        match &self.header {
            Some(Header::H264(header)) => Some(header.sps_id),
            Some(Header::H265(header)) => Some(header.sps_id),
            None => None,
        }
    }
}

/// Counts pictures in output order, in decoding order of the pictures.
#[derive(Clone, Debug)]
pub struct OrderCounter(Counters);

#[derive(Clone, Debug)]
enum Counters {
    H264(h264::order::Counter),
    H265(h265::order::Counter),
}

impl OrderCounter {
    /// At the start of a stream.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        Self(match codec {
            Codec::H264 => Counters::H264(h264::order::Counter::default()),
            Codec::H265 => Counters::H265(h265::order::Counter::default()),
        })
    }

    /// PicOrderCnt of the picture or field whose first slice this is, and whether the counting starts anew with it:
    /// ITU-T H.264 §8.2.1, H.265 §8.3.1. `None` where its header could not be read.
    pub fn count(&mut self, slice: &Slice, sets: &ParameterSets) -> Option<(i32, bool)> {
        match (&mut self.0, &slice.header) {
            (Counters::H264(counter), Some(Header::H264(header))) => {
                Some(counter.count(header, sets.sps_h264(header.sps_id)?))
            }
            (Counters::H265(counter), Some(Header::H265(header))) if !header.dependent => {
                Some(counter.count(header, sets.sps_h265(header.sps_id)?))
            }
            _ => None,
        }
    }

    /// An end of sequence or end of bitstream NAL unit: in H.265, the next CRA is one to start at (§8.1.3).
    pub const fn end_of_sequence(&mut self) {
        if let Counters::H265(counter) = &mut self.0 {
            counter.end_of_sequence();
        }
    }
}

//! `moof`: the tables of one movie fragment, ISO/IEC 14496-12 §8.8.4.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::{BoxRef, Error, FourCc, Kind, write_box};
use crate::fault::Offset;

pub mod mfhd;
pub mod traf;

use traf::Traf;

/// `moof`.
pub const KIND: FourCc = FourCc(*b"moof");
/// `mdat`: the samples' bytes.
pub const MDAT: FourCc = FourCc(*b"mdat");

/// One sample of a fragment to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunSample {
    /// Bytes.
    pub size: u32,
    /// Ticks to the decoding time of the next.
    pub duration: u32,
    /// Ticks from decoding to presentation; may be negative.
    pub composition: i32,
    /// Is it a sync sample?
    pub sync: bool,
}

/// Appends the `moof` of a fragment of one track whose samples stand in the `mdat` right behind it, in order.
///
/// `samples` is gone through several times and must give the same each time. Nothing is allocated. What all samples
/// have in common is written once.
pub fn write(
    out: &mut BytesMut,
    sequence: u32,
    track: u32,
    decode_time: u64,
    samples: impl Iterator<Item = RunSample> + Clone,
) {
    let start = out.len();
    let mut offset_field = 0;
    write_box(out, KIND, |out| {
        mfhd::write(out, sequence);
        traf::write(out, track, decode_time, samples, &mut offset_field);
    });
    // trun.data_offset counts from the first byte of `moof` (default-base-is-moof) and steps over the header of `mdat`.
    let offset = u32::try_from(out.len() - start + 8).unwrap_or(0);
    if let Some(field) = out.get_mut(offset_field..offset_field + 4) {
        field.copy_from_slice(&offset.to_be_bytes());
    }
}

/// A `moof` read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Moof<'a> {
    /// Byte of the file that it starts at.
    pub at: u64,
    /// Bytes of the box.
    pub len: usize,
    /// Counts the fragments of a file; not trusted anywhere.
    pub sequence: u32,
    /// What there is of each track.
    pub tracks: Vec<Traf<'a>>,
}

impl<'a> Moof<'a> {
    /// Reads the box.
    ///
    /// # Errors
    /// [`Error`] where it ends too early, makes no sense or has no track.
    pub fn parse(found: &BoxRef<'a>) -> Result<Self, Error> {
        let mut moof = Self { at: found.at, len: found.bytes.len(), sequence: 0, tracks: Vec::new() };
        for child in found.children() {
            let child = child?;
            if child.kind == mfhd::KIND {
                moof.sequence = mfhd::parse(&mut child.body())?;
            } else if child.kind == traf::KIND {
                moof.tracks.push(Traf::parse(&child)?);
            }
        }
        if moof.tracks.is_empty() {
            return Err(Error { kind: Kind::Missing(traf::KIND), at: Offset(found.at) });
        }
        Ok(moof)
    }

    /// What there is of `track`.
    #[must_use]
    pub fn track(&self, track: u32) -> Option<&Traf<'a>> {
        self.tracks.iter().find(|t| t.header.track == track)
    }
}

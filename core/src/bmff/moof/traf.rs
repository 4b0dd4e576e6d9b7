//! `traf`: one track's part of a fragment, ISO/IEC 14496-12 §8.8.6.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::RunSample;
use crate::bmff::moov::mvex::Trex;
use crate::bmff::{BoxRef, Boxed as _, Error, FourCc, Kind, write_box};
use crate::fault::Offset;

pub mod tfdt;
pub mod tfhd;
pub mod trun;

use tfhd::Tfhd;
use trun::{Sample, Trun};

/// `traf`.
pub const KIND: FourCc = FourCc(*b"traf");

pub(super) fn write(
    out: &mut BytesMut,
    track: u32,
    decode_time: u64,
    samples: impl Iterator<Item = RunSample> + Clone,
    offset_field: &mut usize,
) {
    write_box(out, KIND, |out| {
        let first = samples.clone().next().map(|s| s.duration);
        let duration = first.filter(|d| samples.clone().all(|s| s.duration == *d));
        let header =
            Tfhd { duration, sample_flags: Some(trun::NOT_SYNC), base_is_moof: true, ..Tfhd::new(track) };
        header.write(out);
        // Behind tfhd and in front of the first trun (§8.8.12.1); Safari insists on it.
        tfdt::write(out, decode_time);
        *offset_field = trun::write(out, duration.is_none(), samples);
    });
}

/// One track's part of a fragment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Traf<'a> {
    /// Byte of the file that it starts at.
    pub at: u64,
    /// Track and defaults.
    pub header: Tfhd,
    /// Decoding time of the first sample, ticks; `None` where there is no `tfdt` (old files count from the start).
    pub decode_time: Option<u64>,
    /// The runs of samples.
    pub runs: Vec<Trun<'a>>,
    /// Is there a `senc`: are samples encrypted?
    pub encrypted: bool,
}

impl<'a> Traf<'a> {
    /// Reads the box.
    ///
    /// # Errors
    /// [`Error`] where it ends too early, makes no sense or has no `tfhd`.
    pub fn parse(found: &BoxRef<'a>) -> Result<Self, Error> {
        let missing = Error { kind: Kind::Missing(Tfhd::KIND), at: Offset(found.at) };
        let (mut header, mut decode_time, mut runs, mut encrypted) = (None, None, Vec::new(), false);
        for child in found.children() {
            let child = child?;
            match child.kind {
                Tfhd::KIND => header = Some(child.parse()?),
                tfdt::KIND => decode_time = Some(tfdt::parse(&mut child.body())?),
                trun::KIND => runs.push(Trun::parse(&child)?),
                FourCc([b's', b'e', b'n', b'c']) => encrypted = true,
                _ => {}
            }
        }
        Ok(Self { at: found.at, header: header.ok_or(missing)?, decode_time, runs, encrypted })
    }

    /// Every sample in decoding order, what it leaves out filled in from `tfhd` and `trex`.
    pub fn samples<'s>(&'s self, defaults: &Trex) -> impl Iterator<Item = Sample> + 's {
        let fallback = Sample {
            size: self.header.size.unwrap_or(defaults.size),
            duration: self.header.duration.unwrap_or(defaults.duration),
            flags: self.header.sample_flags.unwrap_or(defaults.sample_flags),
            composition: 0,
        };
        self.runs.iter().flat_map(move |run| run.samples(fallback))
    }
}

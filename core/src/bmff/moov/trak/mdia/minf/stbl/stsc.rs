//! `stsc`: which samples stand together, ISO/IEC 14496-12 §8.7.4.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::count;
use crate::bmff::{Body, Boxed, Error, FourCc, put_full};
use crate::octets::Write as _;

/// Which samples stand together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stsc {
    /// Runs of chunks alike.
    pub runs: Vec<Run>,
}

/// Chunks alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first of them, counted from 1.
    pub first_chunk: u32,
    /// Samples in each.
    pub samples: u32,
    /// Which sample entry, counted from 1.
    pub description: u32,
}

impl Stsc {
    /// The next chunk, numbered `chunk` from 1, has so many samples of that sample entry.
    pub fn push(&mut self, chunk: u32, samples: u32, description: u32) {
        if self.runs.last().is_none_or(|r| (r.samples, r.description) != (samples, description)) {
            self.runs.push(Run { first_chunk: chunk, samples, description });
        }
    }
}

impl Boxed for Stsc {
    const KIND: FourCc = FourCc(*b"stsc");

    fn write_body(&self, out: &mut BytesMut) {
        put_full(out, 0, 0);
        out.put_u32(count(self.runs.len()));
        for run in &self.runs {
            out.put_u32(run.first_chunk);
            out.put_u32(run.samples);
            out.put_u32(run.description);
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        body.full(0)?;
        let n = body.u32()?;
        let runs = body.table(n, 12, |body| {
            Ok(Run { first_chunk: body.u32()?, samples: body.u32()?, description: body.u32()? })
        })?;
        Ok(Self { runs })
    }
}

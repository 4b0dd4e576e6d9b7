//! `ctts`: from decoding to presentation, ISO/IEC 14496-12 §8.6.1.3.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::{count, stts::push_run};
use crate::bmff::{Body, Boxed, Error, FourCc, put_full};
use crate::octets::Write as _;

/// Composition offsets: so many samples of that offset, and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ctts {
    /// Number of samples, offset of each in ticks.
    pub runs: Vec<(u32, i32)>,
}

impl Ctts {
    /// One more sample.
    pub fn push(&mut self, offset: i32) {
        push_run(&mut self.runs, offset);
    }
}

impl Boxed for Ctts {
    const KIND: FourCc = FourCc(*b"ctts");

    fn write_body(&self, out: &mut BytesMut) {
        // Version 0 where nothing is negative: old players read nothing else.
        let version = u8::from(self.runs.iter().any(|(_, offset)| *offset < 0));
        put_full(out, version, 0);
        out.put_u32(count(self.runs.len()));
        for (n, offset) in &self.runs {
            out.put_u32(*n);
            out.put_u32(*offset as u32);
        }
    }

    /// Version 0 is unsigned, yet QuickTime and others write negative offsets there: signed in both.
    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        body.full(1)?;
        let n = body.u32()?;
        Ok(Self { runs: body.table(n, 8, |body| Ok((body.u32()?, body.u32()? as i32)))? })
    }
}

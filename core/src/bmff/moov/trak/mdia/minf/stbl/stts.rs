//! `stts`: decoding times, as differences, ISO/IEC 14496-12 §8.6.1.2.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::count;
use crate::bmff::{Body, Boxed, Error, FourCc, put_full};
use crate::octets::Write as _;

/// Decoding times: so many samples of that duration, and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stts {
    /// Number of samples, duration of each in ticks.
    pub runs: Vec<(u32, u32)>,
}

impl Stts {
    /// One more sample.
    pub fn push(&mut self, duration: u32) {
        push_run(&mut self.runs, duration);
    }
}

/// Adds one to the last run if it has this value, else starts a new one.
pub(super) fn push_run<T: PartialEq>(runs: &mut Vec<(u32, T)>, value: T) {
    match runs.last_mut() {
        Some((n, last)) if *last == value && *n < u32::MAX => *n += 1,
        _ => runs.push((1, value)),
    }
}

impl Boxed for Stts {
    const KIND: FourCc = FourCc(*b"stts");

    fn write_body(&self, out: &mut BytesMut) {
        put_full(out, 0, 0);
        out.put_u32(count(self.runs.len()));
        for (n, duration) in &self.runs {
            out.put_u32(*n);
            out.put_u32(*duration);
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        body.full(0)?;
        let n = body.u32()?;
        Ok(Self { runs: body.table(n, 8, |body| Ok((body.u32()?, body.u32()?)))? })
    }
}

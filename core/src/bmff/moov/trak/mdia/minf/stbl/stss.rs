//! `stss`: sync samples, ISO/IEC 14496-12 §8.6.2.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::count;
use crate::bmff::{Body, Boxed, Error, FourCc, put_full};
use crate::octets::Write as _;

/// Sync samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stss {
    /// Their numbers, counted from 1, rising.
    pub samples: Vec<u32>,
}

impl Boxed for Stss {
    const KIND: FourCc = FourCc(*b"stss");

    fn write_body(&self, out: &mut BytesMut) {
        put_full(out, 0, 0);
        out.put_u32(count(self.samples.len()));
        for sample in &self.samples {
            out.put_u32(*sample);
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        body.full(0)?;
        let n = body.u32()?;
        Ok(Self { samples: body.table(n, 4, Body::u32)? })
    }
}

//! `stsz`: sizes of the samples, ISO/IEC 14496-12 §8.7.3.2.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::count;
use crate::bmff::{Body, Boxed, Error, FourCc, put_full};
use crate::octets::Write as _;

/// Sizes of the samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stsz {
    /// All alike: number and size.
    Same(u32, u32),
    /// One by one.
    Each(Vec<u32>),
}

impl Default for Stsz {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

impl Boxed for Stsz {
    const KIND: FourCc = FourCc(*b"stsz");

    fn write_body(&self, out: &mut BytesMut) {
        put_full(out, 0, 0);
        match self {
            Self::Same(n, size) => {
                out.put_u32(*size);
                out.put_u32(*n);
            }
            Self::Each(sizes) => {
                out.put_u32(0);
                out.put_u32(count(sizes.len()));
                for size in sizes {
                    out.put_u32(*size);
                }
            }
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        body.full(0)?;
        let (size, n) = (body.u32()?, body.u32()?);
        if size == 0 { Ok(Self::Each(body.table(n, 4, Body::u32)?)) } else { Ok(Self::Same(n, size)) }
    }
}

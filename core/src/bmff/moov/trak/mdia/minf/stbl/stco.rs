//! `stco` and `co64`: where the chunks are, ISO/IEC 14496-12 §8.7.5.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::count;
use crate::bmff::{Body, Boxed, Error, FourCc, put_full, write_box};
use crate::octets::Write as _;

/// `co64`: the same with 64-bit offsets.
pub const CO64: FourCc = FourCc(*b"co64");

/// Where the chunks are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stco {
    /// Bytes of the file.
    pub offsets: Vec<u64>,
}

impl Stco {
    /// Does it need `co64`?
    #[must_use]
    pub fn is_wide(&self) -> bool {
        self.offsets.iter().any(|offset| *offset > u64::from(u32::MAX))
    }

    /// Appends it as `stco`, or as `co64` where an offset needs that.
    pub fn write_fitting(&self, out: &mut BytesMut) {
        if !self.is_wide() {
            return self.write(out);
        }
        write_box(out, CO64, |out| {
            put_full(out, 0, 0);
            out.put_u32(count(self.offsets.len()));
            for offset in &self.offsets {
                out.put_u64(*offset);
            }
        });
    }

    /// Reads a `co64`.
    ///
    /// # Errors
    /// [`Error`] where it ends before its table does.
    pub fn parse_wide(body: &mut Body<'_>) -> Result<Self, Error> {
        body.full(0)?;
        let n = body.u32()?;
        Ok(Self { offsets: body.table(n, 8, Body::u64)? })
    }
}

impl Boxed for Stco {
    const KIND: FourCc = FourCc(*b"stco");

    /// With 32-bit offsets: [`Stco::write_fitting`] chooses.
    fn write_body(&self, out: &mut BytesMut) {
        put_full(out, 0, 0);
        out.put_u32(count(self.offsets.len()));
        for offset in &self.offsets {
            out.put_u32(*offset as u32);
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        body.full(0)?;
        let n = body.u32()?;
        Ok(Self { offsets: body.table(n, 4, |body| body.u32().map(u64::from))? })
    }
}

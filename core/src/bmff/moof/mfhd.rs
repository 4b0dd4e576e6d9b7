//! `mfhd`: which fragment this is, ISO/IEC 14496-12 §8.8.5.

use bytes::BytesMut;

use crate::bmff::{Body, Error, FourCc, put_full, write_box};
use crate::octets::Write as _;

/// `mfhd`.
pub const KIND: FourCc = FourCc(*b"mfhd");

pub(super) fn write(out: &mut BytesMut, sequence: u32) {
    write_box(out, KIND, |out| {
        put_full(out, 0, 0);
        out.put_u32(sequence);
    });
}

pub(super) fn parse(body: &mut Body<'_>) -> Result<u32, Error> {
    body.full(0)?;
    body.u32()
}

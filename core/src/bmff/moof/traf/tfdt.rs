//! `tfdt`: decoding time of the fragment's first sample, ISO/IEC 14496-12 §8.8.12.

use bytes::BytesMut;

use crate::bmff::{Body, Error, FourCc, put_full, write_box};
use crate::octets::Write as _;

/// `tfdt`.
pub const KIND: FourCc = FourCc(*b"tfdt");

/// Version 1 always: at 90 kHz, 32 bits end after 13 hours.
pub(super) fn write(out: &mut BytesMut, decode_time: u64) {
    write_box(out, KIND, |out| {
        put_full(out, 1, 0);
        out.put_u64(decode_time);
    });
}

pub(super) fn parse(body: &mut Body<'_>) -> Result<u64, Error> {
    let (version, _) = body.full(1)?;
    body.sized(version)
}

//! `avcC`: AVCDecoderConfigurationRecord, ISO/IEC 14496-15 §5.3.3.1.

use alloc::vec::Vec;
use bytes::{Bytes, BytesMut};

use crate::bmff::{Body, Boxed, Error, FourCc};
use crate::octets::Write as _;

/// Configuration of an H.264 decoder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AvcC {
    /// profile_idc of the first SPS.
    pub profile: u8,
    /// The constraint flags behind it.
    pub compatibility: u8,
    /// level_idc.
    pub level: u8,
    /// Bytes of the length in front of each NAL unit: 1, 2 or 4.
    pub length_size: u8,
    /// Sequence parameter sets, NAL header included; at most 31.
    pub sps: Vec<Bytes>,
    /// Picture parameter sets; at most 255.
    pub pps: Vec<Bytes>,
    /// What profiles from High on have besides. Written for them only.
    pub high: Option<High>,
}

/// What `avcC` has besides for the profiles from High on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct High {
    /// chroma_format_idc.
    pub chroma_format: u8,
    /// Bits of a luma sample.
    pub luma_bits: u8,
    /// Bits of a chroma sample.
    pub chroma_bits: u8,
    /// SPS extensions; at most 255.
    pub sps_ext: Vec<Bytes>,
}

/// Appends parameter sets, each behind its length in 16 bits; what is longer than that can say is left out, and so is
/// what goes beyond `most`. Gives how many.
pub(super) fn put_sets(out: &mut BytesMut, sets: &[Bytes], most: usize) -> usize {
    let mut n = 0;
    for set in sets {
        let Ok(len) = u16::try_from(set.len()) else { continue };
        if n == most {
            break;
        }
        out.put_u16(len);
        out.put(set);
        n += 1;
    }
    n
}

fn take_sets(body: &mut Body<'_>, n: u8) -> Result<Vec<Bytes>, Error> {
    let one = |body: &mut Body<'_>| {
        let len = body.u16()?;
        Ok(Bytes::copy_from_slice(body.take(usize::from(len))?))
    };
    (0..n).map(|_| one(body)).collect()
}

fn put_counted(out: &mut BytesMut, mask: u8, sets: &[Bytes], most: usize) {
    let at = out.len();
    out.put_u8(0);
    let n = put_sets(out, sets, most);
    if let Some(field) = out.get_mut(at) {
        *field = mask | n as u8;
    }
}

impl AvcC {
    /// Is it one of the profiles from High on, whose record has a tail?
    #[must_use]
    pub const fn is_high(&self) -> bool {
        !matches!(self.profile, 66 | 77 | 88)
    }
}

impl Boxed for AvcC {
    const KIND: FourCc = FourCc(*b"avcC");

    fn write_body(&self, out: &mut BytesMut) {
        out.put(&[1, self.profile, self.compatibility, self.level]);
        out.put_u8(0xfc | self.length_size.wrapping_sub(1) & 3);
        put_counted(out, 0xe0, &self.sps, 31);
        put_counted(out, 0, &self.pps, 255);
        if let Some(high) = self.high.as_ref().filter(|_| self.is_high()) {
            out.put_u8(0xfc | high.chroma_format & 3);
            out.put_u8(0xf8 | high.luma_bits.wrapping_sub(8) & 7);
            out.put_u8(0xf8 | high.chroma_bits.wrapping_sub(8) & 7);
            put_counted(out, 0, &high.sps_ext, 255);
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        body.skip(1)?;
        let (profile, compatibility, level) = (body.u8()?, body.u8()?, body.u8()?);
        let length_size = (body.u8()? & 3) + 1;
        let n = body.u8()? & 31;
        let sps = take_sets(body, n)?;
        let n = body.u8()?;
        let pps = take_sets(body, n)?;
        let mut record = Self { profile, compatibility, level, length_size, sps, pps, high: None };
        // Many muxers leave the tail out, some cut it short: it says nothing that the SPS does not.
        if record.is_high() && body.left() >= 4 {
            let (chroma, luma, chroma_bits, n) = (body.u8()?, body.u8()?, body.u8()?, body.u8()?);
            record.high = Some(High {
                chroma_format: chroma & 3,
                luma_bits: 8 + (luma & 7),
                chroma_bits: 8 + (chroma_bits & 7),
                sps_ext: take_sets(body, n).unwrap_or_default(),
            });
        }
        Ok(record)
    }
}

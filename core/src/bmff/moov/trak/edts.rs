//! `edts` and its `elst`: what of a track is shown when, ISO/IEC 14496-12 §8.6.5 and §8.6.6.

use alloc::vec::Vec;
use bytes::BytesMut;

use crate::bmff::{Body, Boxed, Error, FourCc, put_full, put_sized, version_for, write_box};
use crate::octets::Write as _;

const ELST: FourCc = FourCc(*b"elst");

/// An edit list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edts {
    /// In the order of showing.
    pub edits: Vec<Edit>,
}

/// One edit, at normal speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// How long it is shown, ticks of the movie.
    pub duration: u64,
    /// From where, ticks of the media (composition time); -1: nothing is shown.
    pub media_time: i64,
}

impl Boxed for Edts {
    const KIND: FourCc = FourCc(*b"edts");

    fn write_body(&self, out: &mut BytesMut) {
        write_box(out, ELST, |out| {
            let long = |e: &Edit| version_for(&[e.duration]) == 1 || i32::try_from(e.media_time).is_err();
            let version = u8::from(self.edits.iter().any(long));
            put_full(out, version, 0);
            out.put_u32(u32::try_from(self.edits.len()).unwrap_or(u32::MAX));
            for edit in &self.edits {
                put_sized(out, version, edit.duration);
                put_sized(out, version, edit.media_time as u64);
                out.put_u32(0x0001_0000);
            }
        });
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let Some(elst) = body.children().find(ELST)? else { return Ok(Self::default()) };
        let mut body = elst.body();
        let (version, _) = body.full(1)?;
        let count = body.u32()?;
        let edits = body.table(count, if version == 0 { 12 } else { 20 }, |body| {
            let duration = body.sized(version)?;
            let media_time = if version == 0 { i64::from(body.u32()? as i32) } else { body.u64()? as i64 };
            body.skip(4)?;
            Ok(Edit { duration, media_time })
        })?;
        Ok(Self { edits })
    }
}

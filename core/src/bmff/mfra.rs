//! `mfra`: the random access points of a fragmented file, at its very end, ISO/IEC 14496-12 §8.8.9 to §8.8.11.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::{Body, Boxed, Boxes, Error, FourCc, Kind, put_full, write_box};
use crate::octets::Write as _;

pub mod tfra;

use tfra::Tfra;

/// `mfro`: the last box of the file, whose last field is the size of `mfra`.
pub const MFRO: FourCc = FourCc(*b"mfro");
/// Bytes of `mfro`.
pub const MFRO_LEN: usize = 16;

/// Random access points by track.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mfra {
    /// One table per track.
    pub tracks: Vec<Tfra>,
}

impl Mfra {
    /// Reads the last [`MFRO_LEN`] bytes of a file: how many bytes from its end `mfra` starts; `None` where there is none.
    #[must_use]
    pub fn len_from_tail(tail: &[u8]) -> Option<u32> {
        let last = tail.get(tail.len().checked_sub(MFRO_LEN)?..)?;
        let mut body = Boxes::new(last, 0).find(MFRO).ok()??.body();
        body.full(0).ok()?;
        body.u32().ok()
    }
}

impl Boxed for Mfra {
    const KIND: FourCc = FourCc(*b"mfra");

    fn write_body(&self, out: &mut BytesMut) {
        let start = out.len();
        for track in &self.tracks {
            track.write(out);
        }
        let size = u32::try_from(8 + out.len() - start + MFRO_LEN).unwrap_or(0);
        write_box(out, MFRO, |out| {
            put_full(out, 0, 0);
            out.put_u32(size);
        });
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let mut tracks = Vec::new();
        for child in body.children() {
            let child = child?;
            if child.kind == Tfra::KIND {
                tracks.push(child.parse()?);
            }
        }
        if tracks.is_empty() {
            return Err(body.fail(|_| Kind::Missing(Tfra::KIND)));
        }
        Ok(Self { tracks })
    }
}

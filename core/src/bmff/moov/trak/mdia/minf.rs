//! `minf`: a media's tables, ISO/IEC 14496-12 §8.4.4, with `vmhd` (§12.1.2) or `smhd` (§12.2.2), and `dinf` (§8.7.1).

use bytes::BytesMut;

use crate::bmff::{Body, Boxed, Error, FourCc, put_full, write_box};
use crate::octets::Write as _;

pub mod stbl;

use stbl::Stbl;

const VMHD: FourCc = FourCc(*b"vmhd");
const SMHD: FourCc = FourCc(*b"smhd");
const DINF: FourCc = FourCc(*b"dinf");
const DREF: FourCc = FourCc(*b"dref");
const URL: FourCc = FourCc(*b"url ");

/// A media's tables. Written as video or sound whose samples are in the same file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Minf {
    /// The sample tables.
    pub tables: Stbl,
    /// Sound, not video.
    pub sound: bool,
}

impl Minf {
    /// Of these sample tables of video.
    #[must_use]
    pub const fn new(tables: Stbl) -> Self {
        Self { tables, sound: false }
    }

    /// Of these sample tables of sound.
    #[must_use]
    pub const fn sound(tables: Stbl) -> Self {
        Self { tables, sound: true }
    }
}

impl Boxed for Minf {
    const KIND: FourCc = FourCc(*b"minf");

    fn write_body(&self, out: &mut BytesMut) {
        if self.sound {
            write_box(out, SMHD, |out| {
                // Balance in the middle, reserved.
                put_full(out, 0, 0);
                out.put(&[0; 4]);
            });
        } else {
            write_box(out, VMHD, |out| {
                // Flags 1, as the clause demands; copy mode, black.
                put_full(out, 0, 1);
                out.put(&[0; 8]);
            });
        }
        write_box(out, DINF, |out| {
            write_box(out, DREF, |out| {
                put_full(out, 0, 0);
                out.put_u32(1);
                // Flags 1: in the same file.
                write_box(out, URL, |out| put_full(out, 0, 1));
            });
        });
        self.tables.write(out);
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let boxes = body.children();
        Ok(Self { tables: boxes.need(Stbl::KIND)?.parse()?, sound: boxes.find(SMHD)?.is_some() })
    }
}

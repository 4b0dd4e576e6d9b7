//! `minf`: a media's tables, ISO/IEC 14496-12 §8.4.4, with `vmhd` (§12.1.2), `smhd` (§12.2.2) or `nmhd` (§8.4.5.2),
//! and `dinf` (§8.7.1).

use bytes::BytesMut;

use crate::bmff::{Body, Boxed, Error, FourCc, put_full, write_box};
use crate::octets::Write as _;

pub mod stbl;

use stbl::Stbl;

const VMHD: FourCc = FourCc(*b"vmhd");
const SMHD: FourCc = FourCc(*b"smhd");
const NMHD: FourCc = FourCc(*b"nmhd");
const DINF: FourCc = FourCc(*b"dinf");
const DREF: FourCc = FourCc(*b"dref");
const URL: FourCc = FourCc(*b"url ");

/// Which media header stands before the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaHeader {
    /// `vmhd`, also where there is none.
    Video,
    /// `smhd`.
    Sound,
    /// `nmhd`: neither to be seen nor to be heard by itself, as text.
    Null,
}

/// A media's tables. The samples are in the same file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Minf {
    /// The sample tables.
    pub tables: Stbl,
    /// Video, sound or neither.
    pub header: MediaHeader,
}

impl Minf {
    /// Of these sample tables of video.
    #[must_use]
    pub const fn new(tables: Stbl) -> Self {
        Self { tables, header: MediaHeader::Video }
    }

    /// Of these sample tables of sound.
    #[must_use]
    pub const fn sound(tables: Stbl) -> Self {
        Self { tables, header: MediaHeader::Sound }
    }

    /// Of these sample tables of text.
    #[must_use]
    pub const fn text(tables: Stbl) -> Self {
        Self { tables, header: MediaHeader::Null }
    }
}

impl Boxed for Minf {
    const KIND: FourCc = FourCc(*b"minf");

    fn write_body(&self, out: &mut BytesMut) {
        match self.header {
            // Balance in the middle, reserved.
            MediaHeader::Sound => write_box(out, SMHD, |out| {
                put_full(out, 0, 0);
                out.put(&[0; 4]);
            }),
            // Flags 1, as the clause demands; copy mode, black.
            MediaHeader::Video => write_box(out, VMHD, |out| {
                put_full(out, 0, 1);
                out.put(&[0; 8]);
            }),
            MediaHeader::Null => write_box(out, NMHD, |out| put_full(out, 0, 0)),
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
        let header = match (boxes.find(SMHD)?, boxes.find(NMHD)?) {
            (Some(_), _) => MediaHeader::Sound,
            (None, Some(_)) => MediaHeader::Null,
            (None, None) => MediaHeader::Video,
        };
        Ok(Self { tables: boxes.need(Stbl::KIND)?.parse()?, header })
    }
}

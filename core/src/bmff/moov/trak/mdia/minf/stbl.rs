//! `stbl`: the sample tables, ISO/IEC 14496-12 §8.5.1.

use bytes::BytesMut;

use crate::bmff::{Body, Boxed, Boxes, Error, FourCc};

pub mod ctts;
pub mod stco;
pub mod stsc;
pub mod stsd;
pub mod stss;
pub mod stsz;
pub mod stts;

use ctts::Ctts;
use stco::{CO64, Stco};
use stsc::Stsc;
use stsd::Stsd;
use stss::Stss;
use stsz::Stsz;
use stts::Stts;

/// The sample tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stbl {
    /// What the samples are coded as.
    pub descriptions: Stsd,
    /// Decoding times.
    pub times: Stts,
    /// Composition offsets; `None`: all 0.
    pub composition: Option<Ctts>,
    /// Sync samples; `None`: all are.
    pub sync: Option<Stss>,
    /// Which samples stand together.
    pub chunks: Stsc,
    /// Sizes of the samples.
    pub sizes: Stsz,
    /// Where the chunks are.
    pub offsets: Stco,
}

impl Stbl {
    /// No samples: they follow in fragments, whose init segment must not have any (MSE byte stream format, §3).
    #[must_use]
    pub fn fragmented(descriptions: Stsd) -> Self {
        Self { descriptions, ..Self::default() }
    }
}

fn optional<B: Boxed>(boxes: &Boxes<'_>) -> Result<Option<B>, Error> {
    boxes.find(B::KIND)?.map(|found| found.parse()).transpose()
}

impl Boxed for Stbl {
    const KIND: FourCc = FourCc(*b"stbl");

    fn write_body(&self, out: &mut BytesMut) {
        self.descriptions.write(out);
        self.times.write(out);
        if let Some(composition) = &self.composition {
            composition.write(out);
        }
        if let Some(sync) = &self.sync {
            sync.write(out);
        }
        self.chunks.write(out);
        self.sizes.write(out);
        self.offsets.write_fitting(out);
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let boxes = body.children();
        let offsets = match boxes.find(CO64)? {
            Some(found) => Some(Stco::parse_wide(&mut found.body())?),
            None => optional(&boxes)?,
        };
        Ok(Self {
            descriptions: boxes.need(Stsd::KIND)?.parse()?,
            times: optional(&boxes)?.unwrap_or_default(),
            composition: optional(&boxes)?,
            sync: optional(&boxes)?,
            chunks: optional(&boxes)?.unwrap_or_default(),
            sizes: optional(&boxes)?.unwrap_or_default(),
            offsets: offsets.unwrap_or_default(),
        })
    }
}

/// A count for a table's header.
fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

//! `tfhd`: track and defaults of a fragment, ISO/IEC 14496-12 §8.8.7.

use bytes::BytesMut;

use crate::bmff::{Body, Boxed, Error, FourCc, put_full};
use crate::octets::Write as _;

const BASE_DATA_OFFSET: u32 = 0x01;
const DESCRIPTION: u32 = 0x02;
const DURATION: u32 = 0x08;
const SIZE: u32 = 0x10;
const SAMPLE_FLAGS: u32 = 0x20;
const DURATION_IS_EMPTY: u32 = 0x01_0000;
const BASE_IS_MOOF: u32 = 0x02_0000;

/// Track and defaults. What is `None` comes from `trex`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tfhd {
    /// The track.
    pub track: u32,
    /// Byte of the file that the runs' offsets count from. Not allowed in CMAF and MSE.
    pub base_data_offset: Option<u64>,
    /// Which sample entry, counted from 1.
    pub description: Option<u32>,
    /// Duration of a sample, ticks.
    pub duration: Option<u32>,
    /// Size of a sample, bytes.
    pub size: Option<u32>,
    /// Flags of a sample.
    pub sample_flags: Option<u32>,
    /// There is time but no sample.
    pub duration_is_empty: bool,
    /// The runs' offsets count from the first byte of `moof`.
    pub base_is_moof: bool,
}

impl Tfhd {
    /// Without any default.
    #[must_use]
    pub fn new(track: u32) -> Self {
        Self { track, ..Self::default() }
    }
}

impl Boxed for Tfhd {
    const KIND: FourCc = FourCc(*b"tfhd");

    fn write_body(&self, out: &mut BytesMut) {
        let flag = |set: bool, flag: u32| if set { flag } else { 0 };
        let flags = flag(self.base_data_offset.is_some(), BASE_DATA_OFFSET)
            | flag(self.description.is_some(), DESCRIPTION)
            | flag(self.duration.is_some(), DURATION)
            | flag(self.size.is_some(), SIZE)
            | flag(self.sample_flags.is_some(), SAMPLE_FLAGS)
            | flag(self.duration_is_empty, DURATION_IS_EMPTY)
            | flag(self.base_is_moof, BASE_IS_MOOF);
        put_full(out, 0, flags);
        out.put_u32(self.track);
        if let Some(offset) = self.base_data_offset {
            out.put_u64(offset);
        }
        for field in [self.description, self.duration, self.size, self.sample_flags].into_iter().flatten() {
            out.put_u32(field);
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        let (_, flags) = body.full(0)?;
        let mut tfhd = Self::new(body.u32()?);
        if flags & BASE_DATA_OFFSET != 0 {
            tfhd.base_data_offset = Some(body.u64()?);
        }
        let mut field = |flag: u32| if flags & flag == 0 { Ok(None) } else { body.u32().map(Some) };
        tfhd.description = field(DESCRIPTION)?;
        tfhd.duration = field(DURATION)?;
        tfhd.size = field(SIZE)?;
        tfhd.sample_flags = field(SAMPLE_FLAGS)?;
        tfhd.duration_is_empty = flags & DURATION_IS_EMPTY != 0;
        tfhd.base_is_moof = flags & BASE_IS_MOOF != 0;
        Ok(tfhd)
    }
}

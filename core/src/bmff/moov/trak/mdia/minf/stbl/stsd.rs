//! `stsd`: what the samples are coded as, ISO/IEC 14496-12 §8.5.2.

use alloc::vec::Vec;
use bytes::BytesMut;

use super::count;
use crate::bmff::{Body, BoxRef, Boxed, Error, FourCc, put_full, write_box};
use crate::octets::Write as _;

pub mod audio;
pub mod avcc;
pub mod hvcc;
pub mod tx3g;

use audio::AudioEntry;
use avcc::AvcC;
use hvcc::HvcC;

/// H.264, parameter sets only in the entry.
pub const AVC1: FourCc = FourCc(*b"avc1");
/// H.264, parameter sets also among the samples.
pub const AVC3: FourCc = FourCc(*b"avc3");
/// H.265, parameter sets only in the entry.
pub const HVC1: FourCc = FourCc(*b"hvc1");
/// H.265, parameter sets also among the samples.
pub const HEV1: FourCc = FourCc(*b"hev1");

/// AV1, AV1 Codec ISO Media File Format Binding §2.2.
pub const AV01: FourCc = FourCc(*b"av01");
/// Motion JPEG, ISO/IEC 23008-12 Annex H.
pub const MJPG: FourCc = FourCc(*b"mjpg");
/// Motion JPEG as QuickTime calls it.
pub const JPEG: FourCc = FourCc(*b"jpeg");

const AV1C: FourCc = FourCc(*b"av1C");
const PASP: FourCc = FourCc(*b"pasp");
const BTRT: FourCc = FourCc(*b"btrt");
const COLR: FourCc = FourCc(*b"colr");

/// The sample entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stsd {
    /// At least one.
    pub entries: Vec<Entry>,
}

impl Stsd {
    /// One sample entry.
    #[must_use]
    pub fn of(entry: VideoEntry) -> Self {
        Self { entries: [Entry::Video(entry)].into() }
    }

    /// One sample entry of sound.
    #[must_use]
    pub fn of_audio(entry: AudioEntry) -> Self {
        Self { entries: [Entry::Audio(entry)].into() }
    }
}

/// What samples are coded as.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// H.264, H.265, AV1 or JPEG video, not encrypted.
    Video(VideoEntry),
    /// AAC, Opus or PCM, not encrypted.
    Audio(AudioEntry),
    /// Something else, kept as it is.
    Other(FourCc, Vec<u8>),
}

/// `VisualSampleEntry`, ISO/IEC 14496-12 §12.1.3.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VideoEntry {
    /// [`AVC1`], [`AVC3`], [`HVC1`], [`HEV1`], [`AV01`], [`MJPG`] or [`JPEG`].
    pub kind: FourCc,
    /// Columns, after cropping.
    pub width: u16,
    /// Rows, after cropping.
    pub height: u16,
    /// `avcC`, `hvcC` or `av1C`.
    pub configuration: Configuration,
    /// `pasp`: width to height of a sample, §12.1.4.
    pub pixel_aspect: Option<(u32, u32)>,
    /// `btrt`, §8.5.2.2.
    pub bit_rate: Option<BitRate>,
    /// `colr` of type `nclx`, §12.1.5.
    pub colour: Option<Colour>,
}

/// The decoder's configuration record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Configuration {
    /// H.264.
    Avc(AvcC),
    /// H.265.
    Hevc(HvcC),
    /// AV1: the body of `av1C`, AV1CodecConfigurationRecord.
    Av1(Vec<u8>),
    /// Each sample says all itself: JPEG.
    None,
}

/// `btrt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitRate {
    /// Bytes of the decoder's buffer.
    pub buffer: u32,
    /// Most bits in any second.
    pub max: u32,
    /// Bits in a second on average.
    pub average: u32,
}

/// Colour as ITU-T H.273 numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    /// colour_primaries.
    pub primaries: u16,
    /// transfer_characteristics.
    pub transfer: u16,
    /// matrix_coefficients.
    pub matrix: u16,
    /// Does luma use all values, not 16 to 235?
    pub full_range: bool,
}

impl VideoEntry {
    /// Bytes of the fields in front of the boxes inside.
    pub const FIELDS: usize = 78;

    /// With nothing optional. Width and height saturate at 65 535.
    #[must_use]
    pub fn new(kind: FourCc, width: u32, height: u32, configuration: Configuration) -> Self {
        let [width, height] = [width, height].map(|n| u16::try_from(n).unwrap_or(u16::MAX));
        Self { kind, width, height, configuration, pixel_aspect: None, bit_rate: None, colour: None }
    }

    fn write(&self, out: &mut BytesMut) {
        write_box(out, self.kind, |out| {
            out.put(&[0; 6]);
            // data_reference_index 1; 0 is refused by Safari.
            out.put_u16(1);
            out.put(&[0; 16]);
            out.put_u16(self.width);
            out.put_u16(self.height);
            // 72 dpi twice, reserved, one frame per sample, no compressor name, depth 24, pre_defined -1.
            out.put_u32(0x0048_0000);
            out.put_u32(0x0048_0000);
            out.put_u32(0);
            out.put_u16(1);
            out.put(&[0; 32]);
            out.put_u16(24);
            out.put_u16(0xffff);
            match &self.configuration {
                Configuration::Avc(record) => record.write(out),
                Configuration::Hevc(record) => record.write(out),
                Configuration::Av1(record) => write_box(out, AV1C, |out| out.put(record)),
                Configuration::None => {}
            }
            self.write_optional(out);
        });
    }

    fn write_optional(&self, out: &mut BytesMut) {
        if let Some((h, v)) = self.pixel_aspect {
            write_box(out, PASP, |out| {
                out.put_u32(h);
                out.put_u32(v);
            });
        }
        if let Some(colour) = self.colour {
            write_box(out, COLR, |out| {
                out.put(b"nclx");
                out.put_u16(colour.primaries);
                out.put_u16(colour.transfer);
                out.put_u16(colour.matrix);
                out.put_u8(u8::from(colour.full_range) << 7);
            });
        }
        if let Some(rate) = self.bit_rate {
            write_box(out, BTRT, |out| {
                out.put_u32(rate.buffer);
                out.put_u32(rate.max);
                out.put_u32(rate.average);
            });
        }
    }

    fn parse(found: &BoxRef<'_>) -> Result<Self, Error> {
        let mut body = found.body().after(24)?;
        let (width, height) = (body.u16()?, body.u16()?);
        let boxes = found.body().after(Self::FIELDS)?.children();
        let configuration = match found.kind {
            AVC1 | AVC3 => Configuration::Avc(boxes.need(AvcC::KIND)?.parse()?),
            AV01 => Configuration::Av1(boxes.need(AV1C)?.body().rest().into()),
            MJPG | JPEG => Configuration::None,
            _ => Configuration::Hevc(boxes.need(HvcC::KIND)?.parse()?),
        };
        let mut entry = Self::new(found.kind, width.into(), height.into(), configuration);
        for child in boxes {
            // What stands behind the configuration is optional: where it is broken it is left out.
            let Ok(child) = child else { break };
            let mut body = child.body();
            match child.kind {
                PASP => entry.pixel_aspect = body.u32().and_then(|h| Ok((h, body.u32()?))).ok(),
                BTRT => entry.bit_rate = BitRate::parse(&mut body).ok(),
                COLR if entry.colour.is_none() => entry.colour = Colour::parse(&mut body),
                _ => {}
            }
        }
        Ok(entry)
    }
}

impl BitRate {
    fn parse(body: &mut Body<'_>) -> Result<Self, Error> {
        Ok(Self { buffer: body.u32()?, max: body.u32()?, average: body.u32()? })
    }
}

impl Colour {
    /// `None` where it is an ICC profile or another type.
    fn parse(body: &mut Body<'_>) -> Option<Self> {
        if body.array::<4>().ok()? != *b"nclx" {
            return None;
        }
        let (primaries, transfer, matrix) = (body.u16().ok()?, body.u16().ok()?, body.u16().ok()?);
        Some(Self { primaries, transfer, matrix, full_range: body.u8().ok()? >> 7 == 1 })
    }
}

impl Boxed for Stsd {
    const KIND: FourCc = FourCc(*b"stsd");

    fn write_body(&self, out: &mut BytesMut) {
        put_full(out, 0, 0);
        out.put_u32(count(self.entries.len()));
        for entry in &self.entries {
            match entry {
                Entry::Video(video) => video.write(out),
                Entry::Audio(audio) => audio.write(out),
                Entry::Other(kind, body) => write_box(out, *kind, |out| out.put(body)),
            }
        }
    }

    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error> {
        // QuickTime counts the version otherwise; nobody relies on the number of entries.
        body.full(u8::MAX)?;
        body.skip(4)?;
        let mut entries = Vec::new();
        for child in body.children() {
            let child = child?;
            entries.push(match child.kind {
                AVC1 | AVC3 | HVC1 | HEV1 | AV01 | MJPG | JPEG => Entry::Video(VideoEntry::parse(&child)?),
                // What QuickTime's newer versions or a broken descriptor say is kept as it is.
                kind if audio::is_known(kind) => match AudioEntry::parse(&child) {
                    Ok(entry) => Entry::Audio(entry),
                    Err(_) => Entry::Other(kind, child.body().rest().into()),
                },
                kind => Entry::Other(kind, child.body().rest().into()),
            });
        }
        Ok(Self { entries })
    }
}

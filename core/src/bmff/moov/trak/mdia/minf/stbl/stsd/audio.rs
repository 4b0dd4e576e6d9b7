//! `AudioSampleEntry`, ISO/IEC 14496-12 §12.2.3, for AAC (`esds`, ISO/IEC 14496-14 §5.6), Opus (`dOps`, Encapsulation of Opus
//! in ISO BMFF §4.3.2) and PCM as QuickTime names it.

use alloc::vec::Vec;
use bytes::BytesMut;

use crate::bmff::{Body, BoxRef, Error, FourCc, Kind, put_full, write_box};
use crate::octets::Write as _;

/// MPEG-4 audio.
pub const MP4A: FourCc = FourCc(*b"mp4a");
/// Opus.
pub const OPUS: FourCc = FourCc(*b"Opus");
/// G.711, µ-law.
pub const ULAW: FourCc = FourCc(*b"ulaw");
/// G.711, A-law.
pub const ALAW: FourCc = FourCc(*b"alaw");
/// Linear PCM, 16 bits, big-endian.
pub const TWOS: FourCc = FourCc(*b"twos");

const ESDS: FourCc = FourCc(*b"esds");
const DOPS: FourCc = FourCc(*b"dOps");

/// Tags of ISO/IEC 14496-1 §7.2.2.1.
const ES_DESCRIPTOR: u8 = 3;
const DECODER_CONFIG: u8 = 4;
const DECODER_SPECIFIC: u8 = 5;
const SL_CONFIG: u8 = 6;
/// objectTypeIndication of MPEG-4 audio.
const MPEG4_AUDIO: u8 = 0x40;

/// Is it a sample entry that [`AudioEntry`] is for?
pub(super) const fn is_known(kind: FourCc) -> bool {
    matches!(kind, MP4A | OPUS | ULAW | ALAW | TWOS)
}

/// What samples of sound are coded as.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AudioEntry {
    /// [`MP4A`], [`OPUS`], [`ULAW`], [`ALAW`] or [`TWOS`].
    pub kind: FourCc,
    /// Channels.
    pub channels: u16,
    /// Samples per second and channel.
    pub sample_rate: u32,
    /// [`MP4A`]: `AudioSpecificConfig`. Empty for others.
    pub configuration: Vec<u8>,
}

impl AudioEntry {
    /// Bytes of the fields in front of the boxes inside.
    pub const FIELDS: usize = 28;

    /// An entry.
    #[must_use]
    pub fn new(kind: FourCc, channels: u8, sample_rate: u32, configuration: &[u8]) -> Self {
        Self { kind, channels: channels.into(), sample_rate, configuration: configuration.into() }
    }

    pub(super) fn write(&self, out: &mut BytesMut) {
        write_box(out, self.kind, |out| {
            out.put(&[0; 6]);
            out.put_u16(1);
            out.put(&[0; 8]);
            out.put_u16(self.channels);
            // Bits of a sample that is decoded; pre_defined and reserved.
            out.put_u16(16);
            out.put(&[0; 4]);
            // 16.16: a rate from 65 536 on has no room, the configuration says it.
            out.put_u32(u16::try_from(self.sample_rate).map_or(0, |rate| u32::from(rate) << 16));
            match self.kind {
                MP4A => write_box(out, ESDS, |out| self.descriptor(out)),
                OPUS => write_box(out, DOPS, |out| {
                    // Version 0. Nothing of a stream joined in the middle is priming: PreSkip 0. Gain 0, mapping family 0.
                    out.put(&[0, self.channels as u8, 0, 0]);
                    out.put_u32(self.sample_rate);
                    out.put(&[0; 3]);
                }),
                _ => {}
            }
        });
    }

    fn descriptor(&self, out: &mut BytesMut) {
        put_full(out, 0, 0);
        put_descriptor(out, ES_DESCRIPTOR, |out| {
            out.put(&[0; 3]);
            put_descriptor(out, DECODER_CONFIG, |out| {
                // streamType 5 is audio, upStream 0, reserved 1; buffer and rates unknown.
                out.put(&[MPEG4_AUDIO, 5 << 2 | 1]);
                out.put(&[0; 11]);
                put_descriptor(out, DECODER_SPECIFIC, |out| out.put(&self.configuration));
            });
            // predefined 2: for MP4.
            put_descriptor(out, SL_CONFIG, |out| out.put_u8(2));
        });
    }

    pub(super) fn parse(found: &BoxRef<'_>) -> Result<Self, Error> {
        let mut body = found.body();
        body.skip(8)?;
        // QuickTime's version 1 has 16 bytes more, version 2 others.
        let version = body.u16()?;
        let more = match version {
            0 => 0,
            1 => 16,
            _ => return Err(body.fail(Kind::UnknownVersion)),
        };
        body.skip(6)?;
        let channels = body.u16()?;
        body.skip(6)?;
        let sample_rate = body.u32()? >> 16;
        let boxes = found.body().after(Self::FIELDS + more)?.children();
        let mut entry = Self { kind: found.kind, channels, sample_rate, configuration: Vec::new() };
        match found.kind {
            MP4A => {
                let mut esds = boxes.need(ESDS)?.body();
                esds.full(0)?;
                entry.configuration = specific(&mut esds)?;
            }
            OPUS => {
                let mut dops = boxes.need(DOPS)?.body().after(1)?;
                entry.channels = u16::from(dops.u8()?);
                dops.skip(2)?;
                entry.sample_rate = dops.u32()?;
            }
            _ => {}
        }
        Ok(entry)
    }
}

/// Appends a descriptor, its length in as many bytes as it needs (ISO/IEC 14496-1 §8.3.3).
fn put_descriptor(out: &mut BytesMut, tag: u8, body: impl FnOnce(&mut BytesMut)) {
    let mut inner = BytesMut::new();
    body(&mut inner);
    out.put_u8(tag);
    let length = inner.len();
    for shift in [21, 14, 7] {
        if length >> shift > 0 {
            out.put_u8(0x80 | (length >> shift) as u8 & 0x7f);
        }
    }
    out.put_u8(length as u8 & 0x7f);
    out.put(&inner);
}

/// A descriptor's tag and length.
fn descriptor(body: &mut Body<'_>) -> Result<(u8, usize), Error> {
    let tag = body.u8()?;
    let mut length = 0;
    for _ in 0..4 {
        let byte = body.u8()?;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok((tag, length))
}

/// The `DecoderSpecificInfo` of an `ES_Descriptor`.
fn specific(body: &mut Body<'_>) -> Result<Vec<u8>, Error> {
    let bad = |body: &Body<'_>| body.fail(Kind::BadValue);
    if descriptor(body)?.0 != ES_DESCRIPTOR {
        return Err(bad(body));
    }
    body.skip(2)?;
    let flags = body.u8()?;
    if flags & 0x80 != 0 {
        body.skip(2)?; // dependsOn_ES_ID
    }
    if flags & 0x40 != 0 {
        let length = body.u8()?;
        body.skip(usize::from(length))?; // URL
    }
    if flags & 0x20 != 0 {
        body.skip(2)?; // OCR_ES_Id
    }
    if descriptor(body)?.0 != DECODER_CONFIG || body.u8()? != MPEG4_AUDIO {
        return Err(bad(body));
    }
    body.skip(12)?;
    match descriptor(body)? {
        (DECODER_SPECIFIC, length) => Ok(body.take(length)?.into()),
        _ => Err(bad(body)),
    }
}

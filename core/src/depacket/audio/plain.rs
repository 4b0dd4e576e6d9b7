//! Sound whose payload is the access unit: Opus (RFC 7587), G.711 and L16 (RFC 3551).

use bytes::Bytes;

use super::{AudioFormat, Error, Kind, Out};
use crate::codec::AudioCodec;
use crate::fault::{Quirk, Quirks};
use crate::limits::Limits;
use crate::rtp::RtpPacket;
use crate::sdp::PayloadType;
use crate::time::Micros;

/// Samples of L16 that are looked at before the order of its bytes is believed.
const LISTENED: u32 = 8_000;

/// Reads a payload as it is.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    codec: AudioCodec,
    order: Order,
}

/// Which order the two bytes of an L16 sample have.
#[derive(Clone, Debug)]
struct Order {
    /// How far apart neighbouring samples are, summed up: read as they should be, and the other way round.
    steps: [u64; 2],
    listened: u32,
    swapped: bool,
}

pub(super) fn format(
    codec: AudioCodec,
    chosen: &PayloadType,
    limits: &Limits,
    quirks: &mut Quirks,
) -> Result<AudioFormat, Error> {
    let (mut rate, mut channels) = super::said(chosen);
    if codec == AudioCodec::Opus {
        // RFC 7587 §4.1 and §7: always 48 000 and 2, whatever is sent. Some write 48000/1.
        if (rate, channels) != (48_000, 2) {
            quirks.count(Quirk::OpusMono);
            if !limits.policy.tolerates(Quirk::OpusMono) {
                return Err(Error { kind: Kind::NotTolerated(Quirk::OpusMono) });
            }
        }
        (rate, channels) = (48_000, 2);
    }
    if rate == 0 {
        rate = 8_000; // RFC 3551 §4.5.14
    }
    Ok(AudioFormat {
        codec,
        clock_rate: rate,
        sample_rate: rate,
        channels: channels.max(1),
        configuration: Bytes::new(),
    })
}

impl Plain {
    pub(super) fn new(format: &AudioFormat, chosen: &PayloadType) -> Self {
        // Go2RTC's name for it, taken over from Hikvision's.
        let swapped = format.codec == AudioCodec::L16 && chosen.encoding.eq_ignore_ascii_case("PCML");
        Self { codec: format.codec, order: Order { steps: [0; 2], listened: 0, swapped } }
    }

    pub(super) fn packet(&mut self, packet: &RtpPacket<'_>, at: u32, received: Micros, out: &mut Out) {
        let payload = packet.payload;
        if payload.len() > out.limits.audio_unit {
            return out.damaged(Quirk::OverLimit);
        }
        if self.codec == AudioCodec::Opus {
            let Some(duration) = opus(payload) else { return out.damaged(Quirk::BadPayload) };
            out.room(payload.len());
            out.buffer.extend_from_slice(payload);
            return out.give(at, duration, received);
        }
        let sample = usize::from(out.format.channels) * if self.codec == AudioCodec::L16 { 2 } else { 1 };
        let whole = payload.len() / sample * sample;
        if whole != payload.len() {
            // Reolink doorbell: packets of odd sizes. What is there of the last sample is nothing to decode.
            out.quirks.count(Quirk::OddAudioSize);
            if whole == 0 || !out.limits.policy.tolerates(Quirk::OddAudioSize) {
                out.loss.incomplete = true;
                return;
            }
        }
        let payload = payload.get(..whole).unwrap_or(payload);
        out.room(whole);
        if self.codec == AudioCodec::L16 && self.order.is_swapped(payload, out) {
            for pair in payload.chunks_exact(2) {
                out.buffer.extend(pair.iter().rev());
            }
        } else {
            out.buffer.extend_from_slice(payload);
        }
        out.give(at, (whole / sample) as u32, received);
    }
}

impl Order {
    /// Hikvision declares L16 and sends its bytes the other way round. Sound is smooth: in the wrong order its neighbours lie
    /// hundreds of times as far apart.
    fn is_swapped(&mut self, payload: &[u8], out: &mut Out) -> bool {
        if self.listened < LISTENED {
            let channels = usize::from(out.format.channels);
            let samples = || payload.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
            for (a, b) in samples().zip(samples().skip(channels)) {
                let [right, wrong] = &mut self.steps;
                *right += u64::from(i16::from_be_bytes(a).abs_diff(i16::from_be_bytes(b)));
                *wrong += u64::from(i16::from_le_bytes(a).abs_diff(i16::from_le_bytes(b)));
                self.listened += 1;
            }
            let [right, wrong] = self.steps;
            let swapped = right / 8 > wrong;
            if swapped && !self.swapped {
                out.quirks.count(Quirk::LittleEndianPcm);
            }
            self.swapped = swapped;
        }
        self.swapped && out.limits.policy.tolerates(Quirk::LittleEndianPcm)
    }
}

/// What an Opus packet lasts, in samples at 48 kHz: RFC 6716 §3.1 and §3.2.
pub(super) fn opus(packet: &[u8]) -> Option<u32> {
    let first = *packet.first()?;
    let configuration = first >> 3;
    let frame = match configuration {
        0..=11 => *[480, 960, 1_920, 2_880].get(usize::from(configuration % 4))?,
        12..=15 => 480 << (configuration % 2),
        _ => 120 << (configuration % 4),
    };
    let frames = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3f),
    };
    // §3.4: at most 120 ms.
    let duration = frame * frames;
    (1..=5_760).contains(&duration).then_some(duration)
}

//! MPEG-4 audio by RFC 6416: an `AudioMuxElement` of LATM, ISO/IEC 14496-3 §1.7.3, in one packet or several.

use alloc::vec::Vec;
use bytes::Bytes;

use super::config::{AudioConfig, hexadecimal};
use super::{AudioFormat, Error, Kind, Out, said};
use crate::codec::AudioCodec;
use crate::fault::Quirk;
use crate::octets::Bits;
use crate::rtp::RtpPacket;
use crate::sdp::PayloadType;
use crate::time::Micros;

/// Reads LATM.
#[derive(Clone, Debug)]
pub(super) struct Latm {
    /// The configuration stands in the stream (`cpresent=1`).
    in_band: bool,
    said: (u32, u8),
    mux: Option<Mux>,
    /// The element whose pieces are coming.
    open: Option<(u32, Micros)>,
    element: Vec<u8>,
}

/// `StreamMuxConfig`, §1.7.3.1, of one program with one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mux {
    config: AudioConfig,
    bytes: Bytes,
    /// Access units of an element.
    frames: u32,
    /// Bytes of each, where the element does not say.
    constant: Option<usize>,
}

impl Latm {
    pub(super) fn new(chosen: &PayloadType) -> Result<(Self, AudioFormat), Error> {
        let failed = Error { kind: Kind::Configuration };
        let in_band = chosen.parameter("cpresent").is_none_or(|present| present.trim() != "0");
        let given = chosen.parameter("config").and_then(hexadecimal);
        let mux = given.and_then(|bytes| Mux::read(&mut Bits::new(&bytes)));
        if mux.is_none() && !in_band {
            return Err(failed);
        }
        let (rate, channels) = said(chosen);
        let format = match &mux {
            Some(mux) => mux.format((rate, channels)),
            // RFC 6416 §5.2: the stream tells.
            None => AudioFormat {
                codec: AudioCodec::Aac,
                clock_rate: rate,
                sample_rate: rate,
                channels: channels.max(1),
                configuration: Bytes::new(),
            },
        };
        let latm = Self { in_band, said: (rate, channels), mux, open: None, element: Vec::new() };
        Ok((latm, format))
    }

    pub(super) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn lost(&mut self, out: &mut Out) {
        if self.open.take().is_some() {
            self.element.clear();
            out.loss.incomplete = true;
        }
    }

    pub(super) fn packet(&mut self, packet: &RtpPacket<'_>, at: u32, received: Micros, out: &mut Out) {
        if self.open.is_some_and(|(timestamp, _)| timestamp != at) {
            // The marker that ends the element never came: it is whole, as far as one can tell.
            out.quirks.count(Quirk::NoMarker);
            self.close(out);
        }
        if self.element.len() + packet.payload.len() > out.limits.audio_unit {
            self.open = None;
            self.element.clear();
            return out.damaged(Quirk::OverLimit);
        }
        self.open.get_or_insert((at, received));
        self.element.extend_from_slice(packet.payload);
        // RFC 6416 §6.1: the marker stands on the last packet of an element.
        if packet.marker {
            self.close(out);
        }
    }

    fn close(&mut self, out: &mut Out) {
        let Some((at, received)) = self.open.take() else { return };
        let element = core::mem::take(&mut self.element);
        if self.read(&element, at, received, out).is_none() {
            out.buffer.clear();
            out.damaged(Quirk::BadPayload);
        }
        self.element = element;
        self.element.clear();
    }

    /// `AudioMuxElement`, as often as there are any: some put several into a packet.
    fn read(&mut self, element: &[u8], mut at: u32, received: Micros, out: &mut Out) -> Option<()> {
        let mut bits = Bits::new(element);
        while bits.left() >= 8 {
            if self.in_band && !bits.bit()? {
                let mux = Mux::read(&mut bits)?;
                if self.mux.as_ref() != Some(&mux) {
                    out.set_format(mux.format(self.said));
                    self.mux = Some(mux);
                }
            }
            let Some(mux) = &self.mux else {
                // Nothing can be told before the first configuration.
                out.loss.incomplete = true;
                return Some(());
            };
            let core = u64::from(mux.config.core_rate.max(1));
            let ticks = u64::from(mux.config.samples) * u64::from(out.format.clock_rate) / core;
            for _ in 0..mux.frames {
                let length = match mux.constant {
                    Some(length) => length,
                    None => length(&mut bits)?,
                };
                out.room(length.min(element.len()));
                bits.copy(length, &mut out.buffer)?;
                if length > 0 {
                    out.give(at, ticks as u32, received);
                }
                at = at.wrapping_add(ticks as u32);
            }
            bits.align();
        }
        Some(())
    }
}

/// `PayloadLengthInfo`: bytes of 255 until one is less.
fn length(bits: &mut Bits<'_>) -> Option<usize> {
    let mut length = 0_usize;
    loop {
        let byte = bits.take(8)? as usize;
        length += byte;
        if byte < 255 {
            return Some(length);
        }
    }
}

/// `LatmGetValue`.
fn value(bits: &mut Bits<'_>) -> Option<u32> {
    let bytes = bits.take(2)?;
    bits.take(8 * (bytes + 1))
}

impl Mux {
    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let version = bits.bit()?;
        if version && bits.bit()? {
            return None; // audioMuxVersionA: reserved
        }
        if version {
            value(bits)?; // taraBufferFullness
        }
        let same_framing = bits.bit()?;
        let frames = bits.take(6)? + 1;
        let (programs, layers) = (bits.take(4)?, bits.take(3)?);
        if !same_framing || programs > 0 || layers > 0 {
            return None;
        }
        let given = if version { Some(value(bits)? as usize) } else { None };
        let (config, bytes, length) = Self::config(bits, given)?;
        bits.skip(length)?;
        let constant = match bits.take(3)? {
            0 => {
                bits.skip(8)?; // latmBufferFullness
                None
            }
            1 => Some((bits.take(9)? as usize + 20).min(usize::from(u16::MAX))),
            _ => return None,
        };
        if bits.bit()? {
            // otherDataPresent: its length, then it stands behind the access units, which is not read.
            if version {
                value(bits)?;
            } else {
                while bits.bit()? {
                    bits.skip(8)?;
                }
                bits.skip(8)?;
            }
        }
        if bits.bit()? {
            bits.skip(8)?; // crcCheckSum
        }
        Some(Self { config, bytes: bytes.into(), frames, constant })
    }

    /// The `AudioSpecificConfig` that stands next, without taking it, and its bits: as many as were given, or as it has. It
    /// starts anywhere in a byte, and is moved to a byte's start.
    fn config(bits: &Bits<'_>, length: Option<usize>) -> Option<(AudioConfig, Vec<u8>, usize)> {
        const MOST: usize = 512;
        let mut ahead = bits.clone();
        let there = length.unwrap_or(usize::MAX).min(ahead.left());
        let (whole, rest) = ((there / 8).min(MOST), there % 8);
        let mut bytes = Vec::with_capacity(whole + 1);
        ahead.copy(whole, &mut bytes)?;
        if whole < MOST && rest > 0 {
            bytes.push((ahead.take(rest as u32)? as u8) << (8 - rest));
        }
        let mut read = Bits::new(&bytes);
        let config = AudioConfig::read(&mut read)?;
        let length = length.unwrap_or(read.position());
        bytes.truncate(length.div_ceil(8));
        if let (Some(last), rest @ 1..) = (bytes.last_mut(), length % 8) {
            *last &= 0xff << (8 - rest);
        }
        Some((config, bytes, length))
    }

    fn format(&self, (rate, _): (u32, u8)) -> AudioFormat {
        AudioFormat {
            codec: AudioCodec::Aac,
            clock_rate: if rate == 0 { self.config.sample_rate } else { rate },
            sample_rate: self.config.sample_rate,
            channels: self.config.channels,
            configuration: self.bytes.clone(),
        }
    }
}

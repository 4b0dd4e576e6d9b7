//! RTP payloads of sound to audio access units: AAC by RFC 3640 and RFC 6416, Opus by RFC 7587, G.711 and L16 by RFC 3551,
//! and what cameras make of them.

mod aac;
mod config;
mod error;
mod latm;
mod plain;
#[cfg(test)]
mod tests;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use bytes::{Bytes, BytesMut};

pub use config::AudioConfig;
pub use error::{Error, Kind};

use super::Loss;
use crate::codec::AudioCodec;
use crate::fault::{Quirk, Quirks};
use crate::limits::Limits;
use crate::rtp::{self, RtpPacket};
use crate::sdp::{Media, PayloadType};
use crate::time::Micros;

/// Bytes of one buffer, which many access units share: nothing is allocated per packet.
const CHUNK: usize = 64 << 10;
/// Access units that wait for their turn where the stream is interleaved (RFC 3640 §3.2.3.2).
const MOST_WAITING: usize = 64;

/// What a stream of sound is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AudioFormat {
    /// The coding.
    pub codec: AudioCodec,
    /// Ticks of the RTP timestamp per second.
    pub clock_rate: u32,
    /// Samples per second and channel.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u8,
    /// AAC: the `AudioSpecificConfig` of ISO/IEC 14496-3 §1.6.2.1. Others need none.
    pub configuration: Bytes,
}

impl AudioFormat {
    /// RFC 6381 parameter: `mp4a.40.2`, `opus`; where that has no word, the sample entry's: `ulaw`, `alaw`, `twos`.
    #[must_use]
    pub fn codec_string(&self) -> String {
        match self.codec {
            AudioCodec::Aac => {
                let object = AudioConfig::parse(&self.configuration).map_or(2, |config| config.object_type);
                alloc::format!("mp4a.40.{object}")
            }
            AudioCodec::Opus => "opus".into(),
            AudioCodec::Pcmu => "ulaw".into(),
            AudioCodec::Pcma => "alaw".into(),
            AudioCodec::L16 => "twos".into(),
        }
    }
}

/// What is decoded at once: an AAC access unit, an Opus packet, the PCM of a packet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AudioUnit {
    /// What it is. The same `Arc` as before as long as nothing of it changed.
    pub format: Arc<AudioFormat>,
    /// Its bytes, as they came; without ADTS or LATM around them.
    pub data: Bytes,
    /// RTP timestamp of its first sample.
    pub timestamp: u32,
    /// Ticks of [`AudioFormat::clock_rate`] that it lasts.
    pub duration: u32,
    /// When the packet with its first byte arrived.
    pub received: Micros,
    /// What is missing.
    pub loss: Loss,
}

/// One stream's RTP packets, in order, to audio access units.
///
/// Give each packet to [`push`](Self::push), then call [`pull`](Self::pull) until it gives nothing. What is damaged is
/// dropped and told in the [`Loss`] of the unit after it.
#[derive(Clone, Debug)]
pub struct AudioDepacketizer {
    way: Way,
    out: Out,
}

#[derive(Clone, Debug)]
enum Way {
    Aac(aac::Aac),
    Latm(latm::Latm),
    Plain(plain::Plain),
}

impl AudioDepacketizer {
    /// For the chosen payload type of a media section.
    ///
    /// # Errors
    /// It carries no sound that can be read, does not say how, or says it in a way that the policy does not tolerate.
    pub fn new(media: &Media, limits: &Limits) -> Result<Self, Error> {
        let kind = |kind| Error { kind };
        let chosen = media.chosen().ok_or(kind(Kind::Codec))?;
        let codec = media.audio().ok_or(kind(Kind::Codec))?;
        let mut quirks = Quirks::default();
        let latm = chosen.encoding.eq_ignore_ascii_case("MP4A-LATM");
        let (way, format) = match codec {
            AudioCodec::Aac if latm => {
                let (way, format) = latm::Latm::new(chosen)?;
                (Way::Latm(way), format)
            }
            AudioCodec::Aac => {
                let (way, format) = aac::Aac::new(chosen, limits, &mut quirks)?;
                (Way::Aac(way), format)
            }
            _ => {
                let format = plain::format(codec, chosen, limits, &mut quirks)?;
                (Way::Plain(plain::Plain::new(&format, chosen)), format)
            }
        };
        Ok(Self { way, out: Out::new(format, limits, quirks) })
    }

    /// Takes the next packet. `lost_before` is the number of packets missing between the one before and this one.
    pub fn push(&mut self, packet: &RtpPacket<'_>, received: Micros, lost_before: u32) {
        let lost = lost_before > 0;
        if lost {
            self.out.loss.packets = self.out.loss.packets.saturating_add(lost_before);
            match &mut self.way {
                Way::Aac(aac) => aac.lost(&mut self.out),
                Way::Latm(latm) => latm.lost(&mut self.out),
                Way::Plain(_) => {}
            }
        }
        if packet.payload.is_empty() {
            return self.out.quirks.count(Quirk::EmptyPayload);
        }
        let at = self.out.time(packet.timestamp, lost, self.continues());
        match &mut self.way {
            Way::Aac(aac) => aac.packet(packet, at, received, &mut self.out),
            Way::Latm(latm) => latm.packet(packet, at, received, &mut self.out),
            Way::Plain(plain) => plain.packet(packet, at, received, &mut self.out),
        }
    }

    /// Nothing more comes: what waits for its turn comes out.
    pub fn finish(&mut self) {
        match &mut self.way {
            Way::Aac(aac) => aac.lost(&mut self.out),
            Way::Latm(latm) => latm.lost(&mut self.out),
            Way::Plain(_) => {}
        }
        self.out.release(0);
    }

    /// The next access unit.
    pub fn pull(&mut self) -> Option<AudioUnit> {
        self.out.ready.pop_front()
    }

    /// What the stream is, as far as is known. LATM may tell it in the stream only.
    #[must_use]
    pub const fn format(&self) -> &Arc<AudioFormat> {
        &self.out.format
    }

    /// What was tolerated so far.
    #[must_use]
    pub const fn quirks(&self) -> &Quirks {
        &self.out.quirks
    }

    /// Is an access unit open that the next packet continues?
    const fn continues(&self) -> bool {
        match &self.way {
            Way::Aac(aac) => aac.is_open(),
            Way::Latm(latm) => latm.is_open(),
            Way::Plain(_) => false,
        }
    }
}

/// Where access units are put: their buffer, their format, and what was lost before them.
#[derive(Clone, Debug)]
struct Out {
    limits: Limits,
    format: Arc<AudioFormat>,
    buffer: BytesMut,
    ready: VecDeque<AudioUnit>,
    /// Interleaved ones, by timestamp.
    waiting: VecDeque<AudioUnit>,
    loss: Loss,
    quirks: Quirks,
    /// The timestamp of the packet before, and where its last access unit ends.
    before: Option<(u32, u32)>,
}

impl Out {
    fn new(format: AudioFormat, limits: &Limits, quirks: Quirks) -> Self {
        Self {
            limits: *limits,
            format: Arc::new(format),
            buffer: BytesMut::new(),
            ready: VecDeque::new(),
            waiting: VecDeque::new(),
            loss: Loss::default(),
            quirks,
            before: None,
        }
    }

    /// The time of a packet with this timestamp. One that stands still though nothing is missing goes on where the packet
    /// before ended (Reolink doorbell: 0 on every packet).
    fn time(&mut self, timestamp: u32, lost: bool, continues: bool) -> u32 {
        let before = self.before.filter(|_| !lost && !continues);
        let stuck = before.filter(|(said, end)| *said == timestamp && *end != timestamp);
        let at = match stuck {
            Some((_, end)) => {
                self.quirks.count(Quirk::StuckAudioTime);
                if self.limits.policy.tolerates(Quirk::StuckAudioTime) { end } else { timestamp }
            }
            None => timestamp,
        };
        self.before = Some((timestamp, at));
        at
    }

    /// Something of the stream was unreadable: the next access unit tells.
    fn damaged(&mut self, quirk: Quirk) {
        self.quirks.count(quirk);
        self.loss.incomplete = true;
    }

    /// Room for `bytes` more at the end of the buffer. What stands there already moves along.
    fn room(&mut self, bytes: usize) {
        if self.buffer.capacity() - self.buffer.len() < bytes {
            self.buffer.reserve(bytes.max(CHUNK));
        }
    }

    /// The next access unit is what stands in the buffer.
    fn give(&mut self, timestamp: u32, duration: u32, received: Micros) {
        let data = self.buffer.split().freeze();
        let loss = core::mem::take(&mut self.loss);
        let format = Arc::clone(&self.format);
        self.ready.push_back(AudioUnit { format, data, timestamp, duration, received, loss });
        if let Some((_, end)) = &mut self.before {
            *end = timestamp.wrapping_add(duration);
        }
    }

    /// The access unit just given has its turn when `displacement` ticks of later ones are there.
    fn interleave(&mut self, displacement: u32) {
        let Some(unit) = self.ready.pop_back() else { return };
        let later = |other: &AudioUnit| rtp::timestamp_distance(unit.timestamp, other.timestamp) > 0;
        let behind = self.waiting.iter().rev().take_while(|other| later(other)).count();
        self.waiting.insert(self.waiting.len() - behind, unit);
        self.release(displacement);
    }

    /// Lets out what no access unit still to come precedes.
    fn release(&mut self, displacement: u32) {
        let Some(newest) = self.waiting.back().map(|unit| unit.timestamp) else { return };
        while let Some(unit) = self.waiting.front() {
            let age = rtp::timestamp_distance(unit.timestamp, newest).max(0) as u32;
            if displacement > 0 && age <= displacement && self.waiting.len() <= MOST_WAITING {
                return;
            }
            self.ready.extend(self.waiting.pop_front());
        }
    }

    /// What follows is in another format.
    fn set_format(&mut self, format: AudioFormat) {
        if *self.format != format {
            self.format = Arc::new(format);
        }
    }
}

/// What the session description says of the rate and the channels.
fn said(payload_type: &PayloadType) -> (u32, u8) {
    (payload_type.clock_rate, payload_type.channels)
}

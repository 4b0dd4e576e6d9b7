//! AAC by RFC 3640: an AU header section, then the access units or a piece of one.

use super::config::{AudioConfig, hexadecimal};
use super::{AudioFormat, Error, Kind, Out, said};
use crate::codec::AudioCodec;
use crate::fault::{Quirk, Quirks};
use crate::limits::Limits;
use crate::octets::Bits;
use crate::rtp::RtpPacket;
use crate::sdp::PayloadType;
use crate::time::Micros;

/// The stream's parameters and the access unit whose pieces are coming.
#[derive(Clone, Debug)]
pub(super) struct Aac {
    widths: Widths,
    config: AudioConfig,
    /// The configuration was not said, only guessed.
    guessed: bool,
    /// The clock rate that the session description names; `None` once measured.
    unsure: Option<u32>,
    /// The packet before: its timestamp and how many access units it began.
    before: Option<(u32, u32)>,
    fragment: Option<Fragment>,
}

/// How many bits each field of an AU header has, RFC 3640 §4.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Widths {
    size: u32,
    index: u32,
    delta: u32,
    cts: u32,
    dts: u32,
    random_access: bool,
    state: u32,
    auxiliary: u32,
    /// `constantSize`: bytes of each access unit.
    constant: usize,
    /// `maxDisplacement`, ticks: the stream is interleaved.
    displacement: u32,
}

/// A piece of an access unit, in the buffer.
#[derive(Clone, Copy, Debug)]
struct Fragment {
    /// As the packets have it.
    timestamp: u32,
    at: u32,
    received: Micros,
    size: usize,
}

/// An AU header.
#[derive(Clone, Copy, Debug)]
struct Header {
    size: usize,
    /// AU-Index of the first, AU-Index-delta of the others.
    index: u32,
}

impl Aac {
    pub(super) fn new(
        chosen: &PayloadType,
        limits: &Limits,
        quirks: &mut Quirks,
    ) -> Result<(Self, AudioFormat), Error> {
        let mut tolerate = |quirk| {
            quirks.count(quirk);
            limits.policy.tolerates(quirk).then_some(()).ok_or(Error { kind: Kind::NotTolerated(quirk) })
        };
        let (widths, exact) = Widths::of(chosen);
        if !exact {
            tolerate(Quirk::AudioParameters)?;
        }
        let (rate, channels) = said(chosen);
        let given = chosen.parameter("config").and_then(hexadecimal);
        let read = given.and_then(|bytes| Some((AudioConfig::parse(&bytes)?, bytes)));
        let guessed = read.is_none();
        let (config, bytes) = match read {
            Some(read) => read,
            None => {
                tolerate(Quirk::NoAudioConfig)?;
                let bytes = AudioConfig::write(0, rate, channels.max(1));
                let bytes = bytes.ok_or(Error { kind: Kind::Configuration })?;
                let config = AudioConfig::parse(&bytes).ok_or(Error { kind: Kind::Configuration })?;
                (config, bytes.to_vec())
            }
        };
        // SBR may be there without being told (§1.6.5.3): twice the rate then.
        let doubled = config.core_rate.saturating_mul(2);
        let rates = [config.core_rate, config.sample_rate, doubled];
        // UniFi Protect 2.0: another rate than `rtpmap` has. What the decoder is told is right.
        let other_rate = rate != 0 && !rates.contains(&rate);
        if other_rate {
            tolerate(Quirk::AudioRate)?;
        }
        let clock_rate = if other_rate || rate == 0 { config.sample_rate } else { rate };
        let format = AudioFormat {
            codec: AudioCodec::Aac,
            clock_rate,
            sample_rate: config.sample_rate,
            channels: config.channels,
            configuration: bytes.into(),
        };
        let aac = Self { widths, config, guessed, unsure: Some(rate), before: None, fragment: None };
        Ok((aac, format))
    }

    pub(super) const fn is_open(&self) -> bool {
        self.fragment.is_some()
    }

    /// What comes next does not continue what is open.
    pub(super) fn lost(&mut self, out: &mut Out) {
        self.before = None;
        if self.fragment.take().is_some() {
            out.buffer.clear();
            out.loss.incomplete = true;
        }
    }

    pub(super) fn packet(&mut self, packet: &RtpPacket<'_>, at: u32, received: Micros, out: &mut Out) {
        let payload = packet.payload;
        let Some((mut headers, data)) = self.widths.split(payload) else {
            return out.damaged(Quirk::BadPayload);
        };
        self.measure(packet.timestamp, out);
        if let Some(fragment) = self.fragment {
            let first = headers.next();
            if fragment.timestamp == packet.timestamp && first.is_some_and(|h| h.size == fragment.size) {
                return self.piece(fragment, data, packet.marker, out);
            }
            // Its end never came, though no packet is missing.
            self.lost(out);
            out.quirks.count(Quirk::NoEndBit);
            let Some((again, _)) = self.widths.split(payload) else { return };
            headers = again;
        }
        let begun = self.units(headers, data, packet, (at, received), out);
        self.before = begun.map(|count| (packet.timestamp, count));
    }

    /// The access units of a packet; how many, where all of them were whole.
    fn units(
        &mut self,
        mut headers: Headers<'_>,
        data: &[u8],
        packet: &RtpPacket<'_>,
        (at, received): (u32, Micros),
        out: &mut Out,
    ) -> Option<u32> {
        let mut rest = data;
        let (mut count, mut index) = (0, 0_u32);
        while let Some(header) = headers.next() {
            let interleaved = self.widths.displacement > 0;
            if header.index != 0 && !interleaved {
                // Some count on over all packets, some leap: without interleaving there is nothing to count.
                out.quirks.count(Quirk::AudioIndex);
                if !out.limits.policy.tolerates(Quirk::AudioIndex) {
                    out.loss.incomplete = true;
                    return None;
                }
            }
            if count > 0 {
                index = index.saturating_add(1).saturating_add(if interleaved { header.index } else { 0 });
            }
            let size =
                if self.widths.size == 0 && self.widths.constant == 0 { rest.len() } else { header.size };
            let Some((unit, after)) = rest.split_at_checked(size) else {
                if count == 0 && headers.next().is_none() && size <= out.limits.audio_unit {
                    let fragment = Fragment { timestamp: packet.timestamp, at, received, size };
                    self.fragment = Some(fragment);
                    out.buffer.clear();
                    self.piece(fragment, rest, packet.marker, out);
                } else {
                    out.damaged(Quirk::BadPayload);
                }
                return None;
            };
            rest = after;
            let timestamp = at.wrapping_add(self.ticks(out).wrapping_mul(index));
            if size > out.limits.audio_unit {
                out.damaged(Quirk::OverLimit);
            } else if size > 0 {
                self.unit(unit, timestamp, received, out);
            }
            count += 1;
        }
        Some(count)
    }

    /// More of the access unit that is open.
    fn piece(&mut self, fragment: Fragment, data: &[u8], marker: bool, out: &mut Out) {
        let left = fragment.size.saturating_sub(out.buffer.len());
        let piece = data.get(..data.len().min(left)).unwrap_or(&[]);
        out.room(piece.len());
        out.buffer.extend_from_slice(piece);
        if out.buffer.len() == fragment.size {
            self.fragment = None;
            let whole = out.buffer.split().freeze();
            self.unit(&whole, fragment.at, fragment.received, out);
        } else if marker {
            // RFC 3640 §3.1: the marker ends the access unit, and it is not all there.
            self.lost(out);
            out.quirks.count(Quirk::EarlyMarker);
        }
    }

    /// A whole access unit, which some wrap in ADTS.
    fn unit(&mut self, unit: &[u8], timestamp: u32, received: Micros, out: &mut Out) {
        if Adts::read(unit).is_none() {
            return self.give(unit, timestamp, received, out);
        }
        // Sony, Anjvision MC800S: one header in the other.
        out.quirks.count(Quirk::AdtsInside);
        if !out.limits.policy.tolerates(Quirk::AdtsInside) {
            out.loss.incomplete = true;
            return;
        }
        let (mut rest, mut at) = (unit, timestamp);
        while let Some(adts) = Adts::read(rest) {
            if core::mem::take(&mut self.guessed) {
                self.reconfigure(&adts, out);
            }
            let (frame, after) = rest.split_at_checked(adts.length).unwrap_or((rest, &[]));
            self.give(frame.get(adts.header..).unwrap_or(&[]), at, received, out);
            (rest, at) = (after, at.wrapping_add(self.ticks(out)));
        }
    }

    fn give(&self, unit: &[u8], timestamp: u32, received: Micros, out: &mut Out) {
        out.room(unit.len());
        out.buffer.extend_from_slice(unit);
        out.give(timestamp, self.ticks(out), received);
        if self.widths.displacement > 0 {
            out.interleave(self.widths.displacement);
        }
    }

    /// The configuration that ADTS tells, where the session description told none.
    fn reconfigure(&mut self, adts: &Adts, out: &mut Out) {
        let Some(bytes) = AudioConfig::write(adts.object_type, adts.rate, adts.channels) else { return };
        let Some(config) = AudioConfig::parse(&bytes) else { return };
        self.config = config;
        out.set_format(AudioFormat {
            sample_rate: config.sample_rate,
            channels: config.channels,
            configuration: bytes.to_vec().into(),
            ..(*out.format).clone()
        });
    }

    /// What an access unit lasts.
    fn ticks(&self, out: &Out) -> u32 {
        scaled(self.config.samples, out.format.clock_rate, self.config.core_rate)
    }

    /// Two packets with nothing missing between them tell which of the rates the timestamps count.
    fn measure(&mut self, timestamp: u32, out: &mut Out) {
        let (Some(said), Some((before, count))) = (self.unsure, self.before.take()) else { return };
        if count == 0 || self.fragment.is_some() || self.widths.displacement > 0 {
            return;
        }
        let step = timestamp.wrapping_sub(before);
        let rates = [out.format.clock_rate, self.config.sample_rate, self.config.core_rate, said];
        let lasts = |rate: u32| scaled(self.config.samples, rate, self.config.core_rate).wrapping_mul(count);
        let Some(rate) = rates.into_iter().find(|rate| *rate > 0 && lasts(*rate).abs_diff(step) <= count)
        else {
            return;
        };
        self.unsure = None;
        out.set_format(AudioFormat { clock_rate: rate, ..(*out.format).clone() });
    }
}

/// `samples` at `core` a second, in ticks of `rate` a second.
fn scaled(samples: u32, rate: u32, core: u32) -> u32 {
    let ticks = u64::from(samples) * u64::from(rate) / u64::from(core.max(1));
    u32::try_from(ticks).unwrap_or(u32::MAX).max(1)
}

impl Widths {
    /// As `fmtp` says, and whether it says all that it must. Many leave `indexlength` out; an encoder for AV over IP writes
    /// `AAC_hbr` and its keys in camel case.
    fn of(chosen: &PayloadType) -> (Self, bool) {
        let number = |key| chosen.parameter(key).and_then(|value| value.parse::<u32>().ok());
        let width = |key| number(key).filter(|width| *width <= 32);
        let mode = chosen.parameter("mode").unwrap_or("");
        let mut widths = Self {
            cts: width("ctsdeltalength").unwrap_or(0),
            dts: width("dtsdeltalength").unwrap_or(0),
            random_access: number("randomaccessindication") == Some(1),
            state: width("streamstateindication").unwrap_or(0),
            auxiliary: width("auxiliarydatasizelength").unwrap_or(0),
            constant: number("constantsize").unwrap_or(0) as usize,
            displacement: number("maxdisplacement").unwrap_or(0),
            ..Self::default()
        };
        let lengths = ["sizelength", "indexlength", "indexdeltalength"].map(width);
        // RFC 3640 §3.3.5 and §3.3.6. Without a mode it is mostly the first.
        let known = mode.replace('_', "-").to_ascii_lowercase();
        let defaults = match known.as_str() {
            "aac-lbr" => [6, 2, 2],
            "generic" | "celp-cbr" | "celp-vbr" => [0, 0, 0],
            _ => [13, 3, 3],
        };
        let [size, index, delta] = lengths;
        let [usual_size, usual_index, usual_delta] = defaults;
        widths.size = size.unwrap_or(if widths.constant > 0 { 0 } else { usual_size });
        widths.index = index.unwrap_or(usual_index);
        widths.delta = delta.unwrap_or(usual_delta);
        let complete = lengths.iter().all(Option::is_some) || known == "generic";
        (widths, complete && !mode.contains('_') && !mode.is_empty())
    }

    /// The AU headers, and the bytes of the access units.
    fn split<'a>(&self, payload: &'a [u8]) -> Option<(Headers<'a>, &'a [u8])> {
        let none = Self { auxiliary: 0, constant: 0, displacement: 0, ..*self } == Self::default();
        let (section, bits, rest) = if none {
            (&[][..], 0, payload)
        } else {
            // AU-headers-length counts bits, §3.2.1.
            let (length, rest) = payload.split_first_chunk::<2>()?;
            let bits = usize::from(u16::from_be_bytes(*length));
            let (section, rest) = rest.split_at_checked(bits.div_ceil(8))?;
            (section, bits, rest)
        };
        let headers =
            Headers { widths: *self, bits: Bits::new(section), end: bits, first: true, left: rest.len() };
        Some((headers, self.after_auxiliary(rest)?))
    }

    /// What stands behind the auxiliary section, §3.2.2.
    fn after_auxiliary<'a>(&self, rest: &'a [u8]) -> Option<&'a [u8]> {
        if self.auxiliary == 0 {
            return Some(rest);
        }
        let size = Bits::new(rest).take(self.auxiliary)? as usize;
        rest.get(size.checked_add(self.auxiliary as usize)?.div_ceil(8)..)
    }
}

/// The AU headers of a packet, one after the other.
#[derive(Clone, Debug)]
struct Headers<'a> {
    widths: Widths,
    bits: Bits<'a>,
    /// Bits of the section.
    end: usize,
    first: bool,
    /// Bytes of access units, where there are no headers.
    left: usize,
}

impl Iterator for Headers<'_> {
    type Item = Header;

    fn next(&mut self) -> Option<Header> {
        let Self { widths, bits, end, first, left } = self;
        let was_first = core::mem::replace(first, false);
        if *end == 0 {
            // No section: access units of constant size, or one.
            let size = if widths.constant > 0 { widths.constant } else { *left };
            *left = left.checked_sub(size.max(1))?;
            return Some(Header { size, index: 0 });
        }
        if bits.position() >= *end {
            return None;
        }
        let size = bits.take(widths.size)? as usize;
        let index = bits.take(if was_first { widths.index } else { widths.delta })?;
        for (width, flagged) in [(widths.cts, true), (widths.dts, true)] {
            if width > 0 && flagged && bits.bit()? {
                bits.skip(width as usize)?;
            }
        }
        bits.skip(usize::from(widths.random_access) + widths.state as usize)?;
        let size = if widths.size == 0 { widths.constant } else { size };
        (bits.position() <= *end).then_some(Header { size, index })
    }
}

/// An ADTS header, ISO/IEC 14496-3 §1.A.2.2.
#[derive(Clone, Copy, Debug)]
struct Adts {
    object_type: u8,
    rate: u32,
    channels: u8,
    header: usize,
    /// Bytes of header and access unit.
    length: usize,
}

impl Adts {
    /// `None` where there is none: no AAC access unit starts with its twelve ones, which would be ID_END.
    fn read(unit: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(unit);
        if bits.take(12)? != 0xfff {
            return None;
        }
        let [_, layer, absent] = [bits.take(1)?, bits.take(2)?, bits.take(1)?];
        let object_type = bits.take(2)? as u8 + 1;
        let rate = AudioConfig::rate_of(bits.take(4)? as u8)?;
        bits.skip(1)?;
        let configuration = bits.take(3)? as u8;
        bits.skip(4)?;
        let length = bits.take(13)? as usize;
        let header = if absent == 1 { 7 } else { 9 };
        let channels = if configuration == 7 { 8 } else { configuration };
        (layer == 0 && (header..=unit.len()).contains(&length)).then_some(Self {
            object_type,
            rate,
            channels,
            header,
            length,
        })
    }
}

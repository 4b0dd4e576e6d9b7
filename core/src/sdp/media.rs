//! One media section: `m=` and the attributes below it.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use bytes::Bytes;

use super::address::included_sources;
use super::{Group, Section, sprop, without_userinfo};
use crate::codec::{AudioCodec, Codec, Packing, PictureCodec};
use crate::fault::{Quirk, Quirks};
use crate::limits::Limits;

/// What a media section carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaKind {
    /// `video`
    Video,
    /// `audio`
    Audio,
    /// `application`: ONVIF metadata, and what vendors put there.
    Application,
    /// Anything else (`meta`, `vana`, `application/TP-LINK`).
    Other(String),
}

/// A payload type with what `rtpmap` and `fmtp` say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadType {
    /// The number in the RTP header, 0 to 127.
    pub number: u8,
    /// The encoding's name as written in `rtpmap`, or the one that RFC 3551 gives the number; empty where unknown.
    pub encoding: String,
    /// Ticks of the RTP timestamp per second; 0 where unknown.
    pub clock_rate: u32,
    /// Channels of sound, the third part of `rtpmap`; 1 where it does not say.
    pub channels: u8,
    /// The parameters of `fmtp`, keys as written, in order.
    pub parameters: Vec<(String, String)>,
}

/// A media section.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Media {
    /// What it carries.
    pub kind: MediaKind,
    /// `RTP/AVP`, `RTP/SAVP`, `RTP/AVPF`, `RTP/SAVPF`, as written.
    pub profile: String,
    /// The port of `m=`, which only multicast needs; 0 where it is no number (Tuya: a random, even a negative one).
    pub port: u16,
    /// The multicast group of `c=`, its own or the session's.
    pub group: Option<Group>,
    /// The only senders to be heard of that group, `a=source-filter` (RFC 4570); empty for all.
    pub sources: Vec<IpAddr>,
    /// `a=crypto` (RFC 4568) and `a=key-mgmt` (RFC 4567).
    pub keys: Keys,
    /// The coding of its chosen payload type, where this library can read it.
    pub codec: Option<Codec>,
    /// The chosen payload type: the first that this library can read, else the first.
    pub payload_type: u8,
    /// Every payload type of the section.
    pub payload_types: Vec<PayloadType>,
    /// Ticks of the RTP timestamp per second, of the chosen payload type; 90 000 for video.
    pub clock_rate: u32,
    /// `a=control:`, without user and password.
    pub control: Option<String>,
    /// `a=sendonly`: by the letter of RFC 8866 not for us, as an audio back channel; some cameras write it everywhere.
    pub send_only: bool,
    /// `a=framerate:`, pictures per second, where it is a number above 0. Not to be trusted.
    pub frame_rate: Option<String>,
    /// `packetization-mode` of RFC 6184; 0 where absent. Not to be trusted (Dahua sends FU-A in mode 0).
    pub packetization_mode: u8,
    /// The parameter sets of `sprop-parameter-sets`, or `sprop-vps`, `-sps`, `-pps`: NAL units without start codes, in
    /// order. Only a seed: sets in the stream win.
    pub parameter_sets: Vec<Bytes>,
    /// Decoding order numbers are in the payload: `sprop-max-don-diff` above 0 (RFC 7798 §7.1).
    pub uses_don: bool,
}

/// What SRTP needs, as written. `Debug` does not show it.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keys {
    /// The values of `a=crypto`, in order.
    pub crypto: Vec<String>,
    /// The value of `a=key-mgmt`, its own or the session's.
    pub key_mgmt: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key_mgmt = self.key_mgmt.as_ref().map(|_| "(redacted)");
        f.debug_struct("Keys").field("crypto", &self.crypto.len()).field("key_mgmt", &key_mgmt).finish()
    }
}

impl Media {
    /// Is it SRTP (RFC 3711)?
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.profile.to_ascii_uppercase().starts_with("RTP/SAVP")
    }

    /// The chosen payload type.
    #[must_use]
    pub fn chosen(&self) -> Option<&PayloadType> {
        self.payload_types.iter().find(|pt| pt.number == self.payload_type)
    }

    /// The coding of its sound, where this library can read it.
    #[must_use]
    pub fn audio(&self) -> Option<AudioCodec> {
        self.chosen().filter(|_| self.kind == MediaKind::Audio)?.audio()
    }

    /// The coding of its pictures, where they have no NAL units and this library can keep them.
    #[must_use]
    pub fn picture(&self) -> Option<PictureCodec> {
        self.chosen().filter(|_| self.kind == MediaKind::Video)?.picture()
    }

    /// How its documents are packed, where it carries ONVIF metadata.
    #[must_use]
    pub fn metadata(&self) -> Option<Packing> {
        self.chosen()?.metadata()
    }

    /// The encoding's name of the chosen payload type (`H264`, `JPEG`), empty where unknown.
    #[must_use]
    pub fn encoding(&self) -> &str {
        self.chosen().map_or("", |pt| pt.encoding.as_str())
    }

    /// A parameter of `fmtp` of the chosen payload type; keys compare without case.
    #[must_use]
    pub fn fmtp(&self, key: &str) -> Option<&str> {
        self.chosen()?.parameter(key)
    }

    /// Reads a section. `None` where `m=` names no payload type.
    pub(super) fn parse(section: &Section, limits: &Limits, quirks: &mut Quirks) -> Option<Self> {
        let line = MediaLine::parse(&section.m)?;
        if line.port.is_none() {
            quirks.count(Quirk::BadPort);
        }
        let mut media = Self {
            kind: line.kind,
            profile: line.profile.to_owned(),
            port: line.port.unwrap_or(0),
            group: section.group,
            sources: Vec::new(),
            keys: Keys::default(),
            codec: None,
            payload_type: 0,
            payload_types: line.numbers.into_iter().map(PayloadType::new).collect(),
            clock_rate: 0,
            control: None,
            send_only: false,
            frame_rate: None,
            packetization_mode: 0,
            parameter_sets: Vec::new(),
            uses_don: false,
        };
        let mut stray = Vec::new();
        for attribute in &section.attributes {
            let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
            let value = value.trim();
            match name.trim() {
                "rtpmap" => media.rtpmap(value, quirks),
                "fmtp" => stray.extend(media.fmtp_line(value, quirks).into_iter().flatten()),
                "control" if media.control.is_none() => media.control = Some(without_userinfo(value)),
                "source-filter" => media.sources = included_sources(value),
                "crypto" if media.keys.crypto.len() < MOST_KEYS => media.keys.crypto.push(value.to_owned()),
                "key-mgmt" => media.keys.key_mgmt = Some(value.to_owned()),
                "sendonly" => media.send_only = true,
                "framerate" if is_positive(value) => {
                    media.frame_rate = Some(value.to_owned());
                }
                _ => {}
            }
        }
        media.choose(stray, limits, quirks);
        Some(media)
    }

    /// `a=rtpmap:<number> <encoding>/<clock rate>[/<channels>]`.
    fn rtpmap(&mut self, value: &str, quirks: &mut Quirks) {
        let read = value.split_once(char::is_whitespace).and_then(|(number, rest)| {
            let mut parts = rest.trim().split('/');
            let encoding = parts.next().map(str::trim).filter(|name| !name.is_empty())?;
            let mut rest = parts.map(str::trim);
            let clock_rate = rest.next().and_then(|rate| rate.parse().ok()).unwrap_or(0);
            let channels = rest.next().and_then(|channels| channels.parse().ok()).unwrap_or(1);
            Some((number.trim().parse::<u8>().ok()?, encoding, clock_rate, channels))
        });
        let known = read.and_then(|(number, encoding, clock_rate, channels)| {
            let pt = self.payload_types.iter_mut().find(|pt| pt.number == number)?;
            Some((pt, encoding, clock_rate, channels))
        });
        match known {
            Some((pt, encoding, clock_rate, channels)) => {
                pt.encoding = encoding.to_owned();
                (pt.clock_rate, pt.channels) = (clock_rate, channels);
            }
            None => quirks.count(Quirk::BadSdpLine),
        }
    }

    /// `a=fmtp:<number> key=value;…`. Gives the parameters back where the number is none of this section's (Hikvision
    /// NVR V5.03: 97 below `rtpmap:104`).
    fn fmtp_line(&mut self, value: &str, quirks: &mut Quirks) -> Option<Vec<(String, String)>> {
        let (number, rest) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
        let Ok(number) = number.trim().parse::<u8>() else {
            quirks.count(Quirk::BadSdpLine);
            return None;
        };
        let parameters: Vec<_> = rest
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
            .collect();
        match self.payload_types.iter_mut().find(|pt| pt.number == number) {
            Some(pt) => {
                pt.parameters.extend(parameters);
                None
            }
            None => {
                quirks.count(Quirk::ForeignFmtp);
                Some(parameters)
            }
        }
    }

    fn choose(&mut self, stray: Vec<(String, String)>, limits: &Limits, quirks: &mut Quirks) {
        if let [only] = self.payload_types.as_mut_slice()
            && only.parameters.is_empty()
        {
            only.parameters = stray;
        }
        let video = self.kind == MediaKind::Video;
        let readable = |pt: &&PayloadType| match &self.kind {
            MediaKind::Video => pt.picture().is_some(),
            MediaKind::Audio => pt.audio().is_some(),
            _ => pt.metadata().is_some(),
        };
        let first = |of: &dyn Fn(&&PayloadType) -> bool| self.payload_types.iter().find(of);
        let chosen = first(&|pt| video && pt.codec().is_some()).or_else(|| first(&readable));
        let Some(chosen) = chosen.or_else(|| self.payload_types.first()) else { return };
        self.payload_type = chosen.number;
        self.codec = chosen.codec().filter(|_| video);
        self.clock_rate = match chosen.clock_rate {
            // RFC 2435 §3 and the RTP payload format for AV1, §3, allow no other.
            0 if video && chosen.picture().is_some() => 90_000,
            rate => rate,
        };
        self.packetization_mode =
            chosen.parameter("packetization-mode").and_then(|m| m.parse().ok()).unwrap_or(0);
        self.uses_don = chosen
            .parameter("sprop-max-don-diff")
            .and_then(|diff| diff.parse::<u32>().ok())
            .is_some_and(|diff| diff > 0);
        if let Some(codec) = self.codec {
            self.parameter_sets = sprop::parameter_sets(codec, chosen, limits, quirks);
            if self.clock_rate == 0 {
                // RFC 6184 §8.2.1 and RFC 7798 §7.1 allow no other rate.
                quirks.count(Quirk::NoClockRate);
                self.clock_rate = 90_000;
            }
        }
    }
}

impl PayloadType {
    /// With what RFC 3551 §6 says of the number.
    fn new(number: u8) -> Self {
        let (encoding, clock_rate) = match number {
            0 => ("PCMU", 8_000),
            3 => ("GSM", 8_000),
            4 => ("G723", 8_000),
            8 => ("PCMA", 8_000),
            9 => ("G722", 8_000),
            10 | 11 => ("L16", 44_100),
            14 => ("MPA", 90_000),
            18 => ("G729", 8_000),
            26 => ("JPEG", 90_000),
            31 => ("H261", 90_000),
            32 => ("MPV", 90_000),
            33 => ("MP2T", 90_000),
            34 => ("H263", 90_000),
            _ => ("", 0),
        };
        // RFC 3551 §6: type 10 is L16 in stereo.
        let channels = if number == 10 { 2 } else { 1 };
        Self { number, encoding: encoding.to_owned(), clock_rate, channels, parameters: Vec::new() }
    }

    /// A parameter of `fmtp`; keys compare without case.
    #[must_use]
    pub fn parameter(&self, key: &str) -> Option<&str> {
        self.parameters.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    /// The coding, where this library can read it. Without `rtpmap` the parameters tell it.
    #[must_use]
    pub fn codec(&self) -> Option<Codec> {
        match self.encoding.to_ascii_uppercase().as_str() {
            "H264" => Some(Codec::H264),
            "H265" | "HEVC" => Some(Codec::H265),
            "" if self.parameter("sprop-vps").is_some() => Some(Codec::H265),
            "" if self.parameter("sprop-parameter-sets").is_some() => Some(Codec::H264),
            _ => None,
        }
    }

    /// The coding of sound, where this library can read it.
    #[must_use]
    pub fn audio(&self) -> Option<AudioCodec> {
        match self.encoding.to_ascii_uppercase().as_str() {
            // RFC 3640 and RFC 6416.
            "MPEG4-GENERIC" | "MP4A-LATM" => Some(AudioCodec::Aac),
            "OPUS" => Some(AudioCodec::Opus),
            "PCMU" => Some(AudioCodec::Pcmu),
            "PCMA" => Some(AudioCodec::Pcma),
            "L16" => Some(AudioCodec::L16),
            _ => None,
        }
    }

    /// The coding of pictures without NAL units, where this library can keep them.
    #[must_use]
    pub fn picture(&self) -> Option<PictureCodec> {
        match self.encoding.to_ascii_uppercase().as_str() {
            "JPEG" => Some(PictureCodec::Jpeg),
            "AV1" => Some(PictureCodec::Av1),
            _ => None,
        }
    }

    /// How its documents are packed, where it carries ONVIF metadata.
    #[must_use]
    pub fn metadata(&self) -> Option<Packing> {
        let name = self.encoding.to_ascii_lowercase();
        match name.strip_prefix("vnd.onvif.metadata")? {
            "" => Some(Packing::None),
            // The specification has both spellings.
            ".gzip" | "+gzip" => Some(Packing::Gzip),
            ".exi.onvif" | ".exi.ext" | "+exi.onvif" | "+exi.ext" => Some(Packing::Exi),
            _ => None,
        }
    }
}

/// Keys of one media that are kept.
const MOST_KEYS: usize = 8;

/// `<media> <port> <profile> <payload types>`.
struct MediaLine<'a> {
    kind: MediaKind,
    /// `None` where it is no port (Tuya: `-1353744643`).
    port: Option<u16>,
    profile: &'a str,
    numbers: Vec<u8>,
}

impl<'a> MediaLine<'a> {
    /// A payload type that is no number is skipped (TP-Link: `smart/1/90000`); `None` where none is left.
    fn parse(value: &'a str) -> Option<Self> {
        let mut words = value.split_whitespace();
        let kind = match words.next()? {
            "video" => MediaKind::Video,
            "audio" => MediaKind::Audio,
            "application" => MediaKind::Application,
            other => MediaKind::Other(other.to_owned()),
        };
        // `5000/2`: two ports from there on.
        let port = words.next()?.split('/').next()?.parse().ok();
        let profile = words.next()?;
        let numbers: Vec<u8> = words.filter_map(|n| n.parse().ok()).filter(|n| *n < 128).take(64).collect();
        (!numbers.is_empty()).then_some(Self { kind, port, profile, numbers })
    }
}

/// A decimal number above zero (RFC 8866 §6.13), without what reads any float.
fn is_positive(value: &str) -> bool {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let mut digits = whole.bytes().chain(fraction.bytes());
    !whole.is_empty() && digits.clone().all(|c| c.is_ascii_digit()) && digits.any(|c| c != b'0')
}

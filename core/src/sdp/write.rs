//! Session descriptions for a server that sends H.264 or H.265.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::codec::Codec;

/// A description to be sent; its `Display` is the SDP.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description {
    /// `s=`.
    pub name: String,
    /// `a=range:`; `npt=now-` for live.
    pub range: String,
    /// The media.
    pub video: Vec<VideoDescription>,
}

/// One video of a [`Description`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VideoDescription {
    /// The coding.
    pub codec: Codec,
    /// The number in the RTP header, 96 to 127.
    pub payload_type: u8,
    /// `a=control:`, relative to the base.
    pub control: String,
    /// Parameter sets in any order: NAL units without start codes.
    pub parameter_sets: Vec<Bytes>,
}

impl Description {
    /// Live, without media. Control characters in the name become blanks.
    #[must_use]
    pub fn live(name: &str) -> Self {
        let name = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Self { name, range: "npt=now-".to_owned(), video: Vec::new() }
    }

    /// Adds a video; its control is `video`, or `video2`, `video3`, … after the first.
    #[must_use]
    pub fn with_video(mut self, codec: Codec, payload_type: u8, parameter_sets: &[Bytes]) -> Self {
        let control = match self.video.len() {
            0 => "video".to_owned(),
            n => format!("video{}", n + 1),
        };
        let parameter_sets = parameter_sets.to_vec();
        self.video.push(VideoDescription { codec, payload_type, control, parameter_sets });
        self
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // RFC 8866 §5.3: a session without a name has a single `-`.
        let name = if self.name.trim().is_empty() { "-" } else { &self.name };
        write!(f, "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns={name}\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n")?;
        write!(f, "a=control:*\r\na=range:{}\r\n", self.range)?;
        self.video.iter().try_for_each(|video| write!(f, "{video}"))
    }
}

impl fmt::Display for VideoDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pt = self.payload_type;
        let encoding = match self.codec {
            Codec::H264 => "H264",
            Codec::H265 => "H265",
        };
        write!(f, "m=video 0 RTP/AVP {pt}\r\na=rtpmap:{pt} {encoding}/90000\r\n")?;
        let parameters = match self.codec {
            Codec::H264 => self.h264_parameters(),
            Codec::H265 => self.h265_parameters(),
        };
        if !parameters.is_empty() {
            write!(f, "a=fmtp:{pt} {}\r\n", parameters.join(";"))?;
        }
        write!(f, "a=control:{}\r\na=recvonly\r\n", self.control)
    }
}

impl VideoDescription {
    /// RFC 6184 §8.1. `profile-level-id` is the three bytes after the SPS's header.
    fn h264_parameters(&self) -> Vec<String> {
        let mut parameters = Vec::from(["packetization-mode=1".to_owned()]);
        let of_type = |kind| {
            self.parameter_sets.iter().filter(move |nal| nal.first().is_some_and(|b| b & 0x1f == kind))
        };
        if let Some([profile, compatibility, level]) = of_type(7).next().and_then(|sps| sps.get(1..4)) {
            parameters.push(format!("profile-level-id={profile:02X}{compatibility:02X}{level:02X}"));
        }
        let sets: Vec<String> = of_type(7).chain(of_type(8)).map(|nal| STANDARD.encode(nal)).collect();
        if !sets.is_empty() {
            parameters.push(format!("sprop-parameter-sets={}", sets.join(",")));
        }
        parameters
    }

    /// RFC 7798 §7.1.
    fn h265_parameters(&self) -> Vec<String> {
        let of_type = |kind| {
            let sets =
                self.parameter_sets.iter().filter(|nal| nal.first().is_some_and(|b| b >> 1 & 0x3f == kind));
            sets.map(|nal| STANDARD.encode(nal)).collect::<Vec<_>>().join(",")
        };
        [("sprop-vps", 32), ("sprop-sps", 33), ("sprop-pps", 34)]
            .into_iter()
            .map(|(key, kind)| (key, of_type(kind)))
            .filter(|(_, sets)| !sets.is_empty())
            .map(|(key, sets)| format!("{key}={sets}"))
            .collect()
    }
}

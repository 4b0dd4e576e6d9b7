//! `RTP-Info`, RFC 2326 §12.33.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Where a stream's RTP begins, as the answer to PLAY says it. Many cameras say it wrongly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RtpInfo {
    /// The stream's control URL, absolute or not, as written.
    pub url: String,
    /// Sequence number of the first packet.
    pub seq: Option<u16>,
    /// RTP timestamp that corresponds to the start of the Range.
    pub rtptime: Option<u32>,
    /// Synchronisation source (Reolink says it here and not in `Transport`).
    pub ssrc: Option<u32>,
}

impl RtpInfo {
    /// Reads every stream of the field's value. Empty parts (Laureii) are skipped, and so is what is not a number:
    /// Wowza may send `rtptime=-1`.
    #[must_use]
    pub fn parse_all(value: &str) -> Vec<Self> {
        let mut streams: Vec<Self> = Vec::new();
        for part in value.split(['\r', '\n', ';', ',']) {
            let Some((key, value)) = part.split_once('=') else { continue };
            let (key, text) = (key.trim().to_ascii_lowercase(), value.trim());
            if key == "url" {
                streams.push(Self { url: text.trim_matches('"').to_owned(), ..Self::default() });
                continue;
            }
            let Some(stream) = streams.last_mut() else { continue };
            match key.as_str() {
                "seq" => stream.seq = text.parse().ok(),
                "rtptime" => stream.rtptime = text.parse().ok(),
                "ssrc" if text.len() <= 8 => stream.ssrc = u32::from_str_radix(text, 16).ok(),
                // The rest of a URL that has a `;`, a `,` and a `=` in it: `url=rtsp://h/a;b=c/track1`.
                _ if stream.seq.is_none() && stream.rtptime.is_none() && stream.ssrc.is_none() => {
                    stream.url.push(';');
                    stream.url.push_str(part.trim());
                }
                _ => {}
            }
        }
        streams
    }
}

impl fmt::Display for RtpInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "url={}", self.url)?;
        if let Some(seq) = self.seq {
            write!(f, ";seq={seq}")?;
        }
        if let Some(rtptime) = self.rtptime {
            write!(f, ";rtptime={rtptime}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn reads_what_servers_write() {
        let two = RtpInfo::parse_all(
            "url=trackID=1;seq=1;rtptime=-1,url=rtsp://h/a/trackID=2;seq=9;rtptime=4294967295, ",
        );
        assert_eq!(two.len(), 2);
        assert_eq!((two[0].url.as_str(), two[0].seq, two[0].rtptime), ("trackID=1", Some(1), None));
        assert_eq!(
            (two[1].url.as_str(), two[1].seq, two[1].rtptime),
            ("rtsp://h/a/trackID=2", Some(9), Some(u32::MAX))
        );
        assert_eq!(RtpInfo::parse_all(""), []);
        assert_eq!(RtpInfo::parse_all("url=rtsp://h/a;b=c;seq=3")[0].url, "rtsp://h/a;b=c");
    }

    #[test]
    fn what_is_written_reads_back() {
        let info = RtpInfo { url: "rtsp://h/a/b".into(), seq: Some(5), rtptime: Some(6), ssrc: None };
        assert_eq!(RtpInfo::parse_all(&info.to_string()), [info]);
    }
}

//! `Transport`, RFC 2326 §12.39, read in any order of its parameters.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::fmt;

use super::split_quoted;

/// One transport of a `Transport` field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transport {
    /// `RTP/AVP/TCP`, `RTP/AVP`, … as written.
    pub protocol: String,
    /// `multicast` is among the parameters.
    pub multicast: bool,
    /// The channels of RTP and RTCP.
    pub interleaved: Option<(u8, u8)>,
    /// The host that the media goes to; of multicast, the group.
    pub destination: Option<String>,
    /// The host that sends.
    pub source: Option<String>,
    /// Of multicast: how far the packets go.
    pub ttl: Option<u8>,
    /// Of multicast: UDP ports of the group.
    pub port: Option<(u16, u16)>,
    /// UDP ports at the client.
    pub client_port: Option<(u16, u16)>,
    /// UDP ports at the server.
    pub server_port: Option<(u16, u16)>,
    /// The synchronisation source that the server will send.
    pub ssrc: Option<u32>,
    /// `play` where absent.
    pub mode: Option<String>,
}

impl Transport {
    /// RTP over the RTSP connection, on two channels.
    #[must_use]
    pub fn interleaved(rtp: u8, rtcp: u8) -> Self {
        Self { protocol: "RTP/AVP/TCP".to_owned(), interleaved: Some((rtp, rtcp)), ..Self::default() }
    }

    /// RTP over UDP, to these ports of the client.
    #[must_use]
    pub fn udp(rtp: u16, rtcp: u16) -> Self {
        Self { protocol: "RTP/AVP".to_owned(), client_port: Some((rtp, rtcp)), ..Self::default() }
    }

    /// RTP over UDP, to a group that the server chooses.
    #[must_use]
    pub fn multicast() -> Self {
        Self { protocol: "RTP/AVP".to_owned(), multicast: true, ..Self::default() }
    }

    /// With another RTP profile: `RTP/SAVP`, `RTP/AVPF`, `RTP/SAVPF`.
    #[must_use]
    pub fn with_profile(mut self, profile: &str) -> Self {
        let tcp = if self.interleaved.is_some() { "/TCP" } else { "" };
        self.protocol = alloc::format!("{profile}{tcp}");
        self
    }

    /// Does it say that RTP travels over the RTSP connection? Escam Q6 answers `RTP/AVP;…interleaved=0-1`.
    #[must_use]
    pub fn is_tcp(&self) -> bool {
        self.interleaved.is_some() || self.protocol.to_ascii_uppercase().contains("/TCP")
    }

    /// Reads every transport of the field's value, in order of preference.
    pub fn parse_all(value: &str) -> impl Iterator<Item = Self> {
        split_quoted(value, ',').map(Self::parse)
    }

    /// Reads one transport. What cannot be read is taken as absent: cameras send an empty `source=`, blanks before the
    /// digits of `ssrc` (Hikvision), too many digits in it (Dahua), and put it anywhere (Luckfox).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut transport = Self::default();
        for part in split_quoted(text, ';') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim().trim_matches('"').trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "multicast" => transport.multicast = true,
                "interleaved" => transport.interleaved = pair(value),
                "client_port" => transport.client_port = pair(value),
                "server_port" => transport.server_port = pair(value),
                "destination" => transport.destination = named(value),
                "source" => transport.source = named(value),
                "ttl" => transport.ttl = value.parse().ok(),
                "port" => transport.port = pair(value),
                "ssrc" if value.len() <= 8 => transport.ssrc = u32::from_str_radix(value, 16).ok(),
                "mode" => transport.mode = Some(value.to_owned()),
                _ if transport.protocol.is_empty() && key.contains('/') => {
                    transport.protocol = key.trim().to_owned()
                }
                _ => {}
            }
        }
        transport
    }
}

fn named(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

/// `a-b`, or `a` alone, which means `a` and `a + 1`.
fn pair<T: core::str::FromStr + Copy + TryFrom<u32> + Into<u32>>(value: &str) -> Option<(T, T)> {
    let (first, second) = value.split_once('-').unwrap_or((value, ""));
    let first: T = first.trim().parse().ok()?;
    let second = second.trim().parse().ok().or_else(|| T::try_from(first.into() + 1).ok())?;
    Some((first, second))
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.protocol, if self.multicast { "multicast" } else { "unicast" })?;
        if let Some((rtp, rtcp)) = self.interleaved {
            write!(f, ";interleaved={rtp}-{rtcp}")?;
        }
        for (name, host) in [("destination", &self.destination), ("source", &self.source)] {
            if let Some(host) = host {
                write!(f, ";{name}={host}")?;
            }
        }
        let ports =
            [("port", self.port), ("client_port", self.client_port), ("server_port", self.server_port)];
        for (name, ports) in ports {
            if let Some((rtp, rtcp)) = ports {
                write!(f, ";{name}={rtp}-{rtcp}")?;
            }
        }
        if let Some(ttl) = self.ttl {
            write!(f, ";ttl={ttl}")?;
        }
        if let Some(ssrc) = self.ssrc {
            write!(f, ";ssrc={ssrc:08X}")?;
        }
        if let Some(mode) = &self.mode {
            write!(f, ";mode=\"{mode}\"")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use alloc::string::ToString as _;
    use alloc::vec::Vec;

    #[test]
    fn reads_what_cameras_write() {
        let tcp = Transport::parse("RTP/AVP/TCP;unicast;interleaved=20-21;ssrc=  6A15D9B3;mode=\"PLAY\"");
        assert_eq!((tcp.interleaved, tcp.ssrc), (Some((20, 21)), Some(0x6a15_d9b3)));
        assert_eq!(tcp.mode.as_deref(), Some("PLAY"));
        // Luckfox rkipc, ssrc first.
        let luckfox = Transport::parse("ssrc=1F; RTP/AVP/TCP;unicast;interleaved=0-1");
        assert_eq!((luckfox.protocol.as_str(), luckfox.ssrc), ("RTP/AVP/TCP", Some(0x1f)));
        assert_eq!(Transport::parse("RTP/AVP/TCP;interleaved=0").interleaved, Some((0, 1)));
        assert_eq!(Transport::parse("RTP/AVP/TCP;interleaved=").interleaved, None);
        assert_eq!(Transport::parse("RTP/AVP/TCP;interleaved=255").interleaved, None);
        assert_eq!(Transport::parse("RTP/AVP;source=;ssrc=123456789;interleaved=0-1").ssrc, None);
        assert!(Transport::parse("RTP/AVP;unicast;interleaved=0-1").is_tcp());
        let udp = Transport::parse(
            "RTP/AVP;unicast;mode=PLAY;source=127.0.0.1;client_port=18714-18715;server_port=40004",
        );
        assert_eq!((udp.client_port, udp.server_port), (Some((18714, 18715)), Some((40004, 40005))));
        assert!(!udp.is_tcp());
    }

    #[test]
    fn several_in_order() {
        let all: Vec<_> =
            Transport::parse_all("RTP/AVP;unicast;client_port=1-2, RTP/AVP/TCP;interleaved=2-3").collect();
        assert_eq!(all.len(), 2);
        assert_eq!(all.get(1).and_then(|t| t.interleaved), Some((2, 3)));
    }

    #[test]
    fn what_is_written_reads_back() {
        let written = Transport { ssrc: Some(7), ..Transport::interleaved(4, 5) };
        assert_eq!(written.to_string(), "RTP/AVP/TCP;unicast;interleaved=4-5;ssrc=00000007");
        assert_eq!(Transport::parse(&written.to_string()), written);
        let udp =
            Transport { server_port: Some((6, 7)), source: Some("10.0.0.2".into()), ..Transport::udp(4, 5) };
        assert_eq!(udp.to_string(), "RTP/AVP;unicast;source=10.0.0.2;client_port=4-5;server_port=6-7");
        assert_eq!(Transport::parse(&udp.to_string()), udp);
        let group = Transport {
            destination: Some("239.1.2.3".into()),
            port: Some((5_000, 5_001)),
            ttl: Some(16),
            ..Transport::multicast().with_profile("RTP/SAVP")
        };
        assert_eq!(group.to_string(), "RTP/SAVP;multicast;destination=239.1.2.3;port=5000-5001;ttl=16");
        assert_eq!(Transport::parse(&group.to_string()), group);
    }
}

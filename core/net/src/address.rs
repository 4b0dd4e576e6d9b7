//! Addresses with the schemes that name a tunnel.

use vigie::rtsp::{Credentials, Error, Url};

use crate::dial::Tunnel;

/// Schemes, what RTSP address they stand for, and whether in an HTTP tunnel (`true`) or a WebSocket.
const TUNNELS: [(&str, &str, bool); 6] = [
    ("http", "rtsp", true),
    ("rtsph", "rtsp", true),
    ("https", "rtsps", true),
    ("rtsphs", "rtsps", true),
    ("ws", "rtsp", false),
    ("wss", "rtsps", false),
];

/// Where a camera is, and what RTSP travels in to it.
///
/// | scheme | way | port |
/// |---|---|---|
/// | `rtsp` | TCP | 554 |
/// | `rtsps` | TLS | 322 |
/// | `http`, `rtsph` (GStreamer's word) | HTTP tunnel | 80 |
/// | `https`, `rtsphs` | HTTP tunnel in TLS | 443 |
/// | `ws` | WebSocket | 80 |
/// | `wss` | WebSocket in TLS | 443 |
///
/// Within a tunnel the requests name the same host and path with `rtsp` or `rtsps`.
///
/// ```
/// use vigie_net::{Address, Tunnel};
/// let address = Address::parse("https://admin:secret@10.0.0.2/axis-media/media.amp")?;
/// assert_eq!(address.url.to_string(), "rtsps://10.0.0.2/axis-media/media.amp");
/// assert_eq!(address.tunnel, Tunnel::Http);
/// assert!(address.credentials.is_some());
/// # Ok::<(), vigie::rtsp::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Address {
    /// The address that requests name.
    pub url: Url,
    /// The user and password that stood in it.
    pub credentials: Option<Credentials>,
    /// What RTSP travels in.
    pub tunnel: Tunnel,
}

impl Address {
    /// Reads an address and splits off user and password.
    ///
    /// # Errors
    /// As [`Url::parse`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let found = text.split_once("://").and_then(|(scheme, rest)| {
            let found = TUNNELS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(scheme))?;
            Some((found.1, rest, found.2))
        });
        let Some((scheme, rest, http)) = found else {
            let (url, credentials) = Url::parse(text)?;
            return Ok(Self { url, credentials, tunnel: Tunnel::None });
        };
        let (url, credentials) = Url::parse(&format!("{scheme}://{rest}"))?;
        let tunnel = if http { Tunnel::Http } else { Tunnel::WebSocket { path: None } };
        Ok(Self { url, credentials, tunnel })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn schemes_name_a_way() {
        for (text, url, tunnel, port) in [
            ("rtsp://cam/a", "rtsp://cam/a", Tunnel::None, 554),
            ("RTSPS://cam/a", "rtsps://cam/a", Tunnel::None, 322),
            ("rtsph://cam:8080/a", "rtsp://cam:8080/a", Tunnel::Http, 8080),
            ("http://cam/a?b=c", "rtsp://cam/a?b=c", Tunnel::Http, 80),
            ("https://cam/a", "rtsps://cam/a", Tunnel::Http, 443),
            ("wss://u:p@cam/a", "rtsps://cam/a", Tunnel::WebSocket { path: None }, 443),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.tunnel.port(&address.url), port, "{text}");
            assert_eq!((address.url.to_string(), address.tunnel), (url.to_owned(), tunnel), "{text}");
        }
        assert!(Address::parse("ftp://cam/a").is_err() && Address::parse("cam/a").is_err());
    }
}

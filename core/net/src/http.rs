//! As much of HTTP as opens a tunnel or a WebSocket: one head each way.

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use vigie::rtsp::auth::Authenticator;
use vigie::rtsp::{Credentials, Method};

use crate::entropy;
use crate::error::{Error, Kind};
use crate::stream::Link;

/// Bytes of a head. Browsers send cookies of several KiB.
const HEAD: usize = 16 << 10;

/// The first line and the fields of a request or of a response.
#[derive(Debug)]
pub(crate) struct Head {
    text: String,
}

impl Head {
    /// Reads a head off a connection; what follows it stays unread.
    pub(crate) async fn read(link: &mut Link) -> Result<Self, Error> {
        let mut bytes = BytesMut::with_capacity(1_024);
        let mut searched = 0;
        loop {
            if let Some(end) = end_of_head(&bytes, searched) {
                let head = bytes.split_to(end);
                link.unread(bytes.freeze());
                // A path may be in any encoding; what matters is ASCII.
                return Ok(Self { text: String::from_utf8_lossy(&head).into_owned() });
            }
            if bytes.len() >= HEAD {
                return Err(Kind::NotHttp.into());
            }
            searched = bytes.len();
            match link.read_buf(&mut bytes).await {
                Ok(0) => return Err(Kind::NotHttp.into()),
                Ok(_) => {}
                Err(error) => return Err(crate::tls::failure(&error).into()),
            }
        }
    }

    pub(crate) fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// Of a response; `None` where this is not one.
    pub(crate) fn status(&self) -> Option<u16> {
        let mut words = self.first_line().split(' ').filter(|word| !word.is_empty());
        words.next().filter(|version| version.starts_with("HTTP/"))?;
        words.next()?.parse().ok()
    }

    /// Is it a request of HTTP 1?
    pub(crate) fn is_request(&self) -> bool {
        self.first_line().rsplit(' ').find(|word| !word.is_empty()).is_some_and(|v| v.starts_with("HTTP/1."))
    }

    /// The values of a field, one for each line.
    pub(crate) fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let fields = self.text.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(move |(n, _)| n.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The first value.
    pub(crate) fn field<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.fields(name).next()
    }

    /// Does a field with a list name this?
    pub(crate) fn lists(&self, name: &str, item: &str) -> bool {
        self.fields(name).flat_map(|v| v.split(',')).any(|v| v.trim().eq_ignore_ascii_case(item))
    }
}

/// Where the first empty line ends; the bytes before `searched` were looked at.
fn end_of_head(bytes: &[u8], searched: usize) -> Option<usize> {
    let from = searched.saturating_sub(3);
    let rest = bytes.get(from..)?;
    // Lines may end in LF alone.
    let ends = rest.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
    ends.map(|at| (at, rest.get(at..).unwrap_or_default())).find_map(|(at, after)| match after {
        [b'\n', ..] => Some(from + at + 1),
        [b'\r', b'\n', ..] => Some(from + at + 2),
        _ => None,
    })
}

/// Asks a server by HTTP, and answers when it asks for a password.
#[derive(Debug)]
pub(crate) struct Asker {
    host: String,
    target: String,
    authenticator: Option<Authenticator>,
}

impl Asker {
    pub(crate) fn new(host: String, target: &str, credentials: Option<&Credentials>) -> Self {
        Self {
            host,
            target: if target.starts_with('/') { target.to_owned() } else { format!("/{target}") },
            authenticator: credentials.map(|c| Authenticator::new(c.clone(), entropy::seed())),
        }
    }

    /// The head of a request, with these fields. The second is true where it carries an answer to a challenge.
    pub(crate) fn request(&mut self, method: &str, version: &str, fields: &[(&str, &str)]) -> (Bytes, bool) {
        let authorization =
            self.authenticator.as_mut().and_then(|a| a.authorize(&Method::parse(method), &self.target));
        let mut text = format!("{method} {} HTTP/{version}\r\nHost: {}\r\n", self.target, self.host);
        let fields = fields.iter().copied().chain(authorization.as_deref().map(|a| ("Authorization", a)));
        for (name, value) in fields {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n");
        (text.into(), authorization.is_some())
    }

    /// Sends a request and waits for the head of its response; what follows that stays unread.
    ///
    /// `Ok(None)`: to be asked again, on a new connection, with the password that the server wants.
    pub(crate) async fn ask(
        &mut self,
        link: &mut Link,
        (request, answered): (Bytes, bool),
        wanted: u16,
    ) -> Result<Option<Head>, Error> {
        send(link, &request).await?;
        let head = Head::read(link).await?;
        match head.status().ok_or(Kind::NotHttp)? {
            status if status == wanted => {
                if let Some(authenticator) = &mut self.authenticator {
                    authenticator.accepted();
                }
                Ok(Some(head))
            }
            401 => {
                let challenges = head.fields("WWW-Authenticate");
                let again = self.authenticator.as_mut().map(|a| a.challenged(challenges, answered));
                if matches!(again, Some(Ok(()))) { Ok(None) } else { Err(Kind::Tunnel(401).into()) }
            }
            status => Err(Kind::Tunnel(status).into()),
        }
    }
}

/// Writes and flushes.
pub(crate) async fn send(link: &mut Link, bytes: &[u8]) -> Result<(), Error> {
    let sent = async {
        link.write_all(bytes).await?;
        link.flush().await
    };
    sent.await.map_err(|error: std::io::Error| crate::tls::failure(&error).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Head {
        Head { text: text.to_owned() }
    }

    #[test]
    fn a_head_ends_at_the_first_empty_line_however_it_comes() {
        let text = b"GET / HTTP/1.0\r\nA: b\r\n\r\nrest";
        let end = text.len() - 4;
        for cut in 0..=text.len() {
            // Searched once up to the cut and found nothing, then all of it.
            match end_of_head(&text[..cut], 0) {
                Some(found) => assert_eq!(found, end),
                None => {
                    assert!(cut < end, "{cut}");
                    assert_eq!(end_of_head(text, cut), Some(end), "{cut}");
                }
            }
        }
        assert_eq!(end_of_head(b"HTTP/1.0 200\nA: b\n\n$", 0), Some(19));
    }

    #[test]
    fn fields_and_first_lines() {
        let response =
            head("HTTP/1.1  401 No\r\nWWW-Authenticate: Basic\r\nwww-authenticate:Digest x=1\r\n\r\n");
        assert_eq!((response.status(), response.is_request()), (Some(401), false));
        assert_eq!(response.fields("WWW-Authenticate").collect::<Vec<_>>(), ["Basic", "Digest x=1"]);
        let request = head("GET /a?b HTTP/1.1\r\nUpgrade: foo, WebSocket\r\n\r\n");
        assert_eq!((request.status(), request.is_request()), (None, true));
        assert!(request.lists("upgrade", "websocket") && !request.lists("upgrade", "web"));
        assert!(!head("GET rtsp://x RTSP/1.0\r\n").is_request());
    }
}

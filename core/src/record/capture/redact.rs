//! Takes secrets out of messages without changing a length.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::keys;
use crate::session::Config;

/// In place of each byte.
const MASK: u8 = b'x';

/// Shorter passwords are not searched: they would be found everywhere.
const SHORTEST: usize = 4;

/// Fields whose value is a secret, but for its first word.
const SECRET_FIELDS: [&[u8]; 5] =
    [b"authorization", b"proxy-authorization", b"cookie", b"set-cookie", b"authentication-info"];

/// What the name of a secret parameter of a URL's query has in it.
const SECRET_NAMES: [&[u8]; 12] = [
    b"pass",
    b"pwd",
    b"psw",
    b"token",
    b"auth",
    b"secret",
    b"user",
    b"usr",
    b"login",
    b"sign",
    b"credential",
    b"key",
];

/// Lines of protocol words and numbers, in which a password is not searched: it would break them.
const PLAIN_LINES: [&[u8]; 27] = [
    b"rtsp/",
    b"cseq:",
    b"content-length:",
    b"content-type:",
    b"transport:",
    b"session:",
    b"public:",
    b"range:",
    b"rtp-info:",
    b"date:",
    b"scale:",
    b"speed:",
    b"www-authenticate:",
    b"v=",
    b"o=",
    b"c=",
    b"b=",
    b"t=",
    b"r=",
    b"m=",
    b"a=rtpmap:",
    b"a=fmtp:",
    b"a=range:",
    b"a=framerate:",
    b"a=key-mgmt:",
    b"a=crypto:",
    b"keymgmt:",
];

/// A password that is one of these is not searched.
const WORDS: &str = "rtsp rtsps http video audio application control trackid stream streamid session media live \
    describe options setup play teardown announce redirect get_parameter set_parameter timeout server location \
    content-base content-location unicast multicast interleaved client_port server_port onvif metadata recvonly sendonly";

/// Knows the secrets of one session. `Debug` shows none.
#[derive(Clone, Default)]
pub(super) struct Redactor {
    secrets: Vec<Vec<u8>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// Of what the session was given.
    pub(super) fn of(config: &Config) -> Self {
        let mut redactor = Self::default();
        if let Some(credentials) = &config.credentials {
            let (user, password) = (&credentials.username, credentials.password());
            redactor.add(password.as_bytes());
            redactor.add(encoded(password).as_bytes());
            if !password.is_empty() {
                redactor.add(STANDARD.encode(alloc::format!("{user}:{password}")).as_bytes());
            }
        }
        if let Some(authorization) = &config.authorization {
            // A token; and of `Basic`, what it hides.
            let token = authorization.split_whitespace().last().unwrap_or_default();
            redactor.add(token.as_bytes());
            if let Ok(hidden) = STANDARD.decode(token) {
                redactor.add(hidden.rsplit(|b| *b == b':').next().unwrap_or_default());
            }
        }
        redactor
    }

    fn add(&mut self, secret: &[u8]) {
        let word = WORDS.split(' ').any(|word| secret.eq_ignore_ascii_case(word.as_bytes()));
        if secret.len() >= SHORTEST && !word && !self.secrets.iter().any(|known| known == secret) {
            self.secrets.push(secret.to_vec());
            // The longer first: it may hold the shorter.
            self.secrets.sort_by_key(|secret| core::cmp::Reverse(secret.len()));
        }
    }

    /// A message, or any other text.
    pub(super) fn message(&self, bytes: &mut [u8]) {
        // A field may go on in lines that begin with a blank (RFC 2326 §15.1, RFC 822 §3.1.1).
        let mut secret = false;
        for line in bytes.split_mut(|b| *b == b'\n') {
            let continues = matches!(line.first(), Some(b' ' | b'\t'));
            let value = field(line).filter(|_| !continues);
            secret = if continues { secret } else { value.is_some() };
            match value {
                Some(at) => mask_value(line.get_mut(at..).unwrap_or_default()),
                None if secret => mask_words(line),
                None => self.line(line),
            }
            keys::erase(line);
        }
    }

    /// Bytes of anything: known secrets alone.
    pub(super) fn search(&self, bytes: &mut [u8]) {
        for secret in &self.secrets {
            let mut at = 0;
            while let Some(found) = find(bytes.get(at..).unwrap_or_default(), secret) {
                let from = at + found;
                at = from + secret.len();
                mask(bytes.get_mut(from..at).unwrap_or_default());
            }
        }
    }

    /// A text.
    pub(super) fn text(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        self.message(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn line(&self, line: &mut [u8]) {
        let plain = PLAIN_LINES.iter().any(|start| starts_with(line, start));
        let mut rest = &mut *line;
        loop {
            let Some(found) = find(rest, b"://") else {
                if !plain {
                    self.search(rest);
                }
                break;
            };
            let (before, url) = rest.split_at_mut(found + 3);
            if !plain {
                self.search(before);
            }
            let (url, after) = url.split_at_mut(url.iter().position(|b| ends_url(*b)).unwrap_or(url.len()));
            // The host is never searched: a password that is a number might be its port.
            let (host, path) =
                url.split_at_mut(url.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(url.len()));
            let user = host.iter().rposition(|b| *b == b'@').unwrap_or(0);
            mask(host.get_mut(..user).unwrap_or_default());
            self.search(path);
            rest = after;
        }
        mask_parameters(line);
    }
}

/// Where the value of a secret field begins.
fn field(line: &[u8]) -> Option<usize> {
    let colon = line.iter().position(|b| *b == b':')?;
    let name = line.get(..colon)?.trim_ascii();
    SECRET_FIELDS.iter().any(|secret| name.eq_ignore_ascii_case(secret)).then_some(colon + 1)
}

/// All but the first word, where there are several.
fn mask_value(value: &mut [u8]) {
    let start = value.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(value.len());
    let rest = value.get_mut(start..).unwrap_or_default();
    let several = rest.trim_ascii_end().iter().position(|b| *b == b' ');
    mask_words(rest.get_mut(several.unwrap_or(0)..).unwrap_or_default());
}

fn mask_words(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|b| !b.is_ascii_whitespace()).for_each(|b| *b = MASK);
}

fn mask(bytes: &mut [u8]) {
    bytes.fill(MASK);
}

/// `?name=value&name=value`, wherever it stands in a line.
fn mask_parameters(line: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = line.get(at..).unwrap_or_default().iter().position(|b| matches!(b, b'?' | b'&')) {
        at += found + 1;
        let rest = line.get(at..).unwrap_or_default();
        let name =
            rest.iter().position(|b| !b.is_ascii_alphanumeric() && !b"_-.".contains(b)).unwrap_or(rest.len());
        let lower = rest.get(..name).unwrap_or_default().to_ascii_lowercase();
        let secret = SECRET_NAMES.iter().any(|secret| find(&lower, secret).is_some());
        if rest.get(name) == Some(&b'=') && secret {
            let length = value_len(rest.get(name + 1..).unwrap_or_default());
            mask(line.get_mut(at + name + 1..at + name + 1 + length).unwrap_or_default());
        }
    }
}

/// A control may be appended to a query (`…?token=abc/trackID=1`), and a token in Base64 may have slashes of its own.
fn value_len(value: &[u8]) -> usize {
    let end = value.iter().position(|b| *b == b'&' || ends_url(*b)).unwrap_or(value.len());
    let value = value.get(..end).unwrap_or_default();
    let control = value.iter().rposition(|b| *b == b'/').filter(|slash| {
        let part = value.get(*slash..).unwrap_or_default();
        part.iter().position(|b| *b == b'=').is_some_and(|at| part.get(at + 1).is_some_and(|b| *b != b'='))
    });
    control.unwrap_or(end)
}

const fn ends_url(b: u8) -> bool {
    matches!(b, 0..=b' ' | b'"' | b'\'' | b'<' | b'>' | b';' | b',' | 0x7f)
}

/// As a URL writes it.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&alloc::format!("%{b:02X}"));
        }
    }
    out
}

pub(super) fn starts_with(line: &[u8], start: &[u8]) -> bool {
    line.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

pub(super) fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rtsp::{Credentials, Url};

    fn redactor(user: &str, password: &str) -> Redactor {
        let (url, _) = Url::parse("rtsp://cam/").unwrap();
        Redactor::of(&Config::new(url, [0; 32]).credentials(Some(Credentials::new(user, password))))
    }

    fn assert_redacted(redactor: &Redactor, text: &str, expected: &str) {
        let once = redactor.text(text);
        assert_eq!(once, expected);
        assert_eq!(once.len(), text.len());
        // Whoever replays knows no secret, and must see the same.
        assert_eq!(Redactor::default().text(&once), once, "not the same twice");
    }

    #[test]
    fn secrets_go_and_everything_else_stays() {
        let r = redactor("admin", "s3cr&t!");
        for (text, expected) in [
            (
                "CSeq: 2\r\nAuthorization: Basic YWRtaW4=\r\nX: y\r\n",
                "CSeq: 2\r\nAuthorization: Basic xxxxxxxx\r\nX: y\r\n",
            ),
            (
                "authorization:Digest u=\"a\",\r\n response=\"f00\"\r\nB: c",
                "authorization:Digest xxxxxx\r\n xxxxxxxxxxxxxx\r\nB: c",
            ),
            ("Cookie: one\r\n", "Cookie: xxx\r\n"),
            (
                "Content-Base: rtsp://admin:p@ss@10.0.0.2/a\r\n",
                "Content-Base: rtsp://xxxxxxxxxx@10.0.0.2/a\r\n",
            ),
            ("a=control:rtsp://h/s?x=1&token=ab/c==&y=2", "a=control:rtsp://h/s?x=1&token=xxxxxx&y=2"),
            ("url=rtsp://h/s?userKey=abc/trackID=1;seq=5", "url=rtsp://h/s?userKey=xxx/trackID=1;seq=5"),
            ("s=camera s3cr&t! and s3cr%26t%21", "s=camera xxxxxxx and xxxxxxxxxxx"),
            ("i=YWRtaW46czNjciZ0IQ== here", "i=xxxxxxxxxxxxxxxxxxxx here"),
            (
                "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"",
                "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"",
            ),
            ("RTP-Info: url=rtsp://h/s3cr&t!/1;seq=1", "RTP-Info: url=rtsp://h/xxxxxxx/1;seq=1"),
        ] {
            assert_redacted(&r, text, expected);
        }
    }

    #[test]
    fn a_password_that_is_a_word_or_a_number_breaks_no_protocol() {
        let sdp = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:video";
        assert_redacted(&redactor("u", "video"), sdp, sdp);
        assert_redacted(&redactor("u", "90000"), sdp, sdp);
        assert_redacted(&redactor("u", "96"), sdp, sdp);
        let located = "Location: rtsp://h:8554/8554";
        assert_redacted(&redactor("u", "8554"), located, "Location: rtsp://h:8554/xxxx");
    }
}

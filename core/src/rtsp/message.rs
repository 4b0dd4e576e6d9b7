//! Requests and responses, RFC 2326 §6 and §7.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::headers::{clean, is_secret};
use super::{Error, Headers, Kind, Status};

/// A request's method, RFC 2326 §10. Methods compare with case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// `OPTIONS`
    Options,
    /// `DESCRIBE`
    Describe,
    /// `ANNOUNCE`
    Announce,
    /// `SETUP`
    Setup,
    /// `PLAY`
    Play,
    /// `PAUSE`
    Pause,
    /// `TEARDOWN`
    Teardown,
    /// `GET_PARAMETER`
    GetParameter,
    /// `SET_PARAMETER`
    SetParameter,
    /// `REDIRECT`
    Redirect,
    /// `RECORD`
    Record,
    /// A method that RFC 2326 does not know.
    Other(String),
}

impl Method {
    const KNOWN: [Self; 11] = [
        Self::Options,
        Self::Describe,
        Self::Announce,
        Self::Setup,
        Self::Play,
        Self::Pause,
        Self::Teardown,
        Self::GetParameter,
        Self::SetParameter,
        Self::Redirect,
        Self::Record,
    ];

    /// As it stands in a request line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Options => "OPTIONS",
            Self::Describe => "DESCRIBE",
            Self::Announce => "ANNOUNCE",
            Self::Setup => "SETUP",
            Self::Play => "PLAY",
            Self::Pause => "PAUSE",
            Self::Teardown => "TEARDOWN",
            Self::GetParameter => "GET_PARAMETER",
            Self::SetParameter => "SET_PARAMETER",
            Self::Redirect => "REDIRECT",
            Self::Record => "RECORD",
            Self::Other(name) => name,
        }
    }

    /// From a request line or a `Public` field.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        let known = Self::KNOWN.into_iter().find(|m| m.as_str() == name);
        known.unwrap_or_else(|| Self::Other(name.to_owned()))
    }

    /// The methods that a `Public` or `Allow` field lists, whatever separates them.
    pub fn parse_list(value: &str) -> impl Iterator<Item = Self> {
        value
            .split([',', ';', ' ', '\t'])
            .filter(|m| !m.is_empty())
            .map(|m| Self::parse(&m.to_ascii_uppercase()))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request. Its `Debug` shows no password and no `Authorization`.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// To what: a URL, or `*`.
    pub uri: String,
    /// Header fields. `Content-Length` is written by itself.
    pub headers: Headers,
    /// The body, often empty.
    pub body: Bytes,
}

/// A response. Its `Debug` shows no body: Hanwha's SDP may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// How it went.
    pub status: Status,
    /// The phrase; may be empty.
    pub reason: String,
    /// Header fields. `Content-Length` is written by itself.
    pub headers: Headers,
    /// The body, often empty.
    pub body: Bytes,
}

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// Reads start line and headers, `head` being all bytes up to the empty line. Bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    ///
    /// `StartLine`.
    pub fn parse(head: &[u8], body: Bytes) -> Result<Self, Error> {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let first = lines.next().unwrap_or_default();
        let start = parse_start_line(first).ok_or(Error::new(Kind::StartLine, 0))?;
        let headers = Headers::parse(lines);
        Ok(match start {
            StartLine::Request(method, uri) => {
                Self::Request(Request { method: Method::parse(method), uri: uri.to_owned(), headers, body })
            }
            StartLine::Response(status, reason) => {
                Self::Response(Response { status: Status(status), reason: reason.to_owned(), headers, body })
            }
        })
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Request(request) => request.to_bytes(),
            Self::Response(response) => response.to_bytes(),
        }
    }
}

impl Request {
    /// Without headers and body. A line end or blank in `uri` would break the request line: each is percent-encoded.
    #[must_use]
    pub fn new(method: Method, uri: &str) -> Self {
        let uri = uri.chars().fold(String::new(), |mut uri, c| {
            if c.is_control() || c == ' ' {
                uri.push_str(&format!("%{:02X}", u32::from(c)));
            } else {
                uri.push(c);
            }
            uri
        });
        Self { method, uri, headers: Headers::new(), body: Bytes::new() }
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        write(&format!("{} {} RTSP/1.0", self.method, self.uri), &self.headers, &self.body)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = super::Url::parse(&self.uri)
            .map_or_else(|_| without_userinfo(&self.uri), |(url, _)| url.to_string());
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("uri", &uri)
            .field("headers", &self.headers)
            .field("body", &self.body.len())
            .finish()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("reason", &self.reason)
            .field("headers", &self.headers)
            .field("body", &self.body.len())
            .finish()
    }
}

impl Response {
    /// With the phrase of RFC 2326, without headers and body.
    #[must_use]
    pub fn new(status: Status) -> Self {
        Self { status, reason: status.reason().to_owned(), headers: Headers::new(), body: Bytes::new() }
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let reason: String = self.reason.chars().filter(|c| !c.is_control()).collect();
        write(&format!("RTSP/1.0 {:03} {}", self.status.0, reason.trim()), &self.headers, &self.body)
    }
}

fn write(start: &str, headers: &Headers, body: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(256 + body.len());
    out.extend_from_slice(start.as_bytes());
    out.extend_from_slice(b"\r\n");
    headers.write(&mut out);
    if !body.is_empty() && headers.get("Content-Length").is_none() {
        out.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out.into()
}

enum StartLine<'a> {
    Request(&'a str, &'a str),
    Response(u16, &'a str),
}

/// The phrase may be empty or missing (gortsplib issue 807).
fn parse_start_line(line: &str) -> Option<StartLine<'_>> {
    if let Some(version) = line.strip_prefix("RTSP/") {
        let (_, rest) = version.split_once(' ')?;
        let rest = rest.trim_start();
        let code = rest.get(..3)?;
        if !code.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        return Some(StartLine::Response(code.parse().ok()?, rest.get(3..)?.trim()));
    }
    let (method, rest) = line.split_once(' ')?;
    let (uri, version) = rest.trim_end().rsplit_once(' ')?;
    let is_token = !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    (is_token && version.starts_with("RTSP/")).then_some(StartLine::Request(method, uri.trim()))
}

/// The version in a message's start line is one that this library speaks (1.x).
pub(super) fn speaks_version(head: &[u8]) -> bool {
    let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
    let at = line.windows(5).rposition(|w| w == b"RTSP/");
    at.and_then(|at| line.get(at + 5..at + 7)) == Some(b"1.")
}

fn without_userinfo(uri: &str) -> String {
    match uri.rfind('@') {
        Some(at) => format!("(redacted){}", &uri[at..]),
        None => uri.to_owned(),
    }
}

/// A copy of bytes of an RTSP connection, fit for a log or a capture: the values of `Authorization` fields and what
/// stands before an `@` in a request line are overwritten with `x`, so that every length stays as it was.
#[must_use]
pub fn redact(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    // As `Headers::parse` reads: what begins with a blank continues the last field, lines without a colon between them or not.
    let mut secret = false;
    for line in out.split_mut(|b| *b == b'\n') {
        let goes_on = matches!(line.first(), Some(b' ' | b'\t'));
        let value = match line.iter().position(|b| *b == b':') {
            _ if goes_on => Some(1),
            Some(colon) => {
                let name = line.get(..colon).and_then(|name| core::str::from_utf8(name).ok());
                secret = name.is_some_and(|name| is_secret(&clean(name)));
                Some(colon + 1)
            }
            None => {
                secret &= !matches!(*line, [] | [b'\r']);
                None
            }
        };
        if let (true, Some(value)) = (secret, value) {
            overwrite(line.get_mut(value..));
            continue;
        }
        while let Some(scheme) = find_userinfo(line) {
            overwrite(line.get_mut(scheme));
        }
    }
    out
}

fn overwrite(secret: Option<&mut [u8]>) {
    for byte in secret.into_iter().flatten() {
        if !matches!(*byte, b' ' | b'\r') {
            *byte = b'x';
        }
    }
}

/// Where the user and password of the first URL that still shows them stand in a line.
fn find_userinfo(line: &[u8]) -> Option<core::ops::Range<usize>> {
    let mut from = 0;
    while let Some(found) = line.get(from..)?.windows(3).position(|w| w == b"://") {
        let start = from + found + 3;
        let rest = line.get(start..)?;
        // A password may have blanks, as `Url::parse` reads it.
        let end = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
        if let Some(at) = rest.get(..end)?.iter().rposition(|b| *b == b'@')
            && rest.get(..at)?.iter().any(|b| !matches!(b, b'x' | b' ' | b'\r'))
        {
            return Some(start..start + at);
        }
        from = start;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Message, Error> {
        Message::parse(text.as_bytes(), Bytes::new())
    }

    /// Else what is redacted and what is read would not be the same.
    #[test]
    fn an_empty_line_ends_the_headers() {
        let head = "RTSP/1.0 401 No\r\nAuthorization: Basic eA==\n\n eTo=\r\nAuthorization: z\r\n";
        let Message::Response(read) = parse(head).unwrap() else { panic!("a response") };
        assert_eq!(read.headers.iter().collect::<Vec<_>>(), [("Authorization", "Basic eA==")]);
    }

    /// What the fuzz target `rtsp_round_trip` holds.
    #[test]
    fn an_odd_status_line_is_written_so_that_it_reads_the_same() {
        for odd in ["RTSP/1.0 007 Bond", "RTSP/1.0 200 OK \u{1}", "RTSP/1.0 200 \u{1}"] {
            let written = parse(odd).unwrap().to_bytes();
            let again = Message::parse(&written, Bytes::new()).unwrap();
            assert_eq!(again.to_bytes(), written, "{odd:?}");
        }
    }

    #[test]
    fn reads_what_cameras_write() {
        let Message::Response(response) =
            parse("RTSP/1.0 401 Unauthorized\r\nCSeq: 1 \r\nX:\r\nno colon\r\nFolded: a\r\n  b\r\n").unwrap()
        else {
            panic!("not a response")
        };
        assert_eq!((response.status, response.headers.cseq()), (Status::UNAUTHORIZED, Some(1)));
        assert_eq!((response.headers.get("x"), response.headers.get("folded")), (Some(""), Some("a b")));
        for odd in ["RTSP/1.0 200", "RTSP/1.0 200 ", "RTSP/1.0  200 OK", "RTSP/1.1 200 OK\n"] {
            assert!(matches!(parse(odd).unwrap(), Message::Response(r) if r.status == Status::OK), "{odd:?}");
        }
        for bad in [
            "",
            "RTSP/1.0",
            "RTSP/1.0 20",
            "RTSP/1.0 2x0 OK",
            "GET / HTTP/1.1",
            "SETUP RTSP/1.0",
            "get x RTSP/1.0",
        ] {
            assert_eq!(parse(bad), Err(Error::new(Kind::StartLine, 0)), "{bad:?}");
        }
    }

    #[test]
    fn a_uri_cannot_carry_a_second_line() {
        let request = Request::new(Method::Setup, "rtsp://h/a b\r\nX: y");
        assert_eq!(request.to_bytes(), "SETUP rtsp://h/a%20b%0D%0AX:%20y RTSP/1.0\r\n\r\n".as_bytes());
    }

    #[test]
    fn nothing_shows_a_password() {
        let mut request = Request::new(Method::Describe, "rtsp://admin:secret@cam/a");
        request.headers.push("Authorization", "Basic YWRtaW46c2VjcmV0");
        let shown = format!("{request:?}");
        assert!(!shown.contains("secret") && !shown.contains("YWRt"), "{shown}");
        let wire = request.to_bytes();
        let redacted = redact(&wire);
        assert_eq!(redacted.len(), wire.len());
        let text = String::from_utf8(redacted).unwrap();
        assert!(text.starts_with("DESCRIBE rtsp://xxxxxxxxxxxx@cam/a RTSP/1.0\r\n"), "{text}");
        assert!(!text.contains("YWRt"), "{text}");
        for (said, shown) in [
            ("a://xx@b/ c://d:e@f/", "a://xx@b/ c://xxx@f/"),
            ("OPTIONS rtsp://a b:pw@h RTSP/1.0", "OPTIONS rtsp://x xxxx@h RTSP/1.0"),
            ("Authorization: Basic\r\n eA==\r\nX: y", "Authorization: xxxxx\r\n xxxx\r\nX: y"),
            ("Authorization: a\nno field\n\tb\n\n b", "Authorization: x\nno field\n\tx\n\n b"),
            ("\u{1}Authorization\u{b} : a\r\nX: y\r\n z", "\u{1}Authorization\u{b} : x\r\nX: y\r\n z"),
        ] {
            assert_eq!(String::from_utf8(redact(said.as_bytes())).unwrap(), shown);
        }
    }

    #[test]
    fn public_lists() {
        let methods: Vec<_> = Method::parse_list("OPTIONS, DESCRIBE;play GET_PARAMETER,,X").collect();
        let x = Method::Other("X".into());
        assert_eq!(methods, vec![Method::Options, Method::Describe, Method::Play, Method::GetParameter, x]);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            method in "[A-Z_]{1,14}", uri in "[!-~]{1,40}", status in 100_u16..600, reason in "[!-~]{0,12}",
            fields in prop::collection::vec(("[A-Za-z-]{1,12}", "[!-~]{0,20}"), 0..6),
        ) {
            let mut headers = Headers::new();
            for (name, value) in &fields {
                headers.push(name, value);
            }
            let request = Request { method: Method::parse(&method), uri, headers: headers.clone(), body: Bytes::new() };
            prop_assert_eq!(Message::parse(&request.to_bytes(), Bytes::new()), Ok(Message::Request(request)));
            let response = Response { status: Status(status), reason, headers, body: Bytes::new() };
            prop_assert_eq!(Message::parse(&response.to_bytes(), Bytes::new()), Ok(Message::Response(response)));
        }

        #[test]
        fn any_bytes_are_a_message_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::parse(&bytes, Bytes::new());
            prop_assert_eq!(redact(&bytes).len(), bytes.len());
            let _ = speaks_version(&bytes);
        }
    }
}

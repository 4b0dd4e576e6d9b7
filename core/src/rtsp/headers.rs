//! Header fields, RFC 2326 §12: the list of them, and readers and writers for those with a structure.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

mod frames;
mod range;
mod rtp_info;
mod session;
mod transport;

pub use frames::Frames;
pub use range::{NptTime, Range};
pub use rtp_info::RtpInfo;
pub use session::SessionId;
pub use transport::Transport;

/// Header fields in the order in which they were sent. Names compare without case and are kept as written.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The first field of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Every field of that name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Every field, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// Adds a field at the end. A control character in the value (a line end above all) becomes a space, so that a
    /// value cannot carry a second field.
    pub fn push(&mut self, name: &str, value: &str) {
        self.0.push((clean(name), clean(value)));
    }

    /// [`Headers::push`], for building in one expression.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.push(name, value);
        self
    }

    /// Removes every field of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// `CSeq`, RFC 2326 §12.17.
    #[must_use]
    pub fn cseq(&self) -> Option<u32> {
        self.get("CSeq")?.trim().parse().ok()
    }

    /// Reads the lines after a start line. Values are trimmed (Longse sends trailing blanks), may be empty (Dahua), and
    /// a line without a colon is skipped. A line that begins with a blank continues the one before (RFC 2326 §15.1).
    pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut headers = Self::new();
        // An empty line ends them (RFC 2326 §4.3).
        for line in lines.take_while(|line| !line.is_empty()) {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = headers.0.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                    *value = clean(value);
                }
            } else if let Some((name, value)) = line.split_once(':') {
                headers.push(name, value);
            }
        }
        headers
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for (name, value) in &self.0 {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Without line ends and other control characters, and without blanks around it.
pub(super) fn clean(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.trim().to_owned()
}

/// Does a field of this name carry a secret?
pub(super) fn is_secret(name: &str) -> bool {
    name.eq_ignore_ascii_case("Authorization") || name.eq_ignore_ascii_case("Proxy-Authorization")
}

/// Secrets are not shown.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(n, v)| (n, if is_secret(n) { "(redacted)" } else { v })))
            .finish()
    }
}

/// Splits at `separator` outside double quotes; parts are trimmed, empty ones skipped.
pub(super) fn split_quoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |c| {
        if escaped {
            escaped = false;
            return false;
        }
        match c {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        c == separator && !quoted
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_value_cannot_carry_a_second_field() {
        let headers = Headers::new().with("User-Agent", "x\r\nAuthorization: Basic Zm9v");
        let mut out = Vec::new();
        headers.write(&mut out);
        assert_eq!(out, b"User-Agent: x  Authorization: Basic Zm9v\r\n");
    }

    /// What the fuzz target `rtsp_round_trip` holds: what was read was written so that it read as something else.
    #[test]
    fn what_was_read_is_written_so_that_it_reads_the_same() {
        for lines in
            [["\u{1}a: b", "c: d"], ["a: b", " c\rd"], ["a:", " b"], ["a: b", " "], ["a\u{b}: b", "c: d"]]
        {
            let read = Headers::parse(lines.into_iter());
            let mut out = Vec::new();
            read.write(&mut out);
            let text = String::from_utf8(out).unwrap();
            assert!(!text.replace("\r\n", "").contains('\r'), "{text:?}");
            assert!(Headers::parse(text.split("\r\n").filter(|line| !line.is_empty())) == read, "{text:?}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let headers = Headers::new().with("authorization", "Basic Zm9vOmJhcg==").with("CSeq", "1");
        let shown = alloc::format!("{headers:?}");
        assert!(!shown.contains("Zm9v") && shown.contains("CSeq"), "{shown}");
    }

    #[test]
    fn quotes_protect_separators() {
        let parts: Vec<_> = split_quoted(r#"a="x,y\",z" ,, b=2"#, ',').collect();
        assert_eq!(parts, [r#"a="x,y\",z""#, "b=2"]);
    }
}

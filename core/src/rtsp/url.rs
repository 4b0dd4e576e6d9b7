//! RTSP addresses, RFC 2326 §3.2, with the user and password split off before anything can print them.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use super::auth::Credentials;
use super::{Error, Kind};

/// How the bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `rtsp`: TCP, port 554.
    Rtsp,
    /// `rtsps`: TLS, port 322.
    Rtsps,
}

/// An RTSP address without user, password and fragment: what stands in a request line, and safe to print.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    scheme: Scheme,
    host: String,
    port: Option<u16>,
    /// Path and query as they stand in a request line; begins with `/`, or with `?`, or is empty.
    path: String,
}

impl Url {
    /// Reads an address and splits off user and password.
    ///
    /// Passwords that were pasted without percent-encoding are understood as far as that is possible: everything up to
    /// the last `@` before the first `/` is user and password.
    ///
    /// ```
    /// let (url, credentials) = vigie::rtsp::Url::parse("rtsp://admin:p@ss@10.0.0.2/stream?channel=1")?;
    /// assert_eq!(url.to_string(), "rtsp://10.0.0.2/stream?channel=1");
    /// assert_eq!(credentials.map(|c| c.username), Some("admin".into()));
    /// # Ok::<(), vigie::rtsp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `UrlScheme`, `UrlHost`, `UrlPort`.
    pub fn parse(text: &str) -> Result<(Self, Option<Credentials>), Error> {
        let text = text.trim();
        let (scheme, rest) = split_scheme(text).ok_or(Error::new(Kind::UrlScheme, 0))?;
        let at = text.len() - rest.len();
        let slash = rest.find('/').unwrap_or(rest.len());
        let (userinfo, host_at) = match rest[..slash].rfind('@') {
            Some(i) => (Some(&rest[..i]), i + 1),
            None => (None, 0),
        };
        let host_len = rest[host_at..].find(['/', '?', '#']).unwrap_or(rest.len() - host_at);
        let (host, port) = split_host(&rest[host_at..host_at + host_len], at + host_at)?;
        let path = rest[host_at + host_len..].split('#').next().unwrap_or_default();
        let url = Self { scheme, host, port, path: encode(path) };
        Ok((url, userinfo.filter(|u| !u.is_empty()).map(read_userinfo)))
    }

    /// `rtsp` or `rtsps`.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host: a name, an IPv4 address, or an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port: the one written, else 554 (`rtsp`) or 322 (`rtsps`).
    #[must_use]
    pub const fn port(&self) -> u16 {
        match (self.port, self.scheme) {
            (Some(port), _) => port,
            (None, Scheme::Rtsp) => 554,
            (None, Scheme::Rtsps) => 322,
        }
    }

    /// The port: the one written, else `default`, for what does not travel by RTSP's own ports.
    #[must_use]
    pub fn port_or(&self, default: u16) -> u16 {
        self.port.unwrap_or(default)
    }

    /// Path and query as they stand in a request line; may be empty.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.path
    }

    /// The path without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// May a password given for `self` be sent to `other`? The same host, and not from TLS to clear text.
    #[must_use]
    pub fn same_host(&self, other: &Self) -> bool {
        self.host.eq_ignore_ascii_case(&other.host)
            && (self.scheme == Scheme::Rtsp || other.scheme == Scheme::Rtsps)
    }

    /// The address that a control attribute names, `self` being the base; and whether the attribute named another
    /// host, which is then not used.
    ///
    /// A relative control is appended, after the query if there is one, as live555 and FFmpeg do: Dahua and Hikvision
    /// put the channel into the query and expect `…?channel=1/trackID=1`. An absolute one gives path and query only:
    /// cameras behind address translation, and Hanwha with `user:password@`, name hosts that lead nowhere.
    #[must_use]
    pub fn control(&self, control: &str) -> (Self, bool) {
        let control = control.trim();
        if control.is_empty() || control == "*" {
            return (self.clone(), false);
        }
        if split_scheme(control).is_some() {
            return match Self::parse(unrepeat(control)) {
                Ok((named, _)) => {
                    let foreign = !named.host.eq_ignore_ascii_case(&self.host);
                    (Self { path: named.path, ..self.clone() }, foreign)
                }
                Err(_) => (self.clone(), true),
            };
        }
        let control = encode(control);
        let mut path = self.path.clone();
        match (path.ends_with('/'), control.starts_with('/'), control.starts_with('?')) {
            // Two slashes in a row break SETUP on some (go2rtc issue 1236).
            (true, true, _) => {
                path.pop();
            }
            (false, false, false) => path.push('/'),
            _ => {}
        }
        path.push_str(&control);
        (Self { path, ..self.clone() }, false)
    }

    /// The base that a `Content-Base` or `Content-Location` names, the host dialled being kept; `None` where the value
    /// is not usable. The flag says that the value broke the rules or named another host.
    ///
    /// Anjvision writes it without a scheme, Vikylin with the scheme twice.
    #[must_use]
    pub fn content_base(&self, value: &str) -> Option<(Self, bool)> {
        let value = value.trim();
        if value.starts_with('/') {
            return Some((Self { path: encode(value), ..self.clone() }, true));
        }
        let (named, repaired) = if split_scheme(value).is_some() {
            let single = unrepeat(value);
            (Self::parse(single).ok()?.0, single.len() != value.len())
        } else {
            (Self::parse(&format!("rtsp://{value}")).ok()?.0, true)
        };
        let foreign = !named.host.eq_ignore_ascii_case(&self.host);
        Some((Self { path: named.path, ..self.clone() }, repaired || foreign))
    }

    /// Reads a `Location` of a redirection: absolute, or a path on the same host.
    ///
    /// # Errors
    ///
    /// As [`Url::parse`].
    pub fn location(&self, value: &str) -> Result<Self, Error> {
        let value = value.trim();
        if value.starts_with('/') && !value.starts_with("//") {
            return Ok(Self { path: encode(value), ..self.clone() });
        }
        Ok(Self::parse(unrepeat(value))?.0)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.scheme {
            Scheme::Rtsp => "rtsp://",
            Scheme::Rtsps => "rtsps://",
        })?;
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.path)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

fn split_scheme(text: &str) -> Option<(Scheme, &str)> {
    let (name, rest) = text.split_once("://")?;
    if name.eq_ignore_ascii_case("rtsp") {
        Some((Scheme::Rtsp, rest))
    } else if name.eq_ignore_ascii_case("rtsps") {
        Some((Scheme::Rtsps, rest))
    } else {
        None
    }
}

/// `rtsp://rtsp://host/` to `rtsp://host/`.
fn unrepeat(text: &str) -> &str {
    match split_scheme(text) {
        Some((_, rest)) if split_scheme(rest).is_some() => rest,
        _ => text,
    }
}

fn split_host(text: &str, at: usize) -> Result<(String, Option<u16>), Error> {
    let bad_host = Error::new(Kind::UrlHost, at);
    let (host, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']').ok_or(bad_host)?;
        let port = match rest.strip_prefix(':') {
            Some(port) => port,
            None if rest.is_empty() => "",
            None => return Err(bad_host),
        };
        if !host.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.' | b'%')) {
            return Err(bad_host);
        }
        (host, port)
    } else if text.bytes().filter(|b| *b == b':').count() > 1
        && text.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
    {
        // An IPv6 address without brackets (go2rtc issue 830, `::ffff:192.0.2.1`).
        (text, "")
    } else {
        let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
        if !host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) {
            return Err(bad_host);
        }
        (host, port)
    };
    if host.is_empty() {
        return Err(bad_host);
    }
    let port_at = at + text.len() - port.len();
    let port = match port {
        "" => None,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
            let number = digits.parse::<u16>().ok().filter(|p| *p != 0);
            Some(number.ok_or(Error::new(Kind::UrlPort, port_at))?)
        }
        _ => return Err(Error::new(Kind::UrlPort, port_at)),
    };
    Ok((host.to_owned(), port))
}

/// Percent-encodes what a request line cannot carry: controls, spaces, quotes and bytes above ASCII.
fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.bytes() {
        match c {
            b'"' | b'<' | b'>' | 0..=0x20 | 0x7f.. => {
                let _ = write!(out, "%{c:02X}");
            }
            _ => out.push(char::from(c)),
        }
    }
    out
}

fn read_userinfo(userinfo: &str) -> Credentials {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    Credentials::new(decode(user), decode(password))
}

/// Percent-decodes; a text whose escapes are not escapes is taken as it is.
fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&b, after)) = rest.split_first() {
        rest = after;
        let hex = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
        match (b, after) {
            (b'%', [high, low, ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = &after[2..];
                }
                _ => return text.to_owned(),
            },
            (b'%', _) => return text.to_owned(),
            _ => out.push(b),
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use alloc::string::ToString as _;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap().0
    }

    #[test]
    fn userinfo_is_split_off_and_never_shown() {
        for (text, user, password) in [
            ("rtsp://admin:secret@cam/", "admin", "secret"),
            ("rtsp://admin:s%40cr%2Fet@cam/", "admin", "s@cr/et"),
            ("rtsp://admin:s@cr#et@cam/", "admin", "s@cr#et"),
            ("rtsp://admin:100%@cam/", "admin", "100%"),
            ("RTSP://admin@cam/", "admin", ""),
            ("rtsp://admin:a:b@cam/", "admin", "a:b"),
        ] {
            let (url, credentials) = Url::parse(text).unwrap();
            let credentials = credentials.unwrap();
            assert_eq!((credentials.username.as_str(), credentials.password()), (user, password));
            assert_eq!(url.to_string(), "rtsp://cam/");
            assert_eq!(alloc::format!("{url:?}"), "Url(rtsp://cam/)");
        }
        assert_eq!(Url::parse("rtsp://cam/user=admin@x").unwrap().1, None);
    }

    #[test]
    fn hosts_and_ports() {
        assert_eq!((url("rtsp://cam").host(), url("rtsp://cam").port()), ("cam", 554));
        assert_eq!(url("rtsps://cam/").port(), 322);
        assert_eq!((url("rtsp://[::1]:8554/a").host(), url("rtsp://[::1]:8554/a").port()), ("::1", 8554));
        assert_eq!(url("rtsp://[::1]:8554/a").to_string(), "rtsp://[::1]:8554/a");
        assert_eq!(url("rtsp://::ffff:192.0.2.1/a").to_string(), "rtsp://[::ffff:192.0.2.1]/a");
        assert_eq!(url("rtsp://cam?x=1").path_and_query(), "?x=1");
        assert_eq!(url("rtsp://cam/a b#frag").to_string(), "rtsp://cam/a%20b");
        for (bad, kind, at) in [
            ("", Kind::UrlScheme, 0),
            ("http://cam/", Kind::UrlScheme, 0),
            ("rtsp://", Kind::UrlHost, 7),
            ("rtsp://u:p@/x", Kind::UrlHost, 11),
            ("rtsp://a b/", Kind::UrlHost, 7),
            ("rtsp://[::1/", Kind::UrlHost, 7),
            ("rtsp://cam:0/", Kind::UrlPort, 11),
            ("rtsp://cam:65536/", Kind::UrlPort, 11),
            ("rtsp://cam:55a/", Kind::UrlPort, 11),
        ] {
            assert_eq!(Url::parse(bad), Err(Error::new(kind, at)), "{bad}");
        }
    }

    #[test]
    fn control_is_appended_after_the_query() {
        let join = |base: &str, control: &str| {
            let (url, foreign) = url(base).control(control);
            (url.to_string(), foreign)
        };
        let is = |text: &str| (text.to_owned(), false);
        assert_eq!(join("rtsp://cam/a", "*"), is("rtsp://cam/a"));
        assert_eq!(join("rtsp://cam/a", "trackID=1"), is("rtsp://cam/a/trackID=1"));
        assert_eq!(join("rtsp://cam/a/", "/trackID=1"), is("rtsp://cam/a/trackID=1"));
        assert_eq!(join("rtsp://cam/a?c=1&s=0", "trackID=1"), is("rtsp://cam/a?c=1&s=0/trackID=1"));
        assert_eq!(join("rtsp://cam/a", "?ctype=video"), is("rtsp://cam/a?ctype=video"));
        assert_eq!(join("rtsp://cam:8554/a", "rtsp://cam:554/b/video"), is("rtsp://cam:8554/b/video"));
        let foreign = ("rtsp://cam/b?x/video".to_owned(), true);
        assert_eq!(join("rtsp://cam/a", "rtsp://admin:pw@10.0.0.1/b?x/video"), foreign);
        assert_eq!(join("rtsp://cam/a", "rtsp://rtsp://cam/b"), is("rtsp://cam/b"));
    }

    #[test]
    fn content_base_is_repaired() {
        let dialled = url("rtsp://cam:8554/a");
        let base = |value: &str| dialled.content_base(value).map(|(u, odd)| (u.to_string(), odd));
        assert_eq!(base("rtsp://cam:8554/a/"), Some(("rtsp://cam:8554/a/".into(), false)));
        assert_eq!(base("192.168.1.10:554/stream0/"), Some(("rtsp://cam:8554/stream0/".into(), true)));
        assert_eq!(base("rtsp://rtsp://cam/x/"), Some(("rtsp://cam:8554/x/".into(), true)));
        assert_eq!(base("rtsp:///x"), None);
    }

    #[test]
    fn credentials_stay_with_their_host() {
        assert!(url("rtsp://cam/a").same_host(&url("rtsp://CAM:8554/b")));
        assert!(!url("rtsp://cam/a").same_host(&url("rtsp://other/a")));
        assert!(!url("rtsps://cam/a").same_host(&url("rtsp://cam/a")));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_address_or_an_error(text in "(rtsps?://)?\\PC*") {
            if let Ok((url, _)) = Url::parse(&text) {
                proptest::prop_assert_eq!(&Url::parse(&url.to_string()).unwrap(), &(url.clone(), None));
                let _ = url.control(&text);
                let _ = url.content_base(&text);
            }
        }
    }
}

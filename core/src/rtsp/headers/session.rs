//! `Session`, RFC 2326 §12.37.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::fmt;

/// A session's identifier and how long it lives without a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionId {
    /// The identifier, opaque.
    pub id: String,
    /// Seconds; 60 where the field does not say.
    pub timeout: u32,
}

impl SessionId {
    /// Reads the field; `None` if there is no identifier.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut parts = value.split(';').map(str::trim);
        let id = parts.next().filter(|id| !id.is_empty())?.to_owned();
        let timeout = parts
            .filter_map(|part| part.split_once('='))
            .find(|(key, _)| key.trim().eq_ignore_ascii_case("timeout"))
            .and_then(|(_, seconds)| seconds.trim().parse().ok())
            .filter(|seconds| *seconds > 0)
            .unwrap_or(60);
        Some(Self { id, timeout })
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};timeout={}", self.id, self.timeout)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn reads_what_cameras_write() {
        let is = |id: &str, timeout| Some(SessionId { id: id.to_owned(), timeout });
        assert_eq!(SessionId::parse("231970;timeout=60"), is("231970", 60));
        assert_eq!(SessionId::parse(" ABC ; Timeout = 15 "), is("ABC", 15));
        assert_eq!(SessionId::parse("ABC;timeout=0"), is("ABC", 60));
        assert_eq!(SessionId::parse("ABC;timeout="), is("ABC", 60));
        assert_eq!(SessionId::parse(";timeout=5"), None);
    }
}

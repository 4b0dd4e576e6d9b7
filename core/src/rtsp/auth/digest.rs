//! The arithmetic of Digest, RFC 7616 §3.4, and of its ancestor without `qop`, RFC 2069.

use alloc::string::String;

use md5::{Digest, Md5};
use sha2::{Sha256, Sha512_256};

use super::hex;

/// A hash that Digest may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// `MD5`, also where the challenge names none.
    Md5,
    /// `SHA-256`: the only one that newer Hikvision and Prama firmware offers.
    Sha256,
    /// `SHA-512-256`.
    Sha512_256,
}

impl Algorithm {
    /// The name in a header field.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Sha512_256 => "SHA-512-256",
        }
    }

    /// From a name without `-sess`, whatever its case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256, Self::Sha512_256].into_iter().find(|a| a.name().eq_ignore_ascii_case(name))
    }

    /// The hash of texts joined by `:`, in hexadecimal.
    pub(super) fn hash(self, parts: &[&str]) -> String {
        match self {
            Self::Md5 => joined::<Md5>(parts),
            Self::Sha256 => joined::<Sha256>(parts),
            Self::Sha512_256 => joined::<Sha512_256>(parts),
        }
    }
}

fn joined<D: Digest>(parts: &[&str]) -> String {
    let mut hash = D::new();
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            hash.update(b":");
        }
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

/// What goes into a response.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) session: bool,
    pub(super) username: &'a str,
    pub(super) password: &'a str,
    pub(super) realm: &'a str,
    pub(super) nonce: &'a str,
    /// (nc, cnonce) with `qop=auth`.
    pub(super) counted: Option<(&'a str, &'a str)>,
    /// The client's nonce of `-sess`, which is hashed even without `qop`.
    pub(super) cnonce: &'a str,
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
}

/// RFC 7616 §3.4.1; without `qop` RFC 2069 §2.1.2.
pub(super) fn response(p: &Parts<'_>) -> String {
    let mut ha1 = p.algorithm.hash(&[p.username, p.realm, p.password]);
    if p.session {
        ha1 = p.algorithm.hash(&[&ha1, p.nonce, p.cnonce]);
    }
    let ha2 = p.algorithm.hash(&[p.method, p.uri]);
    match p.counted {
        Some((nc, cnonce)) => p.algorithm.hash(&[&ha1, p.nonce, nc, cnonce, "auth", &ha2]),
        None => p.algorithm.hash(&[&ha1, p.nonce, &ha2]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// RFC 7616 §3.9.1, MD5 and SHA-256.
    const RFC_7616: Parts<'_> = Parts {
        algorithm: Algorithm::Md5,
        session: false,
        username: "Mufasa",
        password: "Circle of Life",
        realm: "http-auth@example.org",
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        counted: Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")),
        cnonce: "",
        method: "GET",
        uri: "/dir/index.html",
    };

    #[test]
    fn examples_of_the_rfcs() {
        assert_eq!(response(&RFC_7616), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(
            response(&Parts { algorithm: Algorithm::Sha256, ..RFC_7616 }),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
        // RFC 2069 §2.4, with the response of its erratum 749.
        let old = Parts {
            realm: "testrealm@host.com",
            password: "CircleOfLife",
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            counted: None,
            ..RFC_7616
        };
        assert_eq!(response(&old), "1949323746fe6a43ef61f9606e7febea");
    }

    #[test]
    fn names_go_there_and_back() {
        for algorithm in [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256] {
            assert_eq!(Algorithm::parse(&algorithm.name().to_ascii_lowercase()), Some(algorithm));
        }
        assert_eq!(Algorithm::parse("SHA-1"), None);
        // FIPS 180-4, SHA-512/256 of "abc".
        assert_eq!(
            Algorithm::Sha512_256.hash(&["abc"]),
            "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"
        );
    }
}

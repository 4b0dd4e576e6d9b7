//! Who asks: Basic (RFC 7617) and Digest (RFC 7616, RFC 2069), for both ends.
//!
//! [`Authenticator`] answers a server's challenges, [`Gate`] makes and checks them. Neither draws random numbers:
//! what must be unpredictable comes from the caller's seed.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest as _, Sha256};

mod challenge;
mod client;
mod digest;
mod server;

pub use challenge::{Challenge, DigestChallenge};
pub use client::{Authenticator, Refused};
pub use digest::Algorithm;
pub use server::{Gate, Scheme, Verdict};

/// A user and a password. `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// The user.
    pub username: String,
    password: String,
}

impl Credentials {
    /// From what the operator was told; neither is percent-encoded.
    #[must_use]
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self { username: username.into(), password: password.into() }
    }

    /// The password, in clear.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("password", &"(redacted)")
            .finish()
    }
}

/// The value of an `Authorization` field, for an application that judges it itself. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization(String);

impl Authorization {
    /// From the field's value.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The field's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The token of `Bearer <token>`, RFC 6750 §2.1.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.0.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization(redacted)")
    }
}

/// Unpredictable texts out of a seed: SHA-256 over the seed and a counter.
#[derive(Clone)]
pub(crate) struct Entropy {
    seed: [u8; 32],
    counter: u64,
}

impl Entropy {
    pub(crate) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }

    /// 32 hexadecimal digits, never the same twice.
    pub(crate) fn token(&mut self) -> String {
        self.counter += 1;
        let hash = Sha256::new().chain_update(self.seed).chain_update(self.counter.to_be_bytes()).finalize();
        hex(hash.get(..16).unwrap_or_default())
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| DIGITS.get(usize::from(n & 15)).copied().unwrap_or(b'0');
    let digits: Vec<u8> = bytes.iter().flat_map(|b| [digit(b >> 4), digit(*b)]).collect();
    String::from_utf8(digits).unwrap_or_default()
}

/// Compares without telling by its duration where the first difference is.
fn same_secret(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

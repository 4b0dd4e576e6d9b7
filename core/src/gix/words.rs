//! The small words of marks and records: ids, texts, flags.

use alloc::vec::Vec;
use core::fmt;

use crate::octets::{Reader, Write as _};

/// Names a media file or an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Id(pub [u8; 16]);

/// Names a CENC key (ISO/IEC 23001-7); all zero: not encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kid(pub [u8; 16]);

/// Up to `N` bytes of UTF-8 without allocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text<const N: usize>([u8; N]);

impl<const N: usize> Text<N> {
    /// No text.
    pub const EMPTY: Self = Self([0; N]);

    /// `None` where it does not fit or holds a NUL.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; N];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        (!text.contains('\0')).then_some(Self(bytes))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(N);
        core::str::from_utf8(self.0.get(..end).unwrap_or(&[])).unwrap_or("")
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let text = Self(bytes.try_into().ok()?);
        (Self::new(text.as_str())? == text).then_some(text)
    }

    pub(super) const fn bytes(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name behind its length, in 65 bytes.
pub(super) fn put_name(out: &mut Vec<u8>, name: &Text<64>) {
    out.put_u8(name.as_str().len() as u8);
    out.put(name.bytes());
}

pub(super) fn read_name(r: &mut Reader<'_>) -> Option<Text<64>> {
    let len = r.u8()?;
    let name = Text::read(r.take(64)?)?;
    (name.as_str().len() == usize::from(len)).then_some(name)
}

pub(super) fn hashed(parts: &[&[u8]]) -> Id {
    use sha2::Digest as _;
    let mut sha = sha2::Sha256::new();
    for part in parts {
        sha.update(part);
    }
    let mut id = Id::default();
    for (to, from) in id.0.iter_mut().zip(sha.finalize()) {
        *to = from;
    }
    id
}

/// The flags of a fragment, `docs/format.md` §2.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u16);

impl Flags {
    /// Its first sample is a random access point.
    pub const RANDOM_ACCESS: Self = Self(1);
    /// It continues the GOP of the fragment before it.
    pub const CONTINUES_GOP: Self = Self(1 << 1);
    /// Packets were lost in it or just before it.
    pub const LOSS: Self = Self(1 << 2);
    /// Its times do not continue those before.
    pub const DISCONTINUITY: Self = Self(1 << 3);
    /// A sample in it is known to be incomplete.
    pub const INCOMPLETE: Self = Self(1 << 4);
    /// Its samples are encrypted (CENC).
    pub const ENCRYPTED: Self = Self(1 << 5);

    /// These, and `other` if `on`.
    #[must_use]
    pub const fn with(self, other: Self, on: bool) -> Self {
        if on { Self(self.0 | other.0) } else { self }
    }

    /// Are all of `other` set?
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

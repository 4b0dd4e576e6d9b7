//! SRTP and SRTCP: RFC 3711 (AES counter mode, HMAC-SHA1), RFC 6188 (AES-256) and RFC 7714 (AES-GCM). Packet formats and
//! rules are ours, the ciphers the RustCrypto crates'. Keys come from the SDP or from MIKEY: [`sdes`], [`mikey`].
//!
//! [`Unprotect`] copies each packet once, into a buffer of its own, and decrypts it there.

mod keys;
pub mod mikey;
mod protect;
mod reseal;
pub mod sdes;
mod unprotect;
mod window;

use alloc::vec::Vec;
use core::fmt;

use thiserror::Error;

use crate::fault::{Blame, Code, Fault, Offset};

pub use protect::Protect;
pub(crate) use reseal::Reseal;
pub use unprotect::Unprotect;

/// Sources that one key serves, at most; RFC 3711 §9.1 wants them known beforehand, and cameras have one or two.
const MOST_SOURCES: usize = 8;
/// Master keys that may be in use at once, told apart by their identifiers.
const MOST_MASTERS: usize = 8;
/// Bytes of a master key identifier; RFC 3830 allows 255, RFC 4568 128.
const MOST_MKI: usize = 128;
/// Bytes of E flag and index behind an SRTCP payload, RFC 3711 §3.4.
const INDEX: usize = 4;

/// A cipher, an authentication and the lengths that go with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// AES-128 in counter mode, HMAC-SHA1 with a tag of 80 bits: what every device has.
    AesCm128Sha1Tag80,
    /// The same with 32 bits, of RTP alone.
    AesCm128Sha1Tag32,
    /// AES-256 in counter mode, RFC 6188.
    AesCm256Sha1Tag80,
    /// The same with 32 bits, of RTP alone.
    AesCm256Sha1Tag32,
    /// AES-128-GCM, RFC 7714; what ONVIF asks for since 2024.
    AesGcm128,
    /// AES-256-GCM, RFC 7714.
    AesGcm256,
}

impl Suite {
    /// Every suite, the strongest first.
    pub const ALL: [Self; 6] = [
        Self::AesGcm256,
        Self::AesGcm128,
        Self::AesCm256Sha1Tag80,
        Self::AesCm128Sha1Tag80,
        Self::AesCm256Sha1Tag32,
        Self::AesCm128Sha1Tag32,
    ];

    /// Its name in `a=crypto`, RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §14.2.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128Sha1Tag80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128Sha1Tag32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AesCm256Sha1Tag80 => "AES_256_CM_HMAC_SHA1_80",
            Self::AesCm256Sha1Tag32 => "AES_256_CM_HMAC_SHA1_32",
            Self::AesGcm128 => "AEAD_AES_128_GCM",
            Self::AesGcm256 => "AEAD_AES_256_GCM",
        }
    }

    /// By its name in `a=crypto`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// Bytes of the master key.
    #[must_use]
    pub const fn key_length(self) -> usize {
        match self {
            Self::AesCm128Sha1Tag80 | Self::AesCm128Sha1Tag32 | Self::AesGcm128 => 16,
            Self::AesCm256Sha1Tag80 | Self::AesCm256Sha1Tag32 | Self::AesGcm256 => 32,
        }
    }

    /// Bytes of the master salt.
    #[must_use]
    pub const fn salt_length(self) -> usize {
        if self.is_gcm() { 12 } else { 14 }
    }

    const fn is_gcm(self) -> bool {
        matches!(self, Self::AesGcm128 | Self::AesGcm256)
    }

    /// Bytes of the tag of RTP; RFC 3711 §5.2, RFC 7714 §13.
    const fn rtp_tag(self) -> usize {
        match self {
            Self::AesCm128Sha1Tag80 | Self::AesCm256Sha1Tag80 => 10,
            Self::AesCm128Sha1Tag32 | Self::AesCm256Sha1Tag32 => 4,
            Self::AesGcm128 | Self::AesGcm256 => 16,
        }
    }

    /// Bytes of the tag of RTCP, which RFC 4568 §6.2.2 leaves at 80 bits.
    const fn rtcp_tag(self) -> usize {
        if self.is_gcm() { 16 } else { 10 }
    }
}

/// A master key with its salt. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Master {
    suite: Suite,
    key: Vec<u8>,
    salt: Vec<u8>,
    mki: Vec<u8>,
}

impl Master {
    /// Of a suite, from key and salt in one piece, as SDES and GStreamer's MIKEY have them.
    ///
    /// # Errors
    /// `KeyLength`.
    pub fn new(suite: Suite, key_and_salt: &[u8]) -> Result<Self, Error> {
        let fits = key_and_salt.len() == suite.key_length() + suite.salt_length();
        let (key, salt) = key_and_salt
            .split_at_checked(suite.key_length())
            .filter(|_| fits)
            .ok_or(Error::at(Kind::KeyLength, key_and_salt.len()))?;
        Ok(Self { suite, key: key.to_vec(), salt: salt.to_vec(), mki: Vec::new() })
    }

    /// With an identifier that each packet carries, RFC 3711 §3.1.
    ///
    /// # Errors
    /// `KeyLength`: more than 128 bytes.
    pub fn with_mki(mut self, mki: &[u8]) -> Result<Self, Error> {
        if mki.len() > MOST_MKI {
            return Err(Error::at(Kind::KeyLength, mki.len()));
        }
        self.mki = mki.to_vec();
        Ok(self)
    }

    /// The suite.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The identifier; empty where packets carry none.
    #[must_use]
    pub fn mki(&self) -> &[u8] {
        &self.mki
    }

    /// Key and salt in one piece: a secret.
    fn key_and_salt(&self) -> Vec<u8> {
        [self.key.as_slice(), self.salt.as_slice()].concat()
    }
}

impl fmt::Debug for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Master").field("suite", &self.suite).field("mki", &self.mki).finish_non_exhaustive()
    }
}

/// Why a packet was not taken, or key material cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind}, at {at}")]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Where in the packet or message.
    pub at: Offset,
}

/// The kinds of [`Error`](struct@Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Kind {
    /// The packet ends before its tag.
    #[error("too short for an SRTP or SRTCP packet")]
    TooShort,
    /// Not encrypted with this key, or changed on the way.
    #[error("the authentication tag is wrong")]
    Tag,
    /// Received before, or too old to tell (RFC 3711 §3.3.2).
    #[error("an SRTP packet that was received before")]
    Replayed,
    /// Its master key identifier names no key.
    #[error("the packet names a master key that is not known")]
    UnknownKey,
    /// More sources than a key serves.
    #[error("too many sources under one SRTP key")]
    TooManySources,
    /// A key has encrypted as many packets as it may (RFC 3711 §9.2): it must be changed.
    #[error("the SRTP key is used up")]
    UsedUp,
    /// Key and salt are not as long as the suite wants them.
    #[error("an SRTP key of the wrong length")]
    KeyLength,
    /// A suite, cipher or derivation that is not known here.
    #[error("an SRTP suite that is not supported")]
    UnsupportedSuite,
    /// `a=crypto` that RFC 4568 does not allow.
    #[error("a crypto attribute that cannot be read")]
    Sdes,
    /// A MIKEY message that RFC 3830 does not allow.
    #[error("a MIKEY message that cannot be read")]
    Mikey,
    /// MIKEY with a pre-shared, public-key or Diffie-Hellman encrypted key: nobody gave us the other half.
    #[error("a MIKEY message whose key is encrypted")]
    EncryptedKey,
}

impl Error {
    const fn at(kind: Kind, at: usize) -> Self {
        Self { kind, at: Offset(at as u64) }
    }
}

impl Fault for Kind {
    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn code(&self) -> Code {
        Code(match self {
            Self::TooShort => 270,
            Self::Tag => 271,
            Self::Replayed => 272,
            Self::UnknownKey => 273,
            Self::TooManySources => 274,
            Self::UsedUp => 275,
            Self::KeyLength => 276,
            Self::UnsupportedSuite => 277,
            Self::Sdes => 278,
            Self::Mikey => 279,
            Self::EncryptedKey => 280,
        })
    }
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        self.kind.blame()
    }

    fn code(&self) -> Code {
        self.kind.code()
    }
}

/// Bytes of an RTP packet's header with CSRC list and extension, none of which is encrypted.
fn rtp_header(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    let csrc = super::HEADER + usize::from(first & 0x0f) * 4;
    let mut header = csrc;
    if first & 0x10 != 0 {
        let length = packet.get(csrc + 2..csrc + 4)?;
        header += 4 + usize::from(u16::from_be_bytes(length.try_into().ok()?)) * 4;
    }
    (first >> 6 == 2 && header <= packet.len()).then_some(header)
}

/// 16 bits of the sequence number and the 32 bits of the source.
fn rtp_identity(packet: &[u8]) -> Option<(u16, u32)> {
    let sequence = packet.get(2..4)?.try_into().ok()?;
    let ssrc = packet.get(8..12)?.try_into().ok()?;
    Some((u16::from_be_bytes(sequence), u32::from_be_bytes(ssrc)))
}

#[cfg(test)]
mod tests;

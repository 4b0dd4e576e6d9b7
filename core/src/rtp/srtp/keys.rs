//! Session keys from a master key, RFC 3711 §4.3, and what is done with them.

use aes::cipher::{KeyIvInit as _, StreamCipher as _};
use aes::{Aes128, Aes256};
use aes_gcm::aead::{AeadInPlace as _, KeyInit as _};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use alloc::boxed::Box;
use ctr::Ctr128BE;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::{Error, Kind, Master, Suite};

type HmacSha1 = Hmac<Sha1>;

/// Labels of RFC 3711 §4.3.2, those of SRTCP three above.
const CIPHER: u8 = 0;
const AUTHENTICATION: u8 = 1;
const SALT: u8 = 2;

/// Of RTP or of RTCP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Rtp,
    Rtcp,
}

/// The keys of one direction and one of RTP and RTCP.
#[derive(Clone)]
pub(super) struct SessionKeys {
    cipher: Cipher,
    /// 14 bytes in counter mode, 12 in GCM; zeros behind.
    salt: [u8; 14],
}

#[derive(Clone)]
enum Cipher {
    Counter128([u8; 16], HmacSha1),
    Counter256([u8; 32], HmacSha1),
    Gcm128(Box<Aes128Gcm>),
    Gcm256(Box<Aes256Gcm>),
}

impl SessionKeys {
    pub(super) fn derive(master: &Master, side: Side) -> Result<Self, Error> {
        let label = |label: u8| label + if side == Side::Rtcp { 3 } else { 0 };
        let mut salt = [0; 14];
        let length = master.suite.salt_length();
        derive(master, label(SALT), salt.get_mut(..length).unwrap_or_default())?;
        let hmac = || {
            let mut key = [0; 20];
            derive(master, label(AUTHENTICATION), &mut key)?;
            <HmacSha1 as Mac>::new_from_slice(&key).map_err(|_| Error::at(Kind::KeyLength, 0))
        };
        let (mut short, mut long) = ([0; 16], [0; 32]);
        let cipher = match master.suite {
            Suite::AesCm128Sha1Tag80 | Suite::AesCm128Sha1Tag32 => {
                derive(master, label(CIPHER), &mut short)?;
                Cipher::Counter128(short, hmac()?)
            }
            Suite::AesCm256Sha1Tag80 | Suite::AesCm256Sha1Tag32 => {
                derive(master, label(CIPHER), &mut long)?;
                Cipher::Counter256(long, hmac()?)
            }
            Suite::AesGcm128 => {
                derive(master, label(CIPHER), &mut short)?;
                Cipher::Gcm128(Box::new(Aes128Gcm::new(&short.into())))
            }
            Suite::AesGcm256 => {
                derive(master, label(CIPHER), &mut long)?;
                Cipher::Gcm256(Box::new(Aes256Gcm::new(&long.into())))
            }
        };
        Ok(Self { cipher, salt })
    }

    /// Encrypts or decrypts in counter mode; RFC 3711 §4.1.1: `IV = (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16)`.
    /// In GCM nothing.
    pub(super) fn counter_mode(&self, ssrc: u32, index: u64, bytes: &mut [u8]) {
        let mut iv = [0; 16];
        for (to, from) in iv.iter_mut().zip(self.salt) {
            *to = from;
        }
        for (to, from) in iv.iter_mut().skip(4).zip(ssrc.to_be_bytes()) {
            *to ^= from;
        }
        for (to, from) in iv.iter_mut().skip(8).zip(index.to_be_bytes().into_iter().skip(2)) {
            *to ^= from;
        }
        match &self.cipher {
            Cipher::Counter128(key, _) => {
                Ctr128BE::<Aes128>::new(&(*key).into(), &iv.into()).apply_keystream(bytes)
            }
            Cipher::Counter256(key, _) => {
                Ctr128BE::<Aes256>::new(&(*key).into(), &iv.into()).apply_keystream(bytes)
            }
            Cipher::Gcm128(_) | Cipher::Gcm256(_) => {}
        }
    }

    /// HMAC-SHA1 of two pieces; in GCM zeros, which are never used.
    pub(super) fn hmac(&self, message: &[u8], more: &[u8]) -> [u8; 20] {
        match &self.cipher {
            Cipher::Counter128(_, hmac) | Cipher::Counter256(_, hmac) => {
                let mut hmac = hmac.clone();
                hmac.update(message);
                hmac.update(more);
                hmac.finalize().into_bytes().into()
            }
            Cipher::Gcm128(_) | Cipher::Gcm256(_) => [0; 20],
        }
    }

    /// Is `tag` the start of the HMAC? In a time that does not depend on where they differ.
    pub(super) fn is_tag(&self, message: &[u8], more: &[u8], tag: &[u8]) -> bool {
        match &self.cipher {
            Cipher::Counter128(_, hmac) | Cipher::Counter256(_, hmac) => {
                let mut hmac = hmac.clone();
                hmac.update(message);
                hmac.update(more);
                hmac.verify_truncated_left(tag).is_ok()
            }
            Cipher::Gcm128(_) | Cipher::Gcm256(_) => false,
        }
    }

    /// The nonce of GCM, RFC 7714 §8.1 and §9.1: two zero bytes, SSRC, 48 bits of index, the salt over them.
    fn nonce(&self, ssrc: u32, index: u64) -> [u8; 12] {
        let mut nonce = [0; 12];
        for (to, from) in nonce.iter_mut().skip(2).zip(ssrc.to_be_bytes()) {
            *to = from;
        }
        for (to, from) in nonce.iter_mut().skip(6).zip(index.to_be_bytes().into_iter().skip(2)) {
            *to = from;
        }
        for (to, from) in nonce.iter_mut().zip(self.salt) {
            *to ^= from;
        }
        nonce
    }

    /// Encrypts by GCM and gives the tag; `None` in counter mode.
    pub(super) fn seal(
        &self,
        ssrc: u32,
        index: u64,
        associated: &[u8],
        bytes: &mut [u8],
    ) -> Option<[u8; 16]> {
        let nonce = self.nonce(ssrc, index).into();
        match &self.cipher {
            Cipher::Gcm128(gcm) => {
                gcm.encrypt_in_place_detached(&nonce, associated, bytes).ok().map(Into::into)
            }
            Cipher::Gcm256(gcm) => {
                gcm.encrypt_in_place_detached(&nonce, associated, bytes).ok().map(Into::into)
            }
            Cipher::Counter128(..) | Cipher::Counter256(..) => None,
        }
    }

    /// Decrypts by GCM; false where the tag is wrong, and in counter mode.
    pub(super) fn open(
        &self,
        ssrc: u32,
        index: u64,
        associated: &[u8],
        bytes: &mut [u8],
        tag: &[u8; 16],
    ) -> bool {
        let nonce = self.nonce(ssrc, index).into();
        let tag = tag.into();
        match &self.cipher {
            Cipher::Gcm128(gcm) => gcm.decrypt_in_place_detached(&nonce, associated, bytes, tag).is_ok(),
            Cipher::Gcm256(gcm) => gcm.decrypt_in_place_detached(&nonce, associated, bytes, tag).is_ok(),
            Cipher::Counter128(..) | Cipher::Counter256(..) => false,
        }
    }
}

/// RFC 3711 §4.3.1 with a key derivation rate of 0: the keystream of AES in counter mode from `(salt XOR label * 2^48) * 2^16`.
/// A salt of 96 bits counts as followed by zeros (RFC 7714 §11).
pub(super) fn derive(master: &Master, label: u8, out: &mut [u8]) -> Result<(), Error> {
    let mut iv = [0; 16];
    for (to, from) in iv.iter_mut().zip(&master.salt) {
        *to = *from;
    }
    iv[7] ^= label;
    let error = Error::at(Kind::KeyLength, master.key.len());
    match master.key.len() {
        16 => {
            let key: [u8; 16] = master.key.as_slice().try_into().map_err(|_| error)?;
            Ctr128BE::<Aes128>::new(&key.into(), &iv.into()).apply_keystream(out);
        }
        32 => {
            let key: [u8; 32] = master.key.as_slice().try_into().map_err(|_| error)?;
            Ctr128BE::<Aes256>::new(&key.into(), &iv.into()).apply_keystream(out);
        }
        _ => return Err(error),
    }
    Ok(())
}

//! Keys in a MIKEY message, RFC 3830, as RTSP carries it (RFC 4567): `a=key-mgmt:mikey <base64>` in the description, or
//! the `KeyMgmt` field of SETUP. The key inside is in clear text, as everybody sends it: TLS is what protects it.

use alloc::vec::Vec;

use super::{Error, Kind, Master, Suite};
use crate::octets::{Reader, Write as _};

/// Payload types, RFC 3830 §6.1.
const LAST: u8 = 0;
const KEMAC: u8 = 1;
const TIMESTAMP: u8 = 5;
const IDENTITY: u8 = 6;
const POLICY: u8 = 10;
const RANDOM: u8 = 11;
const EXTENSION: u8 = 21;
/// Streams that one message may name.
const MOST_STREAMS: usize = 16;
/// Payloads of one message.
const MOST_PAYLOADS: usize = 32;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The key, with its suite and identifier.
    pub master: Master,
    /// The sources that it is for: SSRC (0: any) and roll-over counter.
    pub streams: Vec<(u32, u32)>,
}

/// The parameters of an SRTP policy, RFC 3830 §6.10.1, RFC 7714 §14.3; the defaults where they are absent.
#[derive(Clone, Copy)]
struct Policy {
    cipher: u8,
    key: u8,
    authentication: u8,
    tag: u8,
    derivation_rate: u8,
    plain: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { cipher: 1, key: 16, authentication: 1, tag: 10, derivation_rate: 0, plain: false }
    }
}

impl Policy {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut policy = Self::default();
        let mut r = Reader::new(bytes);
        while let Some(kind) = r.u8() {
            let length = usize::from(r.u8()?);
            // All parameters are numbers; most senders use one byte, some two.
            let value = r.take(length)?.iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
            let value = u8::try_from(value).unwrap_or(u8::MAX);
            match kind {
                0 => policy.cipher = value,
                1 => policy.key = value,
                2 => policy.authentication = value,
                6 => policy.derivation_rate = value,
                7 | 8 | 10 if value == 0 => policy.plain = true,
                11 => policy.tag = value,
                _ => {}
            }
        }
        Some(policy)
    }

    fn suite(self) -> Option<Suite> {
        if self.derivation_rate != 0 || self.plain && self.cipher != 6 {
            return None;
        }
        match (self.cipher, self.key, self.authentication, self.tag) {
            (1, 16, 1, 10) => Some(Suite::AesCm128Sha1Tag80),
            (1, 16, 1, 4) => Some(Suite::AesCm128Sha1Tag32),
            (1, 32, 1, 10) => Some(Suite::AesCm256Sha1Tag80),
            (1, 32, 1, 4) => Some(Suite::AesCm256Sha1Tag32),
            (6, 16, _, _) => Some(Suite::AesGcm128),
            (6, 32, _, _) => Some(Suite::AesGcm256),
            _ => None,
        }
    }

    /// `(parameter, value)` of a suite.
    fn of(suite: Suite) -> [(u8, u8); 9] {
        let (cipher, authentication) = if suite.is_gcm() { (6, 0) } else { (1, 1) };
        let hmac = if suite.is_gcm() { 0 } else { 20 };
        [
            (0, cipher),
            (1, suite.key_length() as u8),
            (2, authentication),
            (3, hmac),
            (4, suite.salt_length() as u8),
            (7, 1),
            (8, 1),
            (10, u8::from(!suite.is_gcm())),
            if suite.is_gcm() { (20, 16) } else { (11, suite.rtp_tag() as u8) },
        ]
    }
}

impl Message {
    /// A message of our own.
    #[must_use]
    pub fn new(master: Master, streams: &[(u32, u32)]) -> Self {
        Self { master, streams: streams.iter().copied().take(MOST_STREAMS).collect() }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// `Mikey`, `EncryptedKey`, `UnsupportedSuite`, `KeyLength`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut r = Reader::new(bytes);
        let (streams, mut next) = header(&mut r).ok_or(bad(&r))?;
        let (mut policies, mut key) = (Vec::new(), None);
        for _ in 0..MOST_PAYLOADS {
            if next == LAST {
                break;
            }
            let kind = next;
            next = r.u8().ok_or(bad(&r))?;
            match kind {
                KEMAC => key = Some(kemac(&mut r)?),
                POLICY => policies.push(policy(&mut r).ok_or(bad(&r))?),
                _ => skip(&mut r, kind).ok_or(bad(&r))?,
            }
        }
        let key = key.ok_or(bad(&r))?;
        // The first stream's policy; the first one where none is named; the defaults where there is none.
        let named = streams.first().map(|stream| stream.0);
        let policy = policies.iter().find(|(number, _)| Some(*number) == named).or(policies.first());
        let suite = policy.map_or(Policy::default(), |(_, policy)| *policy).suite();
        let suite = suite.ok_or(Error::at(Kind::UnsupportedSuite, 0))?;
        let mut master = Master::new(suite, &key.0)?;
        if !key.1.is_empty() {
            master = master.with_mki(&key.1)?;
        }
        Ok(Self { master, streams: streams.into_iter().map(|(_, ssrc, round)| (ssrc, round)).collect() })
    }

    /// Writes the message: a secret. `ntp` is the time, `random` unpredictable.
    #[must_use]
    pub fn to_bytes(&self, ntp: u64, random: [u8; 16]) -> Vec<u8> {
        let mut out = Vec::new();
        // Version 1, pre-shared key, no verification wanted, PRF MIKEY-1, the bundle's identifier.
        out.put(&[1, 0, TIMESTAMP, 0]);
        out.put(random.get(..4).unwrap_or_default());
        out.put(&[self.streams.len() as u8, 0]);
        for (ssrc, round) in &self.streams {
            out.put_u8(0);
            out.put_u32(*ssrc);
            out.put_u32(*round);
        }
        out.put(&[RANDOM, 0]);
        out.put_u64(ntp);
        out.put(&[POLICY, 16]);
        out.put(&random);
        let parameters = Policy::of(self.master.suite);
        out.put(&[KEMAC, 0, 0]);
        out.put_u16(parameters.len() as u16 * 3);
        for (kind, value) in parameters {
            out.put(&[kind, 1, value]);
        }
        let key = self.master.key_and_salt();
        let mki = &self.master.mki;
        let data = 4 + key.len() + if mki.is_empty() { 0 } else { 1 + mki.len() };
        out.put(&[LAST, 0]);
        out.put_u16(data as u16);
        out.put(&[LAST, 2 << 4 | u8::from(!mki.is_empty())]);
        out.put_u16(key.len() as u16);
        out.put(&key);
        if !mki.is_empty() {
            out.put_u8(mki.len() as u8);
            out.put(mki);
        }
        out.put_u8(0);
        out
    }
}

/// Sets keys and salts of a message to zero; the rest stays as it is. False where there are none to be found.
pub(crate) fn erase_keys(bytes: &mut [u8]) -> bool {
    let mut keys = Vec::new();
    let read = find_keys(bytes, &mut keys).is_some();
    let found = read && !keys.is_empty();
    for range in keys {
        bytes.get_mut(range).unwrap_or_default().fill(0);
    }
    found
}

/// Where keys and salts stand; of encrypted ones, all that is encrypted.
fn find_keys(bytes: &[u8], found: &mut Vec<core::ops::Range<usize>>) -> Option<()> {
    let mut r = Reader::new(bytes);
    let (_, mut next) = header(&mut r)?;
    for _ in 0..MOST_PAYLOADS {
        let kind = next;
        if kind == LAST {
            return Some(());
        }
        next = r.u8()?;
        match kind {
            KEMAC => {
                let cipher = r.u8()?;
                let length = usize::from(r.u16()?);
                let at = bytes.len() - r.left();
                let data = r.take(length)?;
                let mac = r.u8()?;
                r.take(if mac == 0 { 0 } else { 20 })?;
                if cipher == 0 {
                    find_clear_keys(data, at, found)?;
                } else {
                    found.push(at..at + length);
                }
            }
            POLICY => {
                r.take(2)?;
                let length = usize::from(r.u16()?);
                r.take(length)?;
            }
            _ => skip(&mut r, kind)?,
        }
    }
    (next == LAST).then_some(())
}

/// The key data sub-payloads of a KEMAC that does not encrypt them, RFC 3830 §6.13; they start at `at`.
fn find_clear_keys(data: &[u8], at: usize, found: &mut Vec<core::ops::Range<usize>>) -> Option<()> {
    let mut r = Reader::new(data);
    loop {
        let (next, kind, key) = (r.u8()?, r.u8()?, usize::from(r.u16()?));
        let mut secret = |length: usize, r: &mut Reader<'_>| {
            let start = at + data.len() - r.left();
            found.push(start..start + length);
            r.take(length).map(|_| ())
        };
        secret(key, &mut r)?;
        if matches!(kind >> 4, 1 | 3) {
            let salt = usize::from(r.u16()?);
            secret(salt, &mut r)?;
        }
        // How long it is valid: not at all, an SPI or MKI, or from and to.
        for _ in 0..kind & 0x0f {
            let length = usize::from(r.u8()?);
            r.take(length)?;
        }
        if next == LAST {
            return Some(());
        }
    }
}

fn bad(r: &Reader<'_>) -> Error {
    Error::at(Kind::Mikey, r.offset())
}

/// A stream: number of its policy, SSRC, roll-over counter.
type Stream = (u8, u32, u32);

/// RFC 3830 §6.1: the streams, and the type of the first payload.
fn header(r: &mut Reader<'_>) -> Option<(Vec<Stream>, u8)> {
    let (version, _kind, next) = (r.u8()?, r.u8()?, r.u8()?);
    let _prf = r.u8()?;
    let _bundle = r.u32()?;
    let (count, map) = (usize::from(r.u8()?), r.u8()?);
    // 0: the SRTP map.
    if version != 1 || map != 0 || count > MOST_STREAMS {
        return None;
    }
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push((r.u8()?, r.u32()?, r.u32()?));
    }
    Some((streams, next))
}

/// RFC 3830 §6.10, after its first byte: number and parameters of an SRTP policy.
fn policy(r: &mut Reader<'_>) -> Option<(u8, Policy)> {
    let (number, protocol) = (r.u8()?, r.u8()?);
    let length = usize::from(r.u16()?);
    let parameters = r.take(length)?;
    (protocol == 0).then(|| Policy::read(parameters)).flatten().map(|policy| (number, policy))
}

/// RFC 3830 §6.2, after its first byte: key with salt, and its identifier.
fn kemac(r: &mut Reader<'_>) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let error = bad(r);
    let cipher = r.u8().ok_or(error)?;
    let length = usize::from(r.u16().ok_or(error)?);
    let data = r.take(length).ok_or(error)?;
    let mac = match r.u8().ok_or(error)? {
        0 => 0,
        _ => 20,
    };
    r.take(mac).ok_or(error)?;
    if cipher != 0 {
        return Err(Error { kind: Kind::EncryptedKey, ..error });
    }
    key_data(data).ok_or(error)?.ok_or(Error { kind: Kind::UnsupportedSuite, ..error })
}

/// RFC 3830 §6.13. `Some(None)`: a generating key, from which others are derived, which nobody sends over RTSP.
fn key_data(data: &[u8]) -> Option<Option<(Vec<u8>, Vec<u8>)>> {
    let mut r = Reader::new(data);
    let _next = r.u8()?;
    let kind = r.u8()?;
    let length = usize::from(r.u16()?);
    let mut key = r.take(length)?.to_vec();
    // The salt apart: 1 and 3; in one piece with the key: GStreamer.
    if matches!(kind >> 4, 1 | 3) {
        let length = usize::from(r.u16()?);
        key.extend_from_slice(r.take(length)?);
    }
    let mki = match kind & 0x0f {
        1 => {
            let length = usize::from(r.u8()?);
            r.take(length)?.to_vec()
        }
        _ => Vec::new(),
    };
    Some(matches!(kind >> 4, 2 | 3).then_some((key, mki)))
}

/// Steps over a payload whose first byte was read.
fn skip(r: &mut Reader<'_>, kind: u8) -> Option<()> {
    let length = match kind {
        TIMESTAMP => match r.u8()? {
            0 | 1 => 8,
            2 => 4,
            _ => return None,
        },
        RANDOM => usize::from(r.u8()?),
        IDENTITY | EXTENSION => {
            r.u8()?;
            usize::from(r.u16()?)
        }
        _ => return None,
    };
    r.take(length).map(|_| ())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            suite in prop::sample::select(Suite::ALL.to_vec()),
            key in prop::collection::vec(any::<u8>(), 46),
            mki in prop::collection::vec(any::<u8>(), 0..5),
            streams in prop::collection::vec(any::<(u32, u32)>(), 0..4),
            ntp in any::<u64>(),
            random in any::<[u8; 16]>(),
        ) {
            let master = Master::new(suite, &key[..suite.key_length() + suite.salt_length()]).unwrap();
            let message = Message::new(master.with_mki(&mki).unwrap(), &streams);
            let bytes = message.to_bytes(ntp, random);
            prop_assert_eq!(&Message::parse(&bytes).unwrap(), &message);
            for end in 0..bytes.len() {
                prop_assert!(Message::parse(&bytes[..end]).is_err());
            }
            let mut erased = bytes.clone();
            prop_assert!(erase_keys(&mut erased));
            let nothing = Master::new(suite, &[0; 46][..suite.key_length() + suite.salt_length()]).unwrap();
            let expected = Message { master: nothing.with_mki(&mki).unwrap(), ..message };
            prop_assert_eq!(Message::parse(&erased).unwrap(), expected);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::parse(&bytes);
            let _ = Message::parse(&[&[1, 0, 10, 0, 0, 0, 0, 0, 0, 0], &bytes[..]].concat());
        }
    }

    #[test]
    fn every_key_of_a_chain_is_erased() {
        let master = Master::new(Suite::AesCm128Sha1Tag80, &[7; 30]).unwrap();
        let bytes = Message::new(master, &[(1, 0)]).to_bytes(0, [0; 16]);
        // Its only key data again behind itself, with another key.
        let kemac = bytes.len() - (4 + 30 + 1 + 3);
        let length = usize::from(u16::from_be_bytes([bytes[kemac + 1], bytes[kemac + 2]]));
        let (mut first, mut second) =
            (bytes[kemac + 3..kemac + 3 + length].to_vec(), bytes[kemac + 3..kemac + 3 + length].to_vec());
        first[0] = 20;
        for byte in second.iter_mut().filter(|byte| **byte == 7) {
            *byte = 9;
        }
        let mut two = bytes[..kemac + 1].to_vec();
        two.extend(u16::try_from(2 * length).unwrap().to_be_bytes());
        two.extend([&first[..], &second, &bytes[kemac + 3 + length..]].concat());
        assert!(erase_keys(&mut two));
        assert!(!two.windows(4).any(|bytes| bytes == [7; 4] || bytes == [9; 4]), "{two:?}");
    }

    #[test]
    fn an_encrypted_key_is_told_from_damage() {
        let master = Master::new(Suite::AesCm128Sha1Tag80, &[7; 30]).unwrap();
        let mut bytes = Message::new(master, &[(1, 0)]).to_bytes(0, [0; 16]);
        let kemac = bytes.len() - (4 + 30 + 1 + 3);
        assert_eq!(bytes[kemac], 0);
        bytes[kemac] = 1;
        assert_eq!(Message::parse(&bytes).unwrap_err().kind, Kind::EncryptedKey);
    }
}

//! Keys in a session description, RFC 4568: `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:…`. The description must have come
//! over TLS, or the key is everybody's.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Error, Kind, Master, Suite};

/// One `a=crypto` attribute. `Debug` shows no key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Crypto {
    /// What an answer refers to.
    pub tag: u32,
    /// The key.
    pub master: Master,
}

impl Crypto {
    /// Reads the attribute's value, what stands behind `crypto:`. Of several keys the first is taken; its lifetime is left to
    /// the sender.
    ///
    /// # Errors
    /// `Sdes`, `UnsupportedSuite`, `KeyLength`.
    pub fn parse(value: &str) -> Result<Self, Error> {
        let bad = Error::at(Kind::Sdes, 0);
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().and_then(|tag| tag.parse().ok()).ok_or(bad)?;
        let suite = words.next().ok_or(bad)?;
        let suite = Suite::from_name(suite).ok_or(Error::at(Kind::UnsupportedSuite, 0))?;
        let keys = words.next().ok_or(bad)?;
        // RFC 4568 §6.3: these change the bytes on the wire. WSH, KDR 0 and FEC do not.
        let changing = ["UNENCRYPTED_SRTP", "UNENCRYPTED_SRTCP", "UNAUTHENTICATED_SRTP"];
        if words.any(|word| changing.iter().any(|changing| word.eq_ignore_ascii_case(changing))) {
            return Err(Error::at(Kind::UnsupportedSuite, 0));
        }
        let inline = keys.split(';').next().and_then(|key| key.strip_prefix("inline:")).ok_or(bad)?;
        let mut parts = inline.split('|');
        let key = parts.next().and_then(|key| STANDARD.decode(key).ok()).ok_or(bad)?;
        let mut master = Master::new(suite, &key)?;
        // `|lifetime`, `|MKI:length`, or both in this order.
        if let Some((value, length)) = parts.filter_map(|part| part.split_once(':')).next() {
            let (value, length) = (value.parse::<u64>().ok(), length.parse::<usize>().ok());
            master = master.with_mki(&mki(value.ok_or(bad)?, length.ok_or(bad)?)?)?;
        }
        Ok(Self { tag, master })
    }

    /// The attribute's value: a secret, for a description that travels over TLS.
    #[must_use]
    pub fn to_value(&self) -> String {
        let key = STANDARD.encode(self.master.key_and_salt());
        let mut value = alloc::format!("{} {} inline:{key}", self.tag, self.master.suite.name());
        if !self.master.mki.is_empty() {
            let name = self.master.mki.iter().fold(0_u64, |name, byte| name << 8 | u64::from(*byte));
            let _ = fmt::Write::write_fmt(&mut value, format_args!("|{name}:{}", self.master.mki.len()));
        }
        value
    }
}

/// A number in so many bytes.
fn mki(value: u64, length: usize) -> Result<Vec<u8>, Error> {
    if length == 0 || length > super::MOST_MKI {
        return Err(Error::at(Kind::Sdes, 0));
    }
    let bytes = value.to_be_bytes();
    let mut name = alloc::vec![0; length.saturating_sub(bytes.len())];
    name.extend_from_slice(bytes.get(bytes.len().saturating_sub(length)..).unwrap_or_default());
    Ok(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_attribute_is_read_and_written() {
        // RFC 4568 §6.1.
        let text = "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4 FEC_ORDER=FEC_SRTP";
        let crypto = Crypto::parse(text).unwrap();
        assert_eq!((crypto.tag, crypto.master.suite()), (1, Suite::AesCm128Sha1Tag80));
        assert_eq!(crypto.master.mki(), [0, 0, 0, 1]);
        assert_eq!(crypto.master.key_and_salt(), b"wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#");
        assert_eq!(Crypto::parse(&crypto.to_value()).unwrap(), crypto);
        assert!(!alloc::format!("{crypto:?}").contains("d0Rm"));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let kind = |text| Crypto::parse(text).unwrap_err().kind;
        assert_eq!(kind(""), Kind::Sdes);
        assert_eq!(kind("1 F8_128_HMAC_SHA1_80 inline:AAAA"), Kind::UnsupportedSuite);
        assert_eq!(kind("1 AES_CM_128_HMAC_SHA1_80 inline:AAAA"), Kind::KeyLength);
        assert_eq!(kind("1 AES_CM_128_HMAC_SHA1_80 uri:x"), Kind::Sdes);
        let plain =
            "2 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj UNENCRYPTED_SRTCP";
        assert_eq!(kind(plain), Kind::UnsupportedSuite);
    }
}

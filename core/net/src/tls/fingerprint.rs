//! The SHA-256 of a certificate.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

use crate::error::{Error, Kind};

/// The SHA-256 of a certificate as it is sent (DER). Not a secret.
///
/// ```
/// use vigie_net::Fingerprint;
/// let text = "0B:41:9C:47:F0:9D:1E:0E:57:4B:7E:6C:6B:8D:40:53:4E:B4:9A:AE:8F:5D:22:F3:33:4F:79:90:8B:2A:5C:01";
/// let fingerprint: Fingerprint = text.parse()?;
/// assert_eq!(fingerprint.to_string(), text);
/// assert_eq!(text.replace(':', "").to_lowercase().parse(), Ok(fingerprint));
/// # Ok::<(), vigie_net::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Of a certificate in DER.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        Self(sha2::Sha256::digest(certificate).into())
    }
}

/// 64 hexadecimal digits, with or without colons, as `openssl x509 -fingerprint -sha256` prints them.
impl FromStr for Fingerprint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        // OpenSSL writes "sha256 Fingerprint=" in front; others "SHA256:".
        let text = text.rsplit('=').next().unwrap_or_default();
        let text = match text.get(..7) {
            Some(name) if name.eq_ignore_ascii_case("sha256:") => text.get(7..).unwrap_or_default(),
            _ => text,
        };
        let mut digits = text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16));
        let mut out = [0; 32];
        for byte in &mut out {
            let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
                return Err(Kind::NotAFingerprint.into());
            };
            *byte = (high << 4 | low) as u8;
        }
        if digits.next().is_some() {
            return Err(Kind::NotAFingerprint.into());
        }
        Ok(Self(out))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            let colon = if i == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sixty_four_digits_are_a_fingerprint() {
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for text in [
            of_nothing.to_owned(),
            format!("SHA256:{of_nothing}"),
            format!("sha256 Fingerprint={of_nothing}"),
        ] {
            assert_eq!(text.parse(), Ok(Fingerprint::of(b"")), "{text}");
        }
        for text in [
            "",
            "sha256:",
            "é3b0c4",
            &of_nothing[1..],
            &format!("{of_nothing}0"),
            &format!("g{}", &of_nothing[1..]),
        ] {
            assert_eq!(text.parse::<Fingerprint>().map_err(|e| e.kind), Err(Kind::NotAFingerprint), "{text}");
        }
    }
}

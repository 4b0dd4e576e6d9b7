//! The secret of one start of the centre: whoever has it may see, whoever has not gets nothing.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// 128 random bits as 32 hexadecimal digits. Printed once, in the fragment of the page's address (a browser sends a
/// fragment to nobody); after that it travels in `Authorization: Bearer` only.
pub(crate) struct Token([u8; 32]);

impl Token {
    /// A new one from the operating system's entropy.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(random) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        Ok(Self(digits))
    }

    /// Is `authorization` (the value of an `Authorization` header) `Bearer` with this token? Takes as long for a
    /// near miss as for nonsense.
    pub(crate) fn admits(&self, authorization: &str) -> bool {
        bearer(authorization).is_some_and(|token| self.equals(token.as_bytes()))
    }

    /// For the places that hand it out.
    pub(crate) fn reveal(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Puts it into a file that only this user can read.
    pub(crate) fn write(&self, file: &Path) -> io::Result<()> {
        match std::fs::remove_file(file) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        file.write_all(&self.0)
    }

    /// Its digits.
    pub(crate) const fn digits(&self) -> &[u8; 32] {
        &self.0
    }

    /// Takes as long for a near miss as for nonsense.
    pub(crate) fn equals(&self, other: &[u8]) -> bool {
        let Ok(other) = <&[u8; 32]>::try_from(other) else {
            return false;
        };
        let difference = self.0.iter().zip(other).fold(0, |all, (mine, theirs)| all | (mine ^ theirs));
        std::hint::black_box(difference) == 0
    }
}

/// The token of `Bearer <token>`, RFC 6750 §2.1.
pub(crate) fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}

/// Never shows the token.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

const fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn admits_itself_and_nothing_else() {
        let token = Token::new().unwrap();
        let right = token.reveal().to_owned();
        assert_eq!(right.len(), 32);
        for good in [format!("Bearer {right}"), format!("bearer  {right}"), format!(" BEARER {right} ")] {
            assert!(token.admits(&good), "{good}");
        }
        for end in 0..right.len() {
            assert!(!token.admits(&format!("Bearer {}", &right[..end])));
        }
        for bad in [right.clone(), format!("Basic {right}"), format!("Bearer {right}0"), "Bearer".into()] {
            assert!(!token.admits(&bad), "{bad}");
        }
        assert!(!Token::new().unwrap().admits(&format!("Bearer {right}")));
        assert_eq!(format!("{token:?}"), "Token(…)");
    }
}

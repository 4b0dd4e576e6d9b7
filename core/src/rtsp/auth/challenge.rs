//! `WWW-Authenticate`, RFC 7235 §4.1: one field may hold several challenges, and there may be several fields.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::Algorithm;
use crate::rtsp::headers::split_quoted;

/// A challenge that this library can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Challenge {
    /// RFC 7617.
    Basic {
        /// What the password is for.
        realm: String,
    },
    /// RFC 7616.
    Digest(DigestChallenge),
}

/// The parameters of a Digest challenge. Quoted values are kept as they stand between the quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DigestChallenge {
    /// What the password is for.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// Sent back as it is.
    pub opaque: Option<String>,
    /// The hash.
    pub algorithm: Algorithm,
    /// `algorithm` as written; TP-Link refuses an answer that names one where the challenge did not.
    pub algorithm_text: Option<String>,
    /// The `-sess` variant.
    pub session: bool,
    /// `qop` offers `auth`; without `qop` the answer is RFC 2069's.
    pub qop: bool,
    /// The password was right, the nonce is too old.
    pub stale: bool,
}

impl Challenge {
    /// Reads every answerable challenge of some `WWW-Authenticate` values, in order. Unknown schemes, unknown
    /// algorithms and `qop` without `auth` are skipped.
    pub fn parse_all<'a>(values: impl Iterator<Item = &'a str>) -> Vec<Self> {
        let mut challenges = Vec::new();
        for value in values {
            let mut open: Option<(&str, Vec<(&str, &str)>)> = None;
            for part in split_quoted(value, ',') {
                let (scheme, parameter) = split_scheme(part);
                if let Some(scheme) = scheme {
                    challenges.extend(open.take().and_then(|(scheme, parameters)| read(scheme, &parameters)));
                    open = Some((scheme, Vec::new()));
                }
                if let (Some((_, parameters)), Some((key, value))) = (&mut open, parameter.split_once('=')) {
                    parameters.push((key.trim(), unquote(value)));
                }
            }
            challenges.extend(open.and_then(|(scheme, parameters)| read(scheme, &parameters)));
        }
        challenges
    }

    /// Stronger is greater: Basic, then Digest by its hash, `qop` before none.
    #[must_use]
    pub const fn strength(&self) -> u8 {
        match self {
            Self::Basic { .. } => 0,
            Self::Digest(digest) => 2 + 2 * digest.algorithm as u8 + digest.qop as u8,
        }
    }
}

/// `Digest realm="x"` to (Digest, realm="x"); `nonce="y"` to (none, nonce="y").
fn split_scheme(part: &str) -> (Option<&str>, &str) {
    let word = part.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(part.len());
    let (first, rest) = part.split_at(word);
    let rest = rest.trim_start();
    if rest.starts_with('=') { (None, part) } else { (Some(first), rest) }
}

/// The value between the quotes, or without any (some cameras leave them out).
pub(super) fn unquote(value: &str) -> &str {
    let value = value.trim();
    let inner = value.strip_prefix('"').unwrap_or(value);
    inner.strip_suffix('"').unwrap_or(inner)
}

fn read(scheme: &str, parameters: &[(&str, &str)]) -> Option<Challenge> {
    let get = |name: &str| {
        parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    };
    let realm = get("realm").unwrap_or_default().to_owned();
    if scheme.eq_ignore_ascii_case("Basic") {
        return Some(Challenge::Basic { realm });
    }
    if !scheme.eq_ignore_ascii_case("Digest") {
        return None;
    }
    let algorithm_text = get("algorithm").filter(|text| !text.is_empty());
    let (name, session) = match algorithm_text {
        None => ("MD5", false),
        Some(text) if text.to_ascii_lowercase().ends_with("-sess") => (text.get(..text.len() - 5)?, true),
        Some(text) => (text, false),
    };
    let qop = match get("qop").map(str::trim).filter(|qop| !qop.is_empty()) {
        None => false,
        Some(offered) if offered.split([',', ' ']).any(|qop| qop.eq_ignore_ascii_case("auth")) => true,
        Some(_) => return None,
    };
    Some(Challenge::Digest(DigestChallenge {
        realm,
        nonce: get("nonce")?.to_owned(),
        opaque: get("opaque").map(str::to_owned),
        algorithm: Algorithm::parse(name)?,
        algorithm_text: algorithm_text.map(str::to_owned),
        session,
        qop,
        stale: get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
    }))
}

/// As a server writes it.
impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = match self {
            Self::Basic { realm } => return write!(f, "Basic realm=\"{realm}\""),
            Self::Digest(digest) => digest,
        };
        write!(f, "Digest realm=\"{}\", nonce=\"{}\"", digest.realm, digest.nonce)?;
        if let Some(opaque) = &digest.opaque {
            write!(f, ", opaque=\"{opaque}\"")?;
        }
        if let Some(algorithm) = &digest.algorithm_text {
            write!(f, ", algorithm={algorithm}")?;
        }
        if digest.qop {
            f.write_str(", qop=\"auth\"")?;
        }
        if digest.stale { f.write_str(", stale=TRUE") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use alloc::string::ToString as _;
    use alloc::vec;

    fn all(values: &[&str]) -> Vec<Challenge> {
        Challenge::parse_all(values.iter().copied())
    }

    fn digest(challenge: &Challenge) -> &DigestChallenge {
        match challenge {
            Challenge::Digest(digest) => digest,
            Challenge::Basic { .. } => panic!("not Digest"),
        }
    }

    #[test]
    fn several_in_one_field_and_in_several() {
        let one = "Digest realm=\"a, b\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth,auth-int\", \
                   Basic realm=\"a\", Digest realm=a,nonce=n2,stale=\"FALSE\"";
        let challenges =
            all(&[one, "NTLM", "Bearer realm=\"x\"", "Digest realm=\"z\", nonce=\"n\", algorithm=SHA-1"]);
        assert_eq!(challenges.len(), 3);
        let first = digest(&challenges[0]);
        assert_eq!((first.realm.as_str(), first.nonce.as_str()), ("a, b", "n1"));
        assert_eq!((first.algorithm, first.qop, first.session), (Algorithm::Sha256, true, false));
        assert_eq!(challenges[1], Challenge::Basic { realm: "a".into() });
        let last = digest(&challenges[2]);
        assert_eq!(
            (last.nonce.as_str(), last.algorithm, last.algorithm_text.as_deref()),
            ("n2", Algorithm::Md5, None)
        );
        assert!(!last.stale && !last.qop);
        let mut strengths: Vec<u8> = challenges.iter().map(Challenge::strength).collect();
        strengths.sort_unstable();
        assert_eq!(strengths, vec![0, 2, 5]);
    }

    #[test]
    fn odd_values() {
        assert_eq!(all(&["Digest realm=\"x\""]), []);
        assert_eq!(all(&["Digest realm=\"x\", nonce=\"n\", qop=\"auth-int\""]), []);
        assert_eq!(all(&["", ",,,", "=", "Digest", "\"", "Digest nonce"]), []);
        assert!(
            digest(&all(&["Digest realm=\"x\", nonce=\"n\", algorithm=\"md5-sess\", stale = true"])[0]).stale
        );
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = "Digest realm=\"r\", nonce=\"n\", opaque=\"o\", algorithm=SHA-512-256-sess, qop=\"auth\", stale=TRUE";
        assert_eq!(all(&[text])[0].to_string(), text);
        assert_eq!(all(&["Basic realm=\"r\""])[0].to_string(), "Basic realm=\"r\"");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_challenges_or_none(text in "(Digest |Basic )?\\PC*") {
            let _ = all(&[&text]);
        }
    }
}

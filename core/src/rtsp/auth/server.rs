//! The server's side: what to challenge with, and whether an answer is right.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::challenge::unquote;
use super::digest::{Parts, response};
use super::{Algorithm, Challenge, Credentials, DigestChallenge, Entropy, same_secret};
use crate::rtsp::Url;
use crate::rtsp::headers::split_quoted;
use crate::time::Micros;

/// What a server accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// The password in clear.
    Basic,
    /// RFC 7616 with `qop`; answers without it are accepted too, as older clients know no other.
    Digest(Algorithm),
    /// The same with `-sess`: the password's hash is mixed with both nonces.
    DigestSession(Algorithm),
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// It is right.
    Accepted,
    /// There is none.
    Missing,
    /// It is right for a nonce that is too old.
    Stale,
    /// It is wrong, or of a scheme that is not accepted.
    Wrong,
}

/// Guards one connection with one user's credentials.
pub struct Gate {
    credentials: Credentials,
    realm: String,
    schemes: Vec<Scheme>,
    entropy: Entropy,
    nonce: String,
    /// The nonce before, whose bearers are told that it is stale.
    old_nonce: Option<String>,
    issued: Micros,
    lifetime: u64,
    qop: bool,
}

impl Gate {
    /// With what is asked for, in order of preference, and a seed for the nonces. `lifetime` is that of a nonce in
    /// microseconds.
    #[must_use]
    pub fn new(
        credentials: Credentials,
        realm: &str,
        schemes: &[Scheme],
        seed: [u8; 32],
        lifetime: u64,
        now: Micros,
    ) -> Self {
        let mut entropy = Entropy::new(seed);
        let nonce = entropy.token();
        let realm = realm.replace(['"', '\\'], "");
        Self {
            credentials,
            realm,
            schemes: schemes.to_vec(),
            entropy,
            nonce,
            old_nonce: None,
            issued: now,
            lifetime,
            qop: true,
        }
    }

    /// Without `qop` in the challenges, as RFC 2069 has them.
    #[must_use]
    pub const fn without_qop(mut self) -> Self {
        self.qop = false;
        self
    }

    /// The `WWW-Authenticate` values for a 401.
    pub fn challenges(&mut self, stale: bool, now: Micros) -> Vec<String> {
        if now.since(self.issued) >= self.lifetime {
            self.renew(now);
        }
        let written = |scheme: &Scheme| {
            let (algorithm, session) = match *scheme {
                Scheme::Basic => return Challenge::Basic { realm: self.realm.clone() }.to_string(),
                Scheme::Digest(algorithm) => (algorithm, false),
                Scheme::DigestSession(algorithm) => (algorithm, true),
            };
            let suffix = if session { "-sess" } else { "" };
            Challenge::Digest(DigestChallenge {
                realm: self.realm.clone(),
                nonce: self.nonce.clone(),
                opaque: None,
                algorithm,
                algorithm_text: Some(alloc::format!("{}{suffix}", algorithm.name())),
                session,
                qop: self.qop,
                stale,
            })
            .to_string()
        };
        self.schemes.iter().map(written).collect()
    }

    fn renew(&mut self, now: Micros) {
        let fresh = self.entropy.token();
        self.old_nonce = Some(core::mem::replace(&mut self.nonce, fresh));
        self.issued = now;
    }

    /// Judges the `Authorization` value of a request with this method and URI.
    pub fn judge(&mut self, authorization: Option<&str>, method: &str, uri: &str, now: Micros) -> Verdict {
        if now.since(self.issued) >= self.lifetime {
            self.renew(now);
        }
        let Some((scheme, answer)) = authorization.and_then(|value| value.trim().split_once(' ')) else {
            return Verdict::Missing;
        };
        if scheme.eq_ignore_ascii_case("Basic") {
            self.judge_basic(answer.trim())
        } else if scheme.eq_ignore_ascii_case("Digest") {
            self.judge_digest(answer, method, uri)
        } else {
            Verdict::Wrong
        }
    }

    fn judge_basic(&self, answer: &str) -> Verdict {
        let given = STANDARD.decode(answer).unwrap_or_default();
        let right = alloc::format!("{}:{}", self.credentials.username, self.credentials.password);
        let accepted = self.schemes.contains(&Scheme::Basic) && same_secret(&given, right.as_bytes());
        if accepted { Verdict::Accepted } else { Verdict::Wrong }
    }

    fn judge_digest(&self, answer: &str, method: &str, request_uri: &str) -> Verdict {
        let parameters: Vec<(&str, &str)> = split_quoted(answer, ',')
            .filter_map(|part| part.split_once('='))
            .map(|(key, value)| (key.trim(), unquote(value)))
            .collect();
        let get = |name: &str| {
            let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map_or("", |(_, value)| *value)
        };
        let (uri, nonce, cnonce, nc) = (get("uri"), get("nonce"), get("cnonce"), get("nc"));
        let algorithm = match get("algorithm") {
            "" => Some((Algorithm::Md5, false)),
            name if name.to_ascii_lowercase().ends_with("-sess") => {
                name.get(..name.len() - 5).and_then(Algorithm::parse).map(|a| (a, true))
            }
            name => Algorithm::parse(name).map(|a| (a, false)),
        };
        let scheme = |(algorithm, session): &(Algorithm, bool)| match session {
            true => Scheme::DigestSession(*algorithm),
            false => Scheme::Digest(*algorithm),
        };
        let Some((algorithm, session)) = algorithm.filter(|asked| self.schemes.contains(&scheme(asked)))
        else {
            return Verdict::Wrong;
        };
        let known = nonce == self.nonce || self.old_nonce.as_deref() == Some(nonce);
        if !known || get("realm") != self.realm || !covers(uri, request_uri) {
            return Verdict::Wrong;
        }
        let qop = get("qop");
        if !(qop.is_empty() || qop.eq_ignore_ascii_case("auth")) {
            return Verdict::Wrong;
        }
        let right = response(&Parts {
            algorithm,
            session,
            username: &self.credentials.username,
            password: &self.credentials.password,
            realm: &self.realm,
            nonce,
            counted: (!qop.is_empty()).then_some((nc, cnonce)),
            cnonce,
            method,
            uri,
        });
        let username = get("username").replace("\\\"", "\"").replace("\\\\", "\\");
        let given = get("response").to_ascii_lowercase();
        if username != self.credentials.username || !same_secret(given.as_bytes(), right.as_bytes()) {
            Verdict::Wrong
        } else if nonce == self.nonce {
            Verdict::Accepted
        } else {
            Verdict::Stale
        }
    }
}

/// Does the `uri` that was hashed stand for the one requested? Some clients hash the path alone, and some, in SETUP,
/// the address without the track.
fn covers(hashed: &str, requested: &str) -> bool {
    let path = |uri: &str| {
        Url::parse(uri).map_or_else(|_| uri.to_owned(), |(url, _)| url.path_and_query().to_owned())
    };
    let (hashed, requested) = (path(hashed), path(requested));
    let base = hashed.trim_end_matches('/');
    let below = requested.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    hashed == requested || !base.is_empty() && below
}

/// Shows no secret.
impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("credentials", &self.credentials)
            .field("schemes", &self.schemes)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::Authenticator;
    use super::*;
    use crate::rtsp::Method;

    const URI: &str = "rtsp://cam/a";
    const ALL: [Scheme; 7] = [
        Scheme::Basic,
        Scheme::DigestSession(Algorithm::Md5),
        Scheme::DigestSession(Algorithm::Sha256),
        Scheme::DigestSession(Algorithm::Sha512_256),
        Scheme::Digest(Algorithm::Md5),
        Scheme::Digest(Algorithm::Sha256),
        Scheme::Digest(Algorithm::Sha512_256),
    ];

    fn gate(schemes: &[Scheme]) -> Gate {
        Gate::new(Credentials::new("us\"er", "pw"), "vigie", schemes, [1; 32], 1_000, Micros(0))
    }

    fn client(password: &str, gate: &mut Gate) -> Authenticator {
        let mut client = Authenticator::new(Credentials::new("us\"er", password), [2; 32]);
        let values = gate.challenges(false, Micros(0));
        client.challenged(values.iter().map(String::as_str), false).unwrap();
        client
    }

    #[test]
    fn both_ends_agree_on_every_scheme() {
        for (scheme, qop) in ALL.iter().flat_map(|scheme| [(*scheme, true), (*scheme, false)]) {
            let mut gate = if qop { gate(&[scheme]) } else { gate(&[scheme]).without_qop() };
            for (password, verdict) in [("pw", Verdict::Accepted), ("pW", Verdict::Wrong)] {
                let answer = client(password, &mut gate).authorize(&Method::Play, URI).unwrap();
                assert_eq!(gate.judge(Some(&answer), "PLAY", URI, Micros(1)), verdict, "{scheme:?}");
                assert_eq!(
                    gate.judge(Some(&answer), "PLAY", "rtsp://cam/b", Micros(1)) == Verdict::Accepted,
                    verdict == Verdict::Accepted && scheme == Scheme::Basic
                );
            }
        }
    }

    #[test]
    fn an_old_nonce_is_called_stale_and_a_foreign_one_wrong() {
        let mut gate = gate(&ALL);
        let mut client = client("pw", &mut gate);
        let answer = client.authorize(&Method::Play, URI).unwrap();
        assert_eq!(gate.judge(Some(&answer), "PLAY", URI, Micros(1_000)), Verdict::Stale);
        assert_eq!(gate.judge(Some(&answer), "PLAY", URI, Micros(2_000)), Verdict::Wrong);
        assert_eq!(gate.judge(None, "PLAY", URI, Micros(2_000)), Verdict::Missing);
        assert_eq!(gate.judge(Some("Bearer x"), "PLAY", URI, Micros(2_000)), Verdict::Wrong);
    }

    #[test]
    fn the_hashed_uri_may_be_the_path_or_the_base() {
        assert!(covers("/a", "rtsp://cam/a") && covers("rtsp://cam/a/", "rtsp://cam/a/track1"));
        assert!(
            !covers("/", "rtsp://cam/a")
                && !covers("rtsp://cam/a", "rtsp://cam/ab")
                && !covers("rtsp://cam/a/b", "rtsp://cam/a")
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_wrong(text in "(Digest |Basic )?\\PC*") {
            proptest::prop_assert_ne!(gate(&ALL).judge(Some(&text), "PLAY", URI, Micros(0)), Verdict::Accepted);
        }
    }
}

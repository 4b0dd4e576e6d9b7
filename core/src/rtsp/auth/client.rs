//! The client's side: which challenge to answer, and how.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::digest::{Parts, response};
use super::{Challenge, Credentials, DigestChallenge, Entropy};
use crate::rtsp::Method;

/// Why there is no further answer to a 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refused {
    /// There are no credentials to answer with.
    NoCredentials,
    /// No challenge, or none that this library can answer.
    NoChallenge,
    /// Every acceptable challenge was answered and refused: wrong user or password.
    Wrong,
}

/// Answers a server's challenges with one user's credentials.
///
/// The strongest challenge is answered first. One that is refused is not answered again, unless the server says that
/// its nonce was stale or the nonce had been good before (Axis M5525 forgets it after 150 s and does not say so); the
/// next weaker is. The password is not sent in clear (Basic) to a server that also offered Digest. The number of
/// answers to one request is bounded, so that a wrong password does not lock the account of a camera.
pub struct Authenticator {
    credentials: Credentials,
    entropy: Entropy,
    current: Option<Challenge>,
    /// The server accepted an answer to `current`.
    accepted: bool,
    /// Requests answered with the current nonce.
    count: u32,
    /// The strength of the weakest challenge that was refused.
    refused_at: Option<u8>,
    /// Fresh nonces taken for one request.
    renewed: u8,
}

/// Fresh nonces that one request may take.
const RENEWALS: u8 = 2;

impl Authenticator {
    /// With the credentials and a seed for the client's nonces.
    #[must_use]
    pub const fn new(credentials: Credentials, seed: [u8; 32]) -> Self {
        Self {
            credentials,
            entropy: Entropy::new(seed),
            current: None,
            accepted: false,
            count: 0,
            refused_at: None,
            renewed: 0,
        }
    }

    /// The value of `Authorization` for a request; `None` before the first challenge. `uri` must be the one in the
    /// request line.
    #[must_use]
    pub fn authorize(&mut self, method: &Method, uri: &str) -> Option<String> {
        match self.current.clone()? {
            Challenge::Basic { .. } => {
                let pair = format!("{}:{}", self.credentials.username, self.credentials.password);
                Some(format!("Basic {}", STANDARD.encode(pair)))
            }
            Challenge::Digest(challenge) => Some(self.digest(&challenge, method, uri)),
        }
    }

    fn digest(&mut self, challenge: &DigestChallenge, method: &Method, uri: &str) -> String {
        self.count = self.count.saturating_add(1);
        let nc = format!("{:08x}", self.count);
        let cnonce = if challenge.qop || challenge.session { self.entropy.token() } else { String::new() };
        let DigestChallenge { realm, nonce, .. } = challenge;
        let answer = response(&Parts {
            algorithm: challenge.algorithm,
            session: challenge.session,
            username: &self.credentials.username,
            password: &self.credentials.password,
            realm,
            nonce,
            counted: challenge.qop.then_some((&nc, &cnonce)),
            cnonce: &cnonce,
            method: method.as_str(),
            uri,
        });
        let username = self.credentials.username.replace('\\', "\\\\").replace('"', "\\\"");
        let mut text = format!(
            "Digest username=\"{username}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{answer}\""
        );
        if let Some(algorithm) = &challenge.algorithm_text {
            text.push_str(&format!(", algorithm={algorithm}"));
        }
        if let Some(opaque) = &challenge.opaque {
            text.push_str(&format!(", opaque=\"{opaque}\""));
        }
        if challenge.qop {
            text.push_str(&format!(", qop=auth, nc={nc}, cnonce=\"{cnonce}\""));
        } else if challenge.session {
            text.push_str(&format!(", cnonce=\"{cnonce}\""));
        }
        text
    }

    /// A request was accepted: the answer that it carried, if any, was right.
    pub const fn accepted(&mut self) {
        self.accepted = self.current.is_some();
        self.refused_at = None;
        self.renewed = 0;
    }

    /// A request came back with 401 and these `WWW-Authenticate` values; `answered` says whether it carried an answer.
    /// After `Ok` the request is to be sent again with a new answer.
    ///
    /// # Errors
    ///
    /// There is no further answer to give.
    pub fn challenged<'a>(
        &mut self,
        values: impl Iterator<Item = &'a str>,
        answered: bool,
    ) -> Result<(), Refused> {
        let mut offered = Challenge::parse_all(values);
        offered.sort_by_key(|challenge| core::cmp::Reverse(challenge.strength()));
        if offered.is_empty() {
            return Err(if answered { Refused::Wrong } else { Refused::NoChallenge });
        }
        if let Some(current) = self.current.as_ref().filter(|_| answered) {
            let same = offered.iter().find(|challenge| challenge.strength() == current.strength());
            let stale =
                same.filter(|c| self.accepted || matches!(c, Challenge::Digest(digest) if digest.stale));
            match stale.cloned() {
                Some(fresh @ Challenge::Digest(_)) if self.renewed < RENEWALS => {
                    self.renewed += 1;
                    self.take(fresh);
                    return Ok(());
                }
                _ => self.refused_at = Some(current.strength()),
            }
        }
        let digest = self.refused_at.is_some_and(|s| s > 0) || offered.iter().any(|c| c.strength() > 0);
        let acceptable = |challenge: &&Challenge| {
            self.refused_at.is_none_or(|refused| challenge.strength() < refused)
                && !(digest && matches!(challenge, Challenge::Basic { .. }))
        };
        match offered.iter().find(acceptable).cloned() {
            Some(next) => {
                self.take(next);
                Ok(())
            }
            None => Err(Refused::Wrong),
        }
    }

    fn take(&mut self, challenge: Challenge) {
        self.current = Some(challenge);
        self.accepted = false;
        self.count = 0;
    }

    /// Is a challenge being answered?
    #[must_use]
    pub const fn is_answering(&self) -> bool {
        self.current.is_some()
    }
}

/// Shows no secret.
impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let challenges: Vec<_> = self.current.iter().collect();
        f.debug_struct("Authenticator")
            .field("credentials", &self.credentials)
            .field("answers", &challenges)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn authenticator() -> Authenticator {
        Authenticator::new(Credentials::new("Mufasa", "Circle of Life"), [7; 32])
    }

    fn answer(auth: &mut Authenticator) -> String {
        auth.authorize(&Method::Describe, "rtsp://cam/a").unwrap()
    }

    const MD5: &str = "Digest realm=\"r\", nonce=\"m\"";
    const SHA: &str = "Digest realm=\"r\", nonce=\"s\", algorithm=SHA-256, qop=\"auth\"";
    const BASIC: &str = "Basic realm=\"r\"";

    #[test]
    fn strongest_first_then_weaker_never_clear() {
        let mut auth = authenticator();
        assert_eq!(auth.authorize(&Method::Options, "*"), None);
        let offer = || [BASIC, MD5, SHA].into_iter();
        auth.challenged(offer(), false).unwrap();
        assert!(answer(&mut auth).contains("algorithm=SHA-256, qop=auth, nc=00000001"));
        auth.challenged(offer(), true).unwrap();
        let second = answer(&mut auth);
        assert!(
            second.contains("nonce=\"m\"") && !second.contains("algorithm") && !second.contains("nc="),
            "{second}"
        );
        assert_eq!(auth.challenged(offer(), true), Err(Refused::Wrong));
    }

    #[test]
    fn basic_where_nothing_else_is_offered() {
        let mut auth = authenticator();
        auth.challenged([BASIC].into_iter(), false).unwrap();
        assert_eq!(answer(&mut auth), "Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl");
        assert_eq!(auth.challenged([BASIC].into_iter(), true), Err(Refused::Wrong));
        assert_eq!(authenticator().challenged([].into_iter(), false), Err(Refused::NoChallenge));
        let mut auth = authenticator();
        auth.challenged([MD5].into_iter(), false).unwrap();
        assert_eq!(auth.challenged([BASIC].into_iter(), true), Err(Refused::Wrong));
    }

    #[test]
    fn a_stale_nonce_is_renewed_a_bounded_number_of_times() {
        let mut auth = authenticator();
        let stale = "Digest realm=\"r\", nonce=\"n2\", stale=true";
        auth.challenged([MD5].into_iter(), false).unwrap();
        let _ = answer(&mut auth);
        for _ in 0..RENEWALS {
            auth.challenged([stale].into_iter(), true).unwrap();
            assert!(answer(&mut auth).contains("nonce=\"n2\""));
        }
        assert_eq!(auth.challenged([stale].into_iter(), true), Err(Refused::Wrong));
    }

    #[test]
    fn a_nonce_that_was_good_is_renewed_without_being_called_stale() {
        let mut auth = authenticator();
        auth.challenged([MD5].into_iter(), false).unwrap();
        auth.accepted();
        let fresh = "Digest realm=\"r\", nonce=\"n3\"";
        auth.challenged([fresh].into_iter(), true).unwrap();
        assert!(answer(&mut auth).contains("nonce=\"n3\""));
        assert_eq!(auth.challenged([fresh].into_iter(), true), Err(Refused::Wrong));
    }

    #[test]
    fn shows_no_password() {
        let mut auth = authenticator();
        auth.challenged([BASIC].into_iter(), false).unwrap();
        let shown = alloc::format!("{auth:?}");
        assert!(!shown.contains("Circle") && !shown.contains("TXVm"), "{shown}");
    }
}

//! The client's side: which challenge to answer, and how.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::digest::{Parts, response};
use super::{Algorithm, Challenge, Credentials, DigestChallenge, Entropy};
use crate::fault::{Policy, Quirk, Quirks};
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
/// next weaker is, and at last SHA without `qop` where it was offered with it (gortsplib PR 863). The password is not
/// sent in clear (Basic) to a server that also offered Digest. The number of refused answers in a row is bounded, over
/// all requests, so that a wrong password does not lock the account of a camera.
pub struct Authenticator {
    credentials: Credentials,
    entropy: Entropy,
    current: Option<Challenge>,
    /// The server accepted an answer to `current`.
    accepted: bool,
    /// Requests answered with the current nonce.
    count: u32,
    /// The client's nonce of a `-sess` challenge: one for all its requests (RFC 7616 §3.4.2).
    session_nonce: String,
    /// What was refused.
    refused: Vec<Way>,
    /// Digest was offered once.
    digest: bool,
    /// Fresh nonces taken for one request.
    renewed: u8,
    /// Refused answers in a row.
    failed: u8,
    tries: u8,
    policy: Policy,
    quirks: Quirks,
}

/// A way to answer: the hash (none is Basic), `-sess`, `qop`.
type Way = (Option<Algorithm>, bool, bool);

fn way(challenge: &Challenge) -> Way {
    match challenge {
        Challenge::Basic { .. } => (None, false, false),
        Challenge::Digest(digest) => (Some(digest.algorithm), digest.session, digest.qop),
    }
}

/// Fresh nonces that one request may take.
const RENEWALS: u8 = 2;
/// Refused answers in a row that are allowed where nobody says otherwise.
const TRIES: u8 = 3;

impl Authenticator {
    /// With the credentials and a seed for the client's nonces.
    #[must_use]
    pub fn new(credentials: Credentials, seed: [u8; 32]) -> Self {
        Self {
            credentials,
            entropy: Entropy::new(seed),
            current: None,
            accepted: false,
            count: 0,
            session_nonce: String::new(),
            refused: Vec::new(),
            digest: false,
            renewed: 0,
            failed: 0,
            tries: TRIES,
            policy: Policy::Auto,
            quirks: Quirks::default(),
        }
    }

    /// Sets how many answers in a row may be refused; at least one.
    #[must_use]
    pub const fn tries(mut self, tries: u8) -> Self {
        self.tries = if tries == 0 { 1 } else { tries };
        self
    }

    /// Sets what is tolerated.
    #[must_use]
    pub const fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// What was tolerated.
    #[must_use]
    pub const fn quirks(&self) -> &Quirks {
        &self.quirks
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
        let cnonce = match (challenge.session, challenge.qop) {
            (true, _) => {
                if self.session_nonce.is_empty() {
                    self.session_nonce = self.entropy.token();
                }
                self.session_nonce.clone()
            }
            (false, true) => self.entropy.token(),
            (false, false) => String::new(),
        };
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
    pub fn accepted(&mut self) {
        // SHA with `qop` was refused, without it is right.
        if let Some(Challenge::Digest(digest)) = self.current.as_ref().filter(|_| !self.accepted)
            && !digest.qop
            && self.refused.contains(&(Some(digest.algorithm), digest.session, true))
        {
            self.quirks.count(Quirk::QopRefused);
        }
        self.accepted = self.current.is_some();
        (self.renewed, self.failed) = (0, 0);
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
        self.digest |= offered.iter().any(|challenge| matches!(challenge, Challenge::Digest(_)));
        self.offer_without_qop(&mut offered);
        if let Some(current) = self.current.clone().filter(|_| answered) {
            let fresh = offered.iter().find(|challenge| way(challenge) == way(&current)).cloned();
            let stale = matches!(&fresh, Some(Challenge::Digest(digest)) if digest.stale);
            if !stale {
                self.failed = self.failed.saturating_add(1);
            }
            if self.failed >= self.tries {
                return Err(Refused::Wrong);
            }
            let forgotten = self.accepted && !stale;
            match fresh {
                Some(fresh @ Challenge::Digest(_))
                    if (stale || forgotten) && self.renewed < RENEWALS && self.may_forget(forgotten) =>
                {
                    self.renewed += 1;
                    self.take(fresh);
                    return Ok(());
                }
                _ => self.refused.push(way(&current)),
            }
        }
        let acceptable = |challenge: &&Challenge| {
            let weaker = self.digest && matches!(challenge, Challenge::Basic { .. });
            !weaker && !self.refused.contains(&way(challenge))
        };
        match offered.iter().find(acceptable).cloned() {
            Some(next) => {
                self.take(next);
                Ok(())
            }
            None => Err(Refused::Wrong),
        }
    }

    /// A nonce that was good is no longer, and the server does not call it stale (RFC 7616 §3.3 wants that).
    fn may_forget(&mut self, forgotten: bool) -> bool {
        if forgotten {
            self.quirks.count(Quirk::ForgottenNonce);
        }
        !forgotten || self.policy.tolerates(Quirk::ForgottenNonce)
    }

    /// Where SHA was offered with `qop` and refused, it may be accepted without.
    fn offer_without_qop(&self, offered: &mut Vec<Challenge>) {
        if !self.policy.tolerates(Quirk::QopRefused) {
            return;
        }
        let without: Vec<Challenge> = offered
            .iter()
            .filter_map(|challenge| match challenge {
                Challenge::Digest(digest) if digest.qop && digest.algorithm != Algorithm::Md5 => {
                    Some(Challenge::Digest(DigestChallenge { qop: false, ..digest.clone() }))
                }
                _ => None,
            })
            .collect();
        offered.extend(without);
    }

    fn take(&mut self, challenge: Challenge) {
        self.current = Some(challenge);
        self.accepted = false;
        self.count = 0;
        self.session_nonce.clear();
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
        // Not in clear, but SHA once more without `qop`; and that is that.
        auth.challenged(offer(), true).unwrap();
        let third = answer(&mut auth);
        assert!(third.contains("algorithm=SHA-256") && !third.contains("qop"), "{third}");
        auth.accepted();
        assert_eq!(auth.quirks().get(Quirk::QopRefused), 1);
        assert_eq!(authenticator().tries(1).try_all(&offer().collect::<Vec<_>>()), 1);
        assert_eq!(authenticator().try_all(&[SHA]), 2);
        assert_eq!(authenticator().policy(Policy::Strict).try_all(&[SHA]), 1);
        assert_eq!(authenticator().tries(9).try_all(&offer().collect::<Vec<_>>()), 3);
    }

    impl Authenticator {
        /// Answers until it gives up, and says how often.
        fn try_all(&mut self, offered: &[&str]) -> usize {
            let mut answers = 0;
            while self.challenged(offered.iter().copied(), answers > 0).is_ok() {
                answers += 1;
            }
            answers
        }
    }

    /// RFC 7616 §3.4.2: the session key is computed once, from the client's nonce of the first request.
    #[test]
    fn the_clients_nonce_of_a_session_is_one() {
        let mut auth = authenticator();
        let sess = "Digest realm=\"r\", nonce=\"s\", algorithm=SHA-512-256-sess, qop=\"auth\"";
        auth.challenged([sess].into_iter(), false).unwrap();
        let cnonce =
            |text: String| text.split("cnonce=\"").nth(1).unwrap().split('"').next().map(String::from);
        let first = answer(&mut auth);
        assert!(first.contains("algorithm=SHA-512-256-sess") && first.contains("nc=00000001"));
        assert_eq!(cnonce(first), cnonce(answer(&mut auth)));
        auth.accepted();
        let first = cnonce(answer(&mut auth));
        auth.challenged([sess].into_iter(), true).unwrap();
        assert_ne!(first, cnonce(answer(&mut auth)));
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
        assert_eq!(auth.quirks().get(Quirk::ForgottenNonce), 1);
        let mut auth = authenticator().policy(Policy::Strict);
        auth.challenged([MD5].into_iter(), false).unwrap();
        auth.accepted();
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

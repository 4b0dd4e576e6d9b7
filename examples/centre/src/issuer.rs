//! Tokens for the users of a portal: each for some cameras, for a short while. Held in memory, as the centre's own is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use vigie::time::Micros;

use crate::camera::Camera;
use crate::token::Token;

/// Tokens in force at one time.
const MOST: usize = 10_000;

/// Seconds that one may be good for.
pub(crate) const SECONDS: RangeInclusive<u32> = 10..=3_600;

/// What may be seen of a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Right {
    /// What it sends now.
    Live,
    /// What it sent.
    Recorded,
}

impl Right {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Live, Self::Recorded];
}

/// What an issued token is good for.
#[derive(Debug)]
pub(crate) struct Grant {
    /// The numbers of the cameras.
    pub(crate) cameras: BTreeSet<u32>,
    /// What may be seen of each.
    pub(crate) rights: Vec<Right>,
    /// From then on for nothing.
    pub(crate) until: Micros,
}

/// What whoever showed a token may do.
#[derive(Clone, Debug)]
pub(crate) enum Pass {
    /// Everything: it was the centre's own.
    Own,
    /// What was granted.
    Issued(Arc<Grant>),
}

impl Pass {
    /// Does it know of this camera at all?
    pub(crate) fn covers(&self, camera: &Camera) -> bool {
        match self {
            Self::Own => true,
            Self::Issued(grant) => grant.cameras.contains(&camera.number),
        }
    }

    /// Of the cameras that it covers.
    pub(crate) fn allows(&self, right: Right) -> bool {
        match self {
            Self::Own => true,
            Self::Issued(grant) => grant.rights.contains(&right),
        }
    }

    /// When it ends, if it does.
    pub(crate) fn until(&self) -> Option<Micros> {
        match self {
            Self::Own => None,
            Self::Issued(grant) => Some(grant.until),
        }
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// As many as there may be are in force.
    #[error("{MOST} tokens are in force; ask again when some have expired")]
    Full,
    /// The operating system gives none.
    #[error("no random numbers")]
    NoRandom(#[from] getrandom::Error),
}

/// By its first half a token is found, by its second it is judged: how long it takes to find none tells nothing of a secret.
type Known = BTreeMap<[u8; 32], (Token, Arc<Grant>)>;

/// The tokens in force.
#[derive(Default)]
pub(crate) struct Issuer(Mutex<Known>);

impl Issuer {
    /// A new token: 64 hexadecimal digits.
    pub(crate) fn issue(&self, grant: Grant, now: Micros) -> Result<String, Error> {
        let (name, secret) = (Token::new()?, Token::new()?);
        let mut known = self.lock();
        if known.len() >= MOST {
            sweep(&mut known, now);
        }
        if known.len() >= MOST {
            return Err(Error::Full);
        }
        let text = format!("{}{}", name.reveal(), secret.reveal());
        known.insert(*name.digits(), (secret, Arc::new(grant)));
        Ok(text)
    }

    /// What a token is good for now; `None` where it is none of ours, or has expired.
    pub(crate) fn pass(&self, token: &str, now: Micros) -> Option<Pass> {
        let (name, secret) = token.as_bytes().split_at_checked(32)?;
        let known = self.lock();
        let (kept, grant) = known.get(name)?;
        (kept.equals(secret) && now < grant.until).then(|| Pass::Issued(grant.clone()))
    }

    /// How many are in force.
    pub(crate) fn count(&self, now: Micros) -> usize {
        let mut known = self.lock();
        sweep(&mut known, now);
        known.len()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Out with what has expired.
fn sweep(known: &mut Known, now: Micros) {
    known.retain(|_, (_, grant)| now < grant.until);
}

/// Shows no token.
impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({} tokens)", self.lock().len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn grant(until: u64) -> Grant {
        Grant { cameras: BTreeSet::from([2]), rights: vec![Right::Live], until: Micros(until) }
    }

    #[test]
    fn a_token_is_good_for_its_cameras_until_it_expires() {
        let issuer = Issuer::default();
        let token = issuer.issue(grant(100), Micros(0)).unwrap();
        assert_eq!((token.len(), issuer.count(Micros(99))), (64, 1));
        let pass = issuer.pass(&token, Micros(99)).unwrap();
        assert_eq!(pass.until(), Some(Micros(100)));
        assert!(pass.allows(Right::Live) && !pass.allows(Right::Recorded));
        let [one, two] = [1, 2].map(|number| pass.covers(&Camera::new("t", "c", "C", number)));
        assert!(two && !one);
        assert!(Pass::Own.covers(&Camera::new("t", "c", "C", 1)) && Pass::Own.allows(Right::Recorded));
        assert!(issuer.pass(&token, Micros(100)).is_none(), "expired");
        assert!(!format!("{issuer:?} {pass:?}").contains(&token[..8]), "{issuer:?} {pass:?}");
    }

    #[test]
    fn what_is_nearly_a_token_is_none() {
        let issuer = Issuer::default();
        let token = issuer.issue(grant(100), Micros(0)).unwrap();
        let other = issuer.issue(grant(100), Micros(0)).unwrap();
        for end in 0..token.len() {
            assert!(issuer.pass(&token[..end], Micros(0)).is_none(), "{end}");
        }
        for bad in [format!("{token}0"), format!("{}{}", &token[..32], &other[32..]), "é".repeat(32)] {
            assert!(issuer.pass(&bad, Micros(0)).is_none(), "{bad}");
        }
    }

    #[test]
    fn they_are_bounded_and_what_expired_makes_room() {
        let issuer = Issuer::default();
        for n in 0..MOST as u64 {
            issuer.issue(grant(if n < 10 { 50 } else { 100 }), Micros(0)).unwrap();
        }
        assert!(matches!(issuer.issue(grant(100), Micros(49)), Err(Error::Full)));
        assert_eq!(issuer.count(Micros(50)), MOST - 10);
        issuer.issue(grant(200), Micros(50)).unwrap();
        assert_eq!(issuer.count(Micros(100)), 1);
    }
}

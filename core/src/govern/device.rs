//! One device: who waits for it, how many sessions it serves, and what its accounts have been asked.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use core::cmp::Reverse;

use super::{Config, Source};
use crate::time::Micros;

/// A place in a queue: lower goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// New, or lost a moment ago: by priority, then by who waits longest.
    Fresh(Reverse<u8>, u64),
    /// Out of reach, or failed again and again: by who waits longest, so that none starves behind a site that is dead.
    Failing(u64),
}

/// What the sources of one host share.
#[derive(Debug, Default)]
pub(super) struct Device {
    pub(super) sources: usize,
    /// What its sources say that it serves, with how many say so.
    budgets: BTreeMap<u32, usize>,
    /// Who waits to be dialled, by slot.
    pub(super) ready: BTreeSet<(Place, usize)>,
    /// One is between dial and the answer to DESCRIBE.
    pub(super) dialling: bool,
    /// Sessions asked for and not ended, that one included.
    pub(super) sessions: u32,
    pub(super) accounts: BTreeMap<String, Account>,
    /// The place under which its first source stands in the governor's queue.
    pub(super) offered: Option<Place>,
}

impl Device {
    pub(super) fn add(&mut self, source: &Source) {
        self.sources += 1;
        if let Some(sessions) = source.sessions {
            *self.budgets.entry(sessions).or_default() += 1;
        }
        self.accounts.entry(source.account.clone()).or_default().add(source.secret);
    }

    pub(super) fn remove(&mut self, source: &Source) {
        self.sources = self.sources.saturating_sub(1);
        if let Some(sessions) = source.sessions
            && let Some(count) = self.budgets.get_mut(&sessions)
        {
            *count -= 1;
            if *count == 0 {
                self.budgets.remove(&sessions);
            }
        }
        // What was tried is remembered with the account as long as anybody uses it.
        if self.accounts.get_mut(&source.account).is_some_and(|account| !account.remove(source.secret)) {
            self.accounts.remove(&source.account);
        }
    }

    /// The first in its queue, where the device has a place for it.
    pub(super) fn candidate(&self, config: &Config) -> Option<Place> {
        let budget = self.budgets.keys().next().copied().unwrap_or(config.sessions).max(1);
        let open = !self.dialling && self.sessions < budget;
        self.ready.first().filter(|_| open).map(|(place, _)| *place)
    }
}

/// One user of one device.
#[derive(Debug, Default)]
pub(super) struct Account {
    sources: usize,
    /// Its passwords, by the number that stands for each.
    passwords: BTreeMap<u64, Password>,
    /// Refused dials within the window: when, and how many passwords each tried. At most `Config::tries`.
    refused: VecDeque<(Micros, u32)>,
    /// The most passwords that one dial has tried: a camera that offers three kinds of Digest is answered thrice.
    dearest: u32,
    /// Sources that wait for it, by slot.
    pub(super) held: BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct Password {
    sources: usize,
    /// No dial before.
    until: Micros,
    /// The device took it the last time.
    proven: bool,
    /// It rested since: one more refusal, and it rests again.
    rested: bool,
}

impl Account {
    /// When a password may be tried on it. One that the device took is no try.
    pub(super) fn free(&mut self, now: Micros, secret: u64, config: &Config) -> Micros {
        while self.refused.front().is_some_and(|(at, _)| now.since(*at) >= config.window) {
            self.refused.pop_front();
        }
        let Some(password) = self.passwords.get(&secret).filter(|password| !password.proven) else {
            return now;
        };
        let spent = self.spent();
        let full = spent > 0 && spent.saturating_add(self.dearest.max(1)) > config.tries;
        let window = self.refused.front().filter(|_| full).map_or(now, |(at, _)| at.plus(config.window));
        password.until.max(window)
    }

    /// A password was refused. Says until when nobody tries it again.
    pub(super) fn refused(
        &mut self,
        now: Micros,
        (secret, tries): (u64, u32),
        config: &Config,
        jitter: impl Fn(u64) -> u64,
    ) -> Micros {
        let tries = tries.max(1);
        self.dearest = self.dearest.max(tries);
        // Sessions that stood when the password was changed may be refused all at once: they count as one more each.
        if self.refused.len() < config.tries.max(1) as usize {
            self.refused.push_back((now, tries));
        } else if let Some((at, _)) = self.refused.back_mut() {
            *at = now;
        }
        let last = self.spent().saturating_add(self.dearest) > config.tries;
        if let Some(password) = self.passwords.get_mut(&secret) {
            password.proven = false;
            password.rested |= last;
            password.until = now.plus(if password.rested { config.rest } else { jitter(config.refused) });
        }
        self.free(now, secret, config)
    }

    /// The device took the password.
    pub(super) fn accepted(&mut self, secret: u64) {
        if let Some(password) = self.passwords.get_mut(&secret) {
            *password = Password { sources: password.sources, proven: true, ..Password::default() };
        }
    }

    /// Other credentials: all that was tried before counts no more.
    pub(super) fn forget(&mut self) -> BTreeSet<usize> {
        self.refused.clear();
        for password in self.passwords.values_mut() {
            *password = Password { sources: password.sources, ..Password::default() };
        }
        core::mem::take(&mut self.held)
    }

    fn add(&mut self, secret: u64) {
        self.sources += 1;
        self.passwords.entry(secret).or_default().sources += 1;
    }

    /// False where nobody uses it any more.
    fn remove(&mut self, secret: u64) -> bool {
        self.sources = self.sources.saturating_sub(1);
        if let Some(password) = self.passwords.get_mut(&secret) {
            password.sources = password.sources.saturating_sub(1);
            if password.sources == 0 {
                self.passwords.remove(&secret);
            }
        }
        self.sources > 0
    }

    fn spent(&self) -> u32 {
        self.refused.iter().fold(0, |sum, (_, tries)| sum.saturating_add(*tries))
    }
}

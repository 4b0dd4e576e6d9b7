//! The governor's plan, and what it is told of a source.

use alloc::string::String;

use super::Backoff;

/// The plan. The defaults fit a town's park on one machine; times are in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Dials per second, of all sources together: evenly spaced, never in a burst.
    pub dials_per_second: u32,
    /// Sources between the dial and the answer to DESCRIBE at one time.
    pub in_flight: usize,
    /// Sessions that one device is asked for at one time, where none of its sources says less. Recorders of 64 channels
    /// serve one for each; Tapo serves two, Hikvision's smaller cameras two as well.
    pub sessions: u32,
    /// Waits after failures.
    pub backoff: Backoff,
    /// Passwords tried on one account of one device within `window`, however many sources share it. Hikvision locks an
    /// account for 30 minutes after five wrong ones, Dahua after five in five minutes.
    pub tries: u32,
    /// Over which the tries are counted.
    pub window: u64,
    /// Between two tries within the window.
    pub refused: u64,
    /// After the last try of a window, until the next: long, as only new credentials help, but not for ever, because
    /// a camera that starts may refuse a right password.
    pub rest: u64,
    /// Sources at most.
    pub sources: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dials_per_second: 50,
            in_flight: 128,
            sessions: 64,
            backoff: Backoff::default(),
            tries: 3,
            window: 30 * 60_000_000,
            refused: 60_000_000,
            rest: 60 * 60_000_000,
            sources: 16_384,
        }
    }
}

impl Config {
    /// Sets the dials per second.
    #[must_use]
    pub const fn dials_per_second(mut self, dials: u32) -> Self {
        self.dials_per_second = dials;
        self
    }

    /// Sets how many sources may be between dial and DESCRIBE.
    #[must_use]
    pub const fn in_flight(mut self, sources: usize) -> Self {
        self.in_flight = sources;
        self
    }

    /// Sets the sessions that a device is asked for.
    #[must_use]
    pub const fn sessions(mut self, sessions: u32) -> Self {
        self.sessions = sessions;
        self
    }

    /// Sets the waits after failures.
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets how many passwords are tried on an account, over which time, and how far apart.
    #[must_use]
    pub const fn tries(mut self, tries: u32, window: u64, refused: u64) -> Self {
        (self.tries, self.window, self.refused) = (tries, window, refused);
        self
    }

    /// Sets the wait after the last try.
    #[must_use]
    pub const fn rest(mut self, rest: u64) -> Self {
        self.rest = rest;
        self
    }

    /// Microseconds from one dial to the next.
    pub(super) const fn interval(&self) -> u64 {
        let dials = if self.dials_per_second == 0 { 1 } else { self.dials_per_second as u64 };
        1_000_000_u64.div_ceil(dials)
    }
}

/// What the governor is told of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// The device: the host of its address. Sources with the same one share its budget.
    pub device: String,
    /// The user name. Two passwords of one user at one device count together, as the device counts them.
    pub account: String,
    /// Any number that is another for another password: one that the device took goes on while another one rests.
    pub secret: u64,
    /// Sessions that the device serves at one time, where it is known; the least of its sources counts.
    pub sessions: Option<u32>,
    /// Higher goes first.
    pub priority: u8,
}

impl Source {
    /// A source at a host.
    #[must_use]
    pub fn new(device: &str, account: &str) -> Self {
        Self {
            device: device.to_ascii_lowercase(),
            account: account.into(),
            secret: 0,
            sessions: None,
            priority: 0,
        }
    }

    /// Sets the number that stands for the password.
    #[must_use]
    pub const fn secret(mut self, secret: u64) -> Self {
        self.secret = secret;
        self
    }

    /// Sets how many sessions the device serves at one time.
    #[must_use]
    pub const fn sessions(mut self, sessions: u32) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// Sets the priority; higher goes first.
    #[must_use]
    pub const fn priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }
}

//! Who is dialled, and when: a plan for 10 to 4,000 sources that storms neither the network nor a device.
//!
//! A [`Governor`] does no IO. The caller adds its sources, dials those that [`Governor::poll_output`] names, and says what
//! became of each:
//!
//! ```text
//!            poll_output         dialled        described        playing
//!  waiting ──────────────▶ dialling ──▶ DESCRIBE ──▶ session ──▶ pictures
//!     ▲                        │            │           │            │
//!     └────────────────────────┴── failed, ended, moved ┴────────────┘
//! ```
//! The plan, held at every instant: so many dials a second, evenly spaced; so many sources between dial and DESCRIBE; of
//! one device, one in DESCRIBE at a time and no more sessions than it serves; of one account of one device, so many
//! passwords within a time, however many sources share it. Who is out of reach or failed again and again waits behind those
//! that are not, has at most half of the places, and at least every fourth turn.
//!
//! ```
//! use vigie::govern::{Config, Failure, Governor, Source};
//! use vigie::time::Micros;
//!
//! let mut governor = Governor::new(Config::default(), 7);
//! let door = governor.add(Source::new("192.0.2.7", "viewer").sessions(2)).unwrap();
//! assert_eq!(governor.poll_output(Micros(0)).map(|dial| dial.source), Some(door));
//! governor.handle_failed(Micros(9_000), door, Failure::Unreachable);
//! // Half a second less some jitter.
//! assert!(governor.poll_timeout().unwrap() <= Micros(509_000));
//! ```

mod backoff;
mod config;
mod device;
#[cfg(test)]
mod tests;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;

pub use backoff::Backoff;
pub use config::{Config, Source};

use crate::time::Micros;
use backoff::{Random, shorten};
use device::{Account, Device, Place};

/// Failures in a row after which a source counts as failing.
const FAILING: u32 = 3;

/// Every so many dials, a failing source goes first.
const TURN: u64 = 4;

/// A source that the governor knows. Never used again after [`Governor::remove`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId {
    slot: usize,
    generation: u32,
}

/// The order to dial a source now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dial {
    /// Which.
    pub source: SourceId,
    /// 1 for the first since its last picture.
    pub attempt: u32,
}

/// Why there is no session, or no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// Nothing answered, or the way broke.
    Unreachable,
    /// The device answered and would not, or fell silent.
    Failed,
    /// It has no session to spare (453, 503): asked again after the longest wait.
    Busy,
    /// It refused the user or the password.
    Refused {
        /// Passwords that were tried in this session; 1 or more.
        tries: u32,
    },
}

/// Counts, at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sources known.
    pub sources: usize,
    /// In back-off.
    pub waiting: usize,
    /// Of those, held because their account was refused.
    pub held: usize,
    /// Ready to be dialled, and in their queue.
    pub ready: usize,
    /// Between dial and connection.
    pub dialling: usize,
    /// Between connection and the answer to DESCRIBE.
    pub describing: usize,
    /// With a session, pictures or not.
    pub open: usize,
    /// Of those, with pictures.
    pub playing: usize,
    /// Dials since the beginning.
    pub dials: u64,
}

/// See the [module](self). Every call costs the logarithm of the number of sources, waking up included.
#[derive(Debug)]
pub struct Governor {
    config: Config,
    random: Random,
    slots: Vec<Slot>,
    free: Vec<usize>,
    devices: BTreeMap<String, Device>,
    /// The first ready source of each device that has a place for it.
    queue: BTreeSet<(Place, String)>,
    timers: BTreeSet<(Micros, usize)>,
    /// Counts those that became ready.
    order: u64,
    next_dial: Micros,
    failing_in_flight: usize,
    stats: Stats,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    entry: Option<Entry>,
}

#[derive(Debug)]
struct Entry {
    source: Source,
    state: State,
    failures: u32,
    /// The device was out of reach, or [`FAILING`] attempts have failed.
    failing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Until then; `held` by its account.
    Waiting {
        until: Micros,
        held: bool,
    },
    Ready(Place),
    Dialling {
        connected: bool,
        failing: bool,
    },
    Open {
        playing: bool,
    },
}

impl Governor {
    /// Knows no source yet. `seed`: any number, another for each process; the jitter comes from it.
    #[must_use]
    pub const fn new(config: Config, seed: u64) -> Self {
        Self {
            config,
            random: Random::new(seed),
            slots: Vec::new(),
            free: Vec::new(),
            devices: BTreeMap::new(),
            queue: BTreeSet::new(),
            timers: BTreeSet::new(),
            order: 0,
            next_dial: Micros(0),
            failing_in_flight: 0,
            stats: Stats {
                sources: 0,
                waiting: 0,
                held: 0,
                ready: 0,
                dialling: 0,
                describing: 0,
                open: 0,
                playing: 0,
                dials: 0,
            },
        }
    }

    /// Takes a source in; it is ready at once. `None` where [`Config::sources`] are there already.
    pub fn add(&mut self, source: Source) -> Option<SourceId> {
        if self.stats.sources >= self.config.sources {
            return None;
        }
        let slot = self.free.pop().unwrap_or(self.slots.len());
        if slot == self.slots.len() {
            self.slots.push(Slot::default());
        }
        self.devices.entry(source.device.clone()).or_default().add(&source);
        let place = self.place(source.priority, false);
        let id = SourceId { slot, generation: self.slots.get(slot)?.generation };
        let waiting = State::Waiting { until: Micros(0), held: false };
        self.slots.get_mut(slot)?.entry = Some(Entry { source, state: waiting, failures: 0, failing: false });
        self.stats.sources += 1;
        self.stats.waiting += 1;
        self.enter(slot, State::Ready(place));
        Some(id)
    }

    /// Forgets a source; its session, if it has one, counts as ended.
    pub fn remove(&mut self, id: SourceId) {
        if self.entry(id).is_none() {
            return;
        }
        self.enter(id.slot, State::Waiting { until: Micros(0), held: false });
        self.timers.remove(&(Micros(0), id.slot));
        self.stats.waiting -= 1;
        self.stats.sources -= 1;
        let Some(slot) = self.slots.get_mut(id.slot) else { return };
        slot.generation = slot.generation.wrapping_add(1);
        if let Some(Entry { source, .. }) = slot.entry.take() {
            self.free.push(id.slot);
            if let Some(device) = self.devices.get_mut(&source.device) {
                device.remove(&source);
                if device.sources == 0 {
                    self.devices.remove(&source.device);
                } else {
                    self.offer(&source.device);
                }
            }
        }
    }

    /// The connection stands.
    pub fn handle_dialled(&mut self, id: SourceId) {
        if let Some(State::Dialling { connected: false, failing }) = self.state(id) {
            self.enter(id.slot, State::Dialling { connected: true, failing });
        }
    }

    /// DESCRIBE was answered with success: the next source of the device may go.
    pub fn handle_described(&mut self, id: SourceId) {
        if let Some(State::Dialling { .. }) = self.state(id) {
            if let Some((account, secret)) = self.account(id.slot) {
                account.accepted(secret);
            }
            self.enter(id.slot, State::Open { playing: false });
        }
    }

    /// Pictures come: what failed before counts no more.
    pub fn handle_playing(&mut self, id: SourceId) {
        self.handle_described(id);
        if self.state(id).is_some_and(|state| matches!(state, State::Open { .. })) {
            self.enter(id.slot, State::Open { playing: true });
            if let Some(entry) = self.entry(id) {
                (entry.failures, entry.failing) = (0, false);
            }
        }
    }

    /// There is no session, or no more.
    pub fn handle_failed(&mut self, now: Micros, id: SourceId, failure: Failure) {
        let Some(entry) = self.active(id) else { return };
        entry.failures = entry.failures.saturating_add(1);
        let failures = entry.failures;
        entry.failing = failures >= FAILING || failure == Failure::Unreachable;
        let random = self.random.next();
        let backoff = self.config.backoff;
        let (until, held) = match failure {
            Failure::Refused { tries } => {
                let config = self.config;
                let Some((account, secret)) = self.account(id.slot) else { return };
                (account.refused(now, (secret, tries), &config, |full| shorten(full, random)), true)
            }
            Failure::Busy => (now.plus(shorten(backoff.longest, random)), false),
            _ => (now.plus(backoff.wait(failures, random)), false),
        };
        self.enter(id.slot, State::Waiting { until, held });
    }

    /// The session ended in order.
    pub fn handle_ended(&mut self, now: Micros, id: SourceId) {
        self.handle_failed(now, id, Failure::Failed);
    }

    /// The camera sends its caller to another address: the next dial is due at once, and within the plan.
    pub fn handle_moved(&mut self, id: SourceId) {
        let Some(entry) = self.active(id) else { return };
        let (priority, failing) = (entry.source.priority, entry.failing);
        let place = self.place(priority, failing);
        self.enter(id.slot, State::Ready(place));
    }

    /// The caller has other credentials for the source's account: all that share it may go, at once.
    pub fn handle_credentials_changed(&mut self, id: SourceId) {
        if self.entry(id).is_none() {
            return;
        }
        let held = self.account(id.slot).map(|(account, _)| account.forget()).unwrap_or_default();
        for slot in held {
            self.wake(slot);
        }
    }

    /// The next source to dial; `None` until something else is said or the time of
    /// [`poll_timeout`](Self::poll_timeout) comes. Call it until it gives none.
    pub fn poll_output(&mut self, now: Micros) -> Option<Dial> {
        while let Some((until, slot)) = self.timers.first().copied().filter(|(until, _)| *until <= now) {
            self.timers.remove(&(until, slot));
            self.wake(slot);
        }
        while now >= self.next_dial
            && let Some((place, name)) = self.candidate()
        {
            let Some(slot) = self.devices.get(&name).and_then(|d| d.ready.first()).map(|(_, slot)| *slot)
            else {
                self.queue.remove(&(place, name));
                continue;
            };
            let config = self.config;
            let free = self.account(slot).map_or(now, |(account, secret)| account.free(now, secret, &config));
            if free > now {
                self.enter(slot, State::Waiting { until: free, held: true });
                continue;
            }
            self.stats.dials += 1;
            self.next_dial = now.plus(self.config.interval());
            self.enter(
                slot,
                State::Dialling { connected: false, failing: matches!(place, Place::Failing(_)) },
            );
            let known = self.slots.get(slot)?;
            let attempt = known.entry.as_ref()?.failures.saturating_add(1);
            return Some(Dial { source: SourceId { slot, generation: known.generation }, attempt });
        }
        None
    }

    /// When to call [`poll_output`](Self::poll_output), if nothing is said before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        let timer = self.timers.first().map(|(until, _)| *until);
        let dial = self.candidate().map(|_| self.next_dial);
        [timer, dial].into_iter().flatten().min()
    }

    /// When the back-off of a source ends; `None` where it is in none.
    #[must_use]
    pub fn waits_until(&self, id: SourceId) -> Option<Micros> {
        match self.state(id)? {
            State::Waiting { until, .. } => Some(until),
            _ => None,
        }
    }

    /// Counts.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// The device whose turn it is, with its place in the queue.
    fn candidate(&self) -> Option<(Place, String)> {
        let in_flight = self.stats.dialling + self.stats.describing;
        if in_flight >= self.config.in_flight.max(1) {
            return None;
        }
        let first = self.queue.first();
        let failing = self.queue.range((Place::Failing(0), String::new())..).next();
        let room = self.failing_in_flight < (self.config.in_flight / 2).max(1);
        let failing = failing.filter(|_| room);
        let fresh = first.filter(|(place, _)| matches!(place, Place::Fresh(..)));
        let turn = self.stats.dials % TURN == TURN - 1;
        if turn { failing.or(fresh) } else { fresh.or(failing) }.cloned()
    }

    /// A new place at the end of its queue.
    const fn place(&mut self, priority: u8, failing: bool) -> Place {
        self.order += 1;
        if failing { Place::Failing(self.order) } else { Place::Fresh(Reverse(priority), self.order) }
    }

    /// The wait of a source is over.
    fn wake(&mut self, slot: usize) {
        let Some(entry) = self.slots.get(slot).and_then(|slot| slot.entry.as_ref()) else { return };
        if matches!(entry.state, State::Waiting { .. }) {
            let (priority, failing) = (entry.source.priority, entry.failing);
            let place = self.place(priority, failing);
            self.enter(slot, State::Ready(place));
        }
    }

    /// The one place where a state changes: leaves the old one, enters the new one, and offers the device anew.
    fn enter(&mut self, slot: usize, state: State) {
        let Some(entry) = self.slots.get_mut(slot).and_then(|slot| slot.entry.as_mut()) else { return };
        let old = core::mem::replace(&mut entry.state, state);
        let Some(device) = self.devices.get_mut(&entry.source.device) else { return };
        let active = |state| u32::from(matches!(state, State::Dialling { .. } | State::Open { .. }));
        device.sessions = (device.sessions + active(state)).saturating_sub(active(old));
        match old {
            State::Waiting { until, held } => {
                self.timers.remove(&(until, slot));
                if held && let Some(account) = device.accounts.get_mut(&entry.source.account) {
                    account.held.remove(&slot);
                }
            }
            State::Ready(place) => {
                device.ready.remove(&(place, slot));
            }
            State::Dialling { failing, .. } => {
                device.dialling = false;
                self.failing_in_flight -= usize::from(failing);
            }
            State::Open { .. } => {}
        }
        match state {
            State::Waiting { until, held } => {
                self.timers.insert((until, slot));
                if held && let Some(account) = device.accounts.get_mut(&entry.source.account) {
                    account.held.insert(slot);
                }
            }
            State::Ready(place) => {
                device.ready.insert((place, slot));
            }
            State::Dialling { failing, .. } => {
                device.dialling = true;
                self.failing_in_flight += usize::from(failing);
            }
            State::Open { .. } => {}
        }
        self.stats.count(old, false);
        self.stats.count(state, true);
        let name = entry.source.device.clone();
        self.offer(&name);
    }

    /// Puts a device's first source into the queue, or takes it out.
    fn offer(&mut self, name: &str) {
        let Some(device) = self.devices.get_mut(name) else { return };
        let candidate = device.candidate(&self.config);
        if candidate == device.offered {
            return;
        }
        if let Some(place) = core::mem::replace(&mut device.offered, candidate) {
            self.queue.remove(&(place, name.into()));
        }
        if let Some(place) = candidate {
            self.queue.insert((place, name.into()));
        }
    }

    fn entry(&mut self, id: SourceId) -> Option<&mut Entry> {
        let slot = self.slots.get_mut(id.slot).filter(|slot| slot.generation == id.generation)?;
        slot.entry.as_mut()
    }

    /// A source that is dialled or has a session.
    fn active(&mut self, id: SourceId) -> Option<&mut Entry> {
        self.entry(id).filter(|entry| matches!(entry.state, State::Dialling { .. } | State::Open { .. }))
    }

    fn state(&self, id: SourceId) -> Option<State> {
        let slot = self.slots.get(id.slot).filter(|slot| slot.generation == id.generation)?;
        slot.entry.as_ref().map(|entry| entry.state)
    }

    /// The account of a source, and the number of its password.
    fn account(&mut self, slot: usize) -> Option<(&mut Account, u64)> {
        let source = &self.slots.get(slot)?.entry.as_ref()?.source;
        let account = self.devices.get_mut(&source.device)?.accounts.get_mut(&source.account)?;
        Some((account, source.secret))
    }
}

impl Stats {
    /// One more or one less in a state.
    const fn count(&mut self, state: State, enters: bool) {
        let [counter, also] = match state {
            State::Waiting { held: false, .. } => [&mut self.waiting, &mut 0],
            State::Waiting { held: true, .. } => [&mut self.waiting, &mut self.held],
            State::Ready(_) => [&mut self.ready, &mut 0],
            State::Dialling { connected: false, .. } => [&mut self.dialling, &mut 0],
            State::Dialling { connected: true, .. } => [&mut self.describing, &mut 0],
            State::Open { playing: false } => [&mut self.open, &mut 0],
            State::Open { playing: true } => [&mut self.open, &mut self.playing],
        };
        if enters {
            *counter += 1;
            *also += 1;
        } else {
            *counter = counter.saturating_sub(1);
            *also = also.saturating_sub(1);
        }
    }
}

//! Many sources, whatever becomes of them, beside a plain count of what was done.

use std::collections::{BTreeMap, BTreeSet};

use vigie::govern::{Config, Failure, Governor, Source, SourceId};
use vigie::time::Micros;

use crate::tape::Tape;

const SECOND: u64 = 1_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    /// `proven`: its password was taken before.
    Dialling {
        connected: bool,
        proven: bool,
    },
    Open {
        playing: bool,
    },
}

struct Known {
    source: Source,
    state: State,
    failures: u32,
}

/// What a password met with.
#[derive(Clone, Copy, Default)]
struct Password {
    proven: bool,
    refused: Option<Micros>,
}

/// What an account met with; dials with a password that was not proven alone.
#[derive(Default)]
struct Account {
    refused: Vec<(Micros, u32)>,
    dearest: u32,
    passwords: BTreeMap<u64, Password>,
}

struct Run {
    config: Config,
    governor: Governor,
    now: Micros,
    ids: Vec<SourceId>,
    known: BTreeMap<SourceId, Known>,
    accounts: BTreeMap<(String, String), Account>,
    dialled: Option<Micros>,
    dials: u64,
}

/// Dials are spaced, and no more than planned at one time, of a device, of a password; its counts are true, it asks for no
/// call at once; in the end every source has had its turn.
pub(crate) fn govern_ops(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let mut config = Config::default()
        .dials_per_second(u32::from(tape.u8() % 50))
        .in_flight(usize::from(tape.u8() % 6))
        .sessions(u32::from(tape.u8() % 4))
        .tries(u32::from(tape.u8() % 5), 30 * SECOND, SECOND)
        .rest(60 * SECOND);
    config.sources = 12;
    let mut run = Run {
        config,
        governor: Governor::new(config, tape.u64()),
        now: Micros(0),
        ids: vec![],
        known: BTreeMap::new(),
        accounts: BTreeMap::new(),
        dialled: None,
        dials: 0,
    };
    while !tape.is_empty() {
        run.step(&mut tape);
        // More may be said before it is asked.
        if !tape.bit() {
            run.poll(|_, _| {});
        }
        run.check();
    }
    run.all_have_their_turn();
}

impl Run {
    fn step(&mut self, tape: &mut Tape<'_>) {
        let op = tape.u8();
        match op % 12 {
            0 | 1 => self.add(tape),
            2 => self.advance(u64::from(tape.u16()) * 1_000),
            3 => self.advance(u64::from(tape.u8()) * SECOND),
            4 | 5 => {
                if let Some(at) = self.governor.poll_timeout() {
                    self.now = at.max(self.now);
                }
            }
            op => {
                let Some(id) = self.ids.get(usize::from(tape.u8()) % self.ids.len().max(1)).copied() else {
                    return;
                };
                self.say(op, id, tape);
            }
        }
    }

    fn advance(&mut self, micros: u64) {
        self.now = self.now.plus(micros);
    }

    fn add(&mut self, tape: &mut Tape<'_>) {
        let device = tape.one(&["a", "b", "c"]);
        let account = tape.one(&["viewer", "admin"]);
        let mut source = Source::new(device, account).secret(u64::from(tape.bit())).priority(tape.u8() % 3);
        if let sessions @ 0..=3 = tape.u8() % 8 {
            source = source.sessions(sessions.into());
        }
        let id = self.governor.add(source.clone());
        assert_eq!(id.is_some(), self.known.len() < self.config.sources);
        let Some(id) = id else { return };
        self.ids.push(id);
        let was = self.known.insert(id, Known { source, state: State::Waiting, failures: 0 });
        assert!(was.is_none(), "an id again");
    }

    /// Says something of a source, which may be gone.
    fn say(&mut self, what: u8, id: SourceId, tape: &mut Tape<'_>) {
        match what {
            6 => self.governor.handle_dialled(id),
            7 => self.governor.handle_described(id),
            8 => self.governor.handle_playing(id),
            9 => {
                let failure = match tape.u8() % 8 {
                    0 => Failure::Unreachable,
                    1 => Failure::Busy,
                    2 => Failure::Failed,
                    3 => {
                        self.governor.handle_moved(id);
                        return self.moved(id);
                    }
                    n => Failure::Refused { tries: u32::from(n) - 4 },
                };
                return self.fail(id, failure);
            }
            10 => {
                self.governor.handle_credentials_changed(id);
                if let Some(known) = self.known.get(&id) {
                    let account = self.accounts.entry(account(&known.source)).or_default();
                    account.refused.clear();
                    account.passwords.clear();
                }
                return;
            }
            _ => return self.remove(id),
        }
        let Some(known) = self.known.get_mut(&id) else { return };
        let before = known.state;
        known.state = match (before, what) {
            (State::Dialling { proven, .. }, 6) => State::Dialling { connected: true, proven },
            (State::Dialling { .. }, 7) => State::Open { playing: false },
            (State::Dialling { .. } | State::Open { .. }, 8) => State::Open { playing: true },
            _ => before,
        };
        if known.state == (State::Open { playing: true }) && what == 8 {
            known.failures = 0;
        }
        if matches!((before, known.state), (State::Dialling { .. }, State::Open { .. })) {
            let (account, secret) = (account(&known.source), known.source.secret);
            let password = Password { proven: true, refused: None };
            self.accounts.entry(account).or_default().passwords.insert(secret, password);
        }
    }

    fn moved(&mut self, id: SourceId) {
        if let Some(known) = self.known.get_mut(&id) {
            known.state = State::Waiting;
        }
    }

    fn fail(&mut self, id: SourceId, failure: Failure) {
        self.governor.handle_failed(self.now, id, failure);
        let now = self.now;
        let Some(known) = self.known.get_mut(&id).filter(|known| known.state != State::Waiting) else {
            return;
        };
        known.failures += 1;
        let before = std::mem::replace(&mut known.state, State::Waiting);
        if let Failure::Refused { tries } = failure {
            let account = self.accounts.entry(account(&known.source)).or_default();
            let refused = Some(now);
            account.passwords.insert(known.source.secret, Password { proven: false, refused });
            if matches!(before, State::Dialling { proven: false, .. }) {
                account.refused.push((now, tries.max(1)));
                account.dearest = account.dearest.max(tries);
            }
        }
    }

    fn remove(&mut self, id: SourceId) {
        self.governor.remove(id);
        let Some(Known { source, .. }) = self.known.remove(&id) else { return };
        let name = account(&source);
        let mut others = self.known.values().filter(|known| account(&known.source) == name);
        if others.clone().next().is_none() {
            self.accounts.remove(&name);
        } else if others.all(|known| known.source.secret != source.secret)
            && let Some(account) = self.accounts.get_mut(&name)
        {
            account.passwords.remove(&source.secret);
        }
    }

    /// Takes all dials that are due.
    fn poll(&mut self, mut then: impl FnMut(&mut Self, SourceId)) {
        while let Some(dial) = self.governor.poll_output(self.now) {
            self.dial(dial.source, dial.attempt);
            then(self, dial.source);
        }
        let next = self.governor.poll_timeout();
        assert!(next.is_none_or(|at| at > self.now), "asked again at once");
    }

    fn dial(&mut self, id: SourceId, attempt: u32) {
        let now = self.now;
        let apart = SECOND.div_ceil(u64::from(self.config.dials_per_second.max(1)));
        assert!(self.dialled.is_none_or(|last| now.since(last) >= apart), "a burst");
        self.dialled = Some(now);
        self.dials += 1;

        let source = self.known.get(&id).expect("a source that is known").source.clone();
        let secret = source.secret;
        let account = self.accounts.entry(account(&source)).or_default();
        let password = account.passwords.get(&secret).copied().unwrap_or_default();
        if !password.proven {
            let recent = |(at, _): &&(Micros, u32)| now.since(*at) < self.config.window;
            let spent: u32 = account.refused.iter().filter(recent).map(|(_, tries)| tries).sum();
            assert!(spent == 0 || spent + account.dearest.max(1) <= self.config.tries, "an account may lock");
            let rested = |at| now.since(at) >= self.config.refused / 2;
            assert!(password.refused.is_none_or(rested), "a refused password at once");
        }
        let proven = password.proven;

        let known = self.known.get_mut(&id).expect("a source that is known");
        assert!(known.state == State::Waiting, "dialled twice");
        assert_eq!(attempt, known.failures + 1);
        known.state = State::Dialling { connected: false, proven };
        let in_flight = self.count(|state| matches!(state, State::Dialling { .. }));
        assert!(in_flight <= self.config.in_flight.max(1));
        let of_device = || self.known.values().filter(|known| known.source.device == source.device);
        let dialling = of_device().filter(|known| matches!(known.state, State::Dialling { .. })).count();
        assert_eq!(dialling, 1, "two DESCRIBEs at one device");
        let least = of_device().filter_map(|known| known.source.sessions).min();
        let budget = least.unwrap_or(self.config.sessions).max(1) as usize;
        let sessions = of_device().filter(|known| known.state != State::Waiting).count();
        assert!(sessions <= budget, "{sessions} sessions of {budget}");
    }

    fn count(&self, is: impl Fn(State) -> bool) -> usize {
        self.known.values().filter(|known| is(known.state)).count()
    }

    fn check(&self) {
        let stats = self.governor.stats();
        assert_eq!((stats.sources, stats.dials), (self.known.len(), self.dials));
        assert_eq!(stats.waiting + stats.ready, self.count(|state| state == State::Waiting));
        assert!(stats.held <= stats.waiting);
        let dialling = |connected| {
            self.count(|state| matches!(state, State::Dialling { connected: c, .. } if c == connected))
        };
        assert_eq!((stats.dialling, stats.describing), (dialling(false), dialling(true)));
        assert_eq!(stats.open, self.count(|state| matches!(state, State::Open { .. })));
        assert_eq!(stats.playing, self.count(|state| state == State::Open { playing: true }));
    }

    /// Whoever has a place gives it up; each is dialled within some rounds of all.
    fn all_have_their_turn(&mut self) {
        for id in self.ids.clone() {
            self.fail(id, Failure::Failed);
        }
        let (before, mut turned) = (self.dials, BTreeSet::new());
        while turned.len() < self.known.len() {
            self.poll(|run, id| {
                turned.insert(id);
                run.fail(id, Failure::Failed);
            });
            self.now = match self.governor.poll_timeout() {
                Some(at) => at,
                None => panic!("{} of {} wait for ever", turned.len(), self.known.len()),
            };
            assert!(self.dials - before < 4_000, "{} of {} had their turn", turned.len(), self.known.len());
        }
    }
}

fn account(source: &Source) -> (String, String) {
    (source.device.clone(), source.account.clone())
}

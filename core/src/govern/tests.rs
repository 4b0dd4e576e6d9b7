//! A town on a fake clock. Each dial is checked against the plan as it is given.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000;

/// What a simulated device does with a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// After these microseconds each, it is connected and described; then it plays.
    Plays(u64, u64),
    /// Nothing answers for ten seconds.
    Dead,
    /// It refuses the password.
    Refuses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Dialled,
    Described,
    Playing,
    Unreachable,
    Refused,
}

/// Sources, their devices, and who watches over the plan.
struct Town {
    governor: Governor,
    config: Config,
    now: Micros,
    ids: Vec<SourceId>,
    of: BTreeMap<SourceId, (String, u32)>,
    answers: Vec<Answer>,
    due: BinaryHeap<Reverse<(Micros, usize, Step)>>,
    dials: VecDeque<Micros>,
    in_flight: BTreeSet<usize>,
    describing: BTreeMap<String, usize>,
    sessions: BTreeMap<String, u32>,
    open: BTreeSet<usize>,
    playing: BTreeSet<usize>,
    /// Passwords refused by each device: when.
    refused: BTreeMap<String, Vec<Micros>>,
    /// The most dials within any second.
    most: usize,
}

impl Town {
    fn new(config: Config, seed: u64) -> Self {
        Self {
            governor: Governor::new(config, seed),
            config,
            now: Micros(0),
            ids: Vec::new(),
            of: BTreeMap::new(),
            answers: Vec::new(),
            due: BinaryHeap::new(),
            dials: VecDeque::new(),
            in_flight: BTreeSet::new(),
            describing: BTreeMap::new(),
            sessions: BTreeMap::new(),
            open: BTreeSet::new(),
            playing: BTreeSet::new(),
            refused: BTreeMap::new(),
            most: 0,
        }
    }

    fn add(&mut self, device: &str, sessions: u32, priority: u8, answer: Answer) -> usize {
        let source = Source::new(device, "viewer").sessions(sessions).priority(priority);
        let id = self.governor.add(source).unwrap();
        self.ids.push(id);
        self.of.insert(id, (device.into(), sessions));
        self.answers.push(answer);
        self.ids.len() - 1
    }

    /// Runs to the moment, checking each dial.
    fn run(&mut self, until: Micros) {
        loop {
            while let Some(dial) = self.governor.poll_output(self.now) {
                self.dial(dial);
            }
            let next = self.due.peek().map(|Reverse((at, ..))| *at);
            let timer = self.governor.poll_timeout();
            assert!(timer.is_none_or(|at| at > self.now), "asked again at {:?}, at once", self.now);
            let Some(at) = [next, timer].into_iter().flatten().min().filter(|at| *at <= until) else { break };
            self.now = at;
            while let Some(Reverse((at, source, step))) = self.due.peek().copied() {
                if at > self.now {
                    break;
                }
                self.due.pop();
                self.step(source, step);
            }
        }
        self.now = until;
    }

    fn dial(&mut self, dial: Dial) {
        let now = self.now;
        let source = self.ids.iter().position(|id| *id == dial.source).unwrap();
        let (device, budget) = self.of[&dial.source].clone();
        // The plan, counted here and not by the governor.
        self.dials.push_back(now);
        while self.dials.front().is_some_and(|at| now.since(*at) >= SECOND) {
            self.dials.pop_front();
        }
        self.most = self.most.max(self.dials.len());
        assert!(self.dials.len() <= self.config.dials_per_second as usize, "a storm at {now:?}");
        assert!(self.in_flight.insert(source), "dialled twice");
        assert!(self.in_flight.len() <= self.config.in_flight);
        assert_eq!(self.describing.insert(device.clone(), source), None, "two DESCRIBEs at {device}");
        let sessions = self.sessions.entry(device).or_default();
        *sessions += 1;
        assert!(*sessions <= budget, "{sessions} sessions of {budget}");
        let mut then = |after: u64, step| self.due.push(Reverse((now.plus(after), source, step)));
        match self.answers[source] {
            Answer::Plays(connects, describes) => {
                then(connects, Step::Dialled);
                then(connects + describes, Step::Described);
                then(connects + describes + 40_000, Step::Playing);
            }
            Answer::Dead => then(10 * SECOND, Step::Unreachable),
            Answer::Refuses => {
                then(2_000, Step::Dialled);
                then(5_000, Step::Refused);
            }
        }
    }

    fn step(&mut self, source: usize, step: Step) {
        let id = self.ids[source];
        let device = self.of[&id].0.clone();
        match step {
            Step::Dialled => self.governor.handle_dialled(id),
            Step::Described => {
                self.described(source);
                self.open.insert(source);
                self.governor.handle_described(id);
            }
            Step::Playing => {
                if self.open.contains(&source) {
                    self.playing.insert(source);
                    self.governor.handle_playing(id);
                }
            }
            Step::Unreachable => self.lose(source, Failure::Unreachable),
            Step::Refused => {
                self.refused.entry(device).or_default().push(self.now);
                self.lose(source, Failure::Refused { tries: 1 });
            }
        }
    }

    fn described(&mut self, source: usize) {
        if self.in_flight.remove(&source) {
            self.describing.remove(&self.of[&self.ids[source]].0);
        }
    }

    /// The source loses its session, or its dial failed.
    fn lose(&mut self, source: usize, failure: Failure) {
        self.described(source);
        self.open.remove(&source);
        self.playing.remove(&source);
        *self.sessions.get_mut(&self.of[&self.ids[source]].0).unwrap() -= 1;
        self.due.retain(|Reverse((_, other, _))| *other != source);
        self.governor.handle_failed(self.now, self.ids[source], failure);
    }

    fn check_counts(&self) {
        let stats = self.governor.stats();
        assert_eq!(stats.sources, self.ids.len());
        assert_eq!(
            stats.waiting + stats.ready + stats.dialling + stats.describing + stats.open,
            stats.sources
        );
        assert_eq!(stats.dialling + stats.describing, self.in_flight.len());
        assert_eq!((stats.open, stats.playing), (self.open.len(), self.playing.len()));
    }
}

/// 4,000 sources: 1,600 cameras of their own, and recorders of 16 channels.
fn town(config: Config, answer: Answer) -> Town {
    let mut town = Town::new(config, 5);
    for source in 0..4_000 {
        let device = if source < 1_600 { format!("10.0.{source}") } else { format!("10.1.{}", source / 16) };
        town.add(&device, 16, 0, answer);
    }
    town
}

#[test]
fn four_thousand_sources_connect_at_the_planned_rate() {
    let config = Config::default();
    let mut town = town(config, Answer::Plays(20_000, 60_000));
    town.run(Micros(79 * SECOND));
    assert!(town.playing.len() > 3_900, "{}", town.playing.len());
    town.run(Micros(81 * SECOND));
    assert_eq!((town.playing.len(), town.most), (4_000, 50));
    town.check_counts();
    assert_eq!(town.governor.stats().dials, 4_000);
    assert_eq!(town.governor.poll_timeout(), None);
}

#[test]
fn a_site_of_500_comes_back_without_a_storm() {
    let mut town = town(Config::default(), Answer::Plays(20_000, 60_000));
    town.run(Micros(100 * SECOND));
    for source in 0..500 {
        town.answers[source] = Answer::Dead;
        town.lose(source, Failure::Unreachable);
    }
    // While the site is dead, another camera that is lost is not made to wait behind it.
    town.run(Micros(160 * SECOND));
    town.lose(3_000, Failure::Failed);
    town.run(Micros(162 * SECOND));
    assert!(town.playing.contains(&3_000));
    assert_eq!(town.playing.len(), 3_500);
    // Half of the places at most.
    assert!(town.in_flight.len() <= town.config.in_flight / 2);
    for source in 0..500 {
        town.answers[source] = Answer::Plays(20_000, 60_000);
    }
    let before = town.governor.stats().dials;
    town.run(Micros(190 * SECOND));
    assert_eq!(town.playing.len(), 4_000);
    // Each of them once, and nobody else: the dials under way when the site came back ended in silence.
    let dials = town.governor.stats().dials - before;
    assert!((436..=564).contains(&dials), "{dials}");
    town.check_counts();
}

#[test]
fn a_wrong_password_everywhere_costs_each_device_the_configured_tries() {
    let config = Config::default();
    let mut town = town(config, Answer::Refuses);
    town.run(Micros(20 * 60 * SECOND));
    assert_eq!(town.refused.len(), 1_600 + 150);
    for tries in town.refused.values() {
        assert_eq!(tries.len(), 3, "{tries:?}");
        assert!(tries.windows(2).all(|w| w[1].since(w[0]) >= config.refused / 2), "{tries:?}");
    }
    assert_eq!(town.governor.stats().held, 4_000);
    // A day: no window of half an hour ever sees more.
    town.run(Micros(24 * 3_600 * SECOND));
    for tries in town.refused.values() {
        assert!((20..=30).contains(&tries.len()), "{}", tries.len());
        assert!(tries.windows(4).all(|w| w[3].since(w[0]) >= config.window), "{tries:?}");
    }
    // The operator mends the password of one recorder: its sixteen channels go at once, without a minute's wait.
    let recorder = 1_600..1_616;
    recorder.clone().for_each(|source| town.answers[source] = Answer::Plays(1_000, 1_000));
    town.governor.handle_credentials_changed(town.ids[1_600]);
    town.run(town.now.plus(2 * SECOND));
    assert!(recorder.clone().all(|source| town.playing.contains(&source)), "{:?}", town.governor.stats());
    assert_eq!(town.playing.len(), 16);
}

#[test]
fn a_camera_that_tries_three_digests_is_dialled_once() {
    let mut governor = Governor::new(Config::default(), 1);
    let ids = [(); 4].map(|()| governor.add(Source::new("cam", "viewer")).unwrap());
    let dial = governor.poll_output(Micros(0)).unwrap();
    governor.handle_failed(Micros(1), dial.source, Failure::Refused { tries: 3 });
    for second in 0..1_799 {
        assert_eq!(governor.poll_output(Micros(second * SECOND)), None);
    }
    // Another user of the same device is another account.
    let other = governor.add(Source::new("CAM", "admin")).unwrap();
    assert_eq!(governor.poll_output(Micros(SECOND)).unwrap().source, other);
    assert_eq!(ids.len() + 1, governor.stats().sources);
}

#[test]
fn a_right_password_goes_on_beside_a_wrong_one_of_the_same_user() {
    let config = Config::default();
    let mut governor = Governor::new(config, 1);
    let source = |secret| Source::new("recorder", "viewer").secret(secret);
    let wrong = governor.add(source(1)).unwrap();
    let right = governor.add(source(2)).unwrap();
    let mut now = Micros(0);
    let mut dials = Vec::new();
    // The right one is lost every ten minutes; the wrong one is refused whenever it is tried.
    while now < Micros(2 * 3_600 * SECOND) {
        while let Some(dial) = governor.poll_output(now) {
            dials.push((now, dial.source));
            if dial.source == wrong {
                governor.handle_failed(now, wrong, Failure::Refused { tries: 1 });
            } else {
                governor.handle_described(right);
                governor.handle_playing(right);
            }
        }
        now = now.plus(10 * SECOND);
        if now.0.is_multiple_of(600 * SECOND) {
            governor.handle_failed(now, right, Failure::Unreachable);
        }
    }
    let of = |id| dials.iter().filter(|(_, source)| *source == id).map(|(at, _)| *at).collect::<Vec<_>>();
    assert_eq!(of(right).len(), 12, "{dials:?}");
    assert!((4..=5).contains(&of(wrong).len()), "{dials:?}");
    // Once it is refused too, the account is held as a whole.
    now = now.plus(10 * SECOND);
    while governor.poll_output(now).is_some_and(|dial| dial.source != right) {}
    governor.handle_failed(now, right, Failure::Refused { tries: 1 });
    assert!(governor.waits_until(right).unwrap() >= now.plus(config.refused / 2));
}

#[test]
fn a_device_serves_as_many_as_it_says_and_all_get_their_turn() {
    let mut town = Town::new(Config::default(), 1);
    for _ in 0..3 {
        town.add("tapo", 2, 0, Answer::Plays(1_000, 1_000));
    }
    town.run(Micros(5 * SECOND));
    assert_eq!(town.playing, BTreeSet::from([0, 1]));
    for (lost, expected) in [(0, [1, 2]), (1, [0, 2]), (2, [0, 1])] {
        town.lose(lost, Failure::Failed);
        town.run(town.now.plus(5 * SECOND));
        assert_eq!(town.playing, BTreeSet::from(expected), "after {lost}");
    }
}

#[test]
fn the_higher_priority_goes_first_and_the_lower_goes() {
    let mut town = Town::new(Config::default().dials_per_second(1), 1);
    let low: Vec<_> = (0..3).map(|n| town.add(&format!("low{n}"), 1, 0, Answer::Plays(1, 1))).collect();
    let high: Vec<_> = (0..3).map(|n| town.add(&format!("high{n}"), 1, 9, Answer::Plays(1, 1))).collect();
    town.run(Micros(2 * SECOND + 500_000));
    assert_eq!(town.playing, high.into_iter().collect());
    town.run(Micros(6 * SECOND));
    assert!(low.iter().all(|source| town.playing.contains(source)));
}

#[test]
fn the_dead_of_high_priority_starve_nobody() {
    let mut town = Town::new(Config::default().dials_per_second(2).in_flight(4), 1);
    for n in 0..200 {
        town.add(&format!("dead{n}"), 1, 200, Answer::Dead);
    }
    town.run(Micros(4_000 * SECOND));
    let low = town.add("low", 1, 0, Answer::Plays(1_000, 1_000));
    town.run(Micros(4_030 * SECOND));
    assert!(town.playing.contains(&low));
    // And among the dead, all are tried.
    town.answers[..200].fill(Answer::Plays(1_000, 1_000));
    town.run(Micros(4_300 * SECOND));
    assert_eq!(town.playing.len(), 201);
}

#[test]
fn what_is_said_of_a_source_that_is_gone_changes_nothing() {
    let mut governor = Governor::new(Config::default(), 1);
    let gone = governor.add(Source::new("a", "")).unwrap();
    assert!(governor.poll_output(Micros(0)).is_some());
    governor.remove(gone);
    assert_eq!(governor.stats().sources, 0);
    let next = governor.add(Source::new("a", "")).unwrap();
    governor.handle_described(gone);
    governor.handle_failed(Micros(1), gone, Failure::Busy);
    governor.remove(gone);
    assert_eq!(governor.poll_output(Micros(SECOND)).unwrap().source, next);
    let mut config = Config::default();
    config.sources = 1;
    let mut full = Governor::new(config, 1);
    assert!(full.add(Source::new("a", "")).is_some() && full.add(Source::new("b", "")).is_none());
}

#[test]
fn a_redirected_source_dials_again_within_the_plan() {
    let mut governor = Governor::new(Config::default(), 1);
    let id = governor.add(Source::new("a", "")).unwrap();
    assert_eq!(governor.poll_output(Micros(0)).map(|d| d.source), Some(id));
    governor.handle_moved(id);
    assert_eq!(governor.poll_output(Micros(1)), None);
    assert_eq!(governor.poll_timeout(), Some(Micros(20_000)));
    assert_eq!(governor.poll_output(Micros(20_000)).map(|d| d.source), Some(id));
}

#[derive(Clone, Debug)]
enum Act {
    Add { device: u8, priority: u8, answer: u8 },
    Lose(usize, u8),
    Changed(usize),
    Run(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..6_u8, 0..3_u8, 0..4_u8)
            .prop_map(|(device, priority, answer)| Act::Add { device, priority, answer }),
        2 => (any::<prop::sample::Index>(), 0..3_u8).prop_map(|(i, kind)| Act::Lose(i.index(1 << 20), kind)),
        1 => any::<prop::sample::Index>().prop_map(|i| Act::Changed(i.index(1 << 20))),
        5 => (1..30 * SECOND).prop_map(Act::Run),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever happens, each dial is within the plan (`Town::dial` asserts it), the counts agree, and once all devices
    /// answer, all sources that have a place play.
    #[test]
    fn the_plan_holds_whatever_happens(acts in prop::collection::vec(act(), 1..60), seed: u64) {
        let config = Config::default().dials_per_second(7).in_flight(3);
        let mut town = Town::new(config, seed);
        for act in acts {
            match act {
                Act::Add { device, priority, answer } => {
                    // A device's budget is one number, so that the model can hold the governor to it.
                    let sessions = u32::from(device % 3) + 1;
                    let answer = match answer {
                        0 => Answer::Dead,
                        1 => Answer::Refuses,
                        _ => Answer::Plays(3_000, u64::from(answer) * 50_000),
                    };
                    town.add(&format!("d{device}"), sessions, priority, answer);
                }
                Act::Lose(source, kind) => {
                    let Some(source) = town.open.iter().copied().nth(source % town.open.len().max(1)) else { continue };
                    let failure = [Failure::Failed, Failure::Busy, Failure::Unreachable][usize::from(kind)];
                    town.lose(source, failure);
                }
                Act::Changed(source) if !town.ids.is_empty() => {
                    town.governor.handle_credentials_changed(town.ids[source % town.ids.len()]);
                }
                Act::Changed(_) => {}
                Act::Run(micros) => {
                    let until = town.now.plus(micros);
                    town.run(until);
                }
            }
            town.check_counts();
        }
        town.answers.fill(Answer::Plays(3_000, 3_000));
        let until = town.now.plus(4 * 3_600 * SECOND);
        town.run(until);
        let mut places: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
        for (device, budget) in town.of.values() {
            let (sources, _) = *places.get(device.as_str()).unwrap_or(&(0, 0));
            places.insert(device, (sources + 1, *budget));
        }
        let expected: u32 = places.values().map(|(sources, budget)| sources.min(budget)).sum();
        prop_assert_eq!(town.playing.len(), expected as usize);
    }
}

//! Deleting what is older than it may be: `docs/format.md` §9.
//!
//! [`plan`] says what a pass would do and changes nothing; [`run`] does it for a camera that nobody records,
//! [`Writer::retain`](super::Writer::retain) for one that is being recorded. Nothing is deleted that the [journal] does not
//! say first, and nothing that a hold keeps.
//!
//! [journal]: super::journal

mod index;
mod pass;
mod survey;
#[cfg(test)]
mod tests;
mod trim;

use alloc::vec::Vec;

use self::survey::{Fate, Question, survey_day};
use super::journal::{self, Amount, Brake, Deleted, Error, Journal, Rule, State, read_state};
use super::last::last_of;
use super::list::walk_index;
use super::{Source, Storage, days};
use crate::gix::{Day, Key};
use crate::time::{DAY, UtcMicros};

pub use pass::run;
pub(super) use pass::{Opened, pass};

/// How much more than since the last pass may have passed by the clock.
const LEAP: i64 = 26 * 3_600_000_000;
/// A file lasts at least so long, whatever the footage at hand says.
const LONGEST: i64 = 120_000_000;

/// What the clock shows, and how far that can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Clock {
    /// The time of day.
    pub now: UtcMicros,
    /// Is it known to be right (synchronised)? Asked only at the first pass of a process, after a long time without footage.
    pub trusted: bool,
    /// The time of day at the last pass of this process that nothing stopped.
    pub last: Option<UtcMicros>,
}

impl Clock {
    /// That of a first pass, not known to be right.
    #[must_use]
    pub const fn new(now: UtcMicros) -> Self {
        Self { now, trusted: false, last: None }
    }

    /// Is it known to be right?
    #[must_use]
    pub const fn trusted(mut self, trusted: bool) -> Self {
        self.trusted = trusted;
        self
    }

    /// When this process made its last pass.
    #[must_use]
    pub const fn last(mut self, last: Option<UtcMicros>) -> Self {
        self.last = last;
        self
    }
}

/// What a pass would delete of a camera.
#[derive(Debug)]
#[non_exhaustive]
pub struct Plan {
    /// Which camera.
    pub source: Source,
    /// By which rule.
    pub rule: Rule,
    /// Files whose first picture is not after this are expired.
    pub before: UtcMicros,
    /// The first picture that goes, and the end of the last; where nothing goes, `before` both.
    pub from: UtcMicros,
    /// See `from`.
    pub to: UtcMicros,
    /// Media files that go.
    pub files: u64,
    /// Media files of which a part goes.
    pub trimmed: u64,
    /// Bytes of media that go.
    pub bytes: u64,
    /// Files that go though their last picture has not reached the minimum age: longer ones than the policy was made for.
    pub early: u64,
    /// All that is expired, held or not.
    pub there: Amount,
    /// Days before 2000, whose footage was recorded while the clock had not been set: how old it is nobody knows, and no pass
    /// deletes it.
    pub undated: u64,
    /// What stops it.
    pub brake: Option<Brake>,
    /// The days in which something may be expired.
    days: Vec<Day>,
    /// Those whose index does not tell of all their media.
    unsound: Vec<Day>,
    /// What goes that the accepted policy keeps: bytes, and the times of the first and the last file.
    more: (u64, Option<(UtcMicros, UtcMicros)>),
    work: bool,
}

impl Plan {
    /// Is there nothing to delete?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.work
    }

    /// Bytes that are expired and stay, since a hold keeps them.
    #[must_use]
    pub const fn held(&self) -> u64 {
        self.there.bytes.saturating_sub(self.bytes)
    }
}

/// What a pass has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The tombstones written: of a deletion that a power cut had stopped, and of this pass.
    pub deleted: Vec<Deleted>,
    /// What stopped it.
    pub brake: Option<Brake>,
    /// Files that should have been trimmed, and were left whole: a held fragment in them is damaged.
    pub damaged: u64,
    /// Nothing was looked at: what a crash has left of the camera is still being made whole.
    pub postponed: bool,
}

impl Outcome {
    pub(super) fn postponed() -> Self {
        Self { postponed: true, ..Self::default() }
    }
}

/// What a pass of this camera would do now, with this policy instead of the one in force where `rule` is given.
///
/// # Errors
/// All that a disk can fail by.
pub fn plan(
    storage: &mut dyn Storage,
    source: &Source,
    rule: Option<Rule>,
    clock: Clock,
) -> Result<Plan, Error> {
    let state = read_state(storage, source.tenant)?;
    let rule = rule.or_else(|| Some(state.policy.as_ref()?.rule(&source.camera))).unwrap_or_default();
    planned(storage, source, &state, rule, clock, None)
}

fn planned(
    storage: &mut dyn Storage,
    source: &Source,
    state: &State,
    rule: Rule,
    clock: Clock,
    open: Option<Key>,
) -> Result<Plan, Error> {
    let before = rule.max_age.map_or(UtcMicros(i64::MIN), |age| clock.now.plus(age.saturating_neg()));
    let mut plan = surveyed(storage, source, state, (rule, before), clock.now, open)?;
    if plan.work {
        plan.brake = brake(storage, &plan, state, clock)?;
    }
    Ok(plan)
}

fn surveyed(
    storage: &mut dyn Storage,
    source: &Source,
    state: &State,
    (rule, before): (Rule, UtcMicros),
    now: UtcMicros,
    open: Option<Key>,
) -> Result<Plan, Error> {
    let held = state.held(&source.camera);
    let ask = Question { source, before, held: &held, open };
    let all = days(storage, source)?;
    let mut plan = Plan {
        source: *source,
        rule,
        before,
        from: before,
        to: before,
        files: 0,
        trimmed: 0,
        bytes: 0,
        early: 0,
        undated: all.iter().filter(|day| day.start() < survey::DATED).count() as u64,
        there: Amount::default(),
        brake: None,
        work: false,
        days: ask.concerned(&all),
        unsound: Vec::new(),
        more: (0, None),
    };
    let young = now.plus(rule.min_age.unwrap_or(0).saturating_neg());
    let accepted = state.accepted.rule(&source.camera).max_age;
    let kept = accepted.map_or(UtcMicros(i64::MIN), |age| now.plus(age.saturating_neg()));
    let mut ends: Option<(UtcMicros, UtcMicros)> = None;
    for day in plan.days.clone() {
        // Let go of before the next: after weeks of being switched off they are many.
        let day = survey_day(storage, &ask, day, false)?;
        plan.there.add(day.there());
        plan.work |= day.has_work();
        plan.unsound.extend(day.unsound.then_some(day.day));
        for file in &day.media {
            match &file.fate {
                Fate::Delete => plan.files += 1,
                Fate::Trim(_) => plan.trimmed += 1,
                Fate::Stay | Fate::Held => continue,
            }
            let goes = file.len.saturating_sub(file.left);
            plan.bytes += goes;
            plan.early += u64::from(rule.min_age.is_some() && file.end > young);
            let (from, to) = ends.unwrap_or((file.key.utc, file.end));
            ends = Some((from.min(file.key.utc), to.max(file.end)));
            if file.key.utc > kept {
                let (bytes, ends) = &mut plan.more;
                let (from, to) = ends.unwrap_or((file.key.utc, file.key.utc));
                *bytes += goes;
                *ends = Some((from.min(file.key.utc), to.max(file.key.utc)));
            }
        }
    }
    (plan.from, plan.to) = ends.unwrap_or((before, before));
    Ok(plan)
}

/// What stops a pass: `docs/format.md` §9.5.
fn brake(
    storage: &mut dyn Storage,
    plan: &Plan,
    state: &State,
    clock: Clock,
) -> Result<Option<Brake>, Error> {
    if state.damaged > 0 || state.unknown > 0 {
        return Ok(Some(Brake::Journal));
    }
    if leaps(storage, plan, state, clock)? {
        return Ok(Some(Brake::Clock));
    }
    let accepted = state.accepted.rule(&plan.source.camera).max_age;
    if accepted.is_some_and(|age| plan.rule.max_age.is_some_and(|new| new >= age)) {
        return Ok(None);
    }
    let (bytes, ends) = plan.more;
    let long = ends.is_some_and(|(from, to)| to.0.saturating_sub(from.0) > DAY);
    let much = bytes > 0 && bytes.saturating_mul(5) > total(storage, &plan.source)?;
    Ok((long || much).then_some(Brake::Change))
}

/// Is the clock not to be believed?
fn leaps(storage: &mut dyn Storage, plan: &Plan, state: &State, clock: Clock) -> Result<bool, Error> {
    let far = |from: UtcMicros| clock.now.0.saturating_sub(from.0) > LEAP;
    if state.confirmed.is_some_and(|at| clock.now.0.abs_diff(at.0) <= LEAP.unsigned_abs()) {
        return Ok(false);
    }
    match clock.last {
        Some(last) => Ok(far(last)),
        None if clock.trusted => Ok(false),
        // Footage that was recorded by a clock that is not believed says nothing for it.
        None if state.is_braked(&plan.source.camera) == Some(Brake::Clock) => {
            Ok(state.latest.is_some_and(far))
        }
        None => Ok(newest(storage, &plan.source)?.max(state.latest).is_some_and(far)),
    }
}

/// Where a camera's newest footage ends.
fn newest(storage: &mut dyn Storage, source: &Source) -> Result<Option<UtcMicros>, Error> {
    for day in days(storage, source)?.into_iter().rev() {
        let Some(last) = readable(last_of(storage, source, day))?.flatten() else { continue };
        let mut end = last.mark.end();
        if last.stepped {
            walk_index(storage, source, day, |_, entry| end = end.max(entry.mark.end()))?;
        }
        return Ok(Some(end));
    }
    Ok(None)
}

/// An index of a later version says nothing here, and stops nothing.
fn readable<T>(read: Result<T, super::Error>) -> Result<Option<T>, super::Error> {
    match read {
        Err(super::Error { kind: super::Kind::Version, .. }) => Ok(None),
        other => other.map(Some),
    }
}

/// Bytes of all of a camera's media.
fn total(storage: &mut dyn Storage, source: &Source) -> Result<u64, Error> {
    let mut bytes = 0;
    for day in days(storage, source)? {
        let files = super::scan::day_files(storage, source, day)?;
        bytes += files.media.iter().map(|(_, len)| len).sum::<u64>();
    }
    Ok(bytes)
}

/// How long the longest file of a camera's last three days lasts, in microseconds; no less than two minutes: what a minimum and
/// a maximum age have to leave between them.
///
/// # Errors
/// All that a disk can fail by.
pub fn longest(storage: &mut dyn Storage, source: &Source) -> Result<i64, Error> {
    let mut longest = LONGEST;
    for day in days(storage, source)?.into_iter().rev().take(3) {
        readable(walk_index(storage, source, day, |index, entry| {
            let Some(file) = index.file_of(entry) else { return };
            longest = longest.max(entry.mark.end().0.saturating_sub(file.key.utc.0));
        }))?;
    }
    Ok(longest)
}

/// Has the tenant a journal? Without one there is no policy, and a pass leaves no trace.
pub(super) fn concerns(storage: &mut dyn Storage, source: &Source) -> Result<bool, Error> {
    journal::exists(storage, source.tenant)
}

/// The rule in force.
fn rule_of(journal: &Journal, source: &Source) -> Rule {
    journal.state().policy.as_ref().map(|policy| policy.rule(&source.camera)).unwrap_or_default()
}

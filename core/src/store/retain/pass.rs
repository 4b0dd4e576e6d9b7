//! A pass: what is expired goes, in two phases. `docs/format.md` §9.2, step by step.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use super::index::{Left, remake};
use super::survey::{DaySurvey, Fate, Question, left, survey_day, there};
use super::trim::{Moved, trim};
use super::{Clock, Outcome, Plan, planned, rule_of, surveyed};
use crate::gix::{Builder, Day, Index, Key};
use crate::store::gap::{append_log, read_log};
use crate::store::journal::{Amount, Begun, Brake, Deleted, Error, Journal, Record};
use crate::store::mend::continued;
use crate::store::recover::{Recovery, end_span};
use crate::store::storage::{folder_of, replace};
use crate::store::{self, Access, Cause, File, GapEntry, Kind, Source, Storage, gap_log_path, index_path};
use crate::time::UtcMicros;

/// What a camera's writer has open.
pub(in crate::store) struct Opened<'a> {
    /// The day whose index is open.
    pub(in crate::store) day: Day,
    pub(in crate::store) builder: &'a mut Builder,
    pub(in crate::store) index: &'a mut Option<File>,
    /// The file that is open.
    pub(in crate::store) media: Option<Key>,
}

/// Makes a pass of a camera that nobody records at present.
///
/// # Errors
/// [`Locked`](store::Kind::Locked) where somebody does, whose recorder makes its own passes; or while another process writes the
/// tenant's journal. All that a disk can fail by: what was begun is taken up by the next pass.
pub fn run(storage: &mut dyn Storage, source: &Source, clock: Clock) -> Result<Outcome, Error> {
    let folder = alloc::format!("{source}");
    storage.lock(&folder)?;
    let done = Journal::open(storage, source.tenant, clock.now).and_then(|mut journal| {
        let done = pass(&mut journal, storage, source, clock, None);
        journal.close(storage);
        done
    });
    storage.unlock(&folder);
    done
}

/// Makes a pass, by who holds the camera's lock.
pub(in crate::store) fn pass(
    journal: &mut Journal,
    storage: &mut dyn Storage,
    source: &Source,
    clock: Clock,
    mut open: Option<Opened<'_>>,
) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    let sound = journal.state().damaged == 0 && journal.state().unknown == 0;
    let begun = journal.state().cameras.get(&source.camera).and_then(|camera| camera.begun.clone());
    if let Some((n, begun)) = begun.filter(|_| sound) {
        let rule = rule_of(journal, source);
        let media = open.as_ref().and_then(|open| open.media);
        let survey = |storage: &mut dyn Storage| {
            surveyed(storage, source, journal.state(), (rule, begun.before), clock.now, media)
        };
        let mut plan = survey(storage)?;
        if make_sound(storage, source, &plan, open.as_ref().map(|open| open.day))? {
            plan = survey(storage)?;
        }
        // Where the clock was set back since, what was recorded by it may bear the dates of what was to go.
        let back = journal.state().latest.map_or(0, |latest| latest.0.saturating_sub(clock.now.0).max(0));
        let expired = begun.before.plus(back.saturating_neg());
        let deletion = Deletion { source, begun: &begun, n, expired };
        deletion.go(journal, storage, clock.now, &plan, &mut open, &mut outcome)?;
    }
    let rule = rule_of(journal, source);
    if rule.max_age.is_none() {
        return Ok(outcome);
    }
    let media = open.as_ref().and_then(|open| open.media);
    let mut plan = planned(storage, source, journal.state(), rule, clock, media)?;
    if plan.is_empty() {
        return Ok(outcome);
    }
    if let Some(brake) = plan.brake {
        braked(journal, storage, clock.now, &plan, brake)?;
        outcome.brake = Some(brake);
        return Ok(outcome);
    }
    if make_sound(storage, source, &plan, open.as_ref().map(|open| open.day))? {
        plan = planned(storage, source, journal.state(), rule, clock, media)?;
        if plan.is_empty() {
            return Ok(outcome);
        }
    }
    let begun = Begun {
        camera: source.camera,
        rule: rule.name(),
        before: plan.before,
        from: plan.from,
        to: plan.to,
        files: plan.files + plan.trimmed,
        bytes: plan.bytes,
        there: plan.there,
    };
    let n = journal.append(storage, clock.now, &Record::DeletionBegun(begun.clone()))?;
    let deletion = Deletion { source, begun: &begun, n, expired: begun.before };
    deletion.go(journal, storage, clock.now, &plan, &mut open, &mut outcome)?;
    Ok(outcome)
}

/// Says so in the journal, once until something changes.
fn braked(
    journal: &mut Journal,
    storage: &mut dyn Storage,
    now: UtcMicros,
    plan: &Plan,
    brake: Brake,
) -> Result<(), Error> {
    let camera = plan.source.camera;
    if journal.state().is_braked(&camera) != Some(brake) {
        let (files, bytes) = (plan.files + plan.trimmed, plan.bytes);
        journal.append(storage, now, &Record::Braked { camera, brake, files, bytes })?;
    }
    Ok(())
}

/// Recovers the days whose index does not tell of all their media. Was there one?
fn make_sound(
    storage: &mut dyn Storage,
    source: &Source,
    plan: &Plan,
    open: Option<Day>,
) -> Result<bool, Error> {
    let mut made = false;
    for day in plan.unsound.iter().filter(|day| Some(**day) != open) {
        Recovery::survey(storage, source, *day)?.run(storage)?;
        made = true;
    }
    Ok(made)
}

struct Deletion<'a> {
    source: &'a Source,
    begun: &'a Begun,
    /// Number of the line that announced it.
    n: u64,
    /// Of what it announced, files whose first picture is after this stay.
    expired: UtcMicros,
}

impl Deletion<'_> {
    /// Deletes what the plan says, and writes the tombstone.
    fn go(
        &self,
        journal: &mut Journal,
        storage: &mut dyn Storage,
        now: UtcMicros,
        plan: &Plan,
        open: &mut Option<Opened<'_>>,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let held = journal.state().held(&self.source.camera);
        let media = open.as_ref().and_then(|open| open.media);
        let ask = Question { source: self.source, before: self.begun.before, held: &held, open: media };
        let (mut trimmed, mut failed) = (0, None);
        for day in &plan.days {
            let opened = open.as_mut().filter(|open| open.day == *day);
            // One day's index at a time is in memory. What one day fails by keeps no other from its turn; the tombstone says what
            // is gone.
            let done = survey_day(storage, &ask, *day, true).and_then(|mut day| {
                day.spare(self.expired);
                let (source, before) = (self.source, self.begun.before);
                let mut work = DayWork { source, before, held: &held, day, trimmed: 0, damaged: 0 };
                let done = work.go(storage, opened);
                trimmed += work.trimmed;
                outcome.damaged += work.damaged;
                done
            });
            failed = failed.or(done.err());
        }
        let mut left = Amount::default();
        for day in &plan.days {
            left.add(there(storage, &ask, *day)?);
        }
        let Amount { files, bytes, index_bytes } = self.begun.there;
        let deleted = Deleted {
            camera: self.source.camera,
            begun: self.n,
            rule: self.begun.rule.clone(),
            from: self.begun.from,
            to: self.begun.to,
            files: files.saturating_sub(left.files),
            trimmed,
            bytes: bytes.saturating_sub(left.bytes),
            index_bytes: index_bytes.saturating_sub(left.index_bytes),
        };
        journal.append(storage, now, &Record::Deleted(deleted.clone()))?;
        outcome.deleted.push(deleted);
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

struct DayWork<'a> {
    source: &'a Source,
    before: UtcMicros,
    held: &'a [crate::gix::Span],
    day: DaySurvey,
    trimmed: u64,
    damaged: u64,
}

impl DayWork<'_> {
    fn go(&mut self, storage: &mut dyn Storage, open: Option<&mut Opened<'_>>) -> Result<(), store::Error> {
        if !self.day.has_work() && !self.day.names_missing(self.before) {
            return Ok(());
        }
        let moved = self.day.media.iter().filter_map(|file| Some((file.key, file.moved.clone()?)));
        let mut places: BTreeMap<Key, Moved> = moved.collect();
        let mut failed = self.delete(storage);
        if let Err(error) = self.trim(storage, &mut places) {
            failed = failed.and(Err(error));
        }
        self.sync(storage)?;
        let media = open.as_ref().and_then(|open| open.media);
        self.replace_index(storage, &places, open)?;
        if !self.held.is_empty() {
            // A span of the day before may have gone on in this one.
            for day in [self.day.day.before(), self.day.day] {
                self.note_ends(storage, day, media)?;
            }
        }
        failed
    }

    /// Spans end now with what is held of them.
    fn note_ends(&self, storage: &mut dyn Storage, day: Day, open: Option<Key>) -> Result<(), store::Error> {
        let Some(bytes) = store::storage::read_whole(storage, &index_path(self.source, day))? else {
            return Ok(());
        };
        let Ok((index, _)) = Index::read(&bytes, day) else { return Ok(()) };
        let mut files: alloc::vec::Vec<(Key, UtcMicros)> = alloc::vec::Vec::new();
        for entry in index.entries() {
            let Some(file) = index.file_of(entry) else { continue };
            match files.last_mut().filter(|(key, _)| *key == file.key) {
                Some((_, end)) => *end = entry.utc_end(),
                None => files.push((file.key, entry.utc_end())),
            }
        }
        let nexts = files.iter().skip(1).map(|(key, _)| Some(*key)).chain([None]);
        for ((key, utc), next) in files.iter().zip(nexts) {
            let end = Key { utc: *utc, counter: key.counter.saturating_add(1) };
            if key.utc <= self.before
                && open != Some(*key)
                && !continued(storage, self.source, day, end, next)?
            {
                end_span(storage, self.source, end)?;
            }
        }
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        alloc::format!("{}/{name}", self.source)
    }

    /// Removes what goes as a whole; one that cannot be removed keeps no other.
    fn delete(&self, storage: &mut dyn Storage) -> Result<(), store::Error> {
        let media = self.day.media.iter().filter(|file| file.fate == Fate::Delete).map(|file| &file.name);
        let mut done = Ok(());
        for name in media.chain(&self.day.names) {
            match storage.remove(&self.path(name)) {
                Ok(()) | Err(store::Error { kind: Kind::NotFound, .. }) => {}
                Err(error) => done = done.and(Err(error)),
            }
        }
        done
    }

    fn trim(
        &mut self,
        storage: &mut dyn Storage,
        places: &mut BTreeMap<Key, Moved>,
    ) -> Result<(), store::Error> {
        let mut done = Ok(());
        for file in &self.day.media {
            let Fate::Trim(kept) = &file.fate else { continue };
            match trim(storage, self.source, file.key, kept) {
                Ok(Some(new)) => {
                    self.trimmed += 1;
                    let new = kept.iter().map(|(old, _)| *old).zip(new).collect();
                    places.insert(file.key, Moved { trimmed: true, places: new });
                }
                Ok(None) => self.damaged += 1,
                Err(error) => done = done.and(Err(error)),
            }
        }
        done
    }

    /// Syncs the folders that names went from, and removes those in which nothing is left.
    fn sync(&self, storage: &mut dyn Storage) -> Result<(), store::Error> {
        let folder = self.path(&alloc::format!("{}", self.day.day));
        let mut touched = false;
        for hour in &self.day.hours {
            let hour = alloc::format!("{folder}/{hour}");
            if self.day.went_from(&hour, self.source) {
                storage.sync_folder(&hour)?;
            }
            if storage.list(&hour)?.is_empty() {
                storage.remove_folder(&hour)?;
                touched = true;
            }
        }
        if touched {
            storage.sync_folder(&folder)?;
        }
        match storage.list(&folder) {
            Ok(left) if left.is_empty() => {
                storage.remove_folder(&folder)?;
                storage.sync_folder(folder_of(&folder))
            }
            Ok(_) | Err(store::Error { kind: Kind::NotFound, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The index of what is left, and the gap log.
    fn replace_index(
        &self,
        storage: &mut dyn Storage,
        places: &BTreeMap<Key, Moved>,
        open: Option<&mut Opened<'_>>,
    ) -> Result<(), store::Error> {
        let there = left(storage, self.source, self.day.day)?;
        let path = index_path(self.source, self.day.day);
        let mut made = (Builder::new(), alloc::vec::Vec::new());
        if let Some(index) = &self.day.index {
            self.explain(storage, index, &there, places)?;
            // A young file that is not there was not deleted by us: its volume may come back.
            let left = |file: &crate::gix::FileRecord| match places.get(&file.key) {
                Some(moved) => Some(Left::Moved(moved.clone())),
                None => (there.contains(&file.key) || file.key.utc > self.before).then_some(Left::Whole),
            };
            made = remake(storage, self.source, index, left)?;
        }
        let (builder, bytes) = made;
        let old = store::storage::read_whole(storage, &path)?;
        if bytes.is_empty() && old.is_some() {
            storage.remove(&path)?;
        } else if old.as_ref() != Some(&bytes) && !bytes.is_empty() {
            replace(storage, &path, &bytes)?;
        }
        if let Some(open) = open {
            *open.builder = builder;
            if let Some(index) = open.index.take() {
                storage.close(index);
            }
            if !bytes.is_empty() {
                *open.index = Some(storage.open(&path, Access::Write)?);
            }
        }
        if self.day.gap_goes && there.is_empty() {
            match storage.remove(&gap_log_path(self.source, self.day.day)) {
                Ok(()) | Err(store::Error { kind: Kind::NotFound, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        storage.sync_folder(&alloc::format!("{}", self.source))
    }

    /// Where what is held is followed by what is gone, the gap log says why.
    fn explain(
        &self,
        storage: &mut dyn Storage,
        index: &Index,
        there: &BTreeSet<Key>,
        places: &BTreeMap<Key, Moved>,
    ) -> Result<(), store::Error> {
        if self.day.gap_goes || self.held.is_empty() {
            return Ok(());
        }
        let left = |entry: &crate::gix::Entry| {
            let key = index.file_of(entry).map(|file| file.key);
            key.is_some_and(|key| match places.get(&key) {
                Some(moved) => moved.places.contains_key(&entry.offset),
                None => there.contains(&key) || key.utc > self.before,
            })
        };
        let known = read_log(storage, self.source, self.day.day)?;
        let mut before = None;
        for entry in index.entries() {
            let stays = left(entry);
            if let Some(at) = before.filter(|_| !stays && entry.continues) {
                let told = |e: &GapEntry| e.begins && e.cause == Cause::Retention && e.at == at;
                if Day::of(at) == self.day.day && !known.iter().any(told) {
                    let entry = GapEntry { at, begins: true, cause: Cause::Retention, code: 0 };
                    append_log(storage, self.source, &entry)?;
                }
            }
            before = stays.then(|| entry.utc_end());
        }
        Ok(())
    }
}

//! Days that are to be made whole while another is written to, or before.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::recover::{Recovered, Recovery};
use super::scan::sync_folders;
use super::{Error, Kind, Source, Storage};
use crate::gix::Day;

/// Days to be made whole, the first first.
#[derive(Debug, Default)]
pub(super) struct Jobs(Vec<Job>);

#[derive(Debug)]
struct Job {
    day: Day,
    /// Once it was looked at.
    recovery: Option<Box<Recovery>>,
}

impl Jobs {
    /// Looks at a camera's last two days (one past midnight, and the one before) and at those that were written to after two
    /// later ones, and makes them whole where no more than `at_once` bytes of media have to be read for it. Any other day is
    /// made whole when it is written to.
    pub(super) fn start(
        storage: &mut dyn Storage,
        source: &Source,
        at_once: u64,
    ) -> Result<(Self, Recovered), Error> {
        let (mut jobs, mut found) = (Self::default(), Recovered::default());
        let mut due: Vec<Day> = media_days(storage, source)?.into_iter().rev().take(2).collect();
        for day in named(storage, source, ".open")? {
            if !due.contains(&day) {
                due.push(day);
            }
        }
        for day in due {
            let mut recovery = Recovery::survey(storage, source, day)?;
            if recovery.left() <= at_once {
                recovery.run(storage)?;
                found.add(recovery.found());
                unmark(storage, source, day)?;
            } else {
                jobs.0.push(Job { day, recovery: Some(Box::new(recovery)) });
            }
        }
        Ok((jobs, found))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A day that is to be looked at anew.
    pub(super) fn add(&mut self, day: Day) {
        self.0.retain(|job| job.day != day);
        self.0.push(Job { day, recovery: None });
    }

    /// Another day is about to be written to: those that wait are remembered over a crash.
    pub(super) fn note(&self, storage: &mut dyn Storage, source: &Source) -> Result<(), Error> {
        self.0.iter().try_for_each(|job| mark(storage, source, job.day))
    }

    /// A day's recovery as far as it has come; it is no longer among these.
    pub(super) fn take(
        &mut self,
        storage: &mut dyn Storage,
        source: &Source,
        day: Day,
    ) -> Result<Recovery, Error> {
        let begun = self.0.iter_mut().find(|job| job.day == day).and_then(|job| job.recovery.take());
        let recovery = match begun {
            Some(recovery) => *recovery,
            None => Recovery::survey(storage, source, day)?,
        };
        self.0.retain(|job| job.day != day);
        Ok(recovery)
    }

    /// Does some more of the first. Where it fails it goes behind the others, and is begun anew in its turn.
    pub(super) fn step(
        &mut self,
        storage: &mut dyn Storage,
        source: &Source,
        found: &mut Recovered,
    ) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut job = self.0.remove(0);
        let mut step = || -> Result<bool, Error> {
            let Some(recovery) = &mut job.recovery else {
                job.recovery = Some(Box::new(Recovery::survey(storage, source, job.day)?));
                return Ok(false);
            };
            let done = recovery.step(storage)?.is_some();
            if done {
                unmark(storage, source, job.day)?;
            }
            Ok(done)
        };
        match step() {
            Ok(true) => {
                if let Some(recovery) = job.recovery {
                    found.add(recovery.found());
                }
                Ok(())
            }
            Ok(false) => {
                self.0.insert(0, job);
                Ok(())
            }
            // Of a later Vigie: left as it is.
            Err(error) if error.kind == Kind::Version => Err(error),
            Err(error) => {
                self.add(job.day);
                Err(error)
            }
        }
    }

    /// Makes one day whole now.
    pub(super) fn finish(
        &mut self,
        storage: &mut dyn Storage,
        source: &Source,
        day: Day,
        found: &mut Recovered,
    ) -> Result<(), Error> {
        let mut recovery = Recovery::survey(storage, source, day)?;
        recovery.run(storage)?;
        found.add(recovery.found());
        self.0.retain(|job| job.day != day);
        unmark(storage, source, day)
    }
}

/// Notes that a day is written to after two later ones (a clock was set back).
pub(super) fn mark_late(storage: &mut dyn Storage, source: &Source, day: Day) -> Result<bool, Error> {
    let late = media_days(storage, source)?.into_iter().filter(|other| *other > day).count() >= 2;
    if late {
        mark(storage, source, day)?;
    }
    Ok(late)
}

/// Notes that a day is to be made whole at the next start, even if it is not one of the last two then.
fn mark(storage: &mut dyn Storage, source: &Source, day: Day) -> Result<(), Error> {
    match storage.create_new(&marker(source, day)) {
        Ok(file) => storage.close(file),
        Err(Error { kind: Kind::Exists, .. }) => {}
        Err(error) => return Err(error),
    }
    sync_folders(storage, &alloc::format!("{source}"))
}

fn unmark(storage: &mut dyn Storage, source: &Source, day: Day) -> Result<(), Error> {
    match storage.remove(&marker(source, day)) {
        Err(Error { kind: Kind::NotFound, .. }) => Ok(()),
        other => other,
    }
}

fn marker(source: &Source, day: Day) -> String {
    alloc::format!("{source}/{day}.open")
}

/// The days whose names, in the camera's folder, end so.
fn named(storage: &mut dyn Storage, source: &Source, end: &str) -> Result<Vec<Day>, Error> {
    let listed = match storage.list(&alloc::format!("{source}")) {
        Err(Error { kind: Kind::NotFound, .. }) => return Ok(Vec::new()),
        other => other?,
    };
    Ok(listed.iter().filter_map(|file| file.name.strip_suffix(end)?.parse().ok()).collect())
}

/// The days of which there is media or an index.
fn media_days(storage: &mut dyn Storage, source: &Source) -> Result<Vec<Day>, Error> {
    let mut days = named(storage, source, "")?;
    days.extend(named(storage, source, ".gix")?);
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

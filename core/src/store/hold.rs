//! Footage that must not go: `docs/format.md` §8.
//!
//! A hold is a line of the [`Journal`]; held footage stays where it is, and is found, played and exported as any other.

#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;

use super::journal::{Error, Journal, Kind, Record, text};
use super::{Listing, Name, Source, Storage, days};
use crate::gix::{Flags, Index, Span};
use crate::time::UtcMicros;

/// Cameras of one hold.
const CAMERAS: usize = 1_000;

/// What is to be held, for whom and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The case, as whoever asks for it names it.
    pub case: String,
    /// Whose footage; each with its sound.
    pub cameras: Vec<Name>,
    /// From when to when; may reach into the future.
    pub span: Span,
    /// Who orders it.
    pub who: String,
    /// Why.
    pub why: String,
}

/// What became of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Release {
    /// Another person has to release it, too.
    Asked,
    /// The hold is over.
    Released,
}

/// Adds a hold. Gives its number. Once this returns, nothing of it is deleted.
///
/// # Errors
/// [`Kind::Range`], [`Kind::Cameras`], [`Kind::Text`]; [`Kind::NoFootage`] where a camera has nothing of the range and it does
/// not reach into the future; all that a disk can fail by: then nothing is held.
pub fn add(
    journal: &mut Journal,
    storage: &mut dyn Storage,
    now: UtcMicros,
    request: &Request,
) -> Result<u64, Error> {
    let Request { case, cameras, span, who, why } = request;
    if span.is_empty() {
        return Err(Kind::Range.into());
    }
    if cameras.is_empty() || cameras.len() > CAMERAS {
        return Err(Kind::Cameras.into());
    }
    let (case, who, why) = (text(case)?, text(who)?, text(why)?);
    for camera in cameras {
        let source = Source { tenant: journal.tenant(), camera: *camera };
        let ahead = span.to > now && !days(storage, &source)?.is_empty();
        if !ahead && Listing::load(storage, &source, *span)?.ranges.is_empty() {
            return Err(Kind::NoFootage.into());
        }
    }
    let agents = agents(journal);
    let record =
        Record::HoldAdded { case, cameras: cameras.clone(), from: span.from, to: span.to, who, why, agents };
    journal.append(storage, now, &record)
}

/// People that it takes to release a hold made now.
fn agents(journal: &Journal) -> u8 {
    journal.state().policy.as_ref().map_or(1, |policy| policy.release_agents.max(1))
}

/// Lets a hold reach from `span.from` to `span.to`.
///
/// # Errors
/// [`Kind::NoHold`], [`Kind::Shorter`] where it would reach less far than it does, [`Kind::Text`]; all that a disk can fail by.
pub fn extend(
    journal: &mut Journal,
    storage: &mut dyn Storage,
    now: UtcMicros,
    (hold, span): (u64, Span),
    (who, why): (&str, &str),
) -> Result<(), Error> {
    let (who, why) = (text(who)?, text(why)?);
    let held = journal.state().holds.get(&hold).ok_or(Kind::NoHold)?.span();
    if span.from > held.from || span.to < held.to {
        return Err(Kind::Shorter.into());
    }
    let record = Record::HoldExtended { hold, from: span.from, to: span.to, who, why };
    journal.append(storage, now, &record).map(|_| ())
}

/// Releases a hold, or asks for it where it takes two people. What is held then goes when its time has come, or at once if it
/// has.
///
/// # Errors
/// [`Kind::NoHold`], [`Kind::Text`]; [`Kind::SamePerson`] where who asked for it would release it, which the journal notes; all
/// that a disk can fail by.
pub fn release(
    journal: &mut Journal,
    storage: &mut dyn Storage,
    now: UtcMicros,
    hold: u64,
    (who, why): (&str, &str),
) -> Result<Release, Error> {
    let (who, why) = (text(who)?, text(why)?);
    let (made, current) = (journal.state().holds.get(&hold).ok_or(Kind::NoHold)?, agents(journal));
    // A policy that became looser since does not make the hold weaker.
    if made.agents.max(current) < 2 {
        journal.append(storage, now, &Record::Released { hold, who, why })?;
        return Ok(Release::Released);
    }
    match made.asked.as_deref() {
        None => {
            journal.append(storage, now, &Record::ReleaseAsked { hold, who, why })?;
            Ok(Release::Asked)
        }
        Some(first) if first.to_lowercase() == who.to_lowercase() => {
            let what = alloc::format!("release of hold {hold}");
            let why = alloc::format!("{}", Kind::SamePerson);
            journal.append(storage, now, &Record::Refused { what, who, why })?;
            Err(Kind::SamePerson.into())
        }
        Some(_) => {
            journal.append(storage, now, &Record::Released { hold, who, why })?;
            Ok(Release::Released)
        }
    }
}

/// Which fragments of a day's index are held, given the ranges that are: rounded out to whole fragments, by what their UTC may be
/// off, and back to where decoding starts.
pub(super) fn held_entries(index: &Index, spans: &[Span]) -> Vec<bool> {
    let entries = index.entries();
    let mut held = alloc::vec![false; entries.len()];
    if spans.is_empty() {
        return held;
    }
    let mut wanted = false;
    for (entry, held) in entries.iter().zip(&mut held).rev() {
        let off = i64::from(entry.mark.error);
        let wide = Span::new(entry.mark.utc.plus(-off), entry.mark.end().plus(off));
        *held = wanted || spans.iter().any(|span| span.from < wide.to && wide.from < span.to);
        wanted = *held && entry.continues && !entry.mark.flags.has(Flags::RANDOM_ACCESS);
    }
    held
}

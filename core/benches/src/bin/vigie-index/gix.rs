//! The questions put to the index files, through the calls that `vigie` itself uses.

use vigie::gix::Span;
use vigie::play::{Local, Output};
use vigie::store::journal::{Journal, Policy, Rule};
use vigie::store::retain::{self, Clock};
use vigie::store::{self, LastRecorded, Listing, Source, Storage};
use vigie::time::UtcMicros;

use crate::Failure;
use crate::make;

/// How long footage is kept.
const AGE: i64 = 10 * make::DAY;

/// Every camera, and where the last that was recorded of it is.
pub(crate) fn open(storage: &mut dyn Storage) -> Result<usize, Failure> {
    let mut found = 0;
    for tenant in store::tenants(storage)? {
        for camera in store::cameras(storage, &tenant)? {
            let last = LastRecorded::load(storage, &Source { tenant, camera })?;
            found += usize::from(last.is_some());
        }
    }
    Ok(found)
}

/// The fragment where decoding starts to show a moment, or the first after it: file and byte.
pub(crate) fn place<S: Storage>(
    local: &mut Local<S>,
    utc: UtcMicros,
    now: UtcMicros,
) -> Result<Option<(String, u64)>, Failure> {
    local.seek(utc);
    loop {
        match local.next(now)? {
            Output::Entry { entry, key, .. } => return Ok(Some((key.to_string(), entry.offset))),
            Output::End => return Ok(None),
            Output::Failed(error) => return Err(error.into()),
            _ => {}
        }
    }
}

/// Files and gaps of a day.
pub(crate) fn list(storage: &mut dyn Storage, source: &Source, day: u32) -> Result<(usize, usize), Failure> {
    let day = make::day(day);
    let listing = Listing::load(storage, source, Span::new(day.start(), day.end()))?;
    Ok((listing.segments.len(), listing.gaps.len()))
}

/// The tenant's policy, by its journal.
pub(crate) fn set_policy(storage: &mut dyn Storage) -> Result<(), Failure> {
    let now = UtcMicros(make::START);
    let mut policy = Policy::default();
    policy.default = Rule::new(Some(AGE), None);
    let mut journal = Journal::open(storage, make::source(0).tenant, now)?;
    let set = journal.set_policy(storage, now, (policy, true), 120_000_000, ("bench", "bench"));
    journal.close(storage);
    set?;
    Ok(())
}

/// The clock when that is the age of the limit.
fn clock(limit: UtcMicros) -> Clock {
    Clock::new(limit.plus(AGE)).trusted(true)
}

/// What a pass would delete of every camera: files whose first picture is older than `limit`, and their bytes.
pub(crate) fn plan(
    storage: &mut dyn Storage,
    cameras: u32,
    limit: UtcMicros,
) -> Result<(usize, u64), Failure> {
    let (mut files, mut bytes) = (0, 0);
    for camera in 0..cameras {
        let (more, of) = plan_one(storage, camera, limit)?;
        (files, bytes) = (files + more, bytes + of);
    }
    Ok((files, bytes))
}

/// The same of one camera.
pub(crate) fn plan_one(
    storage: &mut dyn Storage,
    camera: u32,
    limit: UtcMicros,
) -> Result<(usize, u64), Failure> {
    let plan = retain::plan(storage, &make::source(camera), None, clock(limit))?;
    assert_eq!((plan.brake, plan.trimmed), (None, 0));
    Ok((plan.files as usize, plan.bytes))
}

/// A pass of one camera: files and bytes that it deleted.
pub(crate) fn pass(
    storage: &mut dyn Storage,
    camera: u32,
    limit: UtcMicros,
) -> Result<(usize, u64), Failure> {
    let outcome = retain::run(storage, &make::source(camera), clock(limit))?;
    assert_eq!(outcome.brake, None);
    let sum =
        |(files, bytes), gone: &store::journal::Deleted| (files + gone.files as usize, bytes + gone.bytes);
    Ok(outcome.deleted.iter().fold((0, 0), sum))
}

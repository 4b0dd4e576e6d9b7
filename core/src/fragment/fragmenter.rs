//! The step itself.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::{Bytes, BytesMut};

use super::{Error, Fragment, FragmentFlags, InitSegment, Kind, TRACK};
use crate::bmff::moof::{self, RunSample};
use crate::bmff::prft::Prft;
use crate::bmff::{Boxed as _, Header};
use crate::depacket::{AccessUnit, RandomAccess};
use crate::fault::{Offset, Policy, Quirk, Quirks};
use crate::gix::{FragmentMark, Id};
use crate::h26x::{Change, NalKind, ParameterSets, nal_units};
use crate::limits::Limits;
use crate::time::NtpTime;
use crate::timeline::{Group, Sample, UtcSource};

/// Heads of fragments are cut from buffers of this many bytes, so that most fragments allocate none.
pub(super) const HEAD_BUFFER: usize = 16 << 10;

/// What comes out, in the order in which a decoder needs it.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Decoding what follows needs this.
    Init(Arc<InitSegment>),
    /// A movie fragment.
    Fragment(Fragment),
}

/// Counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Fragments made.
    pub fragments: u64,
    /// Init segments made.
    pub inits: u64,
    /// Samples dropped because no parameter sets had come yet that say what the pictures are.
    pub dropped: u64,
}

/// Turns groups of samples into fragments, and puts an init segment before those that need another one.
///
/// [`push`](Self::push) a group, then [`pull`](Self::pull) until there is nothing left.
#[derive(Debug)]
pub struct Fragmenter {
    init: Option<Arc<InitSegment>>,
    /// The parameter sets last seen at a random access point.
    seen: Option<Arc<ParameterSets>>,
    /// Those, where the init segment serves them by itself.
    served: Option<Arc<ParameterSets>>,
    sequence: u32,
    /// Those of the fragment before.
    times: Option<Times>,
    head: BytesMut,
    ready: VecDeque<Piece>,
    most: usize,
    policy: Policy,
    stats: Stats,
    quirks: Quirks,
}

/// An epoch, and what its times are raised by: a file cannot say a time before 0.
#[derive(Clone, Copy, Debug)]
struct Times {
    epoch: u32,
    raise: i64,
}

impl Fragmenter {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            init: None,
            seen: None,
            served: None,
            sequence: 0,
            times: None,
            head: BytesMut::with_capacity(HEAD_BUFFER),
            ready: VecDeque::new(),
            most: limits.fragment_samples,
            policy: limits.policy,
            stats: Stats::default(),
            quirks: Quirks::default(),
        }
    }

    /// What was tolerated so far.
    #[must_use]
    pub const fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    /// Counters.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// The init segment of the fragments now made.
    #[must_use]
    pub const fn init(&self) -> Option<&Arc<InitSegment>> {
        self.init.as_ref()
    }

    /// Takes a group.
    ///
    /// A group whose parameter sets change half-way in a way that decoding needs is parted there.
    ///
    /// # Errors
    /// [`Error`] where a group breaks the promise of its type; nothing of it is kept then.
    pub fn push(&mut self, group: Group) -> Result<(), Error> {
        let times = self.times(&group)?;
        let mut continues_gop = group.continues_gop;
        let mut samples = group.samples;
        let mut rest = samples.as_mut_slice();
        while !rest.is_empty() {
            let (part, after) = rest.split_at_mut(self.part(rest));
            self.fragment(part, after.first(), times, continues_gop);
            rest = after;
            continues_gop = rest.first().is_some_and(|s| s.unit.random_access.is_none());
        }
        Ok(())
    }

    /// Checks all that could go wrong with a group, so that nothing does half-way.
    fn times(&self, group: &Group) -> Result<Times, Error> {
        check(&group.samples)?;
        let earliest = lowest(&group.samples);
        let raise = match self.times {
            Some(times) if times.epoch == group.epoch => times.raise,
            _ => earliest.saturating_neg().max(0),
        };
        if earliest.checked_add(raise).is_none_or(|t| t < 0) {
            return Err(Error { kind: Kind::Times, at: Offset(0) });
        }
        Ok(Times { epoch: group.epoch, raise })
    }

    /// The next piece.
    pub fn pull(&mut self) -> Option<Piece> {
        self.ready.pop_front()
    }

    /// How many of these samples go into one fragment: up to the next at which decoding can start and that needs another
    /// init segment. Elsewhere a change of parameter sets stays where it is, among the samples: an init segment in the
    /// middle of a GOP would make a browser drop the rest of it.
    fn part(&self, samples: &[Sample]) -> usize {
        let first = samples.first().map(|s| &s.unit);
        let given = match (&self.init, first) {
            (Some(init), Some(unit))
                if unit.random_access.is_none()
                    || init.parameters().is_some_and(|sets| self.does(sets, unit)) =>
            {
                init.parameters()
            }
            (_, first) => first.and_then(|unit| unit.parameters.as_ref()),
        };
        let parts = |s: &Sample| match (&s.unit.parameters, given) {
            (Some(_), Some(given)) => s.unit.random_access.is_some() && !self.does(given, &s.unit),
            // The first parameter sets of all: what came before cannot be shown.
            (Some(_), None) => self.init.is_none(),
            (None, _) => false,
        };
        let most = samples.len().min(self.most.max(1));
        samples.iter().take(most).skip(1).position(parts).map_or(most, |at| at + 1)
    }

    /// Can a decoder that was given these parameter sets start at this access unit?
    fn does(&self, given: &Arc<ParameterSets>, unit: &AccessUnit) -> bool {
        let Some(wanted) = &unit.parameters else { return true };
        let of_init = self
            .init
            .as_ref()
            .and_then(|init| init.parameters())
            .is_some_and(|sets| Arc::ptr_eq(sets, given));
        let served = self.served.as_ref().filter(|_| of_init);
        if Arc::ptr_eq(given, wanted) || served.is_some_and(|served| Arc::ptr_eq(served, wanted)) {
            return true;
        }
        match given.change(wanted) {
            Change::None => true,
            Change::NewInit => false,
            _ if !self.policy.tolerates(Quirk::SetsRewritten) => false,
            // Under other ids the decoder needs them from the access unit itself.
            _ => given.serves(wanted) || carries(unit, wanted),
        }
    }

    /// Makes sure that there is an init segment for what starts with this sample.
    fn init_for(&mut self, first: &Sample) -> Option<Arc<InitSegment>> {
        let wanted = match (&self.init, &first.unit.parameters) {
            (Some(init), None) => return Some(init.clone()),
            (Some(init), Some(wanted)) => {
                if first.unit.random_access.is_none() {
                    return Some(init.clone());
                }
                if init.parameters().is_some_and(|sets| self.does(sets, &first.unit)) {
                    let init = init.clone();
                    self.note_served(&init, &wanted.clone());
                    return Some(init);
                }
                wanted
            }
            (None, wanted) => wanted.as_ref()?,
        };
        // A set that says nothing of the pictures: better shown with what there is than not at all.
        let Some(init) = InitSegment::new(wanted.clone()) else { return self.init.clone() };
        let init = Arc::new(init);
        (self.seen, self.served) = (Some(wanted.clone()), Some(wanted.clone()));
        self.stats.inits += 1;
        self.ready.push_back(Piece::Init(init.clone()));
        self.init = Some(init.clone());
        Some(init)
    }

    /// The init segment does for these parameter sets: by itself, or only where the access units carry them.
    fn note_served(&mut self, init: &InitSegment, wanted: &Arc<ParameterSets>) {
        if self.seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, wanted)) {
            return;
        }
        if self.seen.as_ref().is_some_and(|seen| seen.change(wanted) == Change::Cosmetic) {
            self.quirks.count(Quirk::SetsRewritten);
        }
        self.seen = Some(wanted.clone());
        let serves = init.parameters().is_some_and(|sets| sets.serves(wanted));
        self.served = serves.then(|| wanted.clone());
    }

    /// Makes a fragment of samples that one init segment decodes.
    fn fragment(&mut self, samples: &mut [Sample], next: Option<&Sample>, times: Times, continues_gop: bool) {
        let Some(first) = samples.first() else { return };
        let Some(init) = self.init_for(first) else {
            self.stats.dropped += samples.len() as u64;
            return;
        };
        let discontinuity = self.times.is_none_or(|before| before.epoch != times.epoch);
        self.times = Some(times);
        let earliest = samples.iter().min_by_key(|s| s.pts).unwrap_or(first);
        let lost = samples.iter().fold(0, |n: u32, s| n.saturating_add(s.unit.loss.packets));
        let flags = FragmentFlags {
            random_access: first.unit.random_access.is_some(),
            continues_gop,
            loss: lost > 0,
            discontinuity,
            incomplete: samples.iter().any(|s| s.unit.loss.incomplete),
        };
        let mut fragment = Fragment {
            head: Bytes::new(),
            body: Vec::new(),
            init,
            dts: first.dts.plus(times.raise),
            pts: earliest.pts.plus(times.raise),
            duration: run(samples, next).map(|s| u64::from(s.duration)).sum(),
            samples: samples.len() as u32,
            first_sample_end: 0,
            utc: earliest.utc,
            epoch: times.epoch,
            flags,
        };
        self.sequence = self.sequence.wrapping_add(1);
        put_head(&mut self.head, &mut fragment, self.sequence, lost, run(samples, next));
        fragment.body = samples.iter_mut().map(|s| core::mem::take(&mut s.unit.data)).collect();
        self.stats.fragments += 1;
        self.ready.push_back(Piece::Fragment(fragment));
    }
}

/// Writes mark, `prft`, `moof` and the header of `mdat`, and cuts them from `head` for the fragment. Its body is as `run`
/// says, and may still be to come.
pub(super) fn put_head(
    head: &mut BytesMut,
    fragment: &mut Fragment,
    sequence: u32,
    lost: u32,
    run: impl Iterator<Item = RunSample> + Clone,
) {
    let body: u64 = run.clone().map(|sample| u64::from(sample.size)).sum();
    let first = run.clone().next().map_or(0, |sample| sample.size as usize);
    let (dts, pts) = (fragment.dts.0 as u64, fragment.pts.0 as u64);
    head.resize(FragmentMark::LEN, 0);
    Prft::captured(TRACK, NtpTime::from_utc(fragment.utc.utc), pts).write(head);
    moof::write(head, sequence, TRACK, dts, run);
    Header::write(head, moof::MDAT, body);
    let end = head.len();
    fragment.first_sample_end = (end + first) as u32;
    // The mark comes first and tells lengths that are known only now: written behind, moved to the front.
    mark(fragment, lost, end as u64 + body).put(head);
    head.copy_within(end.., 0);
    head.truncate(end);
    fragment.head = head.split().freeze();
}

/// Does the access unit carry, before its first slice, every parameter set that its pictures need?
fn carries(unit: &AccessUnit, wanted: &ParameterSets) -> bool {
    let own = || nal_units(&unit.data).take_while(|nal| nal.kind(unit.codec) != NalKind::Slice);
    wanted.needed().all(|set| own().any(|nal| nal.bytes == &set[..]))
}

/// What is checked so that the numbers fit their fields.
fn check(samples: &[Sample]) -> Result<(), Error> {
    let fail = |kind, at| Err(Error { kind, at: Offset(at as u64) });
    if samples.is_empty() {
        return fail(Kind::Empty, 0);
    }
    let mut bytes = 0_u64;
    for (i, sample) in samples.iter().enumerate() {
        let composition = sample.pts.0.checked_sub(sample.dts.0);
        let step = samples.get(i + 1).map_or(Some(1), |n| n.dts.0.checked_sub(sample.dts.0));
        if composition.is_none_or(|c| i32::try_from(c).is_err())
            || step.is_none_or(|s| s <= 0 || u32::try_from(s).is_err())
        {
            return fail(Kind::Times, i);
        }
        // Room for the head: 16 bytes a sample, and some boxes.
        bytes += sample.unit.data.len() as u64 + 16;
        if bytes + 1_024 > i32::MAX as u64 {
            return fail(Kind::TooLarge, i);
        }
    }
    Ok(())
}

/// The samples as `trun` has them. Durations are differences of decoding times, so that no rounding adds up.
fn run<'a>(samples: &'a [Sample], next: Option<&'a Sample>) -> impl Iterator<Item = RunSample> + Clone + 'a {
    samples.iter().enumerate().map(move |(i, sample)| {
        let after = samples.get(i + 1).or(next);
        RunSample {
            size: sample.unit.data.len() as u32,
            duration: after.map_or(sample.duration, |n| (n.dts.0 - sample.dts.0) as u32),
            composition: (sample.pts.0 - sample.dts.0) as i32,
            sync: sample.unit.random_access.is_some_and(RandomAccess::starts_gop),
        }
    })
}

/// The earliest of all their times.
fn lowest(samples: &[Sample]) -> i64 {
    samples.iter().map(|s| s.dts.0.min(s.pts.0)).min().unwrap_or(0)
}

fn mark(fragment: &Fragment, lost: u32, len: u64) -> FragmentMark {
    FragmentMark {
        source: source_number(fragment.utc.source),
        flags: fragment.flags.to_mark(),
        utc: fragment.utc.utc,
        error: fragment.utc.error,
        lost,
        dts: fragment.dts,
        offset: (fragment.pts.0 - fragment.dts.0) as i32,
        duration: u32::try_from(fragment.duration).unwrap_or(u32::MAX),
        samples: fragment.samples,
        first_sample_end: fragment.first_sample_end,
        len: len as u32,
        number: 0,
        file: Id::default(),
        crc: 0,
    }
}

/// The number that a mark has for it, `docs/format.md` §2.2.
const fn source_number(source: UtcSource) -> u8 {
    match source {
        UtcSource::OnvifExtension => 1,
        UtcSource::SenderReport => 2,
        UtcSource::RangeClock => 3,
        UtcSource::Arrival => 4,
    }
}

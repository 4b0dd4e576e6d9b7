//! Fragments of sound: of what nothing is reordered among.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::{Bytes, BytesMut};

use super::fragmenter::put_head;
use super::{Error, Fragment, FragmentFlags, InitSegment, Kind, Piece, Stats, TrackFormat};
use crate::bmff::moof::RunSample;
use crate::fault::Offset;
use crate::timeline::{PlainFormat, PlainGroup, PlainSample};

/// Turns groups of a plain stream into fragments, and puts an init segment before those that need another one.
///
/// [`push`](Self::push) a group, then [`pull`](Self::pull) until there is nothing left.
#[derive(Debug, Default)]
pub struct PlainFragmenter {
    init: Option<Arc<InitSegment>>,
    sequence: u32,
    epoch: Option<u32>,
    head: BytesMut,
    ready: VecDeque<Piece>,
    stats: Stats,
}

impl PlainFragmenter {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counters.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// Takes a group.
    ///
    /// # Errors
    /// [`Error`] where a group breaks the promise of its type; nothing of it is kept then.
    pub fn push(&mut self, group: PlainGroup) -> Result<(), Error> {
        let mut samples = group.samples;
        check(&samples)?;
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Ok(()) };
        let init = self.init_for(&first.unit.format);
        let flags = FragmentFlags {
            random_access: first.unit.random_access,
            continues_gop: !first.unit.random_access,
            loss: samples.iter().any(|s| s.unit.loss.packets > 0),
            discontinuity: self.epoch.replace(group.epoch) != Some(group.epoch),
            incomplete: samples.iter().any(|s| s.unit.loss.incomplete),
        };
        let end = last.pts.0.saturating_add(last.duration.into());
        let mut fragment = Fragment {
            head: Bytes::new(),
            body: Vec::new(),
            init,
            dts: first.pts,
            pts: first.pts,
            duration: u64::try_from(end.saturating_sub(first.pts.0)).unwrap_or(0),
            samples: samples.len() as u32,
            first_sample_end: 0,
            utc: first.utc,
            epoch: group.epoch,
            flags,
        };
        self.sequence = self.sequence.wrapping_add(1);
        let lost = samples.iter().fold(0, |n: u32, s| n.saturating_add(s.unit.loss.packets));
        let run = samples.iter().map(|s| RunSample {
            size: s.unit.data.len() as u32,
            duration: s.duration,
            composition: 0,
            sync: s.unit.random_access,
        });
        put_head(&mut self.head, &mut fragment, self.sequence, lost, run);
        fragment.body = samples.iter_mut().map(|s| core::mem::take(&mut s.unit.data)).collect();
        self.stats.fragments += 1;
        self.ready.push_back(Piece::Fragment(fragment));
        Ok(())
    }

    /// The next piece.
    pub fn pull(&mut self) -> Option<Piece> {
        self.ready.pop_front()
    }

    fn init_for(&mut self, format: &PlainFormat) -> Arc<InitSegment> {
        let known = self.init.as_ref().filter(|init| match &init.format {
            TrackFormat::Plain(known) => known.decodes_like(format),
            TrackFormat::Video(..) => false,
        });
        if let Some(init) = known {
            return Arc::clone(init);
        }
        let init = Arc::new(InitSegment::plain(format.clone()));
        self.stats.inits += 1;
        self.ready.push_back(Piece::Init(Arc::clone(&init)));
        self.init = Some(Arc::clone(&init));
        init
    }
}

/// What is checked so that the numbers fit their fields.
fn check(samples: &[PlainSample]) -> Result<(), Error> {
    let fail = |kind, at| Err(Error { kind, at: Offset(at as u64) });
    if samples.is_empty() {
        return fail(Kind::Empty, 0);
    }
    let mut bytes = 0_u64;
    for (i, sample) in samples.iter().enumerate() {
        let next = samples.get(i + 1).map(|next| next.pts.0.checked_sub(sample.pts.0));
        if sample.pts.0 < 0
            || next.is_some_and(|step| step != Some(sample.duration.into()))
            || sample.duration == 0
        {
            return fail(Kind::Times, i);
        }
        bytes += sample.unit.data.len() as u64 + 16;
        if bytes + 1_024 > i32::MAX as u64 {
            return fail(Kind::TooLarge, i);
        }
    }
    Ok(())
}

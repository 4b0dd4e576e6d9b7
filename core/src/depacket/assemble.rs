//! NAL units to access units: where one picture ends and the next begins, ITU-T H.264 §7.4.1.2.3 and §7.4.1.2.4,
//! H.265 §7.4.2.4.4, RFC 6184 §5.1, and what cameras make of them.

mod emit;
mod loss;
mod pool;
mod trust;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use bytes::BytesMut;
use memchr::memmem::Finder;

use super::{AccessUnit, PictureOrder, Place, RandomAccess};
use crate::fault::{Quirk, Quirks};
use crate::h26x::picture::{OrderCounter, Relation, Slice};
use crate::h26x::{Codec, Nal, NalKind, ParameterSets, annexb};
use crate::limits::Limits;
use crate::time::Micros;
use pool::Pool;
use trust::Trust;

/// Bytes of the length before each NAL unit.
const LENGTH: usize = 4;
/// Access units in which every byte is searched for start codes. A camera that puts them inside its NAL units does so in
/// every picture, and the search costs as much as all the rest.
const SEARCHED: u64 = 16;
/// Afterwards, as long as there was none, one access unit in so many is.
const SEARCHED_EVERY: u64 = 64;
/// Of the others, what is no slice, and so many bytes of each slice.
const SEARCHED_HEAD: usize = 64;

/// Collects NAL units, given piece by piece, into access units.
///
/// The bytes are copied once, into a buffer that the access units share. For each NAL unit call
/// [`begin_nal`](Self::begin_nal), [`extend`](Self::extend) as often as there are pieces, and
/// [`end_nal`](Self::end_nal); or [`abort_nal`](Self::abort_nal) where its rest was lost. A packet with the marker
/// bit is followed by [`end_access_unit`](Self::end_access_unit), a gap in the sequence by [`lost`](Self::lost).
/// Then [`pull`](Self::pull) until `None`.
///
/// An access unit comes out at its marker, once two markers proved truthful; before that, and where there is no
/// truthful marker, when the next one starts. A start code inside a NAL unit splits it (V380, Amatek).
#[derive(Clone, Debug)]
pub struct Assembler {
    codec: Codec,
    limits: Limits,
    /// NAL units have timestamps: slices of one timestamp are of one picture, whatever their headers say.
    timed: bool,
    /// The access unit being collected and, at its end, the NAL unit being received.
    buffer: BytesMut,
    pool: Pool,
    nal: NalState,
    /// Where the length field of the NAL unit being received is (or the last one was).
    nal_at: usize,
    nal_timestamp: u32,
    nal_received: Micros,
    unit: Unit,
    ready: VecDeque<AccessUnit>,
    sets: Arc<ParameterSets>,
    counter: OrderCounter,
    /// A slice of the last access unit and its timestamp, to tell a marker that lied.
    last: Option<(Slice, u32)>,
    trust: Trust,
    quirks: Quirks,
    start_code: Finder<'static>,
    /// Access units so far.
    count: u64,
    /// Packets are missing right before the NAL unit that comes next.
    gap: bool,
    /// They are before the one being received.
    nal_after_gap: bool,
    /// The stream has had access unit delimiters.
    delimiters: bool,
    /// The camera's markers are heard of.
    markers: bool,
    /// The parity of the first field of the last pair.
    first_bottom: Option<bool>,
    withheld: loss::Withheld,
    /// In the present access unit, all bytes are searched for start codes.
    search_all: bool,
    /// The bytes of the NAL unit before this, in `buffer`, are.
    search_end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NalState {
    Closed,
    Open,
    /// Over a limit: its bytes are dropped.
    Skipping,
}

/// The access unit being collected.
#[derive(Clone, Debug, Default)]
struct Unit {
    nal_units: usize,
    received: Micros,
    timestamp: u32,
    /// Its first slice.
    slice: Option<Slice>,
    /// The first slice of its second field.
    second: Option<Slice>,
    reference: bool,
    /// It (its second field, where there is one) has the slice with its first macroblock: wherever in it, for Baseline
    /// allows any order.
    begun: bool,
    random_access: Option<RandomAccess>,
    order: Option<PictureOrder>,
    parameters: Option<Arc<ParameterSets>>,
    skipped_leading: bool,
    /// The marker came after its last NAL unit.
    marked: bool,
    /// The marker came before there was a slice.
    marked_early: bool,
    /// Packets missing since the access unit before.
    lost: u32,
    /// Where something of it is missing, or may be.
    damage: Option<Place>,
    /// The timestamp of a NAL unit that was dropped before there was a slice.
    broken: Option<u32>,
    /// It began with a gap and a field that is usually the second: its first field was lost.
    alone: bool,
    /// recovery_frame_cnt of a recovery point SEI message.
    recovery: Option<u32>,
    /// Where the next access unit starts, if the next slice proves to be of another picture.
    cut: Option<Cut>,
}

/// A NAL unit that may be the first of the next access unit.
#[derive(Clone, Copy, Debug)]
struct Cut {
    at: usize,
    nal_units: usize,
    timestamp: u32,
    received: Micros,
    /// It may lack its beginning.
    damage: Option<Place>,
}

impl Unit {
    /// The next one begins: empty, or with what was received of it already. Its slices were taken.
    fn restart(&mut self, cut: Option<Cut>) {
        self.nal_units = cut.map_or(0, |cut| self.nal_units.saturating_sub(cut.nal_units));
        self.received = cut.map_or(Micros(0), |cut| cut.received);
        self.timestamp = cut.map_or(0, |cut| cut.timestamp);
        self.damage = cut.and_then(|cut| cut.damage);
        (self.random_access, self.order, self.parameters) = (None, None, None);
        (self.broken, self.recovery, self.cut) = (None, None, None);
        (self.reference, self.begun, self.skipped_leading) = (false, false, false);
        (self.marked, self.marked_early, self.alone) = (false, false, false);
        self.lost = 0;
    }
}

impl Assembler {
    /// For a stream of `codec`. The first buffer is allocated with the first NAL unit.
    #[must_use]
    pub fn new(codec: Codec, limits: &Limits) -> Self {
        Self {
            codec,
            limits: *limits,
            timed: true,
            buffer: BytesMut::new(),
            pool: Pool::default(),
            nal: NalState::Closed,
            nal_at: 0,
            nal_timestamp: 0,
            nal_received: Micros(0),
            unit: Unit::default(),
            ready: VecDeque::new(),
            sets: Arc::new(ParameterSets::new(codec)),
            counter: OrderCounter::new(codec),
            last: None,
            trust: Trust::default(),
            quirks: Quirks::default(),
            start_code: Finder::new(&[0, 0, 1]),
            count: 0,
            gap: false,
            nal_after_gap: false,
            delimiters: false,
            markers: true,
            first_bottom: None,
            withheld: loss::Withheld::default(),
            search_all: true,
            search_end: 0,
        }
    }

    /// For a stream without timestamps.
    pub(super) fn untimed(codec: Codec, limits: &Limits) -> Self {
        Self { timed: false, ..Self::new(codec, limits) }
    }

    /// The markers are not told to it: NAL units come in another order than they were sent in.
    pub(super) fn without_markers(&mut self) {
        self.markers = false;
    }

    /// Takes a parameter set from elsewhere (`sprop-parameter-sets`); it does not become part of an access unit.
    /// Sets in the stream win over it. A start code before it is tolerated (VStarcam), zeros behind it too (Hikvision).
    pub fn seed(&mut self, nal: &[u8]) {
        let bare = annexb::units(nal).next().unwrap_or(annexb::without_zeros(nal));
        let odd = bare.len() != nal.len();
        let refused = odd && !self.limits.policy.tolerates(Quirk::BadSprop);
        let kept = !refused && self.store(bare).is_ok();
        if odd || !kept {
            self.quirks.count(Quirk::BadSprop);
        }
    }

    /// The coding standard.
    #[must_use]
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// The parameter sets received so far.
    #[must_use]
    pub const fn parameters(&self) -> &Arc<ParameterSets> {
        &self.sets
    }

    /// What was tolerated so far.
    #[must_use]
    pub const fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    /// For the caller's own: one table for the whole step.
    pub const fn quirks_mut(&mut self) -> &mut Quirks {
        &mut self.quirks
    }

    /// A NAL unit starts, in a packet with this RTP timestamp, received then.
    pub fn begin_nal(&mut self, timestamp: u32, received: Micros) {
        if self.nal != NalState::Closed {
            self.abort_nal();
        }
        if timestamp != self.unit.timestamp {
            self.new_timestamp();
        }
        if self.unit.nal_units == 0 {
            self.unit.received = received;
        }
        if self.unit.nal_units >= self.limits.nal_units && !self.make_way() {
            return self.over_limit();
        }
        self.nal_after_gap = core::mem::take(&mut self.gap);
        self.nal_timestamp = timestamp;
        self.nal_received = received;
        self.nal_at = self.buffer.len();
        self.search_end = usize::MAX;
        self.room(LENGTH);
        self.buffer.extend_from_slice(&[0; LENGTH]);
        self.nal = NalState::Open;
    }

    /// More bytes of the NAL unit begun, its header first.
    #[inline(never)]
    pub fn extend(&mut self, bytes: &[u8]) {
        let from = self.buffer.len();
        if self.has_room(bytes) {
            self.buffer.extend_from_slice(bytes);
            if from < self.search_end {
                self.search(from);
            }
        } else {
            self.extend_rarely(bytes);
        }
    }

    #[cold]
    fn extend_rarely(&mut self, bytes: &[u8]) {
        if let Some(from) = self.put(bytes)
            && from < self.search_end
        {
            self.search(from);
        }
    }

    /// Is a NAL unit open, and is there room for more of it?
    #[inline]
    fn has_room(&self, bytes: &[u8]) -> bool {
        bytes.len() <= self.buffer.capacity() - self.buffer.len()
            && self.nal == NalState::Open
            && self.buffer.len() + bytes.len() <= self.limits.access_unit
    }

    /// Looks for start codes in what was added at `from`.
    #[inline(never)]
    fn search(&mut self, from: usize) {
        let start = self.nal_at + LENGTH;
        if !self.search_all && self.search_end == usize::MAX {
            let nal = Nal::new(self.buffer.get(start..).unwrap_or(&[]));
            if nal.kind(self.codec) == NalKind::Slice {
                self.search_end = start + SEARCHED_HEAD;
            }
        }
        let end = self.search_end.min(self.buffer.len());
        // A start code may straddle two pieces.
        let from = from.saturating_sub(2).max(start);
        let Some(added) = self.buffer.get(from..end) else { return };
        // Few bytes are searched for its 1 in a third of the time.
        if added.len() <= SEARCHED_HEAD && memchr::memchr(1, added).is_none() {
            return;
        }
        if let Some(at) = self.start_code.find(added) {
            self.split(from + at);
        }
    }

    /// As [`extend`](Self::extend), for bytes known to hold no start code.
    #[inline]
    pub(super) fn extend_plain(&mut self, bytes: &[u8]) {
        if self.has_room(bytes) {
            self.buffer.extend_from_slice(bytes);
        } else {
            self.put(bytes);
        }
    }

    /// Copies bytes behind the NAL unit begun; where they start, or `None` where they were dropped.
    #[inline(never)]
    fn put(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.nal != NalState::Open {
            return None;
        }
        let from = self.buffer.len();
        if from + bytes.len() > self.limits.access_unit && !self.fits_after_all(bytes.len()) {
            self.over_limit();
            return None;
        }
        self.room(bytes.len());
        let from = self.buffer.len();
        self.buffer.extend_from_slice(bytes);
        Some(from)
    }

    /// The NAL unit is whole.
    pub fn end_nal(&mut self) {
        if core::mem::replace(&mut self.nal, NalState::Closed) != NalState::Open {
            return;
        }
        let start = self.nal_at + LENGTH;
        // Zero bytes after a NAL unit are not part of it, ITU-T H.264 §7.4.1 (Hikvision pads its PPS).
        let nal = self.buffer.get(start..).unwrap_or(&[]);
        let zeros = if nal.last() == Some(&0) { nal.len() - annexb::without_zeros(nal).len() } else { 0 };
        let end = self.buffer.len() - zeros;
        if zeros > 0 && !self.drop_zeros(end) {
            return;
        }
        if end <= start {
            self.buffer.truncate(self.nal_at);
            return;
        }
        let length = ((end - start) as u32).to_be_bytes();
        if let Some(field) = self.buffer.get_mut(self.nal_at..start) {
            field.copy_from_slice(&length);
        }
        self.take_nal();
    }

    /// The packet just read has the marker bit: an access unit ends here, says the camera.
    pub fn end_access_unit(&mut self) {
        if self.unit.slice.is_none() || self.unit.cut.is_some() {
            // Tapo TC70, Reolink Duo 2: the marker on parameter sets and SEI.
            if self.unit.nal_units > 0 {
                self.quirks.count(Quirk::EarlyMarker);
                self.unit.marked_early = true;
                if self.unit.slice.is_none() && !self.limits.policy.tolerates(Quirk::EarlyMarker) {
                    self.drop_leading();
                }
            }
            return;
        }
        if self.awaits_second_field() {
            return;
        }
        self.unit.marked = true;
        if self.trust.trusted() || !self.limits.policy.tolerates(Quirk::EarlyMarker) {
            self.close(None);
        }
    }

    /// The stream ended: what is left comes out, marked where nothing says that it is whole. NAL units without a picture
    /// are dropped.
    pub fn finish(&mut self) {
        if self.nal != NalState::Closed {
            self.abort_nal();
        }
        if self.unit.slice.is_some() {
            if self.timed && !self.unit.marked {
                self.damaged(Place::Suffix);
            }
            self.close(None);
        }
        self.buffer.clear();
        // Packets that were lost behind the last picture count for the next one.
        self.unit = Unit { lost: self.unit.lost, ..Unit::default() };
    }

    /// The next access unit that is complete, in order of arrival.
    #[inline]
    pub fn pull(&mut self) -> Option<AccessUnit> {
        if self.ready.is_empty() { None } else { self.ready.pop_front() }
    }

    /// A first field without its second: markers and new timestamps do not end it.
    fn awaits_second_field(&self) -> bool {
        self.unit.second.is_none()
            && !self.unit.alone
            && self.unit.slice.as_ref().is_some_and(Slice::is_field)
    }

    /// Sees that `bytes` more fit without moving what is there more often than once in a buffer.
    #[inline]
    fn room(&mut self, bytes: usize) {
        if self.buffer.capacity() - self.buffer.len() < bytes {
            self.pool.renew(&mut self.buffer, bytes);
        }
    }

    /// A start code inside the NAL unit, at `at`: the rest are NAL units of their own.
    #[cold]
    fn split(&mut self, at: usize) {
        self.quirks.count(Quirk::EmbeddedStartCode);
        if !self.limits.policy.tolerates(Quirk::EmbeddedStartCode) {
            self.abort_nal();
            self.nal = NalState::Skipping;
            return;
        }
        self.search_all = true;
        let tail = self.buffer.get(at..).unwrap_or(&[]).to_vec();
        self.buffer.truncate(at);
        let (timestamp, received) = (self.nal_timestamp, self.nal_received);
        for piece in annexb::pieces(&tail) {
            self.end_nal();
            // Still so where nothing stood before the start code.
            self.gap |= self.nal_after_gap;
            self.begin_nal(timestamp, received);
            self.put(piece);
        }
    }

    /// After an access unit of `bytes`: starts a new buffer, if one as it may come next would not fit into this one and would
    /// have to be moved.
    fn make_room(&mut self, bytes: usize, random_access: bool) {
        self.pool.picture(bytes, random_access);
        let least = self.pool.least();
        if self.buffer.capacity() - self.buffer.len() < least {
            self.pool.renew(&mut self.buffer, least);
        }
    }

    /// At a cap: leading NAL units that no picture follows are dropped, they must not stop the stream. A picture ends where
    /// nothing else would tell its end. Else the NAL unit has no place.
    #[cold]
    fn make_way(&mut self) -> bool {
        if self.unit.slice.is_none() {
            self.quirks.count(Quirk::OverLimit);
            let open = self.nal == NalState::Open;
            self.buffer = if open { self.buffer.split_off(self.nal_at) } else { BytesMut::new() };
            self.nal_at = 0;
            self.unit = Unit { lost: self.unit.lost, received: self.nal_received, ..Unit::default() };
            return true;
        }
        if !self.timed {
            self.quirks.count(Quirk::OverLimit);
            self.damaged(Place::Suffix);
            let here = (self.nal == NalState::Open).then(|| self.cut_here());
            self.close(here);
            return true;
        }
        false
    }

    fn fits_after_all(&mut self, bytes: usize) -> bool {
        self.nal_at > 0 && self.make_way() && self.buffer.len() + bytes <= self.limits.access_unit
    }

    fn over_limit(&mut self) {
        self.quirks.count(Quirk::OverLimit);
        if self.nal == NalState::Open {
            self.buffer.truncate(self.nal_at);
        }
        self.nal = NalState::Skipping;
        self.damaged(Place::Suffix);
    }
}

#[cfg(test)]
mod tests;

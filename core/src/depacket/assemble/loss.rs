//! What loss means for the access unit being collected: what of it is missing, or may be.
//!
//! An access unit counts as whole only where something tells so. The packets missing right before a NAL unit may have
//! held the end of the access unit before, whole pictures, and the beginning of its own: nothing but a NAL unit that can
//! stand nowhere else says that this is the beginning.

use super::{AccessUnit, Assembler, NalKind, NalState, Place, Quirk, Unit};
use crate::depacket::RandomAccess;
use crate::h26x::Codec;

/// Access units that are held back under [`LossPolicy::Withhold`](crate::fault::LossPolicy::Withhold).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Withheld {
    /// Until the next random access point.
    active: bool,
    /// Decoding began anew at a picture whose leading ones refer across it.
    no_leading: bool,
    /// Packets lost of which nothing that came out tells.
    packets: u32,
    pub(super) units: u64,
}

impl Withheld {
    /// May it come out?
    pub(super) fn lets_pass(&mut self, unit: &mut AccessUnit) -> bool {
        self.active |= unit.loss.incomplete || unit.loss.packets > 0;
        let starts = unit.random_access.filter(|_| !unit.loss.incomplete);
        if starts.is_some_and(RandomAccess::starts_gop) {
            self.no_leading = self.active;
        }
        if self.active && starts.is_none() || unit.skipped_leading && self.no_leading {
            self.units += 1;
            self.packets = self.packets.saturating_add(unit.loss.packets);
            return false;
        }
        if self.active {
            self.active = false;
            let packets = core::mem::take(&mut self.packets);
            unit.loss.packets = unit.loss.packets.saturating_add(packets);
            unit.loss.place = Some(Place::Before);
        }
        true
    }
}

impl Assembler {
    /// The rest of the NAL unit was lost: what came of it is dropped, and its access unit is marked incomplete.
    #[cold]
    pub fn abort_nal(&mut self) {
        if core::mem::replace(&mut self.nal, NalState::Closed) == NalState::Open {
            self.buffer.truncate(self.nal_at);
        }
        self.nal_after_gap = false;
        if self.unit.slice.is_some() {
            self.damaged_here();
        } else {
            self.unit.broken = Some(self.nal_timestamp);
        }
    }

    /// `packets` are missing at this point. A NAL unit that is open is dropped.
    #[cold]
    pub fn lost(&mut self, packets: u32) {
        if self.nal != NalState::Closed {
            self.abort_nal();
        }
        if packets > 0 {
            self.unit.lost = self.unit.lost.saturating_add(packets);
            self.gap();
        }
    }

    /// Something is missing at this point.
    #[cold]
    pub(in crate::depacket) fn gap(&mut self) {
        if self.nal != NalState::Closed {
            self.abort_nal();
        }
        if self.unit.slice.is_some() {
            self.damaged_here();
        }
        self.gap = true;
    }

    /// Access units that did not come out: [`LossPolicy::Withhold`](crate::fault::LossPolicy::Withhold).
    #[must_use]
    pub const fn withheld(&self) -> u64 {
        self.withheld.units
    }

    /// Something of the access unit is missing, or may be.
    pub(super) fn damaged(&mut self, place: Place) {
        self.unit.damage.get_or_insert(place);
    }

    /// Something is missing behind what was received, of this access unit or of the next one.
    fn damaged_here(&mut self) {
        if let Some(cut) = &mut self.unit.cut {
            cut.damage.get_or_insert(Place::Interior);
        }
        self.damaged(Place::Suffix);
    }

    /// The NAL unit just received follows a gap, or one that was dropped: does something of its access unit lack?
    #[cold]
    pub(super) fn after_trouble(&mut self, kind: NalKind) {
        let gap = core::mem::take(&mut self.nal_after_gap);
        let broken = self.unit.broken.take();
        if self.unit.slice.is_some() {
            if gap {
                self.damaged(Place::Interior);
            }
            return;
        }
        let told = self.told_apart();
        let other = broken.is_some_and(|timestamp| timestamp != self.nal_timestamp) && told;
        let sure = (!gap || self.begins(kind)) && (broken.is_none() || other);
        let stale = self.unit.nal_units > 0 && self.unit.timestamp != self.nal_timestamp;
        if stale && told && (gap || other) {
            // What stands before is of a picture that was lost.
            self.forget_leading();
        }
        if self.unit.nal_units > 0 {
            self.damaged(Place::Interior);
        } else if !sure {
            self.damaged(Place::Prefix);
        }
    }

    /// Do timestamps tell pictures apart? Not so: Reolink RLC-822A.
    fn told_apart(&self) -> bool {
        self.timed && self.quirks.get(Quirk::TimestampInside) == 0
    }

    /// Can nothing of its access unit stand before such a NAL unit? A delimiter is the first, ITU-T H.264 §7.4.1.2.3,
    /// H.265 §7.4.2.4.4; without one, in the streams of encoders, the first parameter set.
    pub(super) fn begins(&self, kind: NalKind) -> bool {
        match (kind, self.codec) {
            (NalKind::Delimiter, _) => true,
            (NalKind::Sps, Codec::H264) | (NalKind::Vps, Codec::H265) => !self.delimiters,
            _ => false,
        }
    }

    /// Drops the NAL units before the one just received, which no picture followed.
    pub(super) fn forget_leading(&mut self) {
        drop(self.buffer.split_to(self.nal_at.min(self.buffer.len())));
        self.nal_at = 0;
        self.unit = Unit { lost: self.unit.lost, received: self.nal_received, ..Unit::default() };
    }

    /// Drops NAL units that a strict receiver does not take for the beginning of a picture, which then lacks it.
    #[cold]
    pub(super) fn drop_leading(&mut self) {
        self.nal_at = self.buffer.len();
        self.forget_leading();
        self.damaged(Place::Prefix);
    }

    /// Zeros behind a NAL unit that ends at `end`: not part of it, ITU-T H.264 §7.4.1 (Hikvision pads its PPS). Between
    /// start codes they are nothing special.
    pub(super) fn drop_zeros(&mut self, end: usize) -> bool {
        if self.timed {
            self.quirks.count(Quirk::TrailingZeros);
            if !self.limits.policy.tolerates(Quirk::TrailingZeros) {
                self.abort_nal();
                self.buffer.truncate(self.nal_at);
                return false;
            }
        }
        self.buffer.truncate(end);
        true
    }

    /// A NAL unit has another timestamp than what was collected.
    pub(super) fn new_timestamp(&mut self) {
        if self.unit.slice.is_none() {
            if self.unit.nal_units > 0 && self.unit.damage.is_some() && self.told_apart() {
                // The rest of a picture whose slices were lost.
                self.nal_at = self.buffer.len();
                self.forget_leading();
            }
            if core::mem::take(&mut self.unit.marked_early) {
                // Tapo C120: an access unit of SEI alone.
                self.quirks.count(Quirk::NoPicture);
                if !self.limits.policy.tolerates(Quirk::NoPicture) {
                    self.drop_leading();
                }
            }
            return;
        }
        if self.awaits_second_field() {
            return;
        }
        if !self.unit.marked && self.markers && self.unit.damage.is_none() && self.unit.lost == 0 {
            self.quirks.count(Quirk::NoMarker);
            if !self.limits.policy.tolerates(Quirk::NoMarker) {
                self.damaged(Place::Suffix);
            }
        }
        // Sets that were sent ahead of their picture, under the timestamp of the one before, are of the next one.
        let sets = self.unit.cut.filter(|cut| self.is_parameter_set(cut.at));
        self.close(sets);
    }
}

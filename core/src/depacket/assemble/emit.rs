//! What a whole NAL unit means for the access unit being collected.

use super::{
    AccessUnit, Arc, Assembler, Codec, Cut, LENGTH, Limits, Nal, NalKind, ParameterSets, PictureOrder, Place,
    Quirk, RandomAccess, Relation, SEARCHED, SEARCHED_EVERY, Slice,
};
use crate::depacket::Loss;
use crate::fault::LossPolicy;
use crate::h26x::picture::Header;
use crate::h26x::{Error, Extent, Inserted, Kind, sei};

impl Assembler {
    /// The NAL unit at the end of the buffer is whole: does it start an access unit, and what does it say?
    pub(super) fn take_nal(&mut self) {
        let nal = Nal::new(self.buffer.get(self.nal_at + LENGTH..).unwrap_or(&[]));
        let kind = nal.kind(self.codec);
        if kind == NalKind::Slice {
            let slice = Slice::read(nal, self.codec, &self.sets);
            self.take_slice(slice);
        } else if self.unit.slice.is_some() && kind.leads() {
            if kind == NalKind::Prefix || self.awaits_second_field() || self.may_stand_inside(kind) {
                let mut here = self.cut_here();
                here.damage = (self.nal_after_gap && !self.begins(kind)).then_some(Place::Prefix);
                self.unit.cut.get_or_insert(here);
            } else {
                self.close(Some(self.unit.cut.unwrap_or(self.cut_here())));
            }
        }
        if kind != NalKind::Slice && (self.nal_after_gap || self.unit.broken.is_some()) {
            self.after_trouble(kind);
        }
        if self.unit.slice.is_none() {
            self.unit.timestamp = self.nal_timestamp;
        }
        self.unit.nal_units += 1;
        if self.unit.marked {
            // The access unit goes on after its marker.
            self.unit.marked = false;
            self.quirks.count(Quirk::EarlyMarker);
            self.trust.lied();
        }
        self.nal_after_gap = false;
        if self.unit.damage == Some(Place::Suffix) && self.unit.cut.is_none() {
            // It goes on behind the gap.
            self.unit.damage = Some(Place::Interior);
        }
        if kind != NalKind::Slice {
            self.note(kind);
        }
    }

    /// Keeps what a NAL unit other than a slice says: parameter sets, recovery point, end of sequence.
    fn note(&mut self, kind: NalKind) {
        let nal = Nal::new(self.buffer.get(self.nal_at + LENGTH..).unwrap_or(&[]));
        match kind {
            _ if kind.is_parameter_set() || kind == NalKind::SubsetSps => self.note_set(),
            NalKind::Delimiter => self.delimiters = true,
            NalKind::Sei if self.unit.slice.is_none() => {
                let found = sei::messages(nal, self.codec).find_map(|m| m.recovery_point(self.codec));
                self.unit.recovery = self.unit.recovery.or(found.map(|point| point.frames));
            }
            NalKind::EndOfSequence | NalKind::EndOfBitstream => self.counter.end_of_sequence(),
            _ => {}
        }
    }

    /// Puts the parameter set at the end of the buffer into the table.
    fn note_set(&mut self) {
        let nal = self.buffer.get(self.nal_at + LENGTH..).unwrap_or(&[]);
        let quirk = match insert(&mut self.sets, nal, &self.limits) {
            Ok(Inserted::Same) => return,
            Ok(_) if self.sets.extent(nal) == Some(Extent::Trailing) => Quirk::TrailingBytes,
            Ok(_) => return,
            Err(Error { kind: Kind::TrailingBytes, .. }) => Quirk::TrailingBytes,
            Err(_) => Quirk::BadParameterSet,
        };
        self.odd_parameter_set(quirk);
    }

    /// Puts a parameter set into the table.
    pub(super) fn store(&mut self, nal: &[u8]) -> Result<Inserted, Error> {
        insert(&mut self.sets, nal, &self.limits)
    }

    /// The NAL unit just received as the first of the next access unit.
    pub(super) fn cut_here(&self) -> Cut {
        Cut {
            at: self.nal_at,
            nal_units: self.unit.nal_units,
            timestamp: self.nal_timestamp,
            received: self.nal_received,
            damage: None,
        }
    }

    fn take_slice(&mut self, slice: Slice) {
        let first = slice.first;
        let before = self.unit.second.as_ref().or(self.unit.slice.as_ref());
        match before.map(|before| before.relation(&slice)) {
            None => self.start_picture(slice),
            Some(Relation::SecondField) if self.unit.second.is_none() && !self.unit.alone => {
                self.first_bottom = Some(!is_bottom(&slice));
                self.unit.cut = None;
                self.counter.count(&slice, &self.sets);
                self.unit.reference |= slice.reference;
                if !self.unit.begun {
                    self.damaged(Place::Prefix);
                }
                self.unit.begun = false;
                self.unit.second = Some(slice);
            }
            Some(relation) if self.is_next(relation, &slice) => {
                let cut = self.unit.cut.unwrap_or(self.cut_here());
                self.close(Some(cut));
                self.start_picture(slice);
            }
            Some(_) => {
                if self.unit.cut.take().is_some_and(|cut| self.is_parameter_set(cut.at)) {
                    self.quirks.count(Quirk::SetsInside);
                }
            }
        }
        self.unit.begun |= first;
    }

    /// Is it a parameter set with the timestamp of the picture being collected, and thereby perhaps in its midst? Without
    /// timestamps it begins the next one, ITU-T H.264 §7.4.1.2.3.
    fn may_stand_inside(&self, kind: NalKind) -> bool {
        // GStreamer's parsers with `config-interval=-1`: before each slice of a key picture.
        kind.is_parameter_set()
            && self.timed
            && self.nal_timestamp == self.unit.timestamp
            && !self.unit.marked
            && self.limits.policy.tolerates(Quirk::SetsInside)
    }

    /// Is the NAL unit whose length is at `at` a parameter set?
    pub(super) fn is_parameter_set(&self, at: usize) -> bool {
        Nal::new(self.buffer.get(at + LENGTH..).unwrap_or(&[])).kind(self.codec).is_parameter_set()
    }

    /// Does a slice that stands so to the picture being collected belong to the next one?
    fn is_next(&self, relation: Relation, slice: &Slice) -> bool {
        match relation {
            Relation::Same => false,
            Relation::Again => self.unit.begun,
            Relation::SecondField => true,
            // What has one timestamp is one picture, unless it begins another.
            Relation::Next => !self.timed || slice.first || self.nal_timestamp != self.unit.timestamp,
        }
    }

    /// The first slice of an access unit.
    fn start_picture(&mut self, slice: Slice) {
        if self.nal_after_gap || self.unit.broken.is_some() {
            self.after_trouble(NalKind::Slice);
        }
        let continues = self.last.as_ref().is_some_and(|(last, timestamp)| {
            *timestamp == self.nal_timestamp && !slice.first && last.relation(&slice) == Relation::Same
        });
        if continues && self.unit.nal_units > 0 && self.is_parameter_set(0) {
            self.quirks.count(Quirk::SetsInside);
        } else if continues && self.trust.trusted() {
            // A marker that was believed came in the middle of a picture.
            self.quirks.count(Quirk::EarlyMarker);
            self.trust.lied();
        }
        if self.unit.nal_units > 0 && self.unit.timestamp != self.nal_timestamp {
            // Reolink RLC-822A: the parameter sets carry another timestamp than their picture.
            self.quirks.count(Quirk::TimestampInside);
            if !self.limits.policy.tolerates(Quirk::TimestampInside) {
                self.forget_leading();
                self.damaged(Place::Prefix);
            }
        }
        match slice.sps_id() {
            Some(id) if self.sets.active() != Some(id) => Arc::make_mut(&mut self.sets).activate(id),
            Some(_) => {}
            None => self.missing_parameter_set(),
        }
        let order =
            self.counter.count(&slice, &self.sets).map(|(count, restart)| PictureOrder { count, restart });
        let bottom = is_bottom(&slice);
        let unit = &mut self.unit;
        unit.timestamp = self.nal_timestamp;
        unit.alone = unit.damage == Some(Place::Prefix)
            && slice.is_field()
            && self.first_bottom.is_some_and(|first| first != bottom);
        unit.random_access = random_access(self.codec, slice.unit_type, unit.recovery);
        unit.skipped_leading = self.codec == Codec::H265 && matches!(slice.unit_type, 8 | 9);
        unit.order = order;
        unit.reference = slice.reference;
        unit.parameters = slice.header.is_some().then(|| Arc::clone(&self.sets));
        unit.slice = Some(slice);
    }

    /// The access unit ends: at `cut`, or with all that there is.
    pub(super) fn close(&mut self, cut: Option<Cut>) {
        let at = cut.map_or(self.buffer.len(), |cut| cut.at.min(self.buffer.len()));
        let bytes = self.buffer.split_to(at);
        self.nal_at = self.nal_at.saturating_sub(at);
        let unit = &mut self.unit;
        let (second, first) = (unit.second.take(), unit.slice.take());
        if let Some(slice) = second.or(first) {
            let damage = unit.damage.or_else(|| (!unit.begun).then_some(Place::Prefix));
            let place = damage.or_else(|| (unit.lost > 0).then_some(Place::Before));
            let mut whole = AccessUnit {
                codec: self.codec,
                data: bytes.freeze(),
                timestamp: unit.timestamp,
                received: unit.received,
                random_access: unit.random_access,
                reference: unit.reference,
                skipped_leading: unit.skipped_leading,
                order: unit.order,
                parameters: unit.parameters.take(),
                loss: Loss { packets: unit.lost, place, incomplete: damage.is_some() },
            };
            self.last = Some((slice, unit.timestamp));
            if unit.marked {
                self.trust.confirm();
            }
            self.make_room(at, whole.random_access.is_some());
            if self.limits.loss == LossPolicy::Mark || self.withheld.lets_pass(&mut whole) {
                self.ready.push_back(whole);
            }
            self.count += 1;
            self.search_all = self.count < SEARCHED
                || self.count.is_multiple_of(SEARCHED_EVERY)
                || self.quirks.get(Quirk::EmbeddedStartCode) > 0;
            if self.search_all {
                self.search_end = usize::MAX;
            }
        }
        self.unit.restart(cut);
    }
}

impl Assembler {
    /// A parameter set that does not parse is kept in its place, for a decoder that knows better.
    #[cold]
    fn odd_parameter_set(&mut self, quirk: Quirk) {
        self.quirks.count(quirk);
        if !self.limits.policy.tolerates(quirk) {
            // What it says may be what the picture needs.
            self.buffer.truncate(self.nal_at);
            self.unit.nal_units -= 1;
            self.damaged(Place::Prefix);
        }
    }

    #[cold]
    fn missing_parameter_set(&mut self) {
        self.quirks.count(Quirk::MissingParameterSet);
        if !self.limits.policy.tolerates(Quirk::MissingParameterSet) {
            self.damaged(Place::Prefix);
        }
    }
}

/// Is it of a bottom field?
fn is_bottom(slice: &Slice) -> bool {
    matches!(&slice.header, Some(Header::H264(header)) if header.bottom)
}

fn insert(sets: &mut Arc<ParameterSets>, nal: &[u8], limits: &Limits) -> Result<Inserted, Error> {
    if sets.holds(nal) {
        return Ok(Inserted::Same);
    }
    Arc::make_mut(sets).insert_within(nal, limits)
}

/// ITU-T H.264 table 7-1 and §D.2.8, H.265 table 7-1 and §D.3.8.
fn random_access(codec: Codec, unit_type: u8, recovery: Option<u32>) -> Option<RandomAccess> {
    match (codec, unit_type) {
        (Codec::H264, 5) | (Codec::H265, 19 | 20) => Some(RandomAccess::Idr),
        (Codec::H265, 21) => Some(RandomAccess::Cra),
        (Codec::H265, 16..=18) => Some(RandomAccess::Bla),
        _ => recovery.map(|frames| RandomAccess::RecoveryPoint { frames }),
    }
}

//! What a whole NAL unit means for the access unit being collected.

use super::*;
use crate::h26x::Inserted;

impl Assembler {
    /// The NAL unit at the end of the buffer is whole: does it start an access unit, and what does it say?
    pub(super) fn take_nal(&mut self) {
        let start = self.nal_at + LENGTH;
        let nal = Nal::new(self.buffer.get(start..).unwrap_or(&[]));
        let kind = nal.kind(self.codec);
        match kind {
            NalKind::Slice => {
                let slice = Slice::read(nal, self.codec, &self.sets);
                self.take_slice(slice);
            }
            _ if kind.leads() && self.unit.slice.is_some() => {
                if kind == NalKind::Prefix || self.awaits_second_field() {
                    self.unit.cut.get_or_insert(Cut {
                        at: self.nal_at,
                        nal_units: self.unit.nal_units,
                        timestamp: self.nal_timestamp,
                        received: self.nal_received,
                    });
                } else {
                    self.close(Some(self.cut_here()));
                }
            }
            _ => {}
        }
        if self.unit.nal_units == 0 || self.unit.slice.is_none() && kind != NalKind::Slice {
            self.unit.timestamp = self.nal_timestamp;
        }
        self.unit.nal_units += 1;
        if self.unit.marked && self.nal_timestamp == self.unit.timestamp {
            // The access unit goes on after its marker.
            self.unit.marked = false;
            self.quirks.count(Quirk::EarlyMarker);
            self.trust.lied();
        }
        self.note(kind);
    }

    /// Keeps what a NAL unit other than a slice says: parameter sets, recovery point, end of sequence.
    fn note(&mut self, kind: NalKind) {
        let start = self.nal_at + LENGTH;
        match kind {
            NalKind::Vps | NalKind::Sps | NalKind::Pps => {
                let bytes = self.buffer.get(start..).unwrap_or(&[]);
                if insert(&mut self.sets, bytes, &self.limits).is_err() {
                    self.quirks.count(Quirk::BadParameterSet);
                }
            }
            NalKind::EndOfSequence | NalKind::EndOfBitstream => self.counter.end_of_sequence(),
            _ => {}
        }
    }

    /// Puts a parameter set into the table.
    pub(super) fn store(&mut self, nal: &[u8]) -> Result<Inserted, crate::h26x::Error> {
        insert(&mut self.sets, nal, &self.limits)
    }

    const fn cut_here(&self) -> Cut {
        Cut {
            at: self.nal_at,
            nal_units: self.unit.nal_units,
            timestamp: self.nal_timestamp,
            received: self.nal_received,
        }
    }

    fn take_slice(&mut self, slice: Slice) {
        if let Some(first) = &self.unit.slice {
            match first.relation(&slice) {
                Relation::Same => {
                    self.unit.cut = None;
                    return;
                }
                Relation::SecondField if !self.unit.second_field => {
                    self.unit.cut = None;
                    self.unit.second_field = true;
                    self.counter.second_field(&slice, &self.sets);
                    return;
                }
                Relation::SecondField | Relation::Next => {
                    let cut = self.unit.cut.unwrap_or(self.cut_here());
                    self.close(Some(cut));
                }
            }
        }
        self.start_picture(slice);
    }

    /// The first slice of an access unit.
    fn start_picture(&mut self, slice: Slice) {
        let continues = self.last.as_ref().is_some_and(|(last, timestamp)| {
            *timestamp == self.nal_timestamp && !slice.first && last.relation(&slice) == Relation::Same
        });
        if continues && self.trust.trusted() {
            // A marker that was believed came in the middle of a picture.
            self.quirks.count(Quirk::EarlyMarker);
            self.trust.lied();
        }
        if self.unit.nal_units > 0 && self.unit.timestamp != self.nal_timestamp {
            // Reolink RLC-822A: the parameter sets carry the picture before's.
            self.quirks.count(Quirk::TimestampInside);
        }
        let unit = &mut self.unit;
        unit.timestamp = self.nal_timestamp;
        unit.loss.incomplete |= !slice.first || unit.broken == Some(self.nal_timestamp);
        unit.skipped_leading = slice.unit_type == 8;
        unit.random_access = (slice.unit_type == 5).then_some(RandomAccess::Idr);
        unit.slice = Some(slice);
    }

    /// The access unit ends: at `cut`, or with all that there is.
    pub(super) fn close(&mut self, cut: Option<Cut>) {
        let bytes = match cut {
            Some(cut) => {
                self.nal_at = self.nal_at.saturating_sub(cut.at);
                self.buffer.split_to(cut.at.min(self.buffer.len()))
            }
            None => self.buffer.split(),
        };
        let next = cut.map_or_else(Unit::default, |cut| Unit {
            nal_units: self.unit.nal_units - cut.nal_units,
            received: cut.received,
            timestamp: cut.timestamp,
            ..Unit::default()
        });
        let unit = core::mem::replace(&mut self.unit, next);
        let Some(slice) = unit.slice else { return };
        if unit.marked {
            self.trust.confirm();
        }
        self.largest = self.largest.max(bytes.len());
        self.ready.push_back(AccessUnit {
            codec: self.codec,
            data: bytes.freeze(),
            timestamp: unit.timestamp,
            received: unit.received,
            random_access: unit.random_access,
            reference: slice.reference,
            skipped_leading: unit.skipped_leading,
            order: unit.order,
            parameters: unit.parameters,
            loss: unit.loss,
        });
        self.last = Some((slice, unit.timestamp));
    }
}

fn insert(
    sets: &mut Arc<ParameterSets>,
    nal: &[u8],
    limits: &Limits,
) -> Result<Inserted, crate::h26x::Error> {
    if sets.holds(nal) {
        return Ok(Inserted::Same);
    }
    Arc::make_mut(sets).insert_within(nal, limits.parameter_set)
}

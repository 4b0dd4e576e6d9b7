//! Whose turn is it? The stream's packets told from others, and its numbering from another.

use super::Reorder;
use crate::fault::Quirk;
use crate::rtp::{RtpPacket, sequence_distance};
use crate::time::Micros;

/// RFC 3550 appendix A.1, `MAX_DROPOUT`: a longer leap ahead is another numbering, not loss.
const MAX_DROPOUT: i32 = 3_000;
/// RFC 3550 appendix A.1, `MAX_MISORDER`: a packet further behind is another numbering, not late.
const MAX_MISORDER: i32 = 100;
/// Late packets in a row, numbered one after the other, that prove that the numbering went back by less than
/// `MAX_MISORDER`.
const LATE_RUN: u16 = 32;
/// Packets of another SSRC in a row, and microseconds without one of ours, that together prove that the stream
/// changed its SSRC without saying so. A former session's leftovers come in bursts, but ours go on between them.
const FOREIGN_RUN: u16 = 16;
const PAUSE: u64 = 250_000;
/// As many in a row prove it without a clock (a file has none), and as much silence proves it with one packet.
const FOREIGN_LONG_RUN: u16 = 512;
const SILENCE: u64 = 2_000_000;
/// Packets in a row whose numbers follow each other, none of which was given out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    next: u16,
    length: u16,
    /// Packets given out when it began: one more ends it.
    given: u64,
}

impl Run {
    fn add(&mut self, sequence: u16, given: u64) -> u16 {
        let follows = self.length > 0 && self.next == sequence && self.given == given;
        let length = if follows { self.length.saturating_add(1) } else { 1 };
        *self = Self { next: sequence.wrapping_add(1), length, given };
        length
    }
}

/// What to do with a packet.
pub(super) enum Turn {
    Now { lost: u32, restart: bool },
    Wait { restart: bool },
    Never,
}

impl Reorder {
    /// A packet that is none of the stream's. RFC 3550 leaves a receiver that does not tolerate it no way to tell what
    /// it replaced: the next packet is the first after a loss.
    fn refuse(&mut self, quirk: Quirk) -> Turn {
        self.quirks.count(quirk);
        self.marked |= self.started && !self.policy.tolerates(quirk);
        Turn::Never
    }

    pub(super) fn turn(&mut self, packet: &RtpPacket<'_>, received: Micros) -> Turn {
        // GeoVision sends packets of type 50 with the number of the packet before: they count for nothing.
        if *self.payload_type.get_or_insert(packet.payload_type) != packet.payload_type {
            return self.refuse(Quirk::ForeignPayloadType);
        }
        match self.ssrc {
            None => {
                // Hikvision and Dahua name a wrong one.
                if self.announced.is_some_and(|announced| announced != packet.ssrc) {
                    self.quirks.count(Quirk::OtherSsrc);
                    if !self.policy.tolerates(Quirk::OtherSsrc) {
                        self.marked = true;
                        return Turn::Never;
                    }
                }
                self.take_ssrc(packet.ssrc);
                self.expected = packet.sequence;
            }
            Some(ours) if ours != packet.ssrc => return self.foreign_turn(packet, ours, received),
            Some(_) => {}
        }
        let distance = i32::from(sequence_distance(self.expected, packet.sequence));
        if !self.started && self.window > 0 && (-MAX_MISORDER..=MAX_DROPOUT).contains(&distance) {
            return Turn::Wait { restart: false };
        }
        match distance {
            0 => Turn::Now { lost: 0, restart: false },
            1..=MAX_DROPOUT if self.window == 0 => Turn::Now { lost: distance as u32, restart: false },
            1..=MAX_DROPOUT => Turn::Wait { restart: false },
            _ => self.turn_far(packet.sequence, distance),
        }
    }

    /// A packet that was given out or given up; or the counter went back (or far ahead), which is followed when it is
    /// sure. Over TCP nobody else could have sent it.
    fn turn_far(&mut self, sequence: u16, distance: i32) -> Turn {
        let near = (-MAX_MISORDER..0).contains(&distance);
        if near && self.given_up.take(distance.unsigned_abs(), self.stats.packets) {
            self.stats.late += 1;
            self.patience.was_short();
            return Turn::Never;
        }
        let run = self.suspect.add(sequence, self.stats.packets);
        let tolerated = self.policy.tolerates(Quirk::SequenceRestart);
        let needed = match near {
            // RFC 3550 appendix A.1: never, and two in a row.
            true if !tolerated => u16::MAX,
            true => LATE_RUN,
            false => 1 + u16::from(self.window > 0 || !tolerated),
        };
        if run >= needed {
            self.quirks.count(Quirk::SequenceRestart);
            return self.restart();
        }
        self.stats.duplicates += 1;
        Turn::Never
    }

    fn take_ssrc(&mut self, ssrc: u32) {
        self.ssrc = Some(ssrc);
        self.announced.take_if(|announced| *announced == ssrc);
    }

    /// A packet of another SSRC. Reolink RLC-410 goes on sending a former session's packets, between ours; others
    /// start with a wrong SSRC, or change it in mid-stream.
    fn foreign_turn(&mut self, packet: &RtpPacket<'_>, ours: u32, received: Micros) -> Turn {
        let follows = packet.sequence == self.expected && self.arrivals.is_last(packet.timestamp);
        if follows && self.announced == Some(packet.ssrc) && self.held.len() == 0 {
            // The camera of retina's issue 79: its first packet alone has another SSRC than SETUP named.
            self.take_ssrc(packet.ssrc);
            return Turn::Now { lost: 0, restart: false };
        }
        if self.foreign_ssrc != packet.ssrc {
            self.foreign.length = 0;
            self.foreign_ssrc = packet.ssrc;
        }
        let run = self.foreign.add(packet.sequence, self.stats.packets);
        let silence = received.since(self.last_received);
        let said = self.announced == Some(packet.ssrc) || self.gone == Some(ours);
        let sure = run >= FOREIGN_LONG_RUN || run >= FOREIGN_RUN && silence > PAUSE || silence > SILENCE;
        if !said && sure {
            self.quirks.count(Quirk::SsrcChange);
        }
        if said || sure && self.policy.tolerates(Quirk::SsrcChange) {
            self.take_ssrc(packet.ssrc);
            return self.restart();
        }
        self.refuse(Quirk::ForeignSsrc)
    }

    /// Another numbering starts: what waits of the old one goes first.
    fn restart(&mut self) -> Turn {
        if self.held.len() == 0 {
            return Turn::Now { lost: 1, restart: true };
        }
        self.foreign.length = 0;
        self.suspect.length = 0;
        Turn::Wait { restart: true }
    }
}

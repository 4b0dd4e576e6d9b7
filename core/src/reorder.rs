//! RTP packets back into order: one stream's, each once, with the count of those missing before it.
//!
//! Over TCP and in most captures packets are in order already: they pass through borrowed, nothing is copied, and a
//! gap is a loss at once (cameras drop packets out of their own full send buffer). Over UDP a packet that came too
//! early waits in a side buffer of a bounded number of packets.

mod held;

use held::{Held, Inserted};

use crate::fault::{Quirk, Quirks};
use crate::limits::Limits;
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
/// Packets that wait for a missing one where the transport reorders; at 4 Mb/s, 64 packets are 0.18 s.
const WINDOW: usize = 64;
/// Of those, packets that are waited for at the very start: which number is the first is not known before.
const START_WINDOW: usize = WINDOW / 2;

/// A packet in its turn.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Ordered<'a> {
    /// The packet.
    pub packet: RtpPacket<'a>,
    /// When it arrived.
    pub received: Micros,
    /// Packets missing between the one before and this one. At least 1 where `restart` is set: nobody knows.
    pub lost_before: u32,
    /// Another SSRC or another numbering starts here: its timestamps do not continue those before.
    pub restart: bool,
}

/// What went through so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Packets given out.
    pub packets: u64,
    /// Packets found missing.
    pub lost: u64,
    /// Packets dropped because their like was there already, or their turn was over.
    pub duplicates: u64,
    /// Packets that came after one that is numbered higher.
    pub reordered: u64,
    /// Changes of the SSRC or of the numbering.
    pub restarts: u64,
}

/// One stream's packets, put in order.
///
/// Give each packet to [`push`](Self::push), then call [`pull`](Self::pull) until it gives nothing; at the end
/// [`finish`](Self::finish), and pull again. The first packets of a window wait for each other: who was first is known
/// only when more have come.
///
/// ```
/// # use vigie::{limits::Limits, reorder::Reorder, time::Micros};
/// # let packet = |n: u8| [0x80, 96, 0, n, 0, 0, 0, 0, 0, 0, 0, 1, 0x65];
/// let mut reorder = Reorder::windowed(&Limits::default());
/// let mut got = vec![];
/// for n in [1, 3, 2, 4] {
///     got.extend(reorder.push(&packet(n), Micros(0)).map(|o| o.packet.sequence));
///     while let Some(ordered) = reorder.pull() {
///         got.push(ordered.packet.sequence);
///     }
/// }
/// reorder.finish();
/// while let Some(ordered) = reorder.pull() {
///     got.push(ordered.packet.sequence);
/// }
/// assert_eq!(got, [1, 2, 3, 4]);
/// ```
#[derive(Debug)]
pub struct Reorder {
    /// Packets that may wait; 0: none ever does.
    window: usize,
    /// The first packet has been given out.
    started: bool,
    payload_type: Option<u8>,
    ssrc: Option<u32>,
    /// The SSRC that SETUP's answer names, until a packet carries it.
    announced: Option<u32>,
    /// The SSRC that said goodbye.
    gone: Option<u32>,
    expected: u16,
    last_received: Micros,
    suspect: Run,
    foreign: Run,
    /// Of another SSRC: which.
    foreign_ssrc: u32,
    held: Held,
    stats: Stats,
    quirks: Quirks,
}

/// Packets in a row whose numbers follow each other, none of which was given out.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
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
enum Turn {
    Now { lost: u32, restart: bool },
    Wait { restart: bool },
    Never,
}

impl Reorder {
    /// For a transport that keeps the order: TCP, and captures of it. A gap is a loss at once.
    #[must_use]
    pub fn in_order() -> Self {
        Self {
            window: 0,
            started: false,
            payload_type: None,
            ssrc: None,
            announced: None,
            gone: None,
            expected: 0,
            last_received: Micros(0),
            suspect: Run::default(),
            foreign: Run::default(),
            foreign_ssrc: 0,
            held: Held::default(),
            stats: Stats::default(),
            quirks: Quirks::default(),
        }
    }

    /// For a transport that does not: UDP, and captures of it. A packet that is missing is waited for until
    /// [`Limits::reorder_packets`], or 64 if that is less, have come after it. The first ones are given when half as
    /// many have come: only then is it known which is the first.
    #[must_use]
    pub fn windowed(limits: &Limits) -> Self {
        Self { window: WINDOW.min(limits.reorder_packets), ..Self::in_order() }
    }

    /// Takes only this payload type; without it, that of the first packet.
    #[must_use]
    pub fn with_payload_type(mut self, payload_type: u8) -> Self {
        self.payload_type = Some(payload_type);
        self
    }

    /// The SSRC that SETUP's answer names. A hint: the first packet is taken whatever it carries (Hikvision and Dahua
    /// name a wrong one), and a packet with this one ends the wait for it.
    #[must_use]
    pub fn with_ssrc(mut self, ssrc: u32) -> Self {
        self.announced = Some(ssrc);
        self
    }

    /// Takes one packet, the whole of `bytes`, and gives it back if its turn is now.
    #[inline]
    pub fn push<'a>(&mut self, bytes: &'a [u8], received: Micros) -> Option<Ordered<'a>> {
        match RtpPacket::parse(bytes) {
            Ok(packet) if self.is_next(&packet) => {
                self.expected = self.expected.wrapping_add(1);
                self.stats.packets += 1;
                self.last_received = received;
                Some(Ordered { packet, received, lost_before: 0, restart: false })
            }
            _ => self.push_disturbed(bytes, received),
        }
    }

    /// Anything but the next packet of an undisturbed stream.
    #[cold]
    fn push_disturbed<'a>(&mut self, bytes: &'a [u8], received: Micros) -> Option<Ordered<'a>> {
        let Ok(packet) = RtpPacket::parse(bytes) else {
            self.quirks.count(Quirk::BadRtp);
            return None;
        };
        match self.turn(&packet, received) {
            Turn::Now { lost, restart } => {
                self.stats.reordered += u64::from(self.held.len() > 0);
                self.advance(packet.sequence, lost, restart);
                self.last_received = received;
                Some(Ordered { packet, received, lost_before: lost, restart })
            }
            Turn::Wait { restart } => {
                self.last_received = received;
                match self.held.insert(bytes, packet.sequence, received, restart) {
                    Inserted::Last => {}
                    Inserted::Between => self.stats.reordered += 1,
                    Inserted::Known => self.stats.duplicates += 1,
                }
                None
            }
            Turn::Never => None,
        }
    }

    /// A packet that waited and whose turn is now.
    pub fn pull(&mut self) -> Option<Ordered<'_>> {
        let front = self.held.front()?;
        if !self.started {
            if self.held.len() <= START_WINDOW.min(self.window) && !self.held.must_go() {
                return None;
            }
            self.expected = front.sequence;
        }
        let overdue = self.held.must_go() || self.held.len() > self.window;
        if front.sequence != self.expected && !overdue {
            return None;
        }
        let lost = match sequence_distance(self.expected, front.sequence) {
            _ if front.restart => 1,
            gap => gap.max(0) as u32,
        };
        let (sequence, restart, received) = (front.sequence, front.restart, front.received);
        self.advance(sequence, lost, restart);
        let packet = RtpPacket::parse(self.held.take_front()?).ok()?;
        Some(Ordered { packet, received, lost_before: lost, restart })
    }

    /// Nothing more comes: [`pull`](Self::pull) now gives all that still waits.
    pub fn finish(&mut self) {
        self.held.release();
    }

    /// An RTCP goodbye, RFC 3550 §6.6: the next other SSRC is the stream's new one, at once.
    pub fn goodbye(&mut self, ssrc: u32) {
        self.gone = Some(ssrc);
    }

    /// The stream's SSRC, once a packet has come.
    #[must_use]
    pub const fn ssrc(&self) -> Option<u32> {
        self.ssrc
    }

    /// The payload type that is taken, once it is known.
    #[must_use]
    pub const fn payload_type(&self) -> Option<u8> {
        self.payload_type
    }

    /// Counts so far.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// What was tolerated so far.
    #[must_use]
    pub const fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    #[inline]
    fn is_next(&self, packet: &RtpPacket<'_>) -> bool {
        packet.sequence == self.expected
            && Some(packet.ssrc) == self.ssrc
            && Some(packet.payload_type) == self.payload_type
            && self.held.len() == 0
    }

    fn advance(&mut self, sequence: u16, lost: u32, restart: bool) {
        self.started = true;
        self.expected = sequence.wrapping_add(1);
        self.stats.packets += 1;
        if restart {
            self.stats.restarts += 1;
        } else {
            self.stats.lost += u64::from(lost);
        }
    }

    fn turn(&mut self, packet: &RtpPacket<'_>, received: Micros) -> Turn {
        // GeoVision sends packets of type 50 with the number of the packet before: they count for nothing.
        if *self.payload_type.get_or_insert(packet.payload_type) != packet.payload_type {
            self.quirks.count(Quirk::ForeignPayloadType);
            return Turn::Never;
        }
        match self.ssrc {
            None => {
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
            // The counter went back (or far ahead): follow it when it is sure. Over TCP nobody else could have sent it.
            _ => {
                let run = self.suspect.add(packet.sequence, self.stats.packets);
                let near = (-MAX_MISORDER..0).contains(&distance);
                let needed = if near { LATE_RUN } else { 1 + u16::from(self.window > 0) };
                if run >= needed {
                    return self.restart();
                }
                self.stats.duplicates += 1;
                Turn::Never
            }
        }
    }

    fn take_ssrc(&mut self, ssrc: u32) {
        self.ssrc = Some(ssrc);
        self.announced.take_if(|announced| *announced == ssrc);
    }

    /// A packet of another SSRC. Reolink RLC-410 goes on sending a former session's packets, between ours; others
    /// start with a wrong SSRC, or change it in mid-stream.
    fn foreign_turn(&mut self, packet: &RtpPacket<'_>, ours: u32, received: Micros) -> Turn {
        if self.foreign_ssrc != packet.ssrc {
            self.foreign.length = 0;
            self.foreign_ssrc = packet.ssrc;
        }
        let run = self.foreign.add(packet.sequence, self.stats.packets);
        let silence = received.since(self.last_received);
        if self.announced == Some(packet.ssrc)
            || self.gone == Some(ours)
            || run >= FOREIGN_LONG_RUN
            || run >= FOREIGN_RUN && silence > PAUSE
            || silence > SILENCE
        {
            self.take_ssrc(packet.ssrc);
            return self.restart();
        }
        self.quirks.count(Quirk::ForeignSsrc);
        Turn::Never
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

#[cfg(test)]
mod tests;

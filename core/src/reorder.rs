//! RTP packets back into order: one stream's, each once, with the count of those missing before it.
//!
//! Over TCP and in most captures packets are in order already: they pass through borrowed, nothing is copied, and a
//! gap is a loss at once (cameras drop packets out of their own full send buffer). Over UDP a packet that came too
//! early waits in a side buffer, for a bounded time and of a bounded number of packets.

mod arrivals;
mod held;
mod missing;
mod turn;

use arrivals::{Arrivals, Count};
use held::{Held, Inserted};
use missing::{GivenUp, Patience};
use turn::{Run, Turn};

use crate::fault::{Policy, Quirk, Quirks};
use crate::limits::Limits;
use crate::rtp::rtcp::{ReportBlock, SenderReport};
use crate::rtp::{RtpPacket, sequence_distance};
use crate::time::{Micros, TIMESCALE};

/// Packets, and microseconds, that are waited for at the very start: which number is the first is not known before.
const START_WINDOW: usize = 32;
const START_WAIT: u64 = 20_000;

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
    /// Of those, packets that came after all, when they had been given up. They stay lost.
    pub late: u64,
    /// Packets dropped because their like was there already.
    pub duplicates: u64,
    /// Packets that came after one that is numbered higher.
    pub reordered: u64,
    /// Changes of the SSRC or of the numbering.
    pub restarts: u64,
    /// Interarrival jitter in microseconds, RFC 3550 §6.4.1; over TCP of the first packet of each timestamp.
    pub jitter: u32,
}

/// One stream's packets, put in order.
///
/// Give each packet to [`push`](Self::push), then call [`pull`](Self::pull) until it gives nothing; likewise when
/// [`poll_timeout`](Self::poll_timeout) is due, after [`handle_timeout`](Self::handle_timeout), and at the end after
/// [`finish`](Self::finish). The first packets of a window wait for each other: who was first is known only a little
/// later.
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
    policy: Policy,
    /// The first packet has been given out.
    started: bool,
    /// Nothing waits, and nothing is to be said with the next packet.
    calm: bool,
    /// What a strict receiver cannot read has come since the last packet.
    marked: bool,
    payload_type: Option<u8>,
    ssrc: Option<u32>,
    /// The SSRC that SETUP's answer names, until a packet carries it.
    announced: Option<u32>,
    /// The SSRC that said goodbye.
    gone: Option<u32>,
    expected: u16,
    last_received: Micros,
    now: Micros,
    suspect: Run,
    foreign: Run,
    /// Of another SSRC: which.
    foreign_ssrc: u32,
    held: Held,
    patience: Patience,
    given_up: GivenUp,
    arrivals: Arrivals,
    /// The first number since the last restart, and the counts before it.
    first: (u16, Stats),
    stats: Stats,
    quirks: Quirks,
}

impl Reorder {
    /// For a transport that keeps the order: TCP, and captures of it. A gap is a loss at once.
    #[must_use]
    pub fn in_order() -> Self {
        Self {
            window: 0,
            policy: Policy::Auto,
            started: false,
            calm: true,
            marked: false,
            payload_type: None,
            ssrc: None,
            announced: None,
            gone: None,
            expected: 0,
            last_received: Micros(0),
            now: Micros(0),
            suspect: Run::default(),
            foreign: Run::default(),
            foreign_ssrc: 0,
            held: Held::default(),
            patience: Patience::new(0),
            given_up: GivenUp::default(),
            arrivals: Arrivals::new(TIMESCALE),
            first: (0, Stats::default()),
            stats: Stats::default(),
            quirks: Quirks::default(),
        }
    }

    /// For a transport that does not: UDP, and captures of it. A packet that is missing is waited for until
    /// [`Limits::reorder_packets`] have come after it, or for [`Limits::reorder_micros`]; less long where packets turn
    /// out to be lost rather than late. The first ones are given after 20 ms, or when 32 have come: only then is it
    /// known which is the first.
    #[must_use]
    pub fn windowed(limits: &Limits) -> Self {
        Self {
            window: limits.reorder_packets,
            policy: limits.policy,
            patience: Patience::new(limits.reorder_micros),
            ..Self::in_order()
        }
    }

    /// What is tolerated; of [`windowed`](Self::windowed) its limits say it.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Ticks in a second of its timestamps, for the jitter; without it 90 000.
    #[must_use]
    pub fn with_clock_rate(mut self, rate: u32) -> Self {
        self.arrivals = Arrivals::new(rate);
        self
    }

    /// Takes only this payload type; without it, that of the first packet.
    #[must_use]
    pub fn with_payload_type(mut self, payload_type: u8) -> Self {
        self.payload_type = Some(payload_type);
        self
    }

    /// The SSRC that SETUP's answer names. A hint: the first packet is taken whatever it carries
    /// ([`Quirk::OtherSsrc`]), and a packet with this one ends the wait for it.
    #[must_use]
    pub fn with_ssrc(mut self, ssrc: u32) -> Self {
        self.announced = Some(ssrc);
        self
    }

    /// Takes one packet, the whole of `bytes`, and gives it back if its turn is now.
    #[inline(always)]
    pub fn push<'a>(&mut self, bytes: &'a [u8], received: Micros) -> Option<Ordered<'a>> {
        match RtpPacket::plain(bytes) {
            Some(packet) if self.is_next(&packet) => Some(self.give_next(packet, received)),
            _ => self.push_any(bytes, received),
        }
    }

    #[inline(always)]
    fn give_next<'a>(&mut self, packet: RtpPacket<'a>, received: Micros) -> Ordered<'a> {
        self.expected = self.expected.wrapping_add(1);
        self.stats.packets += 1;
        self.last_received = received;
        self.arrived(packet.timestamp, received);
        Ordered { packet, received, lost_before: 0, restart: false }
    }

    /// Over TCP a picture's packets come as they were written, not as they were sent.
    #[inline]
    fn arrived(&mut self, timestamp: u32, received: Micros) {
        if self.window > 0 || !self.arrivals.is_last(timestamp) {
            self.arrivals.add(timestamp, received);
        }
    }

    /// Anything but the next packet of an undisturbed stream; that one, too, where it is not of the usual form.
    #[inline(never)]
    fn push_any<'a>(&mut self, bytes: &'a [u8], received: Micros) -> Option<Ordered<'a>> {
        let Ok(packet) = RtpPacket::parse(bytes) else {
            self.quirks.count(Quirk::BadRtp);
            return None;
        };
        if self.is_next(&packet) {
            return Some(self.give_next(packet, received));
        }
        self.now = received;
        let turn = self.turn(&packet, received);
        if !matches!(turn, Turn::Never) {
            self.last_received = received;
            self.arrived(packet.timestamp, received);
        }
        let ordered = match turn {
            Turn::Now { lost, restart } => {
                if let Some(front) = self.held.front() {
                    self.stats.reordered += 1;
                    self.patience.came(received.since(front.noticed));
                }
                let lost_before = self.advance(packet.sequence, lost, restart);
                Some(Ordered { packet, received, lost_before, restart })
            }
            Turn::Wait { restart } => {
                match self.held.insert(bytes, packet.sequence, received, restart) {
                    Inserted::Last => {}
                    Inserted::Between { noticed } => {
                        self.stats.reordered += 1;
                        self.patience.came(received.since(noticed));
                    }
                    Inserted::Known => self.stats.duplicates += 1,
                }
                None
            }
            Turn::Never => None,
        };
        self.settle();
        ordered
    }

    /// A packet that waited and whose turn is now.
    pub fn pull(&mut self) -> Option<Ordered<'_>> {
        let front = self.held.front()?;
        let overdue = self.held.must_go() || self.poll_timeout().is_some_and(|due| due <= self.now);
        if !self.started {
            if self.held.len() <= START_WINDOW.min(self.window) && !overdue {
                return None;
            }
            self.expected = front.sequence;
        }
        let lost = match sequence_distance(self.expected, front.sequence) {
            0 => 0,
            _ if !overdue && self.held.len() <= self.window => return None,
            _ if front.restart => 1,
            gap => gap.max(0) as u32,
        };
        let (sequence, restart, received) = (front.sequence, front.restart, front.received);
        if lost > 0 && !restart {
            self.patience.gave_up();
        }
        let lost_before = self.advance(sequence, if restart { 1 } else { lost }, restart);
        self.calm = self.held.len() == 1;
        let packet = RtpPacket::parse(self.held.take_front()?).ok()?;
        Some(Ordered { packet, received, lost_before, restart })
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if no packet comes before: what is missing then is given
    /// up.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        let front = self.held.front()?;
        let wait = if self.started { self.patience.get() } else { START_WAIT.min(self.patience.longest()) };
        Some(front.noticed.plus(wait))
    }

    /// It is `now`; [`pull`](Self::pull) gives what has waited for long enough.
    pub fn handle_timeout(&mut self, now: Micros) {
        self.now = self.now.max(now);
    }

    /// Nothing more comes: [`pull`](Self::pull) now gives all that still waits.
    pub fn finish(&mut self) {
        self.held.release();
    }

    /// A sender report that came with the stream: is it the stream's? What it says goes into
    /// [`report_block`](Self::report_block).
    ///
    /// One under another SSRC is a former session's (Reolink RLC-410), or the camera numbers its RTCP apart (Tapo
    /// C320WS): then its timestamps are the stream's.
    pub fn sender_report(&mut self, report: &SenderReport, received: Micros) -> bool {
        let unknown = self.ssrc.is_none() && self.policy.tolerates(Quirk::ForeignReport);
        let own = unknown || self.ssrc == Some(report.ssrc);
        let foreign = !own && self.arrivals.wants_foreign() && self.arrivals.is_near(report, received);
        if foreign {
            self.quirks.count(Quirk::ForeignReport);
        } else if !own && self.ssrc.is_some() {
            self.quirks.count(Quirk::ForeignSsrc);
        }
        let taken = own || foreign && self.policy.tolerates(Quirk::ForeignReport);
        if taken {
            // Before the first packet nobody knows whose it is.
            self.arrivals.report(report, received, self.ssrc == Some(report.ssrc));
        }
        taken
    }

    /// What to tell the sender: statistics since the last call and from the beginning, RFC 3550 appendix A.3. `None`
    /// before the first packet.
    pub fn report_block(&mut self, now: Micros) -> Option<ReportBlock> {
        let ssrc = self.ssrc.filter(|_| self.started)?;
        let (first, before) = self.first;
        let given = self.stats.packets.saturating_sub(before.packets);
        let lost = self.stats.lost.saturating_sub(before.lost);
        let late = self.stats.late.saturating_sub(before.late);
        let duplicates = self.stats.duplicates.saturating_sub(before.duplicates);
        // What waits has been received.
        let waiting = match self.held.back() {
            Some(back) if !back.restart => i64::from(sequence_distance(self.expected, back.sequence)) + 1,
            _ => 0,
        };
        let count = Count {
            ssrc,
            first,
            expected: given.saturating_add(lost).saturating_add_signed(waiting),
            received: given
                .saturating_add(late)
                .saturating_add(duplicates)
                .saturating_add(self.held.len() as u64),
        };
        Some(self.arrivals.block(&count, now))
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
    pub fn stats(&self) -> Stats {
        let rate = u64::from(self.arrivals.clock_rate());
        let jitter = (u64::from(self.arrivals.jitter()) * 1_000_000).checked_div(rate).unwrap_or(0);
        Stats { jitter: u32::try_from(jitter).unwrap_or(u32::MAX), ..self.stats }
    }

    /// What was tolerated so far.
    #[must_use]
    pub const fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    #[inline]
    fn is_next(&self, packet: &RtpPacket<'_>) -> bool {
        packet.sequence == self.expected
            && self.calm
            && self.ssrc.is_some_and(|ssrc| ssrc == packet.ssrc)
            && self.payload_type.is_some_and(|payload_type| payload_type == packet.payload_type)
    }

    fn settle(&mut self) {
        self.calm = self.held.len() == 0 && !self.marked;
    }

    /// The packet numbered so is given out; returns how many its recipient has to believe lost.
    fn advance(&mut self, sequence: u16, lost: u32, restart: bool) -> u32 {
        if restart {
            self.stats.restarts += 1;
            self.arrivals.restart();
            self.given_up = GivenUp::default();
        } else if lost > 0 {
            self.given_up.add(lost, self.stats.packets);
            self.stats.lost += u64::from(lost);
        }
        if restart || !self.started {
            self.first = (sequence, self.stats);
        }
        self.started = true;
        self.expected = sequence.wrapping_add(1);
        self.stats.packets += 1;
        lost.max(core::mem::take(&mut self.marked).into())
    }
}

#[cfg(test)]
mod tests;

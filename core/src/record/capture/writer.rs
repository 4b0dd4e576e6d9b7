//! Writes a session down while it runs.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

use super::blank::{Payloads, fill};
use super::config;
use super::file::{self, What};
use super::keys::Reseals;
use super::lines::Lines;
use super::redact::Redactor;
use super::split::{Piece, Splitter};
use crate::limits::Limits;
use crate::record::IngestOutput;
use crate::rtsp::Message;
use crate::sdp::Presentation;
use crate::session::Config;
use crate::time::{Micros, UtcMicros};

/// Calls that wait for the end of a message or packet; a connection that has so many is not held up for it.
const WAITING: usize = 1_024;

/// Writes the session of one camera, connection after connection. See the [module](super).
///
/// Tell it of each call of the camera's [`Ingest`](crate::record::Ingest) at the time of the call, and of each output when
/// it is taken out, and put what [`take`](Self::take) gives into the file. Secrets are taken out before.
#[derive(Debug)]
pub struct Writer {
    limits: Limits,
    blanked: bool,
    redactor: Redactor,
    splitter: Splitter,
    contents: Contents,
    /// What waits for the reads before it to be understood.
    waiting: VecDeque<Waiting>,
    /// Bytes of those reads that are understood, secrets taken out.
    clean: Vec<u8>,
    lines: Lines,
    /// Events before the connection.
    before: u64,
    out: Vec<u8>,
    /// The machine has given all since the last call.
    drained: bool,
}

/// What is known of a connection's packets.
#[derive(Debug, Default)]
struct Contents {
    payloads: Payloads,
    reseals: Reseals,
    /// Of the session, and what is written in its place.
    seeds: ([u8; 32], [u8; 32]),
}

#[derive(Debug)]
enum Waiting {
    Read { now: Micros, left: usize },
    Call { now: Micros, what: What<Vec<u8>> },
}

impl Writer {
    /// Begins a file. `blank`: without pictures.
    #[must_use]
    pub fn new(limits: &Limits, blank: bool) -> Self {
        let mut out = Vec::new();
        file::write_header(&mut out, blank);
        Self {
            limits: *limits,
            blanked: blank,
            redactor: Redactor::default(),
            splitter: Splitter::new(limits),
            contents: Contents::default(),
            waiting: VecDeque::new(),
            clean: Vec::new(),
            lines: Lines::new(blank),
            before: 0,
            out,
            drained: false,
        }
    }

    /// The connection stands: `Ingest::new(config, now)`. `utc` is the time of day at `now`; `connection` a number of the
    /// caller's.
    pub fn open(&mut self, now: Micros, utc: UtcMicros, connection: u64, config: &Config) {
        self.settle();
        self.redactor = Redactor::of(config);
        self.splitter = Splitter::new(&config.limits);
        let seeds = (config.seed, config::seed(&config.seed));
        self.contents = Contents { seeds, ..Contents::default() };
        self.before = self.lines.events;
        let config = config::write(config, &self.redactor).into_bytes();
        self.call(now, What::Open { connection, utc, config });
    }

    /// `handle_received`, or `handle_input`.
    pub fn received(&mut self, now: Micros, bytes: &[u8]) {
        self.input(now);
        self.waiting.push_back(Waiting::Read { now, left: bytes.len() });
        let (redactor, blanked, limits) = (&self.redactor, self.blanked, &self.limits);
        let contents = &mut self.contents;
        self.splitter.push(bytes, &mut self.clean, |piece, run| {
            clean(piece, run, redactor, blanked, contents, limits)
        });
        self.write_out();
    }

    /// `handle_datagram`.
    pub fn datagram(&mut self, now: Micros, media: usize, rtcp: bool, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        self.contents.packet(&mut bytes, self.blanked);
        self.input(now);
        self.call(now, What::Datagram { media: short(media), rtcp, bytes });
    }

    /// `handle_timeout`.
    pub fn timeout(&mut self, now: Micros) {
        self.input(now);
        self.call(now, What::Timeout);
    }

    /// `handle_closed`.
    pub fn closed(&mut self, now: Micros) {
        self.input(now);
        self.call(now, What::Closed);
    }

    /// `bound`: the ports of RTP and of RTCP.
    pub fn bound(&mut self, now: Micros, media: usize, ports: (u16, u16)) {
        self.input(now);
        self.call(now, What::Bound { media: short(media), ports });
    }

    /// `not_bound`.
    pub fn not_bound(&mut self, now: Micros, media: usize) {
        self.input(now);
        self.call(now, What::NotBound { media: short(media) });
    }

    /// `teardown`.
    pub fn teardown(&mut self, now: Micros) {
        self.input(now);
        self.call(now, What::Teardown);
    }

    /// Bytes were sent on the connection.
    pub fn sent(&mut self, now: Micros, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        // Reports over TCP are no text, and hold no secret.
        if bytes.first() != Some(&b'$') {
            self.redactor.message(&mut bytes);
        }
        self.call(now, What::Sent(bytes));
    }

    /// A datagram was sent.
    pub fn sent_datagram(&mut self, now: Micros, media: usize, rtcp: bool, bytes: &[u8]) {
        self.call(now, What::SentDatagram { media: short(media), rtcp, bytes: bytes.to_vec() });
    }

    /// Nothing more comes of the connection.
    pub fn ended(&mut self, now: Micros, why: &str) {
        let why = self.redactor.text(why).into_bytes();
        self.call(now, What::End(why));
    }

    /// The machine gave this.
    pub fn output(&mut self, output: &IngestOutput) {
        self.lines.add(output, &self.redactor);
    }

    /// The machine gave nothing more: it is drained, until the next call.
    pub const fn drained(&mut self) {
        self.drained = true;
    }

    /// The end of the file: the digest of all events. [`take`](Self::take) once more.
    pub fn finish(&mut self, now: Micros) {
        self.settle();
        let (events, sha256) = (self.lines.events, self.lines.digest());
        self.call(now, What::Digest { events, sha256 });
    }

    /// What is to be appended to the file.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        mem::take(&mut self.out)
    }

    /// A call of the machine comes. One that is made between two outputs is made there again.
    fn input(&mut self, now: Micros) {
        if !core::mem::take(&mut self.drained) {
            let events = self.lines.events - self.before;
            self.call(now, What::After { events });
        }
    }

    fn call(&mut self, now: Micros, what: What<Vec<u8>>) {
        self.waiting.push_back(Waiting::Call { now, what });
        if self.waiting.len() > WAITING {
            self.settle();
        }
        self.write_out();
    }

    /// What is not understood yet is taken as it is.
    fn settle(&mut self) {
        let (redactor, blanked, limits) = (&self.redactor, self.blanked, &self.limits);
        let contents = &mut self.contents;
        self.splitter
            .flush(&mut self.clean, |piece, run| clean(piece, run, redactor, blanked, contents, limits));
        self.write_out();
    }

    fn write_out(&mut self) {
        let mut used = 0;
        while let Some(first) = self.waiting.front_mut() {
            match first {
                Waiting::Read { now, left } => {
                    let ready = self.clean.get(used..).unwrap_or_default();
                    if ready.len() < *left {
                        break;
                    }
                    let bytes = ready.get(..*left).unwrap_or_default();
                    // An empty read is none.
                    for piece in bytes.chunks(self.limits.capture_record.max(1)) {
                        file::write(&mut self.out, *now, &What::Received(piece));
                    }
                    used += *left;
                }
                Waiting::Call { now, what } => file::write(&mut self.out, *now, &borrow(what)),
            }
            self.waiting.pop_front();
        }
        self.clean.drain(..used);
    }
}

impl Contents {
    /// Takes out of a packet what must not be kept.
    fn packet(&mut self, packet: &mut [u8], blanked: bool) {
        let payloads = &self.payloads;
        let blank = |packet: &mut [u8]| {
            if blanked {
                payloads.blank(packet);
            }
        };
        if self.reseals.any() && !self.reseals.packet(packet, blank) && blanked {
            // Not to be opened: of what it holds nothing can be kept.
            Payloads::default().blank(packet);
        } else if !self.reseals.any() {
            blank(packet);
        }
    }

    /// Takes out of a message what must not be kept, and learns what it says of packets.
    fn message(&mut self, message: &mut [u8], redactor: &Redactor, limits: &Limits) {
        let real = parsed(message);
        redactor.message(message);
        let (Some(real), Some(erased)) = (real, parsed(message)) else { return };
        self.reseals.answered(&real, &erased);
        if let (Some(real), Some(erased)) = (description(real, limits), description(erased, limits)) {
            self.reseals.described(&real, &erased, (&self.seeds.0, &self.seeds.1));
            self.payloads = Payloads::of(&erased);
        }
    }
}

/// Takes out of a run what must not be kept.
fn clean(
    piece: Piece,
    run: &mut [u8],
    redactor: &Redactor,
    blanked: bool,
    contents: &mut Contents,
    limits: &Limits,
) {
    match piece {
        Piece::Message => contents.message(run, redactor, limits),
        Piece::Packet => contents.packet(run.get_mut(4..).unwrap_or_default(), blanked),
        // Empty lines stay.
        Piece::Unknown if blanked && run.len() > 2 => fill(run),
        Piece::Unknown => redactor.search(run),
    }
}

fn parsed(message: &[u8]) -> Option<Message> {
    let end = memchr::memmem::find(message, b"\n\r\n").map(|at| at + 3);
    let end = end.or_else(|| memchr::memmem::find(message, b"\n\n").map(|at| at + 2))?;
    let (head, body) = message.split_at_checked(end)?;
    Message::parse(head, bytes::Bytes::copy_from_slice(body)).ok()
}

/// The session description that a message carries.
fn description(message: Message, limits: &Limits) -> Option<Presentation> {
    let body = match message {
        Message::Response(response) => response.body,
        Message::Request(request) => request.body,
    };
    Presentation::parse(body, limits).ok()
}

fn short(media: usize) -> u16 {
    u16::try_from(media).unwrap_or(u16::MAX)
}

fn borrow(what: &What<Vec<u8>>) -> What<&[u8]> {
    match what {
        What::Open { connection, utc, config } => What::Open { connection: *connection, utc: *utc, config },
        What::Received(bytes) => What::Received(bytes),
        What::Datagram { media, rtcp, bytes } => What::Datagram { media: *media, rtcp: *rtcp, bytes },
        What::Timeout => What::Timeout,
        What::Closed => What::Closed,
        What::Bound { media, ports } => What::Bound { media: *media, ports: *ports },
        What::NotBound { media } => What::NotBound { media: *media },
        What::Teardown => What::Teardown,
        What::After { events } => What::After { events: *events },
        What::Sent(bytes) => What::Sent(bytes),
        What::SentDatagram { media, rtcp, bytes } => What::SentDatagram { media: *media, rtcp: *rtcp, bytes },
        What::End(why) => What::End(why),
        What::Digest { events, sha256 } => What::Digest { events: *events, sha256: *sha256 },
        What::Unknown => What::Unknown,
    }
}

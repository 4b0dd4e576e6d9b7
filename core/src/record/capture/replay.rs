//! Makes the same calls again.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::config;
use super::file::{Error, Reader, What};
use super::lines::Lines;
use super::redact::Redactor;
use crate::limits::Limits;
use crate::record::{Ingest, IngestOutput};
use crate::time::{Micros, UtcMicros};

/// What a replay gives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Replayed {
    /// A connection stood, at that moment of that machine's clocks.
    Opened {
        /// The recorder's number of it.
        connection: u64,
        /// On the monotonic clock.
        now: Micros,
        /// The time of day.
        utc: UtcMicros,
    },
    /// An event.
    Event {
        /// When the call was made that it follows.
        now: Micros,
        /// The event.
        output: IngestOutput,
        /// As it is printed.
        line: String,
    },
    /// The machine was told nothing more.
    Ended {
        /// When.
        now: Micros,
        /// What the socket's part in it was; empty where the machine asked for the end.
        why: String,
    },
}

/// How a replay went, so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Events.
    pub events: u64,
    /// SHA-256 of their lines.
    pub sha256: [u8; 32],
    /// What the run that was recorded had; `None` where the file was not ended.
    pub recorded: Option<(u64, [u8; 32])>,
    /// Payloads were blanked.
    pub blanked: bool,
    /// Bytes at the end that are no whole record.
    pub torn: usize,
}

impl Summary {
    /// Did the same events come? `None` where the file does not say what came.
    #[must_use]
    pub fn same(&self) -> Option<bool> {
        self.recorded.map(|recorded| recorded == (self.events, self.sha256))
    }
}

/// Plays a captured session. See the [module](super).
#[derive(Debug)]
pub struct Replay {
    limits: Limits,
    reader: Reader,
    ingest: Option<Ingest>,
    lines: Option<Lines>,
    /// Events before the connection.
    before: u64,
    now: Micros,
    /// Received bytes that found no room yet.
    rest: VecDeque<u8>,
    /// The record that comes next: one says when it comes between events.
    next: Option<(Micros, What<Vec<u8>>)>,
    /// The call that comes was made before the machine was drained.
    undrained: bool,
    ended: bool,
    recorded: Option<(u64, [u8; 32])>,
}

impl Replay {
    /// Of a file. What it says of caps counts only below these.
    #[must_use]
    pub const fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            reader: Reader::new(limits),
            ingest: None,
            lines: None,
            before: 0,
            now: Micros(0),
            rest: VecDeque::new(),
            next: None,
            undrained: false,
            ended: false,
            recorded: None,
        }
    }

    /// Takes the next bytes of the file. [`pull`](Self::pull) all before the next.
    pub fn push(&mut self, bytes: &[u8]) {
        self.reader.push(bytes);
    }

    /// The file has ended.
    pub const fn finish(&mut self) {
        self.ended = true;
    }

    /// The machine of the connection that is replayed.
    #[must_use]
    pub const fn ingest(&self) -> Option<&Ingest> {
        self.ingest.as_ref()
    }

    /// How it went so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let (events, sha256) = self
            .lines
            .as_ref()
            .map_or_else(|| (0, Lines::new(false).digest()), |lines| (lines.events, lines.digest()));
        let torn = if self.ended { self.reader.unread() } else { 0 };
        Summary { events, sha256, recorded: self.recorded, blanked: self.reader.blanked(), torn }
    }

    /// What comes next; `None` until more bytes come, or at the end.
    ///
    /// # Errors
    /// The file is none of ours, or is damaged there.
    pub fn pull(&mut self) -> Result<Option<Replayed>, Error> {
        loop {
            if self.next.is_none() {
                self.next = self.reader.next()?;
                if self.next.is_none() && !self.ended {
                    return Ok(None);
                }
            }
            if !self.is_due()
                && let Some(event) = self.event()
            {
                return Ok(Some(event));
            }
            if self.feed() {
                continue;
            }
            let Some((now, what)) = self.next.take() else { return Ok(None) };
            if let Some(news) = self.call(now, what) {
                return Ok(Some(news));
            }
        }
    }

    /// The next call is made as things are, whatever the machine has still to give.
    fn is_due(&self) -> bool {
        let events = self.lines.as_ref().map_or(0, |lines| lines.events) - self.before;
        let reached = matches!(self.next, Some((_, What::After { events: after })) if after <= events);
        self.rest.is_empty() && (self.undrained || reached)
    }

    /// The next event of the machine.
    fn event(&mut self) -> Option<Replayed> {
        let blanked = self.reader.blanked();
        let ingest = self.ingest.as_mut()?;
        while let Some(output) = ingest.poll_output() {
            let lines = self.lines.get_or_insert_with(|| Lines::new(blanked));
            if let Some(line) = lines.add(&output, &Redactor::default()) {
                return Some(Replayed::Event { now: self.now, output, line });
            }
        }
        None
    }

    /// Gives the machine what found no room before. True where it took something.
    fn feed(&mut self) -> bool {
        let Some(ingest) = self.ingest.as_mut().filter(|_| !self.rest.is_empty()) else { return false };
        let (front, _) = self.rest.as_slices();
        let taken = ingest.handle_input(self.now, front);
        self.rest.drain(..taken);
        if taken == 0 {
            // A machine that has ended takes nothing more.
            self.rest.clear();
        }
        true
    }

    fn call(&mut self, now: Micros, what: What<Vec<u8>>) -> Option<Replayed> {
        self.now = now;
        self.undrained = matches!(what, What::After { .. });
        match (what, &mut self.ingest) {
            (What::Open { connection, utc, config }, _) => {
                let text = String::from_utf8_lossy(&config);
                self.ingest = config::read(&text, &self.limits).map(|config| Ingest::new(config, now));
                self.before = self.lines.as_ref().map_or(0, |lines| lines.events);
                return Some(Replayed::Opened { connection, now, utc });
            }
            (What::End(why), _) => {
                self.ingest = None;
                return Some(Replayed::Ended { now, why: String::from_utf8_lossy(&why).into_owned() });
            }
            (What::Digest { events, sha256 }, _) => self.recorded = Some((events, sha256)),
            (What::Received(bytes), Some(_)) => self.rest.extend(bytes),
            (What::Timeout, Some(ingest)) => ingest.handle_timeout(now),
            (What::Closed, Some(ingest)) => ingest.handle_closed(now),
            (What::Teardown, Some(ingest)) => ingest.teardown(now),
            (What::Datagram { media, rtcp, bytes }, Some(ingest)) => {
                ingest.handle_datagram(now, usize::from(media), rtcp, &bytes);
            }
            (What::Bound { media, ports: (rtp, rtcp) }, Some(ingest)) => {
                ingest.bound(now, usize::from(media), rtp, rtcp);
            }
            (What::NotBound { media }, Some(ingest)) => ingest.not_bound(now, usize::from(media)),
            _ => {}
        }
        None
    }
}

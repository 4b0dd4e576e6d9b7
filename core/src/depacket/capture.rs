//! Captures to access units: finds the video in a pcap, pcapng, RFC 4571 or interleaved file by itself.

mod sniff;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::Bytes;

use self::sniff::{Choice, Sniffer};
use super::{AccessUnit, Depacketizer};
use crate::fault::{Blame, Code, Fault, Offset, Quirk, Quirks};
use crate::h26x::{Codec, ParameterSets};
use crate::limits::Limits;
use crate::reorder::{Ordered, Reorder, Stats};
use crate::rtp;
use crate::rtp::capture::{Capture, Content, Item, Transport};
use crate::rtp::rtcp::{self, Packet, SenderReport};
use crate::sdp::Presentation;
use crate::time::{Micros, UtcMicros};

/// Items looked at in search of the video, at most.
const LOOKED_AT: usize = 4_096;

/// What a capture gives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Found {
    /// A picture. Its `received` counts from the first packet of the capture; 0 where the file has no clock.
    AccessUnit(AccessUnit),
    /// A sender report of the same stream.
    SenderReport(SenderReport),
    /// Another SSRC or another numbering starts: the timestamps of what follows do not continue those before.
    Discontinuity,
    /// The two clocks of the capture, paired: once, before the first picture, where the file has a clock.
    Clock {
        /// As in [`AccessUnit::received`].
        now: Micros,
        /// What the clock of the capturing machine said.
        utc: UtcMicros,
    },
}

/// What was looked at to find the video.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Searched {
    /// RTP packets, until the video was found.
    pub packets: u64,
    /// Streams told apart, by their addresses, SSRC and payload type; 64 at most.
    pub streams: usize,
}

/// What made a capture unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at {at}")]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Where in the file.
    pub at: Offset,
}

/// See [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// The file itself.
    #[error(transparent)]
    Capture(rtp::Kind),
    /// It was read, but holds no RTP.
    #[error("the capture holds no RTP")]
    NoRtp,
    /// It holds RTP, but no H.264 or H.265 that can be read (audio, another codec, or encrypted).
    #[error("the capture holds RTP, but no H.264 or H.265 that can be read")]
    NoVideo,
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn code(&self) -> Code {
        match self.kind {
            Kind::Capture(kind) => rtp::Error { kind, at: self.at }.code(),
            Kind::NoRtp => Code(350),
            Kind::NoVideo => Code(351),
        }
    }
}

/// Reads the first video of a capture.
///
/// Give the file's bytes to [`push`](Self::push) in pieces of any size, and after each call [`pull`](Self::pull) until
/// it gives nothing; then [`finish`](Self::finish), and pull again. Which stream is the video, and of which codec, is
/// told by the content (a sequence parameter set that parses) unless [`with_stream`](Self::with_stream) or
/// [`with_description`](Self::with_description) says it.
#[derive(Debug)]
pub struct CaptureReader {
    limits: Limits,
    capture: Capture,
    finished: bool,
    /// What was read in search of the video, to be read again.
    items: VecDeque<Item>,
    sniffer: Sniffer,
    seeds: Vec<Bytes>,
    stream: Option<Reading>,
    /// Told once all before it was given.
    failure: Option<Error>,
    start: Option<UtcMicros>,
    clock_told: bool,
    gave_up: bool,
    waiting: VecDeque<Found>,
}

#[derive(Debug)]
struct Reading {
    choice: Choice,
    reorder: Reorder,
    depacketizer: Depacketizer,
    ended: bool,
}

impl CaptureReader {
    /// Nothing read yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            capture: Capture::new(limits),
            finished: false,
            items: VecDeque::new(),
            sniffer: Sniffer::default(),
            seeds: Vec::new(),
            stream: None,
            failure: None,
            start: None,
            clock_told: false,
            gave_up: false,
            waiting: VecDeque::new(),
        }
    }

    /// What an SDP says: the codec, the payload type where that is known too, and parameter sets, which need then not
    /// be in the capture.
    #[must_use]
    pub fn with_stream(mut self, codec: Codec, payload_type: Option<u8>, parameter_sets: &[Bytes]) -> Self {
        self.sniffer = Sniffer::looking_for(codec, payload_type);
        self.seeds.extend_from_slice(parameter_sets);
        self
    }

    /// What an SDP says, of whichever of its media the capture holds: codecs, payload types and parameter sets. It is
    /// believed more than those in the capture; streams that it does not describe are told by their content.
    #[must_use]
    pub fn with_description(mut self, presentation: &Presentation) -> Self {
        self.sniffer.describe(presentation);
        self
    }

    /// Takes more of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        self.capture.push(bytes);
    }

    /// The file has no more bytes.
    pub fn finish(&mut self) {
        self.finished = true;
        self.capture.finish();
    }

    /// What is found next; `None` until more bytes come.
    ///
    /// # Errors
    ///
    /// The file cannot be read (further), or holds no video. What was found before has been given.
    pub fn pull(&mut self) -> Result<Option<Found>, Error> {
        loop {
            if let Some(found) = self.waiting.pop_front() {
                return Ok(Some(found));
            }
            if let Some(stream) = &mut self.stream {
                if let Some(unit) = stream.depacketizer.pull() {
                    return Ok(Some(Found::AccessUnit(unit)));
                }
                if stream.advance(&mut self.waiting) {
                    continue;
                }
                if let Some(item) = self.items.pop_front() {
                    self.read(item);
                    continue;
                }
            }
            match self.capture.pull() {
                Ok(Some(item)) => self.take(item),
                Err(error) => {
                    self.failure = Some(Error { kind: Kind::Capture(error.kind), at: error.at });
                    self.finished = true;
                }
                Ok(None) if self.finished && self.end() => {}
                Ok(None) => return self.failure.take().map_or(Ok(None), Err),
            }
        }
    }

    /// The codec, once the video is found.
    #[must_use]
    pub fn codec(&self) -> Option<Codec> {
        self.stream.as_ref().map(|stream| stream.choice.codec)
    }

    /// The stream's parameter sets so far.
    #[must_use]
    pub fn parameters(&self) -> Option<&ParameterSets> {
        self.stream.as_ref().map(|stream| stream.depacketizer.parameters())
    }

    /// What was looked at in search of the video.
    #[must_use]
    pub const fn searched(&self) -> Searched {
        self.sniffer.searched()
    }

    /// What was tolerated so far.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        let mut quirks = Quirks::default();
        if let Some(stream) = &self.stream {
            quirks.merge(stream.reorder.quirks());
            quirks.merge(stream.depacketizer.quirks());
        }
        for _ in 0..self.capture.stats().broken {
            quirks.count(Quirk::LostFraming);
        }
        quirks
    }

    /// Packets of the stream so far.
    #[must_use]
    pub fn packets(&self) -> Stats {
        self.stream.as_ref().map(|stream| stream.reorder.stats()).unwrap_or_default()
    }

    fn take(&mut self, item: Item) {
        if self.start.is_none() {
            self.start = item.at;
        }
        if self.stream.is_some() {
            return self.read(item);
        }
        self.sniffer.look(&item, &self.limits);
        self.items.push_back(item);
        if let Some(choice) = self.sniffer.sure() {
            self.begin(choice);
        } else if self.items.len() >= LOOKED_AT {
            match self.sniffer.best() {
                Some(choice) => self.begin(choice),
                // Nothing like video among so many: what comes later counts as much.
                None => self.items.clear(),
            }
        }
    }

    fn begin(&mut self, choice: Choice) {
        let reorder = match choice.flow.transport {
            Transport::Udp => Reorder::windowed(&self.limits),
            Transport::Tcp => Reorder::in_order().with_policy(self.limits.policy),
        };
        let reorder = reorder.with_payload_type(choice.payload_type).with_ssrc(choice.ssrc);
        let mut depacketizer = Depacketizer::new(choice.codec, &self.limits)
            .with_packetization(self.sniffer.packetization(&choice));
        depacketizer.seed(self.seeds.iter().chain(self.sniffer.seeds(&choice)).map(|nal| &nal[..]));
        self.stream = Some(Reading { choice, reorder, depacketizer, ended: false });
    }

    fn read(&mut self, item: Item) {
        let Some(stream) = &mut self.stream else { return };
        let received = match (self.start, item.at) {
            (Some(start), Some(at)) => Micros(at.0.saturating_sub(start.0).max(0) as u64),
            _ => Micros(0),
        };
        match item.content {
            Content::Rtp(bytes) if item.flow == stream.choice.flow => {
                if let (false, Some(utc)) = (self.clock_told, item.at) {
                    self.clock_told = true;
                    self.waiting.push_back(Found::Clock { now: received, utc });
                }
                stream.push(&bytes, received, &mut self.waiting);
            }
            Content::Rtcp(bytes) => {
                for packet in rtcp::parse(&bytes).flatten() {
                    match packet {
                        Packet::SenderReport(report, _) if Some(report.ssrc) == stream.reorder.ssrc() => {
                            self.waiting.push_back(Found::SenderReport(report));
                        }
                        Packet::Goodbye(goodbye) => {
                            goodbye.sources().for_each(|ssrc| stream.reorder.goodbye(ssrc));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// Nothing more comes. False where all has been given.
    fn end(&mut self) -> bool {
        match (&mut self.stream, self.sniffer.best()) {
            (Some(stream), _) => stream.end(&mut self.waiting),
            (None, Some(choice)) => {
                self.begin(choice);
                true
            }
            (None, None) => {
                if !self.gave_up {
                    self.gave_up = true;
                    let kind = if self.searched().packets > 0 { Kind::NoVideo } else { Kind::NoRtp };
                    self.failure.get_or_insert(Error { kind, at: Offset(0) });
                }
                false
            }
        }
    }
}

impl Reading {
    fn push(&mut self, bytes: &[u8], received: Micros, waiting: &mut VecDeque<Found>) {
        if let Some(ordered) = &self.reorder.push(bytes, received) {
            give(ordered, &mut self.depacketizer, waiting);
        }
    }

    /// A packet that waited for its turn, if there is one whose turn is now.
    fn advance(&mut self, waiting: &mut VecDeque<Found>) -> bool {
        let ordered = self.reorder.pull();
        ordered.inspect(|ordered| give(ordered, &mut self.depacketizer, waiting)).is_some()
    }

    /// False if it had ended before.
    fn end(&mut self, waiting: &mut VecDeque<Found>) -> bool {
        if self.ended {
            return false;
        }
        self.ended = true;
        self.reorder.finish();
        while self.advance(waiting) {}
        self.depacketizer.finish();
        true
    }
}

fn give(ordered: &Ordered<'_>, depacketizer: &mut Depacketizer, waiting: &mut VecDeque<Found>) {
    if ordered.restart {
        // The pictures before it come out before the news.
        depacketizer.finish();
        waiting.extend(core::iter::from_fn(|| depacketizer.pull()).map(Found::AccessUnit));
        waiting.push_back(Found::Discontinuity);
    }
    depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
}

//! From a camera's connection to access units: session → reorder → depacket.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::health::{Health, Meter};
use crate::depacket::{AccessUnit, AudioUnit, Document, PictureUnit};
use crate::fault::Quirks;
use crate::limits::Limits;
use crate::reorder;
use crate::rtp::rtcp::{self, SenderReport};
use crate::rtsp::headers::Range;
use crate::session::{self, Agreed, Config, Event, Output, Phase, Session};
use crate::time::{Micros, UtcMicros};
use crate::timeline::UtcSource;

mod way;

use way::Way;

/// Microseconds between receiver reports: RFC 3550 §6.2, the smallest interval.
const REPORT_INTERVAL: u64 = 5_000_000;

/// One camera's connection: bytes in, access units out.
///
/// A machine without IO, driven as its [`Session`] is: read into [`receive_buffer`](Self::receive_buffer), call
/// [`handle_received`](Self::handle_received), [`handle_timeout`](Self::handle_timeout) and
/// [`handle_closed`](Self::handle_closed) as things happen, and drain [`poll_output`](Self::poll_output) after each.
///
/// ```
/// use vigie::{record::{Ingest, IngestOutput}, rtsp::Url, session::Config, time::Micros};
///
/// let (url, credentials) = Url::parse("rtsp://viewer:secret@10.0.0.2/stream1")?;
/// let mut ingest = Ingest::new(Config::new(url, [7; 32]).credentials(credentials), Micros(0));
/// let Some(IngestOutput::Send(request)) = ingest.poll_output() else { unreachable!() };
/// assert!(request.starts_with(b"OPTIONS rtsp://10.0.0.2/stream1 RTSP/1.0\r\n"));
/// # Ok::<(), vigie::rtsp::Error>(())
/// ```
pub struct Ingest {
    session: Session,
    limits: Limits,
    /// Of each media that is set up.
    ways: Vec<Way>,
    /// Reports and other news of the stream that were read and not yet taken, behind the access units before them. What
    /// their [`Way`] still holds comes after them.
    reports: VecDeque<IngestOutput>,
    /// What the session said last; it waits for the access units before it.
    last: VecDeque<IngestOutput>,
    /// When to send the next receiver reports.
    report_at: Option<Micros>,
    /// The session has ended: nothing is read any more.
    ended: bool,
    meter: Meter,
}

impl fmt::Debug for Ingest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (url, phase) = (self.session.url(), self.session.phase());
        f.debug_struct("Ingest").field("url", url).field("phase", &phase).finish_non_exhaustive()
    }
}

/// What [`Ingest::poll_output`] gives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum IngestOutput {
    /// Bytes to send, in this order.
    Send(Bytes),
    /// A datagram to send to the agreed server port, from the media's socket.
    Datagram {
        /// Index of the media in the presentation.
        media: usize,
        /// From and to the port of RTCP, not of RTP.
        rtcp: bool,
        /// What to send.
        bytes: Bytes,
    },
    /// The session has something to say. [`Event::Ended`] and [`Event::Failed`] come after the last access unit.
    Event(Event),
    /// A picture.
    AccessUnit(AccessUnit),
    /// A picture of a camera that has neither H.264 nor H.265: JPEG or AV1.
    Picture(PictureUnit),
    /// Sound, where it was asked for.
    Audio(AudioUnit),
    /// ONVIF metadata, where it was asked for.
    Document(Document),
    /// The camera said what the clock of its sound shows.
    AudioSenderReport {
        /// What it said.
        report: SenderReport,
        /// When it arrived.
        received: Micros,
    },
    /// Timestamps of the sound that follows do not continue those before.
    AudioDiscontinuity,
    /// The camera said what its clock shows.
    SenderReport {
        /// What it said.
        report: SenderReport,
        /// When it arrived.
        received: Micros,
    },
    /// Another source said which moment an RTP timestamp is: the ONVIF header extension of the picture that comes next, or
    /// RTP-Info with a Range clock.
    Anchor {
        /// Who said so.
        source: UtcSource,
        /// The RTP timestamp.
        timestamp: u32,
        /// The moment.
        utc: UtcMicros,
    },
    /// Timestamps of what follows do not continue those before: another SSRC, the sender began anew, or a recorder says
    /// so (ONVIF header extension, D bit).
    Discontinuity,
    /// Recorded footage ends with the picture that comes next: ONVIF header extension, E and T bits.
    SectionEnd {
        /// Its RTP timestamp.
        timestamp: u32,
        /// Nothing more comes; otherwise a gap of the recording does.
        terminal: bool,
    },
    /// Close the connection. Nothing comes after it.
    Close,
}

/// Counters, from the beginning of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IngestStats {
    /// Of the connection.
    pub session: session::Stats,
    /// Of the RTP packets.
    pub reorder: reorder::Stats,
    /// SRTP and SRTCP packets that were not taken: not encrypted with the key, changed on the way, or received before.
    pub srtp_refused: u64,
    /// JPEG and AV1 pictures that were dropped since something of them was missing or wrong.
    pub dropped_pictures: u64,
}

impl Ingest {
    /// Begins on an open connection: the first request waits in [`poll_output`](Self::poll_output).
    #[must_use]
    pub fn new(config: Config, now: Micros) -> Self {
        let limits = config.limits;
        Self {
            session: Session::new(config, now),
            limits,
            ways: Vec::new(),
            reports: VecDeque::new(),
            last: VecDeque::new(),
            report_at: None,
            ended: false,
            meter: Meter::default(),
        }
    }

    /// The session within.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> IngestStats {
        let reorder = self.ways.first().map(Way::stats).unwrap_or_default();
        let srtp_refused = self.ways.iter().map(Way::refused).sum();
        let dropped_pictures = self.ways.iter().map(Way::dropped_pictures).sum();
        IngestStats { session: self.session.stats(), reorder, srtp_refused, dropped_pictures }
    }

    /// How the source does. `utc` is the time of day at `now`.
    #[must_use]
    pub fn health(&self, now: Micros, utc: UtcMicros) -> Health {
        let IngestStats { reorder, session, .. } = self.stats();
        // RFC 3550 §6.4.1 needs two packets.
        let jitter = (reorder.packets > 1).then_some(reorder.jitter);
        let keep_alive = session.keep_alive_round_trip;
        let seen = self.meter.health(now, utc);
        Health { packets: reorder.packets, lost: reorder.lost, jitter, keep_alive, ..seen }
    }

    /// What was tolerated so far, by all of them.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        let mut quirks = self.session.quirks();
        self.ways.iter().for_each(|way| way.add_quirks(&mut quirks));
        quirks
    }

    /// Where to put received bytes. It is empty only while [`poll_output`](Self::poll_output) has not been drained.
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        self.session.receive_buffer()
    }

    /// As [`Session::lend_buffer`].
    pub fn lend_buffer(&mut self) -> Option<Vec<u8>> {
        self.session.lend_buffer()
    }

    /// As [`Session::borrow_buffer`].
    pub fn borrow_buffer(&mut self, buffer: Vec<u8>) -> Option<Vec<u8>> {
        self.session.borrow_buffer(buffer)
    }

    /// Says that `bytes` bytes were put into [`receive_buffer`](Self::receive_buffer).
    pub fn handle_received(&mut self, now: Micros, bytes: usize) {
        self.session.handle_received(now, bytes);
    }

    /// Copies received bytes in, for callers who cannot read into [`receive_buffer`](Self::receive_buffer). Says how
    /// many were taken: where not all were, drain [`poll_output`](Self::poll_output) and come back with the rest.
    #[must_use]
    pub fn handle_input(&mut self, now: Micros, bytes: &[u8]) -> usize {
        self.session.handle_input(now, bytes)
    }

    /// Answers [`Event::Bind`]: the ports of RTP and RTCP that were opened.
    pub fn bound(&mut self, now: Micros, media: usize, rtp: u16, rtcp: u16) {
        self.session.bound(now, media, rtp, rtcp);
    }

    /// Answers [`Event::Bind`]: no ports could be opened.
    pub fn not_bound(&mut self, now: Micros, media: usize) {
        self.session.not_bound(now, media);
    }

    /// Takes a datagram that came to a media's socket of RTP or RTCP. To be followed, as every other call, by draining
    /// [`poll_output`](Self::poll_output); any number may be taken before.
    pub fn handle_datagram(&mut self, now: Micros, media: usize, rtcp: bool, bytes: &[u8]) {
        if !self.session.handle_datagram(now, media, rtcp, bytes.len()) {
            return;
        }
        let Some(way) = self.ways.iter_mut().find(|way| way.media == media) else { return };
        if rtcp {
            way.rtcp(bytes, now, &mut self.reports);
        } else {
            way.rtp(bytes, now, &mut self.reports);
        }
    }

    /// Says that the camera closed the connection, or that it broke.
    pub fn handle_closed(&mut self, now: Micros) {
        self.session.handle_closed(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing else happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Micros> {
        let ways = self.ways.iter().filter_map(Way::poll_timeout);
        self.session.poll_timeout().into_iter().chain(self.report_at).chain(ways).min()
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Micros) {
        for way in &mut self.ways {
            way.handle_timeout(now, &mut self.reports);
        }
        if self.report_at.is_some_and(|due| now >= due) {
            self.send_reports(now);
        }
        self.session.handle_timeout(now);
    }

    /// Tells the camera what has come. A camera takes it for a sign of life (ONVIF Streaming Specification, "Timeout and
    /// keep-alive"), and some want one every few seconds.
    fn send_reports(&mut self, now: Micros) {
        if matches!(self.session.phase(), Phase::Teardown | Phase::Closed) {
            self.report_at = None;
            return;
        }
        self.report_at = Some(now.plus(REPORT_INTERVAL));
        for way in &mut self.ways {
            let udp = self
                .session
                .transports()
                .any(|(media, transport)| media == way.media && matches!(transport, Agreed::Udp { .. }));
            if let Some(block) = way.report_block(now).filter(|_| udp) {
                let report = rtcp::receiver_compound(self.session.own_ssrc(), &[block], "vigie");
                self.session.send_rtcp(way.media, &report);
            }
        }
    }

    /// Plays another range, or on from where it was paused: [`Session::play`].
    pub fn play(&mut self, now: Micros, range: Option<Range>) -> bool {
        self.session.play(now, range)
    }

    /// Pauses: [`Session::pause`].
    pub fn pause(&mut self, now: Micros) -> bool {
        self.session.pause(now)
    }

    /// Another `Authorization` from now on, shown at once where it plays: [`Session::authorize`].
    pub fn authorize(&mut self, now: Micros, authorization: Option<String>) {
        self.session.authorize(now, authorization);
    }

    /// Ends the session in order.
    pub fn teardown(&mut self, now: Micros) {
        self.session.teardown(now);
    }

    /// What comes next; `None` until more bytes or time come. To be drained after every other call.
    pub fn poll_output(&mut self) -> Option<IngestOutput> {
        let output = self.next_output()?;
        match &output {
            IngestOutput::AccessUnit(unit) => self.meter.picture(unit),
            IngestOutput::Picture(unit) => self.meter.plain_picture(unit),
            IngestOutput::SenderReport { report, received } => self.meter.report(report, *received),
            IngestOutput::Event(Event::Described(presentation)) => self.meter.described(presentation),
            IngestOutput::Discontinuity => self.meter.restart(),
            _ => {}
        }
        Some(output)
    }

    fn next_output(&mut self) -> Option<IngestOutput> {
        loop {
            if let Some(report) = self.reports.pop_front() {
                return Some(report);
            }
            if let Some(unit) = self.ways.iter_mut().find_map(Way::pull) {
                return Some(IngestOutput::AccessUnit(unit));
            }
            if let Some(output) = self.last.pop_front() {
                return Some(output);
            }
            match self.session.poll_output()? {
                Output::Send(bytes) => return Some(IngestOutput::Send(bytes)),
                Output::Datagram { media, rtcp, bytes } => {
                    return Some(IngestOutput::Datagram { media, rtcp, bytes });
                }
                Output::Rtp { media, bytes, received } => {
                    if let Some(way) = self.ways.iter_mut().find(|way| way.media == media) {
                        way.rtp(bytes, received, &mut self.reports);
                    }
                }
                Output::Rtcp { media, bytes, received } => {
                    if let Some(way) = self.ways.iter_mut().find(|way| way.media == media) {
                        way.rtcp(bytes, received, &mut self.reports);
                    }
                }
                Output::Cut { media } => {
                    if let Some(way) = self.ways.iter_mut().find(|way| way.media == media) {
                        way.cut();
                    }
                }
                Output::Event(event) => self.event(event),
                Output::Close => self.end(IngestOutput::Close),
            }
        }
    }

    fn event(&mut self, event: Event) {
        match &event {
            Event::SetUp { media, transport } => {
                let presentation = self.session.presentation().map(|presentation| &presentation.media);
                if let Some(described) = presentation.and_then(|all| all.get(*media)) {
                    let mut way = Way::new(*media, described, transport, &self.limits);
                    way.decrypt(self.session.take_unprotect(*media));
                    self.ways.push(way);
                }
            }
            Event::Playing(playing) => {
                let udp = self.session.transports().any(|(_, agreed)| matches!(agreed, Agreed::Udp { .. }));
                if udp && self.report_at.is_none() {
                    self.report_at = Some(self.session.now().plus(REPORT_INTERVAL));
                }
                for stream in &playing.streams {
                    let way = self.ways.iter_mut().find(|way| way.media == stream.media);
                    if let (Some(way), Some(ssrc)) = (way, stream.ssrc) {
                        way.announce(ssrc);
                    }
                }
                let start = playing.range.as_ref().and_then(|range| range.clock_start());
                let timestamp = playing.rtp_info.as_ref().and_then(|info| info.rtptime);
                if let (Some(utc), Some(timestamp)) = (start, timestamp) {
                    let source = UtcSource::RangeClock;
                    self.reports.push_back(IngestOutput::Anchor { source, timestamp, utc });
                }
            }
            Event::Ended | Event::Failed(_) => return self.end(IngestOutput::Event(event)),
            _ => {}
        }
        self.last.push_back(IngestOutput::Event(event));
    }

    /// Nothing more will be received: the access unit that was open comes out before `output`.
    fn end(&mut self, output: IngestOutput) {
        if !core::mem::replace(&mut self.ended, true) {
            for way in &mut self.ways {
                way.finish(&mut self.reports);
            }
        }
        self.last.push_back(output);
    }
}

#[cfg(test)]
mod tests;

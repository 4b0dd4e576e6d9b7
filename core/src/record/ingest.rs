//! From a camera's connection to access units: session → reorder → depacket.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::depacket::{AccessUnit, Depacketizer};
use crate::fault::{Quirk, Quirks};
use crate::limits::Limits;
use crate::octets::Reader;
use crate::reorder::{self, Ordered, Reorder};
use crate::rtp::rtcp::{self, SenderReport};
use crate::rtp::{Extension, RtpPacket};
use crate::sdp::Media;
use crate::session::{self, Agreed, Config, Event, Lower, Output, Session};
use crate::time::{Micros, NtpTime, UtcMicros};
use crate::timeline::UtcSource;

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
    /// Reports and other news of the stream that were read and not yet taken.
    reports: VecDeque<IngestOutput>,
    /// What the session said last; it waits for the access units before it.
    last: VecDeque<IngestOutput>,
    /// The session has ended: nothing is read any more.
    ended: bool,
}

impl fmt::Debug for Ingest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (url, phase) = (self.session.url(), self.session.phase());
        f.debug_struct("Ingest").field("url", url).field("phase", &phase).finish_non_exhaustive()
    }
}

/// The way of one media.
struct Way {
    /// Index of the media in the presentation.
    media: usize,
    reorder: Reorder,
    /// Of the video.
    depacketizer: Option<Depacketizer>,
    quirks: Quirks,
    /// The RTP timestamp that the header extension dated last: it is told once per picture.
    stamped: Option<u32>,
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
    /// Timestamps of what follows do not continue those before: another SSRC, or the sender began anew.
    Discontinuity,
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
            ended: false,
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
        let reorder = self.ways.first().map(|way| way.reorder.stats()).unwrap_or_default();
        IngestStats { session: self.session.stats(), reorder }
    }

    /// What was tolerated so far, by all of them.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        let mut quirks = self.session.quirks();
        for way in &self.ways {
            quirks.merge(&way.quirks);
            quirks.merge(way.reorder.quirks());
            if let Some(depacketizer) = &way.depacketizer {
                quirks.merge(depacketizer.quirks());
            }
        }
        quirks
    }

    /// Where to put received bytes. It is empty only while [`poll_output`](Self::poll_output) has not been drained.
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        self.session.receive_buffer()
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
        self.session.poll_timeout()
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Micros) {
        self.session.handle_timeout(now);
    }

    /// Ends the session in order.
    pub fn teardown(&mut self, now: Micros) {
        self.session.teardown(now);
    }

    /// What comes next; `None` until more bytes or time come. To be drained after every other call.
    pub fn poll_output(&mut self) -> Option<IngestOutput> {
        loop {
            if let Some(unit) = self.ways.iter_mut().find_map(Way::pull) {
                return Some(IngestOutput::AccessUnit(unit));
            }
            if let Some(report) = self.reports.pop_front() {
                return Some(report);
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
                    self.ways.push(Way::new(*media, described, transport, &self.limits));
                }
            }
            Event::Playing(playing) => {
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

impl Way {
    fn new(index: usize, media: &Media, transport: &Agreed, limits: &Limits) -> Self {
        let depacketizer = media.codec.map(|codec| {
            let mut depacketizer = Depacketizer::new(codec, limits);
            depacketizer.seed(media.parameter_sets.iter().map(|nal| &nal[..]));
            depacketizer
        });
        let reorder = match transport.lower() {
            Lower::Tcp => Reorder::in_order(),
            _ => Reorder::windowed(limits),
        };
        let reorder = reorder.with_payload_type(media.payload_type);
        Self { media: index, reorder, depacketizer, quirks: Quirks::default(), stamped: None }
    }

    fn pull(&mut self) -> Option<AccessUnit> {
        self.depacketizer.as_mut()?.pull()
    }

    /// SETUP's answer named an SSRC. Packets may have come before it (v4l2rtspserver): those count more.
    fn announce(&mut self, ssrc: u32) {
        if self.reorder.ssrc().is_none() {
            let reorder = core::mem::replace(&mut self.reorder, Reorder::in_order());
            self.reorder = reorder.with_ssrc(ssrc);
        }
    }

    fn rtp(&mut self, bytes: &[u8], received: Micros, reports: &mut VecDeque<IngestOutput>) {
        let Self { reorder, depacketizer, stamped, .. } = self;
        if let Some(ordered) = reorder.push(bytes, received) {
            take(depacketizer, stamped, &ordered, reports);
        }
        // Over TCP a packet's turn is when it comes: none ever waits.
        while let Some(ordered) = reorder.pull() {
            take(depacketizer, stamped, &ordered, reports);
        }
    }

    /// Nothing more comes: what waits is as good as in order.
    fn finish(&mut self, reports: &mut VecDeque<IngestOutput>) {
        let Self { reorder, depacketizer, stamped, .. } = self;
        reorder.finish();
        while let Some(ordered) = reorder.pull() {
            take(depacketizer, stamped, &ordered, reports);
        }
        if let Some(depacketizer) = depacketizer {
            depacketizer.finish();
        }
    }

    fn rtcp(&mut self, bytes: &[u8], received: Micros, reports: &mut VecDeque<IngestOutput>) {
        for packet in rtcp::parse(bytes) {
            match packet {
                Ok(rtcp::Packet::SenderReport(report, _)) => {
                    // A former session's report would put the pictures into another time (Reolink RLC-410).
                    match self.reorder.ssrc() {
                        Some(ssrc) if ssrc != report.ssrc => self.quirks.count(Quirk::ForeignSsrc),
                        _ if self.depacketizer.is_some() => {
                            reports.push_back(IngestOutput::SenderReport { report, received });
                        }
                        _ => {}
                    }
                }
                Ok(rtcp::Packet::Goodbye(goodbye)) => {
                    goodbye.sources().for_each(|ssrc| self.reorder.goodbye(ssrc));
                }
                Ok(_) => {}
                Err(_) => self.quirks.count(Quirk::BadRtcp),
            }
        }
    }
}

/// Hands a packet in its turn on.
fn take(
    depacketizer: &mut Option<Depacketizer>,
    stamped: &mut Option<u32>,
    ordered: &Ordered<'_>,
    reports: &mut VecDeque<IngestOutput>,
) {
    let Some(depacketizer) = depacketizer else { return };
    if ordered.restart {
        // The pictures before it come out before the news.
        depacketizer.finish();
        let before = core::iter::from_fn(|| depacketizer.pull());
        reports.extend(before.map(IngestOutput::AccessUnit));
        reports.push_back(IngestOutput::Discontinuity);
    }
    if let Some(utc) = onvif_time(&ordered.packet)
        && stamped.replace(ordered.packet.timestamp) != Some(ordered.packet.timestamp)
    {
        let (source, timestamp) = (UtcSource::OnvifExtension, ordered.packet.timestamp);
        reports.push_back(IngestOutput::Anchor { source, timestamp, utc });
    }
    depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
}

/// The camera's own stamp on a picture: ONVIF Streaming Specification, "RTP header extension", whose first 8 bytes are an
/// NTP timestamp. It is on one packet of the picture or on all.
fn onvif_time(packet: &RtpPacket<'_>) -> Option<UtcMicros> {
    let extension = packet.extension.filter(|e| e.profile == Extension::ONVIF_REPLAY)?;
    let ntp = NtpTime(Reader::new(extension.bytes).u64()?);
    (ntp.0 != 0).then(|| ntp.to_utc())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::codec::Codec;
    use crate::packetize::{Framing, Packetizer};
    use crate::rtsp::Url;
    use crate::sdp::Description;
    use crate::server::{self, Connection};
    use alloc::string::ToString as _;
    use bytes::BytesMut;

    const SECOND: u64 = 1_000_000;

    /// A client and our own server, back to back on one clock.
    struct Pair {
        client: Ingest,
        server: Connection,
        media: Vec<Bytes>,
        got: Vec<IngestOutput>,
        now: Micros,
    }

    impl Pair {
        fn new(media: Vec<Bytes>) -> Self {
            let (url, _) = Url::parse("rtsp://cam/1").unwrap();
            Self {
                client: Ingest::new(Config::new(url, [1; 32]), Micros(0)),
                server: Connection::new(server::Config::new([2; 32]), Micros(0)),
                media,
                got: Vec::new(),
                now: Micros(0),
            }
        }

        /// Carries bytes to and fro, `piece` at a time, until nobody has any more to say.
        fn run(&mut self, piece: usize) {
            loop {
                let mut quiet = true;
                while let Some(output) = self.client.poll_output() {
                    quiet = false;
                    match output {
                        IngestOutput::Send(bytes) => {
                            assert_eq!(self.server.handle_input(self.now, &bytes), bytes.len());
                        }
                        output => self.got.push(output),
                    }
                }
                while let Some(output) = self.server.poll_output() {
                    quiet = false;
                    match output {
                        server::Output::Send(bytes) => self.deliver(&bytes, piece),
                        server::Output::Event(event) => self.answer(event),
                        server::Output::Close => self.client.handle_closed(self.now),
                    }
                }
                if quiet {
                    return;
                }
            }
        }

        fn deliver(&mut self, bytes: &[u8], piece: usize) {
            for part in bytes.chunks(piece) {
                self.now = self.now.plus(10);
                assert_eq!(self.client.handle_input(self.now, part), part.len());
                while let Some(output) = self.client.poll_output() {
                    match output {
                        IngestOutput::Send(bytes) => {
                            assert_eq!(self.server.handle_input(self.now, &bytes), bytes.len());
                        }
                        output => self.got.push(output),
                    }
                }
            }
        }

        fn answer(&mut self, event: server::Event) {
            match event {
                server::Event::Describe { request, .. } => {
                    let sdp = Description::live("cam").with_video(Codec::H264, 96, &[]).to_string();
                    self.server.describe(request, sdp).unwrap();
                }
                server::Event::Play { request, .. } => {
                    self.server.accept_play(request, None, &[]).unwrap();
                    for piece in self.media.drain(..) {
                        self.server.send(piece).unwrap();
                    }
                }
                _ => {}
            }
        }
    }

    fn pictures(count: u32) -> Vec<Bytes> {
        let mut packetizer = Packetizer::new(Codec::H264, 77, 96, 65_530, 200);
        let mut out = Vec::new();
        for n in 0..count {
            let mut unit = Vec::from([0, 0, 2, 0, 0x65, 0x88]);
            unit.resize(4 + 0x200, n as u8 | 1);
            let mut bytes = BytesMut::new();
            packetizer.packetize(&unit, n * 3_600, Framing::Interleaved(0), &mut bytes);
            out.push(bytes.freeze());
        }
        let report = rtcp::sender_compound(&packetizer.sender_report(NtpTime(1 << 63), 9_000), "cam");
        let mut framed = Vec::from([b'$', 1, 0, report.len() as u8]);
        framed.extend(report);
        out.push(framed.into());
        out
    }

    fn units(got: &[IngestOutput]) -> Vec<&AccessUnit> {
        got.iter()
            .filter_map(|o| if let IngestOutput::AccessUnit(unit) = o { Some(unit) } else { None })
            .collect()
    }

    #[test]
    fn pictures_and_reports_come_through_however_the_bytes_are_cut() {
        for piece in [1, 7, 1_000, 1 << 20] {
            let mut pair = Pair::new(pictures(5));
            pair.run(piece);
            pair.client.teardown(pair.now);
            pair.run(piece);
            let units = units(&pair.got);
            assert_eq!(units.len(), 5, "pieces of {piece}");
            for (n, unit) in (0..).zip(units) {
                assert_eq!(unit.timestamp, n * 3_600);
                assert_eq!((unit.data.len(), unit.loss.packets, unit.loss.incomplete), (0x204, 0, false));
            }
            let report = |o: &IngestOutput| matches!(o, IngestOutput::SenderReport { report, .. } if report.rtp_timestamp == 9_000);
            assert!(pair.got.iter().any(report));
            let last = pair.got.iter().rev().take(2).collect::<Vec<_>>();
            assert!(matches!(last[..], [IngestOutput::Close, IngestOutput::Event(Event::Ended)]), "{last:?}");
            assert_eq!(pair.client.stats().reorder.lost, 0);
            // The pictures are made up: nothing else is odd about them.
            let quirks: Vec<Quirk> = pair.client.quirks().iter().map(|(quirk, _)| quirk).collect();
            assert_eq!(quirks, [Quirk::MissingParameterSet]);
        }
    }

    #[test]
    fn the_last_picture_comes_before_the_end() {
        let mut media = pictures(2);
        media.pop();
        // The marker bit of the last packet is taken away: only the end tells that the picture is whole.
        let mut last = BytesMut::from(&media.pop().unwrap()[..]);
        let mut at = 0;
        while at < last.len() {
            last[at + 5] &= 0x7f;
            at += 4 + usize::from(u16::from_be_bytes([last[at + 2], last[at + 3]]));
        }
        media.push(last.freeze());
        let mut pair = Pair::new(media);
        pair.run(1 << 20);
        assert_eq!(units(&pair.got).len(), 1);
        pair.client.handle_closed(pair.now.plus(SECOND));
        pair.run(1 << 20);
        assert_eq!(units(&pair.got).len(), 2);
        let place = |of: fn(&IngestOutput) -> bool| pair.got.iter().rposition(of).unwrap();
        let unit = place(|o| matches!(o, IngestOutput::AccessUnit(_)));
        assert!(unit < place(|o| matches!(o, IngestOutput::Event(Event::Failed(_) | Event::Ended))));
    }
}

//! RTP packets to access units: reorder, depacketize.

use std::collections::VecDeque;

use vigie::codec::Codec;
use vigie::depacket::{AccessUnit, Depacketizer, Packetization};
use vigie::limits::Limits;
use vigie::reorder::{Ordered, Reorder, Stats};
use vigie::rtp::{self, ReplayStamp, RtpPacket, rtcp};
use vigie::sdp::{Media, Presentation};
use vigie::time::Micros;
use vigie::timeline::UtcSource;

use crate::VigieResult;
use crate::maker::Maker;

pub(super) struct Rtp {
    reorder: Reorder,
    out: Out,
    /// Sequence number, timestamp and SSRC of the last packet that could be read.
    last: Option<(u16, u32, u32)>,
}

/// What is behind the reorder buffer.
struct Out {
    depacketizer: Depacketizer,
    /// What is told behind the pictures before it.
    ready: VecDeque<Turn>,
    /// The RTP timestamp that the header extension dated last.
    stamped: Option<u32>,
}

enum Turn {
    Unit(AccessUnit),
    Discontinuity,
    Anchor(u32, vigie::time::UtcMicros),
}

impl Rtp {
    pub(super) fn new(
        codec: Option<Codec>,
        sdp: &[u8],
        media: u32,
        datagrams: bool,
        limits: &Limits,
    ) -> Result<Self, VigieResult> {
        let mut reorder = if datagrams { Reorder::windowed(limits) } else { Reorder::in_order() };
        let depacketizer = if sdp.is_empty() {
            if media != 0 {
                return Err(VigieResult::Argument);
            }
            Depacketizer::new(codec.ok_or(VigieResult::Argument)?, limits)
        } else {
            let described = Presentation::parse(sdp.to_vec(), limits).map_err(|_| VigieResult::NotVideo)?;
            let media = chosen(&described, media).ok_or(VigieResult::NotVideo)?;
            let told = media.codec.ok_or(VigieResult::NotVideo)?;
            reorder = reorder.with_payload_type(media.payload_type).with_clock_rate(media.clock_rate.max(1));
            let mut depacketizer = Depacketizer::new(codec.unwrap_or(told), limits);
            if codec.is_none_or(|codec| codec == told) {
                depacketizer = depacketizer.with_packetization(Packetization::of(media));
                depacketizer.seed(media.parameter_sets.iter().map(|nal| &nal[..]));
            }
            depacketizer
        };
        let out = Out { depacketizer, ready: VecDeque::new(), stamped: None };
        Ok(Self { reorder, out, last: None })
    }

    pub(super) const fn last(&self) -> Option<(u16, u32, u32)> {
        self.last
    }

    pub(super) fn stats(&self) -> Stats {
        self.reorder.stats()
    }

    pub(super) fn next_timeout(&self) -> Option<Micros> {
        self.reorder.poll_timeout()
    }

    pub(super) fn push(&mut self, bytes: &[u8], received: Micros) -> Result<(), rtp::Error> {
        let packet = RtpPacket::parse(bytes)?;
        self.last = Some((packet.sequence, packet.timestamp, packet.ssrc));
        if let Some(ordered) = self.reorder.push(bytes, received) {
            self.out.take(&ordered);
        }
        self.drain();
        Ok(())
    }

    pub(super) fn timeout(&mut self, now: Micros) {
        if self.reorder.poll_timeout().is_some_and(|due| now >= due) {
            self.reorder.handle_timeout(now);
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(ordered) = self.reorder.pull() {
            self.out.take(&ordered);
        }
    }

    pub(super) fn rtcp(
        &mut self,
        bytes: &[u8],
        received: Micros,
        maker: &mut Maker,
    ) -> Result<(), rtp::Error> {
        for packet in rtcp::parse(bytes) {
            match packet? {
                rtcp::Packet::SenderReport(report, _) if self.reorder.sender_report(&report, received) => {
                    maker.sender_report(report);
                }
                rtcp::Packet::Goodbye(goodbye) => {
                    goodbye.sources().for_each(|ssrc| self.reorder.goodbye(ssrc));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) {
        self.reorder.finish();
        self.drain();
        self.out.depacketizer.finish();
    }

    /// The next access unit; what was said before it is told.
    pub(super) fn pull(&mut self, maker: &mut Maker) -> Option<AccessUnit> {
        while let Some(turn) = self.out.ready.pop_front() {
            match turn {
                Turn::Unit(unit) => return Some(unit),
                Turn::Discontinuity => maker.discontinuity(),
                Turn::Anchor(timestamp, utc) => maker.anchor(UtcSource::OnvifExtension, timestamp, utc),
            }
        }
        self.out.depacketizer.pull()
    }
}

impl Out {
    fn take(&mut self, ordered: &Ordered<'_>) {
        let packet = &ordered.packet;
        let stamp = packet.extension.and_then(|_| ReplayStamp::of(packet));
        // The stamp is on one packet of the picture or on all.
        let stamp = stamp.filter(|_| self.stamped.replace(packet.timestamp) != Some(packet.timestamp));
        if ordered.restart || stamp.is_some_and(|stamp| stamp.discontinuity) {
            // The pictures before it come out before the news.
            self.depacketizer.finish();
            self.pass();
            self.ready.push_back(Turn::Discontinuity);
        }
        let first = self.ready.len();
        self.depacketizer.push(packet, ordered.received, ordered.lost_before);
        if let Some(stamp) = stamp.filter(|stamp| stamp.ntp.0 != 0) {
            // Behind the pictures that the packet ended, before its own, which it may have ended as well.
            self.pass();
            let own = |turn: &Turn| matches!(turn, Turn::Unit(unit) if unit.timestamp == packet.timestamp);
            let at = first + self.ready.range(first..).take_while(|turn| !own(turn)).count();
            self.ready.insert(at, Turn::Anchor(packet.timestamp, stamp.ntp.to_utc()));
        }
    }

    /// Lets the pictures that are ready go before what is told next.
    fn pass(&mut self) {
        let before = std::iter::from_fn(|| self.depacketizer.pull());
        self.ready.extend(before.map(Turn::Unit));
    }
}

/// The media asked for: 1 for the first.
fn chosen(described: &Presentation, media: u32) -> Option<&Media> {
    match media {
        0 => described.video().map(|(_, media)| media),
        n => described.media.get(n as usize - 1),
    }
}

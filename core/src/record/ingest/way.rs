//! The way of one media within an ingest: reorder → depacket.

use alloc::collections::VecDeque;

use super::IngestOutput;
use crate::codec::Codec;
use crate::depacket::{AccessUnit, Depacketizer, Packetization};
use crate::fault::{Quirk, Quirks};
use crate::limits::Limits;
use crate::record::aside::Aside;
use crate::reorder::{Ordered, Reorder, Stats};
use crate::rtp::srtp::Unprotect;
use crate::rtp::{ReplayStamp, rtcp};
use crate::sdp::Media;
use crate::session::{Agreed, Lower};
use crate::time::Micros;
use crate::timeline::UtcSource;

/// Packets from whose payload the codec is judged. The first picture's are among them.
const JUDGED: u8 = 64;

/// The way of one media.
pub(super) struct Way {
    /// Index of the media in the presentation.
    pub(super) media: usize,
    /// Where it is SRTP.
    unprotect: Option<Unprotect>,
    /// SRTP and SRTCP packets that were not taken.
    refused: u64,
    /// The last packet may have been cut short.
    cut: bool,
    reorder: Reorder,
    out: Out,
}

/// What is behind the reorder buffer.
struct Out {
    /// Of the video.
    depacketizer: Option<Depacketizer>,
    /// Of sound or metadata.
    aside: Option<Aside>,
    codec: Option<Codec>,
    /// Packets whose payload is still judged.
    judged: u8,
    limits: Limits,
    quirks: Quirks,
    /// The RTP timestamp that the header extension dated last: it is told once per picture.
    stamped: Option<u32>,
}

impl Way {
    pub(super) fn new(index: usize, media: &Media, transport: &Agreed, limits: &Limits) -> Self {
        let depacketizer = media.codec.map(|codec| {
            let mut depacketizer =
                Depacketizer::new(codec, limits).with_packetization(Packetization::of(media));
            depacketizer.seed(media.parameter_sets.iter().map(|nal| &nal[..]));
            depacketizer
        });
        let reorder = match transport.lower() {
            Lower::Tcp => Reorder::in_order().with_policy(limits.policy),
            _ => Reorder::windowed(limits),
        };
        let rate = if media.clock_rate == 0 { 90_000 } else { media.clock_rate };
        let reorder = reorder.with_payload_type(media.payload_type).with_clock_rate(rate);
        let aside =
            if depacketizer.is_none() && cfg!(feature = "full") { Aside::new(media, limits) } else { None };
        let out = Out {
            depacketizer,
            aside,
            codec: media.codec,
            judged: JUDGED,
            limits: *limits,
            quirks: Quirks::default(),
            stamped: None,
        };
        Self { media: index, unprotect: None, refused: 0, cut: false, reorder, out }
    }

    /// Decrypts what comes.
    pub(super) fn decrypt(&mut self, unprotect: Option<Unprotect>) {
        self.unprotect = unprotect;
    }

    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }

    pub(super) fn dropped_pictures(&self) -> u64 {
        self.out.aside().map_or(0, |aside| aside.dropped())
    }

    pub(super) fn stats(&self) -> Stats {
        self.reorder.stats()
    }

    pub(super) fn add_quirks(&self, quirks: &mut Quirks) {
        quirks.merge(&self.out.quirks);
        quirks.merge(self.reorder.quirks());
        if let Some(depacketizer) = &self.out.depacketizer {
            quirks.merge(depacketizer.quirks());
        }
        if let Some(aside) = self.out.aside() {
            quirks.merge(aside.quirks());
        }
    }

    pub(super) fn pull(&mut self) -> Option<AccessUnit> {
        self.out.depacketizer.as_mut()?.pull()
    }

    /// SETUP's answer named an SSRC. Packets may have come before it (v4l2rtspserver): those count more.
    pub(super) fn announce(&mut self, ssrc: u32) {
        if self.reorder.ssrc().is_none() {
            let reorder = core::mem::replace(&mut self.reorder, Reorder::in_order());
            self.reorder = reorder.with_ssrc(ssrc);
        }
    }

    /// The last packet may have been cut short: what it brought is as good as lost.
    pub(super) const fn cut(&mut self) {
        self.cut = true;
    }

    pub(super) fn rtp(&mut self, bytes: &[u8], received: Micros, reports: &mut VecDeque<IngestOutput>) {
        let bytes = match unprotect(&mut self.unprotect) {
            None => bytes,
            Some(unprotect) => match unprotect.rtp(bytes) {
                Ok(bytes) => bytes,
                Err(_) => return self.refused += 1,
            },
        };
        if let Some(ordered) = &mut self.reorder.push(bytes, received) {
            if core::mem::take(&mut self.cut) {
                ordered.lost_before = ordered.lost_before.saturating_add(1);
            }
            self.out.take(ordered, reports);
        }
        // Over TCP a packet's turn is when it comes: none ever waits.
        self.drain(reports);
    }

    fn drain(&mut self, reports: &mut VecDeque<IngestOutput>) {
        while let Some(ordered) = self.reorder.pull() {
            self.out.take(&ordered, reports);
        }
    }

    /// When a packet has waited for long enough.
    pub(super) fn poll_timeout(&self) -> Option<Micros> {
        self.reorder.poll_timeout()
    }

    pub(super) fn handle_timeout(&mut self, now: Micros, reports: &mut VecDeque<IngestOutput>) {
        if self.reorder.poll_timeout().is_some_and(|due| now >= due) {
            self.reorder.handle_timeout(now);
            self.drain(reports);
        }
    }

    /// Nothing more comes: what waits is as good as in order.
    pub(super) fn finish(&mut self, reports: &mut VecDeque<IngestOutput>) {
        self.reorder.finish();
        self.drain(reports);
        if let Some(aside) = self.out.aside_mut() {
            aside.finish(reports);
        }
        if let Some(depacketizer) = &mut self.out.depacketizer {
            depacketizer.finish();
        }
    }

    pub(super) fn rtcp(&mut self, bytes: &[u8], received: Micros, reports: &mut VecDeque<IngestOutput>) {
        let bytes = match unprotect(&mut self.unprotect) {
            None => bytes,
            Some(unprotect) => match unprotect.rtcp(bytes) {
                Ok(bytes) => bytes,
                Err(_) => return self.refused += 1,
            },
        };
        for packet in rtcp::parse(bytes) {
            match packet {
                Ok(rtcp::Packet::SenderReport(report, _)) => {
                    let ours = self.reorder.sender_report(&report, received);
                    match self.out.aside() {
                        _ if !ours => {}
                        None if self.out.depacketizer.is_none() => {}
                        None => {
                            self.out.pass(reports);
                            reports.push_back(IngestOutput::SenderReport { report, received });
                        }
                        Some(aside) => aside.sender_report(report, received, reports),
                    }
                }
                Ok(rtcp::Packet::Goodbye(goodbye)) => {
                    goodbye.sources().for_each(|ssrc| self.reorder.goodbye(ssrc));
                }
                Ok(_) => {}
                Err(_) => self.out.quirks.count(Quirk::BadRtcp),
            }
        }
    }

    /// What a receiver report says of it.
    pub(super) fn report_block(&mut self, now: Micros) -> Option<rtcp::ReportBlock> {
        self.reorder.report_block(now)
    }
}

/// What decrypts, where that is compiled in.
fn unprotect(unprotect: &mut Option<Unprotect>) -> Option<&mut Unprotect> {
    if cfg!(feature = "full") { unprotect.as_mut() } else { None }
}

impl Out {
    /// The way of sound, metadata or other pictures, where that is compiled in.
    const fn aside(&self) -> Option<&Aside> {
        if cfg!(feature = "full") { self.aside.as_ref() } else { None }
    }

    const fn aside_mut(&mut self) -> Option<&mut Aside> {
        if cfg!(feature = "full") { self.aside.as_mut() } else { None }
    }

    /// Hands a packet in its turn on.
    fn take(&mut self, ordered: &Ordered<'_>, reports: &mut VecDeque<IngestOutput>) {
        if self.judged > 0 {
            self.judge(ordered.packet.payload);
        }
        let Some(depacketizer) = &mut self.depacketizer else {
            if let Some(aside) = self.aside_mut() {
                aside.take(ordered, reports);
            }
            return;
        };
        let stamp = match ordered.packet.extension {
            None => None,
            Some(_) => ReplayStamp::of(&ordered.packet),
        };
        let timestamp = ordered.packet.timestamp;
        // The stamp is on one packet of the picture or on all.
        let stamp = stamp.filter(|_| self.stamped.replace(timestamp) != Some(timestamp));
        if ordered.restart || stamp.is_some_and(|stamp| stamp.discontinuity) {
            // The pictures before it come out before the news.
            depacketizer.finish();
            let before = core::iter::from_fn(|| depacketizer.pull());
            reports.extend(before.map(IngestOutput::AccessUnit));
            reports.push_back(IngestOutput::Discontinuity);
        }
        depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
        if let Some(stamp) = stamp {
            self.stamp(stamp, timestamp, reports);
        }
    }

    /// Tells what a picture's stamp says: behind the pictures that its packet ended, before the picture itself, which may
    /// have come with it.
    fn stamp(&mut self, stamp: ReplayStamp, timestamp: u32, reports: &mut VecDeque<IngestOutput>) {
        let first = reports.len();
        self.pass(reports);
        let own = |output: &IngestOutput| matches!(output, IngestOutput::AccessUnit(unit) if unit.timestamp == timestamp);
        let mut at = first + reports.range(first..).take_while(|output| !own(output)).count();
        if stamp.ntp.0 != 0 {
            let (source, utc) = (UtcSource::OnvifExtension, stamp.ntp.to_utc());
            reports.insert(at, IngestOutput::Anchor { source, timestamp, utc });
            at += 1;
        }
        if stamp.end || stamp.terminal {
            reports.insert(at, IngestOutput::SectionEnd { timestamp, terminal: stamp.terminal });
        }
    }

    /// Lets the pictures that are ready go before what is told next.
    fn pass(&mut self, reports: &mut VecDeque<IngestOutput>) {
        if let Some(depacketizer) = &mut self.depacketizer {
            let before = core::iter::from_fn(|| depacketizer.pull());
            reports.extend(before.map(IngestOutput::AccessUnit));
        }
    }

    /// Ezviz C6N describes H.265 and sends H.264: the first payload that only one of them allows tells.
    fn judge(&mut self, payload: &[u8]) {
        self.judged -= 1;
        let Some(codec) = self.codec else { return };
        match told_by(payload) {
            Some(told) if told == codec => self.judged = 0,
            Some(told) => {
                self.judged = 0;
                self.quirks.count(Quirk::OtherCodec);
                if self.limits.policy.tolerates(Quirk::OtherCodec) {
                    self.codec = Some(told);
                    self.depacketizer = Some(Depacketizer::new(told, &self.limits));
                }
            }
            None => {}
        }
    }
}

/// The codec that alone has such a payload.
fn told_by(payload: &[u8]) -> Option<Codec> {
    match payload {
        // VPS, SPS and PPS of the base layer (RFC 7798 §1.1.4); H.264 has no type 0, and no camera sends types 2 and 4.
        [0x40 | 0x42 | 0x44, 1, _, ..] => Some(Codec::H265),
        // An aggregation packet or the first fragment of an IDR, CRA or parameter set; in H.264 types 0 and 2.
        [0x60, 1, _, ..] => Some(Codec::H265),
        [0x62, 1, fragment, ..] if fragment & 0x80 != 0 && matches!(fragment & 0x3f, 16..=21 | 32..=34) => {
            Some(Codec::H265)
        }
        // SPS and PPS; in H.265 reserved types or a layer above the first, which no camera has.
        [first @ (0x27 | 0x47 | 0x67 | 0x28 | 0x48 | 0x68), second, _, ..]
            if second & 0xf8 != 0 && *first != 0 =>
        {
            Some(Codec::H264)
        }
        // The first fragment of an IDR.
        [0x7c | 0x5c | 0x3c, 0x85, ..] => Some(Codec::H264),
        // An aggregation packet that begins with an SPS.
        [0x78 | 0x58 | 0x38 | 0x18, _, _, 0x27 | 0x47 | 0x67, ..] => Some(Codec::H264),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_that_only_one_codec_has() {
        use Codec::{H264, H265};
        let cases: [(&[u8], Option<Codec>); 12] = [
            (&[0x40, 1, 0x0c, 1], Some(H265)),
            (&[0x42, 1, 1, 1], Some(H265)),
            (&[0x44, 1, 0xc0, 0x73], Some(H265)),
            (&[0x60, 1, 0, 24, 0x40, 1], Some(H265)),
            (&[0x62, 1, 0x93, 0xaf], Some(H265)),
            (&[0x67, 0x4d, 0, 0x1f], Some(H264)),
            (&[0x68, 0xee, 0x3c, 0x80], Some(H264)),
            (&[0x7c, 0x85, 0x88], Some(H264)),
            (&[0x78, 0, 9, 0x67, 0x42], Some(H264)),
            // Slices, SEI, an access unit delimiter: anyone's.
            (&[0x41, 0x9a, 1], None),
            (&[0x02, 1, 0xd0], None),
            (&[], None),
        ];
        for (payload, codec) in cases {
            assert_eq!(told_by(payload), codec, "{payload:02x?}");
        }
    }
}

//! One camera's pictures to any number of viewers, as one RTP stream that all of them share.
//!
//! Each picture is cut into packets once; what viewers get are references to the same bytes. The current GOP is kept,
//! so that a new viewer sees a picture at once. The stream outlives the camera's connection: when the camera comes
//! back, sequence numbers go on and timestamps go on by the time that passed, so that viewers need do nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::watch;
use vigie::codec::Codec;
use vigie::depacket::{AccessUnit, RandomAccess};
use vigie::h26x::ParameterSets;
use vigie::packetize::{Framing, Packetizer};
use vigie::rtp::{self, rtcp};
use vigie::sdp::Description;
use vigie::time::{Micros, NtpTime, Ticks, UtcMicros};

mod queue;

pub(crate) use queue::Queue;

/// The RTP payload type of every stream.
pub(crate) const PAYLOAD_TYPE: u8 = 96;

/// The interleaved channels of RTP and RTCP: shared bytes carry one number for all viewers.
pub(crate) const CHANNELS: (u8, u8) = (0, 1);

/// Bytes of a packet. It travels in TCP, where a network's own limit does not matter, and every packet is work for the
/// browser.
const MTU: usize = 16 << 10;

/// Bytes kept of the current GOP; a longer one (smart codecs) is let go, and new viewers wait for the next.
const GOP_BYTES: usize = 32 << 20;

/// Microseconds between sender reports.
const REPORT: u64 = 4_000_000;

/// Microseconds by which the clock that was told may be off before it is told again at once.
const OFF: u64 = 5_000;

/// Viewers of one camera.
const VIEWERS: usize = 256;

/// The stream and its viewers.
#[derive(Debug, Default)]
pub(crate) struct Fan {
    inner: Mutex<Inner>,
    /// Is there something to see?
    live: watch::Sender<bool>,
}

/// A picture in packets, to be shared.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Interleaved packets.
    pub(crate) bytes: Bytes,
    /// Can a viewer start here?
    pub(crate) start: bool,
}

/// What a new viewer gets.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Its pictures: the sender report and the current GOP first.
    pub(crate) queue: Arc<Queue>,
    /// Sequence number and timestamp of the first packet, for `RTP-Info`; `None` where the GOP under way was too long
    /// to be kept and the first packet is still to come.
    pub(crate) first: Option<(u16, u32)>,
}

#[derive(Debug, Default)]
struct Inner {
    stream: Option<Stream>,
    viewers: Vec<Arc<Queue>>,
    skipped: u64,
}

#[derive(Debug)]
struct Stream {
    codec: Codec,
    parameters: Option<Arc<ParameterSets>>,
    packetizer: Packetizer,
    gop: Gop,
    /// A picture that can be started at came since the camera (re)connected.
    live: bool,
    /// Added to the camera's timestamps to give ours; `None` until the first picture after a (re)connection.
    offset: Option<u32>,
    /// The last picture sent: our timestamp, and when it came.
    last: Option<(u32, Micros)>,
    /// A moment in UTC and the timestamp of ours that it belongs to.
    clock: Option<(UtcMicros, u32)>,
    /// The last report to all: when it was made, and what it paired.
    reported: Option<(Micros, UtcMicros, u32)>,
    cname: String,
}

#[derive(Debug, Default)]
struct Gop {
    items: Vec<Item>,
    bytes: usize,
    sequence: u16,
    timestamp: u32,
}

impl Fan {
    /// The camera (re)connected and sends this codec. Viewers of another one are sent home: theirs cannot go on.
    pub(crate) fn connected(&self, codec: Codec, name: &str, ssrc: u32) {
        let mut inner = self.lock();
        match &mut inner.stream {
            Some(stream) if stream.codec == codec => stream.interrupted(),
            _ => {
                inner.viewers.drain(..).for_each(|viewer| viewer.end());
                inner.stream = Some(Stream::new(codec, name, ssrc));
            }
        }
        self.live.send_replace(false);
    }

    /// The camera went away. Viewers stay and wait; who comes now is turned away until it is back.
    pub(crate) fn disconnected(&self) {
        if let Some(stream) = &mut self.lock().stream {
            stream.interrupted();
        }
        self.live.send_replace(false);
    }

    /// Sends all viewers home: the centre ends.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.viewers.drain(..).for_each(|viewer| viewer.end());
        inner.stream = None;
        drop(inner);
        self.live.send_replace(false);
    }

    /// Returns when there is something to see.
    pub(crate) async fn live(&self) {
        // The sender is here: it cannot be gone.
        let _ = self.live.subscribe().wait_for(|live| *live).await;
    }

    /// Sends a picture to all. `utc` is the moment it was taken, as well as that is known.
    pub(crate) fn picture(&self, unit: &AccessUnit, utc: UtcMicros, now: Micros) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        let Some(stream) = &mut inner.stream else { return };
        let item = stream.item(unit, utc, now);
        self.live.send_if_modified(|live| !std::mem::replace(live, stream.live) && stream.live);
        let report = if stream.report_due(now) { stream.report() } else { None };
        if report.is_some() {
            stream.reported = stream.clock.map(|(utc, timestamp)| (now, utc, timestamp));
        }
        inner.viewers.retain(|viewer| Arc::strong_count(viewer) > 1);
        for viewer in &inner.viewers {
            inner.skipped += u64::from(viewer.push(&item, now));
            if let Some(report) = &report {
                viewer.push_aside(report.clone());
            }
        }
    }

    /// The description of the stream, RFC 4566; `None` while there is nothing to see.
    pub(crate) fn describe(&self) -> Option<String> {
        let inner = self.lock();
        let stream = inner.stream.as_ref().filter(|stream| stream.live)?;
        let sets = stream.parameters.iter().flat_map(|sets| sets.vps().chain(sets.sps()).chain(sets.pps()));
        let sets: Vec<Bytes> = sets.map(|(_, nal)| nal.clone()).collect();
        let description = Description::live(&stream.cname).with_video(stream.codec, PAYLOAD_TYPE, &sets);
        Some(description.to_string())
    }

    /// A place for one more viewer; `None` while there is nothing to see, or when all places are taken.
    pub(crate) fn sit(&self, now: Micros) -> Option<Seat> {
        let mut inner = self.lock();
        inner.viewers.retain(|viewer| Arc::strong_count(viewer) > 1);
        let full = inner.viewers.len() >= VIEWERS;
        let stream = inner.stream.as_mut().filter(|stream| stream.live && !full)?;
        let report = stream.first_report();
        let queue = Arc::new(Queue::new(report, &stream.gop.items, now));
        let first = (!stream.gop.items.is_empty()).then_some((stream.gop.sequence, stream.gop.timestamp));
        let seat = Seat { queue: queue.clone(), first };
        inner.viewers.push(queue);
        Some(seat)
    }

    /// Viewers now, and how often one of them was too slow and skipped to the next start since the beginning.
    pub(crate) fn viewers(&self) -> (usize, u64) {
        let inner = self.lock();
        (inner.viewers.iter().filter(|viewer| Arc::strong_count(viewer) > 1).count(), inner.skipped)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    fn new(codec: Codec, name: &str, ssrc: u32) -> Self {
        Self {
            codec,
            parameters: None,
            packetizer: Packetizer::new(codec, ssrc, PAYLOAD_TYPE, ssrc as u16, MTU),
            gop: Gop::default(),
            live: false,
            offset: None,
            last: None,
            clock: None,
            reported: None,
            cname: name.to_owned(),
        }
    }

    fn interrupted(&mut self) {
        self.gop = Gop::default();
        self.live = false;
        self.offset = None;
        self.reported = None;
    }

    fn item(&mut self, unit: &AccessUnit, utc: UtcMicros, now: Micros) -> Item {
        let last = self.last;
        // Our timestamps go on by the time that passed while the camera was away.
        let offset = *self.offset.get_or_insert_with(|| {
            last.map_or(0, |(timestamp, then)| {
                let passed = Ticks::from_micros(i64::try_from(now.since(then)).unwrap_or(0)).max(1);
                timestamp.wrapping_add(passed as u32).wrapping_sub(unit.timestamp)
            })
        });
        let timestamp = unit.timestamp.wrapping_add(offset);
        let sequence = self.packetizer.next_sequence();
        let mut out = BytesMut::new();
        self.packetizer.packetize(&unit.data, timestamp, Framing::Interleaved(CHANNELS.0), &mut out);
        self.last = Some((timestamp, now));
        self.clock = Some((utc, timestamp));
        if unit.parameters.is_some() {
            self.parameters.clone_from(&unit.parameters);
        }
        let start = unit.random_access.is_some_and(RandomAccess::starts_gop);
        let item = Item { bytes: out.freeze(), start };
        self.live |= start;
        self.gop.add(&item, sequence, timestamp);
        item
    }

    fn report_due(&self, now: Micros) -> bool {
        self.reported.zip(self.clock).is_none_or(|((then, told, paired), (utc, timestamp))| {
            let ticks = i64::from(rtp::timestamp_distance(paired, timestamp));
            let off = told.plus(Ticks::micros(ticks)).0.abs_diff(utc.0);
            now.since(then) >= REPORT || off > OFF
        })
    }

    /// What pairs UTC with the timestamp of the newest picture, framed for the RTCP channel.
    fn report(&self) -> Option<Bytes> {
        let (utc, timestamp) = self.clock?;
        self.pair(utc, timestamp)
    }

    /// The same for who begins with the current GOP: of its first picture, by what is known of the clock now. One of a picture that
    /// is a second ahead of what comes next is not believed.
    fn first_report(&self) -> Option<Bytes> {
        let (utc, timestamp) = self.clock?;
        if self.gop.items.is_empty() {
            return self.pair(utc, timestamp);
        }
        let ticks = i64::from(rtp::timestamp_distance(timestamp, self.gop.timestamp));
        self.pair(utc.plus(Ticks::micros(ticks)), self.gop.timestamp)
    }

    fn pair(&self, utc: UtcMicros, timestamp: u32) -> Option<Bytes> {
        let report = self.packetizer.sender_report(NtpTime::from_utc(utc), timestamp);
        let compound = rtcp::sender_compound(&report, &self.cname);
        let length = u16::try_from(compound.len()).ok()?.to_be_bytes();
        Some([&[b'$', CHANNELS.1], &length[..], &compound].concat().into())
    }
}

impl Gop {
    fn add(&mut self, item: &Item, sequence: u16, timestamp: u32) {
        if item.start {
            *self = Self { items: Vec::new(), bytes: 0, sequence, timestamp };
        } else if self.items.is_empty() {
            return;
        }
        self.bytes += item.bytes.len();
        self.items.push(item.clone());
        if self.bytes > GOP_BYTES {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use vigie::rtp::RtpPacket;

    /// A picture as an assembler gives it: an IDR or another slice.
    fn unit(timestamp: u32, key: bool) -> AccessUnit {
        let mut assembler =
            vigie::depacket::AnnexBReader::new(Codec::H264, &vigie::limits::Limits::default());
        assembler.push(if key {
            &[
                0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x79, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 1, 0x65,
                0x88, 0x84,
            ]
        } else {
            &[0, 0, 1, 0x41, 0x9a, 0x02, 0x03]
        });
        assembler.finish();
        let mut unit = assembler.pull().unwrap();
        unit.timestamp = timestamp;
        unit
    }

    /// Channel, sequence number or 0, timestamp of each packet.
    fn packets(mut bytes: &[u8]) -> Vec<(u8, u16, u32)> {
        let mut out = Vec::new();
        while let [b'$', channel, high, low, rest @ ..] = bytes {
            let (packet, after) = rest.split_at(usize::from(*high) << 8 | usize::from(*low));
            out.push(if *channel == CHANNELS.0 {
                let packet = RtpPacket::parse(packet).unwrap();
                (*channel, packet.sequence, packet.timestamp)
            } else {
                let Some(Ok(rtp::rtcp::Packet::SenderReport(report, _))) = rtp::rtcp::parse(packet).next()
                else {
                    panic!("no sender report first")
                };
                (*channel, 0, report.rtp_timestamp)
            });
            bytes = after;
        }
        assert!(bytes.is_empty());
        out
    }

    fn waiting(queue: &Queue) -> Vec<(u8, u16, u32)> {
        let mut out = Vec::new();
        while let Some(Some(bytes)) = futures::FutureExt::now_or_never(queue.next()) {
            out.extend(packets(&bytes));
        }
        out
    }

    const SECOND: u64 = 1_000_000;

    fn show(fan: &Fan, timestamp: u32, key: bool, seconds: u64) {
        let utc = UtcMicros((seconds * SECOND) as i64);
        fan.picture(&unit(timestamp, key), utc, Micros(seconds * SECOND));
    }

    #[test]
    fn a_new_viewer_gets_the_report_and_the_gop_first() {
        let fan = Fan::default();
        assert!(fan.describe().is_none() && fan.sit(Micros(0)).is_none());
        fan.connected(Codec::H264, "a/b", 500);
        show(&fan, 50, false, 0);
        assert!(fan.sit(Micros(0)).is_none(), "nothing to start at yet");
        show(&fan, 100, true, 0);
        show(&fan, 200, false, 0);
        assert!(fan.describe().unwrap().contains("sprop-parameter-sets"));
        let seat = fan.sit(Micros(0)).unwrap();
        let (sequence, timestamp) = seat.first.unwrap();
        assert_eq!(timestamp, 100);
        let got = waiting(&seat.queue);
        assert_eq!(got[0], (CHANNELS.1, 0, 100), "of the picture that comes next");
        assert_eq!((got[1].1, got[1].2), (sequence, 100));
        assert_eq!(got.last().unwrap().2, 200);
        show(&fan, 300, false, 1);
        assert_eq!(waiting(&seat.queue).last().unwrap().2, 300);
        assert_eq!(fan.viewers(), (1, 0));
        drop(seat);
        assert_eq!(fan.viewers(), (0, 0));
    }

    /// A camera's report comes in the midst of a GOP: who joins it later is told what is known then.
    #[test]
    fn a_clock_that_is_known_better_by_now_dates_the_gop() {
        let fan = Fan::default();
        fan.connected(Codec::H264, "a/b", 500);
        show(&fan, 0, true, 1_000);
        fan.picture(&unit(90_000, false), UtcMicros(2_000_000_000), Micros(1_001 * SECOND));
        let seat = fan.sit(Micros(1_001 * SECOND)).unwrap();
        let first = futures::FutureExt::now_or_never(seat.queue.next()).unwrap().unwrap();
        let Some(Ok(rtp::rtcp::Packet::SenderReport(report, _))) = rtp::rtcp::parse(&first[4..]).next()
        else {
            panic!("no sender report first")
        };
        assert_eq!(report.rtp_timestamp, 0);
        assert_eq!(report.ntp, NtpTime::from_utc(UtcMicros(1_999_000_000)));
    }

    #[test]
    fn the_stream_goes_on_when_the_camera_returns() {
        let fan = Fan::default();
        fan.connected(Codec::H264, "a/b", 500);
        show(&fan, 1_000, true, 10);
        let seat = fan.sit(Micros(10 * SECOND)).unwrap();
        let before = waiting(&seat.queue);
        fan.disconnected();
        assert!(fan.sit(Micros(11 * SECOND)).is_none());
        fan.connected(Codec::H264, "a/b", 600);
        show(&fan, 777_777, true, 40);
        let after = waiting(&seat.queue);
        assert_eq!(after[0].1, before.last().unwrap().1 + 1, "no hole in the sequence numbers");
        assert_eq!(after[0].2, 1_000 + 30 * 90_000, "30 s passed");
        assert_eq!(after.last().unwrap().0, CHANNELS.1, "UTC is told anew");
    }

    #[test]
    fn another_codec_sends_the_viewers_home() {
        let fan = Fan::default();
        fan.connected(Codec::H264, "a/b", 500);
        show(&fan, 1_000, true, 0);
        let seat = fan.sit(Micros(0)).unwrap();
        waiting(&seat.queue);
        fan.connected(Codec::H265, "a/b", 500);
        assert_eq!(futures::FutureExt::now_or_never(seat.queue.next()), Some(None));
    }

    #[test]
    fn a_gop_too_long_to_be_kept_is_joined_at_the_next_one() {
        let fan = Fan::default();
        fan.connected(Codec::H264, "a/b", 500);
        show(&fan, 0, true, 0);
        let mut large = unit(1, false);
        large.data = [&(1_u32 << 20).to_be_bytes()[..], &vec![0x41; 1 << 20]].concat().into();
        for _ in 0..33 {
            fan.picture(&large, UtcMicros(0), Micros(0));
        }
        let seat = fan.sit(Micros(0)).unwrap();
        assert_eq!(seat.first, None);
        show(&fan, 2, false, 0);
        assert!(waiting(&seat.queue).iter().all(|packet| packet.0 == CHANNELS.1), "nothing to start at");
        show(&fan, 3, true, 0);
        assert_eq!(waiting(&seat.queue)[0].2, 3);
    }

    #[test]
    fn at_the_end_all_viewers_are_sent_home() {
        let fan = Fan::default();
        fan.connected(Codec::H264, "a/b", 500);
        show(&fan, 0, true, 0);
        let seat = fan.sit(Micros(0)).unwrap();
        fan.close();
        waiting(&seat.queue);
        assert_eq!(futures::FutureExt::now_or_never(seat.queue.next()), Some(None));
        assert!(fan.sit(Micros(0)).is_none());
    }

    #[test]
    fn reports_come_every_few_seconds() {
        let fan = Fan::default();
        fan.connected(Codec::H264, "a/b", 500);
        show(&fan, 0, true, 0);
        let seat = fan.sit(Micros(0)).unwrap();
        waiting(&seat.queue);
        let mut reports = 0;
        for second in 1..=20 {
            show(&fan, second as u32 * 90_000, true, second);
            // Who comes gets one of his own, which changes nothing for the others.
            fan.sit(Micros(second * SECOND)).unwrap();
            reports += waiting(&seat.queue).iter().filter(|packet| packet.0 == CHANNELS.1).count();
        }
        assert_eq!(reports, 5);
    }
}

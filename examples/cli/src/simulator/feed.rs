//! One simulated camera: its clock, its pictures in time, and who may see them.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until};
use vigie::packetize::{Framing, Packetizer};
use vigie::rtp::rtcp;
use vigie::sdp::Description;
use vigie::time::{NtpTime, Ticks, UtcMicros};

use super::clip::Clip;
use super::dome::{Dome, Velocity};
use super::table::{Picture, Table, TableFile};
use crate::moment::utc_now;

/// What a camera does with its viewers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// All is well.
    None,
    /// The camera is off: its connections are closed, new ones are closed at the first request that names it.
    Off,
    /// The network is cut: its connections stay open and nothing comes through, either way.
    Cut,
}

/// The RTP payload type of the video.
pub(crate) const PAYLOAD_TYPE: u8 = 96;

/// Bytes of one RTP packet: what fits an Ethernet frame through a tunnel or two.
pub(crate) const MTU: usize = 1_400;

/// Microseconds that the system's clock may drift from the camera's before the camera follows it in one step.
const DRIFT: i64 = 100_000;

/// Pictures that a viewer may lag behind before it is cut off.
const LAG: usize = 256;

/// A picture on its way to the viewers, already in RTP packets behind interleaved headers of channel 0.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) packets: Bytes,
    pub(crate) key: bool,
    /// Its NAL units, each behind its length, and its RTP timestamp: for cameras with packets of their own.
    pub(crate) unit: Bytes,
    pub(crate) timestamp: u32,
    pub(crate) shown: Picture,
}

/// A camera.
#[derive(Debug)]
pub(crate) struct Camera {
    pub(crate) name: String,
    pub(crate) clip: Arc<Clip>,
    /// What takes its pictures, where the clip has none.
    dome: Option<Mutex<Dome>>,
    pub(crate) table: Table,
    pub(crate) outage: watch::Sender<Outage>,
    sent: broadcast::Sender<Sent>,
    file: Option<Arc<TableFile>>,
    packetizer: Mutex<Packetizer>,
    first_timestamp: u32,
    rate: u32,
    /// Bytes that a picture has at least.
    pub(crate) least: usize,
    /// What viewers of a camera with quirks were sent whole.
    pub(crate) delivered: Table,
    /// When its media time was zero: on the monotonic clock, and in UTC. Some wait for their first viewer.
    start: OnceLock<Instant>,
    start_utc: AtomicI64,
}

/// Microseconds since a moment; below 0 before it.
fn since(start: Instant) -> i64 {
    let now = Instant::now();
    let (after, before) = (now.saturating_duration_since(start), start.saturating_duration_since(now));
    i64::try_from(after.as_micros()).unwrap_or(i64::MAX) - i64::try_from(before.as_micros()).unwrap_or(0)
}

/// What the system's clock says that a moment is.
fn utc_at(moment: Instant) -> UtcMicros {
    let mut found = utc_now().plus(-since(moment));
    for _ in 0..10 {
        let (before, utc, after) = (since(moment), utc_now(), since(moment));
        found = utc.plus(-before);
        // Else others ran between the two clocks' readings, and the difference is no step of either.
        if after - before < DRIFT / 20 {
            break;
        }
    }
    found
}

impl Camera {
    pub(crate) fn new(
        name: String,
        clip: Arc<Clip>,
        file: Option<Arc<TableFile>>,
        ssrc: u32,
        start: Option<Instant>,
        rate: u32,
    ) -> Self {
        let packetizer = Packetizer::new(clip.codec, ssrc, PAYLOAD_TYPE, ssrc as u16, MTU);
        Self {
            name,
            clip,
            dome: None,
            table: Table::default(),
            outage: watch::Sender::new(Outage::None),
            sent: broadcast::Sender::new(LAG),
            file,
            packetizer: Mutex::new(packetizer),
            // A random start, as RFC 3550 §5.1 wants it; near the wrap for some cameras, so that it is lived through.
            first_timestamp: ssrc.rotate_left(16),
            rate: rate.clamp(1, 1_000),
            least: 0,
            delivered: Table::default(),
            start: start.map_or_else(OnceLock::new, OnceLock::from),
            start_utc: AtomicI64::new(utc_at(start.unwrap_or_else(Instant::now)).0),
        }
    }

    /// Has its pictures taken by a dome.
    pub(crate) fn dome(mut self) -> Self {
        self.dome = Some(Mutex::new(Dome::new()));
        self
    }

    /// Moves it so, for a second; false where it cannot be moved.
    pub(crate) fn drive(&self, velocity: Velocity) -> bool {
        let dome = self.dome.as_ref().map(|dome| dome.lock().unwrap_or_else(PoisonError::into_inner));
        dome.map(|mut dome| dome.drive(velocity)).is_some()
    }

    /// Can it be moved?
    pub(crate) const fn can_move(&self) -> bool {
        self.dome.is_some()
    }

    /// Sets the bytes that one packet may have, and whether small NAL units may share one.
    pub(crate) fn packets(mut self, mtu: usize, aggregate: bool) -> Self {
        let ssrc = self.ssrc();
        let packetizer = Packetizer::new(self.clip.codec, ssrc, PAYLOAD_TYPE, ssrc as u16, mtu);
        self.packetizer = Mutex::new(packetizer.aggregate(aggregate));
        self
    }

    /// Fills its pictures up so that it sends so many bits a second, or more.
    pub(crate) fn fill(mut self, bits: u32) -> Self {
        self.least = usize::try_from(bits / 8 / self.rate).unwrap_or(0);
        self
    }

    /// Microseconds from one picture to the next.
    fn step(&self) -> i64 {
        1_000_000 / i64::from(self.rate)
    }

    /// The stream's SSRC.
    pub(crate) fn ssrc(&self) -> u32 {
        self.packetizer.lock().unwrap_or_else(PoisonError::into_inner).ssrc()
    }

    /// Its session description.
    pub(crate) fn description(&self) -> Description {
        let sets = &self.clip.parameters;
        let nals: Vec<Bytes> =
            sets.vps().chain(sets.sps()).chain(sets.pps()).map(|(_, nal)| nal.clone()).collect();
        Description::live(&self.name).with_video(self.clip.codec, PAYLOAD_TYPE, &nals)
    }

    /// Ticks from one picture to the next.
    pub(crate) fn ticks(&self) -> u32 {
        90_000 / self.rate
    }

    /// Whatever is sent from now on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Sent> {
        self.sent.subscribe()
    }

    /// A sender report for now, as an RTCP compound.
    pub(crate) fn sender_report(&self) -> Vec<u8> {
        let elapsed = self.start.get().map_or(0, |start| since(*start));
        let ticks = Ticks::from_micros(elapsed);
        let utc = UtcMicros(self.start_utc.load(Relaxed)).plus(elapsed);
        let report = self
            .packetizer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .sender_report(NtpTime::from_utc(utc), self.first_timestamp.wrapping_add(ticks as u32));
        rtcp::sender_compound(&report, &self.name)
    }

    /// Plays the clip for ever, each picture at its time.
    pub(crate) async fn play(self: Arc<Self>) {
        while self.start.get().is_none() && self.sent.receiver_count() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let start = *self.start.get_or_init(Instant::now);
        for index in 0_u64.. {
            let due = Duration::from_micros((index + u64::from(self.clip.delay)) * self.step() as u64);
            sleep_until(start + due).await;
            self.follow_clock(start);
            // A stalled machine catches up in a burst, as a camera's encoder does.
            self.send(index);
        }
    }

    /// Steps with the system's clock where that was set, or has drifted off.
    fn follow_clock(&self, start: Instant) {
        let start = utc_at(start).0;
        if (start - self.start_utc.load(Relaxed)).abs() > DRIFT {
            self.start_utc.store(start, Relaxed);
        }
    }

    fn send(&self, index: u64) {
        let length = self.clip.len();
        let place = (index % length) as usize;
        let taken = self
            .dome
            .as_ref()
            .map(|dome| dome.lock().unwrap_or_else(PoisonError::into_inner).take(place as u32));
        let Some(picture) = taken.as_ref().or_else(|| self.clip.pictures.get(place)) else { return };
        let round = index / length;
        let place = round * length + u64::from(picture.number);
        let utc = UtcMicros(self.start_utc.load(Relaxed)).plus(place as i64 * self.step());
        let shown = Picture { round: round as u32, number: picture.number, utc };
        if *self.outage.borrow() != Outage::None {
            return;
        }
        let unit = picture.stamped(self.clip.codec, shown.round, utc, self.least);
        let timestamp = self.first_timestamp.wrapping_add((place * u64::from(self.ticks())) as u32);
        let mut packets = BytesMut::with_capacity(unit.len() + unit.len() / 32 + 256);
        self.packetizer.lock().unwrap_or_else(PoisonError::into_inner).packetize(
            &unit,
            timestamp,
            Framing::Interleaved(0),
            &mut packets,
        );
        // Written before it is sent: who has the picture finds it in the table.
        self.table.push(shown);
        if let Some(file) = &self.file
            && let Err(error) = file.write(&self.name, shown)
        {
            tracing::warn!(camera = self.name, %error, "the table cannot be written");
        }
        // Without viewers there is nobody to send to.
        let _ = self.sent.send(Sent { packets: packets.freeze(), key: picture.key, unit, timestamp, shown });
    }
}

//! The thread that listens to the camera, and tells the host.

use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt as _;
use vigie::fault::Fault as _;
use vigie::timeline::UtcSource;
use vigie_net::inbox::{Inbox, Message};
use vigie_net::{Camera, Event};

use super::config::{Host, Job};
use super::event::{VigieRecorderEvent, VigieRecorderEventKind as K};
use super::keeper::Kept;
use super::{Shared, lock};
use crate::VigieResult;
use crate::error::Place;
use crate::session::VigieHealth;
use crate::store::cause;

/// How often what the disk's thread has done is looked at.
const TICK: Duration = Duration::from_millis(500);
/// Ticks between two words of the camera's health.
const HEALTH: u32 = 10;

/// One recording as it is told to the host.
pub(super) struct Watch {
    host: Host,
    shared: Arc<Shared>,
    inbox: Arc<Inbox>,
    seen: Kept,
}

fn blank(kind: K) -> VigieRecorderEvent {
    VigieRecorderEvent {
        struct_size: size_of::<VigieRecorderEvent>(),
        kind: kind as i32,
        cause: 0,
        code: 0,
        reserved: 0,
        number: 0,
        text: std::ptr::null(),
        health: std::ptr::null(),
    }
}

impl Watch {
    pub(super) fn new(host: Host, shared: Arc<Shared>, inbox: Arc<Inbox>) -> Self {
        Self { host, shared, inbox, seen: Kept::default() }
    }

    /// Until the host stops it.
    pub(super) async fn follow(&mut self, job: Job) {
        let mut camera = Camera::connect(job.address.url, job.options);
        let (mut tick, mut ticks) = (tokio::time::interval(TICK), 0_u32);
        let mut stopping = false;
        let shared = Arc::clone(&self.shared);
        loop {
            tokio::select! {
                biased;
                () = shared.stop.notified(), if !stopping => {
                    stopping = true;
                    camera.stop();
                }
                _ = tick.tick() => {
                    self.look();
                    if !stopping && shared.panicked.load(Ordering::Relaxed) {
                        // Nobody writes any more: better ended, and told, than a camera watched for nothing.
                        stopping = true;
                        let text = "a thread of the recorder has panicked";
                        lock(&shared.told).fail(VigieResult::Panic, Place::default(), text);
                        camera.stop();
                    }
                    ticks = ticks.wrapping_add(1);
                    if ticks.is_multiple_of(HEALTH) && lock(&self.shared.connections).connected {
                        let health = VigieHealth::of(&camera.health());
                        self.host.event(&VigieRecorderEvent { health: &raw const health, ..blank(K::Health) });
                    }
                }
                event = camera.next() => match event {
                    Some(event) => self.take(event),
                    None => break,
                }
            }
        }
        lock(&self.shared.connections).connected = false;
    }

    fn tell(&self, event: VigieRecorderEvent, text: &str) {
        let text = CString::new(text).unwrap_or_default();
        self.host.event(&VigieRecorderEvent { text: text.as_ptr(), ..event });
    }

    /// What is dropped for it, the disk's thread tells.
    fn push(&self, message: Message) {
        self.inbox.push(message);
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::AccessUnit(unit) => self.push(Message::Picture(unit)),
            Event::Picture(unit) => self.push(Message::Plain(unit.into())),
            Event::SenderReport { report, .. } => self.push(Message::Report(report)),
            Event::Anchor { source, timestamp, utc } => self.push(Message::Anchor(source, timestamp, utc)),
            Event::Discontinuity => self.push(Message::Discontinuity),
            Event::Connecting { attempt } => {
                self.host.event(&VigieRecorderEvent { number: attempt.into(), ..blank(K::Connecting) });
            }
            Event::Playing(playing) => {
                lock(&self.shared.connections).connected = true;
                let start = playing.range.and_then(|range| range.clock_start());
                let timestamp = playing.rtp_info.and_then(|info| info.rtptime);
                if let (Some(utc), Some(timestamp)) = (start, timestamp) {
                    self.push(Message::Anchor(UtcSource::RangeClock, timestamp, utc));
                }
                self.host.event(&blank(K::Playing));
            }
            Event::Quirk(quirk) => self.tell(blank(K::Quirk), quirk.name()),
            Event::Disconnected { error, retry_in } => {
                self.push(Message::Interrupted(error.cause, error.code().0));
                {
                    let mut connections = lock(&self.shared.connections);
                    connections.gaps += u64::from(std::mem::take(&mut connections.connected));
                }
                let place = match error.kind {
                    vigie_net::Kind::Session(error) => Place {
                        offset: Some(error.at.rtsp_offset.0),
                        packet: None,
                        cseq: Some(error.at.cseq),
                    },
                    _ => Place::default(),
                };
                lock(&self.shared.told).fault(VigieResult::Session, place, &error);
                let micros = retry_in.unwrap_or_default().as_micros();
                let event = VigieRecorderEvent {
                    cause: cause(error.cause),
                    code: error.code().0.into(),
                    number: u64::try_from(micros).unwrap_or(u64::MAX),
                    ..blank(K::Disconnected)
                };
                self.tell(event, &error.to_string());
            }
            _ => {}
        }
    }

    /// What the disk's thread has done.
    fn look(&mut self) {
        let kept = lock(&self.shared.kept).clone();
        let seen = std::mem::replace(&mut self.seen, kept);
        let kept = &self.seen;
        if kept.synced != seen.synced {
            self.host.event(&VigieRecorderEvent { number: kept.synced, ..blank(K::Synced) });
        }
        if kept.dropped != seen.dropped {
            lock(&self.shared.connections).gaps += 1;
            let number = kept.dropped.saturating_sub(seen.dropped);
            self.host.event(&VigieRecorderEvent { number, ..blank(K::Dropped) });
        }
        match (&kept.failure, &seen.failure) {
            (Some(error), None) => {
                lock(&self.shared.connections).gaps += 1;
                lock(&self.shared.told).fault(VigieResult::Storage, Place::default(), error);
                let event = VigieRecorderEvent { code: error.code().0.into(), ..blank(K::StoreFailed) };
                self.tell(event, &error.to_string());
            }
            (None, Some(_)) => self.host.event(&blank(K::StoreBack)),
            _ => {}
        }
        if let Some(text) = kept.retained.as_ref().filter(|_| kept.retained != seen.retained) {
            self.tell(blank(K::Retention), text);
        }
    }

    /// All is over; what the recording ends with.
    pub(super) fn end(&mut self) -> VigieResult {
        self.look();
        let result = if self.seen.failure.is_some() { VigieResult::Storage } else { VigieResult::Ok };
        self.host.event(&blank(K::Stopped));
        result
    }
}

//! One camera's recording, on a thread of its own: a disk that is slow or dead holds up neither viewers nor other
//! cameras, and this one only as far as its queue is long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use vigie::depacket::{AccessUnit, RandomAccess};
use vigie::record::Passes;
use vigie::rtp::rtcp::SenderReport;
use vigie::store::retain::Outcome;
use vigie::store::{Cause, Error, FileStorage, Source};
use vigie::time::UtcMicros;
use vigie::timeline::UtcSource;

use crate::camera::Camera;
use crate::clock;

/// Orders that wait: pictures of half a minute.
const ORDERS: usize = 1_024;

/// Bytes of pictures that wait.
const BYTES: usize = 64 << 20;

/// A store that cannot be opened is tried again so often.
const AGAIN: Duration = Duration::from_secs(5);

/// Deletes what is expired of a camera, when it is time.
fn retain(recording: &mut Recording, source: &Source, passes: &mut Passes) {
    let trusted = std::path::Path::new("/run/systemd/timesync/synchronized").exists();
    match passes.handle_timeout(recording, clock::now(), clock::utc(), trusted) {
        Some(Err(error)) => tracing::error!(camera = %source, %error, "what is expired was not deleted"),
        Some(Ok(Outcome { brake: Some(brake), .. })) => {
            tracing::warn!(camera = %source, brake = brake.name(), "a brake keeps what is expired: see `vigie retain --dry-run`");
        }
        _ => {}
    }
}

type Recording = vigie::record::Recorder<FileStorage>;

/// What the recorder is told. Dropping it ends the recording in order.
#[derive(Debug)]
pub(crate) struct Recorder {
    camera: Arc<Camera>,
    orders: SyncSender<Order>,
    waiting: Arc<AtomicUsize>,
    /// The queue was full: nothing is recorded until decoding can start again.
    skipping: bool,
}

/// The thread behind a [`Recorder`].
#[derive(Debug)]
pub(crate) struct Thread {
    /// Whether the store could be opened, once that is known.
    pub(crate) opened: oneshot::Receiver<Result<(), Error>>,
    /// To be waited for when the recorder was dropped.
    pub(crate) handle: JoinHandle<()>,
}

enum Order {
    Picture(AccessUnit),
    Report(SenderReport),
    Anchor(UtcSource, u32, UtcMicros),
    Interrupted(Cause, u16),
}

impl Recorder {
    /// Starts the thread, which opens the camera's part of the store and makes whole what a crash left there.
    pub(crate) fn start(
        camera: Arc<Camera>,
        store: FileStorage,
        source: Source,
    ) -> std::io::Result<(Self, Thread)> {
        let (orders, received) = sync_channel(ORDERS);
        let (tell, opened) = oneshot::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let work = Work { camera: camera.clone(), orders: received, waiting: waiting.clone() };
        let builder = std::thread::Builder::new().name(format!("rec {source}"));
        let handle = builder.spawn(move || work.run(store, source, tell))?;
        Ok((Self { camera, orders, waiting, skipping: false }, Thread { opened, handle }))
    }

    /// Records a picture. One that finds no room is lost, and so are those that cannot be decoded without it.
    pub(crate) fn picture(&mut self, unit: &AccessUnit) {
        let size = unit.data.len();
        let room = self.waiting.load(Ordering::Relaxed).saturating_add(size) <= BYTES;
        let start = unit.random_access.is_some_and(RandomAccess::starts_gop);
        if self.skipping && room && start {
            self.skipping = !self.order(Order::Interrupted(Cause::Storage, 0));
        }
        if !self.skipping && room {
            self.waiting.fetch_add(size, Ordering::Relaxed);
            if self.order(Order::Picture(unit.clone())) {
                return;
            }
            self.waiting.fetch_sub(size, Ordering::Relaxed);
        }
        self.skipping = true;
        self.camera.status().unrecorded += 1;
    }

    /// The camera said what its clock shows.
    pub(crate) fn report(&self, report: SenderReport) {
        self.order(Order::Report(report));
    }

    /// Another source said which moment an RTP timestamp is.
    pub(crate) fn anchor(&self, source: UtcSource, timestamp: u32, utc: UtcMicros) {
        self.order(Order::Anchor(source, timestamp, utc));
    }

    /// The camera went away: why, and the number of the error behind it.
    pub(crate) fn interrupted(&mut self, cause: Cause, code: u16) {
        if !self.order(Order::Interrupted(cause, code)) {
            self.skipping = true;
        }
    }

    fn order(&self, order: Order) -> bool {
        self.orders.try_send(order).is_ok()
    }
}

struct Work {
    camera: Arc<Camera>,
    orders: Receiver<Order>,
    waiting: Arc<AtomicUsize>,
}

impl Work {
    fn run(self, store: FileStorage, source: Source, tell: oneshot::Sender<Result<(), Error>>) {
        let mut passes = Passes::new(clock::now());
        let Some(mut recording) = self.open(&store, &source, tell, &mut passes) else { return };
        loop {
            let due = recording.poll_timeout();
            let wait = due.map_or(AGAIN, |due| {
                clock::instant(due).into_std().saturating_duration_since(Instant::now())
            });
            let wait = wait.min(AGAIN);
            let done = match self.orders.recv_timeout(wait) {
                Ok(order) => self.obey(&mut recording, order),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let now = clock::now();
            let due = recording.poll_timeout().is_some_and(|due| due <= now);
            let synced = if due { recording.handle_timeout(now) } else { Ok(()) };
            self.tell(&recording, done.and(synced));
            retain(&mut recording, &source, &mut passes);
        }
        if let Err(error) = recording.finish(clock::now()) {
            tracing::error!(camera = %source, %error, "the recording did not end in order");
        }
    }

    /// Tries until the store is open; what comes in the meantime is not recorded. `None`: the centre ends.
    fn open(
        &self,
        store: &FileStorage,
        source: &Source,
        tell: oneshot::Sender<Result<(), Error>>,
        passes: &mut Passes,
    ) -> Option<Recording> {
        let mut tell = Some(tell);
        loop {
            let config = vigie::record::RecorderConfig::default();
            let mut opened = Recording::open(store.clone(), *source, config, clock::now(), clock::utc());
            if let Ok((recording, _)) = &mut opened {
                // What is expired goes before anything is served or written.
                retain(recording, source, passes);
            }
            if let Some(tell) = tell.take() {
                // Nobody waits any more where another camera's store could not be opened.
                let _ = tell.send(opened.as_ref().map(drop).map_err(|error| *error));
            }
            match opened {
                Ok((recording, _)) => return Some(recording),
                Err(error) => {
                    tracing::error!(camera = %source, %error, "the store cannot be opened");
                    self.camera.status().storage = Some(error.to_string());
                }
            }
            let until = Instant::now() + AGAIN;
            loop {
                match self.orders.recv_timeout(until.saturating_duration_since(Instant::now())) {
                    Ok(order) => self.forget(&order),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return None,
                }
            }
        }
    }

    fn forget(&self, order: &Order) {
        if let Order::Picture(unit) = order {
            self.waiting.fetch_sub(unit.data.len(), Ordering::Relaxed);
            self.camera.status().unrecorded += 1;
        }
    }

    fn obey(&self, recording: &mut Recording, order: Order) -> Result<(), Error> {
        let now = clock::now();
        match order {
            Order::Picture(unit) => {
                self.waiting.fetch_sub(unit.data.len(), Ordering::Relaxed);
                recording.clocks(now, clock::utc());
                recording.push(now, unit)
            }
            Order::Report(report) => {
                recording.sender_report(report);
                Ok(())
            }
            Order::Anchor(source, timestamp, utc) => {
                recording.anchor(source, timestamp, utc);
                Ok(())
            }
            Order::Interrupted(cause, code) => recording.interrupted(now, cause, code),
        }
    }

    /// Shows what became of it.
    fn tell(&self, recording: &Recording, done: Result<(), Error>) {
        let mut status = self.camera.status();
        let stats = recording.stats();
        if stats.store.fragments > status.recorded.store.fragments {
            status.storage = None;
        }
        if let Err(error) = done {
            tracing::error!(camera = %self.camera.id, tenant = %self.camera.tenant, %error, "not recorded");
            status.storage = Some(error.to_string());
        }
        status.recorded = stats;
    }
}

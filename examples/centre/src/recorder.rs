//! One camera's recording, on a thread of its own: a disk that is slow or dead holds up neither viewers nor other
//! cameras, and this one only as far as its queue is long.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use vigie::depacket::AccessUnit;
use vigie::record::Budget;
use vigie::rtp::rtcp::SenderReport;
use vigie::store::retain::Outcome;
use vigie::store::{Cause, Error, Kind, Source};
use vigie::time::UtcMicros;
use vigie::timeline::UtcSource;
use vigie_cli::stores::{Passes, Places, Written, is_synchronised};
use vigie_net::inbox::{self, Inbox, Message, Received};

use crate::camera::Camera;
use crate::clock;

/// A store that cannot be opened is tried again so often.
const AGAIN: Duration = Duration::from_secs(5);

type Recording = vigie::record::Recorder<Written>;

/// What the recorder is told. Dropping it ends the recording in order.
#[derive(Debug)]
pub(crate) struct Recorder {
    camera: Arc<Camera>,
    inbox: Arc<Inbox>,
}

/// The thread behind a [`Recorder`].
#[derive(Debug)]
pub(crate) struct Thread {
    /// Whether the store could be opened, once that is known.
    pub(crate) opened: oneshot::Receiver<Result<(), Error>>,
    /// To be waited for when the recorder was dropped.
    pub(crate) handle: JoinHandle<()>,
}

impl Recorder {
    /// Starts the thread, which opens the camera's part of the store and makes whole what a crash left there. `budget` is what may
    /// wait of all cameras together.
    pub(crate) fn start(
        camera: Arc<Camera>,
        places: Places,
        source: Source,
        budget: Arc<Budget>,
    ) -> std::io::Result<(Self, Thread)> {
        let inbox = Arc::new(Inbox::new(budget));
        let (tell, opened) = oneshot::channel();
        let work = Work { camera: camera.clone(), inbox: inbox.clone(), places, source };
        let builder = std::thread::Builder::new().name(format!("rec {source}"));
        let handle = builder.spawn(move || work.run(tell))?;
        Ok((Self { camera, inbox }, Thread { opened, handle }))
    }

    /// Records a picture. While the disk is too slow, whole GOPs are dropped, the oldest first.
    pub(crate) fn picture(&self, unit: &AccessUnit) {
        let dropped = self.inbox.push(Message::Picture(unit.clone()));
        if dropped > 0 {
            self.camera.status().dropped = dropped;
        }
    }

    /// The camera said what its clock shows.
    pub(crate) fn report(&self, report: SenderReport) {
        self.inbox.push(Message::Report(report));
    }

    /// Another source said which moment an RTP timestamp is.
    pub(crate) fn anchor(&self, source: UtcSource, timestamp: u32, utc: UtcMicros) {
        self.inbox.push(Message::Anchor(source, timestamp, utc));
    }

    /// Timestamps of what follows do not continue those before.
    pub(crate) fn discontinuity(&self) {
        self.inbox.push(Message::Discontinuity);
    }

    /// The camera went away: why, and the number of the error behind it.
    pub(crate) fn interrupted(&self, cause: Cause, code: u16) {
        self.inbox.push(Message::Interrupted(cause, code));
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

struct Work {
    camera: Arc<Camera>,
    inbox: Arc<Inbox>,
    places: Places,
    source: Source,
}

impl Work {
    fn run(self, tell: oneshot::Sender<Result<(), Error>>) {
        let mut passes = Passes::new(clock::now());
        let Some((mut volume, mut recording)) = self.open(tell, &mut passes) else { return };
        loop {
            let due = recording.poll_timeout();
            let wait = due.map_or(AGAIN, |due| {
                clock::instant(due).into_std().saturating_duration_since(Instant::now())
            });
            let wait = wait.min(AGAIN);
            let received = self.inbox.pull(wait);
            let now = clock::now();
            recording.clocks(now, clock::utc());
            let done = match received {
                Received::Message(message) => message.tell(&mut recording, now),
                Received::Dropped(_) => inbox::dropped(&mut recording, now),
                Received::Nothing => Ok(()),
                Received::Closed => break,
            };
            let now = clock::now();
            let due = recording.poll_timeout().is_some_and(|due| due <= now);
            let synced = if due { recording.handle_timeout(now) } else { Ok(()) };
            self.tell(&recording);
            if let Err(error) = done.and(synced) {
                self.failed(&error);
                self.go_elsewhere(&mut recording, &mut volume, error.kind);
            }
            self.retain(&mut recording, volume, &mut passes);
        }
        if let Err(error) = recording.finish(clock::now()) {
            tracing::error!(camera = %self.source, %error, "the recording did not end in order");
        }
    }

    /// The volume has failed: to another one, if there is one.
    fn go_elsewhere(&self, recording: &mut Recording, volume: &mut usize, why: Kind) {
        let Ok((other, storage)) = self.places.instead(self.source, *volume, why) else { return };
        if other == *volume {
            return;
        }
        match recording.move_to(storage, clock::now()) {
            Ok(_) => {
                let root = self.places.stores().roots().get(other).map(|root| root.display().to_string());
                tracing::warn!(camera = %self.source, to = root, "recorded to another volume from now on");
                *volume = other;
            }
            Err(error) => self.failed(&error),
        }
    }

    /// Deletes what is expired, when it is time: on the volume that the camera is recorded to, then on the others.
    fn retain(&self, recording: &mut Recording, volume: usize, passes: &mut Passes) {
        let (on, clocks) = ((&self.places, volume), (clock::now(), clock::utc()));
        for passed in passes.handle_timeout(recording, on, clocks, is_synchronised()) {
            match passed {
                Err(error) => {
                    tracing::error!(camera = %self.source, %error, "what is expired was not deleted");
                }
                Ok(Outcome { brake: Some(brake), .. }) => {
                    let brake = brake.name();
                    tracing::warn!(camera = %self.source, brake, "a brake keeps what is expired: see `vigie retain --dry-run`");
                }
                Ok(_) => {}
            }
        }
    }

    /// Tries until the store is open; what comes in the meantime is not recorded. `None`: the centre ends.
    fn open(
        &self,
        tell: oneshot::Sender<Result<(), Error>>,
        passes: &mut Passes,
    ) -> Option<(usize, Recording)> {
        let mut tell = Some(tell);
        loop {
            let config = vigie::record::RecorderConfig::default();
            let mut opened = self.places.place(self.source).and_then(|(volume, storage)| {
                let opened = Recording::open(storage, self.source, config, clock::now(), clock::utc())?;
                Ok((volume, opened.0))
            });
            if let Ok((volume, recording)) = &mut opened {
                // What is expired goes before anything is served or written.
                self.retain(recording, *volume, passes);
            }
            if let Some(tell) = tell.take() {
                // Nobody waits any more where another camera's store could not be opened.
                let _ = tell.send(opened.as_ref().map(drop).map_err(|error| *error));
            }
            match opened {
                Ok(opened) => return Some(opened),
                Err(error) => {
                    tracing::error!(camera = %self.source, %error, "the store cannot be opened");
                    self.camera.status().storage = Some(error.to_string());
                }
            }
            let until = Instant::now() + AGAIN;
            loop {
                match self.inbox.pull(until.saturating_duration_since(Instant::now())) {
                    Received::Message(message) if message.is_media() => self.camera.status().unrecorded += 1,
                    Received::Closed => return None,
                    Received::Nothing if Instant::now() >= until => break,
                    _ => {}
                }
            }
        }
    }

    fn failed(&self, error: &Error) {
        tracing::error!(camera = %self.source, %error, "not recorded");
        self.camera.status().storage = Some(error.to_string());
    }

    /// Shows what became of it.
    fn tell(&self, recording: &Recording) {
        let mut status = self.camera.status();
        let stats = recording.stats();
        if stats.store.fragments > status.recorded.store.fragments {
            status.storage = None;
        }
        status.recorded = stats;
    }
}

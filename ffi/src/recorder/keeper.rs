//! The thread that writes: a disk that is slow for a moment must not keep the camera waiting.

use std::sync::Arc;
use std::time::Duration;

use vigie::limits::Limits;
use vigie::record::{Passes, Recorder, RecorderConfig};
use vigie::store::{self, Options, Source, Storage};
use vigie_net::Clock;
use vigie_net::inbox::{Inbox, Received, dropped};

use super::{Shared, lock};

/// What was kept so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) pictures: u64,
    pub(crate) bytes: u64,
    pub(crate) files: u64,
    pub(crate) fragments: u64,
    pub(crate) synced: u64,
    /// Pictures dropped since the disk was too slow.
    pub(crate) dropped: u64,
    /// What there is to say of the last pass that deleted what was expired, or did not.
    pub(crate) retained: Option<String>,
    /// Why nothing is kept at present. The recorder tries again by itself.
    pub(crate) failure: Option<store::Error>,
}

/// What the disk's thread works on.
pub(super) struct Work {
    recorder: Recorder<Box<dyn Storage + Send>>,
    passes: Passes,
    clock: Clock,
    shared: Arc<Shared>,
    dropped: u64,
}

impl Work {
    /// Opens the camera's part of the store, makes whole what a crash has left there, and deletes what is expired.
    pub(super) fn open(
        storage: Box<dyn Storage + Send>,
        source: Source,
        clock: Clock,
        limits: Limits,
        rpo: u64,
        shared: Arc<Shared>,
    ) -> Result<Self, store::Error> {
        let (now, utc) = (clock.now(), clock.utc());
        let config = RecorderConfig::default().limits(limits).store(Options::default().rpo(rpo));
        let (recorder, _) = Recorder::open(storage, source, config, now, utc)?;
        Ok(Self { recorder, passes: Passes::new(now), clock, shared, dropped: 0 })
    }

    /// Until nothing more comes.
    pub(super) fn run(mut self, inbox: &Inbox) {
        self.retain();
        loop {
            let now = self.clock.now();
            let due = self.recorder.poll_timeout();
            if due.is_some_and(|due| due <= now) {
                let done = self.recorder.handle_timeout(now);
                self.count(done);
            }
            self.retain();
            let due = due.map_or(self.passes.poll_timeout(), |due| due.min(self.passes.poll_timeout()));
            // Where a crash has left much to make whole, that is done while nothing else is to do.
            let behind = self.recorder.is_behind().then_some(Duration::ZERO);
            let received = inbox.pull(behind.unwrap_or(Duration::from_micros(due.since(now))));
            let now = self.clock.now();
            self.recorder.clocks(now, self.clock.utc());
            let done = match received {
                Received::Message(message) => message.tell(&mut self.recorder, now),
                Received::Dropped(pictures) => {
                    self.dropped += pictures;
                    dropped(&mut self.recorder, now)
                }
                Received::Nothing => {
                    // What fails is tried again; recording is not concerned.
                    let _ = self.recorder.catch_up();
                    continue;
                }
                Received::Closed => break,
            };
            self.count(done);
        }
        let done = self.recorder.finish(self.clock.now());
        self.count(done);
    }

    /// Deletes what is expired, when it is time.
    fn retain(&mut self) {
        let (now, utc) = (self.clock.now(), self.clock.utc());
        if now < self.passes.poll_timeout() {
            return;
        }
        // Does the system say that its clock is right?
        let trusted = std::path::Path::new("/run/systemd/timesync/synchronized").exists();
        let text = match self.passes.handle_timeout(&mut self.recorder, now, utc, trusted) {
            None => return,
            Some(Ok(outcome)) => match (outcome.brake, outcome.damaged) {
                (Some(brake), _) => Some(format!("what is expired was not deleted ({})", brake.name())),
                (None, 0) => None,
                (None, _) => Some("a held fragment is damaged; its file was left whole".to_owned()),
            },
            Some(Err(error)) => Some(format!("what is expired cannot be deleted: {error}")),
        };
        lock(&self.shared.kept).retained = text;
    }

    fn count(&self, done: Result<(), store::Error>) {
        let stats = self.recorder.stats();
        let mut kept = lock(&self.shared.kept);
        let failure = match done {
            Err(error) => Some(error),
            // It failed, and has kept something since.
            Ok(()) if stats.store.fragments > kept.fragments => None,
            Ok(()) => kept.failure.take(),
        };
        *kept = Kept {
            pictures: stats.pictures,
            bytes: stats.store.bytes,
            files: stats.store.files,
            fragments: stats.store.fragments,
            synced: stats.store.synced,
            dropped: self.dropped,
            retained: kept.retained.take(),
            failure,
        };
    }
}

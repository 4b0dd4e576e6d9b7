//! The thread that writes: a disk that is slow for a moment must not keep the camera waiting.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use vigie::limits::Limits;
use vigie::record::{Recorder, RecorderConfig};
use vigie::store::journal;
use vigie::store::retain::Outcome;
use vigie::store::{self, Options, Source};
use vigie_net::Clock;
use vigie_net::inbox::{Inbox, Message, Received, dropped};

use crate::commands::retain::braked;
use crate::explain;
use crate::failure::Failure;
use crate::stores::{Passes, Places, Written, is_synchronised};

/// What was kept so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub(super) pictures: u64,
    pub(super) bytes: u64,
    pub(super) files: u64,
    pub(super) fragments: u64,
    pub(super) synced: u64,
    /// Pictures dropped since the disk was too slow.
    pub(super) dropped: u64,
    /// What there is to say of the last pass that deleted what was expired, or did not.
    pub(super) retained: Option<String>,
    /// Why nothing is kept at present. The recorder tries again by itself.
    pub(super) failure: Option<Failure>,
}

/// The recorder on a thread of its own.
pub(super) struct Keeper {
    inbox: Arc<Inbox>,
    kept: Arc<Mutex<Kept>>,
    thread: JoinHandle<Result<(), Failure>>,
}

impl Keeper {
    /// Opens the camera's part of the store, and makes whole what a crash has left there.
    pub(super) async fn open(
        places: Places,
        source: Source,
        clock: Clock,
        limits: Limits,
        rpo: Duration,
    ) -> Result<Self, Failure> {
        let inbox = Arc::new(Inbox::new(Inbox::budget(1)));
        let messages = Arc::clone(&inbox);
        let (opened, ready) = oneshot::channel();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = Arc::clone(&kept);
        let thread = tokio::task::spawn_blocking(move || {
            let name = places.stores().name();
            let failed = |error: store::Error| explain::store("record into", &name, &error);
            places.stores().make()?;
            let (volume, storage) = places.place(source).map_err(failed)?;
            let (now, utc) = (clock.now(), clock.utc());
            let dial = Options::default().rpo(u64::try_from(rpo.as_micros()).unwrap_or(u64::MAX));
            let config = RecorderConfig::default().limits(limits).store(dial);
            let (mut recorder, _) = Recorder::open(storage, source, config, now, utc).map_err(failed)?;
            // What is expired goes before anything is written.
            let mut passes = Passes::new(now);
            let on = (&places, volume);
            let first = passes.handle_timeout(&mut recorder, on, (now, utc), is_synchronised());
            let inbox = &messages;
            let work =
                Work { recorder, inbox, clock, kept: shared, places, volume, dropped: 0, source, passes };
            work.retained(first);
            let _ = opened.send(());
            work.run();
            Ok(())
        });
        if ready.await.is_ok() {
            return Ok(Self { inbox, kept, thread });
        }
        match join(thread).await {
            Err(failure) => Err(failure),
            Ok(()) => Err(ended()),
        }
    }

    /// Where too much is waiting already, the oldest of it is dropped.
    pub(super) fn send(&self, message: Message) {
        // A thread that is gone has failed; `finish` says why.
        self.inbox.push(message);
    }

    pub(super) fn kept(&self) -> Kept {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what is at hand, syncs, and ends the recording in order.
    ///
    /// # Errors
    /// The store failed, and has not come back.
    pub(super) async fn finish(self) -> Result<Kept, Failure> {
        let Self { inbox, kept, thread } = self;
        inbox.close();
        join(thread).await?;
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match kept.failure {
            Some(failure) => Err(failure),
            None => Ok(kept),
        }
    }
}

async fn join(thread: JoinHandle<Result<(), Failure>>) -> Result<(), Failure> {
    thread.await.unwrap_or_else(|_| Err(ended()))
}

fn ended() -> Failure {
    Failure::new("the recorder ended by itself", "report it, with what was printed before")
}

struct Work<'a> {
    recorder: Recorder<Written>,
    inbox: &'a Inbox,
    clock: Clock,
    kept: Arc<Mutex<Kept>>,
    places: Places,
    /// Which of them it is recorded to.
    volume: usize,
    dropped: u64,
    source: Source,
    passes: Passes,
}

impl Work<'_> {
    /// Until nothing more comes.
    fn run(mut self) {
        loop {
            let now = self.clock.now();
            let due = self.recorder.poll_timeout();
            if due.is_some_and(|due| due <= now) {
                let done = self.recorder.handle_timeout(now);
                self.count(done);
            }
            let (on, clocks) = ((&self.places, self.volume), (now, self.clock.utc()));
            let passed = self.passes.handle_timeout(&mut self.recorder, on, clocks, is_synchronised());
            self.retained(passed);
            let due = due.map_or(self.passes.poll_timeout(), |due| due.min(self.passes.poll_timeout()));
            // Where a crash has left much to make whole, that is done while nothing else is to do.
            let behind = self.recorder.is_behind().then_some(Duration::ZERO);
            let wait = behind.unwrap_or(Duration::from_micros(due.since(now)));
            let received = self.inbox.pull(wait);
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

    /// Tells of a pass on all volumes, where there is something to tell.
    fn retained(&self, passed: Vec<Result<Outcome, journal::Error>>) {
        if passed.is_empty() {
            return;
        }
        let text = passed.into_iter().find_map(|passed| match passed {
            Ok(outcome) => match (outcome.brake, outcome.damaged) {
                (Some(brake), _) => Some(braked(&self.source, brake)),
                (None, 0) => None,
                (None, _) => {
                    Some(format!("{}: a held fragment is damaged; its file was left whole", self.source))
                }
            },
            Err(error) => {
                let stores = self.places.stores().name();
                Some(explain::decision("delete what is expired in", &stores, &error).what())
            }
        });
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).retained = text;
    }

    /// Where the volume has failed, the camera goes to another, if there is one.
    fn count(&mut self, done: Result<(), store::Error>) {
        let done = done.or_else(|error| self.go_elsewhere(error));
        let stats = self.recorder.stats();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = match done {
            Err(error) => Some(explain::store("record into", &self.places.stores().name(), &error)),
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

    fn go_elsewhere(&mut self, error: store::Error) -> Result<(), store::Error> {
        let Ok((volume, storage)) = self.places.instead(self.source, self.volume, error.kind) else {
            return Err(error);
        };
        if volume == self.volume || self.recorder.move_to(storage, self.clock.now()).is_err() {
            return Err(error);
        }
        self.volume = volume;
        Ok(())
    }
}

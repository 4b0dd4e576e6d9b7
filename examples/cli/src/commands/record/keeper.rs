//! The thread that writes: a disk that is slow for a moment must not keep the camera waiting.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use vigie::depacket::AccessUnit;
use vigie::fault::Fault as _;
use vigie::limits::Limits;
use vigie::record::{Backlog, Budget, Next, Passes, Recorder, RecorderConfig, Sort};
use vigie::rtp::rtcp::SenderReport;
use vigie::store::journal;
use vigie::store::retain::Outcome;
use vigie::store::{self, Cause, FileStorage, Kind, Options, Source, Storage, Volume};
use vigie::time::UtcMicros;
use vigie::timeline::{PlainUnit, UtcSource};
use vigie_net::Clock;

use crate::commands::retain;
use crate::explain;
use crate::failure::Failure;

/// Bytes that wait while the disk is busy: a minute of 8 Mb/s. After that, whole GOPs are dropped, the oldest first.
const WAITING: usize = 64 << 20;

/// What the recorder is to do.
#[derive(Debug)]
pub(super) enum Message {
    Picture(AccessUnit),
    /// Sound, or a picture without NAL units.
    Plain(PlainUnit),
    Report(SenderReport),
    /// An RTP timestamp, and the UTC that the answer to PLAY gave it.
    Anchor(u32, UtcMicros),
    Interrupted(Cause, u16),
}

impl Message {
    fn sort(&self) -> (Sort, usize) {
        let picture = |starts: bool| if starts { Sort::Start } else { Sort::Continues };
        match self {
            Self::Picture(unit) => (picture(unit.random_access.is_some()), unit.data.len()),
            Self::Plain(unit) => (picture(unit.random_access), unit.data.len()),
            Self::Report(_) => (Sort::Beside, 0),
            Self::Anchor(..) | Self::Interrupted(..) => (Sort::Word, 0),
        }
    }
}

/// What waits between the camera and the disk.
#[derive(Debug)]
struct Inbox {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

#[derive(Debug)]
struct Waiting {
    backlog: Backlog<Message>,
    /// Nothing more comes.
    closed: bool,
}

enum Received {
    Next(Next<Message>),
    /// Nothing came in time.
    Nothing,
    Closed,
}

impl Inbox {
    fn new() -> Self {
        let backlog = Backlog::new(WAITING, Budget::new(WAITING));
        Self { waiting: Mutex::new(Waiting { backlog, closed: false }), more: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, message: Message) {
        let (sort, bytes) = message.sort();
        self.lock().backlog.push(message, bytes, sort);
        self.more.notify_one();
    }

    fn close(&self) {
        self.lock().closed = true;
        self.more.notify_one();
    }

    /// Waits until something comes, at most so long.
    fn pull(&self, wait: Option<Duration>) -> Received {
        let mut waiting = self.lock();
        loop {
            if let Some(next) = waiting.backlog.pop() {
                return Received::Next(next);
            }
            if waiting.closed {
                return Received::Closed;
            }
            waiting = match wait {
                None => self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(wait) => {
                    let (mut waiting, timeout) =
                        self.more.wait_timeout(waiting, wait).unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() {
                        return waiting.backlog.pop().map_or(Received::Nothing, Received::Next);
                    }
                    waiting
                }
            };
        }
    }
}

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
        root: PathBuf,
        source: Source,
        clock: Clock,
        limits: Limits,
        rpo: Duration,
    ) -> Result<Self, Failure> {
        let inbox = Arc::new(Inbox::new());
        let messages = Arc::clone(&inbox);
        let (opened, ready) = oneshot::channel();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = Arc::clone(&kept);
        let thread = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&root).map_err(|e| Failure::file("make the folder", &root, &e))?;
            let failed = |error: store::Error| explain::store("record into", &root, &error);
            let storage = storage(&root).map_err(failed)?;
            let (now, utc) = (clock.now(), clock.utc());
            let dial = Options::default().rpo(u64::try_from(rpo.as_micros()).unwrap_or(u64::MAX));
            let config = RecorderConfig::default().limits(limits).store(dial);
            let (mut recorder, _) = Recorder::open(storage, source, config, now, utc).map_err(failed)?;
            // What is expired goes before anything is written.
            let mut passes = Passes::new(now);
            let first = passes.handle_timeout(&mut recorder, now, utc, retain::is_synchronised());
            let inbox = &messages;
            let work = Work { recorder, inbox, clock, kept: shared, root: &root, dropped: 0, source, passes };
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

/// The store's folder: as the volume that it is, where it is one.
fn storage(root: &Path) -> Result<Box<dyn Storage>, store::Error> {
    let mut files = FileStorage::new(root);
    match Volume::find(&mut files)? {
        Some(mark) => Ok(Box::new(Volume::open(files, Some(mark.id))?)),
        None => Ok(Box::new(files)),
    }
}

struct Work<'a> {
    recorder: Recorder<Box<dyn Storage>>,
    inbox: &'a Inbox,
    clock: Clock,
    kept: Arc<Mutex<Kept>>,
    root: &'a Path,
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
            let utc = self.clock.utc();
            let passed = self.passes.handle_timeout(&mut self.recorder, now, utc, retain::is_synchronised());
            self.retained(passed);
            let due = due.map_or(self.passes.poll_timeout(), |due| due.min(self.passes.poll_timeout()));
            // Where a crash has left much to make whole, that is done while nothing else is to do.
            let behind = self.recorder.is_behind().then_some(Duration::ZERO);
            let wait = behind.or(Some(Duration::from_micros(due.since(now))));
            let received = self.inbox.pull(wait);
            let now = self.clock.now();
            self.recorder.clocks(now, self.clock.utc());
            let done = match received {
                Received::Next(Next::Item(message)) => self.take(message),
                Received::Next(Next::Dropped(dropped)) => {
                    self.dropped += dropped.pictures;
                    let code = store::Error::from(Kind::TooSlow).code();
                    self.recorder.interrupted(now, Cause::Storage, code.0)
                }
                Received::Next(_) => Ok(()),
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

    fn take(&mut self, message: Message) -> Result<(), store::Error> {
        let now = self.clock.now();
        match message {
            Message::Picture(unit) => self.recorder.push(now, unit),
            Message::Plain(unit) => self.recorder.push_plain(now, unit),
            Message::Report(report) => {
                self.recorder.sender_report(report);
                Ok(())
            }
            Message::Anchor(timestamp, utc) => {
                self.recorder.anchor(UtcSource::RangeClock, timestamp, utc);
                Ok(())
            }
            Message::Interrupted(cause, code) => self.recorder.interrupted(now, cause, code),
        }
    }

    /// Tells of a pass, where there is something to tell.
    fn retained(&self, passed: Option<Result<Outcome, journal::Error>>) {
        let text = match passed {
            None => return,
            Some(Ok(outcome)) => match (outcome.brake, outcome.damaged) {
                (Some(brake), _) => Some(retain::braked(&self.source, brake)),
                (None, 0) => None,
                (None, _) => {
                    Some(format!("{}: a held fragment is damaged; its file was left whole", self.source))
                }
            },
            Some(Err(error)) => {
                Some(explain::decision("delete what is expired in", self.root, &error).what())
            }
        };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).retained = text;
    }

    fn count(&self, done: Result<(), store::Error>) {
        let stats = self.recorder.stats();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = match done {
            Err(error) => Some(explain::store("record into", self.root, &error)),
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

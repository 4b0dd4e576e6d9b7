//! The thread that writes: a disk that is slow for a moment must not keep the camera waiting.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use vigie::depacket::AccessUnit;
use vigie::limits::Limits;
use vigie::record::{Recorder, RecorderConfig};
use vigie::rtp::rtcp::SenderReport;
use vigie::store::{self, Cause, FileStorage, Source};
use vigie::time::UtcMicros;
use vigie::timeline::{PlainUnit, UtcSource};
use vigie_net::Clock;

use crate::explain;
use crate::failure::Failure;

/// Messages that wait while the disk is busy: about two seconds of pictures. After that the camera is made to wait.
const WAITING: usize = 64;

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

/// What was kept so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub(super) pictures: u64,
    pub(super) bytes: u64,
    pub(super) files: u64,
    pub(super) fragments: u64,
    pub(super) synced: u64,
    /// Why nothing is kept at present. The recorder tries again by itself.
    pub(super) failure: Option<Failure>,
}

/// The recorder on a thread of its own.
pub(super) struct Keeper {
    messages: mpsc::Sender<Message>,
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
    ) -> Result<Self, Failure> {
        let (messages, inbox) = mpsc::channel(WAITING);
        let (opened, ready) = oneshot::channel();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = Arc::clone(&kept);
        let thread = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&root).map_err(|e| Failure::file("make the folder", &root, &e))?;
            let failed = |error: store::Error| explain::store("record into", &root, &error);
            let storage = FileStorage::new(&root);
            let (now, utc) = (clock.now(), clock.utc());
            let (recorder, _) =
                Recorder::open(storage, source, RecorderConfig::default().limits(limits), now, utc)
                    .map_err(failed)?;
            let _ = opened.send(());
            Work { recorder, inbox, clock, kept: shared, root: &root }.run();
            Ok(())
        });
        if ready.await.is_ok() {
            return Ok(Self { messages, kept, thread });
        }
        match join(thread).await {
            Err(failure) => Err(failure),
            Ok(()) => Err(ended()),
        }
    }

    /// Waits while too much is waiting already.
    pub(super) async fn send(&self, message: Message) {
        // A thread that is gone has failed; `finish` says why.
        let _ = self.messages.send(message).await;
    }

    pub(super) fn kept(&self) -> Kept {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what is at hand, syncs, and ends the recording in order.
    ///
    /// # Errors
    /// The store failed, and has not come back.
    pub(super) async fn finish(self) -> Result<Kept, Failure> {
        let Self { messages, kept, thread } = self;
        drop(messages);
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
    recorder: Recorder<FileStorage>,
    inbox: mpsc::Receiver<Message>,
    clock: Clock,
    kept: Arc<Mutex<Kept>>,
    root: &'a Path,
}

impl Work<'_> {
    /// Until the sender is gone.
    fn run(mut self) {
        let runtime = Handle::current();
        loop {
            let now = self.clock.now();
            let wait = self.recorder.poll_timeout().map(|due| Duration::from_micros(due.since(now)));
            let message = match wait {
                // Due: what waits to be written comes after.
                Some(Duration::ZERO) => None,
                Some(wait) => runtime.block_on(timeout(wait, self.inbox.recv())).ok(),
                None => Some(self.inbox.blocking_recv()),
            };
            let now = self.clock.now();
            self.recorder.clocks(now, self.clock.utc());
            let done = match message {
                Some(Some(Message::Picture(unit))) => self.recorder.push(now, unit),
                Some(Some(Message::Plain(unit))) => self.recorder.push_plain(now, unit),
                Some(Some(Message::Report(report))) => {
                    self.recorder.sender_report(report);
                    Ok(())
                }
                Some(Some(Message::Anchor(timestamp, utc))) => {
                    self.recorder.anchor(UtcSource::RangeClock, timestamp, utc);
                    Ok(())
                }
                Some(Some(Message::Interrupted(cause, code))) => self.recorder.interrupted(now, cause, code),
                Some(None) => break,
                None => self.recorder.handle_timeout(now),
            };
            self.count(done);
        }
        let done = self.recorder.finish(self.clock.now());
        self.count(done);
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
            failure,
        };
    }
}

//! The thread that writes: a disk that is slow for a moment must not keep the camera waiting.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use vigie::depacket::AccessUnit;
use vigie::fault::Fault as _;
use vigie::limits::Limits;
use vigie::record::{Backlog, Budget, Next, Passes, Recorder, RecorderConfig, Sort};
use vigie::rtp::rtcp::SenderReport;
use vigie::store::{self, Cause, Kind, Options, Source, Storage};
use vigie::time::UtcMicros;
use vigie::timeline::{PlainUnit, UtcSource};
use vigie_net::Clock;

use super::{Shared, lock};

/// Bytes that wait while the disk is busy: a minute of 8 Mb/s. After that, whole GOPs are dropped, the oldest first.
const WAITING: usize = 64 << 20;

/// What the recorder is to do.
#[derive(Debug)]
pub(super) enum Message {
    Picture(AccessUnit),
    /// A picture without NAL units.
    Plain(PlainUnit),
    Report(SenderReport),
    /// A source says which UTC an RTP timestamp is.
    Anchor(UtcSource, u32, UtcMicros),
    Discontinuity,
    Interrupted(Cause, u16),
}

impl Message {
    fn sort(&self) -> (Sort, usize) {
        let picture = |starts: bool| if starts { Sort::Start } else { Sort::Continues };
        match self {
            Self::Picture(unit) => (picture(unit.random_access.is_some()), unit.data.len()),
            Self::Plain(unit) => (picture(unit.random_access), unit.data.len()),
            Self::Report(_) => (Sort::Beside, 0),
            Self::Anchor(..) | Self::Discontinuity | Self::Interrupted(..) => (Sort::Word, 0),
        }
    }
}

/// What waits between the camera and the disk.
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

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
    pub(super) fn new() -> Self {
        let backlog = Backlog::new(WAITING, Budget::new(WAITING));
        Self { waiting: Mutex::new(Waiting { backlog, closed: false }), more: Condvar::new() }
    }

    /// Where too much is waiting already, the oldest of it is dropped.
    pub(super) fn push(&self, message: Message) {
        let (sort, bytes) = message.sort();
        lock(&self.waiting).backlog.push(message, bytes, sort);
        self.more.notify_one();
    }

    pub(super) fn close(&self) {
        lock(&self.waiting).closed = true;
        self.more.notify_one();
    }

    /// Waits until something comes, at most so long.
    fn pull(&self, wait: Duration) -> Received {
        let idle = |waiting: &mut Waiting| waiting.backlog.is_empty() && !waiting.closed;
        let waited = self.more.wait_timeout_while(lock(&self.waiting), wait, idle);
        let (mut waiting, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        match waiting.backlog.pop() {
            Some(next) => Received::Next(next),
            None if waiting.closed => Received::Closed,
            None => Received::Nothing,
        }
    }
}

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
            Message::Picture(unit) => return self.recorder.push(now, unit),
            Message::Plain(unit) => return self.recorder.push_plain(now, unit),
            Message::Interrupted(cause, code) => return self.recorder.interrupted(now, cause, code),
            Message::Report(report) => self.recorder.sender_report(report),
            Message::Anchor(source, timestamp, utc) => self.recorder.anchor(source, timestamp, utc),
            Message::Discontinuity => self.recorder.discontinuity(),
        }
        Ok(())
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

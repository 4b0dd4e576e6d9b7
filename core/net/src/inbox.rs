//! What waits between a camera and the thread that writes its recording: bounded, of each camera and of all.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use vigie::depacket::AccessUnit;
use vigie::fault::Fault as _;
use vigie::record::{Backlog, Budget, Next, Recorder, Sort};
use vigie::rtp::rtcp::SenderReport;
use vigie::store::{self, Cause, Kind, Storage};
use vigie::time::{Micros, UtcMicros};
use vigie::timeline::{PlainUnit, UtcSource};

/// Bytes of one camera that wait while the disk is busy: a minute of 8 Mb/s. After that, whole GOPs are dropped, the oldest
/// first.
const WAITING: usize = 64 << 20;

/// What a recorder is to do.
#[derive(Debug)]
pub enum Message {
    /// A picture.
    Picture(AccessUnit),
    /// Sound, or a picture without NAL units.
    Plain(PlainUnit),
    /// What the camera says that its clock shows.
    Report(SenderReport),
    /// An RTP timestamp, and the moment that something else says it is.
    Anchor(UtcSource, u32, UtcMicros),
    /// Timestamps of what follows do not continue those before.
    Discontinuity,
    /// The camera went away: why, and the number of the error behind it.
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

    /// Is it a picture, or sound?
    #[must_use]
    pub const fn is_media(&self) -> bool {
        matches!(self, Self::Picture(_) | Self::Plain(_))
    }

    /// Does it.
    ///
    /// # Errors
    /// The store's; the recorder goes on.
    pub fn tell<S: Storage>(self, recorder: &mut Recorder<S>, now: Micros) -> Result<(), store::Error> {
        match self {
            Self::Picture(unit) => recorder.push(now, unit),
            Self::Plain(unit) => recorder.push_plain(now, unit),
            Self::Report(report) => {
                recorder.sender_report(report);
                Ok(())
            }
            Self::Anchor(source, timestamp, utc) => {
                recorder.anchor(source, timestamp, utc);
                Ok(())
            }
            Self::Discontinuity => {
                recorder.discontinuity();
                Ok(())
            }
            Self::Interrupted(cause, code) => recorder.interrupted(now, cause, code),
        }
    }
}

/// What came out of an [`Inbox`].
#[derive(Debug)]
pub enum Received {
    /// The next message.
    Message(Message),
    /// So many pictures were dropped here, since the disk was too slow.
    Dropped(u64),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

/// Tells the recorder that what came was dropped.
///
/// # Errors
/// The store's; the recorder goes on.
pub fn dropped<S: Storage>(recorder: &mut Recorder<S>, now: Micros) -> Result<(), store::Error> {
    recorder.interrupted(now, Cause::Storage, store::Error::from(Kind::TooSlow).code().0)
}

/// The queue of one camera.
#[derive(Debug)]
pub struct Inbox {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

#[derive(Debug)]
struct Waiting {
    backlog: Backlog<Message>,
    /// Nothing more comes.
    closed: bool,
}

impl Inbox {
    /// An empty one; `budget` is what those of all cameras may hold together.
    #[must_use]
    pub fn new(budget: Arc<Budget>) -> Self {
        let backlog = Backlog::new(WAITING, budget);
        Self { waiting: Mutex::new(Waiting { backlog, closed: false }), more: Condvar::new() }
    }

    /// A budget of so many cameras' worth.
    #[must_use]
    pub fn budget(cameras: usize) -> Arc<Budget> {
        Budget::new(WAITING.saturating_mul(cameras))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives it a message. Where too much is waiting already, the oldest of it is dropped; gives the pictures that were, since the
    /// beginning.
    pub fn push(&self, message: Message) -> u64 {
        let (sort, bytes) = message.sort();
        let mut waiting = self.lock();
        waiting.backlog.push(message, bytes, sort);
        let dropped = waiting.backlog.dropped().pictures;
        drop(waiting);
        self.more.notify_one();
        dropped
    }

    /// Nothing more will come.
    pub fn close(&self) {
        self.lock().closed = true;
        self.more.notify_one();
    }

    /// Waits until something comes, at most so long.
    #[must_use]
    pub fn pull(&self, wait: Duration) -> Received {
        let received = |waiting: &mut Waiting| match waiting.backlog.pop() {
            Some(Next::Item(message)) => Some(Received::Message(message)),
            Some(Next::Dropped(dropped)) => Some(Received::Dropped(dropped.pictures)),
            _ => waiting.closed.then_some(Received::Closed),
        };
        let waiting = self.lock();
        let empty = |waiting: &mut Waiting| waiting.backlog.is_empty() && !waiting.closed;
        let waited = self.more.wait_timeout_while(waiting, wait, empty);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        received(&mut waiting).unwrap_or(Received::Nothing)
    }
}

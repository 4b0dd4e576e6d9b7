//! An address and a store: records one camera, on threads of its own, and reconnects by itself.

mod calls;
mod config;
mod event;
mod keeper;
mod log;
mod watch;

pub use calls::*;
pub use config::{VigieLogLevel, VigieRecorderConfig};
pub use event::{VigieRecorderCounters, VigieRecorderEvent, VigieRecorderEventKind};

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, ThreadId};

use tokio::sync::Notify;

use crate::VigieResult;
use crate::error::Told;
use crate::guard::{Guarded, Tells};
use keeper::Kept;

/// A camera that is being recorded. Calls on it come from any thread, one at a time, also from within its callbacks.
pub struct VigieRecorder(
    #[expect(dead_code, reason = "reached through the handle's pointer")] Guarded<Recorder>,
);

/// What the handle points to.
pub(crate) struct Recorder {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<VigieResult>>,
    /// The threads that callbacks are called on: the camera's and the disk's.
    ids: [ThreadId; 2],
    /// What `stop` answered.
    ended: VigieResult,
    told: Told,
}

/// What the threads tell the handle.
pub(crate) struct Shared {
    pub(crate) kept: Mutex<Kept>,
    pub(crate) told: Mutex<Told>,
    pub(crate) connections: Mutex<Connections>,
    pub(crate) stop: Notify,
    /// A thread has panicked.
    pub(crate) panicked: AtomicBool,
}

/// What the network's thread counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Connections {
    pub(crate) connected: bool,
    pub(crate) gaps: u64,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tells for Recorder {
    fn told(&mut self) -> &mut Told {
        self.told = lock(&self.shared.told).clone();
        &mut self.told
    }

    /// A recorder that is freed while it records: the recording ends in order. Not from a callback, which would outlive it.
    fn end(&mut self) -> VigieResult {
        match self.stop() {
            VigieResult::Order => VigieResult::Order,
            _ => VigieResult::Ok,
        }
    }
}

impl Recorder {
    /// Ends the recording in order; what the threads answer is kept for who asks again.
    fn stop(&mut self) -> VigieResult {
        let Some(thread) = self.thread.take() else { return self.ended };
        if self.ids.contains(&std::thread::current().id()) {
            // It would wait for itself.
            self.thread = Some(thread);
            return VigieResult::Order;
        }
        self.shared.stop.notify_one();
        self.ended = thread.join().unwrap_or(VigieResult::Panic);
        if self.shared.panicked.load(Ordering::Relaxed) {
            self.ended = VigieResult::Panic;
        }
        self.ended
    }

    fn stats(&self) -> VigieRecorderCounters {
        let kept = lock(&self.shared.kept).clone();
        let connections = *lock(&self.shared.connections);
        VigieRecorderCounters {
            struct_size: size_of::<VigieRecorderCounters>(),
            pictures: kept.pictures,
            fragments: kept.fragments,
            synced: kept.synced,
            files: kept.files,
            bytes: kept.bytes,
            dropped: kept.dropped,
            gaps: connections.gaps,
            connected: connections.connected.into(),
            failing: kept.failure.is_some().into(),
        }
    }
}

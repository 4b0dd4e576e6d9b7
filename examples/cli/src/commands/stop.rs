//! Ctrl-C in commands that do not wait, but work: they look between two steps whether they are to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Told by Ctrl-C and SIGTERM.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens from now on, on a thread of its own. Where that cannot be, the signal ends the process as it always does.
    pub(super) fn listen() -> Self {
        let stop = Self::default();
        let told = stop.clone();
        let listen = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(super::until_stopped(None));
                told.0.store(true, Ordering::Relaxed);
            }
        };
        // A thread that waits ends with the process.
        drop(std::thread::Builder::new().name("signals".into()).spawn(listen));
        stop
    }

    /// Was it told?
    pub(super) fn told(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

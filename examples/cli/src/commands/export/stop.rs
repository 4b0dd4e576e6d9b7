//! Ctrl-C while files are being written: what is not whole goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

/// Told by Ctrl-C and SIGTERM.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens from now on, on a thread of its own. Where that cannot be, the signal ends the process as it always does: what
    /// is not whole then stays behind, under a name that says so.
    pub(super) fn listen() -> Self {
        let stop = Self::default();
        let told = stop.clone();
        let listen = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(super::super::until_stopped(None));
                told.0.store(true, Ordering::Relaxed);
            }
        };
        // A thread that waits ends with the process.
        drop(std::thread::Builder::new().name("signals".into()).spawn(listen));
        stop
    }

    /// # Errors
    /// Once it was told.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Failure::new(
                "the export was interrupted; nothing of it was kept",
                "run the same command again",
            ));
        }
        Ok(())
    }
}

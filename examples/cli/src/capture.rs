//! A tap on a camera's connections that writes them down (`vigie record --capture`).

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use vigie::limits::Limits;
use vigie::record::capture::Writer;
use vigie::time::Micros;
use vigie_net::{Clock, Tap, TapEvent, Tapped};

use crate::failure::Failure;

/// Pieces that wait while the disk is busy; after that the camera is made to wait.
const WAITING: usize = 256;

/// Writes one camera's connections into a file.
#[derive(Debug)]
pub struct Capture {
    tap: Arc<Written>,
    thread: JoinHandle<Result<(), Failure>>,
    clock: Clock,
}

#[derive(Debug)]
struct Written {
    writer: Mutex<Writer>,
    /// Gone once the file is whole, or cannot be written.
    pieces: Mutex<Option<SyncSender<Vec<u8>>>>,
}

impl Capture {
    /// Begins the file; what was there is replaced. `blank`: without pictures.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path, blank: bool, limits: &Limits, clock: Clock) -> Result<Self, Failure> {
        let path: PathBuf = path.to_owned();
        let failed = |path: &Path, error: std::io::Error| Failure::file("write", path, &error);
        let mut file = File::create(&path).map_err(|error| failed(&path, error))?;
        let (pieces, inbox) = sync_channel::<Vec<u8>>(WAITING);
        let thread = std::thread::Builder::new().name("capture".into());
        let thread = thread.spawn(move || {
            // Each piece at once: what a crash leaves behind is good up to there.
            inbox
                .iter()
                .try_for_each(|piece| file.write_all(&piece))
                .map_err(|error| failed(&path, error))?;
            file.sync_all().map_err(|error| failed(&path, error))
        });
        let thread = thread.map_err(|error| {
            Failure::new(
                format!("a thread cannot be started: {error}"),
                "end other programs, or raise `ulimit -u`",
            )
        })?;
        let writer = Mutex::new(Writer::new(limits, blank));
        Ok(Self { tap: Arc::new(Written { writer, pieces: Mutex::new(Some(pieces)) }), thread, clock })
    }

    /// For the options of the camera.
    #[must_use]
    pub fn tap(&self) -> Arc<dyn Tap> {
        Arc::clone(&self.tap) as Arc<dyn Tap>
    }

    /// Ends the file with the digest of all events.
    ///
    /// # Errors
    /// It could not be written, to the end.
    pub fn finish(self) -> Result<(), Failure> {
        let now = self.clock.now();
        self.tap.with(|writer| writer.finish(now));
        self.tap.pieces.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.thread.join().unwrap_or_else(|_| {
            Err(Failure::new("the capture ended by itself", "report it, with what was printed before"))
        })
    }
}

impl Written {
    fn with(&self, tell: impl FnOnce(&mut Writer)) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        tell(&mut writer);
        let piece = writer.take();
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        // A thread that is gone has failed; `finish` says why.
        if !piece.is_empty() && pieces.as_ref().is_some_and(|pieces| pieces.send(piece).is_err()) {
            *pieces = None;
        }
    }
}

impl Tap for Written {
    fn tap(&self, event: TapEvent<'_>) {
        let now: Micros = event.now;
        self.with(|writer| match event.what {
            Tapped::Open { config, utc, .. } => writer.open(now, utc, event.connection, config),
            Tapped::Received { bytes } => writer.received(now, bytes),
            Tapped::Datagram { media, rtcp, bytes } => writer.datagram(now, media, rtcp, bytes),
            Tapped::Timeout => writer.timeout(now),
            Tapped::Closed => writer.closed(now),
            Tapped::Bound { media, ports } => writer.bound(now, media, ports),
            Tapped::NotBound { media } => writer.not_bound(now, media),
            Tapped::Teardown => writer.teardown(now),
            Tapped::Sent { bytes } => writer.sent(now, bytes),
            Tapped::SentDatagram { media, rtcp, bytes } => writer.sent_datagram(now, media, rtcp, bytes),
            Tapped::Output { output } => writer.output(output),
            Tapped::Drained => writer.drained(),
            Tapped::End { error } => {
                writer.ended(now, &error.map(|error| error.to_string()).unwrap_or_default());
            }
            _ => {}
        });
    }
}

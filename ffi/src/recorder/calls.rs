//! The functions of `vigie_recorder`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{Builder, JoinHandle};

use tokio::sync::Notify;
use vigie::store;
use vigie_net::inbox::Inbox;

use super::config::{self, Job, VigieRecorderConfig};
use super::event::VigieRecorderCounters;
use super::keeper::{Kept, Work};
use super::log::Log;
use super::watch::Watch;
use super::{Connections, Recorder, Shared, VigieRecorder, lock};
use crate::VigieResult;
use crate::error::{Place, Told, VigieError};
use crate::given::{self, answer};
use crate::guard::Guarded;
use crate::storage::{Callbacks, VigieStorage};
use crate::store::Root;

/// # Safety
/// `recorder` is NULL or a live handle.
unsafe fn with(
    recorder: *const VigieRecorder,
    call: impl FnOnce(&mut Recorder) -> VigieResult,
) -> VigieResult {
    let call = |r: &mut Recorder| {
        if r.shared.panicked.load(Ordering::Relaxed) { VigieResult::Panic } else { call(r) }
    };
    // SAFETY: the caller's promise. `VigieRecorder` is what `Guarded` is.
    unsafe { Guarded::call(recorder.cast(), call) }
}

/// The threads of a recording: one for the camera, which events and log are told on, and one for the disk, which a host's storage
/// is called on. Each waits for a word, or for the end of its sender: the host has the handle before it is called on one of them.
fn start(job: Job) -> Result<(Recorder, [mpsc::Sender<()>; 2]), Told> {
    let mut told = Told::of(job.source.to_string());
    let made = match &job.root {
        Root::Folder(path) => std::fs::create_dir_all(path),
        Root::Host(_) => Ok(()),
    };
    let opened = made
        .map_err(|error| format!("the store's folder cannot be made: {error}"))
        .and_then(|()| job.root.open().map_err(|error| error.to_string()));
    let storage = opened.map_err(|text| failed(&mut told, VigieResult::Storage, text))?;
    let shared = Arc::new(Shared {
        kept: Mutex::new(Kept::default()),
        told: Mutex::new(told.clone()),
        connections: Mutex::new(Connections::default()),
        stop: Notify::new(),
        panicked: AtomicBool::new(false),
    });
    let inbox = Arc::new(Inbox::new(Inbox::budget(1)));
    let (source, clock, limits, rpo) = (job.source, job.options.clock, job.options.limits, job.rpo);
    let work = Work::open(storage, source, clock, limits, rpo, Arc::clone(&shared));
    let work = work.map_err(|error: store::Error| {
        told.fault(VigieResult::Storage, Place::default(), &error);
        told.clone()
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(&mut told, VigieResult::Thread, error))?;

    let (messages, guard) = (Arc::clone(&inbox), Arc::clone(&shared));
    let (disk_ready, go) = mpsc::channel::<()>();
    let disk = Builder::new().name("vigie-disk".into()).spawn(move || {
        let _ = go.recv();
        if catch_unwind(AssertUnwindSafe(|| work.run(&messages))).is_err() {
            guard.panicked.store(true, Ordering::Relaxed);
        }
    });
    let disk = disk.map_err(|error| failed(&mut told, VigieResult::Thread, error))?;
    let disk_id = disk.thread().id();
    // Whoever is there waits for its end: nothing of the host's is called after that.
    let disk = Arc::new(Mutex::new(Some(disk)));
    let ended = Arc::clone(&disk);
    let (guard, messages) = (Arc::clone(&shared), Arc::clone(&inbox));
    let (ready, go) = mpsc::channel::<()>();
    let camera = Builder::new().name("vigie-camera".into()).spawn(move || {
        let started = go.recv().is_ok();
        let mut watch = Watch::new(job.host, Arc::clone(&guard), Arc::clone(&messages));
        let log = Log(job.host);
        let follow = || tracing::subscriber::with_default(log, || runtime.block_on(watch.follow(job)));
        if started && catch_unwind(AssertUnwindSafe(follow)).is_err() {
            guard.panicked.store(true, Ordering::Relaxed);
        }
        messages.close();
        join(&ended);
        catch_unwind(AssertUnwindSafe(|| watch.end())).unwrap_or(VigieResult::Panic)
    });
    let camera = match camera {
        Ok(camera) => camera,
        Err(error) => {
            inbox.close();
            drop(disk_ready);
            join(&disk);
            return Err(failed(&mut told, VigieResult::Thread, error));
        }
    };
    let ids = [camera.thread().id(), disk_id];
    let recorder = Recorder { shared, thread: Some(camera), ids, ended: VigieResult::Ok, told };
    Ok((recorder, [ready, disk_ready]))
}

fn join(thread: &Mutex<Option<JoinHandle<()>>>) {
    let thread = lock(thread).take();
    // Its panic was caught, and told.
    let _ = thread.map(JoinHandle::join);
}

fn failed(told: &mut Told, result: VigieResult, text: impl std::fmt::Display) -> Told {
    told.fail(result, Place::default(), text);
    told.clone()
}

/// Opens the store and starts to record; the camera may be away for now. On success `*recorder` is a handle that the caller
/// owns and frees with `vigie_recorder_free`; it is written before the first callback. On failure, and only then, the detail is
/// copied to `*error`, which may be NULL. `VIGIE_ADDRESS`: the URL is none. `VIGIE_ARGUMENT`: a name is none. `VIGIE_STORAGE`: the
/// store cannot be written, or the camera is being recorded into it already.
///
/// # Safety
/// `config` is NULL or points to a `vigie_recorder_config`; `recorder` is NULL or can be written to; `error` is NULL or points to
/// a `vigie_error`. The callbacks may be called on another thread with `context`, until the recorder is stopped or freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_recorder_start(
    config: *const VigieRecorderConfig,
    recorder: *mut *mut VigieRecorder,
    error: *mut VigieError,
) -> VigieResult {
    // SAFETY: the caller's promises.
    unsafe { start_with(config, || Ok(None), recorder, error) }
}

/// The same into a host's own storage; `store` of the config must be NULL. The struct is copied. Its callbacks are called on the
/// calling thread until `*recorder` is written, and then on one thread of the recorder's, which is not that of `on_event`, until the
/// recorder is stopped or freed; none after a failure was answered. `VIGIE_NULL_POINTER`: a callback is missing.
///
/// # Safety
/// As `vigie_recorder_start`; `storage` is NULL or points to a `vigie_storage`, whose callbacks may be called with its `context` as
/// said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_recorder_start_on(
    config: *const VigieRecorderConfig,
    storage: *const VigieStorage,
    recorder: *mut *mut VigieRecorder,
    error: *mut VigieError,
) -> VigieResult {
    // SAFETY: the caller's promises.
    unsafe { start_with(config, || Callbacks::read(storage).map(Some), recorder, error) }
}

/// # Safety
/// As `vigie_recorder_start`.
unsafe fn start_with(
    config: *const VigieRecorderConfig,
    on: impl FnOnce() -> Result<Option<Callbacks>, VigieResult>,
    recorder: *mut *mut VigieRecorder,
    error: *mut VigieError,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let mut error = if error.is_null() { None } else { Some(given::out(error)?) };
        let mut tell = |told: &Told| {
            if let Some(error) = &mut error {
                **error = told.written();
            }
        };
        let read =
            given::place(recorder).and_then(|place| Ok((place, config::read(given::input(config)?, on()?)?)));
        let (place, job) = read.inspect_err(|result| {
            let mut told = Told::default();
            told.fail(*result, Place::default(), "the configuration cannot be used");
            tell(&told);
        })?;
        match start(job) {
            Ok((inner, ready)) => {
                place.write(Guarded::boxed(inner).cast());
                // Only now: a callback may use the handle.
                for thread in ready {
                    let _ = thread.send(());
                }
                Ok(VigieResult::Ok)
            }
            Err(told) => {
                tell(&told);
                Err(told.result())
            }
        }
    })
}

/// Copies counters out.
///
/// # Safety
/// `recorder` is NULL or a live handle; `stats` is NULL or points to a `vigie_recorder_counters`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_recorder_stats(
    recorder: *const VigieRecorder,
    stats: *mut VigieRecorderCounters,
) -> VigieResult {
    // SAFETY: the caller's promises.
    answer(|| unsafe {
        let out = given::out(stats)?;
        let copy = |r: &mut Recorder| {
            *out = r.stats();
            VigieResult::Ok
        };
        Ok(with(recorder, copy))
    })
}

/// Ends the recording in order, and waits until all that came is on the disk: a second or so, as long as the disk takes.
/// `VIGIE_RECORDER_EVENT_STOPPED` is told last. `VIGIE_STORAGE`: the store has failed and not come back. `VIGIE_ORDER`: called from a
/// callback. Called again, it answers the same.
///
/// # Safety
/// `recorder` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_recorder_stop(recorder: *mut VigieRecorder) -> VigieResult {
    // SAFETY: the caller's promise.
    unsafe { with(recorder, Recorder::stop) }
}

/// Copies the detail of the last failure out: of the connection or of the store.
///
/// # Safety
/// `recorder` is NULL or a live handle; `error` is NULL or points to a `vigie_error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_recorder_error(
    recorder: *const VigieRecorder,
    error: *mut VigieError,
) -> VigieResult {
    // SAFETY: the caller's promises.
    unsafe { Guarded::<Recorder>::error(recorder.cast(), error) }
}

/// Stops a recorder, if it was not, and frees it. NULL is allowed and does nothing. `VIGIE_BUSY`: another thread is using it; it
/// is not freed. `VIGIE_ORDER`: called from a callback; it is not freed.
///
/// # Safety
/// `recorder` is NULL or a live handle; it is not used afterwards, unless this answers `VIGIE_BUSY` or `VIGIE_ORDER`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vigie_recorder_free(recorder: *mut VigieRecorder) -> VigieResult {
    // SAFETY: the caller's promise.
    unsafe { Guarded::<Recorder>::free(recorder.cast()) }
}

//! `vigie-live [--read-delay MS] [--warm-up S] [--seconds S] STORE URL…`: records all cameras in this one process, and
//! prints what that cost it, as one line of JSON.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use vigie::depacket::AccessUnit;
use vigie::record::{Recorder, RecorderConfig};
use vigie::rtp::rtcp::SenderReport;
use vigie::rtsp::Url;
use vigie::store::{FileStorage, Source};
use vigie_net::{Camera, Clock, Event, Options};

/// The writing thread looks so often for what came: a wake-up for each picture would cost more than the picture.
const ROUND: Duration = Duration::from_millis(100);
/// Orders that wait for it: pictures of five seconds from 32 cameras.
const WAITING: usize = 4_096;

type Failure = Box<dyn std::error::Error>;
type Order = (usize, What);

enum What {
    Picture(AccessUnit),
    Report(SenderReport),
}

struct Arguments {
    read_delay: Duration,
    warm_up: Duration,
    measured: Duration,
    store: PathBuf,
    urls: Vec<Url>,
}

fn main() -> ExitCode {
    match arguments().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vigie-live: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Result<Arguments, Failure> {
    let (mut delay, mut warm_up, mut measured) = (0, 10, 30);
    let mut rest = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let slot = match word.as_str() {
            "--read-delay" => &mut delay,
            "--warm-up" => &mut warm_up,
            "--seconds" => &mut measured,
            _ => {
                rest.push(word);
                continue;
            }
        };
        *slot = words.next().ok_or("a number is missing")?.parse()?;
    }
    let mut rest = rest.into_iter();
    let store = PathBuf::from(rest.next().ok_or("vigie-live [OPTIONS] STORE URL…")?);
    let urls = rest.map(|url| Ok(Url::parse(&url)?.0)).collect::<Result<_, Failure>>()?;
    Ok(Arguments {
        read_delay: Duration::from_millis(delay),
        warm_up: Duration::from_secs(warm_up),
        measured: Duration::from_secs(measured),
        store,
        urls,
    })
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let clock = Clock::start();
    let recorders = (0..arguments.urls.len())
        .map(|n| {
            let source = Source::new("bench", &format!("c{n}"))?;
            let storage = FileStorage::new(&arguments.store);
            let (now, utc) = (clock.now(), clock.utc());
            Ok(Recorder::open(storage, source, RecorderConfig::default(), now, utc)?.0)
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let (orders, inbox) = sync_channel(WAITING);
    let bytes = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&bytes);
    let writing = std::thread::spawn(move || write(recorders, clock, &inbox, &seen));
    let cameras = arguments.urls.len();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (measured, pictures) = runtime.block_on(record(arguments, clock, orders, bytes))?;
    drop(runtime);
    let (kept, lost) = writing.join().map_err(|_| "the writing thread failed")?;
    let streams = cameras as f64 * measured.wall;
    println!(
        "{{\"cameras\":{cameras},\"cpu_ms\":{:.3},\"private_mib\":{:.3},\"mbit\":{:.2},\"fps\":{:.2},\"pictures\":{pictures},\
         \"kept\":{kept},\"lost\":{lost}}}",
        measured.cpu * 1e3 / streams,
        measured.private / cameras as f64 / f64::from(1 << 20),
        measured.bytes * 8e-6 / streams,
        measured.pictures / streams,
    );
    if kept != pictures || lost > 0 {
        return Err("pictures were lost".into());
    }
    Ok(())
}

/// The thread that writes: pictures kept, and packets lost of them.
fn write(
    mut recorders: Vec<Recorder<FileStorage>>,
    clock: Clock,
    inbox: &Receiver<Order>,
    bytes: &AtomicU64,
) -> (u64, u64) {
    let mut lost = 0;
    while let Ok(first) = inbox.recv() {
        let (now, utc) = (clock.now(), clock.utc());
        for (camera, what) in std::iter::once(first).chain(inbox.try_iter()) {
            let Some(recorder) = recorders.get_mut(camera) else { continue };
            recorder.clocks(now, utc);
            match what {
                What::Picture(unit) => {
                    lost += u64::from(unit.loss.packets);
                    bytes.fetch_add(unit.data.len() as u64, Ordering::Relaxed);
                    told(recorder.push(now, unit));
                }
                What::Report(report) => recorder.sender_report(report),
            }
        }
        for recorder in &mut recorders {
            if recorder.poll_timeout().is_some_and(|due| due <= now) {
                told(recorder.handle_timeout(now));
            }
        }
        std::thread::sleep(ROUND);
    }
    let mut kept = 0;
    for mut recorder in recorders {
        told(recorder.finish(clock.now()));
        let stats = recorder.stats();
        kept += stats.pictures - stats.undecodable - stats.refused;
    }
    (kept, lost)
}

fn told(done: Result<(), vigie::store::Error>) {
    if let Err(error) = done {
        eprintln!("vigie-live: {error}");
    }
}

/// What a span of time cost.
struct Measured {
    wall: f64,
    cpu: f64,
    private: f64,
    bytes: f64,
    pictures: f64,
}

/// Also says how many pictures came in all.
async fn record(
    arguments: Arguments,
    clock: Clock,
    orders: SyncSender<Order>,
    bytes: Arc<AtomicU64>,
) -> Result<(Measured, u64), Failure> {
    let pictures = Arc::new(AtomicU64::new(0));
    let mut follow = Vec::new();
    for (n, url) in arguments.urls.into_iter().enumerate() {
        let mut options = Options::default();
        options.clock = clock;
        options.read_delay = arguments.read_delay;
        let camera = Camera::connect(url, options);
        follow.push(tokio::spawn(one(n, camera, orders.clone(), Arc::clone(&pictures))));
    }
    drop(orders);
    tokio::time::sleep(arguments.warm_up).await;
    let state = || -> Result<_, Failure> {
        let counts = (bytes.load(Ordering::Relaxed) as f64, pictures.load(Ordering::Relaxed) as f64);
        Ok((Instant::now(), cpu()?, counts.0, counts.1))
    };
    let before = state()?;
    tokio::time::sleep(arguments.measured).await;
    let after = state()?;
    let measured = Measured {
        wall: (after.0 - before.0).as_secs_f64(),
        cpu: after.1 - before.1,
        private: private()?,
        bytes: after.2 - before.2,
        pictures: after.3 - before.3,
    };
    for task in follow {
        task.abort();
        let _ = task.await;
    }
    Ok((measured, pictures.load(Ordering::Relaxed)))
}

async fn one(n: usize, mut camera: Camera, orders: SyncSender<Order>, pictures: Arc<AtomicU64>) {
    while let Some(event) = camera.next().await {
        let what = match event {
            Event::AccessUnit(unit) => {
                pictures.fetch_add(1, Ordering::Relaxed);
                What::Picture(unit)
            }
            Event::SenderReport { report, .. } => What::Report(report),
            Event::Disconnected { error, .. } => {
                eprintln!("vigie-live: camera {n}: {error}");
                continue;
            }
            _ => continue,
        };
        if orders.send((n, what)).is_err() {
            return;
        }
    }
}

/// Seconds that the threads of this process ran, in user and in kernel, to the nanosecond.
fn cpu() -> Result<f64, Failure> {
    let mut nanos = 0.0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let schedule = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanos += schedule.split(' ').next().ok_or("no schedstat")?.parse::<f64>()?;
    }
    Ok(nanos * 1e-9)
}

/// Bytes of memory that nobody else has: what a further camera needs more of.
fn private() -> Result<f64, Failure> {
    let mut kib = 0.0;
    for line in std::fs::read_to_string("/proc/self/smaps_rollup")?.lines() {
        if let Some(size) = line.strip_prefix("Private_Dirty:") {
            kib += size.trim().trim_end_matches("kB").trim().parse::<f64>()?;
        }
    }
    Ok(kib * 1_024.0)
}

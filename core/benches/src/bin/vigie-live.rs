//! `vigie-live [--floor | --retina] [--read-delay MS] [--warm-up S] [--seconds S] STORE URL…`: records all cameras in this
//! one process, and prints what that cost it, as one line of JSON. `--floor`: only reads and writes; `--retina`: by the crate
//! of that name.
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
use vigie_bench::{cost, floor, retina};
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Vigie,
    Floor,
    Retina,
}

struct Arguments {
    by: By,
    read_delay: Duration,
    warm_up: Duration,
    measured: Duration,
    store: PathBuf,
    urls: Vec<String>,
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
    let (mut by, mut delay, mut warm_up, mut measured) = (By::Vigie, 0, 10, 30);
    let mut rest = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let slot = match word.as_str() {
            "--read-delay" => &mut delay,
            "--warm-up" => &mut warm_up,
            "--seconds" => &mut measured,
            "--floor" | "--retina" => {
                by = if word == "--floor" { By::Floor } else { By::Retina };
                continue;
            }
            _ => {
                rest.push(word);
                continue;
            }
        };
        *slot = words.next().ok_or("a number is missing")?.parse()?;
    }
    let mut rest = rest.into_iter();
    let store = PathBuf::from(rest.next().ok_or("vigie-live [OPTIONS] STORE URL…")?);
    let urls = rest.collect();
    Ok(Arguments {
        by,
        read_delay: Duration::from_millis(delay),
        warm_up: Duration::from_secs(warm_up),
        measured: Duration::from_secs(measured),
        store,
        urls,
    })
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let cameras = arguments.urls.len();
    let (measured, pictures, kept, lost) = match arguments.by {
        By::Vigie => vigie(arguments)?,
        By::Floor => (by_floor(arguments)?, 0, 0, 0),
        By::Retina => by_retina(arguments)?,
    };
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

/// What was measured; pictures that came, that were kept, and packets lost.
fn vigie(arguments: Arguments) -> Result<(Measured, u64, u64, u64), Failure> {
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (measured, pictures) = runtime.block_on(record(arguments, clock, orders, bytes))?;
    drop(runtime);
    let (kept, lost) = writing.join().map_err(|_| "the writing thread failed")?;
    Ok((measured, pictures, kept, lost))
}

fn by_floor(arguments: Arguments) -> Result<Measured, Failure> {
    let bytes = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&bytes);
    let (warm_up, span) = (arguments.warm_up, arguments.measured);
    let recording = std::thread::spawn(move || {
        floor::record(&arguments.urls, &arguments.store, arguments.read_delay, &seen)
    });
    let none = AtomicU64::new(0);
    std::thread::sleep(warm_up);
    let before = Before::now(&bytes, &none)?;
    std::thread::sleep(span);
    let measured = before.measured()?;
    if recording.is_finished() {
        recording.join().map_err(|_| "the floor failed")??;
    }
    Ok(measured)
}

fn by_retina(arguments: Arguments) -> Result<(Measured, u64, u64, u64), Failure> {
    std::fs::create_dir_all(&arguments.store)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let counts = Arc::new((AtomicU64::new(0), AtomicU64::new(0)));
        for (n, url) in arguments.urls.into_iter().enumerate() {
            let (file, counts) = (arguments.store.join(format!("{n}.avcc")), Arc::clone(&counts));
            tokio::spawn(async move {
                if let Err(error) = retina::record(url, file, &counts.0, &counts.1).await {
                    eprintln!("vigie-live: camera {n}: {error}");
                }
            });
        }
        tokio::time::sleep(arguments.warm_up).await;
        let before = Before::now(&counts.0, &counts.1)?;
        tokio::time::sleep(arguments.measured).await;
        Ok((before.measured()?, 0, 0, 0))
    })
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

/// The counters at its beginning.
struct Before<'a> {
    at: Instant,
    cpu: f64,
    counters: (&'a AtomicU64, &'a AtomicU64),
    counts: (u64, u64),
}

impl<'a> Before<'a> {
    /// Of bytes and pictures.
    fn now(bytes: &'a AtomicU64, pictures: &'a AtomicU64) -> Result<Self, Failure> {
        let counts = (bytes.load(Ordering::Relaxed), pictures.load(Ordering::Relaxed));
        Ok(Self { at: Instant::now(), cpu: cost::cpu()?, counters: (bytes, pictures), counts })
    }

    fn measured(&self) -> Result<Measured, Failure> {
        let (wall, cpu) = (self.at.elapsed().as_secs_f64(), cost::cpu()? - self.cpu);
        let more = |now: &AtomicU64, before| (now.load(Ordering::Relaxed) - before) as f64;
        Ok(Measured {
            wall,
            cpu,
            private: cost::private()?,
            bytes: more(self.counters.0, self.counts.0),
            pictures: more(self.counters.1, self.counts.1),
        })
    }
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
    for (n, url) in arguments.urls.iter().enumerate() {
        let url = Url::parse(url)?.0;
        let mut options = Options::default();
        options.clock = clock;
        options.read_delay = arguments.read_delay;
        let camera = Camera::connect(url, options);
        follow.push(tokio::spawn(one(n, camera, orders.clone(), Arc::clone(&pictures))));
    }
    drop(orders);
    tokio::time::sleep(arguments.warm_up).await;
    let before = Before::now(&bytes, &pictures)?;
    tokio::time::sleep(arguments.measured).await;
    let measured = before.measured()?;
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

//! Prints the bench table: times as ratios, instructions by callgrind, allocations; each beside its bound.
#![allow(clippy::expect_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use vigie::h26x::Codec;
use vigie_bench::{Clip, Output, block, copy, depacketize, peer, way};

/// Counts what it hands out.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to `System` unchanged, whose contract is the same.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const HELP: &str = "\
vigie-bench                     the table, each value beside its bound
vigie-bench --gate              the same; exit code 1 where a bound is passed
vigie-bench pass JOB CLIP N     N passes of one job, for callgrind; JOB: way, depacketize, retina, memcpy
Inputs: core/benches/inputs.sh, folder VIGIE_BENCH_INPUTS (default target/bench-inputs).
Example: cargo run --release -p vigie-bench";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => table(false),
        ["--gate"] => table(true),
        ["pass", job, clip, passes] => pass(job, clip, passes).map(|()| true),
        _ => {
            println!("{HELP}");
            Ok(arguments == ["--help"])
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("vigie-bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(job: &str, clip: &Clip, block: &mut [u8]) -> Result<Output, String> {
    Ok(match job {
        "way" => way(clip, || ()),
        "depacketize" => depacketize(clip),
        "retina" => peer::depacketize(clip),
        "memcpy" => copy(clip, block),
        _ => return Err(format!("there is no job {job}")),
    })
}

fn pass(job: &str, clip: &str, passes: &str) -> Result<(), String> {
    let clip = Clip::load(clip)?;
    let passes: usize = passes.parse().map_err(|_| format!("not a number: {passes}"))?;
    let mut block = block();
    for _ in 0..passes {
        std::hint::black_box(run(job, &clip, &mut block)?);
    }
    Ok(())
}

/// Instructions of one pass. Start-up and the reading of the file cancel out: three passes less one.
fn instructions(job: &str, clip: &Clip) -> Result<f64, String> {
    let count = |passes: &str| {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(own)
            .args(["pass", job, clip.name, passes])
            // valgrind counts `rep movsb` as one instruction per byte; glibc must not use it.
            .env("GLIBC_TUNABLES", "glibc.cpu.x86_rep_movsb_threshold=2147483647")
            .output()
            .map_err(|error| format!("valgrind: {error}; apt install valgrind"))?;
        let text = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(format!("under valgrind: {text}"));
        }
        text.lines()
            .find_map(|line| line.split_once("Collected : ")?.1.trim().parse::<f64>().ok())
            .ok_or_else(|| format!("valgrind counted nothing: {text}"))
    };
    Ok((count("3")? - count("1")?) / 2.0)
}

/// Allocations per picture in the second half of the clip: by then the buffers are those that are used again.
fn allocations(clip: &Clip) -> f64 {
    let (mut pictures, mut start) = (0_usize, (0, 0));
    let mut end = (0, 0);
    way(clip, || {
        pictures += 1;
        end = (pictures, ALLOCATIONS.load(Ordering::Relaxed));
        if pictures == clip.pictures / 2 {
            start = end;
        }
    });
    (end.1 - start.1) as f64 / (end.0 - start.0) as f64
}

/// Median, over rounds, of the time of each job relative to the first one's in the same round; and the median times.
fn times(clip: &Clip) -> Result<(Vec<f64>, Vec<Duration>), String> {
    const JOBS: [&str; 4] = ["memcpy", "depacketize", "way", "retina"];
    const ROUNDS: usize = 21;
    let mut block = block();
    let mut rounds: Vec<Vec<Duration>> = vec![];
    for _ in 0..ROUNDS {
        let round = JOBS.iter().map(|job| {
            let start = Instant::now();
            std::hint::black_box(run(job, clip, &mut block)?);
            Ok(start.elapsed())
        });
        rounds.push(round.collect::<Result<_, String>>()?);
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let column = |of: &dyn Fn(&[Duration]) -> f64| median(rounds.iter().map(|round| of(round)).collect());
    let ratios = (0..JOBS.len()).map(|n| column(&|r| r[n].as_secs_f64() / r[0].as_secs_f64())).collect();
    let times = (0..JOBS.len()).map(|n| Duration::from_secs_f64(column(&|r| r[n].as_secs_f64()))).collect();
    Ok((ratios, times))
}

struct Shown {
    within: bool,
}

impl Shown {
    fn line(&mut self, clip: &str, what: &str, value: f64, bound: Option<f64>) {
        let beside = match bound {
            None => String::new(),
            Some(bound) if value <= bound => format!("≤ {bound:<6} ok"),
            Some(bound) => {
                self.within = false;
                format!("≤ {bound:<6} BEYOND")
            }
        };
        println!("{clip:<14}{what:<44}{value:>10.2}   {beside}");
    }
}

/// Prints the table; true if every value is within its bound, or nobody asked.
fn table(gate: bool) -> Result<bool, String> {
    let clips = Clip::load_all()?;
    if let Ok(load) = std::fs::read_to_string("/proc/loadavg") {
        println!("load average before: {}", load.trim());
    }
    let mut shown = Shown { within: true };
    for clip in &clips {
        check(clip)?;
        let per_packet = match clip.codec {
            Codec::H264 => 900.0,
            Codec::H265 => 700.0,
        };
        let packets = clip.packets as f64;
        let name = clip.name;
        shown.line(
            name,
            "instructions per packet, RTP to fragments",
            instructions("way", clip)? / packets,
            Some(per_packet),
        );
        for (job, what) in [
            ("depacketize", "instructions per packet, to access units"),
            ("retina", "instructions per packet, retina to frames"),
            ("memcpy", "instructions per packet, memcpy"),
        ] {
            shown.line(name, what, instructions(job, clip)? / packets, None);
        }
        shown.line(name, "allocations per picture, steady", allocations(clip), Some(0.1));
        let (ratios, medians) = times(clip)?;
        shown.line(name, "time, RTP to fragments / memcpy", ratios[2], Some(3.0));
        shown.line(name, "time, to access units / memcpy", ratios[1], None);
        shown.line(name, "time, retina to frames / memcpy", ratios[3], None);
        shown.line(name, "ns per packet, RTP to fragments", medians[2].as_nanos() as f64 / packets, None);
    }
    Ok(shown.within || !gate)
}

/// All jobs must have done the same work before their times mean anything.
fn check(clip: &Clip) -> Result<(), String> {
    let (ours, units, theirs) = (way(clip, || ()), depacketize(clip), peer::depacketize(clip));
    if ours.pictures != clip.pictures || units != ours || theirs.pictures != clip.pictures {
        return Err(format!("{}: {ours:?}, {units:?}, retina {theirs:?}: not the same work", clip.name));
    }
    Ok(())
}

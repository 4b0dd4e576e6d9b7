//! `vigie-index [--cameras N,N…] [--days N] [--fake N] [--dir DIR] [--gate]`: what is asked of the index of many cameras, put to
//! index files, to SQLite with a row for each media file, and to the folders of the media. The media files are names and lengths
//! with nothing in them: no question reads any.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::expect_used)]

mod ask;
mod count;
mod fake;
mod gix;
mod make;
mod sqlite;
mod thousands;
mod walk;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use vigie::store::FileStorage;

use ask::Sides;

pub(crate) type Failure = Box<dyn std::error::Error>;

/// The index may have so many bytes for each of 4 Mb/s media at GOPs of 2 s.
const SHARE: f64 = 0.005 / 100.0;

struct Arguments {
    cameras: Vec<u32>,
    days: u32,
    fake: u32,
    dir: PathBuf,
    gate: bool,
}

fn arguments() -> Result<Arguments, Failure> {
    let dir = std::env::temp_dir().join(format!("vigie-index-{}", std::process::id()));
    let mut out = Arguments { cameras: vec![100, 200, 400], days: 14, fake: 4_000, dir, gate: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--cameras" => {
                let numbers = value()?;
                let numbers = numbers.split(',').filter(|number| !number.is_empty());
                out.cameras = numbers.map(str::parse).collect::<Result<_, _>>()?;
            }
            "--days" => out.days = value()?.parse()?,
            "--fake" => out.fake = value()?.parse()?,
            "--dir" => out.dir = value()?.into(),
            "--gate" => out.gate = true,
            _ => return Err(format!("{word} is no option").into()),
        }
    }
    out.cameras.sort_unstable();
    Ok(out)
}

fn main() -> ExitCode {
    let run = || -> Result<bool, Failure> {
        let arguments = arguments()?;
        fs::create_dir_all(&arguments.dir)?;
        let within = measure(&arguments);
        // Millions of files: also after a failure.
        fs::remove_dir_all(&arguments.dir)?;
        Ok(within? || !arguments.gate)
    };
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("vigie-index: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What was made so far.
#[derive(Default)]
struct Sizes {
    index: u64,
    logs: u64,
    media: u64,
    files: u64,
    made: [Duration; 3],
}

fn measure(arguments: &Arguments) -> Result<bool, Failure> {
    let mut within = true;
    if !arguments.cameras.is_empty() {
        within &= on_disk(arguments)?;
    }
    if arguments.fake > 0 {
        within &= thousands::measure(arguments.fake, arguments.days)?;
    }
    Ok(within)
}

fn on_disk(arguments: &Arguments) -> Result<bool, Failure> {
    let Arguments { cameras, days, dir, .. } = arguments;
    let (store, rows) = (dir.join("store"), dir.join("rows.sqlite"));
    gix::set_policy(&mut FileStorage::new(&store))?;
    let mut sizes = Sizes::default();
    let mut connection = sqlite::connect(&rows)?;
    let (mut done, mut costs, mut within) = (0, None, true);
    println!("{days} days; ms, cold / warm\n");
    println!("| cameras | question | index files | SQLite, a row per file | walk of the folders |");
    println!("|---|---|---|---|---|");
    for n in cameras {
        for camera in done..*n {
            for day in 0..*days {
                lay(&mut sizes, &store, &mut connection, camera, day)?;
            }
        }
        done = *n;
        sqlite::settle(&connection)?;
        // Only clean pages leave the caches.
        std::process::Command::new("sync").arg("-f").arg(dir).status()?;
        let sides = Sides { store: &store, rows: &rows, cameras: *n, days: *days };
        for (question, cells) in sides.ask()? {
            println!("| {n} | {question} | {} | {} | {} |", cells[0], cells[1], cells[2]);
        }
        let now = sides.costs(cameras[0].min(100))?;
        within &= now.within() && costs.is_none_or(|before| now == before);
        costs = Some(now);
        if Some(n) == cameras.last() {
            let cells = sides.pass()?;
            println!("| {n} | {} | {} | {} | |", ask::PASS, cells[0], cells[1]);
        }
    }
    if let Some(costs) = costs {
        println!("\n{costs}");
    }
    if !within {
        println!("BEYOND the bounds, or not the same however many cameras there are");
    }
    let share = sizes.index as f64 / sizes.media as f64;
    println!("\n| of {done} cameras | bytes | made in, s |");
    println!("|---|---|---|");
    let rows_len = fs::metadata(&rows)?.len();
    let seconds = |of: usize| format!("{:.0}", sizes.made[of].as_secs_f64());
    println!("| index files | {} | {} |", sizes.index, seconds(0));
    println!("| gap logs | {} | |", sizes.logs);
    println!("| SQLite | {rows_len} | {} |", seconds(1));
    println!("| {} names of media files | | {} |", sizes.files, seconds(2));
    println!("| media, had there been any | {} | |", sizes.media);
    let beyond = if share <= SHARE { "" } else { ": BEYOND" };
    println!("\nindex / media: {:.5} % (bound 0.005 %){beyond}", share * 100.0);
    Ok(within && share <= SHARE)
}

fn lay(
    sizes: &mut Sizes,
    store: &Path,
    rows: &mut rusqlite::Connection,
    camera: u32,
    day: u32,
) -> Result<(), Failure> {
    let start = Instant::now();
    let made = make::make(camera, day);
    let folder = store.join(make::source(camera).to_string());
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("{}.gix", make::day(day))), &made.index)?;
    fs::write(folder.join(format!("{}.gap", make::day(day))), &made.log)?;
    sizes.made[0] += start.elapsed();
    let start = Instant::now();
    sqlite::insert(rows, camera, &made)?;
    sizes.made[1] += start.elapsed();
    let start = Instant::now();
    walk::lay(store, camera, &made)?;
    sizes.made[2] += start.elapsed();
    sizes.index += made.index.len() as u64;
    sizes.logs += made.log.len() as u64;
    sizes.media += made.media();
    sizes.files += made.segments.len() as u64;
    Ok(())
}

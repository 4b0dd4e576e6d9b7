//! `vigie-index [--cameras N,N…] [--days N] [--fake N] [--dir DIR] [--gate]`: what is asked of the index of many cameras, put to
//! index files, to SQLite with a row for each media file, and to the folders of the media. No media: no question needs them.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::expect_used)]

mod fake;
mod gix;
mod make;
mod sqlite;
mod walk;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use vigie::store::FileStorage;
use vigie::time::UtcMicros;

use fake::{Calls, Fake};
use make::Dice;

pub(crate) type Failure = Box<dyn std::error::Error>;

/// The index may have so many bytes for each of 4 Mb/s media at GOPs of 2 s.
const SHARE: f64 = 0.005 / 100.0;
/// Moments sought and days listed, of which the mean is told: cold, each after the caches were emptied.
const COLD: u64 = 12;
const WARM: u64 = 100;

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
            "--cameras" => out.cameras = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?,
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
    let Arguments { cameras, days, dir, .. } = arguments;
    let (index, media, rows) = (dir.join("index"), dir.join("media"), dir.join("rows.sqlite"));
    let mut sizes = Sizes::default();
    let mut connection = sqlite::connect(&rows)?;
    let mut done = 0;
    println!("{days} days; ms, cold / warm\n");
    println!("| cameras | question | index files | SQLite, a row per file | walk of the folders |");
    println!("|---|---|---|---|---|");
    for n in cameras {
        for camera in done..*n {
            for day in 0..*days {
                lay(&mut sizes, [&index, &media], &mut connection, camera, day)?;
            }
        }
        done = *n;
        sqlite::settle(&connection)?;
        // Only clean pages leave the caches.
        std::process::Command::new("sync").arg("-f").arg(dir).status()?;
        let sides = Sides { index: &index, media: &media, rows: &rows, cameras: *n, days: *days };
        for (question, cells) in sides.ask()? {
            println!("| {n} | {question} | {} | {} | {} |", cells[0], cells[1], cells[2]);
        }
    }
    let share = sizes.index as f64 / sizes.media as f64;
    let within = share <= SHARE;
    println!("\n| of {done} cameras | bytes | made in, s |");
    println!("|---|---|---|");
    let rows_len = fs::metadata(&rows)?.len();
    let seconds = |of: usize| format!("{:.0}", sizes.made[of].as_secs_f64());
    println!("| index files | {} | {} |", sizes.index, seconds(0));
    println!("| gap logs | {} | |", sizes.logs);
    println!("| SQLite | {rows_len} | {} |", seconds(1));
    println!("| {} names of media files | | {} |", sizes.files, seconds(2));
    println!("| media, had there been any | {} | |", sizes.media);
    println!(
        "\nindex / media: {:.5} % (bound 0.005 %){}",
        share * 100.0,
        if within { "" } else { ": BEYOND" }
    );
    if arguments.fake > 0 {
        thousands(arguments.fake, *days)?;
    }
    Ok(within)
}

fn lay(
    sizes: &mut Sizes,
    [index, media]: [&Path; 2],
    rows: &mut rusqlite::Connection,
    camera: u32,
    day: u32,
) -> Result<(), Failure> {
    let start = Instant::now();
    let made = make::make(camera, day);
    let folder = index.join(make::source(camera).to_string());
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("{}.gix", make::day(day))), &made.index)?;
    fs::write(folder.join(format!("{}.gap", make::day(day))), &made.log)?;
    // The recorder's folders of media, without the media: what lists a camera sees them.
    fs::create_dir_all(folder.join(make::day(day).to_string()))?;
    sizes.made[0] += start.elapsed();
    let start = Instant::now();
    sqlite::insert(rows, camera, &made)?;
    sizes.made[1] += start.elapsed();
    let start = Instant::now();
    walk::lay(media, camera, &made)?;
    sizes.made[2] += start.elapsed();
    sizes.index += made.index.len() as u64;
    sizes.logs += made.log.len() as u64;
    sizes.media += made.media();
    sizes.files += made.segments.len() as u64;
    Ok(())
}

/// Cold first, once the caches of the system were emptied, where this user may; then warm.
fn timed(
    mut ask: impl FnMut(u64, bool) -> Result<(), Failure>,
    cold: u64,
    warm: u64,
) -> Result<String, Failure> {
    let mean = |sum: Duration, times: u64| format!("{:.3}", sum.as_secs_f64() * 1e3 / times as f64);
    let mut sum = Duration::ZERO;
    let mut emptied = true;
    for n in 0..cold {
        emptied &= fs::write("/proc/sys/vm/drop_caches", "3").is_ok();
        let start = Instant::now();
        ask(n, true)?;
        sum += start.elapsed();
    }
    let cold = if emptied { mean(sum, cold) } else { "-".to_owned() };
    // The same again, so that all of it was asked once.
    for n in 0..warm {
        ask(n, false)?;
    }
    let start = Instant::now();
    for n in 0..warm {
        ask(n, false)?;
    }
    Ok(format!("{cold} / {}", mean(start.elapsed(), warm)))
}

struct Sides<'a> {
    index: &'a Path,
    media: &'a Path,
    rows: &'a Path,
    cameras: u32,
    days: u32,
}

impl Sides<'_> {
    fn now(&self) -> UtcMicros {
        make::day(self.days).start()
    }

    /// A camera and a moment of its days.
    fn dice(&self, n: u64) -> (u32, UtcMicros) {
        let mut dice = Dice::new(n + 1);
        let camera = dice.below(self.cameras.into()) as u32;
        let second = dice.below(u64::from(self.days) * 86_400) as i64;
        (camera, UtcMicros(make::START + second * make::SECOND))
    }

    /// Asks SQLite: cold as a process that was just started does, so that its own cache is cold with the system's.
    fn rows(
        &self,
        cold: bool,
        kept: &rusqlite::Connection,
        ask: impl FnOnce(&rusqlite::Connection) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if cold { ask(&rusqlite::Connection::open(self.rows)?) } else { ask(kept) }
    }

    fn ask(&self) -> Result<Vec<(&'static str, [String; 3])>, Failure> {
        let cameras = self.cameras;
        let mut storage = FileStorage::new(self.index);
        let kept = rusqlite::Connection::open(self.rows)?;
        let mut out = Vec::new();

        let counts = [
            gix::open(&mut storage, cameras)?,
            sqlite::open(&kept, cameras)?,
            walk::open(self.media, cameras)?,
        ];
        assert_eq!(counts, [cameras as usize; 3], "all sides find every camera");
        out.push((
            "open: every camera, and the last file that was recorded",
            [
                timed(|_, _| gix::open(&mut storage, cameras).map(drop), 1, 3)?,
                timed(|_, cold| self.rows(cold, &kept, |rows| sqlite::open(rows, cameras).map(drop)), 1, 3)?,
                timed(|_, _| walk::open(self.media, cameras).map(drop), 1, 3)?,
            ],
        ));
        let now = self.now();
        out.push((
            "seek: the file (and the byte: index files only) of any moment",
            [
                timed(
                    |n, _| {
                        let (camera, utc) = self.dice(n);
                        gix::place(&mut storage, make::source(camera), utc, now).map(drop)
                    },
                    COLD,
                    WARM,
                )?,
                timed(
                    |n, cold| {
                        let (camera, utc) = self.dice(n);
                        self.rows(cold, &kept, |rows| sqlite::place(rows, camera, utc).map(drop))
                    },
                    COLD,
                    WARM,
                )?,
                timed(
                    |n, _| {
                        let (camera, utc) = self.dice(n);
                        walk::place(self.media, camera, utc).map(drop)
                    },
                    COLD,
                    WARM,
                )?,
            ],
        ));
        let day = |n: u64| (self.dice(n).0, (n % u64::from(self.days)) as u32);
        let (camera, first) = day(0);
        let told = gix::list(&mut storage, &make::source(camera), first)?;
        println!(
            "<!-- a day: {told:?} by index, {:?} by SQLite, {:?} by walk (files, gaps) -->",
            sqlite::list(&kept, camera, first)?,
            walk::list(self.media, camera, first)?
        );
        out.push((
            "list: a day of a camera with its gaps",
            [
                timed(
                    |n, _| {
                        let (camera, day) = day(n);
                        gix::list(&mut storage, &make::source(camera), day).map(drop)
                    },
                    COLD,
                    WARM / 10,
                )?,
                timed(
                    |n, cold| {
                        let (camera, day) = day(n);
                        self.rows(cold, &kept, |rows| sqlite::list(rows, camera, day).map(drop))
                    },
                    COLD,
                    WARM / 10,
                )?,
                timed(
                    |n, _| {
                        let (camera, day) = day(n);
                        walk::list(self.media, camera, day).map(drop)
                    },
                    COLD,
                    WARM / 10,
                )?,
            ],
        ));
        out.push((
            "retention: what is older than the limit, of every camera",
            self.retention(&mut storage, &kept)?,
        ));
        Ok(out)
    }

    /// Half of the oldest day is over.
    fn retention(
        &self,
        storage: &mut FileStorage,
        kept: &rusqlite::Connection,
    ) -> Result<[String; 3], Failure> {
        let (cameras, limit) = (self.cameras, make::day(0).start().plus(make::DAY / 2));
        let (by_index, by_rows, by_walk) = (
            gix::retain(storage, cameras, limit)?,
            sqlite::retain(kept, cameras, limit)?,
            walk::retain(self.media, cameras, limit)?,
        );
        assert_eq!(by_rows, by_walk, "the same files and bytes");
        assert_eq!(by_index.0, by_rows.0, "the same files");
        Ok([
            timed(|_, _| gix::retain(storage, cameras, limit).map(drop), 1, 3)?,
            timed(
                |_, cold| self.rows(cold, kept, |rows| sqlite::retain(rows, cameras, limit).map(drop)),
                1,
                3,
            )?,
            timed(|_, _| walk::retain(self.media, cameras, limit).map(drop), 1, 3)?,
        ])
    }
}

/// What thousands of cameras cost in calls and bytes.
fn thousands(cameras: u32, days: u32) -> Result<(), Failure> {
    println!(
        "\n| of {cameras} cameras, a storage that counts | folders listed | files opened | reads | bytes read |"
    );
    println!("|---|---|---|---|---|");
    let line = |question: &str, Calls { lists, opens, reads, bytes }: Calls| {
        println!("| {question} | {lists} | {opens} | {reads} | {bytes} |");
    };
    let mut fake = Fake::new(cameras, days);
    let found = gix::open(&mut fake, cameras)?;
    assert_eq!(found, cameras as usize);
    line("open", fake.calls);
    let mut fake = Fake::new(cameras, days);
    let (files, _) = gix::retain(&mut fake, cameras, make::day(0).start().plus(make::DAY / 2))?;
    line(&format!("retention, {files} files"), fake.calls);
    Ok(())
}

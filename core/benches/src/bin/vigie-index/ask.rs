//! The questions, put to all sides, and how long the answers take.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use vigie::play::Local;
use vigie::store::FileStorage;
use vigie::time::UtcMicros;

use crate::Failure;
use crate::count::{Calls, Counted};
use crate::make::{self, Dice};
use crate::{gix, sqlite, walk};

/// Moments sought and days listed, of which the mean is told: cold, each after the caches were emptied.
const COLD: u64 = 12;
const WARM: u64 = 100;
pub(crate) const PASS: &str = "retention: a pass that deletes an hour of every camera (SQLite: of rows only)";

/// Time that passed, without what was spent waiting for a processor that others had: the machine is shared. Waiting for the disk
/// counts.
struct Watch {
    start: Instant,
    waited: u64,
}

impl Watch {
    fn start() -> Self {
        Self { waited: Self::waited(), start: Instant::now() }
    }

    /// Nanoseconds that this thread was ready to run and did not; 0 where the system does not tell.
    fn waited() -> u64 {
        let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        told.split(' ').nth(1).and_then(|waited| waited.parse().ok()).unwrap_or(0)
    }

    fn elapsed(&self) -> Duration {
        let passed = self.start.elapsed();
        passed.saturating_sub(Duration::from_nanos(Self::waited().saturating_sub(self.waited)))
    }
}

fn mean(sum: Duration, times: u64) -> String {
    format!("{:.3}", sum.as_secs_f64() * 1e3 / times as f64)
}

/// Empties the caches of the system, where this user may.
fn empty() -> bool {
    fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

/// Cold first, once the caches of the system were emptied, where this user may; then warm.
fn timed(
    mut ask: impl FnMut(u64, bool) -> Result<(), Failure>,
    cold: u64,
    warm: u64,
) -> Result<String, Failure> {
    let mut sum = Duration::ZERO;
    let mut emptied = true;
    for n in 0..cold {
        emptied &= empty();
        let start = Watch::start();
        ask(n, true)?;
        sum += start.elapsed();
    }
    let cold = if emptied { mean(sum, cold) } else { "-".to_owned() };
    // The same again, so that all of it was asked once.
    for n in 0..warm {
        ask(n, false)?;
    }
    let start = Watch::start();
    for n in 0..warm {
        ask(n, false)?;
    }
    Ok(format!("{cold} / {}", mean(start.elapsed(), warm)))
}

pub(crate) struct Sides<'a> {
    pub(crate) store: &'a Path,
    pub(crate) rows: &'a Path,
    pub(crate) cameras: u32,
    pub(crate) days: u32,
}

/// A question, and what each side takes for it.
type Row = (&'static str, [String; 3]);

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

    /// A camera and a day of it.
    fn day(&self, n: u64) -> (u32, u32) {
        (self.dice(n).0, (n % u64::from(self.days)) as u32)
    }

    fn local(&self, camera: u32) -> Local<FileStorage> {
        Local::entries_only(FileStorage::new(self.store), make::source(camera))
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

    pub(crate) fn ask(&self) -> Result<Vec<Row>, Failure> {
        let kept = rusqlite::Connection::open(self.rows)?;
        let [first, again] = self.seek(&kept)?;
        Ok(vec![self.open(&kept)?, first, again, self.list(&kept)?, self.retention(&kept)?])
    }

    fn open(&self, kept: &rusqlite::Connection) -> Result<Row, Failure> {
        let (cameras, mut storage) = (self.cameras, FileStorage::new(self.store));
        let counts =
            [gix::open(&mut storage)?, sqlite::open(kept, cameras)?, walk::open(self.store, cameras)?];
        assert_eq!(counts, [cameras as usize; 3], "all sides find every camera");
        let cells = [
            timed(|_, _| gix::open(&mut storage).map(drop), 1, 3)?,
            timed(|_, cold| self.rows(cold, kept, |rows| sqlite::open(rows, cameras).map(drop)), 1, 3)?,
            timed(|_, _| walk::open(self.store, cameras).map(drop), 1, 3)?,
        ];
        Ok(("open: every camera, and the last file that was recorded", cells))
    }

    /// Of a camera's day that was not asked for before; and of days whose page directories are at hand.
    fn seek(&self, kept: &rusqlite::Connection) -> Result<[Row; 2], Failure> {
        let now = self.now();
        let place = |local: &mut Local<FileStorage>, utc| {
            let found = gix::place(local, utc, now)?;
            assert!(found.is_some(), "there is something after any moment");
            Ok(())
        };
        let first = |n, _| {
            let (camera, utc) = self.dice(n);
            place(&mut self.local(camera), utc)
        };
        let rows = |n, cold| {
            let (camera, utc) = self.dice(n);
            self.rows(cold, kept, |rows| sqlite::place(rows, camera, utc).map(drop))
        };
        let names = |n, _| {
            let (camera, utc) = self.dice(n);
            walk::place(self.store, camera, utc).map(drop)
        };
        let others = [timed(rows, COLD, WARM)?, timed(names, COLD, WARM)?];
        let first = timed(first, COLD, WARM)?;
        // Ten viewers, each of a camera's day.
        let mut viewers: BTreeMap<u64, Local<FileStorage>> = BTreeMap::new();
        for n in 0..10 {
            let mut local = self.local(self.dice(n).0);
            place(&mut local, self.dice(n).1)?;
            viewers.insert(n, local);
        }
        let again = timed(
            |n, _| {
                let (_, utc) = self.dice(n % 10);
                let second = Dice::new(n + 7).below(86_400) as i64;
                let day = vigie::gix::Day::of(utc);
                let local = viewers.get_mut(&(n % 10)).ok_or("no viewer")?;
                place(local, day.start().plus(second * make::SECOND))
            },
            COLD,
            WARM,
        )?;
        let [by_rows, by_walk] = others;
        Ok([
            (
                "seek: the file (and the byte: index files only) of any moment, the first in a camera's day",
                [first, by_rows.clone(), by_walk.clone()],
            ),
            ("seek: the next ones in that day", [again, by_rows, by_walk]),
        ])
    }

    fn list(&self, kept: &rusqlite::Connection) -> Result<Row, Failure> {
        let mut storage = FileStorage::new(self.store);
        let (camera, first) = self.day(0);
        let told = gix::list(&mut storage, &make::source(camera), first)?;
        let (by_rows, by_walk) = (sqlite::list(kept, camera, first)?, walk::list(self.store, camera, first)?);
        assert!(told.0.abs_diff(by_rows.0) <= 1 && told.1.abs_diff(by_rows.1) <= 1, "{told:?} {by_rows:?}");
        println!(
            "<!-- a day: {told:?} by index, {by_rows:?} by SQLite, {by_walk:?} by walk (files, gaps) -->"
        );
        let cells = [
            timed(
                |n, _| {
                    let (camera, day) = self.day(n);
                    gix::list(&mut storage, &make::source(camera), day).map(drop)
                },
                COLD,
                WARM / 10,
            )?,
            timed(
                |n, cold| {
                    let (camera, day) = self.day(n);
                    self.rows(cold, kept, |rows| sqlite::list(rows, camera, day).map(drop))
                },
                COLD,
                WARM / 10,
            )?,
            timed(
                |n, _| {
                    let (camera, day) = self.day(n);
                    walk::list(self.store, camera, day).map(drop)
                },
                COLD,
                WARM / 10,
            )?,
        ];
        Ok(("list: a day of a camera with its gaps", cells))
    }

    /// Half of the oldest day is over.
    fn retention(&self, kept: &rusqlite::Connection) -> Result<Row, Failure> {
        let (cameras, limit) = (self.cameras, noon());
        let mut storage = FileStorage::new(self.store);
        let told = gix::plan(&mut storage, cameras, limit)?;
        assert_eq!(told, sqlite::retain(kept, cameras, limit)?, "the same files and bytes");
        assert_eq!(told, walk::retain(self.store, cameras, limit)?, "the same files and bytes");
        let cells = [
            timed(|_, _| gix::plan(&mut storage, cameras, limit).map(drop), 1, 3)?,
            timed(
                |_, cold| self.rows(cold, kept, |rows| sqlite::retain(rows, cameras, limit).map(drop)),
                1,
                3,
            )?,
            timed(|_, _| walk::retain(self.store, cameras, limit).map(drop), 1, 3)?,
        ];
        Ok(("retention: what a pass would delete of every camera (`retain::plan`)", cells))
    }

    /// Passes that delete, cold and warm: the last that is asked.
    pub(crate) fn pass(&self) -> Result<[String; 2], Failure> {
        let mut storage = FileStorage::new(self.store);
        let connection = sqlite::connect(self.rows)?;
        let mut cells: [Vec<String>; 2] = Default::default();
        for hour in 0..3 {
            // The first has half a day to delete, and is not told.
            let limit = noon().plus(hour * 60 * make::MINUTE);
            let cold = hour != 1 || empty();
            let start = Watch::start();
            let mut files = 0;
            for camera in 0..self.cameras {
                files += gix::pass(&mut storage, camera, limit)?.0;
            }
            let own = start.elapsed();
            let rows =
                if hour == 1 { rusqlite::Connection::open(self.rows)? } else { sqlite::connect(self.rows)? };
            let start = Watch::start();
            assert_eq!(sqlite::forget(&rows, limit)?, files, "the same files");
            for (cells, took) in cells.iter_mut().zip([own, start.elapsed()]).filter(|_| hour > 0) {
                cells.push(if cold { mean(took, 1) } else { "-".to_owned() });
            }
        }
        drop(connection);
        Ok(cells.map(|cells| cells.join(" / ")))
    }

    /// What each question asks of the disk, for one camera: the most of so many.
    pub(crate) fn costs(&self, cameras: u32) -> Result<Costs, Failure> {
        let counted = Counted::new(FileStorage::new(self.store));
        let clone = || counted.with(FileStorage::new(self.store));
        let mut out = Costs::default();
        let mut most = |of: fn(&mut Costs) -> &mut Calls| {
            let (now, most) = (counted.calls(), of(&mut out));
            most.reads = most.reads.max(now.reads);
            most.bytes = most.bytes.max(now.bytes.next_multiple_of(4_096));
        };
        for camera in 0..cameras {
            let source = make::source(camera);
            vigie::store::LastRecorded::load(&mut clone(), &source)?;
            most(|costs| &mut costs.open);
            let day = make::day(camera % self.days);
            let mut local = Local::entries_only(clone(), source);
            let noon = day.start().plus(make::DAY / 2);
            gix::place(&mut local, noon, self.now())?;
            most(|costs| &mut costs.first);
            for n in 0..20 {
                let second = Dice::new(n + 7).below(86_400) as i64;
                gix::place(&mut local, day.start().plus(second * make::SECOND), self.now())?;
                most(|costs| &mut costs.again);
            }
        }
        Ok(out)
    }
}

fn noon() -> UtcMicros {
    make::day(0).start().plus(make::DAY / 2 + make::SECOND / 2)
}

/// Reads and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Costs {
    open: Calls,
    first: Calls,
    again: Calls,
}

impl Costs {
    /// Two reads of a page or two, however many cameras and days there are. (Of a seek the second of its two is of the media.)
    pub(crate) fn within(&self) -> bool {
        self.open.reads <= 3
            && self.open.bytes <= 32 << 10
            && self.again.reads <= 1
            && self.again.bytes <= 32 << 10
    }
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| at most, of one camera | reads | KiB | bound |")?;
        writeln!(f, "|---|---|---|---|")?;
        let bound = "3 reads, 32 KiB";
        for (question, calls, bound) in [
            ("open", self.open, bound),
            ("seek, the first in a day: its index and that of the day before", self.first, ""),
            ("seek, the next ones", self.again, "1 read, 32 KiB"),
        ] {
            writeln!(f, "| {question} | {} | {} | {bound} |", calls.reads, calls.bytes >> 10)?;
        }
        Ok(())
    }
}

//! Forty days on a virtual clock, with what people and clocks do on the way. At every midnight, by UTC and by Paris, a scan of the
//! disk that shares no code with what deleted finds nothing that is too old but what is held, all that is not too old and all
//! that is held byte for byte as it was written, and a tombstone for every byte that is gone.

use alloc::collections::BTreeMap;
use alloc::string::ToString as _;

use super::*;
use crate::store::Storage as _;
use crate::time::DAY;

/// 2026-10-05: daylight saving time ends in Paris on the 25th.
const START: i64 = 1_791_158_400_000_000;
/// 01:00 on that day.
const WINTER: i64 = START + 20 * DAY + HOUR;
const MINUTE: i64 = 60 * SECOND;
const CAMERAS: [&str; 4] = ["gate", "port-1", "port-1-audio", "quai"];

/// Days that a camera's footage may be old.
fn max_days(camera: &str) -> i64 {
    if camera == "gate" { 7 } else { 14 }
}

fn at(day: i64, hour: i64, minute: i64) -> i64 {
    START + day * DAY + hour * HOUR + minute * MINUTE
}

/// What a scan finds of a camera: for each fragment its file's time by name, its own time and end, and its bytes.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Seen {
    file: i64,
    utc: i64,
    end: i64,
    bytes: Vec<u8>,
}

fn number(text: &str) -> i64 {
    text.parse().unwrap()
}

/// Days since 1970, counted one by one.
fn days_to(year: i64, month: usize, day: i64) -> i64 {
    let leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    let months = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: i64 = (1970..year).map(|y| if leap(y) { 366 } else { 365 }).sum();
    let before: i64 = months[..month - 1].iter().sum();
    years + before + i64::from(month > 2 && leap(year)) + day - 1
}

/// `2026-11-22/05/14-00.120000Z.0.m4v…` as microseconds.
fn time_of(name: &str) -> i64 {
    let day = days_to(number(&name[..4]), number(&name[5..7]) as usize, number(&name[8..10]));
    let seconds = (number(&name[11..13]) * 60 + number(&name[14..16])) * 60 + number(&name[17..19]);
    (day * 86_400 + seconds) * SECOND + number(&name[20..26])
}

fn be(bytes: &[u8]) -> i64 {
    bytes.iter().fold(0, |n, b| n << 8 | i64::from(*b))
}

/// The fragments of a media file, box by box.
fn fragments_of(file: i64, bytes: &[u8]) -> Vec<Seen> {
    let (mut out, mut at) = (vec![], 0);
    while at < bytes.len() {
        let size = be(&bytes[at..at + 4]) as usize;
        if &bytes[at + 4..at + 8] == b"uuid" && &bytes[at + 8..at + 24] == b"vigie-fragment-1" {
            let len = be(&bytes[at + 68..at + 72]) as usize;
            let utc = be(&bytes[at + 28..at + 36]);
            let end = utc + be(&bytes[at + 56..at + 60]) * 100 / 9;
            out.push(Seen { file, utc, end, bytes: bytes[at..at + len].to_vec() });
            at += len;
        } else {
            at += size;
        }
    }
    out
}

/// All of a camera, by a walk of the folders; and the bytes of its media, and names of other files with their times.
fn scan(disk: &Memory, camera: &str) -> (Vec<Seen>, u64, Vec<(String, i64)>) {
    let own = alloc::format!("vannes/{camera}/");
    let (mut seen, mut bytes, mut others) = (vec![], 0, vec![]);
    for path in disk.paths() {
        let Some(name) = path.strip_prefix(&own) else { continue };
        if name.ends_with(".m4v") {
            let content = disk.content(&path).unwrap();
            bytes += content.len() as u64;
            seen.extend(fragments_of(time_of(name), &content));
        } else if name.ends_with("_end") {
            others.push((name.into(), time_of(name)));
        } else {
            // An index or gap log: the last moment of its day.
            others.push((
                name.into(),
                (days_to(number(&name[..4]), number(&name[5..7]) as usize, number(&name[8..10])) + 1) * DAY,
            ));
        }
    }
    (seen, bytes, others)
}

/// Bytes of media gone of a camera, by the text of the journal.
fn tombstones(disk: &Memory) -> BTreeMap<String, u64> {
    let mut out: BTreeMap<String, u64> = BTreeMap::new();
    for path in disk.paths().iter().filter(|path| path.ends_with(".jsonl")) {
        for line in String::from_utf8(disk.content(path).unwrap()).unwrap().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            if line["kind"] == "deleted" {
                let camera = line["camera"].as_str().unwrap();
                *out.entry(camera.into()).or_default() += line["bytes"].as_u64().unwrap();
            }
        }
    }
    out
}

struct World {
    disk: Memory,
    recorders: Vec<Recorder>,
    /// By camera: all that was ever recorded, and its bytes in files.
    written: Vec<(Vec<Seen>, u64)>,
    /// Holds as the test knows them: number, camera, range.
    holds: Vec<(u64, Vec<&'static str>, i64, i64)>,
    last: Option<UtcMicros>,
    brakes: Vec<Brake>,
    scans: u32,
    trimmed: u64,
}

impl World {
    fn new() -> Self {
        let disk = Memory::new();
        let mut world = Self {
            disk,
            recorders: vec![],
            written: vec![(vec![], 0); CAMERAS.len()],
            holds: vec![],
            last: None,
            brakes: vec![],
            scans: 0,
            trimmed: 0,
        };
        world.start();
        world
    }

    fn start(&mut self) {
        self.disk.kill();
        let open = |camera: &&str| Recorder::open(&self.disk, source(camera)).unwrap();
        self.recorders = CAMERAS.iter().map(open).collect();
        self.last = None;
    }

    fn with<T>(&self, now: i64, what: impl FnOnce(&mut Journal, &mut Memory) -> T) -> T {
        with_journal(&self.disk, UtcMicros(now), what)
    }

    /// A span of each camera, a pass amid the last.
    fn record(&mut self, now: i64, seconds: u32, pass: bool) {
        let had: Vec<String> = self.disk.paths();
        for (i, recorder) in self.recorders.iter_mut().enumerate() {
            recorder.camera.body = 150 + 50 * i;
            recorder.begin(UtcMicros(now));
            recorder.run(seconds).unwrap();
        }
        if pass {
            self.pass(now + i64::from(seconds) * SECOND);
        }
        for recorder in &mut self.recorders {
            recorder.finish().unwrap();
        }
        for (i, camera) in CAMERAS.iter().enumerate() {
            let own = alloc::format!("vannes/{camera}/");
            for path in self.disk.paths().iter().filter(|p| p.starts_with(&own) && p.ends_with(".m4v")) {
                if had.binary_search(path).is_err() {
                    let content = self.disk.content(path).unwrap();
                    self.written[i].0.extend(fragments_of(time_of(&path[own.len()..]), &content));
                    self.written[i].1 += content.len() as u64;
                }
            }
        }
    }

    /// A pass of each camera. What goes of indexes and gap logs in it is what its tombstones say.
    fn pass(&mut self, now: i64) {
        let clock = Clock::new(UtcMicros(now)).trusted(true).last(self.last);
        let other = |disk: &Memory| -> i64 {
            let paths = disk.paths();
            let own = paths.iter().filter(|p| p.ends_with(".gix") || p.ends_with(".gap"));
            own.map(|p| disk.content(p).unwrap().len() as i64).sum()
        };
        for recorder in &mut self.recorders {
            recorder.writer.sync().unwrap();
        }
        let before = other(&self.disk);
        let mut gone = 0;
        let mut braked = false;
        for recorder in &mut self.recorders {
            let outcome = recorder.writer.retain(clock).unwrap();
            gone += outcome.deleted.iter().map(|deleted| deleted.index_bytes).sum::<i64>();
            self.trimmed += outcome.deleted.iter().map(|deleted| deleted.trimmed).sum::<u64>();
            self.brakes.extend(outcome.brake);
            braked |= outcome.brake.is_some();
        }
        assert_eq!(before - other(&self.disk), gone, "at {}", UtcMicros(now));
        if !braked {
            self.last = self.last.max(Some(UtcMicros(now)));
        }
    }

    fn hold(&mut self, now: i64, cameras: &[&'static str], from: i64, to: i64) -> u64 {
        let span = Span::new(UtcMicros(from), UtcMicros(to));
        let n = self.with(now, |journal, storage| {
            hold::add(journal, storage, UtcMicros(now), &request(cameras, span)).unwrap()
        });
        let mut all = cameras.to_vec();
        if cameras.contains(&"port-1") {
            all.push("port-1-audio");
        }
        self.holds.push((n, all, from, to));
        n
    }

    fn is_held(&self, camera: &str, seen: &Seen) -> bool {
        // A millisecond is what the UTC of these fragments may be off.
        let off = 1_000;
        self.holds.iter().any(|(_, cameras, from, to)| {
            cameras.contains(&camera) && seen.utc - off < *to && *from < seen.end + off
        })
    }

    /// What the issue asks for, at `now`.
    fn check(&mut self, now: i64) {
        let shown = UtcMicros(now).to_string();
        let gone = tombstones(&self.disk);
        for (camera, (written, bytes)) in CAMERAS.iter().zip(&self.written) {
            let limit = now - max_days(camera) * DAY;
            let (mut there, there_bytes, others) = scan(&self.disk, camera);
            for seen in &there {
                assert!(
                    seen.file > limit || self.is_held(camera, seen),
                    "{shown}: {camera} still has what was at {} in a file of {}",
                    UtcMicros(seen.utc),
                    UtcMicros(seen.file)
                );
            }
            let must: Vec<&Seen> =
                written.iter().filter(|seen| seen.file > limit || self.is_held(camera, seen)).collect();
            there.sort_by_key(|seen| (seen.file, seen.utc));
            let mut must: Vec<Seen> = must.into_iter().cloned().collect();
            must.sort_by_key(|seen| (seen.file, seen.utc));
            // The file's number and id are in the fragments: each is where and what it was.
            assert!(there == must, "{shown}: {camera} has {} fragments, not {}", there.len(), must.len());
            let told = gone.get(*camera).copied().unwrap_or(0);
            assert_eq!(*bytes, there_bytes + told, "{shown}: {camera}: written = there + in tombstones");
            for (name, time) in others {
                let held = self.holds.iter().any(|(_, cameras, from, to)| {
                    let day = if name.ends_with("_end") { 2 * SECOND } else { DAY + SECOND };
                    cameras.contains(camera) && time - day < *to && *from < time + SECOND
                });
                assert!(time > limit || held, "{shown}: {camera}/{name}");
            }
        }
        self.scans += 1;
    }
}

#[test]
fn forty_days() {
    let every = if std::env::var_os("VIGIE_LONG").is_some() { 1 } else { 3 };
    let mut world = World::new();
    let policy = Policy {
        default: Rule::new(Some(14 * DAY), Some(DAY)),
        cameras: [("gate".parse().unwrap(), Rule::new(Some(7 * DAY), None))].into(),
        release_agents: 2,
    };
    world.with(START, |journal, storage| {
        journal
            .set_policy(storage, UtcMicros(START), (policy, true), 2 * MINUTE, ("maire", "arrêté 2026-7"))
            .unwrap();
    });
    let (mut first, mut across) = (0, 0);
    for hour in 0..40 * 24 {
        let (day, of_day) = (hour / 24, hour % 24);
        // Midnight by UTC; and by Paris, in summer and in winter.
        let midnight = of_day == 0 || of_day == if at(day, of_day, 0) < WINTER { 22 } else { 23 };
        if hour % every != 0 && !midnight {
            continue;
        }
        let now = at(day, of_day, 0);
        if (25..28).contains(&day) {
            // Switched off.
            continue;
        }
        if day == 28 && of_day == 0 {
            // The pass comes before anything is served or written.
            world.start();
            world.pass(now);
            world.check(now);
        }
        // From a little before the hour to a little after it: across midnight, too.
        world.record(now - 5 * SECOND, 10, hour % 2 == 0);
        match (day, of_day) {
            (3, 9) => {
                // A part of a file and whole ones, at 06:00; sound goes with it.
                first =
                    world.hold(now, &["port-1", "quai"], at(3, 6, 0) - 2 * SECOND, at(3, 6, 0) + 2 * SECOND);
                // One that overlaps it.
                world.hold(now, &["port-1"], at(3, 6, 0), at(3, 6, 0) + 4 * SECOND);
            }
            (6, 12) => {
                across = world.hold(now, &["gate"], at(6, 0, 0) - 3 * SECOND, at(6, 0, 0) + 2 * SECOND);
                // Across gaps: the camera was silent most of the time.
                world.hold(now, &["quai"], at(6, 3, 0), at(6, 9, 0) + SECOND);
            }
            // Still to be recorded.
            (10, 3) => _ = world.hold(now, &["gate", "port-1"], now, at(10, 12, 0)),
            (12, 3) => {
                let from = at(6, 0, 0) - 4 * SECOND;
                let to = at(6, 3, 0) + SECOND;
                let span = Span::new(UtcMicros(from), UtcMicros(to));
                world.with(now, |journal, storage| {
                    hold::extend(journal, storage, UtcMicros(now), (across, span), ("Durand", "more of it"))
                        .unwrap();
                });
                let hold = world.holds.iter_mut().find(|hold| hold.0 == across).unwrap();
                (hold.2, hold.3) = (from, to);
            }
            (22, 6) => {
                let release = |who: &str| {
                    world.with(now, |journal, storage| {
                        hold::release(journal, storage, UtcMicros(now), first, (who, "closed"))
                            .map_err(|e| e.kind)
                    })
                };
                assert_eq!(release("Durand"), Ok(Release::Asked));
                assert_eq!(release("durand "), Err(J::SamePerson));
                assert_eq!(release("Le Goff"), Ok(Release::Released));
                world.holds.retain(|hold| hold.0 != first);
            }
            // The clock is two days behind for some hours.
            (18, 12) => {
                for step in 0..4 {
                    let behind = now - 2 * DAY + step * 20 * MINUTE;
                    world.record(behind + 7 * MINUTE, 6, false);
                    world.pass(behind + 8 * MINUTE);
                }
                assert_eq!(world.brakes, []);
            }
            // And forty days ahead, for a moment in which a pass falls.
            (30, 15) => {
                world.pass(now + 40 * DAY);
                assert_eq!(world.brakes, [Brake::Clock; 4]);
            }
            _ => {}
        }
        world.pass(now + 5 * SECOND);
        if midnight {
            world.check(now + 5 * SECOND);
        }
    }
    // What is not held goes on time when all is over, and is told.
    let end = at(40, 0, 0);
    world.start();
    world.pass(end + 30 * DAY);
    world.check(end + 30 * DAY);
    let gone: u64 = tombstones(&world.disk).values().sum();
    let written: u64 = world.written.iter().map(|(_, bytes)| bytes).sum();
    std::println!("{} scans; {written} bytes of media written, {gone} in tombstones", world.scans);
    assert!(world.scans >= 74, "{}", world.scans);
    assert!(world.trimmed >= 8, "{}", world.trimmed);
    assert_eq!(world.brakes.len(), 4);
    for camera in CAMERAS {
        world.recorders.clear();
        world.disk.kill();
        assert!(verify(&mut world.disk.clone(), &source(camera)).unwrap().is_whole(), "{camera}");
        assert!(!scan(&world.disk, camera).0.is_empty(), "{camera}: holds are left");
    }
    let found = read(&mut world.disk.clone(), source("a").tenant, |_| {}).unwrap();
    assert_eq!((found.damage.len(), found.torn, found.state.holds.len()), (0, 0, 4));
    assert!(world.disk.clone().list("vannes").unwrap().len() > CAMERAS.len());
}

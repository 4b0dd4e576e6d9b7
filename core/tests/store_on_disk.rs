//! The store on a real file system: what it writes is read by a reader that shares no code with it and follows only
//! `docs/format.md`; and a recorder killed at random moments leaves a store that is whole each time.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "store_on_disk/reader.rs"]
mod reader;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reader::{be, crc};
use vigie::codec::Codec;
use vigie::depacket::{AccessUnit, AnnexBReader};
use vigie::fault::Fault as _;
use vigie::gix::{Day, Span};
use vigie::limits::Limits;
use vigie::play::{Local, Output};
use vigie::record::{Recorder, RecorderConfig};
use vigie::store::{self, DayCheck, FileStorage, Kind, Listing, Options, Source, Storage as _, Writer};
use vigie::time::{Micros, UtcMicros};

const START: UtcMicros = UtcMicros(1_795_324_440_000_000);

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vigie-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn source() -> Source {
    Source::new("vannes", "port-1").unwrap()
}

/// Made-up pictures behind real parameter sets, 25 a second, an IDR picture first and then each 25.
struct Camera {
    pictures: Vec<AccessUnit>,
    next: u32,
}

impl Camera {
    fn new() -> Self {
        let unhex = |text: &str| -> Vec<u8> {
            (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
        };
        let sps = unhex("67f4000d919b28283f6022000003000200000300641e28532c");
        let pps = unhex("68ebe3c44844");
        let mut stream = vec![];
        for n in 0..25_u8 {
            let slice = [if n == 0 { 0x65 } else { 0x41 }, 0x88 | n & 1, 0x84, n | 0x40];
            let sets: &[&[u8]] = if n == 0 { &[&sps, &pps] } else { &[] };
            for nal in sets.iter().copied().chain([&slice[..]]) {
                stream.extend([0, 0, 0, 1]);
                stream.extend(nal);
            }
            stream.extend([n | 0x80; 400]);
        }
        let mut reader = AnnexBReader::new(Codec::H264, &Limits::default());
        reader.push(&stream);
        reader.finish();
        let pictures: Vec<_> = std::iter::from_fn(|| reader.pull()).collect();
        assert_eq!(pictures.len(), 25);
        Self { pictures, next: 0 }
    }

    fn picture(&mut self, now: Micros) -> AccessUnit {
        let mut unit = self.pictures[(self.next % 25) as usize].clone();
        unit.timestamp = self.next.wrapping_mul(3_600);
        unit.received = now;
        self.next += 1;
        unit
    }
}

fn record(root: &Path, seconds: u32) {
    record_at(root, START, seconds);
}

fn record_at(root: &Path, start: UtcMicros, seconds: u32) {
    let storage = FileStorage::new(root);
    let (mut recorder, _) =
        Recorder::open(storage, source(), RecorderConfig::default(), Micros(0), start).unwrap();
    let mut camera = Camera::new();
    let mut now = Micros(0);
    for _ in 0..seconds * 25 {
        recorder.push(now, camera.picture(now)).unwrap();
        now = now.plus(40_000);
        recorder.handle_timeout(now).unwrap();
    }
    recorder.finish(now).unwrap();
    assert_eq!((recorder.stats().broken, recorder.stats().undecodable), (0, 0));
}

/// Reads an index by the tables of the format page; gives (type, contents) of each record.
fn records(index: &[u8]) -> Vec<(u8, Vec<u8>)> {
    assert_eq!(&index[..16], b"GIX1\0\x01\0\x2e\0\0\x10\0\0\x01\x5f\x90");
    assert_eq!(be(&index[4_092..4_096]) as u32, crc(&[&index[..4_092]]));
    let id = &index[24..40];
    let mut out: Vec<(u8, Vec<u8>)> = vec![];
    let mut last_of = [u32::MAX; 4];
    for n in 0_usize.. {
        let at = 4_096 + 4_096 * (n / 87) + 46 * (n % 87);
        let Some(record) = index.get(at..at + 46) else {
            assert_eq!(index.len(), at, "ends with a record, or with a trailer");
            return out;
        };
        let want = crc(&[id, &(n as u32).to_be_bytes(), &record[..42]]);
        assert_eq!(be(&record[42..]) as u32, want, "record {n}");
        match record[0] {
            more @ 128.. => {
                let (kind, contents) = out.last_mut().unwrap();
                assert_eq!(*kind, more - 128);
                contents.extend(&record[1..42]);
            }
            kind => {
                out.push((kind, record[1..42].to_vec()));
                if let Some(last) = last_of.get_mut(usize::from(kind)) {
                    *last = n as u32;
                }
            }
        }
        if n % 87 == 86 {
            let page = &index[at + 46 - 4_002..][..4_096];
            let trailer = &page[4_002..];
            assert_eq!((&trailer[..4], be(&trailer[4..8])), (&b"GIXP"[..], n as u64 / 87));
            let of: Vec<_> = trailer[28..40].chunks(4).map(|n| be(n) as u32).collect();
            assert_eq!(of, last_of[1..]);
            assert_eq!(be(&trailer[90..]) as u32, crc(&[id, &page[..4_092]]), "trailer {}", n / 87);
        }
    }
    unreachable!()
}

/// Two's complement of `bits` bits.
fn signed(n: u64, bits: u32) -> i64 {
    (n << (64 - bits)) as i64 >> (64 - bits)
}

/// Holds the contents of a fragment's record against the fragment's mark.
fn same(r: &[u8], mark: &[u8], day: i64) {
    assert_eq!(be(&r[..2]), be(&mark[25..26]) << 12 | be(&mark[26..28]), "source, flags");
    assert_eq!(day + signed(be(&r[2..8]), 48), be(&mark[28..36]) as i64, "UTC");
    assert_eq!(be(&r[8..10]), be(&mark[36..40]).div_ceil(1_000), "error");
    assert_eq!(be(&r[10..12]), be(&mark[40..44]), "lost");
    assert_eq!(signed(be(&r[12..18]), 48), be(&mark[44..52]) as i64, "decoding time");
    assert_eq!(signed(be(&r[18..21]), 24), signed(be(&mark[52..56]), 32), "presentation");
    assert_eq!(r[21..25], mark[56..60], "duration");
    assert_eq!(be(&r[25..27]), be(&mark[60..64]), "samples");
    assert_eq!(be(&r[27..29]), be(&mark[64..68]).div_ceil(256), "end of the first sample");
    assert_eq!(r[29..33], mark[68..72], "bytes");
    assert_eq!(r[37..41], mark[92..96], "CRC");
}

#[test]
fn a_reader_that_knows_only_the_format_page_finds_every_picture() {
    let folder = Folder::new("format");
    record(&folder.0, 130);
    let camera = folder.0.join("vannes/port-1");
    let index = fs::read(camera.join("2026-11-22.gix")).unwrap();
    let day = be(&index[16..24]) as i64;
    let (mut file, mut samples, mut files) = (vec![], 0, 0);
    for (kind, r) in records(&index) {
        match kind {
            1 => {
                let utc = UtcMicros(be(&r[4..12]) as i64);
                let text = format!("{utc}");
                let (hour, rest) = (&text[11..13], text[14..].replace(':', "-"));
                file = fs::read(camera.join(format!("2026-11-22/{hour}/{rest}.{}.m4v", be(&r[12..16]))))
                    .unwrap();
                let init = be(&r[16..20]) as usize;
                let mark = &file[init..][..320];
                assert_eq!(&mark[4..24], b"uuidvigie-media-file");
                assert_eq!(mark[28..32], r[..4], "ordinal");
                assert_eq!(mark[52..68], r[24..40], "id");
                assert_eq!(be(&mark[316..]) as u32, crc(&[&file[..init], &mark[..316]]));
                assert_eq!(
                    (mark[136], &mark[137..143], mark[201], &mark[202..208]),
                    (6, &b"vannes"[..], 6, &b"port-1"[..])
                );
                files += 1;
            }
            2 => {
                let len = be(&r[..4]) as usize;
                assert_eq!(be(&r[4..8]) as u32, crc(&[&file[..len]]));
                assert_eq!(r[28..76], file[len + 88..len + 136], "codec string");
            }
            4 => {
                let (offset, len) = (be(&r[33..37]) as usize, be(&r[29..33]) as usize);
                let fragment = &file[offset..offset + len];
                assert_eq!(&fragment[4..24], b"uuidvigie-fragment-1");
                assert_eq!(be(&r[37..41]) as u32, crc(&[&fragment[..92], &fragment[96..]]));
                same(&r, &fragment[..96], day);
                samples += be(&r[25..27]);
            }
            other => panic!("record of type {other}"),
        }
    }
    assert_eq!(samples, 130 * 25);
    assert!((3..=4).contains(&files), "{files}");
    let mut storage = FileStorage::new(&folder.0);
    assert!(store::verify(&mut storage, &source()).unwrap().is_whole());
    let mut local = Local::new(storage, source());
    local.seek(START.plus(65_000_000));
    let mut seen = 0;
    loop {
        match local.next(START.plus(200_000_000)).unwrap() {
            Output::Fragment { entry, .. } => seen += entry.mark.samples,
            Output::Init { .. } => {}
            Output::End => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, 65 * 25);
}

#[test]
fn the_index_is_the_one_that_a_stranger_makes_of_the_media_also_after_damage_and_repair() {
    let folder = Folder::new("stranger");
    // Two spans of three files each, and one that was recorded after the clock was set back.
    for (start, seconds) in [(0, 130), (3_600, 130), (1_800, 40)] {
        record_at(&folder.0, START.plus(start * 1_000_000), seconds);
    }
    let path = folder.0.join("vannes/port-1/2026-11-22.gix");
    let day: Day = "2026-11-22".parse().unwrap();
    let same = |what: &str| {
        let (there, made) =
            (fs::read(&path).unwrap(), reader::index(&folder.0, "vannes", "port-1", "2026-11-22"));
        assert!(there.len() > 4_096 + 4_096, "{what}");
        assert!(there == made, "{what}: {} bytes by Vigie, {} by the page alone", there.len(), made.len());
        let mut findings = vec![];
        let mut check = DayCheck::new(&mut FileStorage::new(&folder.0), source(), day, false).unwrap();
        while check.step(&mut FileStorage::new(&folder.0), &mut findings).unwrap() {}
        assert_eq!(findings, [], "{what}");
    };
    same("as recorded");
    let listing = Listing::load(&mut FileStorage::new(&folder.0), &source(), Span::ALL).unwrap();
    let file = |n: usize| folder.0.join(Listing::path(&source(), listing.segments[n].key));
    let damage = |n: usize, how: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = fs::read(file(n)).unwrap();
        how(&mut bytes);
        fs::write(file(n), bytes).unwrap();
    };
    #[allow(clippy::type_complexity)]
    let cases: [(&str, usize, &dyn Fn(&mut Vec<u8>)); 5] = [
        ("a picture damaged", 1, &|bytes| {
            let at = bytes.len() / 2;
            bytes[at] ^= 1;
        }),
        ("a file cut off", 2, &|bytes| bytes.truncate(bytes.len() * 2 / 3)),
        ("a block of zeros", 3, &|bytes| {
            let at = bytes.len() / 3;
            bytes[at..at + 4_096].fill(0);
        }),
        ("two blocks swapped", 4, &|bytes| {
            let (a, b) = (bytes.len() / 4, bytes.len() / 2);
            let block = bytes[a..a + 4_096].to_vec();
            bytes.copy_within(b..b + 4_096, a);
            bytes[b..b + 4_096].copy_from_slice(&block);
        }),
        ("zeros behind", 5, &|bytes| bytes.extend([0; 10_000])),
    ];
    for (what, n, how) in cases {
        damage(n, how);
        let mut storage = FileStorage::new(&folder.0);
        let mut repair = store::Repair::new(&mut storage, source(), day).unwrap();
        while repair.step(&mut storage).unwrap().is_none() {}
        same(what);
    }
}

#[test]
fn a_day_on_two_volumes_is_read_as_one() {
    let folder = Folder::new("volumes");
    let roots = [folder.0.join("a"), folder.0.join("b")];
    // A camera that goes back and forth, half an hour at a time.
    for (n, root) in [0, 1, 0, 1].into_iter().enumerate() {
        record_at(&roots[root], START.plus(n as i64 * 1_800_000_000), 70);
    }
    let both = || store::Merged::new(roots.iter().map(FileStorage::new).collect());
    let listing = Listing::load(&mut both(), &source(), Span::ALL).unwrap();
    assert_eq!(listing.segments.iter().map(|file| file.samples).sum::<u64>(), 4 * 70 * 25);
    assert_eq!(listing.ranges.len(), 4);
    assert!(listing.segments.is_sorted_by_key(|file| file.key));
    // Each pause was the operator's, as the log of the volume of that time says.
    assert_eq!(
        listing.gaps.iter().map(|gap| gap.cause).collect::<Vec<_>>(),
        [store::Cause::Operator; 4][..listing.gaps.len()]
    );
    assert!(listing.gaps.len() >= 3);
    let mut local = Local::new(both(), source());
    local.seek(START);
    let (mut seen, mut gaps) = (0, 0);
    loop {
        match local.next(START.plus(7_200_000_000)).unwrap() {
            Output::Fragment { entry, .. } => seen += entry.mark.samples,
            Output::Gap(_) => gaps += 1,
            Output::Init { .. } => {}
            Output::End => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((seen, gaps), (4 * 70 * 25, 3));
    // One of them gone: the rest is read as it is. None of it can be written.
    let one = store::Merged::new(vec![FileStorage::new(folder.0.join("gone")), FileStorage::new(&roots[1])]);
    let mut one = one;
    assert_eq!(Listing::load(&mut one, &source(), Span::ALL).unwrap().ranges.len(), 2);
    assert_eq!(
        Writer::open(both(), source(), Options::default()).map(drop).unwrap_err().kind,
        Kind::ReadOnly
    );
}

#[test]
fn what_a_folder_refuses_is_typed() {
    let folder = Folder::new("refused");
    fs::create_dir_all(&folder.0).unwrap();
    let taken = folder.0.join("taken");
    fs::write(&taken, b"a file").unwrap();
    let refused =
        |root: &Path| Writer::open(FileStorage::new(root), source(), Options::default()).unwrap_err();
    assert_eq!(refused(&taken).kind, Kind::NotAFolder);
    let (_writer, _) = Writer::open(FileStorage::new(&folder.0), source(), Options::default()).unwrap();
    let second = refused(&folder.0);
    assert_eq!((second.kind, second.code().0), (Kind::Locked, 556));
    // A folder that even root cannot write to.
    if Path::new("/proc/self").exists() {
        let kind = refused(Path::new("/proc/vigie")).kind;
        assert!(matches!(kind, Kind::NotFound | Kind::Denied | Kind::ReadOnly), "{kind:?}");
    }
    let mut storage = FileStorage::new(&folder.0);
    assert_eq!(storage.open("no/such/file", store::Access::Read).unwrap_err().kind, Kind::NotFound);
    assert_eq!(storage.list("nothing").unwrap_err().kind, Kind::NotFound);
    // A length that no journal has, and no memory: the file has none of these bytes.
    let journal =
        fs::File::create(folder.0.join(format!("{}/journal-000001.jsonl", source().tenant))).unwrap();
    if journal.set_len(1 << 42).is_ok() {
        let error = store::journal::read(&mut storage, source().tenant, |_| ()).unwrap_err();
        assert_eq!(error.kind, store::journal::Kind::Store(Kind::Implausible));
    }
}

/// The child of the test below: records as fast as it can, and says on its output how many fragments are synced.
#[test]
fn child_that_is_killed() {
    let Some(root) = std::env::var_os("VIGIE_TEST_KILLED") else { return };
    let clock: i64 = std::env::var("VIGIE_TEST_CLOCK").unwrap().parse().unwrap();
    let config = RecorderConfig::default().store(Options::default().rpo(1_000_000));
    let utc = START.plus(clock);
    let storage = FileStorage::new(PathBuf::from(root));
    let (mut recorder, _) = Recorder::open(storage, source(), config, Micros(0), utc).unwrap();
    let (mut camera, mut now) = (Camera::new(), Micros(0));
    let mut said = 0;
    loop {
        recorder.push(now, camera.picture(now)).unwrap();
        now = now.plus(40_000);
        recorder.handle_timeout(now).unwrap();
        let synced = recorder.stats().store.synced;
        if synced > said {
            said = synced;
            eprintln!("synced {said}");
        }
    }
}

/// Starts the child, kills it after `micros`, and gives how many fragments it said were synced.
fn run_and_kill(root: &Path, clock: i64, micros: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child_that_is_killed", "--exact", "--nocapture", "--test-threads=1"])
        .env("VIGIE_TEST_KILLED", root)
        .env("VIGIE_TEST_CLOCK", clock.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_micros(micros);
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!said.contains("panicked"), "{said}");
    let whole_lines = &said[..said.rfind('\n').map_or(0, |end| end + 1)];
    whole_lines.lines().filter_map(|l| l.strip_prefix("synced ")?.parse::<u64>().ok()).max().unwrap_or(0)
}

/// Fifty times here, 1,000 times with VIGIE_LONG=1. The clock goes on by 12 hours each time; now and then the next child
/// finds what the one before has left, and is killed while it recovers.
#[test]
fn killed_at_any_moment_the_store_is_whole_each_time() {
    let rounds = if std::env::var_os("VIGIE_LONG").is_some() { 1_000 } else { 50 };
    let folder = Folder::new("killed");
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = move |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice >> 11) % sides
    };
    // Fragments of each day that are there, or were said to be synced.
    let mut promised: BTreeMap<Day, u64> = BTreeMap::new();
    let mut told = 0;
    for round in 0..rounds {
        let clock = round * 43_200_000_000;
        let synced = run_and_kill(&folder.0, clock, 20_000 + roll(120_000));
        told += synced;
        // What it wrote goes into this day: the clock starts at 05:14 or 17:14, and no child comes as far as midnight.
        *promised.entry(Day::of(START.plus(clock))).or_default() += synced;
        if roll(4) == 0 {
            run_and_kill(&folder.0, clock + 3_600_000_000, 1_000 + roll(30_000));
        }
        let (mut writer, _) =
            Writer::open(FileStorage::new(&folder.0), source(), Options::default()).unwrap();
        while writer.catch_up().unwrap() {}
        drop(writer);
        let mut storage = FileStorage::new(&folder.0);
        // All days at the end; those that may have been touched after each kill.
        let all = store::days(&mut storage, &source()).unwrap();
        let from = if round + 1 == rounds { 0 } else { all.len().saturating_sub(2) };
        for day in &all[from..] {
            let mut findings = vec![];
            let mut check = DayCheck::new(&mut storage, source(), *day, false).unwrap();
            while check.step(&mut storage, &mut findings).unwrap() {}
            findings.retain(|finding| !finding.what.is_note());
            assert_eq!(findings, [], "round {round}");
            let (there, due) = (check.checked().fragments, promised.get(day).copied().unwrap_or(0));
            assert!(there >= due, "round {round}, {day}: {there} of {due}");
            // What the last one did not get to say is there as well, and counts from now on.
            promised.insert(*day, there);
        }
    }
    let there: u64 = promised.values().sum();
    println!("{rounds} kills: {told} fragments said to be synced, {there} there, every index as rebuilt");
    assert!(told > 50, "{told}");
    let listing = Listing::load(&mut FileStorage::new(&folder.0), &source(), Span::ALL).unwrap();
    assert!(listing.gaps.iter().all(|gap| gap.cause == store::Cause::Recorder));
}

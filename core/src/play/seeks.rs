//! How many reads a seek takes, over days with gaps, clocks set back, GOPs in parts, and midnight between; beside an
//! archive that reads its indexes whole.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;
use crate::gix::{
    Builder, Day, FileMark, Flags, FragmentMark, Id, Key, Kid, PageDirectory, PageDirectoryBuilder, Text,
};
use crate::store::Source;
use crate::store::testing::{DAY_START, source};
use crate::time::{Ticks, UtcMicros};

const INIT: usize = 700;
/// Long after all that is recorded here.
const LATER: UtcMicros = UtcMicros(DAY_START + 5 * 86_400_000_000);

/// A step of a recording.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many fragments, each of so many milliseconds; every n-th starts at a random access point.
    Record { fragments: u32, millis: i64, gop: u32 },
    /// The clock leaps, forward or back, by so many milliseconds, and another span begins.
    Leap(i64),
    /// The same within the span: the reports of the camera say another time.
    Slip(i64),
    /// Another init segment.
    Init(u8),
}

/// Files by path: indexes and media as a store would have them.
#[derive(Debug, Default)]
struct World {
    files: BTreeMap<String, Vec<u8>>,
    builders: BTreeMap<Day, (Builder, u32)>,
    number: u32,
    /// The fragments of each day, as recorded.
    by_day: BTreeMap<Day, Vec<u32>>,
    /// Those that start at a random access point.
    starts: BTreeSet<u32>,
}

impl World {
    fn of(start: i64, steps: &[Step]) -> Self {
        let mut world = Self::default();
        let (mut utc, mut dts, mut init, mut counter) = (start, 0, 0_u8, 0);
        let mut open: Option<(Key, Id, i64)> = None;
        for step in steps {
            match *step {
                Step::Record { fragments, millis, gop } => {
                    for n in 0..fragments {
                        let key_picture = n % gop == 0;
                        if open.is_none_or(|(key, _, _)| key_picture && utc - key.utc.0 >= 60_000_000) {
                            open = Some(world.file(utc, counter, init));
                            counter += 1;
                        }
                        let (key, id, _) = open.unwrap();
                        let flags = Flags::default().with(Flags::RANDOM_ACCESS, key_picture);
                        world.fragment(key, id, utc, dts, millis, flags);
                        utc += millis * 1_000 + i64::from(n % 3) - 1;
                        dts += millis * 90;
                    }
                }
                Step::Leap(millis) => {
                    (utc, dts, counter, open) = (utc + millis * 1_000, dts + 900_000, 0, None);
                }
                Step::Slip(millis) => utc += millis * 1_000,
                Step::Init(n) => (init, open) = (n, None),
            }
        }
        world
    }

    fn file(&mut self, utc: i64, counter: u32, init: u8) -> (Key, Id, i64) {
        let mut key = Key { utc: UtcMicros(utc), counter };
        let path = |key| alloc::format!("{}/{key}", source());
        while self.files.contains_key(&path(key)) {
            key.utc = key.utc.plus(1);
        }
        let (builder, ordinal) = self.builders.entry(key.day()).or_default();
        let id = FileMark::id_of("vannes", "port-1", key);
        let bytes = vec![init; INIT];
        let mark = FileMark {
            ordinal: *ordinal,
            key,
            init_len: INIT as u32,
            head_len: 3_068,
            id,
            kid: Kid([init / 4; 16]),
            size: (640, 360),
            codec: Text::new("avc1.640028").unwrap(),
            tenant: Text::new("vannes").unwrap(),
            camera: Text::new("port-1").unwrap(),
            trimmed: false,
        };
        builder.file(&mark, &bytes);
        *ordinal += 1;
        self.files.insert(path(key), [bytes, vec![0; 3_068 - INIT]].concat());
        (key, id, utc)
    }

    fn fragment(&mut self, key: Key, id: Id, utc: i64, dts: i64, millis: i64, flags: Flags) {
        let body = self.number.to_be_bytes();
        let len = FragmentMark::LEN as u32 + 4;
        let mark = FragmentMark {
            source: 2,
            flags,
            utc: UtcMicros(utc),
            error: 0,
            lost: 0,
            dts: Ticks(dts),
            offset: 0,
            duration: (millis * 90) as u32,
            samples: 1,
            first_sample_end: len,
            len,
            number: 0,
            file: Id::default(),
            crc: 0,
        };
        let mut head = mark.write();
        let mark = FragmentMark::seal(&mut head, &[body], id, self.number).unwrap();
        let file = self.files.get_mut(&alloc::format!("{}/{key}", source())).unwrap();
        let offset = file.len() as u64;
        file.extend([&head[..], &body].concat());
        let index = self.files.entry(crate::store::index_path(&source(), key.day())).or_default();
        self.builders.get_mut(&key.day()).unwrap().0.fragment(offset, &mark, index);
        self.by_day.entry(key.day()).or_default().push(self.number);
        if flags.has(Flags::RANDOM_ACCESS) {
            self.starts.insert(self.number);
        }
        self.number += 1;
    }

    /// Which of all that the recording gives a fragment is: day by day, and each in the order of the recording. A clock set back
    /// over midnight makes that another order than the recording's.
    fn ranks(&self, fragments: &[u32]) -> Vec<u32> {
        let order: Vec<_> = self.by_day.values().flatten().collect();
        fragments.iter().map(|n| order.iter().position(|at| *at == n).unwrap() as u32).collect()
    }

    /// The directory of a day, of the first `len` bytes of its index.
    fn directory(&self, day: Day, len: usize) -> Option<Vec<u8>> {
        let index = self.files.get(&crate::store::index_path(&source(), day))?;
        let mut builder = PageDirectoryBuilder::new(day);
        builder.push(&index[..len.min(index.len())]).unwrap();
        builder.write(|key, init| {
            let file = &self.files[&alloc::format!("{}/{key}", source())];
            Some(file[..init.len as usize].to_vec())
        })
    }
}

/// A reader over HTTP: counts what it reads, but for directories.
struct Reader<'a> {
    world: &'a World,
    archive: Archive,
    directories: bool,
    /// Bytes of each index that a directory tells of; the rest came later.
    told: usize,
    /// Directories made before.
    made: BTreeMap<Day, Option<Vec<u8>>>,
    reads: usize,
    most: usize,
}

/// Was a clock set back?
#[derive(Clone, Copy, Debug)]
enum Stepped {
    No,
    /// Over midnight: two days may hold a moment.
    Days,
    Within,
}

/// What a reader is given, the bytes told by their number.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Got {
    Init(u8),
    Fragment(u32, bool),
    Other(alloc::boxed::Box<Output>),
}

impl<'a> Reader<'a> {
    fn new(world: &'a World, directories: bool) -> Self {
        let archive = Archive::new(source());
        Self { world, archive, directories, told: usize::MAX, made: BTreeMap::new(), reads: 0, most: 0 }
    }

    fn pull(&mut self) -> Option<Got> {
        loop {
            match self.archive.pull()? {
                Output::Read { path, offset, len } => self.answer(&path, offset as usize, len),
                Output::Init { bytes, .. } => return Some(Got::Init(bytes[0])),
                Output::Fragment { bytes, continues, .. } => {
                    let number = bytes[FragmentMark::LEN..].try_into().unwrap();
                    return Some(Got::Fragment(u32::from_be_bytes(number), continues));
                }
                other => return Some(Got::Other(other.into())),
            }
        }
    }

    fn answer(&mut self, path: &str, offset: usize, len: usize) {
        if let Some(day) = path.strip_suffix(".pages") {
            let day = day.rsplit('/').next().unwrap().parse().unwrap();
            let make = || self.world.directory(day, self.told).filter(|_| self.directories);
            match self.made.entry(day).or_insert_with(make).clone() {
                Some(bytes) => {
                    assert!(bytes.len() <= PageDirectory::MOST && len == PageDirectory::MOST && offset == 0);
                    self.archive.filled(bytes);
                }
                None => self.archive.absent(),
            }
            return;
        }
        match self.world.files.get(path) {
            Some(file) => {
                self.reads += 1;
                self.most = self.most.max(len);
                self.archive.filled(file[offset.min(file.len())..(offset + len).min(file.len())].to_vec());
            }
            None => self.archive.absent(),
        }
    }

    /// Goes to a moment, and gives what comes up to the first fragment.
    fn seek(&mut self, utc: UtcMicros, now: UtcMicros) -> Vec<Got> {
        self.archive.seek(utc);
        (self.reads, self.most) = (0, 0);
        self.archive.next(now);
        self.drain()
    }

    fn drain(&mut self) -> Vec<Got> {
        core::iter::from_fn(|| self.pull()).collect()
    }

    fn next(&mut self, now: UtcMicros) -> Vec<Got> {
        self.archive.next(now);
        self.drain()
    }

    fn back(&mut self, now: UtcMicros) -> Vec<Got> {
        self.archive.back(now);
        self.drain()
    }

    /// Do the directories say that a clock was set back: within a day, or over midnight, so that two days may hold the moment?
    fn stepped(&self, utc: UtcMicros) -> Stepped {
        let all: Vec<_> = self.made.values().flatten().map(|d| PageDirectory::parse(d).unwrap()).collect();
        let held = all.iter().filter(|d| d.candidates(utc, false).is_some()).count();
        if all.iter().any(PageDirectory::is_stepped) {
            Stepped::Within
        } else if held > 1 {
            Stepped::Days
        } else {
            Stepped::No
        }
    }
}

fn fragments(got: &[Got]) -> Vec<u32> {
    got.iter().filter_map(|got| if let Got::Fragment(n, _) = got { Some(*n) } else { None }).collect()
}

fn steps(back: bool) -> impl Strategy<Value = Vec<Step>> {
    let record = (
        1_u32..400,
        prop_oneof![Just(2_000_i64), Just(1_000), Just(10_000)],
        prop_oneof![4 => Just(1_u32), 1 => Just(40), 1 => Just(300)],
    )
        .prop_map(|(fragments, millis, gop)| Step::Record { fragments, millis, gop });
    let least = if back { -900_000 } else { 0 };
    let leap = (least..3_000_000_i64).prop_map(Step::Leap);
    let slip = (if back { -5_000 } else { 0 }..5_000_i64).prop_map(Step::Slip);
    let init = (0_u8..9).prop_map(Step::Init);
    prop::collection::vec(prop_oneof![4 => record, 2 => leap, 1 => slip, 1 => init], 1..12)
}

/// Seeks to many moments by directories, and by whole indexes: the same is given. `back`: a clock may have been set back.
fn compare(world: &World, from: i64, back: bool, probes: &[f64]) -> Result<(), TestCaseError> {
    let (mut paged, mut whole) = (Reader::new(world, true), Reader::new(world, false));
    for probe in probes {
        let utc = UtcMicros(from + (30_000_000_000.0 * probe) as i64);
        let got = paged.seek(utc, LATER);
        prop_assert_eq!(&got, &whole.seek(utc, LATER), "{}", utc);
        let most = match paged.stepped(utc) {
            Stepped::Within if back => usize::MAX,
            Stepped::Days if back => 3,
            _ => 2,
        };
        prop_assert!(paged.reads <= most, "{} reads for {}", paged.reads, utc);
        prop_assert!(paged.most <= 256 << 10);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Days with gaps, several init segments and GOPs in parts, and midnight somewhere: two reads at most, whatever the moment.
    #[test]
    fn two_reads_find_any_moment(
        start in -7_000_000_000_i64..7_000_000_000, steps in steps(false), probes in prop::collection::vec(-0.02..1.02_f64, 40),
    ) {
        let world = World::of(DAY_START + start, &steps);
        compare(&world, DAY_START + start, false, &probes)?;
    }

    /// Clocks set back as well: the same is found as by the whole index, though perhaps by more reads, of which the directory tells.
    #[test]
    fn clocks_set_back_change_nothing_but_the_count(
        start in -7_000_000_000_i64..7_000_000_000, steps in steps(true), probes in prop::collection::vec(-0.02..1.02_f64, 40),
    ) {
        let world = World::of(DAY_START + start, &steps);
        compare(&world, DAY_START + start, true, &probes)?;
    }

    /// Forwards to the end, and backwards to the start: what both readers give, and each GOP once.
    #[test]
    fn forwards_and_backwards(
        start in -7_000_000_000_i64..7_000_000_000, steps in steps(true), probe in 0.0..1.0_f64,
    ) {
        let world = World::of(DAY_START + start, &steps);
        let utc = UtcMicros(DAY_START + start + (30_000_000_000.0 * probe) as i64);
        let (mut paged, mut whole) = (Reader::new(&world, true), Reader::new(&world, false));
        let first = paged.seek(utc, LATER);
        prop_assert_eq!(&first, &whole.seek(utc, LATER));
        let mut all = world.ranks(&fragments(&first));
        loop {
            let got = paged.next(LATER);
            prop_assert_eq!(&got, &whole.next(LATER));
            if fragments(&got).is_empty() { break; }
            all.extend(world.ranks(&fragments(&got)));
        }
        prop_assert!(all.windows(2).all(|w| w[0] + 1 == w[1]), "all, in the order of the recording");
        prop_assert!(all.last().is_none_or(|last| last + 1 == world.number), "to the end");
        // From the end to the very start.
        let mut gops: Vec<Vec<u32>> = vec![];
        loop {
            let got = paged.back(LATER);
            prop_assert_eq!(&got, &whole.back(LATER));
            if fragments(&got).is_empty() { break; }
            gops.push(world.ranks(&fragments(&got)));
        }
        gops.reverse();
        let joined = gops.concat();
        prop_assert_eq!(&joined, &(0..joined.len() as u32).collect::<Vec<_>>());
        // Where nothing was found after the moment, all is before it; else all but the GOP given last.
        let order: Vec<_> = world.by_day.values().flatten().collect();
        let rest = &order[joined.len()..];
        prop_assert_eq!(rest.is_empty(), all.is_empty());
        prop_assert!(rest.iter().skip(1).all(|number| !world.starts.contains(number)), "no GOP is left out");
        // And forwards again behind the first GOP.
        if let Some(gop) = gops.first() {
            let next = world.ranks(&fragments(&paged.next(LATER)));
            prop_assert!(next.is_empty() || next == [gop.last().unwrap() + 1]);
        }
    }

    #[test]
    fn any_bytes_are_a_directory_or_an_error(mut bytes in prop::collection::vec(any::<u8>(), 0..400), flip in 0.0..1.0_f64, bit in 0_u8..8) {
        let _ = PageDirectory::parse(&bytes);
        let world = World::of(DAY_START, &[Step::Record { fragments: 90, millis: 2_000, gop: 1 }]);
        bytes = world.directory(Day::of(UtcMicros(DAY_START)), usize::MAX).unwrap();
        prop_assert!(PageDirectory::parse(&bytes).is_ok());
        let at = (bytes.len() as f64 * flip) as usize;
        bytes[at] ^= 1 << bit;
        prop_assert!(PageDirectory::parse(&bytes).is_err());
    }
}

/// `docs/format.md` §3.5 and §3.7: a day at a fragment each 2 s; another, an entry of whose directory stands for two pages.
#[test]
fn a_day_has_a_directory_of_sixteen_kilobytes() {
    for millis in [2_000, 1_400] {
        let all = [Step::Record { fragments: (86_400_000 / millis) as u32, millis, gop: 1 }];
        let world = World::of(DAY_START, &all);
        let day = Day::of(UtcMicros(DAY_START));
        let bytes = world.directory(day, usize::MAX).unwrap();
        let directory = PageDirectory::parse(&bytes).unwrap();
        assert!(bytes.len() <= PageDirectory::MOST, "{}", bytes.len());
        if millis == 2_000 {
            assert_eq!(bytes.len(), 48 + 514 * 20 + 106 + INIT + 4, "told in format.md");
        }
        let mut reader = Reader::new(&world, true);
        for second in (0..86_400).step_by(3_511) {
            let utc = UtcMicros(DAY_START + second * 1_000_000 + 137_000);
            let got = reader.seek(utc, LATER);
            assert_eq!(fragments(&got), [((second * 1_000 + 137) / millis) as u32], "{utc}");
            assert_eq!(got[0], Got::Init(0), "the init segment comes with the directory");
            assert!(reader.reads <= 2 && reader.most <= 8 * 4_096, "{} {}", reader.reads, reader.most);
        }
        assert!(!directory.is_stepped() && !directory.is_damaged());
    }
}

/// The directory was fetched when the day was young; what came since is found by it.
#[test]
fn a_directory_of_the_morning_does_for_the_day() {
    let world = World::of(DAY_START, &[Step::Record { fragments: 5_000, millis: 2_000, gop: 1 }]);
    let now = UtcMicros(DAY_START + 10_000_000_000);
    let mut reader = Reader::new(&world, true);
    reader.told = 4_096 * 40 + 1_000;
    for second in (0..9_999).step_by(331) {
        let utc = UtcMicros(DAY_START + second * 1_000_000);
        let mut fresh = Reader::new(&world, true);
        fresh.told = reader.told;
        for reader in [&mut reader, &mut fresh] {
            assert_eq!(fragments(&reader.seek(utc, now)), [(second / 2) as u32], "{utc}");
            assert!(reader.reads <= 2, "{} reads for {utc}", reader.reads);
        }
    }
}

/// An init segment is two records; the second may stand in the next page.
#[test]
fn an_init_segment_in_two_pages_costs_no_read() {
    for fragments in 70..100 {
        let record = |fragments| Step::Record { fragments, millis: 2_000, gop: 1 };
        let world = World::of(DAY_START, &[record(fragments), Step::Init(1), record(300)]);
        for second in (0..2 * i64::from(fragments) + 600).step_by(13) {
            let utc = UtcMicros(DAY_START + second * 1_000_000 + 500_000);
            let mut reader = Reader::new(&world, true);
            let got = reader.seek(utc, LATER);
            assert_eq!(got, Reader::new(&world, false).seek(utc, LATER), "{fragments} {second}");
            assert!(reader.reads <= 2, "{fragments} {second}: {} reads", reader.reads);
        }
    }
}

/// Retention has made the index anew since: the directory is asked for again.
#[test]
fn a_directory_of_another_index_is_asked_for_again() {
    let old = World::of(DAY_START, &[Step::Record { fragments: 500, millis: 2_000, gop: 1 }]);
    let new = World::of(DAY_START + 400_000_000, &[Step::Record { fragments: 300, millis: 2_000, gop: 1 }]);
    let mut reader = Reader::new(&old, true);
    reader.seek(UtcMicros(DAY_START), LATER);
    reader.world = &new;
    reader.made.clear();
    let got = reader.seek(UtcMicros(DAY_START + 900_000_000), LATER);
    assert_eq!(fragments(&got), [250]);
}

#[test]
fn from_key_picture_to_key_picture() {
    let world = World::of(DAY_START, &[Step::Record { fragments: 12, millis: 2_000, gop: 4 }]);
    let mut reader = Reader::new(&world, true);
    // Decoding starts with the GOP's first part.
    assert_eq!(fragments(&reader.seek(UtcMicros(DAY_START + 13_000_000), LATER)), [4]);
    let key = |reader: &mut Reader<'_>| {
        reader.archive.next_key(LATER);
        fragments(&reader.drain())
    };
    assert_eq!(key(&mut reader), [8]);
    assert!(key(&mut reader).is_empty());
    assert_eq!(fragments(&reader.back(LATER)), [4, 5, 6, 7]);
    assert_eq!(fragments(&reader.back(LATER)), [0, 1, 2, 3]);
    assert_eq!(reader.back(LATER), [Got::Other(Output::End.into())]);
    assert_eq!(key(&mut reader), [4]);
}

/// Whose camera does not matter here.
#[test]
fn the_reads_are_of_the_source() {
    let source = Source::new("a", "b").unwrap();
    let mut archive = Archive::new(source);
    archive.seek(UtcMicros(DAY_START));
    archive.next(LATER);
    let Some(Output::Read { path, .. }) = archive.pull() else { panic!() };
    assert_eq!(path, alloc::format!("{}/2026-11-22.pages", source));
}

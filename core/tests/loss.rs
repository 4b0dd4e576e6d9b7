//! Streams of encoders and of the conformance suites through packets that get lost: no access unit that something is
//! missing from comes out as whole, none that is whole is doubted without a reason, and every packet is accounted for.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use vigie::depacket::{AccessUnit, AnnexBReader, Depacketizer, Place};
use vigie::fault::LossPolicy;
use vigie::h26x::{Codec, NalKind, nal_units};
use vigie::limits::Limits;
use vigie::octets::Reader;
use vigie::packetize::{Framing, Packetizer};
use vigie::reorder::Reorder;
use vigie::time::Micros;

/// Ticks from one picture to the next.
const STEP: u32 = 3_600;
/// Pictures of a stream that are taken.
const PICTURES: usize = 150;

fn pictures(codec: Codec, bytes: &[u8]) -> Vec<AccessUnit> {
    let mut reader = AnnexBReader::new(codec, &Limits::default());
    reader.push(bytes);
    reader.finish();
    std::iter::from_fn(|| reader.pull()).take(PICTURES).collect()
}

/// The packets of each picture.
fn packets(codec: Codec, pictures: &[AccessUnit], mtu: usize) -> Vec<Vec<Vec<u8>>> {
    let mut packetizer = Packetizer::new(codec, 9, 96, 65_300, mtu);
    let split = |out: &[u8]| {
        let mut reader = Reader::new(out);
        std::iter::from_fn(|| reader.u16().and_then(|n| reader.take(n.into())).map(<[u8]>::to_vec)).collect()
    };
    let mut all = vec![];
    for (picture, timestamp) in pictures.iter().zip((0_u32..).step_by(STEP as usize)) {
        let mut out = BytesMut::new();
        packetizer.packetize(&picture.data, timestamp, Framing::Bare, &mut out);
        all.push(split(&out));
    }
    all
}

/// Numbers that look random, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Which packets are lost: single ones, or in bursts; never the very first, and none of the last picture: what is lost
/// at the ends nobody can know.
fn losses(packets: &[Vec<Vec<u8>>], one_in: u64, burst: u64, seed: u64) -> Vec<bool> {
    let mut random = Random(seed);
    let count = packets.iter().map(Vec::len).sum();
    let end = count - packets.last().map_or(0, Vec::len);
    let mut lost = vec![false; count];
    let mut at = 1;
    while at < end {
        if random.below(one_in) == 0 {
            for _ in 0..=random.below(burst) {
                if at < end {
                    lost[at] = true;
                }
                at += 1;
            }
        }
        at += 1;
    }
    lost
}

fn receive(
    codec: Codec,
    limits: &Limits,
    mut reorder: Reorder,
    packets: &[&Vec<u8>],
) -> (Vec<AccessUnit>, u64) {
    let mut depacketizer = Depacketizer::new(codec, limits);
    let mut units = vec![];
    for packet in packets {
        if let Some(ordered) = reorder.push(packet, Micros(0)) {
            depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
        }
        while let Some(ordered) = reorder.pull() {
            depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
        }
        units.extend(std::iter::from_fn(|| depacketizer.pull()));
    }
    reorder.finish();
    while let Some(ordered) = reorder.pull() {
        depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
    }
    depacketizer.finish();
    units.extend(std::iter::from_fn(|| depacketizer.pull()));
    (units, reorder.stats().lost)
}

struct Stream {
    name: String,
    codec: Codec,
    sent: Vec<Bytes>,
    packets: Vec<Vec<Vec<u8>>>,
    /// Its access units start with delimiters or parameter sets where decoding can start.
    random_access: Vec<bool>,
}

impl Stream {
    fn new(name: &str, codec: Codec, bytes: &[u8], mtu: usize) -> Self {
        let pictures = pictures(codec, bytes);
        Self {
            name: name.to_owned(),
            codec,
            packets: packets(codec, &pictures, mtu),
            random_access: pictures.iter().map(|unit| unit.random_access.is_some()).collect(),
            sent: pictures.into_iter().map(|unit| unit.data).collect(),
        }
    }

    fn slices(&self) -> usize {
        let count =
            |unit: &Bytes| nal_units(unit).filter(|nal| nal.kind(self.codec) == NalKind::Slice).count();
        self.sent.iter().map(count).max().unwrap_or(0)
    }

    /// Is this unit, byte for byte, the picture of its timestamp?
    fn holds(&self, unit: &AccessUnit) -> bool {
        self.sent.get((unit.timestamp / STEP) as usize) == Some(&unit.data)
    }

    /// Every packet of the picture arrived, and the one before it, which tells that nothing precedes it.
    fn safe(&self, lost: &[bool]) -> Vec<bool> {
        let mut at = 0;
        let safe = self.packets.iter().map(|packets| {
            let own = at..at + packets.len();
            at = own.end;
            lost[own.start.saturating_sub(1)..own.end].iter().all(|lost| !lost)
        });
        safe.collect()
    }

    fn check(&self, one_in: u64, burst: u64, seed: u64) -> (usize, usize) {
        let all: Vec<&Vec<u8>> = self.packets.iter().flatten().collect();
        let lost = losses(&self.packets, one_in, burst, seed);
        let arrived: Vec<_> = all.iter().zip(&lost).filter(|(_, lost)| !**lost).map(|(p, _)| *p).collect();
        let context = format!("{} 1/{one_in} burst {burst} seed {seed}", self.name);
        let (units, told) = receive(self.codec, &Limits::default(), Reorder::in_order(), &arrived);
        for unit in units.iter().filter(|unit| !unit.loss.incomplete) {
            assert!(self.holds(unit), "{context}: picture {} is not whole", unit.timestamp / STEP);
            assert!(matches!(unit.loss.place, None | Some(Place::Before)), "{context}");
            assert_eq!(unit.loss.place.is_none(), unit.loss.packets == 0, "{context}");
        }
        let counted: u64 = units.iter().map(|unit| u64::from(unit.loss.packets)).sum();
        let missing = lost.iter().filter(|lost| **lost).count() as u64;
        assert_eq!((counted, told), (missing, missing), "{context}");
        let safe = self.safe(&lost);
        // Until markers are believed, what follows a picture tells of it.
        for (n, _) in safe.iter().enumerate().skip(4).filter(|(_, safe)| **safe) {
            let whole = |unit: &AccessUnit| (unit.timestamp / STEP) as usize == n && !unit.loss.incomplete;
            assert!(units.iter().any(whole), "{context}: picture {n} is whole, and doubted");
        }
        self.check_withheld(&arrived, &units, &context);
        (units.iter().filter(|unit| !unit.loss.incomplete).count(), units.len())
    }

    /// Withheld: what comes out is whole, and between a loss and what comes out next is a random access point.
    fn check_withheld(&self, arrived: &[&Vec<u8>], marked: &[AccessUnit], context: &str) {
        let mut limits = limits();
        limits.loss = LossPolicy::Withhold;
        let (units, _) = receive(self.codec, &limits, Reorder::in_order(), arrived);
        let mut broken = false;
        let mut expected = marked.iter().filter(|unit| {
            broken |= unit.loss.incomplete || unit.loss.packets > 0;
            broken &= unit.loss.incomplete || unit.random_access.is_none();
            !broken
        });
        for unit in &units {
            assert!(self.holds(unit) && !unit.loss.incomplete, "{context}");
            // Leading pictures of an open group are left out besides.
            assert!(expected.any(|marked| marked.data == unit.data), "{context}: {}", unit.timestamp / STEP);
        }
    }
}

fn limits() -> Limits {
    Limits::default()
}

fn clips() -> Vec<(String, Codec, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/cli/clips");
    let mut clips: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    clips.sort();
    clips.into_iter().filter_map(|path| load(&path)).collect()
}

fn load(path: &Path) -> Option<(String, Codec, Vec<u8>)> {
    let codec = match path.extension()?.to_str()? {
        "h264" | "264" => Codec::H264,
        "h265" | "265" => Codec::H265,
        _ => return None,
    };
    Some((path.file_name()?.to_str()?.to_owned(), codec, std::fs::read(path).unwrap()))
}

#[test]
fn no_picture_of_the_clips_is_taken_for_whole_that_is_not() {
    let clips = clips();
    assert!(clips.len() >= 4);
    for (name, codec, bytes) in &clips {
        for (mtu, one_in, burst) in
            [(1_400, 50, 1), (300, 100, 1), (1_400, 200, 30), (300, 20, 2), (1_400, 8, 4)]
        {
            let stream = Stream::new(name, *codec, bytes, mtu);
            for seed in 0..6 {
                let (whole, all) = stream.check(one_in, burst, seed);
                assert!(all > 0 && (one_in < 100 || whole * 3 > all), "{name}: {whole} of {all}");
            }
        }
        let stream = Stream::new(name, *codec, bytes, 1_400);
        assert!(stream.random_access.iter().filter(|at| **at).count() > 1, "{name}");
        assert_eq!(stream.check(u64::MAX, 1, 0), (stream.sent.len(), stream.sent.len()), "{name}");
    }
}

/// As UDP delivers: neighbours change places, packets come twice, some not at all.
#[test]
fn disorder_and_doubles_make_no_picture_wrong() {
    for (name, codec, bytes) in &clips() {
        let stream = Stream::new(name, *codec, bytes, 1_000);
        let all: Vec<&Vec<u8>> = stream.packets.iter().flatten().collect();
        for seed in 0..4 {
            let lost = losses(&stream.packets, 40, 1, seed);
            let mut arrived: Vec<_> =
                all.iter().zip(&lost).filter(|(_, lost)| !**lost).map(|(p, _)| *p).collect();
            let mut random = Random(seed + 100);
            for at in 2..arrived.len().saturating_sub(20) {
                match random.below(20) {
                    0 => arrived.swap(at, at + random.below(15) as usize),
                    1 => arrived.insert(at + random.below(10) as usize, arrived[at]),
                    _ => {}
                }
            }
            let (units, told) = receive(*codec, &limits(), Reorder::windowed(&limits()), &arrived);
            assert!(units.iter().all(|unit| unit.loss.incomplete || stream.holds(unit)), "{name} {seed}");
            let missing = lost.iter().filter(|lost| **lost).count() as u64;
            let counted: u64 = units.iter().map(|unit| u64::from(unit.loss.packets)).sum();
            assert_eq!((counted, told), (missing, missing), "{name} {seed}");
        }
    }
}

fn vectors() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let folder = std::env::var_os("VIGIE_VECTORS").map_or(default, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var("VIGIE_REQUIRE_VECTORS").is_ok_and(|v| v == "1");
    assert!(!required, "VIGIE_REQUIRE_VECTORS=1, but there is no folder {}", folder.display());
    eprintln!("SKIPPED: no folder {}; VIGIE_VECTORS names it", folder.display());
    None
}

/// Streams with several slices to a picture, fields, arbitrary slice order and more layers than one.
#[test]
fn no_picture_of_the_conformance_streams_is_taken_for_whole_that_is_not() {
    let Some(folder) = vectors() else { return };
    let mut paths: Vec<_> = ["es264", "es265"]
        .iter()
        .flat_map(|of| std::fs::read_dir(folder.join(of)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let (mut streams, mut sliced) = (0, 0);
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        let Some(codec) = vigie::h26x::annexb::detect(&bytes) else { continue };
        let name = path.file_name().unwrap().to_str().unwrap();
        let stream = Stream::new(name, codec, &bytes[..bytes.len().min(1 << 20)], 700);
        if stream.sent.len() < 8 {
            continue;
        }
        streams += 1;
        sliced += usize::from(stream.slices() > 1);
        for (one_in, burst, seed) in [(30, 1, 1), (100, 20, 2)] {
            let (whole, all) = stream.check(one_in, burst, seed);
            println!("{name}: {} slices, 1/{one_in}: {whole} whole of {all}", stream.slices());
        }
    }
    assert!(streams > 50 && sliced >= 5, "{streams} {sliced}");
}

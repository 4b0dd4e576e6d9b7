//! Inputs that other projects' fuzzers found (`vectors/fuzz`), every one of them through every parser: no panic, no
//! more memory and no more time than the caps allow.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use vigie::bmff::moof::{self, Moof};
use vigie::bmff::moov::Moov;
use vigie::bmff::{self, Boxed as _, Boxes};
use vigie::depacket::capture::CaptureReader;
use vigie::depacket::{AnnexBReader, Depacketizer};
use vigie::fragment::{Fragmenter, InitSegment};
use vigie::gix::{Day, FileMark, FragmentMark, Header, Index};
use vigie::h26x::picture::{OrderCounter, Slice};
use vigie::h26x::{Codec, Nal, ParameterSets, annexb, h264, h265, nal_units, sei};
use vigie::limits::Limits;
use vigie::reorder::Reorder;
use vigie::rtp::{RtpPacket, rtcp};
use vigie::rtsp::auth::Challenge;
use vigie::rtsp::framing::{Expected, Input, Item};
use vigie::rtsp::headers::{Range, RtpInfo, SessionId, Transport};
use vigie::rtsp::{Message, Url};
use vigie::sdp::Presentation;
use vigie::time::{Micros, UtcMicros};
use vigie::timeline::ByPictureOrder;
use vigie::view;

/// The system's allocator, knowing what this thread holds and the most that it held.
struct Counting;

thread_local! {
    static HELD: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

fn held(change: impl Fn(usize) -> usize) {
    let _ = HELD.try_with(|held| {
        let (now, most) = held.get();
        let now = change(now);
        held.set((now, most.max(now)));
    });
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        held(|now| now.saturating_add(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        held(|now| now.saturating_sub(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What the caps allow for inputs of a few kilobytes: some buffers of a megabyte each, and the input's own size.
const MOST: usize = 24 << 20;
/// All parsers together, on one input, in a build without optimisation.
const LONGEST: Duration = Duration::from_secs(5);

fn vectors() -> Option<PathBuf> {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let path = std::env::var_os("VIGIE_VECTORS").map_or(default, PathBuf::from).join("fuzz");
    let there = path.join("LIST.tsv").exists();
    assert!(there || std::env::var_os("VIGIE_REQUIRE_VECTORS").is_none(), "vectors are required");
    if !there {
        println!("SKIPPED: no vectors at {}", path.display());
    }
    there.then_some(path)
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

/// The byte strings of a file in the format of Go's fuzzer; a file of another kind is one byte string.
fn inputs(file: &[u8]) -> Vec<Vec<u8>> {
    let Some(text) = file.strip_prefix(b"go test fuzz v1\n") else { return vec![file.to_vec()] };
    let text = std::str::from_utf8(text).expect("Go quotes what is not text");
    let quoted = |line: &str| {
        let line = line.strip_prefix("[]byte(").or(line.strip_prefix("string("))?;
        Some(unquote(line.strip_suffix(')')?.strip_prefix('"')?.strip_suffix('"')?))
    };
    text.lines().filter_map(quoted).collect()
}

/// A string literal of Go without its quotes.
fn unquote(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (vec![], text);
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != '\\' {
            out.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let escape = rest.as_bytes()[0];
        rest = &rest[1..];
        let mut number = |digits: usize, radix| {
            let (digits, after) = rest.split_at(digits);
            rest = after;
            u32::from_str_radix(digits, radix).unwrap()
        };
        match escape {
            b'x' => out.push(number(2, 16) as u8),
            b'u' => out.extend(char::from_u32(number(4, 16)).unwrap().to_string().bytes()),
            b'U' => out.extend(char::from_u32(number(8, 16)).unwrap().to_string().bytes()),
            plain => out.push(match plain {
                b'a' => 7,
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'v' => 11,
                other => other,
            }),
        }
    }
    out
}

#[test]
fn go_literals_are_read() {
    let file = b"go test fuzz v1\n[]byte(\"a\\x00\\xff\\n\\\"\\u00e9\\v\")\nint(3)\nstring(\"\")\n";
    assert_eq!(inputs(file), [&b"a\0\xff\n\"\xc3\xa9\x0b"[..], b""]);
}

#[test]
fn every_input_goes_through_every_parser() {
    let Some(vectors) = vectors() else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz-inputs");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let archive = vectors.join("go_fuzz_and_sdp_rtp_rtcp_corpora.tar.gz");
    let unpacked = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(&folder).status().unwrap();
    assert!(unpacked.success());
    let mut paths = vec![];
    files(&folder, &mut paths);
    let (mut slowest, mut largest, mut count) = (Duration::ZERO, 0, 0);
    for path in &paths {
        for bytes in inputs(&std::fs::read(path).unwrap()) {
            let (before, _) = HELD.get();
            HELD.set((before, before));
            let started = Instant::now();
            everything(&bytes);
            let (took, most) = (started.elapsed(), HELD.get().1 - before);
            assert!(took < LONGEST, "{}: {took:?}", path.display());
            assert!(most < MOST, "{}: {most} bytes", path.display());
            (slowest, largest, count) = (slowest.max(took), largest.max(most), count + 1);
        }
    }
    let listed = std::fs::read_to_string(vectors.join("LIST.tsv")).unwrap().lines().count();
    println!("{} files, {count} inputs; {slowest:?} and {} KiB at most", paths.len(), largest >> 10);
    assert_eq!(paths.len(), listed);
    assert!(listed >= 469 && count >= listed);
    std::fs::remove_dir_all(folder).unwrap();
}

/// Whatever reads bytes of a peer or of a disk.
fn everything(bytes: &[u8]) {
    let limits = Limits::default();
    rtsp(bytes, &limits);
    let _ = Presentation::parse(Bytes::copy_from_slice(bytes), &limits).map(|p| p.media.len());
    rtp(bytes, &limits);
    for codec in [Codec::H264, Codec::H265] {
        h26x(bytes, codec);
        elementary_stream(bytes, codec, &limits);
        for packets in [vec![bytes], cut(bytes)] {
            depacketize(&packets, codec, &limits);
        }
    }
    capture(bytes, &limits);
    containers(bytes);
    index(bytes);
}

fn rtsp(bytes: &[u8], limits: &Limits) {
    for prefix in [&b""[..], b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"] {
        let mut input = Input::new(limits);
        let mut rest = &[prefix, bytes].concat()[..];
        'connection: loop {
            let taken = input.copy(rest);
            rest = &rest[taken..];
            loop {
                match input.next(&Expected::default()) {
                    Ok(Some(Item::Interleaved { range, .. })) => assert!(input.bytes(range).len() <= 65_535),
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(_) => break 'connection,
                }
            }
            if rest.is_empty() {
                break;
            }
            assert!(taken > 0, "the buffer is full and gives nothing");
        }
    }
    let _ = Message::parse(bytes, Bytes::new());
    let text = String::from_utf8_lossy(bytes);
    let _ = (Url::parse(&text), Range::parse(&text), SessionId::parse(&text), RtpInfo::parse_all(&text));
    let _ = (Transport::parse_all(&text).count(), Challenge::parse_all([&*text].into_iter()));
}

fn rtp(bytes: &[u8], limits: &Limits) {
    if let Ok(packet) = RtpPacket::parse(bytes) {
        assert!(packet.payload.len() + 12 <= bytes.len());
    }
    assert!(rtcp::parse(bytes).count() <= bytes.len() / 4 + 1);
    let mut reorder = Reorder::windowed(limits);
    for packet in cut(bytes) {
        reorder.push(packet, Micros(0));
    }
}

/// As a parameter set, as a slice whose sets are real ones, as messages, as a sample.
fn h26x(bytes: &[u8], codec: Codec) {
    let mut sets = ParameterSets::new(codec);
    let _ = (h264::Sps::parse(bytes), h264::SubsetSps::parse(bytes), h264::Pps::parse(bytes, None));
    let _ = (h265::Vps::parse(bytes), h265::Sps::parse(bytes), h265::Pps::parse(bytes));
    let headers: &[&[u8]] = match codec {
        Codec::H264 => &[&[0x67], &[0x68], &[0x6f], &[0x65], &[0x41], &[0x06]],
        _ => &[&[64, 1], &[66, 1], &[68, 1], &[38, 1], &[2, 1], &[42, 1], &[78, 1]],
    };
    for nal in real_sets(codec) {
        sets.insert(&nal).unwrap();
    }
    let mut counter = OrderCounter::new(codec);
    for header in headers {
        for nal in [[*header, bytes].concat(), bytes.to_vec()] {
            let slice = Slice::read(Nal::new(&nal), codec, &sets);
            let _ = (counter.count(&slice, &sets), slice.relation(&slice));
            for message in sei::messages(Nal::new(&nal), codec) {
                let _ = (message.payload(), message.recovery_point(codec), message.user_data_unregistered());
            }
            let mut others = sets.clone();
            let _ = others.insert(&nal);
            let _ = (others.format(), sets.change(&others), others.needed().count());
            let _ = InitSegment::new(others.into()).map(|init| InitSegment::parse(&init.bytes).unwrap());
        }
    }
    let _ = (nal_units(bytes).count(), annexb::units(bytes).count(), annexb::detect(bytes));
}

/// Of x264 and x265, 640x360 and 1920x1080.
fn real_sets(codec: Codec) -> Vec<Vec<u8>> {
    let hex = |text: &str| {
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
    };
    match codec {
        Codec::H264 => vec![hex("67640016ac3b505017fcb0800001f400004e2042"), hex("68ebe3cb22c0")],
        _ => vec![
            hex("40010c01ffff016000000300900000030000030078959809"),
            hex("420101016000000300900000030000030078a003c08010e596666924cae010000003001000000301e080"),
            hex("4401c172b46240"),
        ],
    }
}

fn elementary_stream(bytes: &[u8], codec: Codec, limits: &Limits) {
    let mut reader = AnnexBReader::new(codec, limits);
    let mut times = ByPictureOrder::new(limits);
    let mut fragmenter = Fragmenter::new(limits);
    let sets =
        real_sets(codec).into_iter().flat_map(|set| [&[0, 0, 1], &set[..]].concat()).collect::<Vec<_>>();
    for piece in [&sets[..], &[0, 0, 1], bytes, &[0, 0, 1, 0x65, 0x88], bytes] {
        reader.push(piece);
    }
    reader.finish();
    while let Some(unit) = reader.pull() {
        assert!(unit.data.len() <= limits.access_unit);
        times.push(unit);
    }
    times.finish();
    while let Some(group) = times.pull() {
        fragmenter.push(group).unwrap();
    }
    assert!(std::iter::from_fn(|| fragmenter.pull()).count() <= 2 * bytes.len() + 4);
}

/// Packets behind lengths of 4 bytes, the lowest first, as the depacketizers' fuzzers of `gortsplib` have them.
fn cut(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut packets, mut rest) = (vec![], bytes);
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        let (packet, after) = after.split_at((u32::from_le_bytes(*len) as usize).min(after.len()));
        packets.push(packet);
        rest = after;
    }
    packets
}

/// As packets, and as payloads of packets.
fn depacketize(packets: &[&[u8]], codec: Codec, limits: &Limits) {
    let mut depacketizer = Depacketizer::new(codec, limits);
    for (n, bytes) in packets.iter().enumerate() {
        let mut header = vec![0x80, 0x80 | 96, 0, n as u8, 0, 0, 0, (n / 3) as u8, 0, 0, 0, 1];
        header.extend_from_slice(bytes);
        for packet in [&header[..], bytes].into_iter().filter_map(|bytes| RtpPacket::parse(bytes).ok()) {
            depacketizer.push(&packet, Micros(n as u64), (n % 5 == 4).into());
            while let Some(unit) = depacketizer.pull() {
                assert_eq!(
                    nal_units(&unit.data).map(|nal| nal.bytes.len() + 4).sum::<usize>(),
                    unit.data.len()
                );
            }
        }
    }
    depacketizer.finish();
    while depacketizer.pull().is_some() {}
}

fn capture(bytes: &[u8], limits: &Limits) {
    let magics: [&[u8]; 4] = [
        b"",
        b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0",
        b"$\0",
        b"\x0a\x0d\x0d\x0a",
    ];
    for magic in magics {
        let mut reader = CaptureReader::new(limits);
        reader.push(&[magic, bytes].concat());
        reader.finish();
        while let Ok(Some(_)) = reader.pull() {}
    }
}

fn containers(bytes: &[u8]) {
    let file = Bytes::copy_from_slice(bytes);
    let _ = InitSegment::parse(&file);
    let _ = view::playback(&file);
    let boxes = Boxes::new(bytes, 0);
    if let Ok(found) = boxes.need(Moov::KIND) {
        let _ = found.parse::<Moov>();
    }
    if let Ok(found) = boxes.need(moof::KIND) {
        let _ = Moof::parse(&found);
    }
    let _ = view::Playback::new().fragment(&mut BytesMut::from(bytes));
    let _ = bmff::walk(boxes, &Limits::default(), &mut |_, found| {
        assert!(found.bytes.len() <= bytes.len());
        Ok(())
    });
}

fn index(bytes: &[u8]) {
    let _ = (Header::parse(bytes), FragmentMark::parse(bytes), FileMark::find(bytes));
    let _ = Index::read(bytes, Day::of(UtcMicros(0)));
}

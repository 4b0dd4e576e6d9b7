//! Decoding times of streams that reorder: what an encoder says of its pictures is what comes out of RTP.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "decoding_times/written.rs"]
mod written;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::{Bytes, BytesMut};
use vigie::depacket::{AccessUnit, AnnexBReader, Depacketizer, RandomAccess};
use vigie::h26x::{Codec, NalKind, annexb, nal_units};
use vigie::limits::Limits;
use vigie::packetize::{Framing, Packetizer};
use vigie::reorder::Reorder;
use vigie::time::Micros;
use vigie::timeline::{ByPictureOrder, Mode, Sample, Timeline};
use written::Shape;

fn ffmpeg() -> bool {
    let there = |tool: &str| Command::new(tool).arg("-version").output().is_ok_and(|o| o.status.success());
    let found = there("ffmpeg") && there("ffprobe");
    if !found {
        println!("SKIPPED: no ffmpeg on this machine");
    }
    found
}

fn run(command: &mut Command) -> Option<Vec<u8>> {
    let output = command.output().unwrap();
    output.status.success().then_some(output.stdout)
}

/// Three seconds, encoded so: Annex B, and what the encoder says of the times, in decoding order.
fn encode(name: &str, codec: Codec, parameters: &str) -> Option<(Vec<u8>, Vec<i64>)> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("times");
    fs::create_dir_all(&folder).unwrap();
    let (mp4, raw) = (folder.join(format!("{name}.mp4")), folder.join(format!("{name}.raw")));
    let (encoder, option, filter, format) = match codec {
        Codec::H264 => ("libx264", "-x264-params", "h264_mp4toannexb", "h264"),
        _ => ("libx265", "-x265-params", "hevc_mp4toannexb", "hevc"),
    };
    let quiet = ["-nostdin", "-v", "error", "-y"];
    let source = ["-f", "lavfi", "-i", "testsrc2=s=192x128:r=25:d=3", "-pix_fmt", "yuv420p", "-threads", "1"];
    run(Command::new("ffmpeg")
        .args(quiet)
        .args(source)
        .args(["-c:v", encoder, "-preset", "ultrafast", "-profile:v", "main", option, parameters])
        .args(["-video_track_timescale", "90000"])
        .arg(&mp4))?;
    run(Command::new("ffmpeg")
        .args(quiet)
        .arg("-i")
        .arg(&mp4)
        .args(["-c", "copy", "-bsf:v", filter, "-f", format])
        .arg(&raw))?;
    let said = run(Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts", "-of", "csv=p=0"])
        .arg(&mp4))?;
    let times = String::from_utf8(said).unwrap();
    let times = times.lines().map(|line| line.trim_end_matches(',').parse().unwrap()).collect();
    Some((fs::read(&raw).unwrap(), times))
}

fn units(bytes: &[u8]) -> Vec<AccessUnit> {
    let mut reader = AnnexBReader::new(annexb::detect(bytes).unwrap(), &Limits::default());
    let mut units = vec![];
    for piece in bytes.chunks(4_099) {
        reader.push(piece);
        units.extend(std::iter::from_fn(|| reader.pull()));
    }
    reader.finish();
    units.extend(std::iter::from_fn(|| reader.pull()));
    units
}

/// Over RTP and through the timeline: the groups, each with the number of pictures that the timeline had when it came
/// out.
fn through(codec: Codec, mode: Mode, pictures: &[(Bytes, i64)]) -> Vec<(usize, Vec<Sample>)> {
    let limits = Limits::default();
    // Timestamp and sequence number wrap on the way.
    let mut packetizer = Packetizer::new(codec, 7, 96, 65_500, 1_400);
    let mut reorder = Reorder::in_order();
    let mut depacketizer = Depacketizer::new(codec, &limits);
    let mut timeline = Timeline::new(mode, &limits);
    let mut out = vec![];
    let mut taken = 0;
    let mut take = |depacketizer: &mut Depacketizer, timeline: &mut Timeline| {
        while let Some(unit) = depacketizer.pull() {
            timeline.push(unit);
            taken += 1;
            out.extend(std::iter::from_fn(|| timeline.pull()).map(|group| (taken, group.samples)));
        }
        taken
    };
    for (n, (unit, pts)) in pictures.iter().enumerate() {
        let mut bytes = BytesMut::new();
        packetizer.packetize(unit, (*pts as u32).wrapping_sub(90_000), Framing::Bare, &mut bytes);
        let mut rest = &bytes[..];
        while let [a, b, tail @ ..] = rest {
            let (packet, after) = tail.split_at(usize::from(*a) << 8 | usize::from(*b));
            rest = after;
            let ordered = reorder.push(packet, Micros(n as u64 * 40_000)).unwrap();
            depacketizer.push(&ordered.packet, ordered.received, ordered.lost_before);
        }
        take(&mut depacketizer, &mut timeline);
    }
    depacketizer.finish();
    let taken = take(&mut depacketizer, &mut timeline);
    timeline.finish();
    out.extend(std::iter::from_fn(|| timeline.pull()).map(|group| (taken, group.samples)));
    out
}

/// How many pictures at most are decoded before one and shown after it.
fn depth(times: &[i64]) -> usize {
    let earlier = |n: usize| times[..n].iter().filter(|before| **before > times[n]).count();
    (0..times.len()).map(earlier).max().unwrap_or(0)
}

/// Holds both modes to the encoder's times; returns the depth of the stream.
fn judge(name: &str, codec: Codec, pictures: &[(Bytes, i64)]) -> usize {
    let times: Vec<i64> = pictures.iter().map(|(_, pts)| *pts).collect();
    let real = depth(&times);
    let mut sorted = times.clone();
    sorted.sort_unstable();
    for mode in [Mode::Recording, Mode::Live] {
        let groups = through(codec, mode, pictures);
        let samples: Vec<&Sample> = groups.iter().flat_map(|(_, samples)| samples).collect();
        assert_eq!(samples.len(), pictures.len(), "{name} {mode:?}");
        let declared = samples[0].unit.parameters.as_ref().unwrap().format().unwrap().reorder;
        let allowed = declared.map_or(real, usize::from);
        assert!(real <= allowed, "{name}: declared {declared:?}, is {real}");
        let ahead = samples[0].pts.0 - times[0];
        for (n, (sample, pts)) in samples.iter().zip(&times).enumerate() {
            assert_eq!(sample.pts.0 - pts, ahead, "{name} {mode:?}: picture {n}");
            assert!(n == 0 || sample.dts > samples[n - 1].dts, "{name} {mode:?}: picture {n}");
            if mode == Mode::Recording || declared.is_some() {
                assert!(sample.dts <= sample.pts, "{name} {mode:?}: picture {n}");
            }
            // No later than a decoder of that depth needs it.
            let late = n.checked_sub(allowed).map(|n| sorted[n] + ahead);
            assert!(late.is_none_or(|late| sample.dts.0 >= late), "{name} {mode:?}: picture {n}");
        }
        let mut last = 0;
        for (taken, group) in groups.iter().filter(|_| mode == Mode::Live) {
            last += group.len();
            assert!(taken - last <= allowed, "{name}: waited for {} pictures", taken - last);
        }
    }
    real
}

#[test]
fn encoders_times_come_out() {
    if !ffmpeg() {
        return;
    }
    let mut seen = std::collections::BTreeSet::new();
    for codec in [Codec::H264, Codec::H265] {
        for (bframes, open, pyramid) in
            (1..=4).flat_map(|n| [(n, 0, 0), (n, 1, 0), (n, 0, 1), (n, 1, 1)]).filter(|c| c.0 > 1 || c.2 == 0)
        {
            let (quiet, pyramid) = match codec {
                Codec::H264 => ("", ["none", "normal"][pyramid]),
                _ => ("log-level=none:pools=1:frame-threads=1:", ["0", "1"][pyramid]),
            };
            let parameters = format!(
                "{quiet}bframes={bframes}:b-adapt=0:b-pyramid={pyramid}:open-gop={open}:keyint=25:min-keyint=25:scenecut=0"
            );
            let name = format!("{codec:?}-{bframes}-{open}-{pyramid}");
            let Some((bytes, times)) = encode(&name, codec, &parameters) else {
                println!("SKIPPED: ffmpeg without the encoder for {name}");
                continue;
            };
            let units = units(&bytes);
            assert_eq!(units.len(), times.len(), "{name}");
            let pictures: Vec<_> = units.into_iter().map(|unit| unit.data).zip(times).collect();
            let depth = judge(&name, codec, &pictures);
            println!("{name}: {} pictures, depth {depth}", pictures.len());
            seen.insert((codec == Codec::H264, depth));
        }
    }
    assert!(seen.contains(&(true, 2)) || seen.is_empty(), "{seen:?}");
}

/// Three and four levels of B pictures, closed and open GOPs, by x265 (`vectors/README.md`).
#[test]
fn deep_hierarchies_of_an_encoder_keep_their_times() {
    for (depth, gop) in [(3, "closed"), (3, "open"), (4, "closed"), (4, "open")] {
        let name = format!("x265-depth-{depth}-{gop}");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
        let bytes = fs::read(folder.join(&name).with_extension("h265")).unwrap();
        let times = fs::read_to_string(folder.join(&name).with_extension("times")).unwrap();
        let times: Vec<i64> = times.split_whitespace().map(|n| n.parse::<i64>().unwrap() * 3_600).collect();
        let units = units(&bytes);
        let intra = units.iter().filter_map(|unit| unit.random_access);
        let open = intra.filter(|access| *access == RandomAccess::Cra).count();
        assert_eq!((units.len(), open > 0), (times.len(), gop == "open"), "{name}");
        let pictures: Vec<_> = units.into_iter().map(|unit| unit.data).zip(times).collect();
        assert_eq!(judge(&name, Codec::H265, &pictures), depth, "{name}");
    }
}

/// The same of H.264, with frames and with field pairs, whether the SPS says the depth or not: no encoder at hand makes
/// them, so they are written by hand.
#[test]
fn hierarchies_and_field_pairs_of_h264_keep_their_times() {
    for depth in 1..=4 {
        for n in 0..8 {
            let shape = Shape { depth, closed: n & 1 == 0, fields: n & 2 != 0, declared: n & 4 != 0 };
            let pictures = written::stream(shape);
            assert_eq!(judge(&format!("{shape:?}"), Codec::H264, &pictures), depth as usize, "{shape:?}");
        }
    }
}

fn vectors() -> Option<PathBuf> {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let path = std::env::var_os("VIGIE_VECTORS").map_or(default, PathBuf::from);
    let there = path.join("MANIFEST.tsv").exists();
    assert!(there || std::env::var_os("VIGIE_REQUIRE_VECTORS").is_none(), "vectors are required");
    if !there {
        println!("SKIPPED: no vectors at {}", path.display());
    }
    there.then_some(path)
}

/// Streams of others, sent with the times that their picture order implies.
#[test]
fn streams_of_others_keep_their_times() {
    let Some(vectors) = vectors() else { return };
    let mut depths = std::collections::BTreeMap::<usize, u32>::new();
    for folder in ["es264", "es265"] {
        let mut paths: Vec<_> =
            fs::read_dir(vectors.join(folder)).unwrap().map(|e| e.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let bytes = fs::read(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let Some(codec) = annexb::detect(&bytes).filter(|_| bytes.len() < 2 << 20) else { continue };
            let mut order = ByPictureOrder::new(&Limits::default());
            let start = units(&bytes).into_iter().take(120);
            start.for_each(|unit| order.push(unit));
            order.finish();
            let groups: Vec<_> = std::iter::from_fn(|| order.pull()).collect();
            let samples = groups.iter().flat_map(|group| &group.samples);
            let pictures: Vec<(Bytes, i64)> = samples.map(|s| (s.unit.data.clone(), s.pts.0)).collect();
            // The timeline begins where the sets are known; some of these streams bring theirs late, or never.
            let sets = |unit: &Bytes| nal_units(unit).any(|nal| nal.kind(codec) == NalKind::Sps);
            if groups.first().is_none_or(|g| g.continues_gop) || !sets(&pictures[0].0) {
                println!("{name}: not a stream that can be joined");
                continue;
            }
            *depths.entry(judge(&name, codec, &pictures)).or_default() += 1;
        }
    }
    println!("streams by depth: {depths:?}");
    assert!(depths.values().sum::<u32>() > 30, "{depths:?}");
}

//! Our server judged by other people's readers: ffmpeg, GStreamer and Axis' media-stream-library. What they say they
//! received, coded or decoded, must be what the clips hold.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use support::{Server, clips, ffmpeg, simulate, skip, wait};
use vigie::codec::Codec;
use vigie::depacket::AnnexBReader;
use vigie::h26x::{NalKind, nal_units};
use vigie::limits::Limits;

/// Pictures that a reader takes.
const PICTURES: usize = 40;

/// What a simulated camera plays.
const CLIPS: [(Codec, &str); 4] = [
    (Codec::H264, "1-mairie.h264"),
    (Codec::H264, "2-place.h264"),
    (Codec::H264, "3-ecole.h264"),
    (Codec::H265, "4-gare.h265"),
];

/// The slices of each picture of an elementary stream, one behind the other, in decoding order.
fn coded(codec: Codec, stream: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = AnnexBReader::new(codec, &Limits::default());
    let mut units = Vec::new();
    for part in stream.chunks(64 << 10) {
        reader.push(part);
        units.extend(std::iter::from_fn(|| reader.pull()));
    }
    reader.finish();
    units.extend(std::iter::from_fn(|| reader.pull()));
    units.iter().map(|unit| slices(codec, &unit.data)).collect()
}

fn slices(codec: Codec, unit: &[u8]) -> Vec<u8> {
    let slices = nal_units(unit).filter(|nal| nal.kind(codec) == NalKind::Slice);
    slices.flat_map(|nal| nal.bytes.to_vec()).collect()
}

/// The pictures of a camera's clip, counted from 0.
fn clip(camera: usize) -> (Codec, PathBuf) {
    let (codec, name) = CLIPS[camera];
    (codec, clips().join(name))
}

fn clip_coded(camera: usize) -> Vec<Vec<u8>> {
    let (codec, path) = clip(camera);
    coded(codec, &std::fs::read(path).unwrap())
}

/// The hash of every picture that ffmpeg shows.
fn shown(input: &[&str], more: &[&str]) -> Vec<String> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-y", "-v", "error", "-threads", "1"]).args(input);
    command.args(["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5"]).args(more);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = wait(child, Duration::from_secs(60));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ffmpeg {input:?}: {said}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit(',').next()).map(|sum| sum.trim().to_owned()).collect()
}

/// Asserts that pictures came one after the other as the clip has them, round and round, from a key picture on.
fn assert_run<T: PartialEq + Debug>(who: &str, came: &[T], clip: &[T]) {
    assert!(came.len() >= PICTURES - 2, "{who}: {} pictures", came.len());
    let start =
        clip.iter().position(|picture| *picture == came[0]).unwrap_or_else(|| panic!("{who}: not ours"));
    assert_eq!(start % 50, 0, "{who}: the first is no key picture");
    for (i, picture) in came.iter().enumerate() {
        assert!(*picture == clip[(start + i) % clip.len()], "{who}: picture {i} from {start} on is another");
    }
}

fn coded_file(who: &str, file: &Path, camera: usize) {
    let mut came = coded(CLIPS[camera].0, &std::fs::read(file).unwrap());
    came.truncate(PICTURES);
    assert_run(who, &came, &clip_coded(camera));
}

/// ffmpeg by one way, decoded, and where a picture's place does not change by decoding also as it came.
fn by_ffmpeg(way: &str, url: &str, camera: usize, clip_shown: &[String], dir: &Path) {
    let who = format!("ffmpeg by {way}, camera {}", camera + 1);
    let file = dir.join(format!("{way}-{camera}"));
    let frames = PICTURES.to_string();
    let format = if CLIPS[camera].0 == Codec::H264 { "h264" } else { "hevc" };
    let mut more = vec!["-frames:v", &frames, "-"];
    // ffmpeg's muxers drop B pictures that it does not know the decoding times of.
    let copies = camera != 1;
    if copies {
        more.extend(["-map", "0:v:0", "-c", "copy", "-frames:v", &frames, "-f", format]);
        more.push(file.to_str().unwrap());
    }
    assert_run(&who, &shown(&["-rtsp_transport", way, "-i", url], &more), clip_shown);
    if copies {
        coded_file(&who, &file, camera);
    }
}

#[test]
fn ffmpeg_reads_over_tcp_udp_and_http() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let server = simulate(&["--cameras", "4"]);
    std::thread::scope(|scope| {
        for camera in [0, 1, 3] {
            let (url, dir) = (&server.urls[camera], dir.path());
            scope.spawn(move || {
                let clip_shown = &shown(&["-i", clip(camera).1.to_str().unwrap()], &["-"]);
                assert_eq!(clip_shown.len(), 1_500);
                std::thread::scope(|scope| {
                    for way in ["tcp", "udp", "http"] {
                        scope.spawn(move || by_ffmpeg(way, url, camera, clip_shown, dir));
                    }
                });
            });
        }
    });
}

#[test]
fn ffmpeg_reads_over_tls() {
    let there = Command::new("openssl").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !ffmpeg() {
        return;
    }
    if there.is_err() {
        return skip("VIGIE_REQUIRE_INTEROP", "openssl is not installed");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("certificate"), path("key"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-keyout", &key, "-out", &certificate])
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    let server = simulate(&["--cameras", "1", "--tls", &certificate, &key]);
    let clip_shown = shown(&["-i", clip(0).1.to_str().unwrap()], &["-"]);
    assert!(server.urls[0].starts_with("rtsps://"), "{}", server.urls[0]);
    by_ffmpeg("tcp", &server.urls[0], 0, &clip_shown, dir.path());
    // The same port serves who comes without.
    by_ffmpeg("tcp", &server.urls[0].replace("rtsps://", "rtsp://"), 0, &clip_shown, dir.path());
    support::fail(&["simulate", "--listen", "127.0.0.1:0", "--tls", &key, &certificate]);
}

#[test]
fn gstreamer_reads_over_tcp_and_udp() {
    let there = Command::new("gst-launch-1.0").arg("--version").stdout(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        return skip("VIGIE_REQUIRE_INTEROP", "gst-launch-1.0 (gstreamer1.0-tools) is not installed");
    }
    let dir = tempfile::tempdir().unwrap();
    let server = simulate(&["--cameras", "4"]);
    std::thread::scope(|scope| {
        for (camera, way) in [(1, "tcp"), (1, "udp"), (3, "tcp"), (3, "udp")] {
            let (url, dir) = (&server.urls[camera], dir.path());
            scope.spawn(move || by_gstreamer(way, url, camera, dir));
        }
    });
}

fn by_gstreamer(way: &str, url: &str, camera: usize, dir: &Path) {
    let who = format!("GStreamer by {way}, camera {}", camera + 1);
    let file = dir.join(format!("{way}-{camera}"));
    let codec = if CLIPS[camera].0 == Codec::H264 { "h264" } else { "h265" };
    // One more: the parser holds the last.
    let end = PICTURES + 1;
    let pipeline = format!(
        "rtspsrc location={url} protocols={way} latency=500 ! rtp{codec}depay ! {codec}parse ! \
         video/x-{codec},stream-format=byte-stream,alignment=au ! identity eos-after={end} ! filesink location={}",
        file.display()
    );
    let mut command = Command::new("gst-launch-1.0");
    command.arg("-q").args(pipeline.split_whitespace()).stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = wait(child, Duration::from_secs(60));
    assert!(output.status.success(), "{who}: {}", String::from_utf8_lossy(&output.stderr));
    coded_file(&who, &file, camera);
}

/// The simulator, and what Axis' reader needs; `None`, loudly, where that is not installed.
fn axis() -> Option<(Server, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/axis");
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if !node.is_ok_and(|status| status.success())
        || !folder.join("node_modules/media-stream-library").is_dir()
    {
        skip(
            "VIGIE_REQUIRE_INTEROP",
            "Axis' reader: no Node, or npm ci was not run in examples/cli/tests/axis",
        );
        return None;
    }
    // It reads single NAL units and FU-A, nothing else.
    Some((simulate(&["--cameras", "2", "--no-aggregation"]), folder.join("read.mjs")))
}

#[test]
fn axis_reads_over_web_socket() {
    let Some((server, script)) = axis() else { return };
    for (camera, url) in server.urls.iter().enumerate() {
        let host = url.trim_start_matches("rtsp://").split('/').next().unwrap();
        let mut command = Command::new("node");
        command.arg(&script).args([host, url, &PICTURES.to_string()]).stdin(Stdio::null());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = wait(child, Duration::from_secs(60));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let came: Vec<Vec<u8>> = text
            .lines()
            .map(|line| {
                let (_, unit) = line.split_once(' ').expect("timestamp and slices");
                let unit = base64::engine::general_purpose::STANDARD.decode(unit).unwrap();
                slices(Codec::H264, &unit)
            })
            .collect();
        assert_run(&format!("Axis, camera {}", camera + 1), &came, &clip_coded(camera));
    }
}

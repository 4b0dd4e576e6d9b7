//! What the tests of the binary share: running it, other people's tools, the barcode.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

pub(crate) mod boxes;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The binary under test, without the caller's VIGIE_* variables.
pub(crate) fn vigie(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.args(arguments).env_remove("VIGIE_USER").env_remove("VIGIE_PASSWORD").env_remove("VIGIE_LOG");
    // What is remembered of volumes is not that of whoever runs the tests.
    command.env_remove("STATE_DIRECTORY").env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command.stdin(Stdio::null());
    command
}

/// Runs it to its end; kills it after a minute, so that a hang is a failure.
pub(crate) fn run(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    wait(child, Duration::from_secs(60))
}

/// Waits for a process whose output is piped.
pub(crate) fn wait(mut child: Child, patience: Duration) -> Output {
    let mut stdout = child.stdout.take();
    let mut stderr = child.stderr.take();
    let out = std::thread::spawn(move || read_all(stdout.as_mut()));
    let err = std::thread::spawn(move || read_all(stderr.as_mut()));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("the process can be waited for") {
            break status;
        }
        if start.elapsed() > patience {
            let _ = child.kill();
            let _ = child.wait();
            panic!("still running after {patience:?}: {}", String::from_utf8_lossy(&err.join().unwrap()));
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Output { status, stdout: out.join().unwrap(), stderr: err.join().unwrap() }
}

fn read_all(from: Option<&mut impl std::io::Read>) -> Vec<u8> {
    let mut all = Vec::new();
    if let Some(from) = from {
        let _ = from.read_to_end(&mut all);
    }
    all
}

/// Its standard output; panics with its standard error where it failed.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = run(command);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{err}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Checks what every failure must be like (exit code 1, a sentence and a remedy, no backtrace, no secret), as text
/// and as JSON, and gives the text.
pub(crate) fn fail(arguments: &[&str]) -> String {
    fail_with(arguments, &[])
}

/// The same with environment variables.
pub(crate) fn fail_with(arguments: &[&str], env: &[(&str, &str)]) -> String {
    let json = run(vigie(arguments).arg("--json").envs(env.iter().copied()));
    let error: serde_json::Value = serde_json::from_slice(&json.stderr).unwrap_or_else(|e| {
        panic!("{arguments:?} --json: not one JSON document ({e}): {}", String::from_utf8_lossy(&json.stderr))
    });
    assert_eq!(json.status.code(), Some(1), "{arguments:?} --json: {error}");
    assert!(error["error"]["what"].as_str().is_some_and(|w| w.len() > 10), "{error}");
    assert!(error["error"]["remedy"].as_str().is_some_and(|r| r.len() > 10), "{error}");

    let text = run(vigie(arguments).envs(env.iter().copied()));
    let err = String::from_utf8(text.stderr).expect("UTF-8");
    assert_eq!(text.status.code(), Some(1), "{arguments:?}: {err}");
    // Notes of what happened before (connected, lost) may come first.
    let last: Vec<&str> = err.trim_end().lines().rev().take(2).collect();
    assert!(
        matches!(last[..], [remedy, what] if remedy.starts_with("  try: ") && what.starts_with("vigie: ")),
        "{err}"
    );
    for bad in ["panicked", "RUST_BACKTRACE", "s3cr3t", "Error {", "Kind("] {
        assert!(!err.contains(bad) && !error.to_string().contains(bad), "{bad}: {err}");
    }
    err
}

/// Skips a test for want of somebody else's tool, loudly; a failure where `variable` is set to 1.
pub(crate) fn skip(variable: &str, why: &str) {
    assert!(std::env::var(variable).as_deref() != Ok("1"), "{variable}=1, and {why}");
    eprintln!("SKIPPED: {why}");
}

/// Are ffmpeg and ffprobe there?
pub(crate) fn ffmpeg() -> bool {
    let there = ["ffmpeg", "ffprobe"].iter().all(|tool| {
        Command::new(tool).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    });
    if !there {
        skip("VIGIE_REQUIRE_INTEROP", "ffmpeg and ffprobe are not installed");
    }
    there
}

/// Long variants of the tests, for `make shows`.
pub(crate) fn long() -> bool {
    std::env::var("VIGIE_LONG").as_deref() == Ok("1")
}

/// A picture's barcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Barcode {
    pub(crate) camera: u32,
    pub(crate) number: u32,
}

/// Decodes a file with ffmpeg and reads the barcode of every picture that it shows.
pub(crate) fn barcodes(file: &Path) -> Vec<Option<Barcode>> {
    barcodes_of(&["-threads", "1", "-i", file.to_str().expect("UTF-8")])
}

/// The same of any input that ffmpeg takes.
pub(crate) fn barcodes_of(input: &[&str]) -> Vec<Option<Barcode>> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error"])
        .args(input)
        // On the file's own clock: ffmpeg guesses a rate from what a loss left of the first pictures, and calls later ones too early.
        .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-enc_time_base", "-1"])
        .args(["-vf", "crop=400:32:0:0", "-pix_fmt", "gray"])
        .args(["-f", "rawvideo", "-"])
        .output()
        .expect("ffmpeg");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "ffmpeg {input:?}: {said}");
    output.stdout.chunks_exact(400 * 32).map(barcode).collect()
}

/// See `clips/make.py`.
fn barcode(luma: &[u8]) -> Option<Barcode> {
    let bits = (0..24).fold(0_u32, |bits, i| bits << 1 | u32::from(luma[16 * 400 + 16 + 16 * i] > 128));
    let nibble = |i: u32| bits >> (20 - 4 * i) & 15;
    let check = (0..5).fold(0, |x, i| x ^ nibble(i));
    (nibble(0) == 0b1010 && check == nibble(5))
        .then(|| Barcode { camera: nibble(1), number: bits >> 4 & 0xfff })
}

/// Asserts that the pictures shown are of one camera, each once, in order, round and round a clip of `length`, and
/// gives the first number.
pub(crate) fn assert_consecutive(pictures: &[Option<Barcode>], length: u32) -> Barcode {
    let first = pictures.first().copied().flatten().expect("a first picture with a barcode");
    for (i, picture) in pictures.iter().enumerate() {
        let expected = Barcode { camera: first.camera, number: (first.number + i as u32) % length };
        assert_eq!(*picture, Some(expected), "picture {i} of {}, first {first:?}", pictures.len());
    }
    first
}

/// The same of a recording that was ended at any moment: a picture that came ahead of those shown before it may be its
/// last, while those had not been sent.
pub(crate) fn assert_recorded(pictures: &[Option<Barcode>], length: u32) {
    let (body, tail) = pictures.split_at(pictures.len().saturating_sub(2));
    let first = assert_consecutive(body, length);
    let mut least = body.len() as u32;
    for picture in tail {
        let picture = picture.expect("a barcode");
        let place = (picture.number + length - first.number) % length;
        let expected = least..least + 3;
        assert!(
            picture.camera == first.camera && expected.contains(&place),
            "{picture:?}, not in {expected:?}"
        );
        least = place + 1;
    }
}

/// The MD5 of every picture that ffmpeg decodes, hashed as `vectors/README.md` says; and their count.
pub(crate) fn pixels(file: &Path, before: &[&str]) -> Result<(String, usize), String> {
    let (sums, said) = framemd5(file, before);
    if sums.is_empty() {
        return Err(format!("nothing decoded: {said}"));
    }
    let mut joined = sums.join("\n");
    joined.push('\n');
    Ok((sha256(joined.as_bytes()), sums.len()))
}

/// The MD5 of each picture that ffmpeg decodes of a file in which it finds no fault.
pub(crate) fn hashes(file: &Path) -> Vec<String> {
    let (sums, said) = framemd5(file, &[]);
    assert!(said.is_empty(), "ffmpeg {}: {said}", file.display());
    sums
}

/// And what it said.
fn framemd5(file: &Path, before: &[&str]) -> (Vec<String>, String) {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-threads", "1", "-noautorotate"])
        .args(before)
        .arg("-i")
        .arg(file)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-autoscale", "0", "-f", "framemd5", "-"])
        .output()
        .expect("ffmpeg");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let sums = text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.rsplit(',').next());
    let sums = sums.map(|sum| sum.trim().to_owned()).collect();
    (sums, String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// Codec, width and height of a file's video, as ffprobe says them: `h264,640,360`.
pub(crate) fn stream(file: &Path) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-show_entries", "stream=codec_name,width,height"])
        .args(["-of", "csv=p=0"])
        .arg(file)
        .output()
        .expect("ffprobe");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// A line of `ffprobe -show_packets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) pts: i64,
    pub(crate) dts: i64,
    pub(crate) key: bool,
}

/// The packets of a file's video, as ffprobe reads them.
pub(crate) fn packets(file: &Path) -> Vec<Packet> {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-show_entries",
            "packet=pts,dts,flags",
            "-of",
            "csv=p=0",
        ])
        .arg(file)
        .output()
        .expect("ffprobe");
    assert!(
        output.status.success(),
        "ffprobe {}: {}",
        file.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let mut cells = line.split(',');
            let mut number = || cells.next().unwrap().parse().unwrap_or_else(|_| panic!("no time: {line}"));
            let (pts, dts) = (number(), number());
            Packet { pts, dts, key: cells.next().unwrap_or_default().starts_with('K') }
        })
        .collect()
}

/// The folder of the clips.
pub(crate) fn clips() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clips")
}

/// A process that prints a line when it is ready; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// The addresses it printed.
    pub(crate) urls: Vec<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// GStreamer's RTSP server with `specs` (`NAME=FILE`); `None`, loudly, where it is not installed.
pub(crate) fn gstreamer(options: &[&str], specs: &[String]) -> Option<Server> {
    gstreamer_within(&[], options, specs)
}

/// The same, run by another command that `before` begins.
pub(crate) fn gstreamer_within(before: &[&str], options: &[&str], specs: &[String]) -> Option<Server> {
    let probe =
        "import gi; gi.require_version('GstRtspServer','1.0'); from gi.repository import GstRtspServer";
    let there = Command::new("/usr/bin/python3").args(["-c", probe]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        skip(
            "VIGIE_REQUIRE_INTEROP",
            "GStreamer's RTSP server (gir1.2-gst-rtsp-server-1.0) is not installed",
        );
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/tests/tools/rtsp_server.py");
    let command = [before, &["/usr/bin/python3"]].concat();
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .arg(script)
        .args(["--port", "0"])
        .args(options)
        .args(specs)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("python3");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut urls = Vec::new();
    while urls.len() < specs.len() {
        match lines.next() {
            Some(Ok(line)) => urls.extend(line.strip_prefix("READY ").map(str::to_owned)),
            _ => panic!("GStreamer's server did not start"),
        }
    }
    Some(Server { child, urls })
}

/// `vigie simulate` on a free port.
pub(crate) fn simulate(options: &[&str]) -> Server {
    let mut child = vigie(&["simulate", "--listen", "127.0.0.1:0", "--json"])
        .args(options)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next().expect("a line").expect("UTF-8");
    let ready: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let urls = ready["cameras"].as_array().expect("cameras").iter();
    Server { child, urls: urls.map(|c| c["url"].as_str().expect("url").to_owned()).collect() }
}

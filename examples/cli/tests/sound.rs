//! Sound of GStreamer's server: recorded where it is asked for and put beside the pictures by `export`; else not even set up.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use support::{clips, ffmpeg, gstreamer, succeed, vigie};

const SECONDS: u64 = 9;

/// Records for a while; what was said at the end.
fn record(url: &str, store: &Path, camera: &str, more: &[&str]) -> Value {
    let span = format!("{SECONDS}s");
    let mut command = vigie(&["record", url, "--json", "--tenant", "t", "--camera", camera, "--for", &span]);
    let child = command.args(more).arg("--store").arg(store).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = support::wait(child.spawn().unwrap(), Duration::from_secs(SECONDS + 30));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(said.lines().last().unwrap()).unwrap()
}

/// All of the camera in one file.
fn export(store: &Path, camera: &str, out: &Path) -> Value {
    let text = succeed(vigie(&["ls", "--json", "--tenant", "t", "--camera", camera, "--store"]).arg(store));
    let listed: Value = serde_json::from_str(text.trim()).unwrap();
    let range = &listed["ranges"][0];
    let (from, to) = (range["from"].as_str().unwrap(), range["to"].as_str().unwrap());
    let mut command =
        vigie(&["export", "--json", "--tenant", "t", "--camera", camera, "--from", from, "--to", to]);
    let text = succeed(command.arg("--store").arg(store).arg("-o").arg(out));
    serde_json::from_str(text.trim()).unwrap()
}

/// `h264,video` and `aac,audio,48000,2`, as ffprobe sees them.
fn streams(file: &Path) -> Vec<String> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "stream=codec_type,codec_name,sample_rate,channels"])
        .args(["-of", "csv=p=0"])
        .arg(file)
        .output()
        .expect("ffprobe");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|l| l.trim_end_matches(',').to_owned()).collect()
}

/// The sound, decoded by ffmpeg: its length in seconds, and how often a second it passes through 0.
fn heard(file: &Path) -> (f64, f64) {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        // By its times, as a player does: under load GStreamer's live source steps by a fraction of a millisecond.
        .args(["-map", "0:a", "-af", "aresample=async=1", "-f", "s16le", "-ac", "1", "-ar", "48000", "-"])
        .output()
        .expect("ffmpeg");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let samples: Vec<i16> = output.stdout.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    let seconds = samples.len() as f64 / 48_000.0;
    let crossings = samples.windows(2).filter(|w| (w[0] < 0) != (w[1] < 0)).count();
    (seconds, crossings as f64 / seconds)
}

#[test]
fn sound_that_was_asked_for_is_in_the_export() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let cases = [
        ("aac", "aac,audio,48000,2"),
        ("opus", "opus,audio,48000,2"),
        ("pcma", "pcm_alaw,audio,8000,1"),
        ("pcmu", "pcm_mulaw,audio,8000,1"),
    ];
    let clip = clips().join("1-mairie.h264");
    let specs: Vec<_> = cases.iter().map(|(name, _)| format!("{name}={},{name}", clip.display())).collect();
    let Some(server) = gstreamer(&[], &specs) else { return };
    std::thread::scope(|scope| {
        for (url, (name, expected)) in server.urls.iter().zip(cases) {
            let dir = dir.path();
            scope.spawn(move || {
                let store = dir.join("store");
                let said = record(url, &store, name, &["--audio"]);
                assert!(said["audio"]["fragments"].as_u64().unwrap() >= 3, "{said}");
                let out: PathBuf = dir.join(name).with_extension("mp4");
                let told = export(&store, name, &out);
                assert_eq!(told["files"][0]["audio"], true, "{told}");
                assert_eq!(streams(&out), ["h264,video".to_owned(), expected.to_owned()], "{name}");
                let pictures = told["files"][0]["seconds"].as_f64().unwrap();
                let (seconds, crossings) = heard(&out);
                assert!((seconds - pictures).abs() < 1.0, "{name}: {seconds} s of sound, {pictures} s of pictures");
                // GStreamer's test tone has 440 Hz.
                assert!((860.0..900.0).contains(&crossings), "{name}: {crossings} crossings a second");
                println!("{name}: {seconds:.2} s of sound beside {pictures:.2} s of pictures, {crossings:.0} crossings/s");
            });
        }
    });
}

/// Passes one connection on; what the client said is kept.
fn listening(to: String) -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let said = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&said);
    std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(to).unwrap();
        let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
        std::thread::spawn(move || pass(back.0, back.1, |_| {}));
        pass(client, server, |bytes| keep.lock().unwrap().extend_from_slice(bytes));
    });
    (address, said)
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut seen: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        seen(&buffer[..n]);
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn sound_that_was_not_asked_for_is_not_even_set_up() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let clip = clips().join("1-mairie.h264");
    let Some(server) = gstreamer(&[], &[format!("cam={},aac", clip.display())]) else { return };
    let url = &server.urls[0];
    let (host, path) = url.strip_prefix("rtsp://").unwrap().split_once('/').unwrap();
    let store = dir.path().join("store");
    for (camera, more, setups) in [("silent", &[][..], 1), ("loud", &["--audio"][..], 2)] {
        let (address, said) = listening(host.to_owned());
        let end = record(&format!("rtsp://{address}/{path}"), &store, camera, more);
        let said = String::from_utf8_lossy(&said.lock().unwrap()).into_owned();
        assert_eq!(said.lines().filter(|line| line.starts_with("SETUP ")).count(), setups, "{said}");
        let out = dir.path().join(camera).with_extension("mp4");
        let told = export(&store, camera, &out);
        assert_eq!(told["files"][0]["audio"], setups == 2);
        assert_eq!(streams(&out).len(), setups);
        assert_eq!(end["audio"].is_null(), setups == 1, "{end}");
    }
    assert!(!store.join("t/silent-audio").exists());
}

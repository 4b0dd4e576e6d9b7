//! GStreamer's RTSP server, recorded: every picture that it sent is in the store once.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use support::{assert_recorded, barcodes, clips, ffmpeg, gstreamer, long, packets, stream, succeed, vigie};

/// GStreamer needs a container for the clip with B pictures: it cannot give times to an elementary stream of them.
fn with_times(clip: &str, dir: &Path) -> PathBuf {
    let out = dir.join(clip).with_extension("mp4");
    succeed(vigie(&["remux", "--view", "playback"]).arg(clips().join(clip)).arg("-o").arg(&out));
    out
}

fn record_and_judge(url: &str, store: &Path, camera: &str, codec: &str, seconds: u64) {
    let span = format!("{seconds}s");
    let mut command = vigie(&["record", url, "--tenant", "t", "--camera", camera, "--for", &span, "--store"]);
    let child = command.arg(store).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = support::wait(child, Duration::from_secs(seconds + 30));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");

    let text = succeed(vigie(&["ls", "--json", "--tenant", "t", "--camera", camera, "--store"]).arg(store));
    let listed: Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(listed["gaps"].as_array().unwrap().len(), 0, "{listed}\n{said}");
    assert_eq!(listed["ranges"].as_array().unwrap().len(), 1, "{listed}\n{said}");
    let files = listed["files"].as_array().unwrap();
    let files: Vec<PathBuf> = files.iter().map(|f| store.join(f["path"].as_str().unwrap())).collect();
    let mut pictures = Vec::new();
    let mut dts = Vec::new();
    for file in &files {
        assert_eq!(stream(file), format!("{codec},640,360"));
        pictures.extend(barcodes(file));
        dts.extend(packets(file).iter().map(|p| p.dts));
    }
    assert_recorded(&pictures, 1_500);
    assert_eq!(dts.len(), pictures.len());
    assert!(dts.windows(2).all(|w| w[0] < w[1]), "DTS does not rise");
    assert!(pictures.len() as u64 >= (seconds - 4) * 25, "{} pictures in {seconds} s", pictures.len());
    println!("{camera}: {} pictures in {seconds} s, each once, in {} files", pictures.len(), files.len());
}

fn seconds() -> u64 {
    if long() { 60 } else { 9 }
}

#[test]
fn every_picture_is_recorded_once() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let clip = |name: &str| clips().join(name).display().to_string();
    let specs = [
        format!("plain={}", clip("1-mairie.h264")),
        format!("reordered={}", with_times("2-place.h264", dir.path()).display()),
        format!("hevc={}", clip("4-gare.h265")),
    ];
    let Some(server) = gstreamer(&[], &specs) else { return };
    std::thread::scope(|scope| {
        let cases = [("plain", "h264"), ("reordered", "h264"), ("hevc", "hevc")];
        for (url, (camera, codec)) in server.urls.iter().zip(cases) {
            let dir = dir.path();
            scope.spawn(move || record_and_judge(url, &dir.join("store"), camera, codec, seconds()));
        }
    });
}

#[test]
fn passwords_are_taken_from_url_environment_and_file() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let specs = [format!("cam={}", clips().join("3-ecole.h264").display())];
    for scheme in ["basic", "digest"] {
        let options = ["--auth", scheme, "--user", "viewer", "--password", "p@ss:w/rd"];
        let Some(server) = gstreamer(&options, &specs) else { return };
        let url = &server.urls[0];
        let inside = url.replace("rtsp://", "rtsp://viewer:p%40ss%3Aw%2Frd@");
        record_and_judge(&inside, &dir.path().join("store"), scheme, "h264", 6);

        let probe = ["probe", url, "--json", "--for", "2s"];
        let env = [("VIGIE_USER", "viewer"), ("VIGIE_PASSWORD", "p@ss:w/rd")];
        assert!(succeed(vigie(&probe).envs(env)).contains("avc1"));
        let file = dir.path().join("password");
        std::fs::write(&file, "p@ss:w/rd\n").unwrap();
        let mut by_file = vigie(&probe);
        assert!(succeed(by_file.args(["--user", "viewer", "--password-file"]).arg(&file)).contains("avc1"));
    }
}

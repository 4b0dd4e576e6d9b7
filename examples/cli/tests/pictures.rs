//! Cameras without H.264 and H.265: Motion JPEG of GStreamer's server, named by `probe`, kept by `record`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::{ffmpeg, gstreamer, succeed, vigie};

/// Columns, rows and format of the stream, and the pictures that ffmpeg could decode without a word of complaint.
fn decoded(file: &Path) -> (String, usize) {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-count_frames"])
        .args(["-show_entries", "stream=codec_name,width,height,nb_read_frames", "-of", "csv=p=0"])
        .arg(file)
        .output()
        .expect("ffprobe");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let (stream, pictures) = said.trim().trim_end_matches(',').rsplit_once(',').unwrap();
    (stream.to_owned(), pictures.parse().unwrap())
}

fn named(url: &str, codec: &str, size: (u64, u64)) {
    let text = succeed(&mut vigie(&["probe", url, "--json", "--for", "4s"]));
    let said: Value = serde_json::from_str(text.trim()).unwrap();
    let video = &said["video"];
    assert_eq!(video["codec"], codec, "{said}");
    assert_eq!((video["width"].as_u64(), video["height"].as_u64()), (Some(size.0), Some(size.1)), "{said}");
    let rate = video["frame_rate"].as_f64().unwrap();
    assert!((9.0..11.0).contains(&rate), "{said}");
    println!("{codec}: {rate:.2} pictures a second, {}x{}", size.0, size.1);
}

fn kept(url: &str, camera: &str, stream: &str) {
    let dir = tempfile::tempdir().unwrap();
    let mut command = vigie(&["record", url, "--json", "--tenant", "t", "--camera", camera, "--for", "6s"]);
    let child =
        command.arg("--store").arg(dir.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = support::wait(child, Duration::from_secs(40));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    let end: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let taken = end["pictures"].as_u64().unwrap() as usize;
    let files = support::boxes::files(dir.path());
    let mut pictures = 0;
    for file in &files {
        let (seen, count) = decoded(file);
        assert_eq!(seen, stream, "{}", file.display());
        pictures += count;
    }
    println!("{camera}: {taken} pictures taken, {pictures} decoded by ffmpeg from {} file(s)", files.len());
    assert!(pictures >= 40 && pictures == taken, "{taken} taken, {pictures} kept: {end}");
}

#[test]
fn motion_jpeg_is_named_and_kept() {
    if !ffmpeg() {
        return;
    }
    let specs = ["mjpeg=mjpeg:640x360@10".to_owned(), "low=mjpeg:320x240@10:40".to_owned()];
    let Some(server) = gstreamer(&[], &specs) else { return };
    named(&server.urls[0], "JPEG", (640, 360));
    named(&server.urls[1], "JPEG", (320, 240));
    kept(&server.urls[0], "mjpeg", "mjpeg,640,360");
    kept(&server.urls[1], "low", "mjpeg,320,240");
}

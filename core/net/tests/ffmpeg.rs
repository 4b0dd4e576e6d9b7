//! Our doors judged by a stranger: FFmpeg plays what comes through them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::process::{Command, Stdio};

use common::serve;
use vigie_net::DoorOptions;

/// Skips a test for want of somebody else's tool, loudly; a failure where `VIGIE_REQUIRE_INTEROP` is 1.
fn ffmpeg() -> bool {
    let said = Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if said.is_err() {
        let variable = "VIGIE_REQUIRE_INTEROP";
        assert!(std::env::var(variable).as_deref() != Ok("1"), "{variable}=1, and ffmpeg is not installed");
        eprintln!("SKIPPED: ffmpeg is not installed");
    }
    said.is_ok()
}

/// The MD5 of the first 50 pictures of an input.
fn pictures(input: &[&str]) -> Vec<String> {
    let output = Command::new("timeout")
        .args(["60", "ffmpeg", "-nostdin", "-v", "error", "-threads", "1"])
        .args(input)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-frames:v", "50", "-f", "framemd5", "-"])
        .output()
        .expect("ffmpeg");
    let text = String::from_utf8(output.stdout).unwrap();
    let sums = text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.rsplit(',').next());
    let sums: Vec<String> = sums.map(|sum| sum.trim().to_owned()).collect();
    assert!(!sums.is_empty(), "{input:?}: {}", String::from_utf8_lossy(&output.stderr));
    sums
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ffmpeg_sees_every_picture_through_every_door_that_it_knows() {
    if !ffmpeg() {
        return;
    }
    let clip = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/cli/clips/2-place.h264");
    let sent = pictures(&["-i", clip]);
    assert_eq!(sent.len(), 50);
    let address = serve(DoorOptions::default()).await;
    let url = format!("rtsp://{address}/clip");
    for transport in ["tcp", "http"] {
        let (url, sent) = (url.clone(), sent.clone());
        let seen = tokio::task::spawn_blocking(move || pictures(&["-rtsp_transport", transport, "-i", &url]));
        assert_eq!(seen.await.unwrap(), sent, "{transport}");
    }
}

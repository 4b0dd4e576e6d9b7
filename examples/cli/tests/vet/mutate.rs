//! `vigie vet --mutate` and `--against`: what is found is found again, made small, and kept; nobody else's device is asked.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::clip;
use crate::stream::{Dice, Stream, write_pcap};
use crate::support::{fail, run, simulate, succeed, vigie};

/// A second or two of a clip.
fn capture(dir: &Path) -> (PathBuf, PathBuf) {
    let (codec, pictures) = clip(0);
    let stream = Stream::new(*codec, pictures[..60].to_vec(), &mut Dice::new(3));
    let (pcap, sdp) = (dir.join("stream.pcap"), dir.join("stream.sdp"));
    write_pcap(&pcap, &stream.packets());
    std::fs::write(&sdp, &stream.sdp).unwrap();
    (pcap, sdp)
}

fn mutate(pcap: &Path, sdp: &Path, more: &[&str]) -> Output {
    let mut command = vigie(&["vet", "--mutate", "--json"]);
    run(command.arg(pcap).arg("--sdp").arg(sdp).args(more))
}

/// A decoder whose sequence parameter sets may not have two bytes of ones near their start: it aborts.
fn scratch_decoder(dir: &Path) -> PathBuf {
    let path = dir.join("decoder.sh");
    let script = r#"if LC_ALL=C grep -qaP '\x00\x00\x01[\x27\x47\x67][^\n]{0,24}\xff\xff' "$1"; then kill -ABRT $$; fi"#;
    std::fs::write(&path, format!("{script}\nexit 0\n")).unwrap();
    path
}

/// The files of a folder, by name.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<(String, Vec<u8>)> = entries
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn a_bug_of_a_decoder_is_found_made_small_and_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let (pcap, sdp) = capture(dir.path());
    let script = scratch_decoder(dir.path());
    let decoder = format!("sh {} {{}}", script.display());
    let kept = [dir.path().join("a"), dir.path().join("b")];
    let outputs = kept.each_ref().map(|keep| {
        let options =
            ["--iterations", "200", "--seed", "11", "--decoder", &decoder, "--keep", keep.to_str().unwrap()];
        mutate(&pcap, &sdp, &options)
    });
    // Byte for byte: what is printed, and what is kept.
    assert_eq!(outputs[0].stdout, outputs[1].stdout);
    assert_eq!(files(&kept[0]), files(&kept[1]));

    let said = String::from_utf8_lossy(&outputs[0].stderr).into_owned();
    let json: Value = serde_json::from_slice(&outputs[0].stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert_eq!(outputs[0].status.code(), Some(1), "{json:#}");
    let found = &json["findings"][0];
    assert_eq!(json["findings"].as_array().unwrap().len(), 1, "{json:#}");
    assert_eq!((found["who"].as_str(), found["what"].as_str()), (Some("decoder"), Some("ended by signal 6")));
    // The sets, and a slice, without which Vigie gives no picture.
    assert!(found["packets"].as_u64().unwrap() <= 3, "{found:#}");
    assert!(found["packets_before"].as_u64() > Some(50), "{found:#}");

    // Both kept files do it again: the stream by itself, the session by way of a replay.
    let stream = kept[0].join("finding-1.h264");
    let least = std::fs::read(&stream).unwrap();
    assert!(least.len() < 80, "{} bytes {least:02x?}: {found:#}", least.len());
    let crashes = |file: &Path| !Command::new("sh").arg(&script).arg(file).status().unwrap().success();
    assert!(crashes(&stream));
    let lines = succeed(vigie(&["replay", "--json"]).arg(kept[0].join("finding-1.vcap")));
    let done = lines.lines().last().unwrap();
    assert!(done.contains("\"same\":true"), "{done}");
}

/// A decoder that never ran has not stood anything.
#[test]
fn a_decoder_that_is_not_there_is_no_clean_one() {
    let dir = tempfile::tempdir().unwrap();
    let (pcap, sdp) = capture(dir.path());
    let decoder = format!("{} {{}}", dir.path().join("absent").display());
    let output = mutate(&pcap, &sdp, &["--iterations", "3", "--decoder", &decoder]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("cannot be started"), "{said}");
}

#[test]
fn vigie_stands_what_a_stream_can_become() {
    let dir = tempfile::tempdir().unwrap();
    let (pcap, sdp) = capture(dir.path());
    let iterations = if crate::support::long() { "20000" } else { "400" };
    let output = mutate(&pcap, &sdp, &["--iterations", iterations, "--seed", "1"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &json["findings"]), (Some(0), &serde_json::json!([])), "{json:#}");
    let elementary = crate::support::clips().join("4-gare.h265");
    let output = run(vigie(&["vet", "--mutate", "--iterations", "50"]).arg(elementary));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_device_that_dies_is_told_and_one_that_lives_too() {
    let server = simulate(&["--cameras", "1"]);
    let lives = ["vet", "--against", &server.urls[0], "--iterations", "25", "--seed", "4", "--json"];
    let json: Value = serde_json::from_str(&succeed(&mut vigie(&lives))).unwrap();
    assert_eq!((json["requests"].as_u64(), &json["dead_after"]), (Some(25), &Value::Null), "{json:#}");

    // It answers everything but a long line, after which it is gone.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("rtsp://{}/stream", listener.local_addr().unwrap());
    let device = std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 8_192];
            let read = stream.read(&mut request).unwrap_or(0);
            if request[..read].split(|byte| *byte == b'\n').any(|line| line.len() > 200) {
                return;
            }
            let _ = stream.write_all(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n");
        }
    });
    let output = run(&mut vigie(&["vet", "--against", &url, "--iterations", "100", "--seed", "4", "--json"]));
    device.join().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{json:#}");
    assert!(json["dead_after"]["request"].as_str().unwrap().len() > 200, "{json:#}");
}

#[test]
fn nobody_elses_device_is_asked() {
    let refused = fail(&["vet", "--against", "rtsp://192.0.2.7/stream", "--i-own-this-device"]);
    assert!(refused.contains("public address"), "{refused}");
    let refused = fail(&["vet", "--against", "rtsp://10.255.255.1/stream"]);
    assert!(refused.contains("--i-own-this-device"), "{refused}");
    let secret = fail(&["vet", "--against", "rtsp://u:s3cr3t@8.8.8.8/stream", "--i-own-this-device"]);
    assert!(secret.contains("public address"), "{secret}");
}

//! What a report is written as: text, JSON, JUnit, a page; and held against the one before.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::stream::{Dice, Stream, write_pcap};
use crate::support::{fail, run, succeed, vigie};
use crate::{clip, support};

/// A capture with its description: of a firmware that is good, or of one that sets no markers.
fn firmware(dir: &Path, name: &str, good: bool) -> (PathBuf, PathBuf) {
    let (codec, pictures) = clip(1);
    let stream = Stream::new(*codec, pictures[..150].to_vec(), &mut Dice::new(5));
    let mut packets = stream.packets();
    if !good {
        packets.iter_mut().filter(|packet| !packet.rtcp).for_each(|packet| packet.bytes[1] &= 0x7f);
    }
    let (pcap, sdp) = (dir.join(format!("{name}.pcap")), dir.join(format!("{name}.sdp")));
    write_pcap(&pcap, &packets);
    std::fs::write(&sdp, &stream.sdp).unwrap();
    (pcap, sdp)
}

fn vet(pcap: &Path, sdp: &Path, more: &[&str]) -> std::process::Output {
    run(vigie(&["vet"]).arg(pcap).arg("--sdp").arg(sdp).args(more))
}

#[test]
fn a_firmware_that_is_worse_than_the_baseline_fails() {
    let dir = tempfile::tempdir().unwrap();
    let (good, bad) = (firmware(dir.path(), "good", true), firmware(dir.path(), "bad", false));
    let (kept, known) = (dir.path().join("good.json"), dir.path().join("bad.json"));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let output = vet(&good.0, &good.1, &["--write-baseline", &path(&kept)]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(vet(&good.0, &good.1, &["--baseline", &path(&kept)]).status.code(), Some(0));

    let output = vet(&bad.0, &bad.1, &["--baseline", &path(&kept), "--write-baseline", &path(&known)]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("worse than the baseline:\n  marker-missing: new, 149 times"), "{text}");
    // What is known does not fail, errors or not; without the baseline they do.
    assert_eq!(vet(&bad.0, &bad.1, &["--baseline", &path(&known)]).status.code(), Some(0));
    assert_eq!(vet(&bad.0, &bad.1, &[]).status.code(), Some(1));
    assert_eq!(vet(&good.0, &good.1, &["--baseline", &path(&known)]).status.code(), Some(0));

    let wrong = fail(&["vet", &path(&good.0), "--baseline", &path(&good.1)]);
    assert!(wrong.contains("is no baseline"), "{wrong}");
}

#[test]
fn every_output_says_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (pcap, sdp) = firmware(dir.path(), "a&b", false);
    let (html, junit) = (dir.path().join("r.html"), dir.path().join("r.xml"));
    let (html_at, junit_at) = (html.to_str().unwrap(), junit.to_str().unwrap());
    let output = vet(&pcap, &sdp, &["--json", "--html", html_at, "--junit", junit_at]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (json["errors"].as_u64(), json["findings"][0]["rule"].as_str()),
        (Some(1), Some("marker-missing"))
    );
    assert_eq!(json["stream"]["gop_longest"], 50);
    assert_eq!(json["players"].as_array().unwrap().len(), 4);
    let first = &json["findings"][0]["first"];
    assert!(first["packet"].as_u64() > Some(0) && first["sequence"].is_u64(), "{first}");
    assert!(first["utc"].as_str().unwrap().starts_with("2026-11-22T05:14:00"), "{first}");

    let xml = std::fs::read_to_string(&junit).unwrap();
    well_formed(&xml);
    assert_eq!(xml.matches("<failure ").count(), 1, "{xml}");
    assert_eq!(xml.matches("<testcase ").count(), vigie_cli::vet::Rule::ALL.len());
    assert!(xml.contains("a&amp;b.pcap"));

    let page = std::fs::read_to_string(&html).unwrap();
    assert_eq!(page.matches("<svg").count(), 3, "bit rate, groups, timing");
    assert!(page.contains("marker-missing") && page.contains("prefers-color-scheme:dark"));
    for outside in ["http://", "https://", "<script", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "the page is not self-contained: {outside}");
    }
}

/// Every element that is opened is closed, in order, and every attribute is quoted.
fn well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in xml.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("a tag that ends");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        match tag {
            _ if tag.starts_with('?') => {}
            _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "{xml}"),
            _ if tag.ends_with('/') => {}
            _ => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

/// A session that `vigie record --capture` has written is judged as the camera was.
#[test]
fn a_captured_session_is_judged() {
    let server = support::simulate(&["--cameras", "1", "--quirk", "no-marker"]);
    let dir = tempfile::tempdir().unwrap();
    let (file, store) = (dir.path().join("session.vcap"), dir.path().join("store"));
    succeed(
        vigie(&["record", &server.urls[0], "--tenant", "t", "--camera", "c", "--for", "4s", "--capture"])
            .arg(&file)
            .arg("--store")
            .arg(&store),
    );
    let output = run(vigie(&["vet", "--json"]).arg(&file));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let rules: Vec<&str> =
        json["findings"].as_array().unwrap().iter().map(|found| found["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["marker-missing"], "{json:#}");

    // Of a file that is damaged at its end all is judged that stands before.
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let output = run(vigie(&["vet", "--json"]).arg(&file));
    let damaged: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(damaged["stream"]["pictures"], json["stream"]["pictures"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be read on"));
}

#[test]
fn what_cannot_be_judged_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = dir.path().join("nothing.txt");
    std::fs::write(&nothing, "nothing of the kind\n").unwrap();
    fail(&["vet", nothing.to_str().unwrap()]);
    fail(&["vet", dir.path().join("absent").to_str().unwrap()]);
    fail(&["vet", "rtsp://u:s3cr3t@127.0.0.1:1/x"]);
}

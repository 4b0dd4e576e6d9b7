//! Cameras on the wire: those that break one rule each, and those that break none.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{self, clips, gstreamer, run, simulate, succeed, vigie};

/// A simulated camera's quirk, and the one rule that it breaks.
const QUIRKS: &[(&str, &str)] = &[
    ("no-cseq", "rtsp-cseq"),
    ("session-changed", "rtsp-session"),
    ("no-content-type", "rtsp-content-type"),
    ("no-transport", "rtsp-transport"),
    ("other-channels", "rtsp-transport"),
    ("spaces-in-origin", "sdp-grammar"),
    ("no-clock-rate", "sdp-clock-rate"),
    ("bad-sprop", "sdp-sprop"),
    ("wrong-profile-level-id", "sdp-profile"),
    ("other-codec", "sdp-codec"),
    ("foreign-payload-type", "payload-type"),
    ("packetization-mode-0", "packetization-mode"),
    ("early-marker", "marker-early"),
    ("no-marker", "marker-missing"),
    ("timestamp-inside", "timestamp-inside"),
    ("whole-fragmentation-unit", "fragment-whole"),
    ("no-end-bit", "fragment-end"),
    ("padded-aggregation", "aggregation-size"),
    ("embedded-start-code", "start-code-inside"),
    ("trailing-zeros", "trailing-zeros"),
    ("equal-timestamps", "timestamp-equal"),
    ("stray-timestamp", "timestamp-leap"),
    ("bad-sender-report", "sr-unset"),
    ("rtcp-flood", "rtcp-malformed"),
];

/// The rules that a camera breaks, notes left out, and the exit code.
fn broken(url: &str, span: &str) -> (BTreeSet<String>, Option<i32>, Value) {
    let output = run(&mut vigie(&["vet", url, "--json", "--for", span]));
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{url}: {e}: {}", String::from_utf8_lossy(&output.stderr)));
    let findings = report["findings"].as_array().expect("findings").iter();
    let graver = findings.filter(|found| found["severity"] != "note");
    let rules = graver.map(|found| found["rule"].as_str().unwrap().to_owned()).collect();
    (rules, output.status.code(), report)
}

#[test]
fn a_camera_that_breaks_one_rule_is_told_so() {
    // A few at a time: each has a server and a client of its own.
    for some in QUIRKS.chunks(8) {
        std::thread::scope(|scope| {
            for (quirk, rule) in some {
                scope.spawn(move || {
                    let server = simulate(&["--cameras", "1", "--quirk", quirk]);
                    let (rules, code, report) = broken(&server.urls[0], "4s");
                    assert_eq!(rules, BTreeSet::from([(*rule).to_owned()]), "{quirk}: {report:#}");
                    let error = report["errors"].as_u64() != Some(0);
                    assert_eq!(code, Some(i32::from(error)), "{quirk}");
                    let first = &report["findings"][0];
                    assert!(first["clause"].as_str().is_some_and(|clause| clause.contains('§')), "{first}");
                });
            }
        });
    }
}

#[test]
fn sane_cameras_are_told_nothing() {
    let simulated = simulate(&["--cameras", "4"]);
    let clip = |name: &str| clips().join(name).display().to_string();
    let dir = tempfile::tempdir().unwrap();
    // GStreamer needs a container for the clip with B pictures: it cannot give times to an elementary stream of them.
    let reordered = dir.path().join("reordered.mp4");
    succeed(vigie(&["remux", "--view", "playback", &clip("2-place.h264"), "-o"]).arg(&reordered));
    let specs = [
        format!("plain={}", clip("1-mairie.h264")),
        format!("hevc={}", clip("4-gare.h265")),
        format!("reordered={}", reordered.display()),
    ];
    let servers = [Some(simulated), gstreamer(&[], &specs)];
    let span = if support::long() { "40s" } else { "10s" };
    std::thread::scope(|scope| {
        for url in servers.iter().flatten().flat_map(|server| &server.urls) {
            scope.spawn(move || {
                let (rules, code, report) = broken(url, span);
                assert!(rules.is_empty() && code == Some(0), "{url}: {report:#}");
                assert!(report["stream"]["pictures"].as_u64().unwrap() > 100, "{url}: {report:#}");
            });
        }
    });
}

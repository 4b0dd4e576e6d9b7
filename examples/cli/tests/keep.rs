//! `vigie retain`, `vigie hold` and `vigie journal`, on a store recorded by the tool itself.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::path::Path;

use serde_json::Value;
use support::{fail, run, succeed, vigie};
use vigie::time::UtcMicros;

/// Records a simulated camera for some seconds.
fn record(store: &Path, camera: &str) {
    let server = support::simulate(&["--cameras", "1"]);
    let url = server.urls[0].clone();
    let mut record = vigie(&["record", &url, "--tenant", "t", "--for", "9s", "--camera", camera, "--store"]);
    succeed(record.arg(store));
}

fn json(store: &Path, arguments: &[&str]) -> Value {
    let out = succeed(vigie(arguments).args(["--json", "--store"]).arg(store));
    serde_json::from_str(out.trim()).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {out}"))
}

fn ranges(store: &Path, camera: &str) -> Vec<(UtcMicros, UtcMicros)> {
    let listed = json(store, &["ls", "--tenant", "t", "--camera", camera]);
    let utc = |value: &Value| value.as_str().unwrap().parse().unwrap();
    listed["ranges"].as_array().unwrap().iter().map(|r| (utc(&r["from"]), utc(&r["to"]))).collect()
}

#[test]
fn a_hold_outlives_the_policy_is_exported_and_goes_when_two_people_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path();
    let path = store.to_str().unwrap();
    record(store, "c");
    let all = ranges(store, "c");
    let [(from, to)] = all[..] else { panic!("{all:?}") };
    let last = &json(store, &["ls", "--last"])["cameras"][0];
    assert_eq!((&last["camera"], &last["until"]), (&"c".into(), &to.to_string().into()));
    let listed = json(store, &["ls", "--tenant", "t", "--camera", "c"]);
    let file = listed["files"].as_array().unwrap().last().unwrap();
    for field in ["path", "codec", "width", "height"] {
        assert_eq!(last[field], file[field], "{field}");
    }
    let middle = from.plus((to.0 - from.0) / 2);

    let set = [
        "retain",
        "--tenant",
        "t",
        "--set",
        "--max-age",
        "1s",
        "--release-agents",
        "2",
        "--operator",
        "Le Goff",
    ];
    // The footage is already older than that: nothing is accepted without a word.
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(json(store, &set)["accepted"], false);
    let (first, last) = (middle.to_string(), middle.plus(100_000).to_string());
    let hold =
        ["hold", "add", "--tenant", "t", "--camera", "c", "--case", "2026-114", "--operator", "Durand"];
    let hold: Vec<&str> =
        hold.into_iter().chain(["--reason", "requisition", "--from", &first, "--to", &last]).collect();
    let n = json(store, &hold)["hold"].as_u64().unwrap().to_string();

    let planned = &json(store, &["retain", "--dry-run"])["plans"][0];
    assert_eq!(planned["brake"], "change", "{planned}");
    assert!(
        planned["bytes"].as_u64().unwrap() > 0 && planned["held_bytes"].as_u64().unwrap() > 0,
        "{planned}"
    );
    assert_eq!(json(store, &["retain"])["cameras"][0]["brake"], "change");
    assert_eq!(ranges(store, "c"), all, "neither looking nor a braked pass deletes");

    let done = json(store, &["retain", "--confirm", "Le Goff", "--reason", "seen"]);
    assert_eq!(done["cameras"][0]["deleted"][0]["bytes"], planned["bytes"], "{done}");
    let left = ranges(store, "c");
    let [(held, end)] = left[..] else { panic!("{left:?}") };
    assert!(held <= middle && middle < end && end.0 - held.0 < to.0 - from.0, "{left:?} of {all:?}");
    let clip = store.join("clip.mp4");
    let mut export = vigie(&[
        "export", "--store", path, "--tenant", "t", "--camera", "c", "--from", &first, "--to", &last, "-o",
    ]);
    succeed(export.arg(&clip));
    assert!(std::fs::metadata(&clip).unwrap().len() > 1_000);

    let release = |who: &'static str| {
        [
            "hold",
            "release",
            "--store",
            path,
            "--tenant",
            "t",
            "--hold",
            &n,
            "--operator",
            who,
            "--reason",
            "closed",
        ]
        .map(str::to_owned)
    };
    let text = succeed(&mut vigie(&release("Durand").each_ref().map(String::as_str)));
    assert!(text.contains("another person"), "{text}");
    let again = fail(&release("durand").each_ref().map(String::as_str));
    assert!(again.contains("two people"), "{again}");
    assert!(succeed(&mut vigie(&["hold", "list", "--store", path])).contains("asked for by Durand"));
    succeed(&mut vigie(&release("Le Goff").each_ref().map(String::as_str)));
    assert_eq!(json(store, &["hold", "list"])["holds"], serde_json::json!([]));
    succeed(&mut vigie(&["retain", "--store", path]));
    assert!(succeed(&mut vigie(&["journal", "list", "--store", path, "--tenant", "t"])).contains("released"));
    // The gap log of a day that is not over stays.
    let left = store.join("t/c").read_dir().unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name != ".lock" && !name.ends_with(".gap")).collect();
    assert!(left.is_empty(), "{left:?}");

    let journal = ["journal", "verify", "--store", path, "--tenant", "t"];
    succeed(&mut vigie(&journal));
    let file = store.join("t/journal-000001.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("requisition", "requisitiom", 1)).unwrap();
    let verified = run(&mut vigie(&journal));
    assert_eq!(verified.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&verified.stdout).contains("damaged line at byte"));
}

#[test]
fn a_recorder_deletes_what_is_expired_when_it_starts() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path();
    record(store, "c");
    let old = ranges(store, "c")[0];
    std::thread::sleep(std::time::Duration::from_secs(2));
    json(store, &["retain", "--tenant", "t", "--set", "--max-age", "2s", "--operator", "Le Goff"]);
    let refused = fail(&[
        "retain",
        "--store",
        store.to_str().unwrap(),
        "--tenant",
        "t",
        "--set",
        "--max-age",
        "1d",
        "--min-age",
        "2d",
        "--operator",
        "Le Goff",
    ]);
    assert!(refused.contains("minimum age is above the maximum"), "{refused}");
    record(store, "c");
    assert!(ranges(store, "c").contains(&old), "braked: nobody has confirmed it");
    let out = succeed(vigie(&["retain", "--confirm", "Le Goff", "--store"]).arg(store));
    assert!(out.contains("max_age 2s"), "{out}");
    record(store, "c");
    std::thread::sleep(std::time::Duration::from_secs(2));
    let second = ranges(store, "c");
    record(store, "c");
    let third = ranges(store, "c");
    assert!(third.iter().all(|(from, _)| *from > second.last().unwrap().0), "{second:?}, {third:?}");
}

#[test]
fn what_cannot_be_done_is_said_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    record(dir.path(), "c");
    assert!(fail(&["retain", "--store", path]).contains("no policy"));
    assert!(fail(&["retain", "--store", path, "--max-age", "14d"]).contains("--dry-run"));
    let hold = |camera: &'static str, from: &'static str, to: &'static str| {
        fail(&[
            "hold",
            "add",
            "--store",
            path,
            "--tenant",
            "t",
            "--camera",
            camera,
            "--from",
            from,
            "--to",
            to,
            "--case",
            "1",
            "--operator",
            "x",
            "--reason",
            "y",
        ])
    };
    assert!(hold("d", "now-1h", "now").contains("its cameras: c"));
    assert!(hold("c", "now-2h", "now-1h").contains("t/c has:"));
    assert!(hold("c", "now", "now-1h").contains("ends before it starts"));
    let release = [
        "hold",
        "release",
        "--store",
        path,
        "--tenant",
        "t",
        "--hold",
        "7",
        "--operator",
        "x",
        "--reason",
        "y",
    ];
    assert!(fail(&release).contains("no hold of that number"));
}

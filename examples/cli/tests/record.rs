//! Simulated cameras through `record`, `ls` and `export`, judged by ffmpeg and the barcodes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{assert_recorded, barcodes, ffmpeg, long, packets, run, simulate, succeed, vigie};
use vigie::time::UtcMicros;
use vigie_cli::simulator::{Config, Outage, Simulator};

/// `vigie ls --json` of one camera.
fn ls(store: &Path, camera: &str) -> Value {
    let text = succeed(vigie(&["ls", "--json", "--tenant", "t", "--camera", camera, "--store"]).arg(store));
    let value: Value = serde_json::from_str(text.trim()).expect("one document");
    value
}

fn utc(value: &Value) -> UtcMicros {
    value.as_str().expect("a time").parse().expect("RFC 3339")
}

/// Every file of the camera, in order: barcodes one after the other without a gap, DTS strictly rising.
fn assert_whole(store: &Path, camera: &str) -> usize {
    let listed = ls(store, camera);
    let files = listed["files"].as_array().unwrap();
    let files: Vec<PathBuf> = files.iter().map(|f| store.join(f["path"].as_str().unwrap())).collect();
    assert!(!files.is_empty());
    let pictures: Vec<_> = files.iter().flat_map(|f| barcodes(f)).collect();
    assert_recorded(&pictures, 1_500);
    let dts: Vec<i64> = files.iter().flat_map(|f| packets(f)).map(|p| p.dts).collect();
    assert_eq!(dts.len(), pictures.len());
    assert!(dts.windows(2).all(|w| w[0] < w[1]), "DTS does not rise");
    assert_eq!(listed["gaps"].as_array().unwrap().len(), 0, "{listed}");
    assert_eq!(listed["ranges"].as_array().unwrap().len(), 1, "{listed}");
    pictures.len()
}

#[test]
fn simulated_cameras_are_recorded_whole_and_exported_to_the_picture() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (store, table) = (dir.path().join("store"), dir.path().join("table.jsonl"));
    let server = simulate(&["--cameras", "4", "--table", table.to_str().unwrap()]);
    let seconds = if long() { 70 } else { 8 };
    let span = format!("{seconds}s");
    std::thread::scope(|scope| {
        for (url, camera) in server.urls.iter().zip(["c1", "c2", "c3", "c4"]) {
            let (store, span) = (&store, &span);
            scope.spawn(move || {
                let mut command = vigie(&["record", url, "--tenant", "t", "--camera", camera, "--for", span]);
                let child = command.arg("--store").arg(store).stdout(Stdio::piped()).stderr(Stdio::piped());
                let output = support::wait(child.spawn().unwrap(), Duration::from_secs(seconds + 30));
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            });
        }
    });
    let sent = std::fs::read_to_string(&table).unwrap();
    for (camera, name) in [("c1", "cam1"), ("c2", "cam2"), ("c3", "cam3"), ("c4", "cam4")] {
        let pictures = assert_whole(&store, camera);
        // A GOP lasts two seconds: that long until the first key picture comes.
        assert!(pictures as u64 >= (seconds - 3) * 25, "{camera}: {pictures} pictures in {seconds} s");
        export_is_exact(&store, camera, name, &sent, dir.path());
    }
}

/// Exports from the middle of a GOP to the middle of another and compares with the simulator's table.
fn export_is_exact(store: &Path, camera: &str, name: &str, sent: &str, dir: &Path) {
    let listed = ls(store, camera);
    let range = &listed["ranges"][0];
    let (from, to) = (utc(&range["from"]), utc(&range["to"]));
    assert!(to.0 - from.0 > 4_000_000);
    // Half a picture beside the pictures' own times, so that rounding does not decide.
    let mut expected: Vec<(i64, u32)> = sent
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|p| p["camera"] == name)
        .map(|p| (p["micros"].as_i64().unwrap(), p["number"].as_u64().unwrap() as u32))
        .collect();
    expected.sort_unstable();
    let first = expected.iter().find(|p| p.0 > from.0 + 700_000).unwrap().0 - 20_000;
    let last = first + 2_200_000;
    expected.retain(|p| (first..last).contains(&p.0));
    assert_eq!(expected.len(), 55);
    let out = dir.join(format!("{camera}.mp4"));
    let mut export = vigie(&["export", "--tenant", "t", "--camera", camera, "--store"]);
    export.arg(store).args([
        "--from",
        &UtcMicros(first).to_string(),
        "--to",
        &UtcMicros(last).to_string(),
        "-o",
    ]);
    succeed(export.arg(&out));
    let shown: Vec<u32> = barcodes(&out).iter().map(|b| b.expect("a barcode").number).collect();
    assert_eq!(shown, expected.iter().map(|p| p.1).collect::<Vec<_>>(), "{camera}");

    // More than there is: a good file, and exit code 3 that says so.
    let mut export = vigie(&["export", "--tenant", "t", "--camera", camera, "--store"]);
    let beyond = (UtcMicros(from.0 - 60_000_000).to_string(), UtcMicros(to.0 - 1_000_000).to_string());
    let output = run(export.arg(store).args(["--from", &beyond.0, "--to", &beyond.1, "-o"]).arg(&out));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("missing"), "{said}");
    assert!(barcodes(&out).len() > 50);
}

/// A simulator in this process, so that its cameras can be switched off.
fn simulator(cameras: usize) -> (tokio::runtime::Runtime, Simulator) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let simulator = runtime.block_on(Simulator::start(Config::new(cameras))).unwrap();
    (runtime, simulator)
}

fn outage_leaves_one_gap(outage: Outage, cause: &str, seconds: u64) {
    let (_runtime, simulator) = simulator(1);
    let dir = tempfile::tempdir().unwrap();
    let url = simulator.url(0);
    let mut record = vigie(&["record", &url, "--tenant", "t", "--camera", "c", "--store"]);
    let record = record.arg(dir.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(6));
    let cut = UtcMicros(vigie_cli::moment::utc_now().0);
    simulator.set_outage(0, outage);
    std::thread::sleep(Duration::from_secs(seconds));
    simulator.set_outage(0, Outage::None);
    let back = vigie_cli::moment::utc_now();
    std::thread::sleep(Duration::from_secs(10));
    interrupt(&record);
    let output = support::wait(record, Duration::from_secs(20));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");

    let listed = ls(dir.path(), "c");
    let gaps = listed["gaps"].as_array().unwrap();
    assert_eq!(gaps.len(), 1, "{listed}\n{said}");
    assert_eq!(gaps[0]["cause"], cause, "{listed}\n{said}");
    assert_eq!(listed["ranges"].as_array().unwrap().len(), 2, "{listed}");
    let (from, to) = (utc(&gaps[0]["from"]), utc(&gaps[0]["to"]));
    assert!(
        (from.0 - cut.0).abs() < 1_000_000,
        "the gap starts {} ms from the cut",
        (from.0 - cut.0) / 1_000
    );
    let folder = dir.path().to_str().unwrap();
    let told = succeed(&mut vigie(&["gaps", "--json", "--store", folder, "--camera", "c"]));
    let counted: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(counted["gaps"], listed["gaps"], "{counted}");
    let months = counted["months"].as_array().unwrap();
    let missing: f64 = months.iter().filter_map(|month| month["missing_seconds"][cause].as_f64()).sum();
    assert!((missing - (to.0 - from.0) as f64 / 1e6).abs() < 0.001, "{counted}");
    let recorded: f64 = months.iter().filter_map(|month| month["recorded_seconds"].as_f64()).sum();
    let all = months.iter().filter_map(|month| month["missing_seconds"].as_object()).flat_map(|m| m.values());
    let all: f64 = all.filter_map(Value::as_f64).sum();
    let share = months[0]["share"].as_f64().unwrap();
    assert!(months.len() > 1 || (share - recorded / (recorded + all)).abs() < 0.001, "{counted}");
    let table = succeed(&mut vigie(&["gaps", "--store", folder]));
    assert!(table.contains(cause) && table.contains(" %"), "{table}");
    // Back-off of 4 s at most, then up to one GOP of 2 s to the next key picture.
    assert!(to.0 - back.0 < 7_000_000, "recording went on {} ms after the return", (to.0 - back.0) / 1_000);
}

/// Ctrl-C.
fn interrupt(child: &std::process::Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_camera_that_dies_leaves_one_gap_with_its_cause() {
    outage_leaves_one_gap(Outage::Off, "camera", if long() { 30 } else { 4 });
}

#[test]
fn a_network_that_dies_leaves_one_gap_with_its_cause() {
    outage_leaves_one_gap(Outage::Cut, "network", if long() { 30 } else { 15 });
}

#[test]
fn ctrl_c_closes_the_recording() {
    let server = simulate(&["--cameras", "1"]);
    let dir = tempfile::tempdir().unwrap();
    let mut record = vigie(&["record", &server.urls[0], "--tenant", "t", "--camera", "c", "--store"]);
    let record = record.arg(dir.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(5));
    interrupt(&record);
    let start = Instant::now();
    let output = support::wait(record, Duration::from_secs(10));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(start.elapsed() < Duration::from_secs(3));
    let listed = ls(dir.path(), "c");
    let covered = utc(&listed["ranges"][0]["to"]).0 - utc(&listed["ranges"][0]["from"]).0;
    // The pictures of the GOP that was open are kept too.
    assert!(covered > 2_500_000, "{listed}");
}

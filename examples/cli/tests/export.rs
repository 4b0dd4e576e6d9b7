//! `vigie export` into a folder, while the camera is being recorded: what is delivered is what was recorded, and it says what is
//! missing; `--verify` finds what was changed since. `vigie forecast` of the same store.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "judges/nals.rs"]
mod nals;
mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Barcode, assert_recorded, barcodes, fail, ffmpeg, run, simulate, succeed, vigie};
use vigie::time::UtcMicros;

/// Pictures of a clip before it begins again.
const LENGTH: u32 = 1_500;

fn record(url: &str, store: &Path, seconds: u64) -> Child {
    let mut command =
        vigie(&["record", url, "--tenant", "t", "--camera", "c", "--for", &format!("{seconds}s")]);
    command.arg("--store").arg(store).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn finish(record: Child) {
    let output = support::wait(record, Duration::from_secs(60));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn ls(store: &Path) -> Value {
    let text = succeed(vigie(&["ls", "--json", "--tenant", "t", "--camera", "c", "--store"]).arg(store));
    serde_json::from_str(text.trim()).unwrap()
}

fn utc(value: &Value) -> UtcMicros {
    value.as_str().expect("a time").parse().expect("RFC 3339")
}

/// Waits until so many seconds were recorded after `from`.
fn recorded_until(store: &Path, from: UtcMicros, seconds: i64) {
    let patience = Instant::now() + Duration::from_secs(40);
    loop {
        let there = store.join("t/c").is_dir().then(|| ls(store));
        let last = there.and_then(|l| l["ranges"].as_array().unwrap().last().map(|r| utc(&r["to"])));
        if last.is_some_and(|last| last.0 >= from.0 + seconds * 1_000_000) {
            return;
        }
        assert!(Instant::now() < patience, "nothing is recorded");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Exports `[from, to)`; the exit code and what it said.
fn export(store: &Path, from: UtcMicros, to: UtcMicros, options: &[&str], out: &Path) -> (i32, Value) {
    let mut command = vigie(&["export", "--json", "--tenant", "t", "--camera", "c", "--store"]);
    command.arg(store).args(["--from", &from.to_string(), "--to", &to.to_string()]).args(options);
    let output = run(command.arg("-o").arg(out));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    (output.status.code().unwrap(), told)
}

fn verify(folder: &Path) -> (i32, Value) {
    let output = run(vigie(&["export", "--json", "--verify"]).arg(folder));
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}

fn media(store: &Path) -> Vec<PathBuf> {
    ls(store)["files"].as_array().unwrap().iter().map(|f| store.join(f["path"].as_str().unwrap())).collect()
}

fn numbers(pictures: &[Option<Barcode>]) -> Vec<u32> {
    pictures.iter().map(|p| p.expect("a barcode").number).collect()
}

fn sha256(path: &Path) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(std::fs::read(path).unwrap()).iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn a_folder_holds_what_was_recorded_and_says_what_it_is() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let server = simulate(&["--cameras", "1"]);
    // Two recordings with a pause between them; the export is made while the second is going on.
    let begin = vigie_cli::moment::utc_now();
    finish(record(&server.urls[0], &store, 6));
    let again = vigie_cli::moment::utc_now();
    let second = record(&server.urls[0], &store, 14);
    recorded_until(&store, again, 7);
    let told = ls(&store);
    let ranges = told["ranges"].as_array().unwrap().clone();
    assert_eq!(ranges.len(), 2, "{told}");
    let (first, last) = (utc(&ranges[0]["from"]), utc(&ranges[1]["from"]));
    assert!(first.0 > begin.0 - 3_000_000);
    // From the middle of a GOP before the pause to the middle of one behind it, half a picture beside their own times.
    let (from, to) = (first.plus(1_020_000), last.plus(3_020_000));
    let case = dir.path().join("case");
    let who = ["--operator", "J. Martin", "--reason", "requisition", "--case", "12/34", "--subtitles"];
    let (code, told) = export(&store, from, to, &who, &case);
    assert_eq!(code, 3, "{told}");
    finish(second);

    // Nothing of the recording was lost by it.
    let files = media(&store);
    let again: Vec<_> = files.iter().filter(|f| barcodes(f).len() > 1).collect();
    let all: Vec<Vec<Option<Barcode>>> = again.iter().map(|f| barcodes(f)).collect();
    let ranges = ls(&store)["ranges"].as_array().unwrap().clone();
    assert_eq!(ranges.len(), 2, "no gap but the pause");
    let recorded: Vec<_> = all.concat();
    let pause = recorded
        .windows(2)
        .position(|w| (w[0].unwrap().number + 1) % LENGTH != w[1].unwrap().number)
        .expect("a pause");
    assert_recorded(&recorded[pause + 1..], LENGTH);

    // Two movies: each shows its pictures and no other, their NAL units those of the recording.
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(case.join("manifest.json")).unwrap()).unwrap();
    let movies = manifest["movies"].as_array().unwrap();
    assert_eq!(movies.len(), 2, "{manifest}");
    let before: Vec<u32> = numbers(&recorded[..=pause]).split_off(26);
    let after: Vec<u32> = numbers(&recorded[pause + 1..])[..76].to_vec();
    let units: Vec<_> = files.iter().flat_map(|file| nals::nals(file)).collect();
    for (movie, expected) in movies.iter().zip([before, after]) {
        let path = case.join(movie["name"].as_str().unwrap());
        assert_eq!(numbers(&barcodes(&path)), expected, "{movie}");
        assert_eq!(movie["pictures"], expected.len());
        let exported = nals::nals(&path);
        nals::found(&exported, &units).unwrap();
        let hidden = movie["hidden"].as_array().unwrap();
        assert_eq!(exported.len(), expected.len() + hidden.len());
        assert!(hidden.iter().all(|h| h["why"] == "lead-in" || utc(&h["utc"]) >= to), "{movie}");
        assert_eq!((movie["random_access"].as_bool(), movie["lost_packets"].as_u64()), (Some(true), Some(0)));
        assert!(movie["clock"][0]["error_seconds"].as_f64().unwrap() < 10.0, "{movie}");
    }
    assert_eq!(movies[0]["hidden"].as_array().unwrap().len(), 26);
    // Requested is delivered, to the picture; what is missing is the pause.
    let delivered = manifest["delivered"].as_array().unwrap();
    assert!((utc(&delivered[0]["from"]).0 - from.0 - 20_000).abs() < 2_000, "{manifest}");
    assert_eq!(utc(&delivered[1]["to"]), to);
    let [gap] = &manifest["missing"].as_array().unwrap()[..] else { panic!("{manifest}") };
    assert!((utc(&gap["from"]).0 - utc(&delivered[0]["to"]).0).abs() < 200_000, "{manifest}");
    assert_eq!((utc(&gap["to"]), gap["cause"].as_str()), (utc(&delivered[1]["from"]), Some("operator")));
    assert_eq!(
        ["operator", "reason", "case", "tenant", "camera"].map(|k| manifest[k].as_str().unwrap()),
        ["J. Martin", "requisition", "12/34", "t", "c"]
    );

    // The originals are bytes of the recording, and a store.
    let originals = manifest["originals"].as_array().unwrap();
    assert!(!originals.is_empty());
    for original in originals {
        let name = original["name"].as_str().unwrap();
        let exported = std::fs::read(case.join(name)).unwrap();
        let stored = std::fs::read(store.join(name.strip_prefix("originals/").unwrap())).unwrap();
        let mut at = 0;
        for (i, range) in original["ranges"].as_array().unwrap().iter().enumerate() {
            let (from, to) = (range[0].as_u64().unwrap() as usize, range[1].as_u64().unwrap() as usize);
            if i == 1 {
                // A `free` box stands where the room for `sidx` was.
                assert_eq!(&exported[at + 4..at + 8], b"free");
                at += u32::from_be_bytes(exported[at..at + 4].try_into().unwrap()) as usize;
            }
            assert_eq!(exported[at..at + to - from], stored[from..to], "{name}");
            at += to - from;
        }
        assert_eq!(at, exported.len(), "{name}");
        assert!(!barcodes(&case.join(name)).is_empty(), "{name} can be played by itself");
    }
    assert_hashes(&case, &manifest, &told);
    assert_in_journal(&store, &manifest, &told);
    lines_of_subtitles(&case.join(movies[1]["name"].as_str().unwrap()), &movies[1]);
    tampering_is_found(&case, &manifest);
    strict(&store, from, to, dir.path());
    forecast(&store);
}

/// Every file's hash is in the manifest and in SHA256SUMS, the manifest's was told.
fn assert_hashes(case: &Path, manifest: &Value, told: &Value) {
    let sums = std::fs::read_to_string(case.join("SHA256SUMS")).unwrap();
    let sums: Vec<(&str, &str)> = sums.lines().map(|l| l.split_once("  ").unwrap()).collect();
    for file in manifest["movies"].as_array().unwrap().iter().chain(manifest["originals"].as_array().unwrap())
    {
        let (name, hash) = (file["name"].as_str().unwrap(), file["sha256"].as_str().unwrap());
        assert_eq!(sha256(&case.join(name)), hash, "{name}");
        assert!(sums.contains(&(hash, name)), "{name}");
    }
    assert_eq!(told["folder"]["manifest_sha256"], sha256(&case.join("manifest.json")).as_str());
    let (code, checked) = verify(case);
    assert_eq!((code, checked["ok"].as_bool()), (0, Some(true)), "{checked}");
    assert_eq!(checked["manifest_sha256"], told["folder"]["manifest_sha256"]);
    assert!(checked["samples_compared"].as_u64().unwrap() > 150, "{checked}");
}

/// A line that can be read without us: who, why, and the hash of each file.
fn assert_in_journal(store: &Path, manifest: &Value, told: &Value) {
    let text = std::fs::read_to_string(store.join("t/journal-000001.jsonl")).unwrap();
    let line = text.lines().find(|line| line.contains("12/34")).expect("the export is in the journal");
    for word in ["J. Martin", "requisition", manifest["requested"]["from"].as_str().unwrap()] {
        assert!(line.contains(word), "{word}: {line}");
    }
    assert!(line.contains(told["folder"]["manifest_sha256"].as_str().unwrap()), "{line}");
    for file in manifest["movies"].as_array().unwrap().iter().chain(manifest["originals"].as_array().unwrap())
    {
        assert!(line.contains(file["sha256"].as_str().unwrap()), "{line}");
    }
}

/// As ffmpeg reads them: full seconds of UTC, one after the other.
fn lines_of_subtitles(movie: &Path, told: &Value) {
    let mut command = std::process::Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-i"]).arg(movie).args(["-map", "0:s:0", "-f", "srt", "-"]);
    let text = succeed(&mut command);
    let lines: Vec<UtcMicros> = text
        .lines()
        .filter_map(|l| l.find(" UTC").map(|end| &l[..end]))
        .map(|l| l[l.len() - 19..].replace(' ', "T") + "Z")
        .map(|l| l.parse().unwrap())
        .collect();
    let first = utc(&told["first"]).0.div_euclid(1_000_000);
    let seconds: Vec<i64> = lines.iter().map(|l| l.0 / 1_000_000).collect();
    let expected: Vec<i64> = (first..=utc(&told["last"]).0.div_euclid(1_000_000)).collect();
    assert_eq!(seconds, expected, "{text}");
}

fn tampering_is_found(case: &Path, manifest: &Value) {
    let original = manifest["originals"][0]["name"].as_str().unwrap();
    let movie = manifest["movies"][0]["name"].as_str().unwrap();
    for (name, wrong) in [(original, 2), (movie, 2)] {
        let path = case.join(name);
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() * 2 / 3;
        bad[middle] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        let (code, told) = verify(case);
        assert_eq!((code, told["ok"].as_bool()), (1, Some(false)), "{told}");
        // The hash; and the checksum of the fragment, or the sample that is in no original. (A changed original lacks samples
        // of the movie, too.)
        assert!(told["wrong"].as_array().unwrap().len() >= wrong, "{told}");
        std::fs::remove_file(&path).unwrap();
        let (code, told) = verify(case);
        assert_eq!(code, 1);
        assert!(told.to_string().contains("it is missing"), "{told}");
        std::fs::write(&path, &good).unwrap();
    }
    // What lies beside them is checked, too: the page for people, and the list of hashes.
    for name in ["README.txt", "SHA256SUMS"] {
        let path = case.join(name);
        let good = std::fs::read_to_string(&path).unwrap();
        let changed = [
            good.replacen('a', "b", 1),
            good.lines().skip(1).map(|line| format!("{line}\n")).collect(),
            good.clone() + "more\n",
        ];
        for bad in changed.iter().take(if name == "README.txt" { 3 } else { 2 }) {
            std::fs::write(&path, bad).unwrap();
            let (code, told) = verify(case);
            assert_eq!((code, told["ok"].as_bool()), (1, Some(false)), "{name}: {told}");
            assert!(told["wrong"].to_string().contains(name), "{told}");
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(verify(case).0, 1, "{name} is missing");
        std::fs::write(&path, &good).unwrap();
    }
    assert_eq!(verify(case).0, 0);
    std::fs::write(case.join("note.txt"), "mine").unwrap();
    let (code, told) = verify(case);
    assert_eq!((code, told["not_in_manifest"][0].as_str()), (0, Some("note.txt")), "{told}");
    // A manifest that names what lies elsewhere is not followed there.
    let evil = case.with_file_name("evil");
    std::fs::create_dir(&evil).unwrap();
    let text = std::fs::read_to_string(case.join("manifest.json")).unwrap();
    std::fs::write(evil.join("manifest.json"), text.replace(movie, "../case/manifest.json")).unwrap();
    let said = fail(&["export", "--verify", evil.to_str().unwrap()]);
    assert!(said.contains("outside the folder"), "{said}");
    let said = fail(&["export", "--verify", case.parent().unwrap().to_str().unwrap()]);
    assert!(said.contains("manifest.json"), "{said}");
}

/// At a random access point, with nothing hidden before; what lies before it is said to be missing.
fn strict(store: &Path, from: UtcMicros, to: UtcMicros, dir: &Path) {
    let out = dir.join("strict.mp4");
    let (code, told) = export(store, from, to, &["--strict-range"], &out);
    assert_eq!(code, 3, "{told}");
    let file = &told["files"][0];
    let shown = numbers(&barcodes(&out));
    // The clip has a GOP each 50 pictures.
    assert_eq!(shown[0] % 50, 0, "{told}");
    assert_eq!(shown.len() as u64, file["pictures"].as_u64().unwrap());
    assert_eq!(file["hidden_pictures"], 0);
    let lead = &told["missing"][0];
    assert!(lead["cause"].as_str().unwrap().contains("random access point"), "{told}");
    assert_eq!((utc(&lead["from"]), utc(&lead["to"])), (from, utc(&file["first"])));
    assert!(dir.join("strict-2.mp4").is_file(), "the pause splits it");
}

fn forecast(store: &Path) {
    let ask = |options: &[&str]| {
        let output = run(vigie(&["forecast", "--json", "--store"]).arg(store).args(options));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
        (output.status.code().unwrap(), told)
    };
    // A few seconds tell nothing of an hour.
    let (code, told) = ask(&["--free", "1GB"]);
    assert_eq!((code, told["tenants"][0]["recording"].as_u64()), (0, Some(0)), "{told}");
    let held: u64 = ls(store)["files"].as_array().unwrap().iter().map(|f| f["bytes"].as_u64().unwrap()).sum();
    assert_eq!(told["tenants"][0]["held_bytes"], held);
    assert_eq!(told["usable_bytes"], 1_000_000_000);
    let said = fail(&["forecast", "--store", store.to_str().unwrap(), "--retention", "nobody=3d"]);
    assert!(said.contains("nobody"), "{said}");
}

#[test]
fn an_interrupted_export_leaves_nothing_that_looks_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let server = simulate(&["--cameras", "1"]);
    finish(record(&server.urls[0], &store, 6));
    let range = ls(&store)["ranges"][0].clone();
    let (from, to) = (range["from"].as_str().unwrap(), range["to"].as_str().unwrap());
    let folder = dir.path().join("case");
    let (mut whole, mut none) = (0, 0);
    for delay in [0, 1, 2, 4, 6, 8, 12, 16, 24, 40, 80] {
        let mut command =
            vigie(&["export", "--tenant", "t", "--camera", "c", "--from", from, "--to", to, "--store"]);
        let command =
            command.arg(&store).arg("-o").arg(&folder).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        let signal = if delay % 8 == 0 { "-KILL" } else { "-INT" };
        let pid = child.id().to_string();
        let _ = std::process::Command::new("kill").args([signal, &pid]).stderr(Stdio::null()).status();
        let output = support::wait(child, Duration::from_secs(20));
        if folder.exists() {
            let (code, told) = verify(&folder);
            assert_eq!(code, 0, "{told}");
            std::fs::remove_dir_all(&folder).unwrap();
            whole += 1;
        } else {
            assert!(!output.status.success(), "{output:?}");
            none += 1;
        }
        // What was killed stays under a name that says so, until the next export.
        for left in std::fs::read_dir(dir.path()).unwrap() {
            let name = left.unwrap().file_name();
            assert!(["store", ".case.part"].contains(&name.to_str().unwrap()), "{name:?}");
        }
    }
    println!("interrupted {none} times, too late {whole} times");
    let (code, told) = export(&store, from.parse().unwrap(), to.parse().unwrap(), &[], &folder);
    assert_eq!(code, 0, "{told}");
    assert!(!dir.path().join(".case.part").exists());
    // Into a folder in which there is something nothing is written.
    let arguments = ["export", "--tenant", "t", "--camera", "c", "--from", from, "--to", to];
    let (store, folder) = (store.to_str().unwrap(), folder.to_str().unwrap());
    let said = fail(&[&arguments[..], &["--store", store, "-o", folder]].concat());
    assert!(said.contains("is not empty"), "{said}");
    assert!(Path::new(folder).join("manifest.json").is_file());
}

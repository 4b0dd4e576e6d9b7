//! `vigie fsck` and `vigie rebuild` on a real store; and a real disk that is full.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use support::vigie;
use vigie::codec::Codec;
use vigie::depacket::AnnexBReader;
use vigie::gix::Span;
use vigie::limits::Limits;
use vigie::record::{Recorder, RecorderConfig};
use vigie::store::{Cause, FileStorage, Listing, Source, Storage, Volume, VolumeId, verify};
use vigie::time::{Micros, UtcMicros};

const START: UtcMicros = UtcMicros(1_795_324_440_000_000);

fn source() -> Source {
    Source::new("town", "place").unwrap()
}

/// Records a clip of a minute so many times, by a clock of its own; gives how many pictures there were and errors told.
fn record(storage: impl Storage, times: u64, mut each: impl FnMut(u64)) -> (u64, u32) {
    let clip = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/clips/1-mairie.h264")).unwrap();
    let (mut recorder, _) =
        Recorder::open(storage, source(), RecorderConfig::default(), Micros(0), START).unwrap();
    let (mut n, mut errors) = (0_u64, 0);
    for time in 0..times {
        each(time);
        let mut reader = AnnexBReader::new(Codec::H264, &Limits::default());
        reader.push(&clip);
        reader.finish();
        while let Some(mut unit) = reader.pull() {
            let now = Micros(n * 40_000);
            unit.timestamp = (n * 3_600) as u32;
            unit.received = now;
            recorder.clocks(now, START.plus(now.0 as i64));
            errors += u32::from(recorder.push(now, unit).is_err());
            errors += u32::from(recorder.handle_timeout(now).is_err());
            n += 1;
        }
    }
    let _ = recorder.finish(Micros(n * 40_000));
    (n, errors)
}

fn run(store: &Path, words: &[&str]) -> Output {
    let child = vigie(words)
        .arg("--store")
        .arg(store)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    support::wait(child.unwrap(), Duration::from_secs(120))
}

/// The findings and the last line.
fn json(output: &Output) -> (Vec<Value>, Value) {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let done = lines.pop().unwrap();
    assert_eq!(done["event"], "done");
    (lines, done)
}

#[test]
fn damage_is_told_with_its_place_repaired_when_asked_and_indexes_are_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (pictures, errors) = record(FileStorage::new(dir.path()), 3, |_| ());
    assert_eq!(errors, 0);
    let clean = run(dir.path(), &["fsck"]);
    assert_eq!(clean.status.code(), Some(0), "{clean:?}");
    assert!(String::from_utf8_lossy(&clean.stdout).contains("all is whole"), "{clean:?}");

    // A bit in the middle of a picture.
    let listing = Listing::load(&mut FileStorage::new(dir.path()), &source(), Span::ALL).unwrap();
    let path = dir.path().join(Listing::path(&source(), listing.segments[1].key));
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 4;
    std::fs::write(&path, &bytes).unwrap();
    let bad = run(dir.path(), &["fsck", "--json"]);
    assert_eq!(bad.status.code(), Some(1), "{bad:?}");
    let (findings, done) = json(&bad);
    let what: Vec<&str> = findings.iter().map(|f| f["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["hole", "mfra", "sidx", "promised"]);
    let (from, len) = (findings[0]["at"].as_u64().unwrap(), findings[0]["count"].as_u64().unwrap());
    assert!((from..from + len).contains(&(at as u64)), "{findings:?}");
    assert_eq!((done["damage"].as_u64(), done["bytes"].as_u64().unwrap() > 100_000), (Some(4), true));
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "looking changes nothing");

    // Somebody records it: looked at, and left alone.
    {
        let mut storage = FileStorage::new(dir.path());
        storage.lock("town/place").unwrap();
        let busy = run(dir.path(), &["fsck", "--repair", "--json"]);
        assert_eq!(busy.status.code(), Some(1), "{busy:?}");
        assert_eq!(json(&busy).1["being_recorded"][0], "town/place");
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    let repaired = run(dir.path(), &["fsck", "--repair", "--json"]);
    assert_eq!(repaired.status.code(), Some(0), "{repaired:?}");
    assert_eq!(json(&repaired).1["repaired"], 4);
    assert_eq!(run(dir.path(), &["fsck"]).status.code(), Some(0));
    let left = Listing::load(&mut FileStorage::new(dir.path()), &source(), Span::ALL).unwrap();
    let kept: u64 = left.segments.iter().map(|file| file.samples).sum();
    assert!(kept < pictures && kept >= pictures - 250, "{kept} of {pictures}");

    let index = dir.path().join("town/place/2026-11-22.gix");
    let whole = std::fs::read(&index).unwrap();
    std::fs::remove_file(&index).unwrap();
    assert_eq!(run(dir.path(), &["fsck"]).status.code(), Some(1));
    let rebuilt = run(dir.path(), &["rebuild", "--json"]);
    assert_eq!((rebuilt.status.code(), json(&rebuilt).1["indexes_written"].as_u64()), (Some(0), Some(1)));
    assert_eq!(std::fs::read(&index).unwrap(), whole);
    let again = run(dir.path(), &["rebuild", "--json"]);
    assert_eq!(json(&again).1["indexes_written"], 0);
    let none = run(dir.path(), &["fsck", "--tenant", "nobody"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&none.stderr).contains("town/place"), "{none:?}");
}

/// A file system of 24 MB, taken away at the end.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m", "none"]).arg(dir.path());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(dir))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_folder_is_made_a_volume_once_and_known_again() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("disk");
    assert_eq!(run(&root, &["volume"]).status.code(), Some(1), "there is none");
    let made = run(&root, &["volume", "--create", "--reserve", "1", "--json"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(made["reserve"], 1 << 20);
    assert_eq!(std::fs::metadata(root.join(".vigie-reserve")).unwrap().len(), 1 << 20);
    let found: Value = serde_json::from_slice(&run(&root, &["volume", "--json"]).stdout).unwrap();
    assert_eq!(found, made);
    let again = run(&root, &["volume", "--create"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("already"), "{again:?}");
    let other = dir.path().join("other");
    let other: Value =
        serde_json::from_slice(&run(&other, &["volume", "--create", "--json"]).stdout).unwrap();
    assert_ne!(other["volume"], made["volume"]);
}

#[test]
fn a_real_disk_that_is_full_closes_what_is_open_and_goes_on_when_there_is_room() {
    let Some(disk) = Small::mount() else {
        println!("SKIPPED: a small file system: mounting is not allowed here");
        return;
    };
    let root = disk.0.path();
    let volume = Volume::create(FileStorage::new(root), VolumeId([5; 16]), 4 << 20).unwrap();
    // Somebody else's bytes, which leave room for some minutes of footage, and go after a quarter of an hour.
    let others = root.join("others");
    std::fs::write(&others, vec![1; 17 << 20]).unwrap();
    let mut seen_full = false;
    let (pictures, errors) = record(volume, 20, |minute| {
        if minute == 15 {
            seen_full = !root.join(".vigie-reserve").exists();
            let found = verify(&mut FileStorage::new(root), &source()).unwrap();
            assert!(found.is_whole(), "{found:?}");
            std::fs::remove_file(&others).unwrap();
        }
    });
    assert!(seen_full && errors > 5, "{errors}");
    assert!(root.join(".vigie-reserve").exists(), "made again");
    let checked = run(root, &["fsck", "--json"]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    let listing = Listing::load(&mut FileStorage::new(root), &source(), Span::ALL).unwrap();
    let kept: u64 = listing.segments.iter().map(|file| file.samples).sum();
    println!("{kept} of {pictures} pictures kept, gaps: {:?}", listing.gaps);
    assert_eq!(
        listing.gaps.iter().filter(|gap| gap.cause == Cause::Storage && gap.code == 552).count(),
        listing.gaps.len()
    );
    assert!(!listing.gaps.is_empty() && kept < pictures);
    assert!(listing.ranges.last().unwrap().to > START.plus(19 * 60_000_000));
}

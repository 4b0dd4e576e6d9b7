//! `kill -9` of a recording process, fifty times at random moments: the store opens, what was synced is there, and the
//! index is the one that the media give, byte for byte.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use support::vigie;
use vigie::store::{FileStorage, Options, Source, Writer, verify};
use vigie_cli::simulator::{Config, Simulator};

const CAMERAS: usize = 5;
const KILLS: usize = 10;

/// Records until a random moment, then kills; gives the fragments that the process said were synced.
fn record_and_kill(url: &str, store: &Path, camera: &str, moment: Duration) -> u64 {
    let mut command = vigie(&["record", url, "--json", "--tenant", "t", "--camera", camera, "--store"]);
    let mut child = command.arg(store).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let synced = Arc::new(Mutex::new(0));
    let told = Arc::clone(&synced);
    let reader = std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            // The last line may be torn by the kill; what is no JSON was not told.
            let Ok(event) = serde_json::from_str::<Value>(&line) else { return };
            if event["event"] == "synced" {
                *told.lock().unwrap() = event["fragments"].as_u64().unwrap();
            }
        }
    });
    std::thread::sleep(moment);
    assert!(child.try_wait().unwrap().is_none(), "the recording had ended before it was killed");
    child.kill().unwrap();
    let output = support::wait(child, Duration::from_secs(10));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    reader.join().unwrap();
    *synced.lock().unwrap()
}

#[test]
fn fifty_kills_lose_nothing_that_was_synced() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let simulator = runtime.block_on(Simulator::start(Config::new(CAMERAS))).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let totals: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let cameras = (0..CAMERAS).map(|camera| {
            let (url, store) = (simulator.url(camera), dir.path());
            scope.spawn(move || kill_often(&url, store, &format!("c{camera}")))
        });
        cameras.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (synced, kept) = totals.iter().fold((0, 0), |sum, t| (sum.0 + t.0, sum.1 + t.1));
    println!(
        "{} kills: {synced} fragments told to be synced, {kept} kept, every index as rebuilt",
        CAMERAS * KILLS
    );
    assert!(synced > 10, "the recordings were killed before anything was synced");
}

fn kill_often(url: &str, store: &Path, camera: &str) -> (u64, u64) {
    let source = Source::new("t", camera).unwrap();
    let (mut synced, mut kept) = (0, 0);
    for kill in 0..KILLS {
        // From before the first picture to well after the second sync.
        let millis = 200 + RandomState::new().hash_one(kill) % 7_000;
        let told = record_and_kill(url, store, camera, Duration::from_millis(millis));
        // The next start.
        let opened = Writer::open(FileStorage::new(store), source, Options::default());
        let (writer, _) = opened.unwrap_or_else(|e| panic!("{camera}, kill {kill} after {millis} ms: {e}"));
        drop(writer);
        let found = verify(&mut FileStorage::new(store), &source).unwrap();
        assert!(found.is_whole(), "{camera}, kill {kill} after {millis} ms: {found:?}");
        assert!(
            found.fragments >= kept + told,
            "{camera}, kill {kill} after {millis} ms: {told} synced, but {} of {kept} before are there",
            found.fragments
        );
        (synced, kept) = (synced + told, found.fragments);
    }
    (synced, kept)
}

//! A recorded session is captured, and had again without the camera.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::Digest as _;
use support::{assert_recorded, barcodes, fail, ffmpeg, run, simulate, succeed, vigie};

const PASSWORD: &str = "s3cr3t-of-the-camera";

/// Records a camera that asks for a password, with a token in its address; gives the capture and the pictures kept.
fn record(dir: &Path, options: &[&str], basic: bool) -> (PathBuf, u64) {
    let password = dir.join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let auth = if basic { "basic" } else { "digest" };
    let login = ["--user", "viewer", "--password-file", password.to_str().unwrap()];
    let server = simulate(&[&["--cameras", "1", "--auth", auth], &login[..]].concat());
    let (store, capture) = (dir.join("live"), dir.join("session.vcap"));
    let url = format!("{}?token=t0ken-of-the-town", server.urls[0]);
    let mut command = vigie(&["record", &url, "--tenant", "t", "--camera", "c", "--for", "4s", "--json"]);
    command.args(login).arg("--store").arg(&store).arg("--capture").arg(&capture).args(options);
    let said = succeed(&mut command);
    let done: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert!(done["health"]["delivered_rate"].as_f64().is_some_and(|rate| rate > 1.0), "{done}");
    (capture, done["pictures"].as_u64().unwrap())
}

fn lines(capture: &Path) -> String {
    let output = run(vigie(&["replay"]).arg(capture));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("the same as when it was recorded"), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every file of a folder, with its bytes.
fn files(dir: &Path, base: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, base, found);
        } else {
            found.insert(path.strip_prefix(base).unwrap().to_owned(), std::fs::read(&path).unwrap());
        }
    }
}

fn assert_without_secrets(capture: &Path) {
    let file = std::fs::read(capture).unwrap();
    // The second is viewer: and the password, in Base64.
    for secret in [PASSWORD, "dmlld2VyOnMzY3IzdC1vZi10aGUtY2FtZXJh", "t0ken-of-the-town"] {
        assert!(!file.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret} is in the capture");
    }
    // Of every answer to a challenge, the scheme alone is left.
    let text = String::from_utf8_lossy(&file).into_owned();
    let mut answers = 0;
    for line in text.split("\r\n").filter_map(|line| line.strip_prefix("Authorization: ")) {
        let (scheme, rest) = line.split_once(' ').expect("a scheme");
        assert!(["Basic", "Digest"].contains(&scheme) && rest.bytes().all(|b| b"x ".contains(&b)), "{line}");
        answers += 1;
    }
    assert!(answers > 0, "no request with an answer was captured");
}

#[test]
fn a_session_is_had_again_event_by_event_and_byte_by_byte() {
    let dir = tempfile::tempdir().unwrap();
    let (capture, pictures) = record(dir.path(), &[], false);
    assert_without_secrets(&capture);
    let first = lines(&capture);
    assert_eq!(first.lines().filter(|line| line.starts_with("picture ")).count() as u64, pictures);
    assert_eq!(first, lines(&capture));
    let digest = succeed(vigie(&["replay", "--digest"]).arg(&capture));
    let sum: String = sha2::Sha256::digest(first.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(digest.trim(), sum);

    // Two replays write the same store.
    let stores = ["one", "two"].map(|name| {
        let store = dir.path().join(name);
        succeed(vigie(&["replay", "--tenant", "t", "--camera", "c", "--store"]).arg(&store).arg(&capture));
        let mut found = BTreeMap::new();
        files(&store, &store, &mut found);
        found
    });
    assert!(
        stores[0].keys().any(|path| path.extension().is_some_and(|e| e.to_string_lossy().starts_with("m4v"))),
        "{:?}",
        stores[0].keys()
    );
    assert_eq!(stores[0].keys().collect::<Vec<_>>(), stores[1].keys().collect::<Vec<_>>());
    assert!(stores[0] == stores[1], "the two stores differ");

    let movie = dir.path().join("out.mp4");
    succeed(vigie(&["replay", "-o"]).arg(&movie).arg(&capture));
    if ffmpeg() {
        let shown = barcodes(&movie);
        assert_eq!(shown.len() as u64, pictures);
        assert_recorded(&shown, 1_500);
    }
}

#[test]
fn without_media_the_same_happens_and_no_picture_is_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let (capture, pictures) = record(dir.path(), &["--no-media"], true);
    assert_without_secrets(&capture);
    let lines = lines(&capture);
    assert_eq!(lines.lines().filter(|line| line.starts_with("picture ")).count() as u64, pictures);
    // Most of what pictures were is filler; what is kept are headers, parameter sets and SEI.
    let file = std::fs::read(&capture).unwrap();
    let filler = file.iter().filter(|b| **b == 0xff).count();
    let sizes = lines.split(" bytes=").skip(1).filter_map(|rest| rest.split_whitespace().next());
    let bytes: usize = sizes.map(|size| size.parse::<usize>().unwrap()).sum();
    assert!(filler * 2 > bytes, "{filler} of {bytes}");
    assert!(lines.contains("access=Idr") && !lines.contains(" crc="), "{lines}");
}

/// The kinds of the records of a capture (`core/docs/capture.md`), each with how often it stands there.
fn kinds(capture: &Path) -> BTreeMap<u8, usize> {
    let file = std::fs::read(capture).unwrap();
    let (mut found, mut rest) = (BTreeMap::new(), &file[12..]);
    while let [kind, a, b, c, d, after @ ..] = rest {
        *found.entry(*kind).or_default() += 1;
        rest = &after[8 + u32::from_be_bytes([*a, *b, *c, *d]) as usize + 4..];
    }
    found
}

#[test]
fn a_session_over_udp_is_had_again_datagram_by_datagram() {
    let dir = tempfile::tempdir().unwrap();
    for (name, options) in [("clear", &[][..]), ("blank", &["--no-media"])] {
        let dir = dir.path().join(name);
        std::fs::create_dir(&dir).unwrap();
        let (capture, pictures) = record(&dir, &[&["--transport", "udp"], options].concat(), false);
        assert_without_secrets(&capture);
        // Ports, datagrams of media and of RTCP came, and reports were sent; on the connection itself no packet did.
        let kinds = kinds(&capture);
        assert_eq!(kinds.get(&6), Some(&1), "{kinds:?}");
        assert!(kinds[&3] as u64 > pictures && kinds.contains_key(&10), "{kinds:?}");
        let first = lines(&capture);
        assert_eq!(first.lines().filter(|line| line.starts_with("picture ")).count() as u64, pictures);
        assert!(first.contains("sender-report") && !first.contains("incomplete"), "{first}");
        assert_eq!(first, lines(&capture));
        let stores = ["one", "two"].map(|name| {
            let store = dir.join(name);
            succeed(
                vigie(&["replay", "--tenant", "t", "--camera", "c", "--store"]).arg(&store).arg(&capture),
            );
            let mut found = BTreeMap::new();
            files(&store, &store, &mut found);
            found
        });
        assert!(!stores[0].is_empty() && stores[0] == stores[1], "the two stores differ");
    }
}

#[test]
fn what_cannot_be_replayed_is_told_with_a_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.vcap");
    let replay = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        fail(&["replay", file.to_str().unwrap()])
    };
    assert!(replay(b"RIFF").contains("not a captured session"));
    assert!(replay(b"VIGIECAP\0\x01\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0").contains("damaged"));
    assert!(fail(&["replay", dir.path().join("none").to_str().unwrap()]).contains("does not exist"));
}

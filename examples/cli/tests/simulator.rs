//! The simulated cameras as ffmpeg sees them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use support::{assert_consecutive, barcodes_of, fail, ffmpeg, run, simulate, succeed, vigie};
use vigie::time::UtcMicros;
use vigie_cli::simulator::{Config, Simulator};

#[test]
fn ffmpeg_plays_every_camera_from_a_key_picture_on() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let table = dir.path().join("table.jsonl");
    let server = simulate(&["--cameras", "5", "--table", table.to_str().unwrap()]);
    std::thread::scope(|scope| {
        for (camera, url) in (1..).zip(&server.urls) {
            scope.spawn(move || {
                let pictures = barcodes_of(&["-rtsp_transport", "tcp", "-i", url, "-frames:v", "60"]);
                assert_eq!(pictures.len(), 60, "{url}");
                let first = assert_consecutive(&pictures, 1_500);
                assert_eq!(first.number % 50, 0, "{url}");
                assert_eq!(first.camera, (camera - 1) % 4 + 1, "{url}");
            });
        }
    });
    let lines = std::fs::read_to_string(table).unwrap();
    let line: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    let utc: UtcMicros = line["utc"].as_str().unwrap().parse().unwrap();
    assert_eq!(utc.0, line["micros"].as_i64().unwrap());
    assert_eq!((&line["loop"], &line["number"]), (&0.into(), &0.into()));
}

#[test]
fn a_password_is_asked_for() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, "right\n").unwrap();
    for auth in ["digest", "basic"] {
        let options = ["--cameras", "1", "--user", "viewer", "--auth", auth, "--password-file"];
        let server = simulate(&[&options[..], &[file.to_str().unwrap()]].concat());
        let url = |login: &str| server.urls[0].replace("rtsp://", &format!("rtsp://{login}@"));
        let probe = |url: &str| {
            let mut ffprobe = std::process::Command::new("ffprobe");
            run(ffprobe.args(["-v", "error", "-rtsp_transport", "tcp", url])).status.success()
        };
        assert!(probe(&url("viewer:right")), "{auth}");
        assert!(!probe(&url("viewer:wrong")), "{auth}");
        assert!(!probe(&server.urls[0]), "{auth}");
    }
}

#[test]
fn what_cannot_be_listened_at_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(fail(&["simulate", "--listen", &address]).contains("another program"));
    assert!(fail(&["simulate", "--listen", "192.0.2.1:8554"]).contains("no such address"));
    assert!(fail(&["simulate", "--listen", "127.0.0.1:0", "--table", "/nowhere/x"]).contains("/nowhere/x"));
    // What cannot be read as a command line has an exit code of its own, and shows no password either.
    for arguments in [&["simulate", "--listen", "8554"][..], &["rtsp://u:s3cr3t@h/"], &[]] {
        let output = run(&mut vigie(arguments));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("s3cr3t"));
    }
}

#[test]
fn the_table_tells_what_was_sent() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let before = vigie_cli::moment::utc_now();
    let simulator = runtime.block_on(Simulator::start(Config::new(2))).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(1));
    let after = vigie_cli::moment::utc_now();
    for camera in 0..2 {
        let pictures = simulator.pictures(camera, before, after);
        // 25 a second, of as long as it was: a machine that is busy wakes late.
        let most = usize::try_from((after.0 - before.0) / 40_000).unwrap() + 1;
        assert!((15..=most).contains(&pictures.len()), "{} pictures, at most {most}", pictures.len());
        let mut numbers: Vec<u32> = pictures.iter().map(|p| p.number).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().zip(0..).all(|(number, i)| number <= i + 2));
        for pair in pictures.windows(2) {
            let step = i64::from(pair[1].number) - i64::from(pair[0].number);
            assert_eq!(pair[1].utc.0 - pair[0].utc.0, step * 40_000);
        }
    }
    assert!(simulator.pictures(9, before, after).is_empty());
}

#[test]
fn a_camera_with_a_quirk_is_probed_and_a_strict_probe_refuses_it() {
    let listed = succeed(&mut vigie(&["simulate", "--list-quirks", "--json"]));
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let quirks = listed["quirks"].as_array().unwrap();
    let found = quirks.iter().find(|quirk| quirk["name"] == "no-content-type").expect("a profile");
    assert_eq!((&found["line"], &found["tolerance"]), (&"37".into(), &"no-content-type".into()));
    assert!(fail(&["simulate", "--quirk", "nonsense"]).contains("no quirk \"nonsense\""));
    assert!(fail(&["simulate", "--quirk", "sha256-only"]).contains("asks for a password"));

    let server = simulate(&["--cameras", "1", "--quirk", "no-content-type", "--quirk", "no-marker"]);
    // Two seconds of it may go by before a key picture comes.
    let probe = |policy: &str| {
        run(&mut vigie(&["probe", &server.urls[0], "--for", "4s", "--json", "--policy", policy]))
    };
    for policy in ["auto", "force:no-content-type,no-marker"] {
        let output = probe(policy);
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(told["quirks"]["no-content-type"], 1, "{policy}: {told}");
        assert!(told["quirks"]["no-marker"].as_u64().is_some_and(|n| n > 5), "{policy}: {told}");
    }
    let refused = probe("strict");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no-content-type"));
    assert_eq!(probe("lenient").status.code(), Some(2));
    assert_eq!(probe("force:nonsense").status.code(), Some(2));
}

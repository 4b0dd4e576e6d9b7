//! What a new user gets wrong first: each time a sentence, a remedy, exit code 1, no backtrace, no password.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use support::{clips, fail, fail_with, simulate};

/// A server that answers every connection's every request with `answer`, for as long as the test runs.
fn answering(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = std::sync::Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), answer.clone());
            std::thread::spawn(move || {
                let mut request = [0; 4_096];
                while let Ok(n) = stream.read(&mut request)
                    && n > 0
                {
                    let request = String::from_utf8_lossy(&request[..n]);
                    if stream.write_all(answer(&request).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("rtsp://viewer:s3cr3t@127.0.0.1:{port}/stream")
}

/// A server whose DESCRIBE gives this SDP.
fn describing(sdp: &'static str) -> String {
    answering(move |request| {
        let header = |name: &str| request.lines().find_map(|l| l.strip_prefix(name)).unwrap_or("").trim();
        let cseq = header("CSeq:");
        if request.starts_with("DESCRIBE") {
            format!(
                "RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
                sdp.len()
            )
        } else {
            format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY\r\n\r\n")
        }
    })
}

/// The same must be said by `probe` and by `record --once`.
fn refused_by_both(url: &str, words: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let store = store.to_str().unwrap();
    let record = ["record", url, "--store", store, "--tenant", "t", "--camera", "c", "--once"];
    for said in [fail(&["probe", url]), fail(&record)] {
        for word in words {
            assert!(said.to_lowercase().contains(word), "{word:?} is not in: {said}");
        }
    }
}

#[test]
fn wrong_password() {
    for scheme in ["digest", "basic"] {
        let server =
            simulate(&["--cameras", "1", "--user", "viewer", "--auth", scheme, "--password-file", {
                let file =
                    std::env::temp_dir().join(format!("vigie-password-{}-{scheme}", std::process::id()));
                std::fs::write(&file, "right\n").unwrap();
                Box::leak(file.to_str().unwrap().to_owned().into_boxed_str())
            }]);
        let wrong = server.urls[0].replace("rtsp://", "rtsp://viewer:s3cr3t@");
        refused_by_both(&wrong, &["password", "vigie_password"]);
        let said = fail(&["probe", &server.urls[0]]);
        assert!(said.contains("asks for a user name and password"), "{said}");
        let env = [("VIGIE_USER", "viewer"), ("VIGIE_PASSWORD", "s3cr3t")];
        assert!(fail_with(&["probe", &server.urls[0]], &env).contains("password"));
    }
}

#[test]
fn logs_and_notes_show_no_password() {
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&password, "s3cr3t\n").unwrap();
    let file = password.path().to_str().unwrap();
    for scheme in ["digest", "basic"] {
        let options = ["--cameras", "1", "--user", "viewer", "--auth", scheme, "--password-file", file];
        let server = simulate(&options);
        let url = server.urls[0].replace("rtsp://", "rtsp://viewer:s3cr3t@");
        for format in ["--json", "--for"] {
            let mut probe = support::vigie(&["probe", &url, format]);
            let probe = if format == "--for" { probe.arg("3s") } else { &mut probe };
            let output = support::run(probe.env("VIGIE_LOG", "trace"));
            let said = [output.stdout, output.stderr].map(|b| String::from_utf8(b).unwrap()).concat();
            assert!(output.status.success(), "{said}");
            // In clear, and as Basic writes it.
            for secret in ["s3cr3t", "dmlld2VyOnMzY3IzdA", "Authorization"] {
                assert!(!said.contains(secret), "{secret}: {said}");
            }
        }
    }
}

#[test]
fn no_such_host() {
    refused_by_both(
        "rtsp://viewer:s3cr3t@camera.invalid/stream",
        &["camera.invalid", "no such host", "spelling"],
    );
}

#[test]
fn refused_port() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("rtsp://viewer:s3cr3t@127.0.0.1:{port}/stream");
    refused_by_both(&url, &["refused", &port.to_string(), "554"]);
}

#[test]
fn not_rtsp() {
    let http =
        answering(|_| "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".into());
    refused_by_both(&http, &["not rtsp", "port"]);
    let ssh = answering(|_| "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".into());
    refused_by_both(&ssh, &["not rtsp", "port"]);
}

#[test]
fn no_video_in_the_sdp() {
    let url = describing(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 0 RTP/AVP 8\r\na=control:trackID=1\r\n",
    );
    refused_by_both(&url, &["no video", "audio"]);
}

#[test]
fn unknown_codec() {
    let url = describing(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 MP4V-ES/90000\r\na=control:trackID=1\r\n",
    );
    refused_by_both(&url, &["mp4v-es", "h.264", "h.265"]);
}

#[test]
fn not_an_address() {
    for (url, word) in [
        ("ftp://127.0.0.1/stream", "rtsp://"),
        ("rtsp://", "host"),
        ("rtsp://viewer:s3cr3t@127.0.0.1:99999/x", "port"),
    ] {
        assert!(fail(&["probe", url]).contains(word), "{url}");
    }
}

#[test]
fn a_way_that_cannot_be() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("text"), "s3cr3t, and no PEM\n").unwrap();
    let (text, absent) = (path("text"), path("absent"));
    let pin = "0b419c47f09d1e0e574b7e6c6b8d40534eb49aae8f5d22f3334f79908b2a5c01";
    let (plain, secure) = ("rtsp://viewer:s3cr3t@127.0.0.1:9/x", "rtsps://viewer:s3cr3t@127.0.0.1:9/x");
    for (options, words) in [
        // What protects nothing must not seem to.
        (&[plain, "--tls-fingerprint", pin][..], &["without encryption", "rtsps://"][..]),
        (&[plain, "--tls-insecure"], &["without encryption"]),
        (&["ws://viewer:s3cr3t@127.0.0.1:9/x", "--tls-ca", &text], &["without encryption", "wss://"]),
        (&[secure, "--tls-ca", &text], &["holds no certificates", "pem"]),
        (&[secure, "--tls-ca", &absent], &["does not exist", "absent"]),
        (&[secure, "--tls-insecure", "--tls-cert", &text, "--tls-key", &text], &["certificate and its key"]),
        (&["ws://viewer:s3cr3t@127.0.0.1:9/x", "--tunnel", "http"], &["another tunnel"]),
        (&[plain, "--tunnel", "http", "--transport", "udp"], &["in a tunnel", "--transport"]),
        (&["http://viewer:s3cr3t@127.0.0.1:9/x", "--transport", "multicast"], &["in a tunnel"]),
        (&[plain, "--interface", "127.0.0.1"], &["--transport multicast"]),
    ] {
        let said = fail(&[&["probe"][..], options].concat()).to_lowercase();
        for word in words {
            assert!(said.contains(word), "{options:?}: {word:?} is not in: {said}");
        }
    }
}

#[test]
fn a_file_that_is_empty_absent_or_something_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("empty"), "").unwrap();
    std::fs::write(path("text"), "This is not video.\n".repeat(100)).unwrap();
    std::fs::create_dir(path("folder")).unwrap();
    for (name, word) in
        [("empty", "is empty"), ("absent", "does not exist"), ("text", "neither"), ("folder", "folder")]
    {
        let said = fail(&["remux", &path(name), "-o", &path("out.mp4")]);
        assert!(said.contains(word), "{name}: {said}");
        assert!(!Path::new(&path("out.mp4")).exists(), "{name}: a file was left behind");
        let said = fail(&["probe", &path(name)]);
        assert!(said.contains(word), "{name}: {said}");
    }
}

#[test]
fn a_file_that_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    // Parameter sets and nothing else.
    let clip = std::fs::read(clips().join("1-mairie.h264")).unwrap();
    std::fs::write(path("sets.h264"), &clip[..40]).unwrap();
    let said = fail(&["remux", &path("sets.h264"), "-o", &path("out.mp4")]);
    assert!(said.contains("no picture"), "{said}");
    assert!(!Path::new(&path("out.mp4")).exists());
    // A capture whose last record ends in the middle.
    let mut pcap = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1, /* record */ 0, 0, 1_000, 1_000] {
        pcap.extend(word.to_le_bytes());
    }
    pcap.extend([0; 100]);
    std::fs::write(path("cut.pcap"), pcap).unwrap();
    let said = fail(&["remux", &path("cut.pcap"), "-o", &path("out.mp4")]);
    assert!(said.contains("cut"), "{said}");
}

#[test]
fn a_folder_that_cannot_be_written() {
    let server = simulate(&["--cameras", "1"]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let file = file.to_str().unwrap();
    let clip = clips().join("1-mairie.h264");
    let clip = clip.to_str().unwrap();
    // /proc refuses everybody, root included.
    for store in [file, &format!("{file}/below"), "/proc/vigie-store"] {
        let said = fail(&[
            "record",
            &server.urls[0],
            "--store",
            store,
            "--tenant",
            "t",
            "--camera",
            "c",
            "--for",
            "2s",
        ]);
        assert!(said.contains(store), "{said}");
        let said = fail(&["remux", clip, "-o", &format!("{store}/out.mp4")]);
        assert!(said.contains(store), "{said}");
    }
    let said = fail(&["ls", "--store", "/nowhere/at/all"]);
    assert!(said.contains("does not exist"), "{said}");
    let said = fail(&["record", &server.urls[0], "--store", "x", "--tenant", "Town!", "--camera", "c"]);
    assert!(said.contains("Town!") && said.contains("a-z"), "{said}");
}

#[test]
fn a_full_disk() {
    let clip = clips().join("1-mairie.h264");
    let said = fail(&["remux", clip.to_str().unwrap(), "-o", "/dev/full"]);
    assert!(said.contains("full"), "{said}");

    let dir = tempfile::tempdir().unwrap();
    let point = dir.path().to_str().unwrap();
    let mount = |arguments: &[&str]| {
        std::process::Command::new(arguments[0]).args(&arguments[1..]).status().is_ok_and(|s| s.success())
    };
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", point]) {
        support::skip("VIGIE_REQUIRE_INTEROP", "a small file system cannot be mounted without root");
        return;
    }
    let outcome = std::panic::catch_unwind(|| {
        let server = simulate(&["--cameras", "2"]);
        let camera = ["--tenant", "t", "--camera", "c", "--store", point];
        let said = fail(&[&["record", &server.urls[1], "--once"][..], &camera].concat());
        assert!(said.contains("full") && said.contains("free"), "{said}");
        // A recorder that goes on by itself once there is room, and a gap that says why.
        let mut record =
            support::vigie(&[&["record", &server.urls[1], "--for", "12s"][..], &camera].concat());
        let piped = record.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let record = piped.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_secs(5));
        assert!(mount(&["mount", "-o", "remount,size=1m", point]));
        let output = support::wait(record, std::time::Duration::from_secs(30));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("not recording (storage)") && said.contains("written again"), "{said}");
        let listed = support::succeed(&mut support::vigie(&["ls", "--store", point]));
        assert!(listed.contains("storage"), "the gap's cause is not told: {listed}\n{said}");
    });
    assert!(mount(&["umount", point]));
    outcome.unwrap();
}

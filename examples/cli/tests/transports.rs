//! Cameras of other people recorded over every transport: each picture that was sent is in the store, once, bit for bit,
//! by the hash of what ffmpeg decodes.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "transports/certificates.rs"]
mod certificates;
#[path = "transports/network.rs"]
mod network;
#[path = "transports/pictures.rs"]
mod pictures;
mod support;
#[path = "transports/vlc.rs"]
mod vlc;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use certificates::{Certificate, openssl};
use network::Network;
use pictures::Clip;
use serde_json::Value;
use support::{fail, ffmpeg, gstreamer, gstreamer_within, hashes, long, succeed, vigie};
use vlc::Vlc;

const USER: &str = "viewer";
const PASSWORD: &str = "p@ss:w/rd";

fn seconds() -> u64 {
    if long() { 60 } else { 8 }
}

/// A recording to be made.
struct Case<'a> {
    name: String,
    url: String,
    options: Vec<&'a str>,
    /// How pictures must turn out to travel.
    transport: &'a str,
    clip: &'a Clip,
}

impl Case<'_> {
    /// Records, and asserts that the store holds what was sent and nothing else.
    fn record(&self, store: &Path) {
        let Self { name, url, .. } = self;
        let span = format!("{}s", seconds());
        let mut command =
            vigie(&["record", url, "--json", "--tenant", "t", "--camera", name, "--for", &span]);
        command.args(&self.options).arg("--store").arg(store);
        command.envs([("VIGIE_USER", USER), ("VIGIE_PASSWORD", PASSWORD), ("VIGIE_LOG", "debug")]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = support::wait(child, Duration::from_secs(seconds() + 30));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {said}");
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(!said.contains(PASSWORD) && !told.contains(PASSWORD), "{name}: {said}\n{told}");
        let events: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let connected: Vec<&Value> = events.iter().filter(|event| event["event"] == "connected").collect();
        assert_eq!(connected.len(), 1, "{name}: {told}");
        assert_eq!(connected[0]["transport"], self.transport, "{name}: {told}");

        let listed =
            succeed(vigie(&["ls", "--json", "--tenant", "t", "--camera", name, "--store"]).arg(store));
        let listed: Value = serde_json::from_str(listed.trim()).unwrap();
        assert_eq!(listed["gaps"].as_array().unwrap().len(), 0, "{name}: {listed}\n{told}");
        assert_eq!(listed["ranges"].as_array().unwrap().len(), 1, "{name}: {listed}\n{told}");
        let (mut stored, mut counted, mut paths) = (Vec::new(), 0, Vec::new());
        for file in listed["files"].as_array().unwrap() {
            assert_eq!(file["lost_packets"], 0, "{name}: {listed}");
            let path: PathBuf = store.join(file["path"].as_str().unwrap());
            assert_eq!(support::stream(&path), format!("{},640,360", self.clip.codec), "{name}");
            counted += file["pictures"].as_u64().unwrap();
            stored.extend(hashes(&path));
            paths.push(path);
        }
        counted -= u64::from(self.clip.without_cut_end(&mut stored, &paths[paths.len() - 1]));
        counted -= self.clip.without_cut_start(&mut stored, &paths[0]) as u64;
        self.clip.assert_stored(name, &stored);
        assert_eq!(stored.len() as u64, counted, "{name}: {listed}");
        assert!(counted >= (seconds() - 4) * 25, "{name}: {counted} pictures in {} s", seconds());
        println!("{name}: {counted} pictures, each as it was sent, by {}", self.transport);
    }
}

/// All at once.
fn record(cases: &[Case<'_>], store: &Path) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| case.record(store));
        }
    });
}

fn specs(clips: &[Clip]) -> Vec<String> {
    clips.iter().map(|clip| format!("{}={}", clip.codec, clip.path.display())).collect()
}

#[test]
fn gstreamer_over_tcp_udp_tls_and_http_with_both_passwords() {
    if !ffmpeg() || !openssl() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let clips = Clip::both(dir.path());
    let camera = Certificate::lone(dir.path(), "camera");
    let pin = camera.fingerprint();
    let mut servers = Vec::new();
    for auth in ["basic", "digest"] {
        let options = ["--auth", auth, "--user", USER, "--password", PASSWORD];
        let secure = [&options[..], &["--tls", camera.certificate(), camera.key()]].concat();
        let Some(plain) = gstreamer(&options, &specs(&clips)) else { return };
        let Some(secure) = gstreamer(&secure, &specs(&clips)) else { return };
        servers.push((auth, plain, secure));
    }
    let mut cases = Vec::new();
    for (auth, plain, secure) in &servers {
        for (i, clip) in clips.iter().enumerate() {
            let (plain, secure) = (&plain.urls[i], &secure.urls[i]);
            let pinned = ["--tls-fingerprint", pin.as_str()];
            let tunnel = plain.replace("rtsp://", "http://");
            for (way, url, options, transport) in [
                ("tcp", plain, &[][..], "tcp"),
                ("udp", plain, &["--transport", "udp"], "udp"),
                ("rtsps", secure, &pinned, "tcp"),
                ("http", &tunnel, &[], "tcp"),
            ] {
                let name = format!("{way}-{auth}-{}", clip.codec);
                cases.push(Case { name, url: url.clone(), options: options.to_vec(), transport, clip });
            }
        }
    }
    assert_eq!(cases.len(), 16);
    record(&cases, &dir.path().join("store"));
}

#[test]
fn gstreamer_by_multicast_from_another_network() {
    if !ffmpeg() {
        return;
    }
    let Some(network) = Network::make() else { return };
    let dir = tempfile::tempdir().unwrap();
    let clips = Clip::both(dir.path());
    let options = ["--host", &network.there, "--multicast", "--auth", "digest"];
    let options = [&options[..], &["--user", USER, "--password", PASSWORD]].concat();
    let Some(server) = gstreamer_within(&network.within(), &options, &specs(&clips)) else { return };
    let mut cases = Vec::new();
    for (url, clip) in server.urls.iter().zip(&clips) {
        // Joined where the camera was reached, and where we are told to.
        for (name, interface) in [("reached", &[][..]), ("told", &["--interface", network.here.as_str()])] {
            let options = [&["--transport", "multicast"], interface].concat();
            let name = format!("{name}-{}", clip.codec);
            cases.push(Case { name, url: url.clone(), options, transport: "multicast", clip });
        }
    }
    record(&cases, &dir.path().join("store"));
}

#[test]
fn vlc_by_udp() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    vlc::open_to_all(dir.path());
    let clips = Clip::both(dir.path());
    let mut servers = Vec::new();
    for clip in &clips {
        let file = clip.path.with_file_name(format!("long.{}", clip.path.extension().unwrap().display()));
        // Its start and the recording are within it: at the end VLC begins anew in a way of its own.
        clip.repeated(20, &file);
        let Some(server) = Vlc::start(&file) else { return };
        servers.push(server);
    }
    let mut cases = Vec::new();
    for (server, clip) in servers.iter().zip(&clips) {
        // VLC refuses TCP with 461 Unsupported Transport.
        for (name, options) in [
            ("udp", &["--transport", "udp"][..]),
            ("fallback", &["--transport", "tcp", "--transport", "udp"]),
        ] {
            let name = format!("{name}-{}", clip.codec);
            cases.push(Case {
                name,
                url: server.url.clone(),
                options: options.to_vec(),
                transport: "udp",
                clip,
            });
        }
    }
    record(&cases, &dir.path().join("store"));
    let said = fail(&["probe", &servers[0].url]);
    assert!(said.contains("any transport that is allowed") && said.contains("--transport udp"), "{said}");
}

#[test]
fn a_certificate_is_pinned_changed_vouched_for_and_shown() {
    if !ffmpeg() || !openssl() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let clips = Clip::both(dir.path());
    let clip = &clips[0];
    let (authority, known) =
        (Certificate::authority(dir.path(), "authority"), Certificate::lone(dir.path(), "another"));
    let camera = authority.sign(dir.path(), "camera");
    let us = authority.sign(dir.path(), "vigie");
    let tls = ["--tls", camera.certificate(), camera.key()];
    let Some(open) = gstreamer(&tls, &specs(&clips)) else { return };
    let wanting = [&tls[..], &["--client-ca", authority.certificate()]].concat();
    let Some(closed) = gstreamer(&wanting, &specs(&clips)) else { return };
    let (open, closed) = (&open.urls[0], &closed.urls[0]);
    let (pin, other) = (camera.fingerprint(), known.fingerprint());

    let store = dir.path().join("store");
    let record = ["--store", store.to_str().unwrap(), "--tenant", "t", "--camera", "c", "--once"];
    // Both, so that whoever reads it can compare.
    for command in [&["probe", open][..], &[&["record", open], &record[..]].concat()] {
        let said = fail(&[command, &["--tls-fingerprint", &other]].concat());
        assert!(said.contains(&pin) && said.contains(&other), "{said}");
        let said = fail(command);
        assert!(said.contains(&pin) || said.contains("no list of certificate authorities"), "{said}");
        assert!(said.contains("--tls-fingerprint"), "{said}");
    }
    let said = fail(&["probe", open, "--tls-ca", known.certificate()]);
    assert!(said.contains(&pin) && said.contains("--tls-ca"), "{said}");
    let stranger = ["--tls-cert", known.certificate(), "--tls-key", known.key()];
    for shown in [&[][..], &stranger] {
        let said = fail(&[&["probe", closed, "--tls-fingerprint", &pin][..], shown].concat());
        assert!(said.contains("client certificate") && said.contains("--tls-cert"), "{said}");
    }
    // Somebody looks first, and pins what it sees.
    let probed = succeed(&mut vigie(&["probe", open, "--tls-insecure", "--json", "--for", "2s"]));
    let probed: Value = serde_json::from_str(&probed).unwrap();
    assert_eq!((&probed["certificate"], &probed["transport"]), (&pin.as_str().into(), &"tcp".into()));
    // Each key picture has four slices, and parameter sets before each.
    assert!(probed["quirks"]["sets-inside"].as_u64().is_some_and(|n| n >= 3), "{probed}");

    let trust = ["--tls-ca", authority.certificate()];
    let shown = ["--tls-cert", us.certificate(), "--tls-key", us.key()];
    let lower = pin.replace(':', "").to_lowercase();
    let two = ["--tls-fingerprint", other.as_str(), "--tls-fingerprint", lower.as_str()];
    let case = |name: &str, url: &String, options: Vec<_>| Case {
        name: name.to_owned(),
        url: url.clone(),
        options,
        transport: "tcp",
        clip,
    };
    let tunnel = closed.replace("rtsps://", "https://");
    let cases = [
        case("authority", open, trust.to_vec()),
        case("two-pins", open, two.to_vec()),
        case("client", closed, [&trust[..], &shown].concat()),
        case("client-https", &tunnel, [&two[..], &shown].concat()),
    ];
    self::record(&cases, &store);
}

//! Somebody else's server: GStreamer's, over TCP, UDP, TLS and an HTTP tunnel.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use common::{camera, units, watch};
use rcgen::generate_simple_self_signed;
use vigie::codec::Codec;
use vigie::depacket::AnnexBReader;
use vigie::h26x::{NalKind, nal_units};
use vigie::limits::Limits;
use vigie::session::Lower;
use vigie_net::{Event, Fingerprint, Options, Tls};

/// Pictures that are watched: more than a group of them.
const PICTURES: usize = 80;

/// Killed when dropped.
struct Server {
    child: Child,
    /// Host and port.
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn clip() -> String {
    format!("{}/../../examples/cli/clips/1-mairie.h264", env!("CARGO_MANIFEST_DIR"))
}

/// GStreamer's server, playing a clip for ever; `None`, loudly, where it is not installed.
fn server(options: &[&str]) -> Option<Server> {
    let probe =
        "import gi; gi.require_version('GstRtspServer','1.0'); from gi.repository import GstRtspServer";
    let there = Command::new("/usr/bin/python3").args(["-c", probe]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        let variable = "VIGIE_REQUIRE_INTEROP";
        assert!(
            std::env::var(variable).as_deref() != Ok("1"),
            "{variable}=1, and GStreamer is not installed"
        );
        eprintln!("SKIPPED: GStreamer's RTSP server (gir1.2-gst-rtsp-server-1.0) is not installed");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tools/rtsp_server.py");
    let mut child = Command::new("/usr/bin/python3")
        .arg(script)
        .args(["--port", "0"])
        .args(options)
        .arg(format!("v={}", clip()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("python3");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let url =
        lines.find_map(|line| line.strip_prefix("READY ").map(str::to_owned)).expect("the server starts");
    let address = url.split('/').nth(2).unwrap().to_owned();
    Some(Server { child, address })
}

/// The slices of each picture: the server adds parameter sets of its own.
fn slices(unit: &Bytes) -> Vec<Vec<u8>> {
    let all = nal_units(unit).filter(|nal| nal.kind(Codec::H264) == NalKind::Slice);
    all.map(|nal| nal.bytes.to_vec()).collect()
}

fn sent() -> Vec<Vec<Vec<u8>>> {
    let mut reader = AnnexBReader::new(Codec::H264, &Limits::default());
    let mut sent = Vec::new();
    for part in std::fs::read(clip()).unwrap().chunks(64 << 10) {
        reader.push(part);
        sent.extend(std::iter::from_fn(|| reader.pull()));
    }
    reader.finish();
    sent.extend(std::iter::from_fn(|| reader.pull()));
    sent.iter().map(|unit| slices(&unit.data)).collect()
}

/// Watches, and asserts that the pictures are those of the clip, one after the other.
async fn assert_plays(url: &str, change: impl FnOnce(&mut Options)) -> Vec<Event> {
    let events = watch(&mut camera(url, change), PICTURES).await;
    let (shown, sent) = (units(&events), sent());
    assert_eq!(shown.len(), PICTURES, "{url}: {:?}", events.last());
    let first = sent.iter().position(|picture| *picture == slices(&shown[0])).expect("a picture of the clip");
    for (i, unit) in shown.iter().enumerate() {
        assert!(slices(unit) == sent[(first + i) % sent.len()], "{url}: picture {i} is not the next");
    }
    events
}

#[tokio::test]
async fn gstreamer_plays_over_tcp_udp_and_a_tunnel() {
    let Some(server) = server(&[]) else { return };
    let url = format!("rtsp://{}/v", server.address);
    assert_plays(&url, |_| {}).await;
    let events = assert_plays(&url, |options| options.transports = vec![Lower::Udp]).await;
    let lower = events.iter().find_map(|event| match event {
        Event::SetUp { transport, .. } => Some(transport.lower()),
        _ => None,
    });
    assert_eq!(lower, Some(Lower::Udp));
    assert_plays(&format!("http://{}/v", server.address), |_| {}).await;
}

/// Keys by MIKEY in the description; reports go back under the key that SETUP gives.
#[tokio::test]
async fn gstreamer_encrypts_and_is_decrypted() {
    let Some(server) = server(&["--srtp"]) else { return };
    let url = format!("rtsp://{}/v", server.address);
    for lower in [Lower::Tcp, Lower::Udp] {
        let events = assert_plays(&url, |options| options.transports = vec![lower]).await;
        let described = events.iter().find_map(|event| match event {
            Event::Described(presentation) => presentation.media.first().cloned(),
            _ => None,
        });
        assert!(described.is_some_and(|media| media.profile == "RTP/SAVP" && media.keys.key_mgmt.is_some()));
        assert!(events.iter().any(|event| matches!(event, Event::SenderReport { .. })), "{lower:?}");
    }
}

#[tokio::test]
async fn a_gstreamer_server_without_udp_is_asked_for_tcp() {
    let Some(server) = server(&["--tcp-only"]) else { return };
    let udp_first = |options: &mut Options| options.transports = vec![Lower::Udp, Lower::Tcp];
    let events = assert_plays(&format!("rtsp://{}/v", server.address), udp_first).await;
    assert!(events.iter().any(|event| match event {
        Event::SetUp { transport, .. } => transport.lower() == Lower::Tcp,
        _ => false,
    }));
}

#[tokio::test]
async fn gstreamer_plays_over_tls_by_itself_and_in_a_tunnel() {
    let made = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let folder = std::env::temp_dir().join(format!("vigie-net-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    std::fs::write(path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let started = server(&["--tls", &path("cert.pem"), &path("key.pem")]);
    if let Some(server) = &started {
        let tls = Tls::pinned(&[Fingerprint::of(made.cert.der())]).unwrap();
        for scheme in ["rtsps", "https"] {
            let tls = tls.clone();
            assert_plays(&format!("{scheme}://{}/v", server.address), |options| options.tls = Some(tls))
                .await;
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

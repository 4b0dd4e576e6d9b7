//! Profiles of answers, of keeping alive and of passwords.

use std::time::Duration;

use super::Check;
use super::Check::{Asked, Played};
use super::client::{Client, TCP, Wire, field};

/// The head of SETUP's answer, the third; of PLAY's, the fourth.
fn head(wire: &Wire, place: usize) -> &str {
    wire.answers()[place]
}

fn transport(wire: &Wire) -> String {
    field(head(wire, 2), "Transport").unwrap_or_default()
}

fn rtp_info(wire: &Wire) -> String {
    field(head(wire, 3), "RTP-Info").unwrap_or_default()
}

fn status(head: Option<String>) -> String {
    head.and_then(|head| head.split(' ').nth(1).map(str::to_owned)).unwrap_or_else(|| "none".to_owned())
}

/// Is the session over after so long, with what is done in the meantime?
fn dies(client: &mut Client, seconds: u64) -> bool {
    let began = std::time::Instant::now();
    client.drain(Duration::from_secs(seconds)) && began.elapsed().as_secs_f64() > seconds as f64 / 3.0
}

/// A request that is written as it is, and the status of its answer.
fn raw(client: &mut Client, request: &str) -> String {
    client.send(request);
    status(client.answer(Duration::from_millis(1_500)).map(|(head, _)| head))
}

fn challenge(client: &mut Client) -> String {
    let uri = client.url.clone();
    let (head, _) = client.ask("DESCRIBE", &uri, "").unwrap();
    head.lines().filter(|line| line.starts_with("WWW-Authenticate")).collect::<Vec<_>>().join("\n")
}

pub(super) const CHECKS: &[(&str, Check)] = &[
    (
        "other-channels",
        Played(|wire| {
            transport(wire).contains("interleaved=20-21") && !wire.on(20).is_empty() && wire.on(0).is_empty()
        }),
    ),
    (
        "no-channels",
        Played(|wire| transport(wire).contains("TCP") && !transport(wire).contains("interleaved")),
    ),
    ("single-channel", Played(|wire| transport(wire).ends_with("interleaved=0"))),
    ("no-tcp-in-transport", Played(|wire| transport(wire).starts_with("RTP/AVP;") && !wire.on(0).is_empty())),
    ("no-transport", Played(|wire| field(head(wire, 2), "Transport").is_none() && !wire.on(0).is_empty())),
    ("blank-in-ssrc", Played(|wire| transport(wire).contains(";ssrc=  5EE0FFFE"))),
    ("wrong-ssrc", Played(|wire| transport(wire).contains(";ssrc=9D0B35A12"))),
    ("ssrc-first", Played(|wire| transport(wire).starts_with("ssrc=5EE0FFFE;RTP/AVP/TCP"))),
    ("empty-source", Played(|wire| transport(wire).contains(";source=;"))),
    (
        "session-changed",
        Played(|wire| {
            field(head(wire, 2), "Session").is_some_and(|s| !s.starts_with("9F1C2D3E"))
                && field(head(wire, 3), "Session").is_some_and(|s| s.starts_with("9F1C2D3E"))
        }),
    ),
    (
        "no-server-port",
        Asked(|client| {
            let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let port = socket.local_addr().unwrap().port();
            client.describe();
            let (track, uri) = (format!("{}/video", client.url), client.url.clone());
            let udp = format!("Transport: RTP/AVP;unicast;client_port={port}-{}\r\n", port.wrapping_add(1));
            let (head, _) = client.ask("SETUP", &track, &udp).unwrap();
            client.ask("PLAY", &uri, "Range: npt=now-\r\n").unwrap();
            let mut packet = [0; 2_000];
            let (length, _) = socket.recv_from(&mut packet).unwrap();
            let told = field(&head, "Transport").unwrap();
            told.starts_with("RTP/AVP;unicast;client_port=")
                && !told.contains("server_port")
                && length > 12
                && packet[0] >> 6 == 2
                && packet[1] & 0x7f == 96
                && client.wire().on(0).is_empty()
        }),
    ),
    (
        "srtp-keys-wanted",
        Asked(|client| {
            client.describe();
            let uri = format!("{}/video", client.url);
            status(client.ask("SETUP", &uri, TCP).map(|a| a.0)) == "463"
        }),
    ),
    (
        "back-channel",
        Asked(|client| {
            let (sdp, uri) = (client.describe(), client.url.clone());
            let require = "Require: www.onvif.org/ver20/backchannel\r\n";
            sdp.contains("\r\nm=audio 0 RTP/AVP 0\r\n")
                && sdp.contains("\r\na=sendonly\r\n")
                && client.ask("DESCRIBE", &uri, require).is_none()
        }),
    ),
    (
        "forgets-description",
        Asked(|client| {
            client.describe();
            let uri = format!("{}/video", client.url);
            let setup = |client: &mut Client, fields| status(client.ask("SETUP", &uri, fields).map(|a| a.0));
            let udp = "Transport: RTP/AVP;unicast;client_port=50000-50001\r\n";
            let refused = [setup(client, udp), setup(client, TCP)];
            client.describe();
            refused == ["461", "455"] && setup(client, TCP) == "200"
        }),
    ),
    (
        "one-description",
        Asked(|client| {
            client.describe();
            let uri = client.url.clone();
            client.ask("DESCRIBE", &uri, "").is_none() && client.drain(Duration::from_secs(1))
        }),
    ),
    (
        "no-mode",
        Asked(|client| {
            client.describe();
            let uri = format!("{}/video", client.url);
            let mode = TCP.replace("\r\n", ";mode=play\r\n");
            let refused = status(client.ask("SETUP", &uri, &mode).map(|a| a.0));
            refused == "400" && status(client.ask("SETUP", &uri, TCP).map(|a| a.0)) == "200"
        }),
    ),
    (
        "short-timeout",
        Asked(|client| {
            client.start();
            let told = client.wire().answers().iter().any(|head| head.contains(";timeout=15"));
            told && dies(client, 20)
        }),
    ),
    (
        "wrong-cseq",
        Asked(|client| {
            client.start();
            let before = client.wire().answers().last().and_then(|head| field(head, "CSeq"));
            let head = client.keep_alive("SET_PARAMETER").unwrap();
            let offered = client.wire().answers()[0].contains("SET_PARAMETER");
            offered && head.starts_with("RTSP/1.0 400") && field(&head, "CSeq") == before
        }),
    ),
    (
        "silent-to-keep-alives",
        Asked(|client| {
            client.start();
            ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER"].iter().all(|m| client.keep_alive(m).is_none())
        }),
    ),
    (
        "set-parameter-only",
        Asked(|client| {
            client.start();
            let answers = ["GET_PARAMETER", "OPTIONS", "SET_PARAMETER"].map(|m| status(client.keep_alive(m)));
            answers == ["none", "400", "200"]
        }),
    ),
    (
        "options-only",
        Asked(|client| {
            client.start();
            let answers = ["GET_PARAMETER", "SET_PARAMETER", "OPTIONS"].map(|m| status(client.keep_alive(m)));
            answers == ["501", "501", "200"]
        }),
    ),
    (
        "options-do-not-count",
        Asked(|client| {
            client.start();
            std::thread::sleep(Duration::from_millis(2_500));
            // Answered, and not counted: less than two seconds are left of the four.
            let answered = status(client.keep_alive("OPTIONS")) == "200";
            answered && client.drain(Duration::from_millis(3_000))
        }),
    ),
    (
        "aggregate-keep-alive",
        Asked(|client| {
            client.start();
            let (track, whole) = (format!("{}/video", client.url), client.url.clone());
            client.ask("GET_PARAMETER", &track, "").is_none()
                && client.ask("GET_PARAMETER", &whole, "").is_some()
        }),
    ),
    (
        "session-in-keep-alive",
        Asked(|client| {
            client.start();
            let request = format!("OPTIONS {} RTSP/1.0\r\nCSeq: 99\r\n\r\n", client.url);
            raw(client, &request) == "454" && status(client.keep_alive("OPTIONS")) == "200"
        }),
    ),
    (
        "option-not-supported",
        Asked(|client| {
            client.start();
            let offered = client.wire().answers()[0].contains("GET_PARAMETER");
            offered && status(client.keep_alive("GET_PARAMETER")) == "551"
        }),
    ),
    (
        "nonce-expires",
        Asked(|client| {
            client.start();
            std::thread::sleep(Duration::from_millis(1_200));
            let head = client.keep_alive("GET_PARAMETER").unwrap();
            let fresh = !head.to_lowercase().contains("stale");
            head.starts_with("RTSP/1.0 401") && fresh && status(client.keep_alive("GET_PARAMETER")) == "200"
        }),
    ),
    (
        "sha256-only",
        Asked(|client| {
            let challenge = challenge(client);
            challenge.contains("algorithm=SHA-256") && challenge.lines().count() == 1
        }),
    ),
    (
        "broken-sha256",
        Asked(|client| {
            let challenge = challenge(client);
            let both = challenge.contains("SHA-256") && challenge.contains("MD5");
            // The client answers the first one, SHA-256, and rightly.
            let uri = client.url.clone();
            both && status(client.ask("DESCRIBE", &uri, "").map(|a| a.0)) == "401"
        }),
    ),
    (
        "qop-refused",
        Asked(|client| challenge(client).contains("qop=") && client.describe().starts_with("v=0")),
    ),
    (
        "no-algorithm",
        Asked(|client| !challenge(client).contains("algorithm") && client.describe().starts_with("v=0")),
    ),
    (
        "needs-user-agent",
        Asked(|client| {
            let request = format!("DESCRIBE {} RTSP/1.0\r\nCSeq: 1\r\n\r\n", client.url);
            raw(client, &request) == "401" && client.describe().starts_with("v=0")
        }),
    ),
    (
        "needs-exact-cseq",
        Asked(|client| {
            let request = format!("OPTIONS {} RTSP/1.0\r\nCseq: 1\r\n\r\n", client.url);
            raw(client, &request) == "400" && raw(client, &request.replace("Cseq", "CSeq")) == "200"
        }),
    ),
    (
        "trailing-blanks",
        Played(|wire| {
            let fields = wire.answers().into_iter().flat_map(str::lines).filter(|line| line.contains(": "));
            fields.clone().count() > 8
                && fields.clone().filter(|l| !l.starts_with("Content-Length")).all(|l| l.ends_with("  "))
        }),
    ),
    (
        "empty-field",
        Played(|wire| {
            let empty = |head: &&str| head.starts_with("RTSP/1.0 200\r\n") && head.contains("Rate: \r\n");
            wire.answers().iter().all(empty)
        }),
    ),
    ("no-cseq", Played(|wire| wire.answers().iter().all(|head| !head.to_lowercase().contains("cseq")))),
    (
        "play-needs-range",
        Asked(|client| {
            let uri = client.url.clone();
            client.describe();
            client.ask("SETUP", &format!("{uri}/video"), TCP).unwrap();
            let play = status(client.ask("PLAY", &uri, "").map(|a| a.0));
            client.drain(Duration::from_millis(700));
            play == "200" && client.wire().on(0).is_empty()
        }),
    ),
    (
        "no-content-type",
        Played(|wire| {
            let describe = wire.answers()[1];
            !describe.contains("Content-Type") && describe.contains("Content-Base")
        }),
    ),
    (
        "bad-content-base",
        Played(|wire| {
            field(wire.answers()[1], "Content-Base").is_some_and(|base| base.starts_with("127.0.0.1:"))
        }),
    ),
    (
        "doubled-content-base",
        Played(|wire| {
            field(wire.answers()[1], "Content-Base")
                .is_some_and(|base| base.starts_with("rtsp://rtsp://::ffff:127.0.0.1:"))
        }),
    ),
    (
        "base-with-query",
        Asked(|client| {
            client.describe();
            let uri = client.url.clone();
            let bare = uri.split('?').next().unwrap().to_owned();
            let joined =
                status(client.ask("SETUP", &format!("{bare}/video?channel=1&subtype=0"), TCP).map(|a| a.0));
            uri.contains('?')
                && joined == "404"
                && status(client.ask("SETUP", &format!("{uri}/video"), TCP).map(|a| a.0)) == "200"
        }),
    ),
    (
        "slash-in-control",
        Asked(|client| {
            client.describe();
            let base = field(client.wire().answers()[0], "Content-Base").unwrap();
            let doubled = status(client.ask("SETUP", &format!("{base}/video"), TCP).map(|a| a.0));
            base.ends_with('/')
                && doubled == "404"
                && status(client.ask("SETUP", &format!("{base}video"), TCP).map(|a| a.0)) == "200"
        }),
    ),
    (
        "foreign-rtp-info",
        Played(|wire| rtp_info(wire) == "url=192.0.2.9/trackID=7;seq=9;rtptime=9,url=trackID=9;seq=1"),
    ),
    ("constant-seq", Played(|wire| rtp_info(wire).ends_with(";seq=1") && wire.rtp()[0].sequence() != 1)),
    (
        "zero-rtptime",
        Played(|wire| {
            let range = field(head(wire, 3), "Range").unwrap_or_default();
            range == "clock=20200101T000000Z-"
                && rtp_info(wire).ends_with(";rtptime=0")
                && wire.rtp()[0].timestamp() > 90_000
        }),
    ),
    ("bad-rtptime", Played(|wire| rtp_info(wire).ends_with(";rtptime=(null)"))),
    (
        "rtp-info-with-holes",
        Played(|wire| {
            let told = rtp_info(wire);
            told.starts_with(',') && told.ends_with(',') && told.contains(";;seq=;")
        }),
    ),
    (
        "rtp-info-without-numbers",
        Played(|wire| rtp_info(wire).ends_with("/video") && rtp_info(wire).starts_with("url=rtsp://")),
    ),
    (
        "ssrc-in-rtp-info",
        Played(|wire| {
            let first: Vec<u32> = wire.rtp().iter().take(4).map(|p| p.ssrc()).collect();
            let told = format!(";ssrc={:08X}", first[3]);
            !transport(wire).contains("ssrc")
                && rtp_info(wire).ends_with(&told)
                && first[..3] == [0x0bad_cafe; 3]
        }),
    ),
];

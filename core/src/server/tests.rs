#![allow(clippy::unwrap_used, clippy::expect_used)]
use alloc::format;
use alloc::string::ToString as _;
use alloc::vec;

use proptest::prelude::*;

use super::*;
use crate::rtsp::Credentials;
use crate::rtsp::auth::Scheme;

const SDP: &str = "v=0\r\ns=x\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:video\r\n\
    m=video 0 RTP/AVP 97\r\na=rtpmap:97 H265/90000\r\na=control:video2\r\n";

fn connection() -> Connection {
    Connection::new(Config::new([5; 32]), Micros(0))
}

/// Sends a request and answers what it asks; gives the status line's code and the whole response.
fn ask(connection: &mut Connection, request: &str) -> (u16, String) {
    assert_eq!(connection.handle_input(Micros(1), request.as_bytes()), request.len());
    let mut text = String::new();
    while let Some(output) = connection.poll_output() {
        match output {
            Output::Send(bytes) => text.push_str(&String::from_utf8_lossy(&bytes)),
            Output::Event(Event::Describe { request, .. }) => connection.describe(request, SDP).unwrap(),
            Output::Event(Event::Play { request, .. }) => {
                connection.accept_play(request, None, &[RtpInfo::default(), RtpInfo::default()]).unwrap();
            }
            Output::Event(_) => {}
            Output::Close => text.push_str("(closed)"),
        }
    }
    (text.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0), text)
}

fn request(method: &str, uri: &str, fields: &str) -> String {
    format!("{method} {uri} RTSP/1.0\r\nCSeq: 9\r\n{fields}\r\n")
}

const TCP: &str = "Transport: RTP/AVP;unicast;client_port=1-2,RTP/AVP/TCP;unicast;interleaved=6-7\r\n";

/// A connection whose two videos are set up, and its session's field.
fn set_up() -> (Connection, String) {
    let mut connection = connection();
    assert_eq!(ask(&mut connection, &request("DESCRIBE", "rtsp://h/a", "")).0, 200);
    let (code, text) = ask(&mut connection, &request("SETUP", "rtsp://h/a/video2", TCP));
    assert_eq!(code, 200);
    assert!(text.contains("Transport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n"), "{text}");
    let id = text.split("Session: ").nth(1).unwrap().split(';').next().unwrap();
    let session = format!("Session: {id}\r\n");
    let (code, text) =
        ask(&mut connection, &request("SETUP", "rtsp://h/a/video", &format!("{TCP}{session}")));
    assert!(code == 200 && text.contains("interleaved=0-1") && text.contains(id), "{text}");
    (connection, session)
}

#[test]
fn every_refusal_has_its_status() {
    let status = |text: &str| ask(&mut connection(), text).0;
    assert_eq!(status("OPTIONS * RTSP/1.0\r\n\r\n"), 400);
    assert_eq!(status("OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n"), 505);
    assert_eq!(status(&request("OPTIONS", "*", "Require: onvif-replay\r\n")), 551);
    assert_eq!(status(&request("FROBNICATE", "rtsp://h/a", "")), 501);
    assert_eq!(status(&request("RECORD", "rtsp://h/a", "")), 501);
    assert_eq!(status(&request("DESCRIBE", "*", "")), 400);
    assert_eq!(status(&request("DESCRIBE", "rtsp://h/a", "Accept: text/html\r\n")), 406);
    assert_eq!(status(&request("PLAY", "rtsp://h/a", "")), 455);
    assert_eq!(status(&request("PAUSE", "rtsp://h/a", "")), 455);
    assert_eq!(status(&request("TEARDOWN", "rtsp://h/a", "")), 455);
    assert_eq!(status(&request("PLAY", "rtsp://h/a", "Session: x\r\n")), 454);
    assert_eq!(status(&request("SETUP", "rtsp://h/a/video", TCP)), 455);
    assert_eq!(status(&request("GET_PARAMETER", "*", "Content-Length: 4\r\n\r\nrate")), 451);
    assert_eq!(status(&request("GET_PARAMETER", "*", "")), 200);
    let (code, text) = ask(&mut connection(), "GET / HTTP/1.1\r\n\r\n");
    assert!(code == 400 && text.ends_with("(closed)"), "{text}");
    let (mut connection, session) = set_up();
    assert_eq!(ask(&mut connection, &request("SETUP", "rtsp://h/a/other", TCP)).0, 404);
    assert_eq!(
        ask(&mut connection, &request("SETUP", "rtsp://h/a/video", "Transport: RTP/AVP;unicast\r\n")).0,
        461
    );
    assert_eq!(ask(&mut connection, &request("SETUP", "rtsp://h/a/video", "")).0, 461);
    assert_eq!(ask(&mut connection, &request("PLAY", "rtsp://h/a/", "Range: smpte=0-\r\n")).0, 457);
    assert_eq!(ask(&mut connection, &request("PLAY", "rtsp://h/b", &session)).0, 404);
}

#[test]
fn play_pause_teardown() {
    let (mut connection, session) = set_up();
    let (code, text) = ask(&mut connection, &request("PLAY", "rtsp://h/a/", &session));
    assert!(code == 200 && connection.is_playing(), "{text}");
    // In the order of SETUP.
    assert!(text.contains("RTP-Info: url=rtsp://h/a/video2,url=rtsp://h/a/video\r\n"), "{text}");
    assert_eq!(ask(&mut connection, &request("SETUP", "rtsp://h/a/video", TCP)).0, 455);
    connection.send(Bytes::from_static(b"$\0\0\0")).unwrap();
    assert_eq!(connection.queued(), 4);
    assert_eq!(ask(&mut connection, &request("TEARDOWN", "rtsp://h/a/", &session)).0, 200);
    assert_eq!((connection.is_playing(), connection.queued()), (false, 0));
    assert_eq!(ask(&mut connection, &request("PLAY", "rtsp://h/a/", &session)).0, 454);
    let (mut connection, session) = set_up();
    ask(&mut connection, &request("PLAY", "rtsp://h/a", &session));
    assert_eq!(ask(&mut connection, &request("PAUSE", "rtsp://h/a", &session)).0, 200);
    assert!(!connection.is_playing());
}

#[test]
fn the_last_authorization_is_told_whatever_request_had_it() {
    let (mut connection, session) = set_up();
    ask(&mut connection, &request("PLAY", "rtsp://h/a", &session));
    assert_eq!(connection.authorization(), None);
    for (method, token) in [("GET_PARAMETER", "one"), ("OPTIONS", "two")] {
        let fields = format!("{session}Authorization: Bearer {token}\r\n");
        assert_eq!(ask(&mut connection, &request(method, "rtsp://h/a", &fields)).0, 200);
        assert_eq!(ask(&mut connection, &request("OPTIONS", "*", "")).0, 200);
        assert_eq!(connection.authorization().and_then(Authorization::bearer), Some(token));
    }
}

#[test]
fn requests_wait_their_turn() {
    let mut connection = connection();
    let two = format!("{}{}", request("DESCRIBE", "rtsp://h/a", ""), request("OPTIONS", "*", ""));
    let _ = connection.handle_input(Micros(1), two.as_bytes());
    let Some(Output::Event(Event::Describe { request, .. })) = connection.poll_output() else { panic!() };
    assert_eq!((connection.poll_output(), connection.poll_timeout()), (None, None));
    assert_eq!(connection.accept_play(request, None, &[]).unwrap_err().kind, Kind::NoSuchRequest);
    connection.refuse(request, Status::NOT_FOUND).unwrap();
    assert_eq!(connection.refuse(request, Status::NOT_FOUND).unwrap_err().kind, Kind::NoSuchRequest);
    let (_, text) = ask(&mut connection, "");
    assert!(text.find("404").unwrap() < text.find("Public").unwrap(), "{text}");
}

#[test]
fn a_flood_of_requests_does_not_grow_the_queue() {
    let mut connection = connection();
    let flood = request("OPTIONS", "*", "").repeat(1_000);
    let _ = connection.handle_input(Micros(1), flood.as_bytes());
    assert!(matches!(connection.poll_output(), Some(Output::Send(_))));
    assert!(connection.sends.len() <= MOST_RESPONSES, "{}", connection.sends.len());
    let (_, text) = ask(&mut connection, "");
    assert_eq!(text.matches("RTSP/1.0 200 OK").count(), 999);
}

#[test]
fn wrong_passwords_close_the_connection() {
    let guard = Guard::new(Credentials::new("u", "p")).schemes(&[Scheme::Basic]);
    let mut connection = Connection::new(Config::new([5; 32]).guard(Some(guard)), Micros(0));
    assert_eq!(ask(&mut connection, &request("OPTIONS", "*", "")).0, 200);
    let wrong = request("DESCRIBE", "rtsp://h/a", "Authorization: Basic dTp4\r\n");
    for n in 1..=8 {
        let (code, text) = ask(&mut connection, &wrong);
        assert_eq!((code, text.ends_with("(closed)")), (401, n == 8), "{text}");
        assert!(text.contains("WWW-Authenticate: Basic realm=\"Vigie\""));
    }
}

#[test]
fn what_the_peer_is_told_does_not_give_the_seed_away() {
    let guard = Guard::new(Credentials::new("u", "p"));
    let config = Config::new([5; 32]).guard(Some(guard));
    assert!(!format!("{config:?}").contains("\"p\""));
    let mut connection = Connection::new(config, Micros(0));
    let (_, text) = ask(&mut connection, &request("DESCRIBE", "rtsp://h/a", ""));
    let nonce = text.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_string();
    assert_eq!(nonce.len(), 32);
    assert_ne!(Entropy::new([5; 32]).token(), nonce);
}

proptest! {
    #[test]
    fn any_bytes_end_or_go_on(
        before in prop::sample::select(vec!["", "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", "PLAY rtsp://h/a RTSP/1.0\r\n"]),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let (mut connection, _) = set_up();
        let _ = ask(&mut connection, before);
        let _ = connection.handle_input(Micros(2), &bytes);
        connection.handle_closed(Micros(3));
        let mut closes = 0;
        while let Some(output) = connection.poll_output() {
            closes += usize::from(output == Output::Close);
        }
        prop_assert_eq!(closes, 1);
    }

    #[test]
    fn any_split_gives_the_same(cut in 1_usize..200) {
        let text = [request("DESCRIBE", "rtsp://h/a", ""), request("SETUP", "rtsp://h/a/video", TCP),
            request("PLAY", "rtsp://h/a", ""), "$\0\0\x08\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}".into(), request("PAUSE", "rtsp://h/a", "")].concat();
        let (_, whole) = ask(&mut connection(), &text);
        let mut split = connection();
        let chunks: Vec<&str> = text.as_bytes().chunks(cut).map(|c| core::str::from_utf8(c).unwrap()).collect();
        let parts: String = chunks.iter().map(|chunk| ask(&mut split, chunk).1).collect();
        prop_assert_eq!(parts, whole);
    }
}

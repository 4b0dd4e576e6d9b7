#![allow(clippy::unwrap_used, clippy::expect_used)]
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use super::*;
use crate::rtsp::{Credentials, Status};

mod teardown;
mod transports;

/// An output that does not refer to the session.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Send(String),
    Interleaved(Vec<u8>),
    Rtp(usize, Vec<u8>),
    Rtcp(usize, Vec<u8>),
    Datagram(usize, bool, Vec<u8>),
    Event(Event),
    Cut(usize),
    Close,
}

fn config() -> Config {
    let (url, credentials) = Url::parse("rtsp://admin:secret@cam:8554/live?c=1").unwrap();
    Config::new(url, [3; 32]).credentials(credentials)
}

fn drain(session: &mut Session) -> Vec<Seen> {
    let mut seen = Vec::new();
    while let Some(output) = session.poll_output() {
        seen.push(match output {
            Output::Send(bytes) if bytes[0] == b'$' => Seen::Interleaved(bytes.to_vec()),
            Output::Send(bytes) => Seen::Send(String::from_utf8(bytes.to_vec()).unwrap()),
            Output::Rtp { media, bytes, .. } => Seen::Rtp(media, bytes.to_vec()),
            Output::Rtcp { media, bytes, .. } => Seen::Rtcp(media, bytes.to_vec()),
            Output::Datagram { media, rtcp, bytes } => Seen::Datagram(media, rtcp, bytes.to_vec()),
            Output::Cut { media } => Seen::Cut(media),
            Output::Event(event) => Seen::Event(event),
            Output::Close => Seen::Close,
        });
    }
    seen
}

fn feed(session: &mut Session, now: u64, bytes: &[u8]) -> Vec<Seen> {
    assert_eq!(session.handle_input(Micros(now), bytes), bytes.len());
    drain(session)
}

/// What was sent, in one text.
fn sent(seen: &[Seen]) -> String {
    seen.iter().map(|s| if let Seen::Send(text) = s { text.as_str() } else { "" }).collect()
}

fn failed(seen: &[Seen]) -> Option<Kind> {
    seen.iter().find_map(|s| if let Seen::Event(Event::Failed(e)) = s { Some(e.kind) } else { None })
}

fn quirks(seen: &[Seen]) -> Vec<Quirk> {
    seen.iter().filter_map(|s| if let Seen::Event(Event::Quirk(q)) = s { Some(*q) } else { None }).collect()
}

fn reply(cseq: u32, fields: &str, body: &str) -> Vec<u8> {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n{fields}{length}\r\n{body}").into_bytes()
}

fn status(cseq: u32, status: &str, fields: &str) -> Vec<u8> {
    format!("RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n{fields}\r\n").into_bytes()
}

const SDP: &str = "v=0\r\ns=x\r\na=control:*\r\nm=audio 0 RTP/AVP 0\r\na=control:track1\r\n\
    m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track2\r\n";
const DESCRIBED: &str = "Content-Type: application/sdp\r\nContent-Base: rtsp://cam:8554/live?c=1/\r\n";
const SET_UP: &str =
    "Session: 12;timeout=20\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=0000ABCD\r\n";
const PLAYED: &str = "Session: 12\r\nRange: clock=20261122T051400Z-\r\n\
    RTP-Info: url=track1;seq=5;rtptime=6,url=rtsp://cam:8554/live?c=1/track2;seq=700;rtptime=800\r\n";

/// The answers of a camera without quirks, and then some packets.
fn transcript() -> Vec<u8> {
    let mut bytes = reply(
        1,
        "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, SET_PARAMETER\r\nServer: Cam/1\r\n",
        "",
    );
    bytes.extend(reply(2, DESCRIBED, SDP));
    bytes.extend(reply(3, SET_UP, ""));
    bytes.extend(reply(4, PLAYED, ""));
    for n in 0..5_u8 {
        bytes.extend_from_slice(&[b'$', 0, 0, 13, 0x80, 96, 0, n, 0, 0, 0, 0, 0, 0, 0, 0, n]);
    }
    bytes.extend_from_slice(&[b'$', 1, 0, 8, 0x80, 200, 0, 1, 0, 0, 0, 0]);
    bytes
}

/// A session that plays, and what it gave on the way.
fn playing() -> (Session, Vec<Seen>) {
    let mut session = Session::new(config(), Micros(0));
    let mut seen = drain(&mut session);
    seen.extend(feed(&mut session, 1_000, &transcript()));
    assert_eq!(session.phase(), Phase::Playing);
    (session, seen)
}

#[test]
fn the_whole_way() {
    let (session, seen) = playing();
    let requests = sent(&seen);
    assert_eq!(
        requests,
        format!(
            "OPTIONS rtsp://cam:8554/live?c=1 RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: {ua}\r\n\r\n\
             DESCRIBE rtsp://cam:8554/live?c=1 RTSP/1.0\r\nCSeq: 2\r\nUser-Agent: {ua}\r\nAccept: application/sdp\r\n\r\n\
             SETUP rtsp://cam:8554/live?c=1/track2 RTSP/1.0\r\nCSeq: 3\r\nUser-Agent: {ua}\r\n\
             Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n\
             PLAY rtsp://cam:8554/live?c=1/ RTSP/1.0\r\nCSeq: 4\r\nUser-Agent: {ua}\r\nSession: 12\r\n\
             Range: npt=0.000-\r\n\r\n",
            ua = config().user_agent
        )
    );
    let playing = seen
        .iter()
        .find_map(|s| if let Seen::Event(Event::Playing(p)) = s { Some(p) } else { None })
        .unwrap();
    assert_eq!((playing.media, playing.ssrc), (1, Some(0xabcd)));
    assert_eq!(playing.range.and_then(|r| r.clock_start()), "2026-11-22T05:14:00Z".parse().ok());
    let info = playing.rtp_info.as_ref().unwrap();
    assert_eq!((info.seq, info.rtptime), (Some(700), Some(800)));
    assert_eq!(seen.iter().filter(|s| matches!(s, Seen::Rtp(1, p) if p.len() == 13)).count(), 5);
    assert_eq!(seen.iter().filter(|s| matches!(s, Seen::Rtcp(1, _))).count(), 1);
    assert_eq!((quirks(&seen), session.server()), (vec![], Some("Cam/1")));
    assert_eq!((session.stats().rtp_packets, session.stats().rtcp_packets), (5, 1));
}

#[test]
fn credentials_are_in_no_request_before_a_challenge_and_in_no_debug() {
    let (session, seen) = playing();
    let shown = format!("{:?} {seen:?} {:?}", session.config, session.authenticator);
    assert!(!shown.contains("secret") && !sent(&seen).contains("secret"), "{shown}");
}

#[test]
fn keep_alives_follow_the_timeout_and_do_not_wait() {
    let (mut session, _) = playing();
    // 20 s by SETUP's answer: every 10 s. RTP keeps the session from being taken for stalled.
    for n in 1..=4_u64 {
        let due = Micros(1_000 + n * 10_000_000);
        assert_eq!(session.poll_timeout(), Some(due));
        session.last_media = due;
        session.handle_timeout(Micros(due.0 - 1));
        assert_eq!(sent(&drain(&mut session)), "");
        session.handle_timeout(due);
        let seen = drain(&mut session);
        // At last, with every method tried, receiver reports on the channel of RTCP.
        let reports: Vec<_> = seen.iter().filter(|s| matches!(s, Seen::Interleaved(_))).collect();
        assert_eq!(reports.len(), usize::from(n == 4));
        let ssrc = session.own_ssrc().to_be_bytes();
        let head = [&[b'$', 1, 0, 24, 0x80, 201, 0, 1][..], &ssrc].concat();
        assert!(
            reports.iter().all(|s| matches!(s, Seen::Interleaved(b) if b[..12] == head[..])),
            "{reports:?}"
        );
        let request = sent(&seen);
        // Nobody answers: each is another of the methods that Public offers.
        let method = ["GET_PARAMETER", "OPTIONS", "SET_PARAMETER", "GET_PARAMETER"][n as usize - 1];
        assert!(
            request
                .starts_with(&format!("{method} rtsp://cam:8554/live?c=1/ RTSP/1.0\r\nCSeq: {}\r\n", n + 4)),
            "{request}"
        );
        assert!(request.contains("Session: 12\r\n"), "{request}");
    }
    assert_eq!(session.phase(), Phase::Playing);
}

#[test]
fn another_authorization_is_shown_at_once_and_from_then_on() {
    let (mut session, _) = playing();
    session.config.media_timeout = None;
    // One that is not answered yet when the next comes is no reason to try another method.
    for (now, token) in [(2_000, "one"), (3_000, "two")] {
        session.authorize(Micros(now), Some(format!("Bearer {token}")));
        let request = sent(&drain(&mut session));
        assert!(request.starts_with("GET_PARAMETER rtsp://cam:8554/live?c=1/ "), "{request}");
        assert!(request.contains(&format!("Authorization: Bearer {token}\r\n")), "{request}");
        assert_eq!(session.poll_timeout(), Some(Micros(now + 10_000_000)));
    }
    let answer = reply(session.cseq, "", "");
    feed(&mut session, 3_001, &answer);
    session.handle_timeout(Micros(10_003_000));
    assert!(sent(&drain(&mut session)).contains("Authorization: Bearer two\r\n"));
    // Before it plays there is no session to keep: the next request of the way carries it.
    let mut session = Session::new(config().authorization(Some("Bearer one".into())), Micros(0));
    assert!(sent(&drain(&mut session)).contains("Authorization: Bearer one\r\n"));
    session.authorize(Micros(1), Some("Bearer two".into()));
    assert_eq!(drain(&mut session), []);
    let request = sent(&feed(&mut session, 2, &reply(1, "", "")));
    assert!(
        request.starts_with("DESCRIBE ") && request.contains("Authorization: Bearer two\r\n"),
        "{request}"
    );
}

#[test]
fn a_keep_alive_that_fails_falls_back_and_one_that_works_stays() {
    let (mut session, _) = playing();
    session.config.media_timeout = None;
    session.handle_timeout(Micros(10_001_000));
    assert!(sent(&drain(&mut session)).starts_with("GET_PARAMETER"));
    // Tapo C220: 400, with the CSeq of the request before.
    let seen = feed(&mut session, 10_002_000, &status(4, "400 Bad Request", ""));
    assert_eq!(quirks(&seen), [Quirk::WrongCSeq]);
    assert_eq!(session.poll_timeout(), Some(Micros(11_002_000)));
    for due in [11_002_000, 21_002_000] {
        session.handle_timeout(Micros(due));
        let request = sent(&drain(&mut session));
        assert!(request.starts_with("OPTIONS"), "{request}");
        let answer = reply(session.cseq, "", "");
        let seen = feed(&mut session, due, &answer);
        assert_eq!(seen, []);
    }
    assert_eq!((session.stats().keep_alives, session.stats().keep_alives_answered), (3, 2));
}

#[test]
fn a_forgotten_nonce_is_renewed_in_mid_session() {
    let mut session = Session::new(config(), Micros(0));
    let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"one\"\r\n";
    drain(&mut session);
    assert!(
        sent(&feed(&mut session, 1, &status(1, "401 Unauthorized", challenge))).contains("nonce=\"one\"")
    );
    for (cseq, fields, body) in [(2, "", ""), (3, DESCRIBED, SDP), (4, SET_UP, ""), (5, PLAYED, "")] {
        assert_eq!(failed(&feed(&mut session, 2, &reply(cseq, fields, body))), None);
    }
    assert_eq!(session.phase(), Phase::Playing);
    session.handle_timeout(Micros(9_999_999));
    session.last_media = Micros(10_000_002);
    session.handle_timeout(Micros(10_000_002));
    assert!(sent(&drain(&mut session)).contains("nonce=\"one\""));
    let fresh = "WWW-Authenticate: Digest realm=\"r\", nonce=\"two\"\r\n";
    let seen = feed(&mut session, 10_000_003, &status(6, "401 Unauthorized", fresh));
    assert!(sent(&seen).contains("nonce=\"two\"") && session.phase() == Phase::Playing);
}

#[test]
fn a_wrong_password_is_tried_once_for_each_challenge() {
    let mut session = Session::new(config(), Micros(0));
    drain(&mut session);
    let both = "WWW-Authenticate: Digest realm=\"r\", nonce=\"a\"\r\n\
        WWW-Authenticate: Digest realm=\"r\", nonce=\"b\", algorithm=SHA-256\r\nWWW-Authenticate: Basic realm=\"r\"\r\n";
    let mut answers = 0;
    for cseq in 1.. {
        let seen = feed(&mut session, 1, &status(cseq, "401 Unauthorized", both));
        answers += usize::from(sent(&seen).contains("Authorization: "));
        if let Some(kind) = failed(&seen) {
            assert_eq!(kind, Kind::CredentialsRefused);
            assert_eq!(seen.last(), Some(&Seen::Close));
            break;
        }
    }
    assert_eq!(answers, 2);
}

#[test]
fn says_why_it_ended() {
    let end = |before: usize, answer: Vec<u8>| {
        let mut session = Session::new(Config { credentials: None, ..config() }, Micros(0));
        drain(&mut session);
        let answers = [reply(1, "", ""), reply(2, DESCRIBED, SDP), reply(3, SET_UP, "")];
        for answer in &answers[..before] {
            feed(&mut session, 1, answer);
        }
        let seen = feed(&mut session, 2, &answer);
        assert_eq!(seen.last(), Some(&Seen::Close));
        assert_eq!((drain(&mut session), session.poll_timeout()), (vec![], None));
        failed(&seen).unwrap()
    };
    assert_eq!(end(0, b"HTTP/1.1 200 OK\r\n\r\n".to_vec()), Kind::Rtsp(crate::rtsp::Kind::NotRtsp));
    assert_eq!(end(1, status(2, "404 Not Found", "")), Kind::NotFound);
    assert_eq!(end(1, status(2, "503 Busy", "")), Kind::Busy(Status::SERVICE_UNAVAILABLE));
    assert_eq!(
        end(1, status(2, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"\"\r\n")),
        Kind::CredentialsNeeded
    );
    assert_eq!(end(1, reply(2, "", "<html>")), Kind::Sdp(crate::sdp::Kind::NotSdp));
    assert_eq!(end(1, reply(2, "", "v=0\r\nm=audio 0 RTP/AVP 0\r\n")), Kind::NoVideo);
    assert_eq!(end(1, reply(2, "", "v=0\r\nm=video 0 RTP/AVP 34\r\n")), Kind::UnsupportedCodec);
    assert_eq!(end(2, status(3, "461 Unsupported transport", "")), Kind::UnsupportedTransport);
    let udp = "Session: 1\r\nTransport: RTP/AVP;unicast;client_port=1-2;server_port=3-4\r\n";
    assert_eq!(end(2, reply(3, udp, "")), Kind::UnsupportedTransport);
    assert_eq!(end(3, status(4, "453 Not Enough Bandwidth", "")), Kind::Busy(Status::NOT_ENOUGH_BANDWIDTH));
    assert_eq!(end(1, status(2, "302 Moved", "")), Kind::BadRedirect);
}

#[test]
fn silence_ends_it() {
    let mut session = Session::new(config(), Micros(0));
    drain(&mut session);
    assert_eq!(session.poll_timeout(), Some(Micros(10_000_000)));
    session.handle_timeout(Micros(10_000_000));
    assert_eq!(failed(&drain(&mut session)), Some(Kind::NoResponse));

    let (mut session, _) = playing();
    session.keep_alive = None;
    assert_eq!(session.poll_timeout(), Some(Micros(10_001_000)));
    session.handle_timeout(Micros(10_001_000));
    let seen = drain(&mut session);
    assert_eq!(failed(&seen), Some(Kind::Stalled));
    assert!(sent(&seen).starts_with("TEARDOWN rtsp://cam:8554/live?c=1/ "), "{seen:?}");
}

#[test]
fn what_came_before_the_end_of_the_connection_is_handed_out() {
    let mut session = Session::new(config(), Micros(0));
    let taken = session.handle_input(Micros(1), &transcript());
    assert_eq!(taken, transcript().len());
    session.handle_closed(Micros(2));
    let seen = drain(&mut session);
    assert_eq!(seen.iter().filter(|s| matches!(s, Seen::Rtp(..))).count(), 5);
    assert_eq!(failed(&seen), Some(Kind::Closed));
}

/// A WebSocket message may hold more than the receive buffer.
#[test]
fn what_does_not_fit_is_taken_later() {
    let (mut session, _) = playing();
    let mut packet = vec![b'$', 0, 0x40, 0, 0x80, 96];
    packet.resize(4 + 0x4000, 1);
    let message = packet.repeat(100);
    let (mut rest, mut rounds, mut packets) = (&message[..], 0, 0);
    while !rest.is_empty() {
        let taken = session.handle_input(Micros(2_000), rest);
        assert_ne!(taken, 0);
        rest = &rest[taken..];
        rounds += 1;
        packets +=
            drain(&mut session).iter().filter(|s| matches!(s, Seen::Rtp(_, p) if p.len() == 0x4000)).count();
    }
    assert!(rounds > 1);
    assert_eq!((packets, session.quirks().iter().count()), (100, 0));
}

#[test]
fn redirections_leave_credentials_behind() {
    let mut session = Session::new(config(), Micros(0));
    drain(&mut session);
    feed(&mut session, 1, &reply(1, "", ""));
    let seen = feed(&mut session, 2, &status(2, "302 Moved", "Location: rtsp://a:b@other/x\r\n"));
    let [Seen::Event(Event::Redirected(url)), Seen::Close] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(url.to_string(), "rtsp://other/x");
    let config = config().authorization(Some("Bearer t".into()));
    let elsewhere = config.redirected(url.clone(), [4; 32]);
    assert_eq!((elsewhere.credentials, elsewhere.authorization), (None, None));
    let here = config.redirected(Url::parse("rtsp://CAM/y").unwrap().0, [4; 32]);
    assert_eq!(here.credentials, Some(Credentials::new("admin", "secret")));
}

#[test]
fn the_camera_may_ask_as_well() {
    let (mut session, _) = playing();
    let seen = feed(
        &mut session,
        5,
        b"OPTIONS * RTSP/1.0\r\nCSeq: 77\r\n\r\nRECORD rtsp://x RTSP/1.0\r\nCSeq: 78\r\n\r\n",
    );
    let answers = sent(&seen);
    assert!(
        answers.starts_with("RTSP/1.0 200 OK\r\nCSeq: 77\r\n")
            && answers.contains("RTSP/1.0 501 Not Implemented\r\nCSeq: 78\r\n")
    );
    let seen = feed(&mut session, 6, b"REDIRECT * RTSP/1.0\r\nCSeq: 79\r\nLocation: /elsewhere\r\n\r\n");
    assert!(sent(&seen).contains("TEARDOWN") && seen.contains(&Seen::Close));
    let to = Url::parse("rtsp://cam:8554/elsewhere").unwrap().0;
    assert!(seen.contains(&Seen::Event(Event::Redirected(to))));
    let (mut session, _) = playing();
    let seen = feed(&mut session, 5, b"TEARDOWN rtsp://cam RTSP/1.0\r\nCSeq: 1\r\n\r\n");
    assert_eq!(seen[1..], [Seen::Event(Event::Ended), Seen::Close]);
}

#[test]
fn odd_answers_are_tolerated_and_named() {
    let mut session = Session::new(config(), Micros(0));
    drain(&mut session);
    let mut seen = feed(&mut session, 1, b"RTSP/1.0 551 Option not supported\r\n\r\n");
    // An old session's packet on a new connection (live555 before 2017.06.04).
    seen.extend(feed(&mut session, 2, &[b'$', 0, 0, 2, 0x80, 96]));
    let described = "Content-Base: 192.168.1.10:554/stream0/\r\n";
    let sdp = SDP.replace("control:track2", "control:rtsp://admin:pw@10.0.0.9/stream0/v");
    seen.extend(feed(&mut session, 3, &reply(2, described, &sdp)));
    assert!(sent(&seen).contains("SETUP rtsp://cam:8554/stream0/v RTSP/1.0"), "{seen:?}");
    seen.extend(feed(
        &mut session,
        4,
        &reply(3, "Session: 1\r\nTransport: RTP/AVP;interleaved=20-21\r\n", ""),
    ));
    // PLAY is refused with a Range, and asked without.
    let again = feed(&mut session, 5, &status(4, "457 Invalid Range", ""));
    assert!(sent(&again).starts_with("PLAY") && !sent(&again).contains("Range"));
    let played = "Session: 2\r\nRTP-Info: url=wrong;seq=1;rtptime=0;ssrc=BEEF\r\n";
    seen.extend(feed(&mut session, 6, &reply(5, played, "")));
    seen.extend(feed(&mut session, 7, &[b'$', 20, 0, 2, 0x80, 96, b'$', 0, 0, 2, 0x80, 96]));
    use Quirk::{
        BadContentBase, ForeignControl, NoCSeq, NoContentType, OtherChannels, RtpBeforePlay, SessionChanged,
    };
    assert_eq!(
        quirks(&seen),
        [
            NoCSeq,
            RtpBeforePlay,
            NoContentType,
            BadContentBase,
            ForeignControl,
            OtherChannels,
            SessionChanged,
            Quirk::UnknownChannel
        ]
    );
    let rtp_info = Some(crate::rtsp::headers::RtpInfo {
        url: "wrong".into(),
        seq: None,
        rtptime: None,
        ssrc: Some(0xbeef),
    });
    let stream = Stream { media: 1, rtp_info: rtp_info.clone(), ssrc: Some(0xbeef) };
    let playing =
        Playing { media: 1, range: None, rtp_info, ssrc: Some(0xbeef), streams: Vec::from([stream]) };
    assert!(seen.contains(&Seen::Event(Event::Playing(playing))), "{seen:?}");
    assert!(seen.contains(&Seen::Rtp(1, vec![0x80, 96])));
    assert_eq!(session.stats().dropped_packets, 2);
}

#[test]
fn a_raw_authorization_goes_with_every_request_from_the_first() {
    let config = Config { credentials: None, ..config() }.authorization(Some("Bearer token".into()));
    let mut session = Session::new(config, Micros(0));
    assert!(sent(&drain(&mut session)).contains("Authorization: Bearer token\r\n"));
    assert!(sent(&feed(&mut session, 1, &reply(1, "", ""))).contains("Authorization: Bearer token\r\n"));
    let seen = feed(&mut session, 2, &status(2, "401 Unauthorized", ""));
    assert_eq!(failed(&seen), Some(Kind::CredentialsRefused));
}

proptest! {
    #[test]
    fn any_split_gives_the_same(cuts in prop::collection::vec(1_usize..120, 0..40)) {
        let (_, whole) = playing();
        let transcript = transcript();
        let mut session = Session::new(config(), Micros(0));
        let mut seen = drain(&mut session);
        let mut rest = &transcript[..];
        for cut in cuts {
            let (chunk, after) = rest.split_at(cut.min(rest.len()));
            seen.extend(feed(&mut session, 1_000, chunk));
            rest = after;
        }
        for byte in rest.chunks(1) {
            seen.extend(feed(&mut session, 1_000, byte));
        }
        prop_assert_eq!(seen, whole);
    }

    #[test]
    fn any_bytes_at_any_point_end_or_go_on(at in 0_usize..900, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let transcript = transcript();
        let mut session = Session::new(config(), Micros(0));
        feed(&mut session, 1, &transcript[..at.min(transcript.len())]);
        feed(&mut session, 2, &bytes);
        feed(&mut session, 3, &transcript);
        session.teardown(Micros(4));
        session.handle_closed(Micros(5));
        let seen = drain(&mut session);
        prop_assert_eq!(session.phase(), Phase::Closed);
        prop_assert!(drain(&mut session).is_empty() && seen.iter().filter(|s| **s == Seen::Close).count() <= 1);
    }
}

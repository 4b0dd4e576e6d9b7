//! The RTSP client against the RTSP server, on a clock that the test turns.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use proptest::prelude::*;
use vigie::codec::Codec;
use vigie::rtsp::auth::{Algorithm, Scheme};
use vigie::rtsp::headers::{Range, RtpInfo};
use vigie::rtsp::{Credentials, Status, Url};
use vigie::sdp::Description;
use vigie::server::{self, Connection, Guard};
use vigie::session::{self, Session};
use vigie::time::{Micros, UtcMicros};

/// The two ends, what they said, and how the bytes between them are cut.
struct Pair {
    client: Session,
    server: Connection,
    now: Micros,
    cut: usize,
    refuse: Option<Status>,
    packets: Vec<Vec<u8>>,
    client_events: Vec<session::Event>,
    server_events: Vec<server::Event>,
    wire: String,
    closed: bool,
}

const SECOND: u64 = 1_000_000;

fn sdp() -> String {
    let sets = [Bytes::from_static(&[0x67, 0x42, 0, 0x1e, 0xab]), Bytes::from_static(&[0x68, 0xce, 0x3c])];
    Description::live("Mairie").with_video(Codec::H264, 96, &sets).to_string()
}

impl Pair {
    fn new(url: &str, authorization: Option<&str>, guard: Option<Guard>) -> Self {
        let (url, credentials) = Url::parse(url).unwrap();
        let config = session::Config::new(url, [1; 32]).credentials(credentials);
        let config = config.authorization(authorization.map(String::from)).media_timeout(None);
        let now = Micros(7_000_000);
        Self {
            client: Session::new(config, now),
            server: Connection::new(server::Config::new([2; 32]).guard(guard).session_timeout(20), now),
            now,
            cut: usize::MAX,
            refuse: None,
            packets: Vec::new(),
            client_events: Vec::new(),
            server_events: Vec::new(),
            wire: String::new(),
            closed: false,
        }
    }

    /// Carries bytes and answers events until nothing moves.
    fn run(&mut self) {
        loop {
            let before =
                (self.wire.len(), self.client_events.len(), self.server_events.len(), self.packets.len());
            self.drain_client();
            self.drain_server();
            if before
                == (self.wire.len(), self.client_events.len(), self.server_events.len(), self.packets.len())
            {
                return;
            }
        }
    }

    fn drain_client(&mut self) {
        let mut to_server = Vec::new();
        while let Some(output) = self.client.poll_output() {
            match output {
                session::Output::Send(bytes) => to_server.extend_from_slice(&bytes),
                session::Output::Rtp { bytes, .. } => self.packets.push(bytes.to_vec()),
                session::Output::Event(event) => self.client_events.push(event),
                session::Output::Close => self.closed = true,
                _ => {}
            }
        }
        self.wire.push_str(&String::from_utf8_lossy(&to_server));
        for chunk in to_server.chunks(self.cut.min(to_server.len().max(1))) {
            assert_eq!(self.server.handle_input(self.now, chunk), chunk.len());
            self.drain_server();
        }
    }

    fn drain_server(&mut self) {
        while let Some(output) = self.server.poll_output() {
            match output {
                server::Output::Send(bytes) => {
                    self.wire.push_str(&String::from_utf8_lossy(&bytes));
                    for chunk in bytes.chunks(self.cut.min(bytes.len())) {
                        assert_eq!(self.client.handle_input(self.now, chunk), chunk.len());
                    }
                }
                server::Output::Event(event) => self.answer(event),
                server::Output::Close => self.client.handle_closed(self.now),
                _ => {}
            }
        }
    }

    fn answer(&mut self, event: server::Event) {
        match (&event, self.refuse) {
            (server::Event::Describe { request, .. }, Some(status)) => {
                self.server.refuse(*request, status).unwrap()
            }
            (server::Event::Describe { request, .. }, None) => self.server.describe(*request, sdp()).unwrap(),
            (server::Event::Play { request, .. }, _) => {
                let info = RtpInfo { seq: Some(100), rtptime: Some(9_000), ..RtpInfo::default() };
                let range = Range::Clock { start: UtcMicros(1_000_000), end: None };
                self.server.accept_play(*request, Some(range), &[info]).unwrap();
            }
            _ => {}
        }
        self.server_events.push(event);
    }

    fn advance(&mut self, micros: u64) {
        self.now = self.now.plus(micros);
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        self.run();
    }

    fn failed(&self) -> Option<session::Kind> {
        self.client_events
            .iter()
            .find_map(|e| if let session::Event::Failed(e) = e { Some(e.kind) } else { None })
    }

    fn count(&self, text: &str) -> usize {
        self.wire.matches(text).count()
    }
}

fn media(n: u8) -> Bytes {
    let mut bytes = vec![b'$', 0, 0, 14, 0x80, 0xe0, 0, n];
    bytes.resize(18, n);
    bytes.into()
}

fn guard(schemes: &[Scheme]) -> Guard {
    Guard::new(Credentials::new("admin", "s3cret")).schemes(schemes)
}

#[test]
fn from_options_to_teardown() {
    let mut pair = Pair::new("rtsp://cam:8554/town/square?quality=high", None, None);
    pair.run();
    assert_eq!(pair.client.phase(), session::Phase::Playing);
    let playing = pair
        .client_events
        .iter()
        .find_map(|e| if let session::Event::Playing(p) = e { Some(p) } else { None });
    let playing = playing.unwrap();
    assert_eq!(playing.range.and_then(|r| r.clock_start()), Some(UtcMicros(1_000_000)));
    let info = playing.rtp_info.as_ref().unwrap();
    assert_eq!(
        (info.url.as_str(), info.seq, info.rtptime),
        ("rtsp://cam:8554/town/square?quality=high/video", Some(100), Some(9_000))
    );
    assert_eq!(pair.client.presentation().unwrap().media[0].parameter_sets.len(), 2);
    assert_eq!(pair.client.quirks().iter().count(), 0);
    assert!(
        pair.server_events
            .contains(&server::Event::Setup { media: 0, transport: server::Agreed::Interleaved(0, 1) })
    );

    for n in 0..10 {
        pair.server.send(media(n)).unwrap();
    }
    assert_eq!(pair.server.queued(), 180);
    pair.run();
    assert_eq!((pair.server.queued(), pair.packets.len()), (0, 10));
    assert!(pair.packets.iter().zip(0..).all(|(packet, n)| packet[..] == media(n)[4..]));

    pair.client.teardown(pair.now);
    pair.run();
    assert!(pair.closed && pair.client_events.contains(&session::Event::Ended));
    assert_eq!(pair.server_events.last(), Some(&server::Event::Teardown));
    assert_eq!(pair.server.send(media(0)).unwrap_err().kind, server::Kind::NotPlaying);
}

#[test]
fn every_scheme_lets_the_right_password_in() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256] {
        for scheme in [Scheme::Digest(algorithm), Scheme::DigestSession(algorithm)] {
            for qop in [true, false] {
                let mut pair = Pair::new("rtsp://admin:s3cret@cam/a", None, Some(guard(&[scheme]).qop(qop)));
                pair.run();
                assert_eq!(
                    (pair.client.phase(), pair.failed()),
                    (session::Phase::Playing, None),
                    "{scheme:?}"
                );
                assert_eq!((pair.count("401 Unauthorized"), pair.count("qop=auth, nc=") > 0), (1, qop));
                assert_eq!(pair.count("-sess") > 0, matches!(scheme, Scheme::DigestSession(_)));
                assert_eq!(pair.client.quirks().iter().count(), 0);
            }
        }
    }
    let sha = Scheme::Digest(Algorithm::Sha256);
    let md5 = Scheme::Digest(Algorithm::Md5);
    let sha512 = Scheme::Digest(Algorithm::Sha512_256);
    for schemes in [&[Scheme::Basic][..], &[md5], &[sha], &[sha512], &[Scheme::Basic, md5, sha, sha512]] {
        let mut pair = Pair::new("rtsp://admin:s3cret@cam/a", None, Some(guard(schemes)));
        pair.run();
        assert_eq!((pair.client.phase(), pair.failed()), (session::Phase::Playing, None), "{schemes:?}");
        assert_eq!(pair.count("401 Unauthorized"), 1);
        assert!(!pair.wire.contains("s3cret"));
    }
}

#[test]
fn a_wrong_password_is_refused_before_an_account_is_locked() {
    for (schemes, tries) in
        [(&[Scheme::Basic][..], 2), (&[Scheme::Digest(Algorithm::Sha256), Scheme::Digest(Algorithm::Md5)], 4)]
    {
        let mut pair = Pair::new("rtsp://admin:wrong@cam/a", None, Some(guard(schemes)));
        pair.run();
        assert_eq!(pair.failed(), Some(session::Kind::CredentialsRefused));
        assert_eq!(pair.count("401 Unauthorized"), tries);
        assert!(
            pair.closed && !pair.server_events.iter().any(|e| matches!(e, server::Event::Describe { .. }))
        );
    }
    let mut pair = Pair::new("rtsp://cam/a", None, Some(guard(&[Scheme::Basic])));
    pair.run();
    assert_eq!(pair.failed(), Some(session::Kind::CredentialsNeeded));
}

/// The bound is over the session: below it no account locks, whatever is offered.
#[test]
fn no_more_tries_than_were_allowed() {
    let schemes = [Algorithm::Sha512_256, Algorithm::Sha256, Algorithm::Md5].map(Scheme::Digest);
    for tries in 1..=5 {
        let mut pair = Pair::new("rtsp://admin:wrong@cam/a", None, Some(guard(&schemes)));
        let (url, credentials) = Url::parse("rtsp://admin:wrong@cam/a").unwrap();
        let config = session::Config::new(url, [1; 32]).credentials(credentials).tries(tries);
        pair.client = Session::new(config, pair.now);
        pair.run();
        assert_eq!(pair.failed(), Some(session::Kind::CredentialsRefused));
        assert_eq!(pair.count("Authorization: Digest"), usize::from(tries));
    }
}

#[test]
fn stale_nonces_are_renewed_in_keep_alives() {
    let guard = guard(&[Scheme::Digest(Algorithm::Sha256)]).nonce_lifetime(15 * SECOND);
    let mut pair = Pair::new("rtsp://admin:s3cret@cam/a", None, Some(guard));
    pair.run();
    for _ in 0..6 {
        pair.advance(10 * SECOND);
    }
    assert_eq!((pair.client.phase(), pair.failed()), (session::Phase::Playing, None));
    assert!(pair.count("stale=TRUE") >= 2, "{}", pair.wire);
    assert_eq!(pair.client.stats().keep_alives_answered, 6);
    assert_eq!(pair.client.quirks().iter().count(), 0);
}

#[test]
fn a_session_lives_by_its_keep_alives_and_dies_without() {
    let mut pair = Pair::new("rtsp://cam/a", None, None);
    pair.run();
    for _ in 0..30 {
        pair.advance(10 * SECOND);
    }
    assert_eq!(pair.client.phase(), session::Phase::Playing);
    assert_eq!(pair.count("GET_PARAMETER rtsp://cam/a/ RTSP/1.0"), 30);
    // The client's machine is gone, its connection is not.
    let due = pair.server.poll_timeout().unwrap();
    pair.server.handle_timeout(due);
    pair.drain_server();
    let last = pair.server_events.last();
    assert!(matches!(last, Some(server::Event::Failed(e)) if e.kind == server::Kind::Silent), "{last:?}");
}

#[test]
fn the_application_sees_the_token_and_may_refuse() {
    let mut pair = Pair::new("rtsp://centre/town/square", Some("Bearer t0ken"), None);
    pair.run();
    let tokens: Vec<_> = pair
        .server_events
        .iter()
        .filter_map(|event| match event {
            server::Event::Describe { authorization, .. } | server::Event::Play { authorization, .. } => {
                authorization.as_ref().and_then(|a| a.bearer())
            }
            _ => None,
        })
        .collect();
    assert_eq!(tokens, ["t0ken", "t0ken"]);
    assert!(!format!("{:?}", pair.server_events).contains("t0ken"));
    for (status, kind) in [
        (Status::NOT_FOUND, session::Kind::NotFound),
        (Status::UNAUTHORIZED, session::Kind::CredentialsRefused),
        (Status::FORBIDDEN, session::Kind::Status(Status::FORBIDDEN)),
    ] {
        let mut pair = Pair::new("rtsp://centre/town/square", Some("Bearer wrong"), None);
        pair.refuse = Some(status);
        pair.run();
        assert_eq!(pair.failed(), Some(kind));
    }
}

#[test]
fn a_slow_client_is_told_apart_by_its_queue() {
    let mut pair = Pair::new("rtsp://cam/a", None, None);
    pair.run();
    let picture = Bytes::from(vec![0; 1 << 20]);
    let mut taken = 0;
    while pair.server.send(picture.clone()).is_ok() {
        taken += 1;
    }
    assert_eq!((taken, pair.server.queued()), (4, 4 << 20));
    assert_eq!(pair.server.send(media(1)).unwrap_err().kind, server::Kind::QueueFull);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_cut_gives_the_same(cut in 1_usize..200, packets in 1_u8..40) {
        let guard = guard(&[Scheme::Digest(Algorithm::Sha256)]);
        let mut pair = Pair::new("rtsp://admin:s3cret@cam/a", None, Some(guard));
        pair.cut = cut;
        pair.run();
        for n in 0..packets {
            pair.server.send(media(n)).unwrap();
        }
        pair.run();
        // A last packet that ends in a `$` waits so long for what could be another's header.
        pair.now = pair.now.plus(2_000);
        pair.client.handle_timeout(pair.now);
        pair.run();
        prop_assert_eq!(pair.packets.len(), usize::from(packets));
        pair.client.teardown(pair.now);
        pair.run();
        let ended = pair.client_events.contains(&session::Event::Ended);
        prop_assert!(ended && pair.closed);
        prop_assert_eq!(pair.client.quirks().iter().count(), 0);
    }
}

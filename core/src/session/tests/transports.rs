//! UDP, multicast, several media.
use super::*;

const THREE: &str = "v=0\r\ns=x\r\nc=IN IP4 239.1.2.3/16\r\na=control:*\r\n\
    m=audio 5004 RTP/AVP 0\r\na=control:a\r\n\
    m=video 5006 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:v\r\n\
    a=source-filter: incl IN IP4 239.1.2.3 10.0.0.7\r\n\
    m=application 5008 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:m\r\n\
    m=audio 0 RTP/AVP 8\r\na=sendonly\r\na=control:back\r\n";

/// A session that was described as [`THREE`], and what it gave since.
fn described(config: Config) -> (Session, Vec<Seen>) {
    let mut session = Session::new(config, Micros(0));
    drain(&mut session);
    feed(&mut session, 1, &reply(1, "", ""));
    let seen = feed(&mut session, 2, &reply(2, "Content-Type: application/sdp\r\n", THREE));
    (session, seen)
}

fn udp() -> Config {
    config().transports(vec![Lower::Udp, Lower::Tcp])
}

#[test]
fn over_udp_the_caller_binds_and_the_way_is_opened() {
    let (mut session, seen) = described(udp());
    assert_eq!(seen.last(), Some(&Seen::Event(Event::Bind { media: 1 })));
    // Nobody asked for these.
    session.bound(Micros(3), 0, 1, 2);
    assert_eq!(drain(&mut session), []);
    session.bound(Micros(3), 1, 6000, 6001);
    let setup = sent(&drain(&mut session));
    assert!(setup.contains("SETUP rtsp://cam:8554/live?c=1/v RTSP/1.0\r\n"), "{setup}");
    assert!(setup.contains("Transport: RTP/AVP;unicast;client_port=6000-6001\r\n"), "{setup}");
    let answer = "Session: 9\r\nTransport: RTP/AVP;unicast;client_port=6000-6001;source=10.0.0.8;server_port=7000-7001;ssrc=00000007\r\n";
    let seen = feed(&mut session, 4, &reply(3, answer, ""));
    let transport = Agreed::Udp { server: Some("10.0.0.8".into()), ports: Some((7000, 7001)) };
    assert_eq!(seen[0], Seen::Event(Event::SetUp { media: 1, transport }));
    let ssrc = session.own_ssrc().to_be_bytes();
    let punch = [&[0x80, 96, 0, 0, 0, 0, 0, 0][..], &ssrc].concat();
    assert_eq!(seen[1], Seen::Datagram(1, false, punch));
    let Seen::Datagram(1, true, report) = &seen[2] else { panic!("{seen:?}") };
    assert_eq!(report[..8], [&[0x80, 201, 0, 1][..], &ssrc].concat());
    assert!(sent(&seen[3..]).starts_with("PLAY"));
    assert!(!session.handle_datagram(Micros(5), 0, false, 100), "not set up");
    assert!(session.handle_datagram(Micros(5), 1, false, 100), "it may overtake PLAY's answer");
    feed(&mut session, 6, &reply(4, "", ""));
    assert!(session.handle_datagram(Micros(7), 1, true, 28));
    let stats = session.stats();
    assert_eq!(
        (stats.rtp_packets, stats.rtp_bytes, stats.rtcp_packets, stats.dropped_packets),
        (1, 100, 1, 1)
    );
    session.send_rtcp(1, &[1, 2, 3, 4]);
    assert_eq!(drain(&mut session).last(), Some(&Seen::Datagram(1, true, vec![1, 2, 3, 4])));
}

#[test]
fn a_silent_start_over_udp_is_given_up_soon_where_another_transport_is_left() {
    for (transports, end) in [(vec![Lower::Udp, Lower::Tcp], 3_000_006), (vec![Lower::Udp], 10_000_006)] {
        let (mut session, _) = described(config().transports(transports));
        session.bound(Micros(3), 1, 6000, 6001);
        drain(&mut session);
        feed(&mut session, 4, &reply(3, "Session: 9\r\nTransport: RTP/AVP;unicast;server_port=7000\r\n", ""));
        feed(&mut session, 6, &reply(4, "", ""));
        assert_eq!(session.poll_timeout(), Some(Micros(end)));
        session.handle_timeout(Micros(end));
        let seen = drain(&mut session);
        assert_eq!(failed(&seen), Some(Kind::Stalled));
        assert!(sent(&seen).starts_with("TEARDOWN"));
    }
}

#[test]
fn refused_udp_becomes_tcp() {
    let (mut session, _) = described(udp());
    session.bound(Micros(3), 1, 6000, 6001);
    drain(&mut session);
    let seen = feed(&mut session, 4, &status(3, "461 Unsupported transport", ""));
    assert!(sent(&seen).contains("Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"));
    // Hikvision: DESCRIBE again.
    let seen = feed(&mut session, 5, &status(4, "455 Method Not Valid", ""));
    assert!(sent(&seen).starts_with("DESCRIBE") && quirks(&seen) == [Quirk::DescribeAgain]);
    let seen = feed(&mut session, 6, &reply(5, "Content-Type: application/sdp\r\n", THREE));
    assert!(sent(&seen).starts_with("SETUP"));
    let seen = feed(&mut session, 7, &reply(6, SET_UP, ""));
    assert!(sent(&seen).starts_with("PLAY"));

    let (mut session, _) = described(udp());
    session.not_bound(Micros(3), 1);
    assert!(sent(&drain(&mut session)).contains("interleaved=0-1"));
    let (mut session, _) = described(config().transports(vec![Lower::Udp]));
    session.not_bound(Micros(3), 1);
    assert_eq!(failed(&drain(&mut session)), Some(Kind::NotBound));
}

#[test]
fn a_camera_that_answers_tcp_to_udp_is_taken_at_its_word() {
    let tcp = "Session: 9\r\nTransport: RTP/AVP/TCP;unicast;interleaved=4-5\r\n";
    let (mut session, _) = described(udp());
    session.bound(Micros(3), 1, 6000, 6001);
    drain(&mut session);
    let seen = feed(&mut session, 4, &reply(3, tcp, ""));
    assert!(seen.contains(&Seen::Event(Event::SetUp { media: 1, transport: Agreed::Interleaved(4, 5) })));
    assert_eq!(quirks(&seen), [Quirk::OtherTransport, Quirk::OtherChannels]);
    let (mut session, _) = described(config().transports(vec![Lower::Udp]));
    session.bound(Micros(3), 1, 6000, 6001);
    drain(&mut session);
    assert_eq!(failed(&feed(&mut session, 4, &reply(3, tcp, ""))), Some(Kind::UnsupportedTransport));
}

#[test]
fn multicast_comes_from_the_answer_and_else_from_the_description() {
    let group = |fields: &str| {
        let (mut session, seen) = described(config().transports(vec![Lower::Multicast]));
        assert!(sent(&seen).contains("Transport: RTP/AVP;multicast\r\n"));
        let seen = feed(&mut session, 4, &reply(3, &format!("Session: 9\r\n{fields}"), ""));
        seen.into_iter().find_map(|s| match s {
            Seen::Event(Event::SetUp { media: 1, transport }) => Some(transport),
            _ => None,
        })
    };
    let agreed = |group: &str, ports, ttl, source: &str| {
        let (group, source) = (group.parse().unwrap(), Some(source.parse().unwrap()));
        Some(Agreed::Multicast { group, ports, ttl, source })
    };
    let answer =
        "Transport: RTP/AVP;multicast;destination=232.5.5.5;source=10.1.1.1;port=8000-8001;ttl=3\r\n";
    assert_eq!(group(answer), agreed("232.5.5.5", (8000, 8001), Some(3), "10.1.1.1"));
    let bare = agreed("239.1.2.3", (5006, 5007), Some(16), "10.0.0.7");
    assert_eq!(group("Transport: RTP/AVP;multicast\r\n"), bare);
    assert_eq!(group(""), bare);
}

#[test]
fn several_media_are_set_up_one_after_another_under_one_aggregate() {
    let wanted = Wanted::default().audio(true).metadata(true);
    let (mut session, seen) = described(config().wanted(wanted));
    assert!(sent(&seen).contains("/v RTSP/1.0\r\n") && !sent(&seen).contains("Session"));
    let seen = feed(
        &mut session,
        3,
        &reply(3, "Session: 9\r\nTransport: RTP/AVP/TCP;interleaved=0-1;ssrc=A\r\n", ""),
    );
    let next = sent(&seen);
    assert!(
        next.contains("/a RTSP/1.0\r\n")
            && next.contains("Session: 9\r\n")
            && next.contains("interleaved=2-3")
    );
    // Another name for the same session: the first is kept. The metadata is refused: one does without.
    let seen = feed(
        &mut session,
        4,
        &reply(4, "Session: 10\r\nTransport: RTP/AVP/TCP;interleaved=2-3;ssrc=B\r\n", ""),
    );
    assert!(sent(&seen).contains("/m RTSP/1.0\r\n") && sent(&seen).contains("Session: 9\r\n"));
    assert_eq!(quirks(&seen), [Quirk::SessionChanged]);
    let seen = feed(&mut session, 5, &status(5, "454 Session Not Found", ""));
    assert!(seen.contains(&Seen::Event(Event::Refused { media: 2, status: Status::SESSION_NOT_FOUND })));
    assert!(sent(&seen).contains("PLAY rtsp://cam:8554/live?c=1 RTSP/1.0\r\n"), "{}", sent(&seen));
    let played = "RTP-Info: url=rtsp://cam:8554/live?c=1/a;seq=9;rtptime=90,url=v;seq=8;rtptime=80\r\n";
    let mut packets = reply(6, played, "");
    for channel in 0..5 {
        packets.extend_from_slice(&[b'$', channel, 0, 2, 0x80, channel]);
    }
    let seen = feed(&mut session, 6, &packets);
    let playing =
        seen.iter().find_map(|s| if let Seen::Event(Event::Playing(p)) = s { Some(p) } else { None });
    let streams: Vec<_> = playing
        .unwrap()
        .streams
        .iter()
        .map(|s| (s.media, s.ssrc, s.rtp_info.as_ref().and_then(|info| info.seq)))
        .collect();
    assert_eq!(streams, [(1, Some(10), Some(8)), (0, Some(11), Some(9))]);
    let media: Vec<_> =
        seen.iter().filter(|s| matches!(s, Seen::Rtp(..) | Seen::Rtcp(..))).cloned().collect();
    let expected = [
        Seen::Rtp(1, vec![0x80, 0]),
        Seen::Rtcp(1, vec![0x80, 1]),
        Seen::Rtp(0, vec![0x80, 2]),
        Seen::Rtcp(0, vec![0x80, 3]),
    ];
    assert_eq!((media, quirks(&seen)), (expected.to_vec(), vec![Quirk::UnknownChannel]));
}

#[test]
fn nothing_is_set_up_that_was_not_asked_for() {
    let (mut session, seen) = described(config());
    assert_eq!(sent(&seen).matches("SETUP").count(), 1);
    let seen = feed(&mut session, 3, &reply(3, SET_UP, ""));
    assert!(sent(&seen).starts_with("PLAY"));
    let none = Wanted::default().video(false);
    assert_eq!(failed(&described(config().wanted(none)).1), Some(Kind::NothingWanted));
    let (_, seen) = described(config().wanted(none.audio(true)));
    assert!(sent(&seen).contains("/a RTSP"), "never the back channel");
    let (_, seen) = described(config().media(Some(2)));
    assert!(sent(&seen).contains("/m RTSP"));
}

#[test]
fn pause_and_another_range() {
    let (mut session, _) = playing();
    session.config.media_timeout = None;
    assert!(session.pause(Micros(2_000)) && !session.pause(Micros(2_000)));
    assert!(sent(&drain(&mut session)).starts_with("PAUSE rtsp://cam:8554/live?c=1/ RTSP/1.0\r\n"));
    assert_eq!(feed(&mut session, 2_001, &reply(5, "", "")), [Seen::Event(Event::Paused)]);
    session.handle_timeout(Micros(10_001_000));
    assert!(sent(&drain(&mut session)).starts_with("GET_PARAMETER"), "a paused session is kept alive");
    let range = crate::rtsp::headers::Range::parse("clock=20261122T051400Z-");
    assert!(session.play(Micros(10_002_000), range));
    assert!(sent(&drain(&mut session)).contains("Range: clock=20261122T051400Z-\r\n"));
    let answer = reply(session.cseq, "", "");
    let seen = feed(&mut session, 10_002_001, &answer);
    assert!(matches!(seen[..], [Seen::Event(Event::Playing(_))]), "{seen:?}");
    // Refused, it goes on.
    assert!(session.pause(Micros(10_003_000)));
    drain(&mut session);
    session.public.push(Method::Pause);
    let answer = status(session.cseq, "551 Option not supported", "");
    let seen = feed(&mut session, 10_003_001, &answer);
    assert_eq!(quirks(&seen), [Quirk::PauseRefused]);
    assert!(seen.contains(&Seen::Event(Event::NotPaused(Status::OPTION_NOT_SUPPORTED))));
    assert_eq!(session.phase(), Phase::Playing);
}

/// ONVIF Streaming Specification, "Playback": the fields of a replay.
#[test]
fn a_replay_asks_as_onvif_has_it() {
    let replay = Replay::default().frames(Frames::IntraEvery(4_000)).reverse(true);
    let config = config().replay(Some(replay)).headers(vec![("X-Town".into(), "Vigie".into())]);
    let (mut session, seen) = described(config);
    assert!(sent(&seen).contains("Require: onvif-replay\r\n") && sent(&seen).contains("X-Town: Vigie\r\n"));
    let play = sent(&feed(&mut session, 3, &reply(3, SET_UP, "")));
    for field in
        ["Require: onvif-replay", "Rate-Control: no", "Frames: intra/4000", "Immediate: yes", "Scale: -1.0"]
    {
        assert!(play.contains(&format!("{field}\r\n")), "{field}: {play}");
    }
}

#[test]
fn tls_is_not_left_with_a_password() {
    let go = |from: &str, location: &str| {
        let (url, credentials) = Url::parse(from).unwrap();
        let mut session = Session::new(Config::new(url, [0; 32]).credentials(credentials), Micros(0));
        drain(&mut session);
        feed(&mut session, 1, &status(1, "302 Moved", &format!("Location: {location}\r\n")))
    };
    assert_eq!(failed(&go("rtsps://u:p@cam/a", "rtsp://cam/a")), Some(Kind::Downgrade));
    for (from, to) in [("rtsps://cam/a", "rtsp://cam/a"), ("rtsps://u:p@cam/a", "rtsps://cam2/a")] {
        assert!(matches!(go(from, to)[0], Seen::Event(Event::Redirected(_))));
    }
}

/// Every tolerance of the session ends it, under its name, where the policy does not have it.
#[test]
fn a_strict_session_names_what_it_does_not_tolerate() {
    use crate::fault::{Policy, QuirkSet};
    let end = |policy, answers: &[&[u8]]| {
        let mut config = config();
        config.limits.policy = policy;
        let mut session = Session::new(config, Micros(0));
        drain(&mut session);
        answers.iter().find_map(|answer| failed(&feed(&mut session, 1, answer)))
    };
    let tcp = "Session: 9\r\nTransport: RTP/AVP/TCP;unicast;";
    let described = reply(2, "Content-Type: application/sdp\r\n", SDP);
    let options = reply(1, "", "");
    #[allow(clippy::type_complexity)]
    let cases: [(Quirk, Vec<u8>, Vec<u8>, Vec<u8>); 8] = [
        (Quirk::NoCSeq, b"RTSP/1.0 200 OK\r\n\r\n".to_vec(), vec![], vec![]),
        (Quirk::WrongCSeq, reply(77, "", ""), vec![], vec![]),
        (Quirk::RtpBeforePlay, options.clone(), vec![b'$', 0, 0, 2, 0x80, 96], vec![]),
        (Quirk::NoContentType, options.clone(), reply(2, "", SDP), vec![]),
        (
            Quirk::BadContentBase,
            options.clone(),
            reply(2, "Content-Type: application/sdp\r\nContent-Base: 10.0.0.1/\r\n", SDP),
            vec![],
        ),
        (Quirk::NoTransport, options.clone(), described.clone(), reply(3, "Session: 9\r\n", "")),
        (Quirk::NoChannels, options.clone(), described.clone(), reply(3, &format!("{tcp}\r\n"), "")),
        (Quirk::OtherChannels, options, described, reply(3, &format!("{tcp}interleaved=8-9\r\n"), "")),
    ];
    for (quirk, first, second, third) in &cases {
        let answers = [first.as_slice(), second, third];
        assert_eq!(end(Policy::Strict, &answers), Some(Kind::Violation(*quirk)), "{quirk}");
        let without = QuirkSet::ALL.without(*quirk);
        assert_eq!(end(Policy::Force(without), &answers), Some(Kind::Violation(*quirk)), "{quirk}");
        assert_eq!(end(Policy::Force(QuirkSet::of(&[*quirk])), &answers), None, "{quirk}");
        assert_eq!(end(Policy::Auto, &answers), None, "{quirk}");
    }
}

//! How a session ends that is told to.

use super::*;

#[test]
fn teardown_waits_for_its_answer_but_not_long() {
    let (mut session, _) = playing();
    session.teardown(Micros(2_000));
    assert!(sent(&drain(&mut session)).starts_with("TEARDOWN"));
    let ended = vec![Seen::Event(Event::Ended), Seen::Close];
    assert_eq!(feed(&mut session, 2_002, &reply(5, "", "")), ended);

    let (mut session, _) = playing();
    session.teardown(Micros(2_000));
    drain(&mut session);
    assert_eq!(session.poll_timeout(), Some(Micros(2_002_000)));
    session.handle_timeout(Micros(2_002_000));
    assert_eq!(drain(&mut session), ended);

    let mut session = Session::new(config(), Micros(0));
    drain(&mut session);
    session.teardown(Micros(1));
    assert_eq!(drain(&mut session), ended);
}

/// A recorder that reads seldom stops with pictures in the socket, and in its receive buffer.
#[test]
fn what_was_sent_before_the_answer_to_teardown_is_handed_out() {
    let (mut session, _) = playing();
    session.teardown(Micros(2_000));
    drain(&mut session);
    let packet: &[u8] = &[b'$', 0, 0, 2, 0x80, 96];
    let before = session.stats().rtp_packets;
    assert_eq!(feed(&mut session, 2_001, &[b'$', 9, 0, 2, 0x80, 96]), [], "nobody's channel");
    assert_eq!(feed(&mut session, 2_001, packet).len(), 1);
    // In one read with the answer, on either side of it.
    let seen = feed(&mut session, 2_002, &[packet, &reply(5, "", ""), packet].concat());
    assert_eq!((seen.len(), &seen[1..]), (3, &[Seen::Event(Event::Ended), Seen::Close][..]));
    assert_eq!(session.stats().rtp_packets, before + 2);
}

/// No `Session` in the answer to SETUP: there is nothing to name, but something to tear down.
#[test]
fn a_session_without_a_name_is_torn_down_too() {
    let mut session = Session::new(config(), Micros(0));
    drain(&mut session);
    for (cseq, fields, body) in [(1, "", ""), (2, DESCRIBED, SDP), (3, "", ""), (4, "", "")] {
        feed(&mut session, 1, &reply(cseq, fields, body));
    }
    assert_eq!((session.phase(), session.quirks().get(Quirk::NoTransport)), (Phase::Playing, 1));
    session.teardown(Micros(2));
    assert!(sent(&drain(&mut session)).starts_with("TEARDOWN"));
}

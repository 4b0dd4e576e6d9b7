//! SRTP, and how its keys are said.

use vigie::rtp::srtp::mikey::Message;
use vigie::rtp::srtp::sdes::Crypto;
use vigie::rtp::srtp::{Master, Protect, Suite, Unprotect};

use crate::tape::Tape;

/// What was protected comes out as it was, once; with one bit changed, or a second time, it is refused. Keys that were read
/// are written so that they read the same.
pub(crate) fn srtp_round_trip(bytes: &[u8]) {
    keys(bytes);
    let mut tape = Tape::new(bytes);
    let suite = tape.one(&Suite::ALL);
    let mut secret = tape.take(suite.key_length() + suite.salt_length()).to_vec();
    secret.resize(suite.key_length() + suite.salt_length(), 5);
    let mut master = Master::new(suite, &secret).expect("a key of the right length");
    if tape.bit() {
        let name = [tape.u8() | 1, tape.u8()];
        master = master.with_mki(&name).expect("a short name");
        let message = Message::new(master.clone(), &[(7, 0)]).to_bytes(1, [2; 16]);
        assert!(Message::parse(&message).expect("our own message").master == master);
    }
    let (mut protect, mut unprotect) =
        (Protect::new(&master).expect("keys"), Unprotect::new(&master).expect("keys"));
    let mut sequence = tape.u16();
    let control = tape.bit();
    for payload in tape.chunks().take(32) {
        sequence = sequence.wrapping_add(1);
        let mut plain = if control { vec![0x80, 200, 0, 1, 0, 0, 0, 9] } else { vec![0x80, 96] };
        plain.extend_from_slice(&sequence.to_be_bytes());
        plain.extend_from_slice(&[0, 0, 0, 7, 0, 0, 0, 9]);
        plain.extend_from_slice(payload);
        let mut packet = plain.clone();
        let done = if control { protect.rtcp(&mut packet) } else { protect.rtp(&mut packet) };
        done.expect("one source, in order");
        let mut bent = packet.clone();
        let at = usize::from(sequence) % bent.len();
        bent[at] ^= 1 << (sequence % 8);
        let mut take = |bytes: &[u8]| {
            let taken = if control { unprotect.rtcp(bytes) } else { unprotect.rtp(bytes) };
            taken.map(<[u8]>::to_vec)
        };
        let refused = take(&bent);
        assert!(refused.is_err(), "a changed packet was taken: bit {} of byte {at}", sequence % 8);
        assert_eq!(take(&packet).expect("as it was sent"), plain);
        assert!(take(&packet).is_err(), "a packet was taken twice");
    }
}

fn keys(bytes: &[u8]) {
    if let Ok(message) = Message::parse(bytes) {
        let written = message.to_bytes(5, [6; 16]);
        let again = Message::parse(&written).expect("our own message");
        assert!(again.master == message.master);
        assert_eq!(again.streams, message.streams);
    }
    if let Ok(crypto) = Crypto::parse(&String::from_utf8_lossy(bytes)) {
        let again = Crypto::parse(&crypto.to_value()).expect("our own value");
        assert!(again.master == crypto.master && again.tag == crypto.tag);
    }
}

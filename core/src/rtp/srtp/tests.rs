#![allow(clippy::unwrap_used)]
use alloc::string::String;
use alloc::vec;

use proptest::prelude::*;

use super::*;
use crate::rtp::RtpPacket;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// RFC 3711 §B.3.
#[test]
fn session_keys_are_derived_as_the_rfc_says() {
    let key = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
    let master = Master::new(Suite::AesCm128Sha1Tag80, &key).unwrap();
    let derived = |label, length| {
        let mut out = vec![0; length];
        keys::derive(&master, label, &mut out).unwrap();
        out
    };
    assert_eq!(derived(0, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(derived(2, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(derived(1, 20), hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
}

/// RFC 6188 §7.3.
#[test]
fn session_keys_of_aes_256_too() {
    let key =
        hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6 3b04803de51ee7c96423ab5b78d2");
    let master = Master::new(Suite::AesCm256Sha1Tag80, &key).unwrap();
    let mut out = vec![0; 32];
    keys::derive(&master, 0, &mut out).unwrap();
    assert_eq!(out, hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"));
}

/// The packet that libsrtp checks itself with.
#[test]
fn another_implementation_encrypts_the_same() {
    let key = hex("e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6");
    let master = Master::new(Suite::AesCm128Sha1Tag80, &key).unwrap();
    let plain = hex("800f1234 decafbad cafebabe abababababababababababababababab");
    let mut packet = plain.clone();
    Protect::new(&master).unwrap().rtp(&mut packet).unwrap();
    let expected = "800f1234 decafbad cafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb";
    assert_eq!(packet, hex(expected));
    assert_eq!(Unprotect::new(&master).unwrap().rtp(&packet).unwrap(), plain);
}

fn master(suite: Suite, mki: &[u8]) -> Master {
    let key: Vec<u8> = (0..46).map(|n| n * 5 + 1).collect();
    let length = suite.key_length() + suite.salt_length();
    Master::new(suite, &key[..length]).unwrap().with_mki(mki).unwrap()
}

/// A packet with a CSRC and an extension, neither of which may be encrypted.
fn packet(sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x91, 0xe0];
    out.extend(sequence.to_be_bytes());
    out.extend([0, 0, 1, 0, 0, 0, 0, 9, 1, 2, 3, 4, 0xab, 0xac, 0, 1, 5, 6, 7, 8]);
    out.extend(payload);
    out
}

fn report() -> Vec<u8> {
    crate::rtp::rtcp::sender_compound(
        &crate::rtp::rtcp::SenderReport { ssrc: 9, ..Default::default() },
        "cam",
    )
}

#[test]
fn every_suite_goes_there_and_back_and_takes_no_changed_byte() {
    for suite in Suite::ALL {
        for mki in [&[][..], &[0, 0, 0, 1]] {
            let master = master(suite, mki);
            let (mut out, mut back) = (Protect::new(&master).unwrap(), Unprotect::new(&master).unwrap());
            for sequence in [65_534_u16, 65_535, 0, 1] {
                let plain = packet(sequence, b"a picture");
                let mut sent = plain.clone();
                out.rtp(&mut sent).unwrap();
                assert_eq!(sent.len(), plain.len() + out.overhead(), "{suite:?}");
                assert_eq!(sent[..24], plain[..24]);
                assert_ne!(sent[24..33], plain[24..33]);
                for at in 0..sent.len() {
                    let mut changed = sent.clone();
                    changed[at] ^= 4;
                    assert!(back.clone().rtp(&changed).is_err(), "{suite:?} {at}");
                }
                assert_eq!(back.rtp(&sent).unwrap(), plain, "{suite:?} {sequence}");
                assert_eq!(RtpPacket::parse(back.packet()).unwrap().payload, b"a picture");
                assert_eq!(back.rtp(&sent).unwrap_err().kind, Kind::Replayed);
            }
            assert_eq!(out.round(9), 1);
            let plain = report();
            let mut sent = plain.clone();
            out.rtcp(&mut sent).unwrap();
            assert_ne!(sent[8..plain.len()], plain[8..]);
            for at in 0..sent.len() {
                let mut changed = sent.clone();
                changed[at] ^= 4;
                assert!(back.clone().rtcp(&changed).is_err(), "{suite:?} {at}");
            }
            assert_eq!(back.rtcp(&sent).unwrap(), plain, "{suite:?}");
            assert_eq!(back.rtcp(&sent).unwrap_err().kind, Kind::Replayed);
        }
    }
}

#[test]
fn who_joins_late_is_told_the_round() {
    let master = master(Suite::AesCm128Sha1Tag80, &[]);
    let mut out = Protect::new(&master).unwrap();
    let mut sent = Vec::new();
    for n in 0..70_000_u32 {
        sent = packet(n as u16, b"x");
        out.rtp(&mut sent).unwrap();
    }
    let mut back = Unprotect::new(&master).unwrap();
    assert_eq!(back.rtp(&sent).unwrap_err().kind, Kind::Tag);
    back.set_round(9, out.round(9));
    assert_eq!(back.rtp(&sent).unwrap(), packet(69_999_u32 as u16, b"x"));
}

#[test]
fn packets_of_two_keys_are_told_apart_by_their_identifiers() {
    let (old, new) =
        (master(Suite::AesCm128Sha1Tag80, &[1]), Master::new(Suite::AesCm128Sha1Tag80, &[9; 30]).unwrap());
    let new = new.with_mki(&[2]).unwrap();
    let mut back = Unprotect::new(&old).unwrap().with(&new).unwrap();
    for (n, master) in [(1, &old), (2, &new), (3, &old)] {
        let mut sent = packet(n, b"x");
        Protect::new(master).unwrap().rtp(&mut sent).unwrap();
        assert_eq!(back.rtp(&sent).unwrap(), packet(n, b"x"));
    }
    let third = Master::new(Suite::AesCm128Sha1Tag80, &[3; 30]).unwrap().with_mki(&[3]).unwrap();
    let mut sent = packet(4, b"x");
    Protect::new(&third).unwrap().rtp(&mut sent).unwrap();
    assert_eq!(back.rtp(&sent).unwrap_err().kind, Kind::UnknownKey);
}

#[test]
fn no_key_is_shown() {
    let master = master(Suite::AesGcm128, &[]);
    let shown: String =
        alloc::format!("{master:?} {:?} {:?}", Protect::new(&master), Unprotect::new(&master));
    assert!(!shown.contains("1, 6, 11"), "{shown}");
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..100), gcm in any::<bool>()) {
        let suite = if gcm { Suite::AesGcm256 } else { Suite::AesCm128Sha1Tag32 };
        let mut back = Unprotect::new(&master(suite, &[7])).unwrap();
        prop_assert!(back.rtp(&bytes).is_err());
        prop_assert!(back.rtcp(&bytes).is_err());
    }
}

//! Client and server with SRTP: keys of the camera by MIKEY and by SDES, and keys that the client gives.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use vigie::codec::Codec;
use vigie::packetize::{Framing, Packetizer};
use vigie::record::{Ingest, IngestOutput};
use vigie::rtp::rtcp;
use vigie::rtp::srtp::mikey::Message;
use vigie::rtp::srtp::sdes::Crypto;
use vigie::rtp::srtp::{self, Master, Protect, Suite, Unprotect};
use vigie::rtsp::Url;
use vigie::sdp::Description;
use vigie::server::{self, Connection};
use vigie::session::{Config, Event, Kind, Lower};
use vigie::time::Micros;

const NOW: Micros = Micros(1_000_000);

/// Client and server after PLAY: what the client put out, and all that it sent.
fn play(keys: &str, lower: Lower) -> (Ingest, Vec<IngestOutput>, String) {
    let (url, _) = Url::parse("rtsp://cam/1").unwrap();
    let mut client = Ingest::new(Config::new(url, [1; 32]).transports(vec![lower]), NOW);
    let mut server = Connection::new(server::Config::new([2; 32]).udp(true), NOW);
    let (mut got, mut sent) = (Vec::new(), String::new());
    loop {
        let before = (got.len(), sent.len(), server.stats());
        while let Some(output) = client.poll_output() {
            match output {
                IngestOutput::Send(bytes) => {
                    sent.push_str(&String::from_utf8_lossy(&bytes));
                    assert_eq!(server.handle_input(NOW, &bytes), bytes.len());
                }
                IngestOutput::Event(Event::Bind { media }) => client.bound(NOW, media, 6000, 6001),
                output => got.push(output),
            }
        }
        while let Some(output) = server.poll_output() {
            match output {
                server::Output::Send(bytes) => assert_eq!(client.handle_input(NOW, &bytes), bytes.len()),
                server::Output::Event(server::Event::Describe { request, .. }) => {
                    let sdp = Description::live("cam").with_video(Codec::H264, 96, &[]).to_string();
                    let sdp = sdp.replace("RTP/AVP", "RTP/SAVP") + keys;
                    server.describe(request, sdp).unwrap();
                }
                server::Output::Event(server::Event::Bind { request, .. }) => {
                    server.accept_udp(request, (7000, 7001)).unwrap();
                }
                server::Output::Event(server::Event::Play { request, .. }) => {
                    server.accept_play(request, None, &[]).unwrap();
                }
                _ => {}
            }
        }
        if before == (got.len(), sent.len(), server.stats()) {
            return (client, got, sent);
        }
    }
}

/// Pictures as RTP packets.
fn packets(count: u32) -> Vec<Vec<u8>> {
    let mut packetizer = Packetizer::new(Codec::H264, 77, 96, 65_500, 200);
    let mut packets = Vec::new();
    for n in 0..count {
        let mut unit = Vec::from([0, 0, 2, 0, 0x65, 0x88]);
        unit.resize(4 + 0x200, n as u8 | 1);
        let mut bytes = BytesMut::new();
        packetizer.packetize(&unit, n * 3_600, Framing::Interleaved(0), &mut bytes);
        let mut rest = &bytes[..];
        while let [b'$', 0, high, low, after @ ..] = rest {
            let (packet, after) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            packets.push(packet.to_vec());
            rest = after;
        }
    }
    packets
}

fn pictures(got: &[IngestOutput]) -> usize {
    let whole = |o: &&IngestOutput| matches!(o, IngestOutput::AccessUnit(u) if !u.loss.incomplete && u.data.len() == 0x204);
    got.iter().filter(whole).count()
}

/// Sends what `protect` makes of 40 pictures, one packet changed on the way and one twice.
fn receive(client: &mut Ingest, lower: Lower, mut protect: Protect, got: &mut Vec<IngestOutput>) {
    for (n, mut packet) in packets(40).into_iter().enumerate() {
        protect.rtp(&mut packet).unwrap();
        let forged = n == 60;
        if forged {
            packet[20] ^= 1;
        }
        for _ in 0..if n == 50 { 2 } else { 1 } {
            match lower {
                Lower::Tcp => {
                    let length = (packet.len() as u16).to_be_bytes();
                    let framed = [&[b'$', 0], &length[..], &packet].concat();
                    assert_eq!(client.handle_input(NOW, &framed), framed.len());
                }
                _ => client.handle_datagram(NOW, 0, false, &packet),
            }
            got.extend(std::iter::from_fn(|| client.poll_output()));
        }
    }
    let later = NOW.plus(1_000_000);
    client.handle_timeout(later);
    client.teardown(later);
    got.extend(std::iter::from_fn(|| client.poll_output()));
    client.handle_closed(later);
    got.extend(std::iter::from_fn(|| client.poll_output()));
}

fn master(suite: Suite) -> Master {
    let key: Vec<u8> = (7..7 + suite.key_length() + suite.salt_length()).map(|n| n as u8).collect();
    Master::new(suite, &key).unwrap()
}

/// What stands in the client's `KeyMgmt`.
fn client_keys(sent: &str) -> Master {
    let data = sent.split("KeyMgmt: prot=mikey;uri=\"rtsp://cam/1/video\";data=\"").nth(1).unwrap();
    Message::parse(&STANDARD.decode(data.split('"').next().unwrap()).unwrap()).unwrap().master
}

#[test]
fn keys_by_mikey_decrypt_over_tcp_and_udp_and_ours_sign_the_reports() {
    for suite in Suite::ALL {
        for lower in [Lower::Tcp, Lower::Udp] {
            let master = master(suite);
            let message = Message::new(master.clone(), &[(77, 0)]).to_bytes(1, [5; 16]);
            let keys = format!("a=key-mgmt:mikey {}\r\n", STANDARD.encode(message));
            let (mut client, mut got, sent) = play(&keys, lower);
            let transport =
                if lower == Lower::Tcp { "Transport: RTP/SAVP/TCP;" } else { "Transport: RTP/SAVP;" };
            assert!(sent.contains(transport), "{sent}");
            let ours = client_keys(&sent);
            assert_eq!(ours.suite(), suite);
            receive(&mut client, lower, Protect::new(&master).unwrap(), &mut got);
            assert_eq!(pictures(&got), 39, "{suite:?} {lower:?}");
            // The changed one and the one that came twice.
            assert_eq!((client.stats().srtp_refused, client.stats().reorder.lost), (2, 1));
            let mut reports = Unprotect::new(&ours).unwrap();
            for output in &got {
                if let IngestOutput::Datagram { rtcp: true, bytes, .. } = output {
                    let report = reports.rtcp(bytes).unwrap();
                    assert!(rtcp::parse(report).all(|packet| packet.is_ok()));
                }
            }
        }
    }
}

#[test]
fn keys_by_sdes_decrypt() {
    let crypto =
        "a=crypto:1 UNKNOWN_SUITE inline:AAAA\r\na=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:".to_owned();
    let key: Vec<u8> = (7..37).collect();
    let (mut client, mut got, sent) =
        play(&format!("{crypto}{}|2^20\r\n", STANDARD.encode(&key)), Lower::Tcp);
    assert!(!sent.contains("KeyMgmt"));
    let master =
        Crypto::parse(&format!("2 AES_CM_128_HMAC_SHA1_32 inline:{}", STANDARD.encode(&key))).unwrap().master;
    receive(&mut client, Lower::Tcp, Protect::new(&master).unwrap(), &mut got);
    assert_eq!(pictures(&got), 39);
}

/// Axis: the camera encrypts with the key that the client gives.
#[test]
fn keys_of_the_client_decrypt_where_the_camera_names_none() {
    let (mut client, mut got, sent) = play("", Lower::Tcp);
    let master = client_keys(&sent);
    assert_eq!((master.suite(), master.mki()), (Suite::AesCm128Sha1Tag80, &[0, 0, 0, 1][..]));
    receive(&mut client, Lower::Tcp, Protect::new(&master).unwrap(), &mut got);
    assert_eq!(pictures(&got), 39);
}

#[test]
fn keys_that_cannot_be_used_end_the_session_by_name_and_are_not_shown() {
    for (keys, kind) in [
        ("a=crypto:1 F8_128_HMAC_SHA1_80 inline:AAAA\r\n", srtp::Kind::UnsupportedSuite),
        ("a=key-mgmt:mikey AAAA\r\n", srtp::Kind::Mikey),
    ] {
        let (client, got, _) = play(keys, Lower::Tcp);
        let failed = got.iter().find_map(|o| match o {
            IngestOutput::Event(Event::Failed(error)) => Some(error.kind),
            _ => None,
        });
        assert_eq!(failed, Some(Kind::Srtp(kind)));
        assert!(!format!("{:?} {got:?}", client.session().presentation()).contains("AAAA"));
    }
}

//! Client and server with SRTP: keys of the camera by MIKEY and by SDES, and keys that the client gives. Each session is
//! written down as well, and has to come out of the file again, in which no key is.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use vigie::codec::Codec;
use vigie::limits::Limits;
use vigie::packetize::{Framing, Packetizer};
use vigie::record::capture::{Replay, Replayed, Writer};
use vigie::record::{Ingest, IngestOutput};
use vigie::rtp::rtcp;
use vigie::rtp::srtp::mikey::Message;
use vigie::rtp::srtp::sdes::Crypto;
use vigie::rtp::srtp::{self, Master, Protect, Suite, Unprotect};
use vigie::rtsp::{Credentials, Url};
use vigie::sdp::Description;
use vigie::server::{self, Connection};
use vigie::session::{Config, Event, Kind, Lower};
use vigie::time::{Micros, NtpTime, UtcMicros};

const NOW: Micros = Micros(1_000_000);

const PASSWORD: &str = "s3cr3t-word";
const SEED: [u8; 32] = [0xa7; 32];

/// A client that is written down, with and without pictures.
struct Client {
    ingest: Ingest,
    writers: [Writer; 2],
    keys: Vec<Master>,
}

impl Client {
    fn new(lower: Lower) -> Self {
        let (url, _) = Url::parse("rtsp://cam/1").unwrap();
        let credentials = Some(Credentials::new("viewer", PASSWORD));
        let config = Config::new(url, SEED).transports(vec![lower]).credentials(credentials);
        let mut writers = [false, true].map(|blank| Writer::new(&Limits::default(), blank));
        writers.iter_mut().for_each(|w| w.open(NOW, UtcMicros(1_700_000_000_000_000), 1, &config));
        Self { ingest: Ingest::new(config, NOW), writers, keys: vec![] }
    }

    fn poll_output(&mut self) -> Option<IngestOutput> {
        let output = self.ingest.poll_output();
        for writer in &mut self.writers {
            match &output {
                None => writer.drained(),
                Some(IngestOutput::Send(bytes)) => writer.sent(NOW, bytes),
                Some(IngestOutput::Datagram { media, rtcp, bytes }) => {
                    writer.sent_datagram(NOW, *media, *rtcp, bytes);
                }
                Some(output) => writer.output(output),
            }
        }
        output
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.writers.iter_mut().for_each(|w| w.received(NOW, bytes));
        assert_eq!(self.ingest.handle_input(NOW, bytes), bytes.len());
    }

    fn receive_datagram(&mut self, rtcp: bool, bytes: &[u8]) {
        self.writers.iter_mut().for_each(|w| w.datagram(NOW, 0, rtcp, bytes));
        self.ingest.handle_datagram(NOW, 0, rtcp, bytes);
    }

    fn bound(&mut self, media: usize, ports: (u16, u16)) {
        self.writers.iter_mut().for_each(|w| w.bound(NOW, media, ports));
        self.ingest.bound(NOW, media, ports.0, ports.1);
    }

    fn end(&mut self, got: &mut Vec<IngestOutput>) {
        let later = NOW.plus(1_000_000);
        self.writers.iter_mut().for_each(|w| w.timeout(later));
        self.ingest.handle_timeout(later);
        got.extend(std::iter::from_fn(|| self.poll_output()));
        self.writers.iter_mut().for_each(|w| w.teardown(later));
        self.ingest.teardown(later);
        got.extend(std::iter::from_fn(|| self.poll_output()));
        self.writers.iter_mut().for_each(|w| w.closed(later));
        self.ingest.handle_closed(later);
        got.extend(std::iter::from_fn(|| self.poll_output()));
        self.writers.iter_mut().for_each(|w| w.finish(later));
    }

    /// The files hold no secret, and the same comes out of them again.
    fn check_files(&mut self, key: &Master) {
        self.keys.push(key.clone());
        for (blank, writer) in [false, true].into_iter().zip(&mut self.writers) {
            let file = writer.take();
            let mut secrets = vec![PASSWORD.as_bytes().to_vec(), SEED.to_vec(), b"a7a7a7a7".to_vec()];
            for master in &self.keys {
                let any = "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
                let mut crypto = Crypto::parse(any).unwrap();
                crypto.master = master.clone();
                let value = crypto.to_value();
                let text = value.split("inline:").nth(1).unwrap().split('|').next().unwrap();
                let raw = STANDARD.decode(text).unwrap();
                secrets.push(text.as_bytes()[..20].to_vec());
                // As it stands in Base64 of something that it is a part of, whatever comes before it.
                for shift in 1..3 {
                    let shifted = STANDARD.encode([&raw[..shift], &raw].concat());
                    secrets.push(shifted.as_bytes()[4..24].to_vec());
                }
                secrets.extend([raw[..16].to_vec(), raw[raw.len() - 12..].to_vec()]);
            }
            for secret in secrets {
                let found = file.windows(secret.len()).position(|window| window == secret);
                assert_eq!(found, None, "{:?}", String::from_utf8_lossy(&secret));
            }
            let mut replay = Replay::new(&Limits::default());
            replay.push(&file);
            replay.finish();
            let mut got = vec![];
            while let Some(replayed) = replay.pull().unwrap() {
                if let Replayed::Event { output, .. } = replayed {
                    got.push(output);
                }
            }
            assert_eq!(replay.summary().same(), Some(true), "blank: {blank}");
            assert_eq!(pictures(&got), 39);
            let (stats, replayed) = (self.ingest.stats(), replay.ingest().unwrap().stats());
            assert_eq!((stats.srtp_refused, stats.reorder), (replayed.srtp_refused, replayed.reorder));
        }
    }
}

/// Client and server after PLAY: what the client put out, and all that it sent.
fn play(keys: &str, lower: Lower) -> (Client, Vec<IngestOutput>, String) {
    let mut client = Client::new(lower);
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
                IngestOutput::Event(Event::Bind { media }) => client.bound(media, (6000, 6001)),
                output => got.push(output),
            }
        }
        while let Some(output) = server.poll_output() {
            match output {
                server::Output::Send(bytes) => client.receive(&bytes),
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
fn receive(client: &mut Client, lower: Lower, mut protect: Protect, got: &mut Vec<IngestOutput>) {
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
                    client.receive(&framed);
                }
                _ => client.receive_datagram(false, &packet),
            }
            got.extend(std::iter::from_fn(|| client.poll_output()));
        }
    }
    let mut report = rtcp::sender_compound(
        &rtcp::SenderReport { ssrc: 77, ntp: NtpTime(1 << 63), ..Default::default() },
        "cam",
    );
    protect.rtcp(&mut report).unwrap();
    match lower {
        Lower::Tcp => {
            client.receive(&[&[b'$', 1], &(report.len() as u16).to_be_bytes()[..], &report].concat())
        }
        _ => client.receive_datagram(true, &report),
    }
    got.extend(std::iter::from_fn(|| client.poll_output()));
    client.end(got);
    assert!(got.iter().any(|output| matches!(output, IngestOutput::SenderReport { .. })));
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
            assert_eq!((client.ingest.stats().srtp_refused, client.ingest.stats().reorder.lost), (2, 1));
            client.keys.push(ours.clone());
            client.check_files(&master);
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
    client.check_files(&master);
}

/// Axis: the camera encrypts with the key that the client gives.
#[test]
fn keys_of_the_client_decrypt_where_the_camera_names_none() {
    let (mut client, mut got, sent) = play("", Lower::Tcp);
    let master = client_keys(&sent);
    assert_eq!((master.suite(), master.mki()), (Suite::AesCm128Sha1Tag80, &[0, 0, 0, 1][..]));
    receive(&mut client, Lower::Tcp, Protect::new(&master).unwrap(), &mut got);
    assert_eq!(pictures(&got), 39);
    client.check_files(&master);
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
        assert!(!format!("{:?} {got:?}", client.ingest.session().presentation()).contains("AAAA"));
    }
}

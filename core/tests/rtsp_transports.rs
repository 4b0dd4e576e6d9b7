//! Client and server over UDP, multicast and from recordings, with several media, on a clock that the test turns.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::{Bytes, BytesMut};
use vigie::codec::Codec;
use vigie::packetize::{Framing, Packetizer};
use vigie::record::{Ingest, IngestOutput};
use vigie::rtp::{ReplayStamp, rtcp};
use vigie::rtsp::Url;
use vigie::rtsp::headers::Range;
use vigie::sdp::Description;
use vigie::server::{self, Connection};
use vigie::session::{Agreed, Config, Event, Frames, Lower, Replay};
use vigie::time::{Micros, NtpTime};

/// Our client and our server, and what each said.
struct Pair {
    client: Ingest,
    server: Connection,
    now: Micros,
    bind: bool,
    got: Vec<IngestOutput>,
    asked: Vec<server::Event>,
    wire: String,
}

impl Pair {
    fn new(client: impl FnOnce(Config) -> Config, server: server::Config) -> Self {
        let (url, _) = Url::parse("rtsp://cam/1").unwrap();
        let now = Micros(1_000_000);
        Self {
            client: Ingest::new(client(Config::new(url, [1; 32])), now),
            server: Connection::new(server, now),
            now,
            bind: true,
            got: Vec::new(),
            asked: Vec::new(),
            wire: String::new(),
        }
    }

    fn run(&mut self) {
        loop {
            let before = (self.got.len(), self.asked.len(), self.wire.len());
            while let Some(output) = self.client.poll_output() {
                match output {
                    IngestOutput::Send(bytes) => {
                        self.wire.push_str(&String::from_utf8_lossy(&bytes));
                        assert_eq!(self.server.handle_input(self.now, &bytes), bytes.len());
                    }
                    IngestOutput::Event(Event::Bind { media }) if self.bind => {
                        self.client.bound(self.now, media, 6000, 6001);
                    }
                    IngestOutput::Event(Event::Bind { media }) => self.client.not_bound(self.now, media),
                    output => self.got.push(output),
                }
            }
            while let Some(output) = self.server.poll_output() {
                match output {
                    server::Output::Send(bytes) => {
                        self.wire.push_str(&String::from_utf8_lossy(&bytes));
                        assert_eq!(self.client.handle_input(self.now, &bytes), bytes.len());
                    }
                    server::Output::Event(event) => self.answer(event),
                    _ => self.client.handle_closed(self.now),
                }
            }
            if before == (self.got.len(), self.asked.len(), self.wire.len()) {
                return;
            }
        }
    }

    fn answer(&mut self, event: server::Event) {
        match &event {
            server::Event::Describe { request, .. } => {
                let sdp = Description::live("cam").with_video(Codec::H264, 96, &[]).to_string();
                self.server.describe(*request, sdp).unwrap();
            }
            server::Event::Bind { request, client_ports: Some((6000, 6001)), .. } => {
                self.server.accept_udp(*request, (7000, 7001)).unwrap();
            }
            server::Event::Bind { request, .. } => {
                let group = "239.8.7.6".parse().unwrap();
                self.server.accept_multicast(*request, group, (5000, 5001), 9).unwrap();
            }
            server::Event::Play { request, range, .. } => {
                self.server.accept_play(*request, *range, &[]).unwrap();
            }
            _ => {}
        }
        self.asked.push(event);
    }

    fn agreed(&self) -> Option<&Agreed> {
        self.got.iter().find_map(|output| match output {
            IngestOutput::Event(Event::SetUp { media: 0, transport }) => Some(transport),
            _ => None,
        })
    }

    fn timestamps(&self) -> Vec<u32> {
        self.got
            .iter()
            .filter_map(|o| if let IngestOutput::AccessUnit(unit) = o { Some(unit.timestamp) } else { None })
            .collect()
    }
}

/// Pictures of one packet or more, as datagrams, picture by picture.
fn pictures(count: u32) -> Vec<Vec<Bytes>> {
    let mut packetizer = Packetizer::new(Codec::H264, 77, 96, 65_530, 200);
    (0..count)
        .map(|n| {
            let mut unit = Vec::from([0, 0, 2, 0, 0x65, 0x88]);
            unit.resize(4 + 0x200, n as u8 | 1);
            let mut bytes = BytesMut::new();
            packetizer.packetize(&unit, n * 3_600, Framing::Interleaved(0), &mut bytes);
            let (mut rest, mut packets) = (bytes.freeze(), Vec::new());
            while !rest.is_empty() {
                let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
                packets.push(rest.slice(4..4 + length));
                rest = rest.slice(4 + length..);
            }
            packets
        })
        .collect()
}

fn udp_server() -> server::Config {
    server::Config::new([2; 32]).udp(true).multicast(true)
}

#[test]
fn over_udp_disorder_is_mended_loss_is_marked_and_reports_are_sent() {
    let mut pair = Pair::new(|config| config.transports(vec![Lower::Udp]), udp_server());
    pair.run();
    let agreed = Agreed::Udp { server: None, ports: Some((7000, 7001)) };
    assert_eq!(pair.agreed(), Some(&agreed));
    let expected = server::Agreed::Udp { client: (6000, 6001), server: (7000, 7001) };
    assert!(pair.asked.contains(&server::Event::Setup { media: 0, transport: expected }));
    let punches = pair.got.iter().filter(|o| matches!(o, IngestOutput::Datagram { .. })).count();
    assert_eq!(punches, 2);

    let mut packets: Vec<Bytes> = pictures(40).concat();
    packets.swap(50, 51);
    packets.remove(70);
    for packet in packets {
        pair.now = pair.now.plus(5_000);
        if pair.client.poll_timeout().is_some_and(|due| due <= pair.now) {
            pair.client.handle_timeout(pair.now);
        }
        pair.client.handle_datagram(pair.now, 0, false, &packet);
        pair.run();
    }
    while pair.client.poll_timeout().is_some_and(|due| due <= pair.now.plus(1_000_000)) {
        pair.now = pair.client.poll_timeout().unwrap();
        pair.client.handle_timeout(pair.now);
        pair.run();
    }
    let stats = pair.client.stats().reorder;
    assert_eq!((stats.lost, stats.reordered), (1, 1));
    let whole = pair
        .got
        .iter()
        .filter(|o| matches!(o, IngestOutput::AccessUnit(u) if !u.loss.incomplete && u.data.len() == 0x204));
    assert!(whole.count() >= 38, "one picture of 40 is damaged");
    assert!(
        pair.got.iter().all(
            |o| !matches!(o, IngestOutput::AccessUnit(u) if u.data.len() != 0x204 && !u.loss.incomplete)
        )
    );

    // The report says what was lost.
    pair.now = pair.now.plus(5_000_000);
    pair.client.handle_timeout(pair.now);
    pair.run();
    let report = pair.got.iter().rev().find_map(|o| match o {
        IngestOutput::Datagram { media: 0, rtcp: true, bytes } => Some(bytes.clone()),
        _ => None,
    });
    let report = report.unwrap();
    let Some(Ok(rtcp::Packet::ReceiverReport(_, blocks))) = rtcp::parse(&report).next() else { panic!() };
    let block = blocks.iter().next().unwrap();
    assert_eq!((block.ssrc, block.lost), (77, 1));
}

#[test]
fn a_server_without_udp_is_asked_for_tcp() {
    let both = || vec![Lower::Udp, Lower::Tcp];
    let mut pair = Pair::new(|config| config.transports(both()), server::Config::new([2; 32]));
    pair.run();
    assert_eq!(
        (pair.wire.matches("461 Unsupported Transport").count(), pair.agreed()),
        (1, Some(&Agreed::Interleaved(0, 1)))
    );
    let mut pair = Pair::new(|config| config.transports(both()), udp_server());
    pair.bind = false;
    pair.run();
    assert_eq!((pair.wire.matches("461").count(), pair.agreed()), (0, Some(&Agreed::Interleaved(0, 1))));
}

#[test]
fn a_group_is_agreed_on() {
    let mut pair = Pair::new(|config| config.transports(vec![Lower::Multicast]), udp_server());
    pair.run();
    let group = "239.8.7.6".parse().unwrap();
    let agreed = Agreed::Multicast { group, ports: (5000, 5001), ttl: Some(9), source: None };
    assert_eq!(pair.agreed(), Some(&agreed));
    for packet in pictures(60).concat() {
        pair.now = pair.now.plus(10_000);
        pair.client.handle_datagram(pair.now, 0, false, &packet);
        pair.run();
    }
    assert!(pair.timestamps().len() >= 50);
}

/// Backwards by groups of pictures: each begins with the D bit, the last picture of all has E and T.
#[test]
fn a_recording_is_replayed_backwards() {
    let replay = Replay::default().frames(Frames::Intra).reverse(true);
    let range = Range::parse("clock=20261122T051400Z-20261122T051300Z");
    let config = server::Config::new([2; 32]);
    let refused = Pair::new(|c| c.replay(Some(replay)).range(range), config.clone());
    let mut pair = refused;
    pair.run();
    assert!(
        pair.wire.contains("551 Option Not Supported") && pair.wire.contains("Unsupported: onvif-replay")
    );

    let mut pair = Pair::new(|c| c.replay(Some(replay)).range(range), config.replay(true));
    pair.run();
    let asked = pair.asked.iter().find_map(|e| match e {
        server::Event::Play { asked, range, .. } => Some((*asked, *range)),
        _ => None,
    });
    let (asked, asked_range) = asked.unwrap();
    assert!(asked.replay && asked.no_rate_control && asked.immediate);
    assert_eq!((asked.frames, asked.scale, asked_range), (Frames::Intra, Some(-1.0), range));
    let mut at = 0;
    for (n, packets) in pictures(4).into_iter().enumerate() {
        for (i, packet) in packets.iter().enumerate() {
            let mut bytes = Vec::new();
            if i == 0 {
                let mut stamp = ReplayStamp::new(NtpTime((4_000_000_000 - n as u64) << 32));
                stamp.discontinuity = n % 2 == 0;
                (stamp.end, stamp.terminal, stamp.clean) = (n == 3, n == 3, true);
                stamp.cseq = asked.cseq as u8;
                stamp.insert(packet, &mut bytes);
                // C, E, D, T and Cseq stand behind 12 bytes of header, 4 of the extension's and 8 of time.
                let bits = [0xa0, 0x80, 0xa0, 0xd0][n];
                assert_eq!(bytes[12..16], [0xab, 0xac, 0, 3]);
                assert_eq!(bytes[24..28], [bits, asked.cseq as u8, 0, 0]);
            } else {
                bytes.extend_from_slice(packet);
            }
            let mut framed = vec![b'$', 0];
            framed.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
            framed.extend(bytes);
            pair.server.send(framed.into()).unwrap();
            at += 1;
        }
        pair.run();
    }
    assert!(at > 4);
    let said: Vec<String> = pair
        .got
        .iter()
        .filter_map(|o| match o {
            IngestOutput::AccessUnit(unit) => Some(format!("{}", unit.timestamp / 3_600)),
            IngestOutput::Discontinuity => Some("D".into()),
            IngestOutput::Anchor { timestamp, .. } => Some(format!("a{}", timestamp / 3_600)),
            IngestOutput::SectionEnd { terminal: true, timestamp } => Some(format!("T{}", timestamp / 3_600)),
            _ => None,
        })
        .collect();
    assert_eq!(said.join(" "), "D a0 0 a1 1 D a2 2 a3 T3 3");
}

/// What a session alone gives is what it gives however its input was cut; an ingest's as well.
#[test]
fn any_cut_gives_the_same_events() {
    let mut pair = Pair::new(|config| config, server::Config::new([2; 32]));
    let mut transcript = Vec::new();
    // The server's words, taken down.
    loop {
        let mut quiet = true;
        while let Some(output) = pair.client.poll_output() {
            if let IngestOutput::Send(bytes) = output {
                quiet = false;
                assert_eq!(pair.server.handle_input(pair.now, &bytes), bytes.len());
            }
        }
        while let Some(output) = pair.server.poll_output() {
            quiet = false;
            match output {
                server::Output::Send(bytes) => {
                    transcript.extend_from_slice(&bytes);
                    assert_eq!(pair.client.handle_input(pair.now, &bytes), bytes.len());
                }
                server::Output::Event(event) => pair.answer(event),
                _ => {}
            }
        }
        if quiet {
            break;
        }
    }
    for packet in pictures(6).concat() {
        transcript.extend_from_slice(&[b'$', 0]);
        transcript.extend_from_slice(&(packet.len() as u16).to_be_bytes());
        transcript.extend_from_slice(&packet);
    }
    let events = |cut: usize| {
        let (url, _) = Url::parse("rtsp://cam/1").unwrap();
        let mut client = Ingest::new(Config::new(url, [1; 32]), Micros(0));
        let mut said = String::new();
        let mut drain = |client: &mut Ingest| {
            while let Some(output) = client.poll_output() {
                said.push_str(&format!("{output:?}\n"));
            }
        };
        drain(&mut client);
        for chunk in transcript.chunks(cut) {
            assert_eq!(client.handle_input(Micros(9), chunk), chunk.len());
            drain(&mut client);
        }
        client.handle_closed(Micros(10));
        drain(&mut client);
        said
    };
    let whole = events(usize::MAX);
    assert_eq!(whole.matches("AccessUnit(").count(), 6);
    for cut in (1..200).chain([333, 1_000]) {
        assert_eq!(events(cut), whole, "cut by {cut}");
    }
}

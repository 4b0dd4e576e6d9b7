//! What the fuzzers start from: inputs made by our own writers, so that the first runs are deep in already.

use bytes::BytesMut;
use vigie::h26x::Codec;
use vigie::limits::Limits;
use vigie::packetize::{Framing, Packetizer};
use vigie::record::Ingest;
use vigie::record::capture::Writer;
use vigie::rtp::rtcp;
use vigie::rtp::srtp::mikey::Message;
use vigie::rtp::srtp::{Master, Suite};
use vigie::time::{Micros, NtpTime, UtcMicros};

use crate::media::{self, Camera, DAY};
use crate::{split, wire};

/// Inputs for a target, each with a name.
#[must_use]
pub fn seed(target: &str) -> Vec<(String, Vec<u8>)> {
    let named = |all: Vec<Vec<u8>>| {
        all.into_iter().enumerate().map(|(n, bytes)| (format!("seed-{n}"), bytes)).collect()
    };
    named(match target {
        "framing_split" => vec![cut(&wire::answers(0)), cut(&wire::answers(2))],
        "session_split" => (0..5_u8)
            .map(|n| [vec![n * 3], cut(&[wire::answers(n.into()), interleaved()].concat())].concat())
            .collect(),
        "ingest_split" => (0..5_u8).map(|n| [vec![n], cut(&interleaved())].concat()).collect(),
        "server_split" => [0x00, 0x13, 0x21, 0x0c]
            .map(|options| [vec![options], cut(&split::requests(options))].concat())
            .to_vec(),
        "elementary_split" => vec![cut(&elementary(Codec::H264)), cut(&elementary(Codec::H265))],
        "pcap_split" => vec![cut(&pcap()), cut(&bare()), cut(&interleaved())],
        "capture_split" => vec![cut(&captured(0)), cut(&captured(1))],
        "rtsp_round_trip" => messages(),
        "headers_round_trip" => HEADERS.iter().map(|text| text.as_bytes().to_vec()).collect(),
        "sdp" => wire::DESCRIPTIONS.iter().map(|text| text.as_bytes().to_vec()).collect(),
        "rtp_round_trip" => packets(3).into_iter().chain([report()]).collect(),
        "srtp_round_trip" => srtp(),
        "depacket" => depacket(),
        "plain" => (0..10).map(|kind| [vec![0, kind], listed(&plain_packets())].concat()).collect(),
        "parameter_sets" | "slices" => [Codec::H264, Codec::H265].into_iter().map(nals).collect(),
        "boxes" => files(),
        "remux" => {
            let stream = |codec, how| [vec![how], elementary(codec)].concat();
            vec![
                stream(Codec::H264, 0),
                stream(Codec::H265, 1),
                stream(Codec::H264, 6),
                stream(Codec::H265, 7),
            ]
        }
        "session_ops" => sessions(),
        "c_calls" => calls(),
        // Lists of choices: any bytes are one.
        _ => (1..6).map(|n| dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(n), 96 * n as usize)).collect(),
    })
}

/// With two cuts.
fn cut(bytes: &[u8]) -> Vec<u8> {
    [&[2, 0, 9, 0, 120], bytes].concat()
}

/// Behind its length in 2 bytes.
fn chunk(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

fn listed(packets: &[Vec<u8>]) -> Vec<u8> {
    packets.iter().flat_map(|packet| chunk(packet)).collect()
}

fn dice(mut state: u64, len: usize) -> Vec<u8> {
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 24) as u8
        })
        .collect()
}

/// Of so many pictures.
fn packets(pictures: usize) -> Vec<Vec<u8>> {
    let mut camera = Camera::new(UtcMicros(DAY));
    (0..pictures).flat_map(|_| camera.packets()).collect()
}

fn report() -> Vec<u8> {
    let report =
        Packetizer::new(Codec::H264, 1, 96, 0, 1_400).sender_report(NtpTime(0xe8f0_0102_8000_0000), 9);
    rtcp::sender_compound(&report, "cam")
}

fn interleaved() -> Vec<u8> {
    let mut out = vec![];
    for (n, packet) in packets(4).into_iter().enumerate() {
        out.extend_from_slice(&[b'$', 0]);
        out.extend_from_slice(&chunk(&packet));
        if n == 3 {
            out.extend_from_slice(&[b'$', 1]);
            out.extend_from_slice(&chunk(&report()));
        }
    }
    out
}

fn bare() -> Vec<u8> {
    listed(&packets(4))
}

/// libpcap's format: Ethernet, IPv4, UDP.
fn pcap() -> Vec<u8> {
    let mut out = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0".to_vec();
    for packet in packets(4) {
        let udp = packet.len() as u16 + 8;
        let mut frame = [&[2; 12][..], &[8, 0], &[0x45, 0], &(udp + 20).to_be_bytes()].concat();
        frame.extend_from_slice(&[0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1]);
        frame.extend_from_slice(&[0x13, 0x88, 0x1b, 0x3a]);
        frame.extend_from_slice(&udp.to_be_bytes());
        frame.extend_from_slice(&[0, 0]);
        frame.extend_from_slice(&packet);
        let len = (frame.len() as u32).to_le_bytes();
        out.extend_from_slice(&[&[9, 0, 0, 0, 7, 0, 0, 0][..], &len, &len, &frame].concat());
    }
    out
}

fn elementary(codec: Codec) -> Vec<u8> {
    let mut out = vec![];
    let slices: [&[u8]; 3] = match codec {
        Codec::H264 => {
            [&[0x65, 0x88, 0x84, 0x21, 0xa0], &[0x41, 0x9a, 0x24, 0x6c], &[0x41, 0x9a, 0x46, 0x3c]]
        }
        _ => [&[40, 1, 0xaf, 0x1d, 0x80], &[2, 1, 0xd0, 0x21, 0x18], &[2, 1, 0xd0, 0x42, 0x18]],
    };
    for nal in media::sets(codec).iter().map(Vec::as_slice).chain(slices).chain(slices) {
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(nal);
    }
    out
}

/// A session of a camera, as a recorder writes it down.
fn captured(description: usize) -> Vec<u8> {
    let config = split::config(0);
    let mut writer = Writer::new(&Limits::default(), false);
    writer.open(Micros(0), UtcMicros(DAY), 1, &config);
    let mut ingest = Ingest::new(config, Micros(0));
    for (n, piece) in [wire::answers(description), interleaved(), vec![]].iter().enumerate() {
        let now = Micros(n as u64 * 1_000);
        if piece.is_empty() {
            writer.closed(now);
            ingest.handle_closed(now);
        } else {
            writer.received(now, piece);
            assert_eq!(ingest.handle_input(now, piece), piece.len());
        }
        while let Some(output) = ingest.poll_output() {
            writer.output(&output);
        }
        writer.drained();
    }
    writer.finish(Micros(9_000));
    writer.take()
}

fn messages() -> Vec<Vec<u8>> {
    let heads: [&str; 3] = [
        "DESCRIBE rtsp://admin:secret@cam:554/live?c=1 RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n",
        "RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Base: rtsp://cam/\r\nX: a\r\n b\r\nContent-Length: 4\r\n",
        "RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\nAuthorization: Basic eA==\r\n",
    ];
    heads.iter().map(|head| [chunk(head.as_bytes()), b"body".to_vec()].concat()).collect()
}

const HEADERS: [&str; 9] = [
    "RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=0000ABCD;mode=\"PLAY\",RTP/AVP;unicast;client_port=5000-5001",
    "RTP/AVP;multicast;destination=224.1.1.1;port=5000-5001;ttl=5;source=10.0.0.1;server_port=1-2",
    "npt=now-12.5",
    "clock=20261122T051400.12Z-20261122T051500Z",
    "npt=0:01:02.5-",
    "url=rtsp://h/a;b=c/track1;seq=5;rtptime=6,url=track2;seq=700;rtptime=800;ssrc=1F",
    "231970;timeout=60",
    "intra/4000",
    "Digest realm=\"a, b\", nonce=\"n1\", algorithm=SHA-256-sess, qop=\"auth,auth-int\", stale=TRUE, opaque=\"o\", Basic realm=\"a\"",
];

fn srtp() -> Vec<Vec<u8>> {
    let master =
        |suite: Suite| Master::new(suite, &vec![3; suite.key_length() + suite.salt_length()]).expect("a key");
    let mut out: Vec<Vec<u8>> =
        Suite::ALL.iter().map(|suite| Message::new(master(*suite), &[(7, 0)]).to_bytes(5, [6; 16])).collect();
    out.extend((0..6).map(|n| [vec![n], vec![5; 46], listed(&packets(1))].concat()));
    out.push(b"1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4".to_vec());
    out
}

fn depacket() -> Vec<Vec<u8>> {
    let mut out = vec![];
    for (codec, how) in
        [(Codec::H264, 0), (Codec::H265, 1), (Codec::H264, 2), (Codec::H264, 4), (Codec::H265, 0x29)]
    {
        let mut packetizer = Packetizer::new(codec, 9, 96, 7, 80);
        let mut packets = BytesMut::new();
        for n in 0..3_u8 {
            let mut unit = vec![];
            let long =
                [if codec == Codec::H264 { &[0x65, 0x88][..] } else { &[40, 1, 0x80][..] }, &[n | 1; 150]]
                    .concat();
            let sei: &[u8] = if codec == Codec::H264 { &[6, 5, 1, 9, 0x80] } else { &[78, 1, 5, 1, 9, 0x80] };
            for nal in media::sets(codec).iter().map(Vec::as_slice).chain([sei, &long]) {
                unit.extend_from_slice(&(nal.len() as u32).to_be_bytes());
                unit.extend_from_slice(nal);
            }
            packetizer.packetize(&unit, u32::from(n) * 3_000, Framing::Bare, &mut packets);
        }
        out.push([&[how], &packets[..]].concat());
    }
    out
}

/// Payloads that start as those of the other formats do.
fn plain_packets() -> Vec<Vec<u8>> {
    let header = |n: u8| vec![0x80, 0xe0, 0, n, 0, 0, 0, n, 0, 0, 0, 1];
    let payloads: [&[u8]; 5] = [
        &[0, 0, 0, 0, 1, 255, 80, 45, 0, 0, 0, 128, 1, 2, 3, 4],
        &[0x18, 0x0a, 0x0b, 0, 0, 0, 4, 0x3c, 0xff, 0xbc, 0x00, 0x20, 0x02],
        &[0, 16, 0, 32, 1, 2, 3, 4],
        b"<tt:MetadataStream/>",
        &[4, 1, 2, 3, 4],
    ];
    payloads.iter().zip(0..).map(|(payload, n)| [header(n), payload.to_vec()].concat()).collect()
}

fn nals(codec: Codec) -> Vec<u8> {
    let slice: &[u8] =
        if codec == Codec::H264 { &[0x65, 0x88, 0x84, 0x21, 0xa0] } else { &[40, 1, 0xaf, 0x1d, 0x80] };
    let mut list = media::sets(codec);
    list.push(slice.to_vec());
    [vec![u8::from(codec == Codec::H265)], listed(&list)].concat()
}

fn files() -> Vec<Vec<u8>> {
    let fragment = Camera::new(UtcMicros(DAY)).fragment();
    let whole = [&fragment.head[..], &fragment.body.concat()].concat();
    vec![[chunk(&fragment.init.bytes), whole.clone()].concat(), fragment.init.bytes.to_vec(), whole]
}

fn sessions() -> Vec<Vec<u8>> {
    let packet = |packet: &Vec<u8>| [vec![6, 0], chunk(packet)].concat();
    let media: Vec<u8> = packets(4).iter().flat_map(packet).collect();
    // Answers to what is asked; packets; time; pause, answer, play, answer; teardown, answer.
    let answers = [2, 0x40].repeat(5);
    let end = vec![10, 12, 2, 0x40, 13, 2, 0x40, 9, 0, 50, 14, 2, 0x40];
    vec![
        [vec![0, 0], answers.clone(), media.clone(), end.clone()].concat(),
        [vec![0x80, 1], media.clone(), end.clone()].concat(),
        // By UDP, after a password.
        [vec![6, 0], vec![2, 0x40, 2, 0x00, 2, 0x40, 11, 2, 0x44, 2, 0x40], media, end].concat(),
    ]
}

fn calls() -> Vec<Vec<u8>> {
    let push = |slot, op: u8, bytes: &[u8]| [vec![0, slot, op, 5], chunk(bytes), vec![0]].concat();
    let pull = |slot| [vec![0, slot, 6], vec![5; 24]].concat();
    // New: no SDP, a camera, codec, input and mode in one byte.
    let new = |slot, how| vec![0, slot, 0, 5, 0, 0, 6, how, 5];
    let finish = |slot| vec![0, slot, 11];
    let annexb = [
        new(0, 0x01),
        push(0, 1, &elementary(Codec::H264)),
        finish(0),
        pull(0),
        vec![0, 0, 12, 5, 0, 0, 13, 5],
    ];
    let mut rtp =
        [new(1, 0x05), packets(4).iter().flat_map(|packet| push(1, 2, packet)).collect(), finish(1), pull(1)]
            .concat();
    rtp.extend([0, 1, 14, 0, 1, 2, 5, 0, 0, 0, 0, 1, 15]);
    let session = [
        vec![3, 0, 0, 0, 6, 0, 0, 6, 0, 5],
        [vec![3, 0, 13, 0], vec![5; 6]].concat(),
        [vec![3, 0, 1, 0, 5], chunk(&wire::answers(0)), vec![5; 20]].concat(),
        [vec![3, 0, 5, 0], chunk(&interleaved()), vec![1], vec![5; 20]].concat(),
        vec![3, 0, 11, 0, 5, 0, 3, 0, 9, 0, 3, 0, 8, 0, 5, 5, 5, 5],
    ];
    let store = [
        vec![5, 0, 0, 6, 6, 6],
        vec![5, 0, 2, 6, 6],
        vec![5, 0, 3, 6, 6, 0, 3, 5],
        vec![5, 0, 4, 6, 6, 5],
        vec![5, 0, 5, 6, 6, 6, 6, 6, 3, 0, 3, 5, 0],
        vec![5, 0, 6, 6, 6],
    ];
    let reader =
        [vec![6, 0, 0, 6, 6, 6], vec![6, 0, 2, 0], vec![6, 0, 4, 5, 5, 5, 5], vec![6, 0, 3, 5, 5, 5, 5]];
    vec![
        annexb.concat(),
        rtp,
        session.concat(),
        store.concat(),
        reader.concat(),
        vec![7, 0, 0xa5, 6, 6, 0, 0, 5, 2, 5, 5, 5, 5, 0],
    ]
}

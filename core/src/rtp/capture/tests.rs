#![allow(clippy::unwrap_used, clippy::expect_used)]
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;
use crate::octets::Write as _;

/// The packet numbered `n`, of `size` bytes or its header's 12.
fn rtp(n: u16, size: usize) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.put_u16(n);
    packet.put(&[0, 0, 0, 9, 0, 0, 0, 1]);
    packet.resize(size.max(12), n as u8);
    packet
}

fn bare(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for packet in packets {
        out.put_u16(packet.len() as u16);
        out.put(packet);
    }
    out
}

fn interleaved(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for packet in packets {
        out.put(b"$\x02");
        out.put_u16(packet.len() as u16);
        out.put(packet);
    }
    out
}

/// IPv4 in Ethernet. `fragment`: offset in bytes, and whether more follow.
fn frame(protocol: u8, body: &[u8], fragment: (usize, bool)) -> Vec<u8> {
    let mut out = vec![0; 12];
    // A VLAN tag.
    out.put(&[0x81, 0, 0, 7, 8, 0]);
    out.put(&[0x45, 0]);
    out.put_u16(20 + body.len() as u16);
    out.put_u16(77);
    out.put_u16((fragment.0 / 8) as u16 | u16::from(fragment.1) << 13);
    out.put(&[64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    out.put(body);
    // Ethernet pads short frames.
    out.put(&[0; 6]);
    out
}

fn udp(payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x13, 0x88, 0x13, 0x88];
    out.put_u16(8 + payload.len() as u16);
    out.put_u16(0);
    out.put(payload);
    out
}

fn tcp(sequence: u32, syn: bool, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![2, 0x2a, 0xc0, 0];
    out.put_u32(sequence);
    out.put_u32(0);
    out.put(&[0x50, if syn { 2 } else { 0x10 }, 0, 0, 0, 0, 0, 0]);
    out.put(payload);
    out
}

/// Milliseconds apart.
fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for n in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
        out.put(&n.to_le_bytes());
    }
    for (n, frame) in (0_u32..).zip(frames) {
        for n in [1_700_000_000, n * 1_000, frame.len() as u32, frame.len() as u32] {
            out.put(&n.to_le_bytes());
        }
        out.put(frame);
    }
    out
}

/// Big-endian, nanoseconds.
fn pcapng(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut block = |block_type: u32, body: &[u8]| {
        let length = 12 + body.len().next_multiple_of(4) as u32;
        out.put_u32(block_type);
        out.put_u32(length);
        out.put(body);
        out.put(&[0; 4][..body.len().next_multiple_of(4) - body.len()]);
        out.put_u32(length);
    };
    block(0x0a0d_0d0a, &[0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    block(1, &[0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0]);
    block(0x0bad, &[1, 2, 3]);
    for (n, frame) in (0_u64..).zip(frames) {
        let mut body = vec![0; 4];
        body.put_u64(1_700_000_000_000_000_000 + n * 1_000_000);
        body.put_u32(frame.len() as u32);
        body.put_u32(frame.len() as u32);
        body.put(frame);
        block(6, &body);
    }
    out
}

fn read_in(bytes: &[u8], piece: usize) -> (Vec<Item>, Result<(), Kind>) {
    let mut capture = Capture::new(&Limits::default());
    let mut items = Vec::new();
    for last in [false, true] {
        if last {
            capture.finish();
        }
        for piece in bytes.chunks(piece).take(if last { 1 } else { usize::MAX }) {
            if !last {
                capture.push(piece);
            }
            loop {
                match capture.pull() {
                    Ok(Some(item)) => items.push(item),
                    Ok(None) => break,
                    Err(error) => return (items, Err(error.kind)),
                }
            }
        }
    }
    (items, Ok(()))
}

fn read(bytes: &[u8]) -> Vec<Item> {
    let (items, end) = read_in(bytes, 4_096);
    assert_eq!(end, Ok(()));
    items
}

fn packets(items: &[Item]) -> Vec<Vec<u8>> {
    items
        .iter()
        .filter_map(|item| if let Content::Rtp(bytes) = &item.content { Some(bytes.to_vec()) } else { None })
        .collect()
}

fn some() -> Vec<Vec<u8>> {
    (0..9).map(|n| rtp(n, 20 + 111 * usize::from(n))).collect()
}

const SDP: &[u8] =
    b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp;x\r\ncontent-length: 5\r\n\r\nv=0\r\n";

#[test]
fn every_format_is_told_and_read() {
    let sent = some();
    let datagrams: Vec<_> = sent.iter().map(|p| frame(17, &udp(p), (0, false))).collect();
    let segments: Vec<_> = [vec![frame(6, &tcp(99, true, &[]), (0, false))]]
        .into_iter()
        .chain([bare(&sent)
            .chunks(100)
            .zip(0_u32..)
            .map(|(c, n)| frame(6, &tcp(100 + n * 100, false, c), (0, false)))
            .collect()])
        .flatten()
        .collect();
    let cases = [
        (Format::Pcap, pcap(&datagrams), Transport::Udp),
        (Format::PcapNg, pcapng(&datagrams), Transport::Udp),
        (Format::Pcap, pcap(&segments), Transport::Tcp),
        (Format::Bare, bare(&sent), Transport::Tcp),
        (Format::Interleaved, interleaved(&sent), Transport::Tcp),
        (Format::Interleaved, [SDP, &interleaved(&sent)].concat(), Transport::Tcp),
    ];
    for (format, bytes, transport) in cases {
        assert_eq!(Format::detect(&bytes), Some(format));
        let items = read(&bytes);
        assert_eq!(packets(&items), sent, "{format:?} {transport:?}");
        assert!(items.iter().all(|item| item.flow.transport == transport));
    }
    assert_eq!(Format::detect(&[0, 0, 0, 1, 0x67, 0x42, 0, 0x1e]), None);
    assert_eq!(Format::detect(&[]), None);
}

#[test]
fn moments_are_read() {
    let frames: Vec<_> = some().iter().map(|p| frame(17, &udp(p), (0, false))).collect();
    for bytes in [pcap(&frames), pcapng(&frames)] {
        assert_eq!(read(&bytes)[3].at, Some(UtcMicros(1_700_000_000_003_000)));
    }
}

#[test]
fn descriptions_and_channels_are_found_between_messages() {
    let bytes = [
        SDP,
        b"\r\n",
        &interleaved(&some()),
        b"OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        &interleaved(&some()),
    ];
    let items = read(&bytes.concat());
    assert_eq!(items[0].content, Content::Sdp(Bytes::from_static(b"v=0\r\n")));
    assert_eq!(items.len(), 19);
    assert_eq!(items[1].flow.channel, Some(2));
}

#[test]
fn segments_out_of_order_and_twice_are_put_right() {
    let bytes = interleaved(&some());
    let mut frames: Vec<_> = (0..bytes.len())
        .step_by(100)
        .map(|at| {
            frame(
                6,
                &tcp((u32::MAX - 250).wrapping_add(at as u32), false, &bytes[at..bytes.len().min(at + 150)]),
                (0, false),
            )
        })
        .collect();
    frames.swap(2, 3);
    frames.swap(10, 13);
    assert_eq!(packets(&read(&pcap(&frames))), some());
}

#[test]
fn a_hole_in_a_connection_costs_what_was_in_it() {
    let sent: Vec<_> = (0..600).map(|n| rtp(n, 1_000)).collect();
    let bytes = interleaved(&sent);
    let mut frames: Vec<_> = bytes
        .chunks(1_448)
        .zip(0_u32..)
        .map(|(c, n)| frame(6, &tcp(n * 1_448, false, c), (0, false)))
        .collect();
    frames.remove(20);
    let got = packets(&read(&pcap(&frames)));
    assert!(got.iter().all(|packet| sent.contains(packet)));
    assert!(got.len() >= 600 - 4, "{}", got.len());
}

#[test]
fn a_connection_joined_in_the_middle_is_read() {
    let sent: Vec<_> = (0..300).map(|n| rtp(n, 1_000)).collect();
    for bytes in [interleaved(&sent), bare(&sent)] {
        let frames: Vec<_> = bytes[777..]
            .chunks(1_448)
            .zip(0_u32..)
            .map(|(c, n)| frame(6, &tcp(n * 1_448, false, c), (0, false)))
            .collect();
        assert_eq!(packets(&read(&pcap(&frames))), sent[1..]);
    }
}

/// Tapo sends datagrams of 10 000 bytes.
#[test]
fn datagrams_in_fragments_are_put_together() {
    let sent = rtp(5, 9_000);
    let whole = udp(&sent);
    let mut frames: Vec<_> = (0..whole.len())
        .step_by(1_480)
        .map(|at| frame(17, &whole[at..whole.len().min(at + 1_480)], (at, at + 1_480 < whole.len())))
        .collect();
    frames.swap(0, 4);
    assert_eq!(packets(&read(&pcap(&frames))), [sent]);
}

#[test]
fn damage_is_named() {
    let good = pcap(&[frame(17, &udp(&rtp(1, 50)), (0, false))]);
    assert_eq!(read_in(&good[..good.len() - 1], 99).1, Err(Kind::TruncatedCapture));
    let mut bad = good;
    bad[24 + 11] = 0x70;
    assert_eq!(read_in(&bad, 99).1, Err(Kind::DamagedCapture));
    assert_eq!(read_in(b"hello, world", 99).1, Err(Kind::UnknownCapture));
    let stream = bare(&some());
    let (items, end) = read_in(&stream[..stream.len() - 1], 99);
    assert_eq!((items.len(), end), (8, Err(Kind::TruncatedCapture)));
}

/// A message whose body is larger than the cap is stepped over, not waited for.
#[test]
fn a_message_too_large_is_searched_past() {
    let large = b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n";
    let bytes = [&large[..], &interleaved(&some())].concat();
    assert_eq!(packets(&read(&bytes)), some());
}

/// Packets that the capture's snap length cut are left out: half a packet is worse than none.
#[test]
fn cut_packets_are_left_out() {
    let mut bytes = pcap(&[frame(17, &udp(&rtp(1, 50)), (0, false))]);
    bytes[24 + 12] += 1;
    assert_eq!(read(&bytes), []);
}

fn any_capture() -> impl Strategy<Value = Vec<u8>> {
    let junk = prop::collection::vec(any::<u8>(), 0..60);
    let packets = prop::collection::vec(
        prop_oneof![4 => (any::<u16>(), 12_usize..300).prop_map(|(n, s)| rtp(n, s)), 1 => junk],
        1..20,
    );
    (packets, 0..5, 50_usize..500).prop_map(|(packets, kind, piece)| match kind {
        0 => bare(&packets),
        1 => [SDP, &interleaved(&packets), SDP].concat(),
        2 => pcapng(&packets.iter().map(|p| frame(17, &udp(p), (0, false))).collect::<Vec<_>>()),
        3 => pcap(
            &interleaved(&packets)
                .chunks(piece)
                .zip(0_u32..)
                .map(|(c, n)| frame(6, &tcp(n * piece as u32, false, c), (0, false)))
                .collect::<Vec<_>>(),
        ),
        _ => pcap(&packets.iter().map(|p| frame(17, &udp(p), (0, false))).collect::<Vec<_>>()),
    })
}

proptest! {
    /// Cut anywhere, it reads as the whole does.
    #[test]
    fn pieces_read_as_the_whole(bytes in any_capture(), piece in 1_usize..400) {
        prop_assert_eq!(read_in(&bytes, piece), read_in(&bytes, usize::MAX));
    }

    #[test]
    fn any_damage_is_survived(bytes in any_capture(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8)) {
        let mut bytes = bytes;
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = read_in(&bytes, 333);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..500), magic in 0..3) {
        let starts: [&[u8]; 3] = [&[], &[0xd4, 0xc3, 0xb2, 0xa1], &[0x0a, 0x0d, 0x0d, 0x0a]];
        let _ = read_in(&[starts[magic as usize], &bytes].concat(), 77);
    }
}

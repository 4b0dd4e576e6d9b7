#![allow(clippy::unwrap_used, clippy::expect_used)]
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::rtsp::{Method, Request, Response, Status};

/// An item that does not refer to the input.
#[derive(Debug, PartialEq)]
enum Seen {
    Packet(u8, Vec<u8>),
    Message(Message),
    Skipped(usize, Option<u8>),
    Error(Kind),
}

fn channels() -> Expected {
    Expected { channels: vec![Channels { rtp: 0, rtcp: 1, payload_type: Some(96) }], ..Expected::default() }
}

fn read(chunks: &[&[u8]], expected: &Expected) -> Vec<Seen> {
    read_within(chunks, expected, &Limits::default())
}

fn read_within(chunks: &[&[u8]], expected: &Expected, limits: &Limits) -> Vec<Seen> {
    read_by(chunks, expected, limits, |_| {})
}

/// `drained` is called whenever no item is left.
fn read_by(
    chunks: &[&[u8]],
    expected: &Expected,
    limits: &Limits,
    mut drained: impl FnMut(&mut Input),
) -> Vec<Seen> {
    let mut input = Input::new(limits);
    let mut seen = Vec::new();
    for chunk in chunks {
        let mut rest = *chunk;
        while !rest.is_empty() {
            rest = &rest[input.copy(rest)..];
            loop {
                match input.next(expected) {
                    Ok(None) => break,
                    Ok(Some(Item::Interleaved { channel, range })) => {
                        seen.push(Seen::Packet(channel, input.bytes(range).to_vec()));
                    }
                    Ok(Some(Item::Message { message, .. })) => seen.push(Seen::Message(message)),
                    Ok(Some(Item::Skipped { bytes, after })) => seen.push(Seen::Skipped(bytes, after)),
                    Err(error) => {
                        seen.push(Seen::Error(error.kind));
                        return seen;
                    }
                }
            }
            drained(&mut input);
        }
    }
    seen
}

fn ok(body: &'static [u8]) -> Response {
    let mut response = Response::new(Status::OK);
    response.headers.push("CSeq", "3");
    response.body = Bytes::from_static(body);
    response
}

fn framed(channel: u8, packet: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b'$', channel];
    bytes.extend_from_slice(&(packet.len() as u16).to_be_bytes());
    bytes.extend_from_slice(packet);
    bytes
}

fn rtp(sequence: u8, len: usize) -> Vec<u8> {
    let mut packet = vec![0x80, 96, 0, sequence];
    packet.resize(12, 0);
    packet.resize(12 + len, sequence ^ 0x55);
    packet
}

/// The body of a read message has its own `Content-Length`.
fn as_read(mut response: Response) -> Message {
    if !response.body.is_empty() {
        let n = alloc::format!("{}", response.body.len());
        response.headers.push("Content-Length", &n);
    }
    Message::Response(response)
}

#[test]
fn messages_and_packets_in_turn() {
    let request = Request::new(Method::Options, "*");
    let mut stream = b"\r\n".to_vec();
    stream.extend_from_slice(&ok(b"v=0\r\n").to_bytes());
    stream.extend(framed(0, &rtp(1, 20)));
    stream.extend(framed(7, &[]));
    stream.extend_from_slice(&request.to_bytes());
    stream.extend(framed(1, &[0x80, 200, 0, 0]));
    let expected = vec![
        Seen::Message(as_read(ok(b"v=0\r\n"))),
        Seen::Packet(0, rtp(1, 20)),
        Seen::Packet(7, Vec::new()),
        Seen::Message(Message::Request(request)),
        Seen::Packet(1, vec![0x80, 200, 0, 0]),
    ];
    assert_eq!(read(&[&stream], &channels()), expected);
}

/// live555 with a full TCP window: part of a packet, then the next one.
#[test]
fn a_packet_cut_short_costs_only_itself() {
    let mut stream = ok(b"").to_bytes().to_vec();
    stream.extend(framed(0, &rtp(1, 20)));
    let cut = framed(0, &rtp(2, 300));
    stream.extend_from_slice(&cut[..100]);
    for sequence in 3..9 {
        stream.extend(framed(0, &rtp(sequence, 60)));
    }
    let seen = read(&[&stream], &channels());
    let sequences: Vec<u8> =
        seen.iter().filter_map(|s| if let Seen::Packet(0, p) = s { Some(p[3]) } else { None }).collect();
    assert_eq!(sequences, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(seen.iter().filter(|s| matches!(s, Seen::Skipped(..))).count(), 1);
    // The packets that the broken one swallowed are whole.
    assert!(seen.contains(&Seen::Packet(0, rtp(3, 60))) && seen.contains(&Seen::Packet(0, rtp(5, 60))));
}

#[test]
fn a_response_is_found_behind_garbage() {
    let mut stream = ok(b"").to_bytes().to_vec();
    stream.extend_from_slice(b"\x00\x01$\x00\x00\x10garbage$RTSP/1.0");
    stream.extend_from_slice(&ok(b"").to_bytes());
    let seen = read(&[&stream], &channels());
    assert_eq!(seen.last(), Some(&Seen::Message(as_read(ok(b"")))));
}

#[test]
fn what_is_not_rtsp_is_said_at_once() {
    for bytes in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"220 ftp",
    ] {
        assert_eq!(read(&[bytes], &Expected::default()), [Seen::Error(Kind::NotRtsp)], "{bytes:?}");
    }
}

#[test]
fn caps_hold() {
    let limits = Limits::default();
    let mut endless = b"RTSP/1.0 200 OK\r\n".to_vec();
    endless.resize(limits.rtsp_head + 10, b'x');
    assert_eq!(read(&[&endless], &channels()), [Seen::Error(Kind::HeadTooLong)]);
    for length in ["262145", "18446744073709551615"] {
        let head = alloc::format!("RTSP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n");
        assert_eq!(read(&[head.as_bytes()], &channels()), [Seen::Error(Kind::BodyTooLong)]);
    }
    let small = Limits { resync: 1_000, ..Limits::default() };
    let mut garbage = ok(b"").to_bytes().to_vec();
    garbage.resize(garbage.len() + 2_000, 0);
    assert_eq!(read_within(&[&garbage], &channels(), &small).last(), Some(&Seen::Error(Kind::LostFraming)));
}

#[test]
fn a_body_longer_than_the_buffer_is_taken_up_to_its_cap() {
    let limits = Limits { receive_buffer: 1, ..Limits::default() };
    let mut head = b"RTSP/1.0 200 OK\r\nContent-Length: 200000\r\n\r\n".to_vec();
    head.resize(head.len() + 200_000, b'v');
    let seen = read_within(&[&head], &channels(), &limits);
    assert!(matches!(&seen[..], [Seen::Message(Message::Response(r))] if r.body.len() == 200_000));
}

/// Pieces of a stream, some of them damage.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (any::<u8>(), 0_usize..400).prop_map(|(sequence, len)| framed(0, &rtp(sequence, len))),
        1 => (0_usize..40).prop_map(|len| { let mut p = vec![0x80, 200]; p.resize(8 + len, 0); framed(1, &p) }),
        1 => (2_u8..9).prop_map(|channel| framed(channel, &rtp(0, 30))),
        1 => Just(ok(b"body").to_bytes().to_vec()),
        1 => Just(Request::new(Method::GetParameter, "rtsp://h/").to_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..60),
        1 => (any::<u8>(), 1_usize..200).prop_map(|(sequence, cut)| framed(0, &rtp(sequence, 200))[..cut].to_vec()),
        1 => Just(b"$\x00".to_vec()),
    ]
}

proptest! {
    #[test]
    fn any_split_gives_the_same_items(
        pieces in prop::collection::vec(piece(), 0..24),
        cuts in prop::collection::vec(1_usize..300, 0..60),
    ) {
        let mut stream = ok(b"").to_bytes().to_vec();
        stream.extend(pieces.concat());
        let whole = read(&[&stream], &channels());
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        prop_assert_eq!(&read(&bytes, &channels()), &whole);
        let mut rest = &stream[..];
        let mut chunks = Vec::new();
        for cut in cuts {
            let (chunk, after) = rest.split_at(cut.min(rest.len()));
            chunks.push(chunk);
            rest = after;
        }
        chunks.push(rest);
        prop_assert_eq!(&read(&chunks, &channels()), &whole);
        // Nor does it matter that others use the buffer meanwhile.
        let mut lent = 0;
        let seen = read_by(&chunks, &channels(), &Limits::default(), |input| {
            if let Some(mut buffer) = input.lend_buffer() {
                buffer.fill(b'$');
                lent += 1;
                if lent % 3 != 0 {
                    assert!(input.borrow_buffer(buffer).is_none());
                }
            }
        });
        prop_assert_eq!(&seen, &whole);
    }

    #[test]
    fn undamaged_streams_are_read_whole(packets in prop::collection::vec((any::<u8>(), 0_usize..3_000), 0..200)) {
        let mut stream = ok(b"").to_bytes().to_vec();
        for (sequence, len) in &packets {
            stream.extend(framed(0, &rtp(*sequence, *len)));
        }
        let seen = read(&[&stream], &channels());
        prop_assert_eq!(seen.len(), packets.len() + 1);
        let all = seen[1..].iter().zip(&packets).all(|(s, (n, len))| *s == Seen::Packet(0, rtp(*n, *len)));
        prop_assert!(all);
    }

    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = read(&[&bytes], &Expected::default());
    }
}

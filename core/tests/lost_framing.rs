//! Interleaved packets that are cut short, as servers do that write part of a packet when the window of TCP is full and
//! then the next one (RFC 2326 §10.12): whatever swallows whatever, no picture and no sound that is not the camera's is
//! told to be whole, the reads may be cut anywhere, and what was sent whole is not doubted without a reason.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use vigie::h26x::Codec;
use vigie::packetize::{Framing, Packetizer};
use vigie::record::{Ingest, IngestOutput};
use vigie::rtsp::Url;
use vigie::session::{Config, Wanted};
use vigie::time::Micros;

const SSRC: u32 = 0x5a5a_2433;
const SOUND: u32 = 0x1357_9bdf;
/// As random as a camera's; and no header holds what looks like a start code, at which a NAL unit ends.
const BASE: u32 = 0x5a5a_0101;
const NOW: Micros = Micros(1_000_000);

/// What the camera sends, item by item: the item, and the number of the picture that it belongs to.
type Items = Vec<(Vec<u8>, Option<usize>)>;

/// A stream and what of it is right.
#[derive(Clone)]
struct Stream {
    codec: Codec,
    sound: bool,
    items: Items,
    /// By timestamp.
    pictures: BTreeMap<u32, Vec<u8>>,
    sounds: BTreeMap<u32, Vec<u8>>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let items: Vec<(usize, u8)> = self.items.iter().map(|(item, _)| (item.len(), item[1])).collect();
        write!(f, "{:?}, items {items:?}", self.codec)
    }
}

fn framed(channel: u8, packet: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b'$', channel];
    bytes.extend_from_slice(&(packet.len() as u16).to_be_bytes());
    bytes.extend_from_slice(packet);
    bytes
}

/// A sender report with a canonical name.
fn report(channel: u8, ssrc: u32, n: u8) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 6];
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(&[0xe0, 7, 7, n, 7, 7, 7, 7, 7, 7, 7, n, 7, 7, 7, n, 7, 7, 7, n]);
    packet.extend_from_slice(&[0x81, 202, 0, 3]);
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(&[1, 4, b'c', b'a', b'm', b'1', 0, 0]);
    framed(channel, &packet)
}

fn sound_packet(n: u16, timestamp: u32, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend_from_slice(&n.to_be_bytes());
    packet.extend_from_slice(&timestamp.to_be_bytes());
    packet.extend_from_slice(&SOUND.to_be_bytes());
    packet.extend_from_slice(body);
    framed(2, &packet)
}

/// Access units of one to three slices; no zeros, so no start codes; all other bytes, `$` more often than chance has it.
fn picture(codec: Codec) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![9 => 1_u8.., 1 => Just(b'$')];
    let slice = prop::collection::vec(byte, 3..700);
    prop::collection::vec(slice, 1..4).prop_map(move |slices| {
        let mut unit = Vec::new();
        for (n, mut body) in slices.into_iter().enumerate() {
            body[0] = body[0] & 0x7f | u8::from(n == 0) << 7;
            let head: &[u8] = if codec == Codec::H264 { &[0x65] } else { &[19 << 1, 1] };
            unit.extend_from_slice(&((head.len() + body.len()) as u32).to_be_bytes());
            unit.extend_from_slice(head);
            unit.extend(body);
        }
        unit
    })
}

fn stream() -> impl Strategy<Value = Stream> {
    let codec = prop_oneof![Just(Codec::H264), Just(Codec::H265)];
    (codec, any::<bool>(), 60_usize..300, any::<bool>()).prop_flat_map(|(codec, sound, mtu, reports)| {
        prop::collection::vec(picture(codec), 12..24).prop_map(move |units| {
            let mut stream =
                Stream { codec, sound, items: vec![], pictures: BTreeMap::new(), sounds: BTreeMap::new() };
            let mut packetizer = Packetizer::new(codec, SSRC, 96, 65_500, mtu);
            // Who sends what is known before anything is cut: else a swallowed packet tells nothing.
            if sound {
                stream.items.push((sound_packet(299, BASE - 160, b"first"), None));
                stream.sounds.insert(BASE - 160, b"first".to_vec());
            }
            for (n, unit) in units.into_iter().enumerate() {
                let timestamp = BASE + n as u32 * 3_600;
                let mut out = BytesMut::new();
                packetizer.packetize(&unit, timestamp, Framing::Interleaved(0), &mut out);
                let mut rest = &out[..];
                while !rest.is_empty() {
                    let len = 4 + usize::from(u16::from_be_bytes([rest[2], rest[3]]));
                    stream.items.push((rest[..len].to_vec(), Some(n)));
                    rest = &rest[len..];
                    if sound {
                        let count = stream.sounds.len() - 1;
                        let at = BASE + count as u32 * 160;
                        let body: Vec<u8> = unit.iter().copied().cycle().take(160).collect();
                        stream.items.push((sound_packet(300 + count as u16, at, &body), None));
                        stream.sounds.insert(at, body);
                    }
                }
                if reports {
                    stream.items.push((report(1, SSRC, n as u8), None));
                }
                stream.pictures.insert(timestamp, unit);
            }
            stream
        })
    })
}

fn answers(stream: &Stream) -> [String; 3] {
    let (name, parameters) = match stream.codec {
        Codec::H264 => ("H264", "packetization-mode=1"),
        _ => ("H265", "sprop-max-don-diff=0"),
    };
    let mut sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=s\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 {name}/90000\r\n\
         a=fmtp:96 {parameters}\r\na=control:v\r\n"
    );
    if stream.sound {
        sdp.push_str("m=audio 0 RTP/AVP 0\r\na=control:a\r\n");
    }
    let setup = |n: u8| {
        format!("Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved={}-{}\r\n\r\n", 2 * n, 2 * n + 1)
    };
    let describe = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len());
    [describe, setup(0), setup(1)]
}

fn number(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request).into_owned();
    text.lines().find_map(|line| line.strip_prefix("CSeq: ").map(str::to_owned)).unwrap()
}

fn drain(ingest: &mut Ingest, got: &mut Vec<IngestOutput>) -> Option<Bytes> {
    let mut asked = None;
    while let Some(output) = ingest.poll_output() {
        match output {
            IngestOutput::Send(bytes) => asked = Some(bytes),
            output => got.push(output),
        }
    }
    asked
}

/// An ingest that plays.
fn playing(stream: &Stream) -> Ingest {
    let (url, _) = Url::parse("rtsp://cam/1").unwrap();
    let config = Config::new(url, [1; 32]).wanted(Wanted::default().audio(stream.sound));
    let mut ingest = Ingest::new(config, NOW);
    let mut got = Vec::new();
    let [describe, first, second] = answers(stream);
    let mut setups = [first, second].into_iter();
    while let Some(request) = drain(&mut ingest, &mut got) {
        let rest = match &request[..4] {
            b"DESC" => describe.clone(),
            b"SETU" => setups.next().unwrap(),
            b"PLAY" => "Session: 1\r\n\r\n".to_owned(),
            _ => "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n".to_owned(),
        };
        let answer = format!("RTSP/1.0 200 OK\r\nCSeq: {}\r\n{rest}", number(&request));
        assert_eq!(ingest.handle_input(NOW, answer.as_bytes()), answer.len());
    }
    ingest
}

/// Feeds `bytes` in pieces of these sizes, then the end, and gives what comes out.
fn receive(stream: &Stream, bytes: &[u8], pieces: &[usize]) -> Vec<IngestOutput> {
    let (mut ingest, mut got) = (playing(stream), Vec::new());
    let mut pieces = pieces.iter().copied().cycle();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(pieces.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
        let taken = ingest.handle_input(NOW, piece);
        rest = if taken == piece.len() { after } else { &rest[taken..] };
        drain(&mut ingest, &mut got);
    }
    ingest.handle_closed(NOW);
    drain(&mut ingest, &mut got);
    got
}

/// `cuts`: which items, and how much of each is written, of 1 000.
fn cut(stream: &Stream, cuts: &[(prop::sample::Index, usize)]) -> (Vec<u8>, Vec<usize>) {
    let mut items: Vec<Vec<u8>> = stream.items.iter().map(|(item, _)| item.clone()).collect();
    // The first packet of each media is whole: whose source nobody knows yet, that passes unseen within another one.
    let first = 1 + usize::from(stream.sound);
    let mut at: Vec<usize> = cuts.iter().map(|(at, _)| first + at.index(items.len() - first)).collect();
    for (n, (_, share)) in at.iter().zip(cuts) {
        // The header that tells of a packet that was cut must not be cut itself: two in a row are not told.
        let least = if at.contains(&(n - 1)) { 16 } else { 1 };
        let keep = (stream.items[*n].0.len() * share / 1_000).max(least);
        items[*n].truncate(keep);
    }
    at.sort_unstable();
    (items.concat(), at)
}

/// Whatever is told to be whole is as it was sent.
fn judge(stream: &Stream, got: &[IngestOutput]) -> Vec<u32> {
    let mut whole = Vec::new();
    for output in got {
        match output {
            IngestOutput::AccessUnit(unit) if !unit.loss.incomplete => {
                let sent = stream.pictures.get(&unit.timestamp).map_or(&[][..], |sent| sent);
                let same = unit.data.iter().zip(sent).take_while(|(a, b)| a == b).count();
                let there = |of: &[u8]| (of.len(), of[same..of.len().min(same + 24)].to_vec());
                let differ = *sent != unit.data[..];
                assert!(
                    !differ,
                    "{} {:?}: from {same} {:x?} not {:x?}",
                    unit.timestamp,
                    unit.loss,
                    there(&unit.data),
                    there(sent)
                );
                whole.push(unit.timestamp);
            }
            IngestOutput::Audio(unit) => {
                assert_eq!(Some(&unit.data[..]), stream.sounds.get(&unit.timestamp).map(|p| &p[..]));
            }
            _ => {}
        }
    }
    whole
}

/// What came out, comparable.
fn shown(got: &[IngestOutput]) -> Vec<String> {
    let short = |output: &IngestOutput| match output {
        IngestOutput::AccessUnit(unit) => {
            let sum = unit.data.iter().fold(0_u32, |sum, byte| sum.rotate_left(5) ^ u32::from(*byte));
            format!("picture {} {sum:08x} {:?}", unit.timestamp, unit.loss)
        }
        IngestOutput::Audio(unit) => format!("sound {} {:?}", unit.timestamp, unit.loss),
        other => format!("{other:?}"),
    };
    got.iter().map(short).collect()
}

/// As it must be the same, however the bytes were cut into reads.
fn differ(a: &[IngestOutput], b: &[IngestOutput]) -> Option<(Option<String>, Option<String>)> {
    let (a, b) = (shown(a), shown(b));
    let at = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    (a.len() != b.len() || at < a.len()).then(|| (a.get(at).cloned(), b.get(at).cloned()))
}

fn cases() -> u32 {
    if std::env::var_os("VIGIE_LONG").is_some() { 10_000 } else { 150 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_packet_that_was_cut_short_never_passes_for_whole(
        stream in stream(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..1_000), 1..6),
        pieces in prop::collection::vec(1_usize..2_000, 1..8),
    ) {
        let (bytes, cut_items) = cut(&stream, &cuts);
        let got = receive(&stream, &bytes, &[]);
        let whole = judge(&stream, &got);
        prop_assert_eq!(differ(&got, &receive(&stream, &bytes, &pieces)), None);
        prop_assert_eq!(differ(&got, &receive(&stream, &bytes, &[1])), None);
        // A cut costs the picture that it is in; that before, where its end is not believed yet; and the next ones, of
        // which a header may be the one that was lost.
        let mut doubtful: Vec<usize> = Vec::new();
        for at in cut_items {
            let near = stream.items[at.saturating_sub(1)..].iter().filter_map(|(_, picture)| *picture);
            let first = near.clone().next().unwrap_or(0);
            doubtful.extend(first.saturating_sub(1)..first + 3);
        }
        // What a cut left of a header, or the bytes where a cut packet ends, may look like the header of a long packet, which
        // ends beyond these few pictures, or between two of their packets: that is loss, and told.
        let last = stream.pictures.len() - 1;
        let found = stream.pictures.keys().nth(last - 1).is_some_and(|timestamp| whole.contains(timestamp));
        let lost = |o: &IngestOutput| if let IngestOutput::AccessUnit(unit) = o { unit.loss.packets } else { 0 };
        let found = found && got.iter().map(lost).sum::<u32>() <= 2 * cuts.len() as u32;
        for (n, timestamp) in stream.pictures.keys().enumerate() {
            let sure = found && !doubtful.contains(&n) && n != last;
            prop_assert!(!sure || whole.contains(timestamp), "picture {n}, cut in {doubtful:?}: {:#?}", shown(&got));
        }
    }

    #[test]
    fn nothing_is_doubted_where_nothing_is_cut(stream in stream(), pieces in prop::collection::vec(1_usize..2_000, 1..8)) {
        let bytes: Vec<u8> = stream.items.iter().flat_map(|(item, _)| item).copied().collect();
        let got = receive(&stream, &bytes, &pieces);
        prop_assert_eq!(judge(&stream, &got).len(), stream.pictures.len());
    }
}

/// A picture whose last byte could be the first of the next item, and one whose last cannot.
#[test]
fn a_picture_waits_two_milliseconds_where_its_end_may_be_another_beginning() {
    let mut stream = Stream {
        codec: Codec::H264,
        sound: false,
        items: vec![],
        pictures: BTreeMap::new(),
        sounds: BTreeMap::new(),
    };
    let mut packetizer = Packetizer::new(Codec::H264, SSRC, 96, 1, 1_400);
    let (mut ingest, mut got) = (playing(&stream), Vec::new());
    let mut send = |ingest: &mut Ingest, n: u32, last: u8| {
        let unit = vec![0, 0, 0, 5, 0x65, 0x88, 7, n as u8 + 1, last];
        let mut out = BytesMut::new();
        packetizer.packetize(&unit, n * 3_600, Framing::Interleaved(0), &mut out);
        stream.pictures.insert(n * 3_600, unit);
        assert_eq!(ingest.handle_input(NOW, &out), out.len());
    };
    // Until markers are believed.
    for n in 0..20 {
        send(&mut ingest, n, 0x80);
        drain(&mut ingest, &mut got);
    }
    got.clear();
    send(&mut ingest, 20, 0x80);
    drain(&mut ingest, &mut got);
    assert_eq!(got.len(), 1, "at once: {got:?}");
    send(&mut ingest, 21, b'$');
    drain(&mut ingest, &mut got);
    assert_eq!(got.len(), 1);
    let due = ingest.poll_timeout().unwrap();
    assert_eq!(due, NOW.plus(2_000));
    ingest.handle_timeout(due);
    drain(&mut ingest, &mut got);
    assert_eq!(got.len(), 2);
    // What stands behind it ends the wait.
    send(&mut ingest, 22, b'$');
    send(&mut ingest, 23, 0x80);
    drain(&mut ingest, &mut got);
    assert_eq!(got.len(), 4);
    assert_eq!(judge(&stream, &got), [72_000, 75_600, 79_200, 82_800]);
}

//! ONVIF replay over real sockets, both ends ours: footage with a gap, dated picture by picture by the header extension
//! 0xABAC, whose bytes are looked at as they came, without our parser.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use common::{Clip, camera, clip, framed, units, watch};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use vigie::rtp::ReplayStamp;
use vigie::rtsp::headers::Range;
use vigie::server::{self, Connection, Event as Asked, Output};
use vigie::session::Replay;
use vigie::time::{NtpTime, UtcMicros};
use vigie::timeline::UtcSource;
use vigie_net::{ByteStream, Clock, DoorOptions, Doors, Event, Tap, TapEvent, Tapped};

/// Pictures before the gap, and in all.
const BEFORE: usize = 30;
const ALL: usize = 60;
/// Of the gap, microseconds.
const GAP: i64 = 3_600_000_000;

/// 2026-11-25T08:00:00Z.
const START: UtcMicros = UtcMicros(1_795_593_600_000_000);

fn taken(picture: usize) -> UtcMicros {
    let gap = if picture < BEFORE { 0 } else { GAP };
    START.plus(picture as i64 * 40_000 + gap)
}

/// The picture's packets, the first with its stamp.
fn stamped(packets: &[Bytes], picture: usize, cseq: u32) -> Vec<Bytes> {
    let mut stamp = ReplayStamp::new(NtpTime::from_utc(taken(picture)));
    stamp.clean = picture == 0;
    stamp.end = picture == BEFORE - 1 || picture == ALL - 1;
    stamp.discontinuity = picture == BEFORE;
    stamp.terminal = picture == ALL - 1;
    stamp.cseq = cseq as u8;
    let mut packets = packets.to_vec();
    let mut first = BytesMut::new();
    stamp.insert(&packets[0], &mut first);
    packets[0] = first.freeze();
    packets
}

/// A recorder with the footage, and the PLAY that it was asked.
async fn recorder() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        let (doors, clip) = (Arc::new(Doors::new(DoorOptions::default())), Arc::new(clip()));
        while let Ok((tcp, _)) = listener.accept().await {
            let (doors, clip, log) = (Arc::clone(&doors), Arc::clone(&clip), Arc::clone(&log));
            tokio::spawn(async move {
                if let Ok(Some(stream)) = doors.accept(tcp).await {
                    let _ = play(stream, &clip, &log).await;
                }
            });
        }
    });
    (address, asked)
}

async fn play(mut stream: ByteStream, clip: &Clip, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let clock = Clock::start();
    let mut connection = Connection::new(server::Config::new([5; 32]).replay(true), clock.now());
    loop {
        while let Some(output) = connection.poll_output() {
            match output {
                Output::Send(bytes) => stream.write_all(&bytes).await?,
                Output::Event(Asked::Describe { request, .. }) => {
                    connection.describe(request, clip.sdp.clone()).unwrap();
                }
                Output::Event(Asked::Play { request, range, asked, .. }) => {
                    log.lock().unwrap().push(format!("{range:?} {asked:?}"));
                    connection.accept_play(request, range, &[]).unwrap();
                    for (picture, packets) in clip.packets.iter().enumerate() {
                        for packet in stamped(packets, picture, asked.cseq) {
                            connection.send(framed(0, &packet).into()).unwrap();
                        }
                    }
                }
                Output::Close => return stream.shutdown().await,
                _ => {}
            }
        }
        stream.flush().await?;
        match stream.read(connection.receive_buffer()).await? {
            0 => connection.handle_closed(clock.now()),
            n => connection.handle_received(clock.now(), n),
        }
    }
}

/// What came on the connection, and what went.
#[derive(Default)]
struct Wire(Mutex<(Vec<u8>, Vec<u8>)>);

impl Tap for Wire {
    fn tap(&self, event: TapEvent<'_>) {
        let mut wire = self.0.lock().unwrap();
        match event.what {
            Tapped::Received { bytes } => wire.0.extend(bytes),
            Tapped::Sent { bytes } => wire.1.extend(bytes),
            _ => {}
        }
    }
}

/// Asserts the extensions in what came, byte by byte: ONVIF Streaming Specification, "RTP header extension".
fn assert_on_the_wire(came: &[u8], cseq: u8) {
    let play = came.windows(6).position(|six| six == b"\r\n\r\n$\0").expect("media behind PLAY's answer");
    let mut rest = &came[play + 4..];
    let mut stamps = Vec::new();
    while let Some(([b'$', 0, high, low], after)) = rest.split_first_chunk() {
        let Some((packet, after)) = after.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))
        else {
            break;
        };
        if packet[0] & 0x10 != 0 {
            stamps.push(packet[12..28].to_vec());
        }
        rest = after;
    }
    assert_eq!(stamps.len(), ALL);
    for (i, stamp) in stamps.iter().enumerate() {
        assert_eq!(stamp[..4], [0xab, 0xac, 0, 3], "picture {i}");
        let micros =
            1_795_593_600_000_000_u64 + i as u64 * 40_000 + if i < BEFORE { 0 } else { 3_600_000_000 };
        let seconds = (micros / 1_000_000 + 2_208_988_800) as u32;
        assert_eq!(stamp[4..8], seconds.to_be_bytes(), "picture {i}");
        let fraction = u32::from_be_bytes(stamp[8..12].try_into().unwrap());
        let told = (u64::from(fraction) * 1_000_000 + (1 << 31)) >> 32;
        assert_eq!(told, micros % 1_000_000, "picture {i}");
        let bits = match i {
            0 => 0x80,
            29 => 0x40,
            30 => 0x20,
            59 => 0x50,
            _ => 0,
        };
        assert_eq!(stamp[12..], [bits, cseq, 0, 0], "picture {i}");
    }
}

#[tokio::test]
async fn footage_with_a_gap_is_dated_by_the_header_extension() {
    let (address, asked) = recorder().await;
    for scheme in ["rtsp", "http", "ws"] {
        let wire = Arc::new(Wire::default());
        let tap = Arc::clone(&wire);
        let mut camera = camera(&format!("{scheme}://{address}/clip"), |options| {
            options.replay = Some(Replay::default());
            options.range = Range::parse("clock=20261125T080000Z-20261125T100000Z");
            options.tap = Some(tap);
        });
        let mut events = watch(&mut camera, ALL).await;
        camera.stop();
        events.extend(watch(&mut camera, usize::MAX).await);
        let (shown, sent) = (units(&events), clip().units);
        assert_eq!(shown.len(), ALL, "{scheme}");
        assert!(shown == sent, "{scheme}: other pictures");
        assert_dated(scheme, &events);

        let wire = wire.0.lock().unwrap();
        let requests = String::from_utf8_lossy(&wire.1);
        let play = requests.split("\r\n\r\n").find(|request| request.starts_with("PLAY ")).unwrap();
        for field in ["Require: onvif-replay", "Rate-Control: no", "Range: clock=20261125T080000"] {
            assert!(play.contains(field), "{scheme}: {field} is not in {play}");
        }
        let cseq = play.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap();
        assert_on_the_wire(&wire.0, cseq.parse::<u32>().unwrap() as u8);
    }
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    assert!(
        asked.iter().all(|asked| asked.contains("replay: true") && asked.contains("no_rate_control: true"))
    );
}

/// Each picture has its moment, and the gap is told between the pictures around it.
fn assert_dated(scheme: &str, events: &[Event]) {
    let anchors = events.iter().filter_map(|event| match event {
        Event::Anchor { source: UtcSource::OnvifExtension, timestamp, utc } => Some((*timestamp, *utc)),
        _ => None,
    });
    let anchors: Vec<(u32, UtcMicros)> = anchors.collect();
    assert_eq!(anchors.len(), ALL, "{scheme}");
    for (i, (timestamp, utc)) in anchors.into_iter().enumerate() {
        assert_eq!(timestamp, 1_000 + i as u32 * 3_600, "{scheme}");
        let off = utc.0 - taken(i).0;
        assert!(off.abs() <= 1, "{scheme}: picture {i} is dated {off} µs off");
    }
    // The moment is told before its picture, be the picture in one packet or in several.
    let mut told = None;
    for event in events {
        match event {
            Event::Anchor { timestamp, .. } => told = Some(*timestamp),
            Event::AccessUnit(unit) => {
                assert!(told.is_some_and(|told| told >= unit.timestamp), "{scheme}: {}", unit.timestamp);
            }
            _ => {}
        }
    }
    let gap = events.iter().position(|event| matches!(event, Event::Discontinuity)).expect("a discontinuity");
    assert_eq!(units(&events[..gap]).len(), BEFORE, "{scheme}");
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Discontinuity)).count(), 1, "{scheme}");
}

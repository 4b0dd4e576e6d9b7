//! What the tests of transports share: pictures, a server of our own behind doors, certificates.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;
use vigie::codec::Codec;
use vigie::depacket::AnnexBReader;
use vigie::limits::Limits;
use vigie::packetize::{Framing, Packetizer};
use vigie::sdp::Description;
use vigie::server::{self, Connection, Event as Asked, Output};
use vigie_net::{Address, ByteStream, Camera, Clock, DoorOptions, Doors, Error, Event, Options};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Pictures, and how they travel.
pub(crate) struct Clip {
    pub(crate) sdp: String,
    pub(crate) units: Vec<Bytes>,
    /// The RTP packets of each.
    pub(crate) packets: Vec<Vec<Bytes>>,
}

/// The first 60 pictures of a clip, at 25 a second.
pub(crate) fn clip() -> Clip {
    let bytes = include_bytes!("../../../../examples/cli/clips/2-place.h264");
    let mut reader = AnnexBReader::new(Codec::H264, &Limits::default());
    let mut units = Vec::new();
    for part in bytes.chunks(64 << 10) {
        reader.push(part);
        units.extend(std::iter::from_fn(|| reader.pull()));
        if units.len() >= 60 {
            break;
        }
    }
    units.truncate(60);
    let sets = units[0].parameters.clone().unwrap();
    let nals: Vec<Bytes> = sets.sps().chain(sets.pps()).map(|(_, nal)| nal.clone()).collect();
    let sdp = Description::live("clip").with_video(Codec::H264, 96, &nals).to_string();
    let mut packetizer = Packetizer::new(Codec::H264, 7, 96, 65_500, 1_400);
    let packets = units.iter().zip(0_u32..).map(|(unit, i)| {
        let mut framed = BytesMut::new();
        packetizer.packetize(&unit.data, 1_000 + i * 3_600, Framing::Interleaved(0), &mut framed);
        let mut framed = framed.freeze();
        let mut packets = Vec::new();
        while !framed.is_empty() {
            let head = framed.split_to(4);
            packets.push(framed.split_to(usize::from(u16::from_be_bytes([head[2], head[3]]))));
        }
        packets
    });
    let packets = packets.collect();
    Clip { sdp, units: units.into_iter().map(|unit| unit.data).collect(), packets }
}

/// A packet behind its header on a channel.
pub(crate) fn framed(channel: u8, packet: &[u8]) -> Vec<u8> {
    let mut out = vec![b'$', channel];
    out.extend(u16::try_from(packet.len()).unwrap().to_be_bytes());
    out.extend(packet);
    out
}

/// Core's server behind `doors`, which plays the clip once to whoever asks; and how each connection came in.
pub(crate) async fn serve(options: DoorOptions) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let doors = Arc::new(Doors::new(options));
    let clip = Arc::new(clip());
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (doors, clip) = (Arc::clone(&doors), Arc::clone(&clip));
            tokio::spawn(async move {
                if let Ok(Some(stream)) = doors.accept(tcp).await {
                    let _ = play(stream, &clip).await;
                }
            });
        }
    });
    address
}

async fn play(mut stream: ByteStream, clip: &Clip) -> std::io::Result<()> {
    let clock = Clock::start();
    let mut connection = Connection::new(server::Config::new([3; 32]), clock.now());
    loop {
        while let Some(output) = connection.poll_output() {
            match output {
                Output::Send(bytes) => stream.write_all(&bytes).await?,
                Output::Event(Asked::Describe { request, .. }) => {
                    connection.describe(request, clip.sdp.clone()).unwrap();
                }
                Output::Event(Asked::Play { request, .. }) => {
                    connection.accept_play(request, None, &[]).unwrap();
                    for packet in clip.packets.iter().flatten() {
                        connection.send(framed(0, packet).into()).unwrap();
                    }
                }
                Output::Close => return stream.shutdown().await,
                _ => {}
            }
        }
        stream.flush().await?;
        let n = stream.read(connection.receive_buffer()).await?;
        match n {
            0 => connection.handle_closed(clock.now()),
            n => connection.handle_received(clock.now(), n),
        }
    }
}

/// A camera that tries once.
pub(crate) fn camera(text: &str, change: impl FnOnce(&mut Options)) -> Camera {
    let address = Address::parse(text).unwrap();
    let mut options = Options::new(address.credentials);
    options.tunnel = address.tunnel;
    options.backoff = None;
    options.response_timeout = Duration::from_secs(5);
    change(&mut options);
    Camera::connect(address.url, options)
}

/// All that a camera says until it has shown `pictures` or there is nothing more.
pub(crate) async fn watch(camera: &mut Camera, pictures: usize) -> Vec<Event> {
    let mut events = Vec::new();
    let mut shown = 0;
    let watching = async {
        while shown < pictures {
            let Some(event) = camera.next().await else { return };
            shown += usize::from(matches!(event, Event::AccessUnit(_)));
            events.push(event);
        }
    };
    if timeout(PATIENCE, watching).await.is_err() {
        panic!("{} pictures after {PATIENCE:?}, then: {:?}", shown, events.last());
    }
    events
}

/// The pictures among the events.
pub(crate) fn units(events: &[Event]) -> Vec<Bytes> {
    let units = events.iter().filter_map(|event| match event {
        Event::AccessUnit(unit) => Some(unit.data.clone()),
        _ => None,
    });
    units.collect()
}

/// Watches 50 pictures of our own server and asserts that they are those that were sent.
pub(crate) async fn assert_shown(text: &str, change: impl FnOnce(&mut Options)) -> Vec<Event> {
    let events = watch(&mut camera(text, change), 50).await;
    let (shown, sent) = (units(&events), clip().units);
    assert_eq!(shown.len(), 50, "{text}: {:?}", events.last());
    for (i, (shown, sent)) in shown.iter().zip(&sent).enumerate() {
        assert!(shown == sent, "{text}: picture {i} is not the one that was sent");
    }
    events
}

/// Why a camera that tries once was not reached.
pub(crate) async fn why(text: &str, change: impl FnOnce(&mut Options)) -> Error {
    let events = watch(&mut camera(text, change), usize::MAX).await;
    let shown = format!("{events:?}");
    assert!(!shown.contains("s3cr3t"), "a password is shown: {shown}");
    match events.last() {
        Some(Event::Disconnected { error, retry_in: None }) => *error,
        other => panic!("{text}: ended with {other:?}"),
    }
}

//! Pictures by UDP from a camera that is played by hand, and what happens where none come.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Clip, PATIENCE, camera, clip, framed, units, watch};
use futures::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;
use vigie::session::{Agreed, Lower};
use vigie_net::{Event, Options};

/// What the camera does when it is asked for UDP.
#[derive(Clone, Copy, PartialEq)]
enum Udp {
    /// Sends.
    Sends,
    /// The same, from ports that it did not name.
    SendsFromAnywhere,
    /// Refuses with 461.
    Refuses,
    /// Says yes and sends nothing.
    Silent,
}

/// A camera by hand: its address, and the requests that it got.
async fn by_hand(udp: Udp) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("rtsp://{}/clip", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        let clip = Arc::new(clip());
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(session(tcp, udp, Arc::clone(&clip), Arc::clone(&log)));
        }
    });
    (url, asked)
}

fn field<'a>(request: &'a str, name: &str) -> &'a str {
    let mut fields = request.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(n, _)| *n == name).map_or("", |(_, value)| value)
}

async fn session(mut tcp: TcpStream, udp: Udp, clip: Arc<Clip>, log: Arc<Mutex<Vec<String>>>) {
    let (rtp, rtcp) =
        (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let port = |socket: &UdpSocket| socket.local_addr().unwrap().port();
    let mut to = None;
    let mut received = Vec::new();
    while tcp.read_buf(&mut received).await.is_ok_and(|n| n > 0) {
        while let Some(end) = received.windows(4).position(|w| w == b"\r\n\r\n") {
            let request = String::from_utf8(received.drain(..end + 4).collect()).unwrap();
            log.lock().unwrap().push(request.clone());
            let ok = format!("RTSP/1.0 200 OK\r\nCSeq: {}\r\nSession: 12345678\r\n", field(&request, "CSeq"));
            let transport = field(&request, "Transport");
            let answer = match request.split(' ').next().unwrap() {
                "DESCRIBE" => {
                    let length = clip.sdp.len();
                    format!(
                        "{ok}Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{}",
                        clip.sdp
                    )
                }
                "SETUP" if transport.contains("client_port=") && udp == Udp::Refuses => {
                    format!("RTSP/1.0 461 Unsupported Transport\r\nCSeq: {}\r\n\r\n", field(&request, "CSeq"))
                }
                "SETUP" if transport.contains("client_port=") => {
                    let (_, ports) = transport.split_once("client_port=").unwrap();
                    let (first, second) = ports.split(';').next().unwrap().split_once('-').unwrap();
                    let ports: (u16, u16) = (first.parse().unwrap(), second.parse().unwrap());
                    assert_eq!((ports.0 % 2, ports.1), (0, ports.0 + 1));
                    to = Some(ports.0);
                    let named = format!(";server_port={}-{}", port(&rtp), port(&rtcp));
                    let named = if udp == Udp::SendsFromAnywhere { "" } else { &named };
                    format!("{ok}Transport: {transport}{named}\r\n\r\n")
                }
                "SETUP" => format!("{ok}Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"),
                _ => format!("{ok}\r\n"),
            };
            tcp.write_all(answer.as_bytes()).await.unwrap();
            if request.starts_with("PLAY") {
                for (i, packet) in clip.packets.iter().flatten().enumerate() {
                    match to {
                        None => tcp.write_all(&framed(0, packet)).await.unwrap(),
                        Some(_) if udp == Udp::Silent => {}
                        Some(to) => {
                            rtp.send_to(packet, ("127.0.0.1", to)).await.unwrap();
                            // As fast as a receiver in the same process can take it.
                            if i % 16 == 15 {
                                tokio::time::sleep(Duration::from_millis(2)).await;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The transport of each SETUP that was answered.
fn agreed(events: &[Event]) -> Vec<Lower> {
    let found = events.iter().filter_map(|event| match event {
        Event::SetUp { transport, .. } => Some(transport.lower()),
        _ => None,
    });
    found.collect()
}

fn udp_first(options: &mut Options) {
    options.transports = vec![Lower::Udp, Lower::Tcp];
    options.media_timeout = Duration::from_secs(2);
}

fn assert_sent(events: &[Event]) {
    let (shown, sent) = (units(events), clip().units);
    assert_eq!(shown.len(), 50, "{:?}", events.last());
    for (i, (shown, sent)) in shown.iter().zip(&sent).enumerate() {
        assert!(shown == sent, "picture {i} is not the one that was sent");
    }
}

#[tokio::test]
async fn pictures_come_by_udp() {
    for udp in [Udp::Sends, Udp::SendsFromAnywhere] {
        let (url, _) = by_hand(udp).await;
        let events = watch(
            &mut camera(&url, |options| {
                udp_first(options);
                options.udp_ports = Some(31_000..=31_999);
            }),
            50,
        )
        .await;
        assert_sent(&events);
        assert_eq!(agreed(&events), [Lower::Udp]);
        let ports = events.iter().find_map(|event| match event {
            Event::SetUp { transport: Agreed::Udp { ports, .. }, .. } => Some(ports.is_some()),
            _ => None,
        });
        assert_eq!(ports, Some(udp == Udp::Sends));
    }
}

#[tokio::test]
async fn what_lies_in_the_sockets_is_not_lost_when_it_stops() {
    let (url, _) = by_hand(Udp::Sends).await;
    let mut camera = camera(&url, udp_first);
    while !matches!(camera.next().await, Some(Event::Playing(_))) {}
    camera.stop();
    let shown = units(&watch(&mut camera, usize::MAX).await);
    assert!(shown == clip().units, "{} pictures", shown.len());
}

#[tokio::test]
async fn a_camera_that_refuses_udp_is_asked_for_tcp_on_the_same_connection() {
    let (url, asked) = by_hand(Udp::Refuses).await;
    let events = watch(&mut camera(&url, udp_first), 50).await;
    assert_sent(&events);
    assert_eq!(agreed(&events), [Lower::Tcp]);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Connected { .. })).count(), 1);
    let asked = asked.lock().unwrap();
    let setups: Vec<&str> =
        asked.iter().filter(|r| r.starts_with("SETUP")).map(|r| field(r, "Transport")).collect();
    let [first, second] = setups[..] else { panic!("{setups:?}") };
    assert!(first.contains("client_port=") && second.contains("interleaved="), "{setups:?}");
}

#[tokio::test]
async fn where_nothing_comes_by_udp_tcp_has_its_turn_and_keeps_it() {
    let (url, asked) = by_hand(Udp::Silent).await;
    let mut camera = camera(&url, |options| {
        udp_first(options);
        options.backoff = Some(vigie_net::Backoff::default());
    });
    let events = watch(&mut camera, 50).await;
    assert_sent(&events);
    assert_eq!(agreed(&events), [Lower::Udp, Lower::Tcp]);
    let again = events.iter().find_map(|event| match event {
        Event::Disconnected { retry_in, .. } => Some(*retry_in),
        _ => None,
    });
    assert_eq!(again, Some(Some(Duration::ZERO)));
    // The clip is over: the camera is called anew, and asked for TCP alone.
    let more = timeout(PATIENCE, async { watch(&mut camera, 50).await }).await.unwrap();
    assert_eq!(agreed(&more), [Lower::Tcp]);
    let udp = asked.lock().unwrap().iter().filter(|request| request.contains("client_port=")).count();
    assert_eq!(udp, 1);
}

//! RTSP in HTTP tunnels and in WebSockets, both ends over real sockets, and what may go wrong with each.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{PATIENCE, assert_shown, camera, clip, serve, units, watch, why};
use futures::StreamExt as _;
use rcgen::generate_simple_self_signed;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use vigie_net::{Cause, DoorOptions, Doors, Event, Kind, Options, ServerTls, Tls, Tunnel};

#[tokio::test]
async fn the_same_pictures_come_by_every_way() {
    let made = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let mut options = DoorOptions::default();
    options.tls = Some(ServerTls::new(pem.as_bytes(), key.as_bytes()).unwrap());
    let address = serve(options).await;
    let tls = Tls::pinned(&[vigie_net::Fingerprint::of(made.cert.der())]).unwrap();
    let schemes = ["rtsp", "rtsps", "http", "rtsph", "https", "ws", "wss"];
    // Read as they come, and now and then.
    for (scheme, delay) in schemes.iter().flat_map(|scheme| [(*scheme, 0), (*scheme, 20)]) {
        let events = assert_shown(&format!("{scheme}://{address}/clip"), |o: &mut Options| {
            o.tls = Some(tls.clone());
            o.read_delay = Duration::from_millis(delay);
        })
        .await;
        let encrypted =
            events.iter().any(|event| matches!(event, Event::Connected { certificate: Some(_), .. }));
        assert_eq!(encrypted, ["rtsps", "https", "wss"].contains(&scheme), "{scheme}");
    }
    // The WebSocket need not have the stream's path.
    assert_shown(&format!("ws://{address}/clip"), |options| {
        options.tunnel = Tunnel::WebSocket { path: Some("/rtsp-over-websocket".into()) };
    })
    .await;
}

#[tokio::test]
async fn what_lies_in_the_socket_is_not_lost_when_it_stops() {
    let address = serve(DoorOptions::default()).await;
    for scheme in ["rtsp", "http", "ws"] {
        let mut camera = camera(&format!("{scheme}://{address}/clip"), |options| {
            options.read_delay = Duration::from_secs(3_600);
        });
        while !matches!(camera.next().await, Some(Event::Playing(_))) {}
        camera.stop();
        let (shown, sent) = (units(&watch(&mut camera, usize::MAX).await), clip().units);
        assert!(shown == sent, "{scheme}: {} of {}", shown.len(), sent.len());
    }
}

#[tokio::test]
async fn a_connection_that_is_read_seldom_is_read_at_once_when_somebody_watches() {
    let address = serve(DoorOptions::default()).await;
    let mut camera = camera(&format!("rtsp://{address}/clip"), |options| {
        options.read_delay = Duration::from_secs(3_600);
    });
    // What is there when pictures begin, and no more than that.
    let mut events = Vec::new();
    while let Ok(Some(event)) = timeout(Duration::from_millis(500), camera.next()).await {
        events.push(event);
    }
    assert!(events.iter().any(|event| matches!(event, Event::Playing(_))), "{events:?}");
    camera.set_read_delay(Duration::ZERO);
    let shown = units(&events).len();
    events.extend(watch(&mut camera, 50_usize.saturating_sub(shown)).await);
    assert_eq!(units(&events)[..50], clip().units[..50]);
    // The goodbye is not held up either.
    camera.set_read_delay(Duration::from_secs(3_600));
    camera.stop();
    while timeout(PATIENCE, camera.next()).await.expect("the end").is_some() {}
}

/// An HTTP server that answers the head of each connection with what `answer` makes of it, and closes; and all that it
/// was asked.
async fn http(
    answer: impl Fn(&str) -> String + Send + Sync + 'static,
) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && tcp.read_buf(&mut head).await.is_ok_and(|n| n > 0) {}
            let head = String::from_utf8(head).unwrap();
            let answer = answer(&head);
            log.lock().unwrap().push(head);
            let _ = tcp.write_all(answer.as_bytes()).await;
        }
    });
    (address, asked)
}

#[tokio::test]
async fn a_refused_tunnel_has_its_status() {
    for scheme in ["http", "ws"] {
        let (address, asked) = http(|_| "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into()).await;
        assert_eq!(why(&format!("{scheme}://{address}/a?b=c"), |_| {}).await.kind, Kind::Tunnel(404));
        let asked = std::mem::take(&mut *asked.lock().unwrap());
        let [request] = &asked[..] else { panic!("{asked:?}") };
        assert!(request.starts_with("GET /a?b=c HTTP/1."), "{request}");
        let wanted =
            if scheme == "http" { "x-sessioncookie: " } else { "Sec-WebSocket-Protocol: rtsp.onvif.org\r\n" };
        assert!(request.contains(wanted), "{request}");
        let (address, _) = http(|_| "RTSP/1.0 400 Bad Request\r\n\r\n".into()).await;
        assert_eq!(why(&format!("{scheme}://{address}/"), |_| {}).await.kind, Kind::NotHttp);
    }
    // A proof that belongs to another key is none.
    let echo =
        "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let (address, _) = http(move |_| echo.into()).await;
    assert_eq!(why(&format!("ws://{address}/"), |_| {}).await.kind, Kind::NotHttp);
}

#[tokio::test]
async fn a_tunnel_may_ask_for_the_password_and_gets_it_once() {
    for scheme in ["http", "ws"] {
        let (address, asked) = http(|_| {
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n\r\n".into()
        })
        .await;
        let error = why(&format!("{scheme}://u:s3cr3t@{address}/a"), |_| {}).await;
        assert_eq!((error.kind, error.cause), (Kind::Tunnel(401), Cause::Authentication));
        let asked = std::mem::take(&mut *asked.lock().unwrap());
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(
            !asked[0].contains("Authorization") && asked[1].contains("Authorization: Digest username=\"u\"")
        );
    }
}

/// A server whose tunnel plays nothing: what a client sent in the POST, decoded by hand.
#[tokio::test]
async fn a_post_that_is_answered_or_half_closed_does_not_matter() {
    for answer in ["", "HTTP/1.0 200 OK\r\n\r\n", "close"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut get, _) = listener.accept().await.unwrap();
            let mut head = vec![];
            while !head.ends_with(b"\r\n\r\n") {
                get.read_buf(&mut head).await.unwrap();
            }
            get.write_all(b"HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\n")
                .await
                .unwrap();
            let (mut post, _) = listener.accept().await.unwrap();
            match answer {
                "close" => post.shutdown().await.unwrap(),
                answer => post.write_all(answer.as_bytes()).await.unwrap(),
            }
            let mut body = vec![];
            // "T1BUSU9OUyBydHNwOi8v" is "OPTIONS rtsp://".
            while !String::from_utf8_lossy(&body).contains("\r\n\r\nT1BUSU9OUyBydHNwOi8v") {
                assert!(post.read_buf(&mut body).await.unwrap() > 0, "closed after {body:?}");
            }
            get.write_all(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE\r\n\r\n").await.unwrap();
            body.clear();
            while !String::from_utf8_lossy(&body).contains("REVTQ1JJQkUg") {
                assert!(post.read_buf(&mut body).await.unwrap() > 0, "closed");
            }
            (head, "DESCRIBE came")
        });
        let url = format!("http://{address}/clip");
        let (_, served) = tokio::join!(why(&url, |_| {}), server);
        let (head, _) = served.unwrap();
        assert!(String::from_utf8(head).unwrap().starts_with("GET /clip HTTP/1.0\r\n"));
    }
}

#[tokio::test]
async fn a_post_that_is_refused_ends_the_tunnel() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut get, _) = listener.accept().await.unwrap();
        get.write_all(b"HTTP/1.0 200 OK\r\n\r\n").await.unwrap();
        let (mut post, _) = listener.accept().await.unwrap();
        post.write_all(b"HTTP/1.0 403 Forbidden\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    assert_eq!(why(&format!("http://{address}/clip"), |_| {}).await.kind, Kind::Tunnel(403));
}

/// A client by hand: says `said` on a connection of its own, and gives what the doors made of it and what they
/// answered.
async fn knock(doors: &Doors, said: &[u8]) -> (Result<bool, Kind>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (tcp, _) = listener.accept().await.unwrap();
    client.write_all(said).await.unwrap();
    let opened = timeout(PATIENCE, doors.accept(tcp)).await.unwrap();
    let opened = opened.map(|stream| stream.is_some()).map_err(|error| error.kind);
    let mut answer = Vec::new();
    // Reset where the server had not read all.
    let _ = timeout(PATIENCE, client.read_to_end(&mut answer)).await.unwrap();
    (opened, String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn what_opens_no_door_is_turned_away_in_time() {
    let mut options = DoorOptions::default();
    options.patience = Duration::from_millis(300);
    let doors = Doors::new(options.clone());
    // Silence, a drop at a time, and more than a head may hold.
    for said in [&b""[..], b"GE", b"GET / HTTP/1.1\r\nHost:", b"GET / HTTP/1.0\r\nx-sessioncookie: a\r\n\r\n"]
    {
        let (opened, _) = knock(&doors, said).await;
        assert_eq!(opened, Err(Kind::Silent), "{said:?}");
    }
    let long = format!("GET / HTTP/1.1\r\nA: {}", "b".repeat(64 << 10));
    assert_eq!(knock(&doors, long.as_bytes()).await.0, Err(Kind::NotHttp));
    for said in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ] {
        let (opened, answer) = knock(&doors, said.as_bytes()).await;
        assert_eq!(opened, Err(Kind::Door));
        assert!(answer.contains(" 400 "), "{answer}");
    }
    let old = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n\r\n";
    let (opened, answer) = knock(&doors, old.as_bytes()).await;
    assert_eq!(opened, Err(Kind::Door));
    assert!(
        answer.starts_with("HTTP/1.1 426 ") && answer.contains("Sec-WebSocket-Version: 13\r\n"),
        "{answer}"
    );
    let alone = b"POST / HTTP/1.0\r\nx-sessioncookie: nobody's\r\n\r\n";
    assert_eq!(knock(&doors, alone).await.0, Err(Kind::Door));
    assert_eq!(knock(&doors, &[22, 3, 1, 0, 0]).await.0, Err(Kind::Door), "TLS where there is none");

    options.plain = false;
    assert_eq!(knock(&Doors::new(options.clone()), b"OPTIONS * RTSP/1.0\r\n").await.0, Err(Kind::Door));
    (options.plain, options.halves) = (true, 0);
    let (opened, answer) = knock(&Doors::new(options), b"GET / HTTP/1.0\r\nx-sessioncookie: a\r\n\r\n").await;
    assert_eq!(opened, Err(Kind::Crowded));
    assert!(answer.starts_with("HTTP/1.0 503 "), "{answer}");
}

/// Axis' media-stream-library asks for `binary`.
#[tokio::test]
async fn a_web_socket_is_opened_for_players_that_call_it_binary() {
    for (asked, protocol) in
        [("binary", Some("binary")), ("binary, rtsp.onvif.org", Some("rtsp.onvif.org")), ("chat", None)]
    {
        let said = format!(
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {asked}\r\n\r\n"
        );
        let doors = Doors::new(DoorOptions::default());
        let (opened, answer) = knock(&doors, said.as_bytes()).await;
        match protocol {
            Some(protocol) => {
                assert!(opened.is_ok(), "{asked}: {opened:?}");
                let chosen = format!("Sec-WebSocket-Protocol: {protocol}\r\n");
                assert!(answer.contains(&chosen), "{asked}: {answer}");
            }
            None => {
                assert_eq!(opened, Err(Kind::Door), "{asked}");
                assert!(answer.starts_with("HTTP/1.1 400 "), "{asked}: {answer}");
            }
        }
    }
}

/// RFC 6455 §1.3: the example of the handshake, byte for byte.
#[tokio::test]
async fn a_web_socket_opens_as_the_rfc_says() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (tcp, _) = listener.accept().await.unwrap();
    let said = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat, rtsp.onvif.org\r\n\
                Sec-WebSocket-Version: 13\r\n\r\n";
    client.write_all(said.as_bytes()).await.unwrap();
    // §5.7: a masked "Hello", here binary, and its two halves apart.
    client.write_all(b"\x82\x85\x37\xfa\x21\x3d\x7f\x9f").await.unwrap();
    let doors = Doors::new(DoorOptions::default());
    let mut stream = doors.accept(tcp).await.unwrap().unwrap();
    client.write_all(b"\x4d\x51\x58").await.unwrap();
    let mut hello = [0; 5];
    timeout(PATIENCE, stream.read_exact(&mut hello)).await.unwrap().unwrap();
    assert_eq!(&hello, b"Hello");
    stream.write_all(b"RTSP").await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"RTSP") {
        assert!(timeout(PATIENCE, client.read_buf(&mut answer)).await.unwrap().unwrap() > 0);
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{answer}");
    assert!(answer.contains("Sec-WebSocket-Protocol: rtsp.onvif.org\r\n"), "{answer}");
}

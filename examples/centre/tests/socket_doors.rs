//! The WebSocket's doors: the handshake by `Host` and `Origin`, then the token in the first RTSP request.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
use std::time::{Duration, Instant};

use common::Centre;
use common::socket::Socket;

fn request(method: &str, authorization: &str) -> String {
    let line =
        if authorization.is_empty() { String::new() } else { format!("Authorization: {authorization}\r\n") };
    format!("{method} rtsp://127.0.0.1/a/c RTSP/1.0\r\nCSeq: 1\r\n{line}\r\n")
}

#[tokio::test]
async fn no_handshake_for_other_pages_names_and_protocols() {
    let centre = Centre::lonely();
    for (headers, status) in [
        (vec![("origin", "http://evil.example")], 403),
        (vec![("origin", "null")], 403),
        (vec![("origin", "http://127.0.0.1:1")], 403),
        (vec![("host", "evil.example")], 403),
        (vec![("host", "evil.example"), ("origin", "http://evil.example")], 403),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![("sec-websocket-protocol", "")], 400),
        (vec![("sec-websocket-protocol", "binary")], 400),
    ] {
        let refused = Socket::with(&centre, &headers).await.err();
        assert_eq!(refused, Some(status), "{headers:?}");
    }
    assert!(Socket::with(&centre, &[("origin", "")]).await.is_ok(), "what is no browser sends no Origin");
    let choice = [("sec-websocket-protocol", "binary, rtsp.onvif.org")];
    assert!(Socket::with(&centre, &choice).await.is_ok());
}

#[tokio::test]
async fn without_the_token_not_even_whether_there_is_such_a_camera() {
    let centre = Centre::lonely();
    let wrong = format!("Bearer {}", centre.token.chars().rev().collect::<String>());
    let basic = format!("Basic {}", centre.token);
    for authorization in ["", "Bearer", &wrong, &basic, &centre.token] {
        let mut answers = Vec::new();
        for camera in ["/a/c", "/a/none", "/"] {
            let mut socket = Socket::new(&centre).await;
            socket.send(request("DESCRIBE", authorization).replace("/a/c", camera)).await;
            answers.push(socket.rest().await);
        }
        assert!(answers[0].starts_with("RTSP/1.0 401 "), "{answers:?}");
        assert!(answers[0] == answers[1] && answers[0] == answers[2], "{answers:?}");
        for method in ["SETUP", "PLAY", "PAUSE", "ANNOUNCE", "TEARDOWN"] {
            let mut socket = Socket::new(&centre).await;
            socket.send(request(method, authorization)).await;
            let answer = socket.receive().await.unwrap();
            assert!(answer.starts_with(b"RTSP/1.0 4") || answer.starts_with(b"RTSP/1.0 5"), "{answer:?}");
        }
    }
    // Authorised once and then not any more: the later request is looked at as well.
    let mut socket = Socket::new(&centre).await;
    socket.send(request("DESCRIBE", &format!("Bearer {}", centre.token))).await;
    let known = socket.receive().await.unwrap();
    assert!(known.starts_with(b"RTSP/1.0 503"), "the camera is not there: {known:?}");
    socket.send(request("DESCRIBE", &wrong)).await;
    assert!(socket.rest().await.starts_with("RTSP/1.0 401 "));
}

#[tokio::test]
async fn who_says_nothing_or_nonsense_is_shown_the_door() {
    let centre = Centre::lonely();
    let begun = Instant::now();
    let mut silent = Socket::new(&centre).await;
    let mut options = Socket::new(&centre).await;
    options.send(request("OPTIONS", "")).await;
    assert!(options.receive().await.unwrap().starts_with(b"RTSP/1.0 200"));
    let mut large = Socket::new(&centre).await;
    large.send(vec![b'A'; 200_000]).await;
    let mut nonsense = Socket::new(&centre).await;
    nonsense.send(vec![b'\n'; 30_000]).await;
    let mut text = Socket::new(&centre).await;
    text.send_text(&request("OPTIONS", "")).await;
    assert_eq!(large.rest().await, "");
    assert_eq!(text.rest().await, "");
    nonsense.rest().await;
    assert_eq!(options.rest().await, "");
    assert_eq!(silent.rest().await, "");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn strangers_cannot_take_all_places() {
    let centre = Centre::lonely();
    let mut held = Vec::new();
    let refused = loop {
        match Socket::with(&centre, &[]).await {
            Ok(socket) => held.push(socket),
            Err(status) => break status,
        }
        assert!(held.len() < 200);
    };
    assert_eq!(refused, 503);
    drop(held);
    let mut next = None;
    for _ in 0..100 {
        next = Socket::with(&centre, &[]).await.ok();
        if next.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(next.is_some(), "their places are free again");
}

//! Issued tokens: each opens the doors of its own cameras, until it expires, and none of the centre's own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
use std::time::Duration;

use common::live::{Seen, Viewer, stamp};
use common::socket::Socket;
use common::{Centre, files};
use serde_json::json;
use tokio::time::timeout;
use vigie::time::UtcMicros;

const MINE: &str = "annoeullin/mairie";

/// The status and the body, without what is of the moment.
fn said(centre: &Centre, token: &str, path: &str) -> (u16, Vec<u8>) {
    let answer = centre.get_as(token, path);
    (answer.status, answer.body)
}

#[test]
fn a_token_shows_its_cameras_and_no_other() {
    let centre = Centre::demo();
    let token = centre.issue(&[MINE], 300);
    assert!(token.len() == 64 && !token.contains(&centre.token));
    let list = centre.get_as(&token, "/api/cameras");
    let tenants = list.json()["tenants"].clone();
    assert_eq!(tenants.as_array().map(Vec::len), Some(1), "{tenants}");
    assert_eq!(tenants[0]["cameras"].as_array().map(Vec::len), Some(1), "{tenants}");
    assert_eq!(tenants[0]["cameras"][0]["live"], format!("/{MINE}"));
    assert!(!list.text().contains("provin") && !list.text().contains("Provin"), "{}", list.text());
    let index = centre.until(30, "something is recorded of each camera", |centre| {
        let index = |camera: &str| {
            let all = files(&centre.store.join(camera));
            all.into_iter().find(|path| path.extension().is_some_and(|end| end == "gix"))
        };
        let (mine, other) = (index(MINE)?, index("provin/gare")?);
        (mine == other).then(|| mine.to_str().unwrap().to_owned())
    });
    for path in [format!("/api/timeline/{MINE}"), format!("/archive/{MINE}/{index}")] {
        assert_eq!(centre.get_as(&token, &path).status, 200, "{path}");
    }
    assert_eq!(centre.get(&format!("/archive/provin/gare/{index}")).status, 200, "it is there");
    let span = "?from=2026-11-22T05:14:00Z&to=2026-11-22T05:15:00Z&at=2026-11-22T05:14:00Z";
    for (before, behind) in [
        ("/api/timeline/", span),
        ("/api/availability/", span),
        ("/api/mp4/", span),
        ("/api/hls/", "/index.m3u8"),
        ("/api/picture/", span),
        ("/archive/", &format!("/{index}")),
    ] {
        let answers =
            ["provin/gare", "annoeullin/place", "annoeullin/none", "none/mairie", "annoeullin/%6dairie"]
                .map(|camera| said(&centre, &token, &format!("{before}{camera}{behind}")));
        assert_eq!(answers[0].0, 404, "{before}");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{before}: {answers:?}");
    }
    for path in [format!("/archive/{MINE}/../place/{index}"), format!("/archive/{MINE}/%2e%2e/place/{index}")]
    {
        assert_eq!(centre.get_as(&token, &path).status, 404, "{path}");
    }
}

#[test]
fn what_is_the_centres_own_stays_so() {
    let centre = Centre::demo();
    let token = centre.issue(&[MINE], 300);
    for path in [
        "/metrics",
        "/api/demo/pictures/annoeullin/mairie",
        "/api/tokens",
        "/api/nothing",
        "/api/",
        "/archive",
    ] {
        let answer = centre.get_as(&token, path);
        assert_eq!((answer.status, answer.text()), (403, "the centre's own token is needed\n"), "{path}");
    }
    let bearer = format!("Bearer {token}");
    let headers = [("Host", centre.host()), ("Authorization", bearer.clone())];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for path in [format!("/api/demo/camera/{MINE}/stop"), "/api/tokens".into()] {
        let wanted = json!({ "cameras": [MINE], "seconds": 300 }).to_string();
        assert_eq!(centre.send_body("POST", &path, &headers, &wanted).status, 403, "{path}");
    }
    let metrics = centre.get("/metrics");
    assert!(metrics.text().contains("\nvigie_tokens 1\n"), "{}", metrics.text());
    // Its other doors are closed to it as to everybody.
    let foreign = [("Host", "evil.example"), ("Authorization", bearer.as_str())];
    assert_eq!(centre.send("GET", "/api/cameras", &foreign).status, 403);
    assert_eq!(
        centre.send("GET", &format!("/api/cameras?token={token}"), &[("Host", &centre.host())]).status,
        401
    );
    let live = json!({ "cameras": [MINE], "seconds": 300, "rights": ["live"] });
    let live = centre.ask_issuer(&live).json()["token"].as_str().unwrap().to_owned();
    assert_eq!(centre.get_as(&live, &format!("/api/timeline/{MINE}")).status, 403);
    assert_eq!(centre.get_as(&live, "/api/cameras").status, 200);
}

#[test]
fn the_issuer_says_what_is_wrong() {
    let centre = Centre::lonely();
    for (wanted, status, part) in [
        (json!({ "cameras": ["a/c"], "seconds": 9 }), 400, "`seconds` is 10 to 3600"),
        (json!({ "cameras": ["a/c"], "seconds": 3601 }), 400, "`seconds` is 10 to 3600"),
        (json!({ "cameras": ["a/c"] }), 400, "missing field `seconds`"),
        (json!({ "cameras": [], "seconds": 10 }), 400, "name one at least"),
        (json!({ "cameras": ["a/c"], "seconds": 10, "rights": [] }), 400, "name one at least"),
        (json!({ "cameras": ["a/c"], "seconds": 10, "rights": ["all"] }), 400, "unknown variant `all`"),
        (json!({ "cameras": ["a/c"], "seconds": 10, "right": ["live"] }), 400, "unknown field `right`"),
        (json!({ "cameras": ["a/c", "a/d"], "seconds": 10 }), 404, "no such camera: \\\"a/d\\\""),
        (json!({ "cameras": ["c"], "seconds": 10 }), 404, "no such camera"),
        (json!({ "cameras": vec!["a/c"; 60_000], "seconds": 10 }), 413, ""),
    ] {
        let answer = centre.ask_issuer(&wanted);
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.text().contains(part) && !answer.text().contains("\"token\""), "{answer:?}");
    }
    let good = json!({ "cameras": ["a/c", "a/c"], "seconds": 10, "rights": ["recorded"] });
    let issued = centre.ask_issuer(&good).json();
    let left = issued["expires"].as_str().unwrap().parse::<UtcMicros>().unwrap().0
        - vigie_net::Clock::start().utc().0;
    assert!((1..=10_000_000).contains(&left), "{left} µs");
}

/// The code of the answer to DESCRIBE, and whether the connection goes on.
async fn described(centre: &Centre, camera: &str, token: &str) -> String {
    let mut socket = Socket::new(centre).await;
    let line = format!(
        "DESCRIBE rtsp://127.0.0.1/{camera} RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    socket.send(line).await;
    let answer = socket.receive().await.unwrap();
    String::from_utf8_lossy(&answer).lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_ends_with_its_token_unless_a_newer_one_was_shown() {
    let centre = Centre::demo();
    for camera in [MINE, "annoeullin/place"] {
        Viewer::new(&centre, camera).await.picture().await;
    }
    let other = centre.issue(&["annoeullin/place"], 60);
    let recorded = json!({ "cameras": [MINE], "seconds": 60, "rights": ["recorded"] });
    let recorded = centre.ask_issuer(&recorded).json()["token"].as_str().unwrap().to_owned();
    let long = centre.issue(&[MINE], 300);
    let answers = [
        described(&centre, "annoeullin/place", &long).await,
        described(&centre, "annoeullin/none", &long).await,
    ];
    assert!(answers[0].starts_with("RTSP/1.0 404 ") && answers[0] == answers[1], "{answers:?}");
    assert!(described(&centre, MINE, &recorded).await.starts_with("RTSP/1.0 403 "));

    // What plays ends at once by a token that is for something else, or none: nothing is watched by leave of another's.
    for shown in [&other, &recorded, "0123456789abcdef", ""] {
        let mut viewer = Viewer::with_token(&centre, MINE, &long).await;
        viewer.picture().await;
        viewer.renew(shown).await;
        let closed = async { while !matches!(viewer.see().await, Seen::Closed) {} };
        timeout(Duration::from_secs(20), closed).await.expect("ended by that token");
    }
    let issued = centre.ask_issuer(&json!({ "cameras": [MINE], "seconds": 10 })).json();
    let (token, expires) = (issued["token"].as_str().unwrap(), issued["expires"].as_str().unwrap());
    let expires: UtcMicros = expires.parse().unwrap();
    let unrenewed = async {
        let mut viewer = Viewer::with_token(&centre, MINE, token).await;
        let mut last = viewer.picture().await;
        loop {
            match viewer.see().await {
                Seen::Picture(unit) => last = unit,
                Seen::Closed => break stamp(&last).utc,
                Seen::Failed(error) => panic!("{error}"),
                _ => {}
            }
        }
    };
    let renewed = async {
        let mut viewer = Viewer::with_token(&centre, MINE, token).await;
        let mut units = vec![viewer.picture().await];
        let next = centre.issue(&[MINE], 60);
        viewer.renew(&next).await;
        while stamp(units.last().unwrap()).utc < expires.plus(3_000_000) {
            units.push(viewer.picture().await);
        }
        units
    };
    let (ended, units) = tokio::join!(unrenewed, renewed);
    let off = ended.0 - expires.0;
    assert!((-5_000_000..1_500_000).contains(&off), "the last picture {off} µs after the token's end");
    let numbers: Vec<_> =
        units.iter().map(stamp).map(|picture| picture.round * 1_500 + picture.number).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    assert!(units.iter().all(|unit| unit.loss.packets == 0 && !unit.loss.incomplete));

    assert!(described(&centre, MINE, token).await.starts_with("RTSP/1.0 401 "));
    assert_eq!(centre.get_as(token, "/api/cameras").status, 401);
}

#[tokio::test]
async fn a_second_describe_lends_no_leave_to_what_plays() {
    let centre = Centre::demo();
    for camera in [MINE, "annoeullin/place"] {
        Viewer::new(&centre, camera).await.picture().await;
    }
    let (mine, other) = (centre.issue(&[MINE], 60), centre.issue(&["annoeullin/place"], 60));
    let mut socket = Socket::new(&centre).await;
    let mut session = String::new();
    for (method, path, more) in [
        ("DESCRIBE", "", ""),
        ("SETUP", "/video", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"),
        ("PLAY", "", ""),
    ] {
        let head = format!("{method} rtsp://127.0.0.1/{MINE}{path} RTSP/1.0\r\nCSeq: 1\r\n{session}{more}");
        socket.send(format!("{head}Authorization: Bearer {mine}\r\n\r\n")).await;
        let answer = socket.receive().await.unwrap();
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with("RTSP/1.0 200 "), "{method}: {text}");
        if let Some(line) = text.lines().find(|line| line.starts_with("Session:")) {
            session = format!("{}\r\n", line.split(';').next().unwrap());
        }
    }
    let line = "DESCRIBE rtsp://127.0.0.1/annoeullin/place RTSP/1.0\r\nCSeq: 2\r\n";
    socket.send(format!("{line}Authorization: Bearer {other}\r\n\r\n")).await;
    assert!(socket.rest().await.contains("RTSP/1.0 401 "), "and the connection ended");
}

//! Who is let in: another page, another name and whoever has no token get nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
use common::{Answer, Centre};

/// Everything that wants the token.
const GUARDED: [&str; 11] = [
    "/api/availability/a/c",
    "/api/mp4/a/c",
    "/api/hls/a/c/index.m3u8",
    "/api/picture/a/c",
    "/api/cameras",
    "/api/timeline/a/c",
    "/api/tokens",
    "/api/demo/pictures/a/c",
    "/api/nothing",
    "/archive/a/c/2026-11-22.gix",
    "/metrics",
];

/// What a page needs before it knows the token.
const OPEN: [&str; 4] = ["/", "/player/vigie.js", "/player/vigie-worker.js", "/healthz"];

const WEBSOCKET: [(&str, &str); 5] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Protocol", "rtsp.onvif.org"),
];

fn is_nothing(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.body.len() < 100 && !answer.text().contains("tenant"), "{answer:?}");
    assert!(answer.header("content-security-policy").is_some(), "{answer:?}");
}

#[test]
fn without_the_token_nothing() {
    let centre = Centre::lonely();
    let host = centre.host();
    let token = &centre.token;
    let wrong = format!("Bearer {}", token.chars().rev().collect::<String>());
    for path in GUARDED {
        is_nothing(&centre.send("GET", path, &[("Host", &host)]), 401);
        for bad in [
            wrong.as_str(),
            "Bearer",
            "Bearer ",
            &format!("Basic {token}"),
            &format!("Bearer {token}x"),
            token,
        ] {
            is_nothing(&centre.send("GET", path, &[("Host", &host), ("Authorization", bad)]), 401);
        }
        // Neither in the address nor twice.
        is_nothing(&centre.send("GET", &format!("{path}?token={token}"), &[("Host", &host)]), 401);
        let right = format!("Bearer {token}");
        let twice = [("Host", host.as_str()), ("Authorization", &right), ("Authorization", &wrong)];
        is_nothing(&centre.send("GET", path, &twice), 401);
    }
    for path in OPEN {
        assert_eq!(centre.send("GET", path, &[("Host", &host)]).status, 200, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        is_nothing(&centre.send(method, "/api/cameras", &[("Host", &host), ("Content-Length", "0")]), 401);
    }
}

#[test]
fn under_a_foreign_name_nothing() {
    let centre = Centre::lonely();
    let token = format!("Bearer {}", centre.token);
    let all = || GUARDED.into_iter().chain(OPEN).chain(["/rtsp"]);
    for path in all() {
        for host in ["evil.example", "evil.example:80", "", "localhost.evil.example", "video.example.fr:8443"]
        {
            is_nothing(&centre.send("GET", path, &[("Host", host), ("Authorization", &token)]), 403);
        }
        let own = centre.host();
        let twice =
            centre.send("GET", path, &[("Host", &own), ("Host", "evil.example"), ("Authorization", &token)]);
        assert!([400, 403].contains(&twice.status), "{twice:?}");
        let absolute = format!("http://evil.example{path}");
        is_nothing(&centre.send("GET", &absolute, &[("Host", &own), ("Authorization", &token)]), 403);
    }
    for host in ["localhost", "[::1]:8080", "video.example.fr"] {
        assert_eq!(
            centre.send("GET", "/api/cameras", &[("Host", host), ("Authorization", &token)]).status,
            200
        );
    }
}

#[test]
fn to_a_foreign_page_nothing() {
    let centre = Centre::lonely();
    let own = centre.host();
    for path in GUARDED.into_iter().chain(OPEN).chain(["/rtsp"]) {
        for origin in [
            "http://evil.example",
            "null",
            "http://127.0.0.1:1",
            "http://localhost",
            "https://video.example.fr",
        ] {
            is_nothing(&centre.get_with(path, &[("Origin", origin)]), 403);
            let mut upgrade = WEBSOCKET.to_vec();
            upgrade.push(("Origin", origin));
            is_nothing(&centre.get_with(path, &upgrade), 403);
        }
        for site in ["cross-site", "same-site"] {
            is_nothing(
                &centre.get_with(path, &[("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "no-cors")]),
                403,
            );
        }
    }
    let page = format!("http://{own}");
    assert_eq!(
        centre.get_with("/api/cameras", &[("Origin", &page), ("Sec-Fetch-Site", "same-origin")]).status,
        200
    );
    let link = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")];
    assert_eq!(centre.get_with("/", &link).status, 200);
    assert_eq!(centre.get_with("/api/cameras", &link).status, 403);
}

#[test]
fn every_answer_carries_the_security_headers() {
    let centre = Centre::lonely();
    for path in GUARDED.into_iter().chain(OPEN).chain(["/none", "/rtsp", "/player/none.js"]) {
        let answer = centre.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'self';"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(
            policy.contains("wasm-unsafe-eval"),
            path == "/player/vigie-worker.js",
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
    }
}

#[test]
fn the_token_is_another_at_each_start() {
    let (one, two) = (Centre::lonely(), Centre::lonely());
    assert_ne!(one.token, two.token);
    assert_eq!(one.token.len(), 32);
}

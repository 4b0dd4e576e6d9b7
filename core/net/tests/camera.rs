//! The driver over real sockets, against servers that misbehave.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use vigie::rtsp::Url;
use vigie::session;
use vigie_net::{Camera, Cause, Error, Event, Kind, Options};

/// A server that answers requests one by one with what `answer` makes of them, `None` to say nothing; and all that it
/// was ever asked.
async fn server(
    host: &str,
    answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind((host, 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(String::new()));
    let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            tokio::spawn(async move {
                let mut buffer = vec![0; 8_192];
                while let Ok(n @ 1..) = stream.read(&mut buffer).await {
                    let request = String::from_utf8_lossy(&buffer[..n]).into_owned();
                    log.lock().unwrap().push_str(&request);
                    let Some(answer) = answer(&request) else { continue };
                    if answer.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, asked)
}

fn cseq(request: &str) -> &str {
    request.lines().find_map(|line| line.strip_prefix("CSeq:")).unwrap().trim()
}

fn ok(request: &str, rest: &str) -> Option<String> {
    Some(format!("RTSP/1.0 200 OK\r\nCSeq: {}\r\n{rest}\r\n", cseq(request)))
}

fn describing(sdp: &str) -> impl Fn(&str) -> Option<String> + Send + Sync + 'static {
    let sdp = sdp.to_owned();
    move |request| {
        if request.starts_with("DESCRIBE") {
            let head = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n", sdp.len());
            ok(request, &head).map(|answer| answer + &sdp)
        } else {
            ok(request, "Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n")
        }
    }
}

fn once(text: &str) -> Camera {
    let (url, credentials) = Url::parse(text).unwrap();
    let mut options = Options::new(credentials);
    options.backoff = None;
    options.response_timeout = Duration::from_millis(300);
    Camera::connect(url, options)
}

/// Runs a camera that tries once to its end, and gives why it ended.
async fn why(text: &str) -> Error {
    let events: Vec<Event> = once(text).collect().await;
    let shown = format!("{events:?}");
    assert!(!shown.contains("s3cr3t"), "a password is shown: {shown}");
    match events.last() {
        Some(Event::Disconnected { error, retry_in: None }) => *error,
        other => panic!("ended with {other:?}"),
    }
}

fn session_kind(error: Error) -> session::Kind {
    match error.kind {
        Kind::Session(error) => error.kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_refusal_has_its_type_and_cause() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let refused = why(&format!("rtsp://u:s3cr3t@127.0.0.1:{port}/")).await;
    assert_eq!((refused.kind, refused.cause), (Kind::Refused, Cause::Camera));
    let unknown = why("rtsp://u:s3cr3t@camera.invalid/").await;
    assert_eq!((unknown.kind, unknown.cause), (Kind::NoSuchHost, Cause::Network));
    let (address, _) = server("127.0.0.1", |_| Some("HTTP/1.1 400 Bad Request\r\n\r\n".into())).await;
    let error = why(&format!("rtsp://u:s3cr3t@{address}/")).await;
    assert!(matches!(session_kind(error), session::Kind::Rtsp(_)), "{error:?}");

    let (address, _) = server("127.0.0.1", |_| None).await;
    let error = why(&format!("rtsp://u:s3cr3t@{address}/")).await;
    assert_eq!((session_kind(error), error.cause), (session::Kind::NoResponse, Cause::Network));

    let (address, _) = server("127.0.0.1", |_| Some(String::new())).await;
    let error = why(&format!("rtsp://u:s3cr3t@{address}/")).await;
    assert_eq!(error.cause, Cause::Camera, "{error:?}");

    let audio = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 0 RTP/AVP 8\r\n";
    let (address, _) = server("127.0.0.1", describing(audio)).await;
    assert_eq!(session_kind(why(&format!("rtsp://{address}/")).await), session::Kind::NoVideo);
    let other = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 34\r\n";
    let (address, _) = server("127.0.0.1", describing(other)).await;
    assert_eq!(session_kind(why(&format!("rtsp://{address}/")).await), session::Kind::UnsupportedCodec);
}

fn challenge(request: &str) -> Option<String> {
    let cseq = cseq(request);
    Some(format!("RTSP/1.0 401 Unauthorized\r\nCSeq: {cseq}\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n"))
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_in_haste() {
    let (address, asked) = server("127.0.0.1", challenge).await;
    let (url, credentials) = Url::parse(&format!("rtsp://u:s3cr3t@{address}/")).unwrap();
    let mut camera = Camera::connect(url, Options::new(credentials));
    let wait = loop {
        match camera.next().await.unwrap() {
            Event::Disconnected { error, retry_in } => {
                assert_eq!(error.cause, Cause::Authentication);
                break retry_in.unwrap();
            }
            Event::Connecting { .. } | Event::Connected { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert!(wait >= Duration::from_secs(30), "{wait:?}");
    // dTpzM2NyM3Q= is u:s3cr3t.
    assert!(asked.lock().unwrap().matches("dTpzM2NyM3Q=").count() <= 2);
    camera.stop();
    assert!(camera.next().await.is_none());

    let (address, _) = server("127.0.0.1", challenge).await;
    let error = why(&format!("rtsp://{address}/")).await;
    assert_eq!(session_kind(error), session::Kind::CredentialsNeeded);
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect_to_another_host() {
    for (host, follows) in [("127.0.0.2", false), ("127.0.0.1", true)] {
        let (second, asked) = server(host, challenge).await;
        let to = format!("rtsp://{second}/elsewhere");
        let (first, asked_first) = server("127.0.0.1", move |request| {
            if !request.contains("Authorization:") {
                return challenge(request);
            }
            Some(format!("RTSP/1.0 302 Found\r\nCSeq: {}\r\nLocation: {to}\r\n\r\n", cseq(request)))
        })
        .await;
        let error = why(&format!("rtsp://u:s3cr3t@{first}/")).await;
        assert!(asked_first.lock().unwrap().contains("dTpzM2NyM3Q="));
        let asked = asked.lock().unwrap();
        assert!(asked.contains("/elsewhere"), "the redirect was not followed");
        assert_eq!(asked.contains("Authorization:"), follows, "{host}: {asked}");
        let kind = session_kind(error);
        if follows {
            assert_eq!(kind, session::Kind::CredentialsRefused);
        } else {
            assert_eq!(kind, session::Kind::CredentialsNeeded);
        }
    }
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let own = Arc::new(Mutex::new(String::new()));
    let to = Arc::clone(&own);
    let (address, asked) = server("127.0.0.1", move |request| {
        let to = to.lock().unwrap();
        Some(format!("RTSP/1.0 301 Moved\r\nCSeq: {}\r\nLocation: rtsp://{to}/again\r\n\r\n", cseq(request)))
    })
    .await;
    own.lock().unwrap().push_str(&address);
    assert_eq!(why(&format!("rtsp://{address}/")).await.kind, Kind::Redirects);
    assert!(asked.lock().unwrap().matches("/again").count() <= 10);
}

#[tokio::test]
async fn a_camera_that_closes_is_called_again_and_again() {
    let (address, _) = server("127.0.0.1", |_| Some(String::new())).await;
    let (url, _) = Url::parse(&format!("rtsp://{address}/")).unwrap();
    let mut options = Options::new(None);
    let backoff = options.backoff.as_mut().unwrap();
    (backoff.first, backoff.longest) = (Duration::from_millis(1), Duration::from_millis(8));
    let mut camera = Camera::connect(url, options);
    let mut attempts = Vec::new();
    while attempts.len() < 5 {
        if let Event::Connecting { attempt } = camera.next().await.unwrap() {
            attempts.push(attempt);
        }
    }
    assert_eq!(attempts, [1, 2, 3, 4, 5]);
}

//! RTSP messages.

use bytes::Bytes;
use vigie::rtsp::{Message, Url, redact};

use crate::tape::Tape;

/// parse → write → parse gives the same message, and a copy for logs shows no secret and has the same length.
pub(crate) fn rtsp_round_trip(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let (head, body) = (tape.chunk(), tape.rest());
    redacted(head);
    let Ok(message) = Message::parse(head, Bytes::copy_from_slice(body)) else { return };
    let written = message.to_bytes();
    let end = written.windows(4).position(|w| w == b"\r\n\r\n").expect("the end of the headers");
    let (head, body) = (&written[..end + 2], written.slice(end + 4..));
    let again = Message::parse(head, body).expect("our own message");
    match (&message, &again) {
        (Message::Request(one), Message::Request(two)) => {
            assert_eq!((&one.method, &one.uri, &one.body), (&two.method, &two.uri, &two.body));
            assert!(fields(&one.headers, &two.headers), "{one:?}\n{two:?}");
            url(&one.uri);
        }
        (Message::Response(one), Message::Response(two)) => {
            assert_eq!((one.status, &one.body), (two.status, &two.body));
            assert!(fields(&one.headers, &two.headers), "{one:?}\n{two:?}");
        }
        _ => panic!("{message:?}\n{again:?}"),
    }
    assert_eq!(again.to_bytes(), written);
}

/// No password in the address, no `Authorization`.
fn redacted(head: &[u8]) {
    let copy = redact(head);
    assert_eq!(copy.len(), head.len());
    let Ok(shown) = Message::parse(&copy, Bytes::new()) else { return };
    let (uri, headers) = match &shown {
        Message::Request(request) => (&request.uri[..], &request.headers),
        Message::Response(response) => ("", &response.headers),
    };
    if let Ok((_, Some(credentials))) = Url::parse(uri) {
        assert!(credentials.username.bytes().all(|b| matches!(b, b'x' | b' ' | b'\r')), "{uri}");
        assert!(credentials.password().is_empty(), "{uri}");
    }
    for name in ["Authorization", "Proxy-Authorization"] {
        for value in headers.get_all(name) {
            assert!(value.bytes().all(|b| matches!(b, b'x' | b' ')), "{name}: {value}");
        }
    }
}

/// The same fields in the same order; `Content-Length` may have been added.
fn fields(one: &vigie::rtsp::Headers, two: &vigie::rtsp::Headers) -> bool {
    let (one, mut two): (Vec<_>, Vec<_>) = (one.iter().collect(), two.iter().collect());
    if two.len() == one.len() + 1 && two.last().is_some_and(|(name, _)| *name == "Content-Length") {
        two.pop();
    }
    one == two
}

/// An address shows no credentials, and reads back as itself.
fn url(text: &str) {
    let Ok((url, _)) = Url::parse(text) else { return };
    let shown = url.to_string();
    let (again, none) = Url::parse(&shown).expect("our own address");
    assert_eq!((&again, none.is_none()), (&url, true), "{shown}");
}

//! Answers that may be asked for in part: RFC 9110 §13 and §14.

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};

/// What there is to be sent.
#[derive(Debug)]
pub(super) struct Whole {
    /// Bytes of all of it.
    pub(super) length: u64,
    /// A strong entity tag, quotes included.
    pub(super) tag: String,
    /// Its type.
    pub(super) kind: &'static str,
}

impl Whole {
    /// Answers GET and HEAD. `body` gives so many bytes from a place on; it is asked only where a body is sent.
    pub(super) fn answer(
        self,
        method: &Method,
        headers: &HeaderMap,
        body: impl FnOnce(u64, u64) -> Body,
    ) -> Response {
        let Self { length, tag, kind } = self;
        let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        if header(IF_NONE_MATCH).is_some_and(|tags| tags == "*" || tags.split(',').any(|t| t.trim() == tag)) {
            return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
        }
        // RFC 9110 §13.1.5: a range of another state of the file would be worse than the whole of this one. §14.2: Range is
        // of GET only.
        let wanted = header(RANGE)
            .filter(|_| method == Method::GET)
            .filter(|_| header(IF_RANGE).is_none_or(|known| known == tag));
        let (status, start, end) = match wanted.map_or(Wanted::Whole, |range| parse_range(range, length)) {
            Wanted::Whole => (StatusCode::OK, 0, length),
            Wanted::Part { start, end } => (StatusCode::PARTIAL_CONTENT, start, end),
            Wanted::Nothing => {
                let range = [(CONTENT_RANGE, format!("bytes */{length}")), (ETAG, tag)];
                return (StatusCode::RANGE_NOT_SATISFIABLE, range).into_response();
            }
        };
        let body = if method == Method::HEAD { Body::empty() } else { body(start, end - start) };
        let mut response = (status, body).into_response();
        let out = response.headers_mut();
        out.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        out.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let mut set = |name, text: String| HeaderValue::from_str(&text).map(|value| out.insert(name, value));
        let _ = set(CONTENT_LENGTH, (end - start).to_string());
        let _ = set(ETAG, tag);
        if status == StatusCode::PARTIAL_CONTENT {
            let _ = set(CONTENT_RANGE, format!("bytes {start}-{}/{length}", end - 1));
        }
        response
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part { start: u64, end: u64 },
    Nothing,
}

/// RFC 9110 §14.2. Several ranges at once, other units and nonsense are answered with the whole, as it allows.
fn parse_range(header: &str, length: u64) -> Wanted {
    let Some((first, last)) = header.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'))
    else {
        return Wanted::Whole;
    };
    // "+5" parses as a number in Rust, not in HTTP.
    let number =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    match (first, last) {
        ("", suffix) => match number(suffix) {
            None => Wanted::Whole,
            Some(0) => Wanted::Nothing,
            Some(_) if length == 0 => Wanted::Nothing,
            Some(suffix) => Wanted::Part { start: length.saturating_sub(suffix), end: length },
        },
        (first, last) => match (number(first), number(last), last.is_empty()) {
            (Some(start), _, true) if start < length => Wanted::Part { start, end: length },
            (Some(_), _, true) => Wanted::Nothing,
            (Some(start), Some(last), false) if start > last => Wanted::Whole,
            (Some(start), Some(last), false) if start < length => {
                Wanted::Part { start, end: last.saturating_add(1).min(length) }
            }
            (Some(_), Some(_), false) => Wanted::Nothing,
            _ => Wanted::Whole,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let part = |start, end| Wanted::Part { start, end };
        for (header, wanted) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=2-5", part(2, 6)),
            ("bytes=2-", part(2, 10)),
            ("bytes=2-99", part(2, 10)),
            ("bytes=9-18446744073709551615", part(9, 10)),
            ("bytes=-3", part(7, 10)),
            ("bytes=-99", part(0, 10)),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=10-12", Wanted::Nothing),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=99999999999999999999-", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
        ] {
            assert_eq!(parse_range(header, 10), wanted, "{header}");
        }
        assert_eq!(parse_range("bytes=-1", 0), Wanted::Nothing);
        assert_eq!(parse_range("bytes=0-", 0), Wanted::Nothing);
    }
}

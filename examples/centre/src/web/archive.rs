//! `/archive/<path>`: the files of the store as they are, by ranges. The player reads index and media itself.

use std::fs::Metadata;
use std::io::SeekFrom;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use bytes::{Bytes, BytesMut};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::files::safe;
use crate::centre::Centre;

/// Bytes read and sent at a time.
const PART: usize = 256 << 10;

/// What the store writes: the index and the gap log of a camera and day, and media.
const KINDS: [(&str, &str); 3] =
    [("gix", "application/vnd.vigie.index"), ("gap", "application/vnd.vigie.gaps"), ("m4v", "video/mp4")];

/// Answers GET and HEAD.
pub(crate) async fn serve(
    State(centre): State<Arc<Centre>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let path = uri.path().strip_prefix("/archive/").unwrap_or_default();
    let Some((file, metadata, kind)) = open(&centre.store, path).await else {
        return (StatusCode::NOT_FOUND, "no such file in the store\n").into_response();
    };
    let tag = entity_tag(&metadata);
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if header(IF_NONE_MATCH).is_some_and(|tags| tags == "*" || tags.split(',').any(|t| t.trim() == tag)) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
    }
    let length = metadata.len();
    // RFC 9110 §13.1.5: a range of another state of the file would be worse than the whole of this one.
    let wanted = header(RANGE).filter(|_| header(IF_RANGE).is_none_or(|known| known == tag));
    let (status, start, end) = match wanted.map_or(Wanted::Whole, |range| parse_range(range, length)) {
        Wanted::Whole => (StatusCode::OK, 0, length),
        Wanted::Part { start, end } => (StatusCode::PARTIAL_CONTENT, start, end),
        Wanted::Nothing => {
            let range = [(CONTENT_RANGE, format!("bytes */{length}")), (ETAG, tag)];
            return (StatusCode::RANGE_NOT_SATISFIABLE, range).into_response();
        }
    };
    let body = if method == Method::HEAD { Body::empty() } else { stream(file, start, end - start) };
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

/// Opens a file of the store: a kind that the store writes, under the store's own folder whatever links say.
async fn open(store: &Path, path: &str) -> Option<(File, Metadata, &'static str)> {
    let relative = safe(path)?;
    let extension = relative.extension()?.to_str()?;
    let (_, kind) = KINDS.iter().find(|(known, _)| *known == extension)?;
    let (store, asked): (PathBuf, PathBuf) = (store.to_owned(), store.join(relative));
    let opened = tokio::task::spawn_blocking(move || {
        let real = asked.canonicalize().ok()?;
        if !real.starts_with(store.canonicalize().ok()?) {
            return None;
        }
        let file = std::fs::File::open(real).ok()?;
        let metadata = file.metadata().ok().filter(Metadata::is_file)?;
        Some((file, metadata))
    });
    let (file, metadata) = opened.await.ok()??;
    Some((File::from_std(file), metadata, kind))
}

/// Strong: file, length and the moment of the last write. A growing file gets a new one with every append.
fn entity_tag(metadata: &Metadata) -> String {
    let (inode, length) = (metadata.ino(), metadata.len());
    format!("\"{inode:x}-{length:x}-{:x}.{:x}\"", metadata.mtime(), metadata.mtime_nsec())
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

/// `length` bytes from `start`, never more than [`PART`] in memory. A file cut short under the reader ends the
/// connection, so that nobody takes a part for the whole.
fn stream(file: File, start: u64, length: u64) -> Body {
    let parts =
        futures::stream::try_unfold((file, Some(start), length), |(mut file, seek, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            if let Some(start) = seek {
                file.seek(SeekFrom::Start(start)).await?;
            }
            let size = left.min(PART as u64) as usize;
            let mut part = BytesMut::with_capacity(size);
            let read = (&mut file).take(size as u64).read_buf(&mut part).await?;
            if read == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
            }
            let part: Bytes = part.freeze();
            Ok(Some((part, (file, None, left - read as u64))))
        });
    Body::from_stream(parts)
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

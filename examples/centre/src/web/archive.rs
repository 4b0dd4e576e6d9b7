//! `/archive/<path>`: the files of the store as they are, by ranges, and the page directory of each day. The player reads index
//! and media itself.

use std::fs::Metadata;
use std::io::SeekFrom;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use bytes::{Bytes, BytesMut};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use vigie::gix::{Day, crc32c};
use vigie::store::{Access, Source, Storage as _, page_directory};
use vigie_cli::stores::Stores;

use super::files::safe;
use super::ranges::Whole;
use crate::centre::Centre;

/// Bytes read and sent at a time.
const PART: usize = 256 << 10;

/// What the store writes: the index and the gap log of a camera and day, and media.
const KINDS: [(&str, &str); 3] =
    [("gix", "application/vnd.vigie.index"), ("gap", "application/vnd.vigie.gaps"), (MEDIA, "video/mp4")];

/// The end of the names of media files.
const MEDIA: &str = "m4v";

/// Answers GET and HEAD.
pub(crate) async fn serve(
    State(centre): State<Arc<Centre>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let path = uri.path().strip_prefix("/archive/").unwrap_or_default();
    if let Some(answer) = directory(&centre, path, &method, &headers).await {
        return answer;
    }
    if let Some(answer) = joined(&centre, path, &method, &headers).await {
        return answer;
    }
    let Some((file, metadata, kind)) = open(centre.places.stores(), path).await else {
        return (StatusCode::NOT_FOUND, "no such file in the store\n").into_response();
    };
    let whole = Whole { length: metadata.len(), tag: entity_tag(&metadata), kind };
    whole.answer(&method, &headers, |start, length| stream(file, start, length))
}

/// The index or gap log of a day that may lie on several volumes, all of them together.
async fn joined(centre: &Centre, path: &str, method: &Method, headers: &HeaderMap) -> Option<Response> {
    let kind = KINDS.iter().find(|(end, _)| *end != MEDIA && path.rsplit('.').next() == Some(*end))?.1;
    if !centre.places.stores().are_several() {
        return None;
    }
    let path = safe(path)?.to_str()?.to_owned();
    let mut storage = centre.places.stores().merged();
    let read = tokio::task::spawn_blocking(move || {
        let file = storage.open(&path, Access::Read).ok()?;
        let mut bytes = vec![0; usize::try_from(storage.len(file).ok()?).ok()?];
        let n = storage.read_at(file, 0, &mut bytes).ok()?;
        bytes.truncate(n);
        Some(Bytes::from(bytes))
    });
    Some(given(read.await.ok()??, kind, method, headers))
}

/// Bytes at hand.
pub(super) fn given(bytes: Bytes, kind: &'static str, method: &Method, headers: &HeaderMap) -> Response {
    let tag = format!("\"{:08x}-{:x}\"", crc32c(&[&bytes]), bytes.len());
    let whole = Whole { length: bytes.len() as u64, tag, kind };
    whole.answer(method, headers, |start, length| {
        Body::from(bytes.slice(start as usize..(start + length) as usize))
    })
}

/// The page directory of a camera's day, made from its index now.
async fn directory(centre: &Centre, path: &str, method: &Method, headers: &HeaderMap) -> Option<Response> {
    let (source, day) = path.strip_suffix(".pages")?.rsplit_once('/')?;
    let (tenant, camera) = source.split_once('/')?;
    let (source, day): (_, Day) = (Source::new(tenant, camera).ok()?, day.parse().ok()?);
    let mut storage = centre.places.stores().merged();
    let made = tokio::task::spawn_blocking(move || page_directory(&mut storage, &source, day));
    let bytes = Bytes::from(made.await.ok()?.ok()??);
    Some(given(bytes, "application/vnd.vigie.pages", method, headers))
}

/// Opens a file of the store: a kind that the store writes, under a store's own folder whatever links say.
async fn open(stores: &Stores, path: &str) -> Option<(File, Metadata, &'static str)> {
    let relative = safe(path)?;
    let extension = relative.extension()?.to_str()?;
    let (_, kind) = KINDS.iter().find(|(known, _)| *known == extension)?;
    let asked: Vec<_> = stores.roots().iter().map(|root| (root.clone(), root.join(relative))).collect();
    let opened = tokio::task::spawn_blocking(move || {
        asked.iter().find_map(|(root, asked)| {
            let real = asked.canonicalize().ok()?;
            if !real.starts_with(root.canonicalize().ok()?) {
                return None;
            }
            let file = std::fs::File::open(real).ok()?;
            let metadata = file.metadata().ok().filter(Metadata::is_file)?;
            Some((file, metadata))
        })
    });
    let (file, metadata) = opened.await.ok()??;
    Some((File::from_std(file), metadata, kind))
}

/// Strong: file, length and the moment of the last write. A growing file gets a new one with every append.
fn entity_tag(metadata: &Metadata) -> String {
    let (inode, length) = (metadata.ino(), metadata.len());
    format!("\"{inode:x}-{length:x}-{:x}.{:x}\"", metadata.mtime(), metadata.mtime_nsec())
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

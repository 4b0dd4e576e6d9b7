//! What was recorded, untouched, beside the movie that was made of it.

use std::collections::BTreeMap;

use vigie::gix::{FileMark, Key};
use vigie::store::Listing;

use super::folder::Folder;
use super::manifest::Original;
use super::read::{Reader, Stored};
use crate::failure::Failure;
use crate::output::Progress;

/// The folder below that of the export. What is in it is laid out as a store.
pub(super) const FOLDER: &str = "originals";
/// Bytes copied at a time.
const PIECE: u64 = 1 << 20;
/// More than the head of a media file has before its room.
const HEAD: usize = 256 << 10;

/// Copies what the range needs of each file: all of a file that lies in the range whole, else its head and those fragments.
/// So nothing leaves the store that was not asked for, but the rest of a GOP.
pub(super) fn copy(
    reader: &mut Reader<'_>,
    folder: &Folder,
    progress: &Progress,
    done: &mut u64,
) -> Result<Vec<Original>, Failure> {
    let mut files: BTreeMap<Key, Vec<Stored>> = BTreeMap::new();
    for stored in &reader.stored {
        files.entry(stored.key).or_default().push(*stored);
    }
    let mut out = Vec::new();
    for (key, fragments) in files {
        let name = format!("{FOLDER}/{}", Listing::path(&reader.source, key));
        let mut file = folder.file(&name)?;
        let whole = whole(reader, key, &fragments)?;
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        let mut write = |bytes: &[u8]| {
            *done += bytes.len() as u64;
            progress.at(*done);
            file.write(bytes)
        };
        if let Some(len) = whole {
            for from in (0..len).step_by(PIECE as usize) {
                let bytes = reader.bytes(key, from, (len - from).min(PIECE) as usize)?;
                write(&bytes)?;
            }
            ranges.push((0, len));
        } else {
            let (head, kept) = head(reader, key)?;
            write(&head)?;
            ranges.push((0, kept));
            for stored in &fragments {
                write(&reader.fragment(stored)?)?;
                let (from, to) = (stored.entry.offset, stored.entry.end());
                match ranges.last_mut() {
                    Some(last) if last.1 == from => last.1 = to,
                    _ => ranges.push((from, to)),
                }
            }
        }
        let spans = || fragments.iter().map(|stored| stored.entry.span());
        let (file, content) = file.whole();
        file.finish()?;
        out.push(Original {
            content,
            whole: whole.is_some(),
            from: spans().map(|s| s.from).min().unwrap_or_default().to_string(),
            to: spans().map(|s| s.to).max().unwrap_or_default().to_string(),
            fragments: fragments.len() as u64,
            ranges,
        });
    }
    Ok(out)
}

/// The length of a closed file all of whose fragments are wanted.
fn whole(reader: &mut Reader<'_>, key: Key, fragments: &[Stored]) -> Result<Option<u64>, Failure> {
    let indexed =
        reader.listing.segments.iter().find(|file| file.key == key).map(|file| file.fragments as usize);
    let Some(end) = fragments.last().map(|stored| stored.entry.end()) else { return Ok(None) };
    if indexed != Some(fragments.len()) {
        return Ok(None);
    }
    let len = reader.len(key)?;
    let tail = reader.bytes(key, end, 8)?;
    let closed = u32::try_from(len.saturating_sub(end))
        .is_ok_and(|left| left >= 8 && tail == [&left.to_be_bytes()[..], b"mfra"].concat());
    Ok(closed.then_some(len))
}

/// Init segment and mark as they are, and a `free` box in place of the room behind them, which told of fragments that are not
/// in this file. And how many bytes are as they were.
fn head(reader: &mut Reader<'_>, key: Key) -> Result<(Vec<u8>, u64), Failure> {
    let mut head = reader.bytes(key, 0, HEAD)?;
    let damaged = || {
        Failure::new(
            format!("the head of {} is damaged", Listing::path(&reader.source, key)),
            "export a range without it, or with --no-originals",
        )
    };
    let mark = FileMark::find(&head).map_err(|_| damaged())?;
    let kept = mark.init_len as usize + FileMark::LEN;
    let room = (mark.head_len as usize).checked_sub(kept).filter(|room| *room >= 8).ok_or_else(damaged)?;
    head.truncate(kept);
    head.extend_from_slice(&(room as u32).to_be_bytes());
    head.extend_from_slice(b"free");
    head.resize(mark.head_len as usize, 0);
    Ok((head, kept as u64))
}

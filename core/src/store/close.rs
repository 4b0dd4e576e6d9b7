//! Ending a media file: `mfra` behind it, `sidx` into its room.

use super::scan::{Head, Walk};
use super::{Error, File, Storage};
use crate::segment::{Layout, Span, sap_type};

/// Ends a file whose tail was cut, as the segmenter ends one, where that is not done yet.
pub(super) fn close_file(
    storage: &mut dyn Storage,
    file: File,
    head: &Head,
    walk: &Walk,
    len: u64,
) -> Result<bool, Error> {
    let layout = layout(head, walk);
    let (mfra, room) = (layout.mfra(), layout.room());
    let mut changed = false;
    if !holds(storage, file, walk.end, &mfra)? || len != walk.end + mfra.len() as u64 {
        storage.truncate(file, walk.end)?;
        storage.append(file, &[&mfra])?;
        storage.sync(file)?;
        changed = true;
    }
    if has_room(&layout, head) && !holds(storage, file, layout.room_at(), &room)? {
        storage.write_at(file, layout.room_at(), &room)?;
        storage.sync(file)?;
        changed = true;
    }
    Ok(changed)
}

/// Is the file closed as [`close_file`] closes it: its `mfra`, its `sidx`?
pub(super) fn closing(
    storage: &mut dyn Storage,
    file: File,
    head: &Head,
    walk: &Walk,
) -> Result<(bool, bool), Error> {
    let layout = layout(head, walk);
    let mfra = layout.mfra();
    let ends = walk.len == walk.end + mfra.len() as u64 && holds(storage, file, walk.end, &mfra)?;
    let room = !has_room(&layout, head) || holds(storage, file, layout.room_at(), &layout.room())?;
    Ok((ends, room))
}

/// The bookkeeping of a file, from its marks.
fn layout(head: &Head, walk: &Walk) -> Layout {
    let sap = sap_type(head.mark.codec.as_str());
    let mut layout = Layout::new(sap, (head.init.len() + crate::gix::FileMark::LEN) as u64);
    for (offset, mark) in &walk.fragments {
        layout.skip(offset.saturating_sub(layout.len()));
        layout.push(Span::from_mark(mark));
    }
    layout
}

/// A head of another make has another room: the file is whole without a `sidx`.
fn has_room(layout: &Layout, head: &Head) -> bool {
    layout.room_at() + crate::segment::ROOM as u64 == u64::from(head.mark.head_len)
}

fn holds(storage: &mut dyn Storage, file: File, at: u64, bytes: &[u8]) -> Result<bool, Error> {
    let mut there = alloc::vec![0; bytes.len()];
    let n = storage.read_at(file, at, &mut there)?;
    Ok(there.get(..n) == Some(bytes))
}

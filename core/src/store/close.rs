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
    let sap = sap_type(head.mark.codec.as_str());
    let mut layout = Layout::new(sap, (head.init.len() + crate::gix::FileMark::LEN) as u64);
    for (offset, mark) in &walk.fragments {
        layout.skip(offset.saturating_sub(layout.len()));
        layout.push(Span::from_mark(mark));
    }
    let (mfra, room) = (layout.mfra(), layout.room());
    let mut changed = false;
    if !holds(storage, file, walk.end, &mfra)? || len != walk.end + mfra.len() as u64 {
        storage.truncate(file, walk.end)?;
        storage.append(file, &[&mfra])?;
        storage.sync(file)?;
        changed = true;
    }
    // A head of another make has another room: the file is whole without a `sidx`.
    let fits = layout.room_at() + room.len() as u64 == u64::from(head.mark.head_len);
    if fits && !holds(storage, file, layout.room_at(), &room)? {
        storage.write_at(file, layout.room_at(), &room)?;
        storage.sync(file)?;
        changed = true;
    }
    Ok(changed)
}

fn holds(storage: &mut dyn Storage, file: File, at: u64, bytes: &[u8]) -> Result<bool, Error> {
    let mut there = alloc::vec![0; bytes.len()];
    let n = storage.read_at(file, at, &mut there)?;
    Ok(there.get(..n) == Some(bytes))
}

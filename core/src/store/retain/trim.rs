//! What a hold keeps of a file that expires: `docs/format.md` §9.3.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::gix::{FileMark, FileRecord, FragmentMark, Id, Key};
use crate::octets::Write as _;
use crate::segment::{Layout, Span};
use crate::store::close::close_file;
use crate::store::scan::{Head, Walk, head, heads, walk_file, with_file};
use crate::store::storage::folder_of;
use crate::store::{Access, Error, File, Kind, Source, Storage};

/// Bytes of an empty `free` box.
const FREE: u64 = 8;

/// Where the fragments that are left will stand, and where the last ends.
fn places(head_len: u64, kept: &[(u64, FragmentMark)]) -> (Vec<u64>, u64) {
    let (mut at, mut before) = (head_len, None);
    let place = |(offset, mark): &(u64, FragmentMark)| {
        if before.is_some_and(|end| end != *offset) {
            at += FREE;
        }
        let here = at;
        at += u64::from(mark.len);
        before = Some(offset + u64::from(mark.len));
        here
    };
    let places = kept.iter().map(place).collect();
    (places, at)
}

/// Bytes of the file that will be left.
pub(super) fn length(file: &FileRecord, kept: &[(u64, FragmentMark)]) -> u64 {
    let room_at = u64::from(file.init_len) + FileMark::LEN as u64;
    let (places, end) = places(u64::from(file.head_len), kept);
    // What `mfra` holds depends on no codec.
    let mut layout = Layout::new(0, room_at);
    for (at, (_, mark)) in places.iter().zip(kept) {
        layout.skip(at.saturating_sub(layout.len()));
        layout.push(Span::from_mark(mark));
    }
    end + layout.mfra().len() as u64
}

/// Bytes of a closed file that has these fragments, and no others.
pub(super) fn closed_length(file: &FileRecord, fragments: &[(u64, FragmentMark)]) -> u64 {
    let mut layout = Layout::new(0, u64::from(file.init_len) + FileMark::LEN as u64);
    let mut end = 0;
    for (at, mark) in fragments {
        layout.push(Span::from_mark(mark));
        end = at + u64::from(mark.len);
    }
    end + layout.mfra().len() as u64
}

/// Where the fragments of a file stand, by where an index has them.
#[derive(Clone, Debug)]
pub(super) struct Moved {
    /// Does its mark say that it is trimmed?
    pub(super) trimmed: bool,
    pub(super) places: BTreeMap<u64, u64>,
}

/// Where the fragments of a file stand that an index has elsewhere, since a power cut came between trimming the file and replacing
/// the index; of those that are there, by where the index has them.
pub(super) fn moved(
    storage: &mut dyn Storage,
    source: &Source,
    key: Key,
    indexed: &[(u64, FragmentMark)],
) -> Result<Moved, Error> {
    let mut moved = Moved { trimmed: false, places: BTreeMap::new() };
    for head in heads(storage, source, &[key])?.0 {
        moved.trimmed = head.mark.trimmed;
        let walk = walk_file(storage, source, &head, u64::from(head.mark.head_len), 0)?;
        for (at, mark) in walk.fragments {
            let same = |(_, known): &&(u64, FragmentMark)| (known.crc, known.dts) == (mark.crc, mark.dts);
            if let Some((old, _)) = indexed.iter().find(same) {
                moved.places.insert(*old, at);
            }
        }
    }
    Ok(moved)
}

/// Replaces a file by one that has only these fragments. Gives where they stand then; `None` where the file was left whole, since
/// one of them fails its check.
pub(super) fn trim(
    storage: &mut dyn Storage,
    source: &Source,
    key: Key,
    kept: &[(u64, FragmentMark)],
) -> Result<Option<Vec<u64>>, Error> {
    let path = alloc::format!("{source}/{key}");
    let trimmed = alloc::format!("{path}.trim");
    let from = storage.open(&path, Access::Read)?;
    let made = make(storage, from, &trimmed, key, kept);
    storage.close(from);
    let places = match made {
        Ok(Some(places)) => places,
        other => {
            // On a full disk its room is wanted.
            let _ = storage.remove(&trimmed);
            return other;
        }
    };
    storage.rename(&trimmed, &path)?;
    storage.sync_folder(folder_of(&path))?;
    Ok(Some(places))
}

fn make(
    storage: &mut dyn Storage,
    from: File,
    trimmed: &str,
    key: Key,
    kept: &[(u64, FragmentMark)],
) -> Result<Option<Vec<u64>>, Error> {
    let Some(whole) = head(storage, from, key)? else { return Ok(None) };
    if u64::from(whole.mark.head_len) > storage.len(from)? {
        return Ok(None);
    }
    let mark = FileMark { trimmed: true, ..whole.mark };
    let head = Head { mark, init: whole.init };
    match storage.remove(trimmed) {
        Ok(()) | Err(Error { kind: Kind::NotFound, .. }) => {}
        Err(error) => return Err(error),
    }
    let made = storage.create_new(trimmed)?;
    storage.close(made);
    with_file(storage, trimmed, Access::Write, |storage, to| copy(storage, from, to, &head, kept))
}

fn copy(
    storage: &mut dyn Storage,
    from: File,
    to: File,
    head: &Head,
    kept: &[(u64, FragmentMark)],
) -> Result<Option<Vec<u64>>, Error> {
    let mark = head.mark.write(&head.init);
    let room_len = (head.mark.head_len as usize).saturating_sub(head.init.len() + mark.len());
    let mut room = Vec::with_capacity(room_len);
    if room_len >= FREE as usize {
        room.put_u32(room_len as u32);
        room.put(b"free");
    }
    room.resize(room_len, 0);
    storage.append(to, &[&head.init, &mark, &room])?;
    let head_len = u64::from(head.mark.head_len);
    let (places, end) = places(head_len, kept);
    let (mut at, mut fragments) = (head_len, Vec::with_capacity(kept.len()));
    for (place, (offset, known)) in places.iter().zip(kept) {
        let Some((bytes, mark)) = fragment(storage, from, *offset, known, head.mark.id)? else {
            return Ok(None);
        };
        let gap: &[u8] = if *place > at { b"\0\0\0\x08free" } else { b"" };
        storage.append(to, &[gap, &bytes])?;
        at = place + bytes.len() as u64;
        fragments.push((*place, mark));
    }
    storage.sync(to)?;
    let walk = Walk { fragments, end, len: end, ..Walk::default() };
    close_file(storage, to, head, &walk, end)?;
    Ok(Some(places))
}

/// A fragment's bytes, if they pass.
fn fragment(
    storage: &mut dyn Storage,
    file: File,
    offset: u64,
    known: &FragmentMark,
    id: Id,
) -> Result<Option<(Vec<u8>, FragmentMark)>, Error> {
    if offset.saturating_add(known.len.into()) > storage.len(file)? {
        return Ok(None);
    }
    let mut bytes = alloc::vec![0; known.len as usize];
    let n = storage.read_at(file, offset, &mut bytes)?;
    let mark = FragmentMark::parse(&bytes).ok();
    let whole = |mark: &FragmentMark| {
        n == bytes.len()
            && mark.file == id
            && mark.crc == known.crc
            && FragmentMark::passes(&bytes, known.crc)
    };
    Ok(mark.filter(whole).map(|mark| (bytes, mark)))
}

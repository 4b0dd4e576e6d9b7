//! Finding the whole fragments of a media file, `docs/format.md` §2.3; and from them the index of a day.

use alloc::string::String;
use alloc::vec::Vec;

use super::storage::folder_of;
use super::{Access, Error, File, Kind, Source, Storage, media_path};
use crate::gix::{Builder, Crc32c, Day, FileMark, FragmentMark, Key, Kind as GixKind};

/// Bytes read at a time.
const PIECE: usize = 256 << 10;
/// Bytes that a head (init segment and mark) may have.
const HEAD: usize = 4 << 20;

/// Bytes that a media file may have: its fragments' offsets are 32 bits in the index.
pub(super) const LARGEST: u64 = 1 << 32;

/// A media file's head.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) mark: FileMark,
    pub(super) init: Vec<u8>,
}

/// What a walk through a media file finds.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    /// Whole fragments and where they start.
    pub(super) fragments: Vec<(u64, FragmentMark)>,
    /// Where bytes stand that belong to no whole fragment, though whole ones follow, and how many.
    pub(super) holes: Vec<(u64, u64)>,
    /// Just after the last whole fragment; what follows, but for an `mfra`, is a torn tail.
    pub(super) end: u64,
    /// Does an `mfra` that reaches to the end of the file start at `end`?
    pub(super) closed: bool,
    /// Bytes of the file.
    pub(super) len: u64,
}

/// Reads the head; `None` where the file does not count.
pub(super) fn head(storage: &mut dyn Storage, file: File, key: Key) -> Result<Option<Head>, Error> {
    let mut bytes = alloc::vec![0; 4 << 10];
    loop {
        let n = storage.read_at(file, 0, &mut bytes)?;
        match FileMark::find(bytes.get(..n).unwrap_or(&[])) {
            Ok(mark) if mark.key == key => {
                bytes.truncate(mark.init_len as usize);
                return Ok(Some(Head { mark, init: bytes }));
            }
            Err(error) if error.kind == GixKind::Short && n == bytes.len() && n < HEAD => {
                bytes.resize(n * 4, 0);
            }
            Err(error) if error.kind == GixKind::Version => return Err(Kind::Version.into()),
            _ => return Ok(None),
        }
    }
}

/// The init segment that a media file starts with; `None` where the file's head does not pass.
///
/// # Errors
/// [`Kind::NotFound`], [`Kind::Version`]; all that a disk can fail by.
pub fn read_init(storage: &mut dyn Storage, source: &Source, key: Key) -> Result<Option<Vec<u8>>, Error> {
    let found = with_file(storage, &media_path(source, key), Access::Read, |s, file| head(s, file, key))?;
    Ok(found.map(|head| head.init))
}

/// Walks through a file from `from` on; fragments found have numbers from `number` on.
fn walk(storage: &mut dyn Storage, file: File, head: &Head, from: u64, number: u32) -> Result<Walk, Error> {
    let len = storage.len(file)?;
    let mut walk = Walk { end: from, len, ..Walk::default() };
    let mut next = number;
    let mut at = from;
    let most = usize::try_from(len.saturating_sub(from)).map_or(PIECE, |left| left.min(PIECE));
    let mut reader = Piece { most, ..Piece::default() };
    while at < len.min(LARGEST) {
        if let Some(mark) = reader.whole(storage, file, at, len, head, next)? {
            if at > walk.end {
                walk.holes.push((walk.end, at - walk.end));
            }
            walk.fragments.push((at, mark));
            next = mark.number.saturating_add(1);
            at += u64::from(mark.len);
            walk.end = at;
            continue;
        }
        let mut start = [0; 8];
        reader.read(storage, file, at, &mut start)?;
        let size = u64::from(u32::from_be_bytes([start[0], start[1], start[2], start[3]]));
        if at == walk.end && start.get(4..) == Some(b"mfra") && at + size == len {
            walk.closed = true;
            break;
        }
        let filled = start.get(4..) == Some(b"free") && size >= 8;
        if filled && reader.whole(storage, file, at + size, len, head, next)?.is_some() {
            // A hole that an earlier recovery filled.
            at += size;
            walk.end = at;
            continue;
        }
        match reader.seek(storage, file, at + 1, len, head, next)? {
            Some(found) => at = found,
            None => break,
        }
    }
    Ok(walk)
}

/// The bytes read last.
#[derive(Default)]
struct Piece {
    at: u64,
    bytes: Vec<u8>,
    /// Bytes to read at a time.
    most: usize,
}

impl Piece {
    /// At least one byte from `at` on, as many as are at hand; none at the end of the file.
    fn from(&mut self, storage: &mut dyn Storage, file: File, at: u64) -> Result<&[u8], Error> {
        let within = at.checked_sub(self.at).is_some_and(|n| n < self.bytes.len() as u64);
        if !within {
            self.bytes.resize(self.most, 0);
            let n = storage.read_at(file, at, &mut self.bytes)?;
            self.bytes.truncate(n);
            self.at = at;
        }
        Ok(self.bytes.get((at - self.at) as usize..).unwrap_or(&[]))
    }

    fn read(
        &mut self,
        storage: &mut dyn Storage,
        file: File,
        at: u64,
        into: &mut [u8],
    ) -> Result<usize, Error> {
        let mut done = 0;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let there = self.from(storage, file, at + done as u64)?;
            let n = there.len().min(rest.len());
            if n == 0 {
                break;
            }
            rest.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
            done += n;
        }
        Ok(done)
    }

    /// The mark of the fragment at `at`, where a whole one stands there.
    fn whole(
        &mut self,
        storage: &mut dyn Storage,
        file: File,
        at: u64,
        len: u64,
        head: &Head,
        number: u32,
    ) -> Result<Option<FragmentMark>, Error> {
        let mut start = [0; FragmentMark::LEN];
        if self.read(storage, file, at, &mut start)? < start.len() {
            return Ok(None);
        }
        let Ok(mark) = FragmentMark::parse(&start) else { return Ok(None) };
        let fits = mark.len as usize >= FragmentMark::LEN && at + u64::from(mark.len) <= len;
        if !fits || mark.file != head.mark.id || mark.number < number {
            return Ok(None);
        }
        let mut crc = Crc32c::default();
        crc.update(start.get(..FragmentMark::LEN - 4).unwrap_or(&[]));
        let mut done = FragmentMark::LEN as u64;
        while done < u64::from(mark.len) {
            let there = self.from(storage, file, at + done)?;
            let n = (there.len() as u64).min(u64::from(mark.len) - done);
            if n == 0 {
                return Ok(None);
            }
            crc.update(there.get(..n as usize).unwrap_or(&[]));
            done += n;
        }
        Ok((crc.value() == mark.crc).then_some(mark))
    }

    /// Where the next whole fragment starts, from `at` on.
    fn seek(
        &mut self,
        storage: &mut dyn Storage,
        file: File,
        mut at: u64,
        len: u64,
        head: &Head,
        number: u32,
    ) -> Result<Option<u64>, Error> {
        // The mark's type stands 8 bytes into it.
        const BEFORE: usize = 8 + FragmentMark::TYPE.len();
        while at < LARGEST && at + FragmentMark::LEN as u64 <= len {
            let mut window = self.from(storage, file, at)?;
            if window.len() < BEFORE {
                // At the seam of two pieces: read anew from here.
                self.bytes.clear();
                window = self.from(storage, file, at)?;
            }
            if window.len() < BEFORE {
                // The file ends before its length.
                break;
            }
            let found =
                window.windows(FragmentMark::TYPE.len()).skip(8).position(|w| w == FragmentMark::TYPE);
            let looked = window.len() - (BEFORE - 1);
            match found {
                Some(n) => {
                    at += n as u64;
                    if self.whole(storage, file, at, len, head, number)?.is_some() {
                        return Ok(Some(at));
                    }
                    at += 1;
                }
                None => at += looked as u64,
            }
        }
        Ok(None)
    }
}

/// The media files of a day with their lengths, by key, and the names of what else lies between them.
#[derive(Debug, Default)]
pub(super) struct DayFiles {
    pub(super) media: Vec<(Key, u64)>,
    pub(super) others: Vec<String>,
}

pub(super) fn day_files(storage: &mut dyn Storage, source: &Source, day: Day) -> Result<DayFiles, Error> {
    let mut out = DayFiles::default();
    let hours = match storage.list(&alloc::format!("{source}/{day}")) {
        Err(Error { kind: Kind::NotFound, .. }) => return Ok(out),
        other => other?,
    };
    for hour in hours.into_iter().filter(|hour| hour.folder) {
        let folder = alloc::format!("{day}/{}", hour.name);
        for file in storage.list(&alloc::format!("{source}/{folder}"))? {
            let name = alloc::format!("{folder}/{}", file.name);
            match name.parse() {
                Ok(key) if !file.folder => out.media.push((key, file.len)),
                _ => out.others.push(name),
            }
        }
    }
    out.media.sort_unstable();
    Ok(out)
}

/// The files among `keys` that count, by ordinal.
pub(super) fn heads(
    storage: &mut dyn Storage,
    source: &Source,
    keys: &[Key],
) -> Result<(Vec<Head>, Vec<Key>), Error> {
    let (mut heads, mut others) = (Vec::new(), Vec::new());
    for key in keys {
        match with_file(storage, &alloc::format!("{source}/{key}"), Access::Read, |s, file| {
            head(s, file, *key)
        })? {
            Some(head) => heads.push(head),
            None => others.push(*key),
        }
    }
    heads.sort_by_key(|head: &Head| (head.mark.ordinal, head.mark.key));
    Ok((heads, others))
}

/// Does something with an open file, and closes it.
pub(super) fn with_file<T>(
    storage: &mut dyn Storage,
    path: &str,
    access: Access,
    what: impl FnOnce(&mut dyn Storage, File) -> Result<T, Error>,
) -> Result<T, Error> {
    let file = storage.open(path, access)?;
    let done = what(storage, file);
    storage.close(file);
    done
}

/// The index of a day, made from its media alone: reads all of them. Empty where there is no footage.
///
/// # Errors
/// All that a disk can fail by, and [`Kind::Version`].
pub fn rebuild(storage: &mut dyn Storage, source: &Source, day: Day) -> Result<Vec<u8>, Error> {
    Ok(index_of(&walk_day(storage, source, day)?.0).1)
}

/// A file that counts, and what a walk through it found.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) head: Head,
    pub(super) walk: Walk,
}

/// Walks through all the media files of a day that count, by ordinal. Gives also those that do not count.
pub(super) fn walk_day(
    storage: &mut dyn Storage,
    source: &Source,
    day: Day,
) -> Result<(Vec<Walked>, Vec<Key>), Error> {
    let files = day_files(storage, source, day)?;
    let keys: Vec<Key> = files.media.iter().map(|(key, _)| *key).collect();
    let (heads, others) = heads(storage, source, &keys)?;
    let mut walked = Vec::new();
    for head in heads {
        let walk = walk_file(storage, source, &head, u64::from(head.mark.head_len), 0)?;
        walked.push(Walked { head, walk });
    }
    Ok((walked, others))
}

/// [`walk`], by name.
pub(super) fn walk_file(
    storage: &mut dyn Storage,
    source: &Source,
    head: &Head,
    from: u64,
    number: u32,
) -> Result<Walk, Error> {
    let path = alloc::format!("{source}/{}", head.mark.key);
    with_file(storage, &path, Access::Read, |storage, file| walk(storage, file, head, from, number))
}

/// The index that all the files of a day give, by ordinal.
pub(super) fn index_of(files: &[Walked]) -> (Builder, Vec<u8>) {
    let (mut builder, mut index) = (Builder::new(), Vec::new());
    for Walked { head, walk } in files {
        builder.file(&head.mark, &head.init);
        for (offset, mark) in &walk.fragments {
            builder.fragment(*offset, mark, &mut index);
        }
    }
    (builder, index)
}

/// Syncs a folder and those above it.
pub(super) fn sync_folders(storage: &mut dyn Storage, folder: &str) -> Result<(), Error> {
    let mut folder = folder;
    loop {
        storage.sync_folder(folder)?;
        if folder.is_empty() {
            return Ok(());
        }
        folder = folder_of(folder);
    }
}

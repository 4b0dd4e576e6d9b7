//! Several volumes read as one store: `docs/format.md` §1.1.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::storage::read_whole;
use super::{Access, Error, File, GapEntry, Kind, Listed, Storage};
use crate::gix::{Builder, Day, Entry, FileMark, Index, InitRecord, Key};

/// Several volumes read as one store. A day that lies on several has one index, made of theirs: files by rising key, those of
/// one volume in their order; and one gap log. Volumes that are not there (not mounted) are left out. It cannot be written.
#[derive(Debug)]
pub struct Merged<S> {
    volumes: Vec<S>,
    open: Vec<Option<Opened>>,
}

#[derive(Debug)]
enum Opened {
    /// A file of a volume.
    On(usize, File),
    /// Made of several.
    Made(Vec<u8>),
}

/// A second handle on the same volumes, with no files open.
impl<S: Clone> Clone for Merged<S> {
    fn clone(&self) -> Self {
        Self::new(self.volumes.clone())
    }
}

impl<S> Merged<S> {
    /// Of these. Where a file is on several, that of the first is read.
    #[must_use]
    pub const fn new(volumes: Vec<S>) -> Self {
        Self { volumes, open: Vec::new() }
    }
}

impl<S: Storage> Merged<S> {
    fn keep(&mut self, opened: Opened) -> File {
        let free = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        if free == self.open.len() {
            self.open.push(None);
        }
        if let Some(place) = self.open.get_mut(free) {
            *place = Some(opened);
        }
        File(free as u32)
    }

    /// The whole of a file on each volume that has it.
    fn all(&mut self, path: &str) -> Result<Vec<Vec<u8>>, Error> {
        let mut all = Vec::new();
        for volume in &mut self.volumes {
            all.extend(read_whole(volume, path)?);
        }
        Ok(all)
    }

    /// How many volumes have a file.
    fn on(&mut self, path: &str) -> Result<usize, Error> {
        let mut on = 0;
        for volume in &mut self.volumes {
            match volume.open(path, Access::Read) {
                Ok(file) => {
                    volume.close(file);
                    on += 1;
                }
                Err(Error { kind: Kind::NotFound, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(on)
    }

    /// What a file that lies on several volumes is, all of them together; `None` where one of them is read as it is.
    fn made(&mut self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        if self.volumes.len() < 2 {
            return Ok(None);
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let day = |end: &str| -> Option<Day> { name.strip_suffix(end)?.parse().ok() };
        if let Some(day) = day(".gix")
            && self.on(path)? > 1
        {
            return merge_indexes(&self.all(path)?, day).map(Some);
        }
        if day(".gap").is_some() && self.on(path)? > 1 {
            return Ok(Some(merge_logs(&self.all(path)?)));
        }
        Ok(None)
    }
}

/// A file of an index, with what is needed to write it anew.
struct Part {
    mark: FileMark,
    init: InitRecord,
    entries: Vec<Entry>,
}

/// The files of an index, in order; none of one that does not pass.
fn parts(bytes: &[u8], day: Day) -> Result<Vec<Part>, Error> {
    let index = match Index::read(bytes, day) {
        Ok((index, _)) => index,
        Err(error) if error.kind == crate::gix::Kind::Version => return Err(Kind::Version.into()),
        Err(_) => return Ok(Vec::new()),
    };
    let mut out: Vec<Part> = Vec::new();
    let mut place = None;
    for entry in index.entries() {
        if place != Some(entry.file) {
            place = Some(entry.file);
            let (Some(file), Some(init), Some(header)) =
                (index.file_of(entry), index.init_of(entry), index.header())
            else {
                continue;
            };
            let mark = FileMark::of_record(file, &init.record, entry.kid, header);
            out.push(Part { mark, init: init.record, entries: Vec::new() });
        }
        if let Some(part) = out.last_mut() {
            part.entries.push(*entry);
        }
    }
    Ok(out)
}

fn merge_indexes(all: &[Vec<u8>], day: Day) -> Result<Vec<u8>, Error> {
    let mut volumes = Vec::new();
    for bytes in all {
        volumes.push(parts(bytes, day)?.into_iter().peekable());
    }
    let (mut builder, mut out) = (Builder::new(), Vec::new());
    loop {
        let key = |volume: &mut core::iter::Peekable<alloc::vec::IntoIter<Part>>| -> Option<Key> {
            volume.peek().map(|part| part.mark.key)
        };
        let next = volumes.iter_mut().enumerate().filter_map(|(n, v)| Some((key(v)?, n))).min();
        let Some(part) = next.and_then(|(_, n)| volumes.get_mut(n)?.next()) else { return Ok(out) };
        builder.file_again(&part.mark, part.init);
        for entry in &part.entries {
            builder.fragment(entry.offset, &entry.mark, &mut out);
        }
    }
}

/// Entries by time, those of one volume in their order where they are of the same.
fn merge_logs(all: &[Vec<u8>]) -> Vec<u8> {
    let mut entries: Vec<GapEntry> = all.iter().flat_map(|log| GapEntry::read_all(log)).collect();
    entries.sort_by_key(|entry| entry.at);
    entries.iter().enumerate().flat_map(|(n, entry)| entry.write(n as u32)).collect()
}

const READ_ONLY: Error = Error::at(Kind::ReadOnly, 0);

impl<S: Storage> Storage for Merged<S> {
    fn create_new(&mut self, _: &str) -> Result<File, Error> {
        Err(READ_ONLY)
    }

    fn open(&mut self, path: &str, access: Access) -> Result<File, Error> {
        if access == Access::Write {
            return Err(READ_ONLY);
        }
        if let Some(made) = self.made(path)? {
            return Ok(self.keep(Opened::Made(made)));
        }
        for n in 0..self.volumes.len() {
            let opened = self.volumes.get_mut(n).map(|volume| volume.open(path, access));
            match opened {
                Some(Err(Error { kind: Kind::NotFound, .. })) | None => {}
                Some(opened) => {
                    let file = opened?;
                    return Ok(self.keep(Opened::On(n, file)));
                }
            }
        }
        Err(Kind::NotFound.into())
    }

    fn close(&mut self, file: File) {
        let opened = self.open.get_mut(file.0 as usize).and_then(Option::take);
        if let Some(Opened::On(n, file)) = opened
            && let Some(volume) = self.volumes.get_mut(n)
        {
            volume.close(file);
        }
    }

    fn append(&mut self, _: File, _: &[&[u8]]) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    fn write_at(&mut self, _: File, _: u64, _: &[u8]) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    fn read_at(&mut self, file: File, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        match self.open.get(file.0 as usize) {
            Some(Some(Opened::On(n, file))) => match self.volumes.get_mut(*n) {
                Some(volume) => volume.read_at(*file, offset, into),
                None => Err(Kind::NoFile.into()),
            },
            Some(Some(Opened::Made(bytes))) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                let there = bytes.get(from..).unwrap_or(&[]);
                let n = there.len().min(into.len());
                into.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
                Ok(n)
            }
            _ => Err(Kind::NoFile.into()),
        }
    }

    fn len(&mut self, file: File) -> Result<u64, Error> {
        match self.open.get(file.0 as usize) {
            Some(Some(Opened::On(n, file))) => match self.volumes.get_mut(*n) {
                Some(volume) => volume.len(*file),
                None => Err(Kind::NoFile.into()),
            },
            Some(Some(Opened::Made(bytes))) => Ok(bytes.len() as u64),
            _ => Err(Kind::NoFile.into()),
        }
    }

    fn truncate(&mut self, _: File, _: u64) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    fn sync(&mut self, _: File) -> Result<(), Error> {
        Ok(())
    }

    fn sync_folder(&mut self, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn rename(&mut self, _: &str, _: &str) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    fn remove(&mut self, _: &str) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    /// A file that is on several volumes has the length of the longest here.
    fn list(&mut self, folder: &str) -> Result<Vec<Listed>, Error> {
        let (mut all, mut there): (BTreeMap<String, Listed>, bool) = (BTreeMap::new(), false);
        for volume in &mut self.volumes {
            let listed = match volume.list(folder) {
                Err(Error { kind: Kind::NotFound, .. }) => continue,
                other => other?,
            };
            there = true;
            for file in listed {
                let known = all.entry(file.name.clone()).or_insert_with(|| file.clone());
                known.len = known.len.max(file.len);
            }
        }
        if there { Ok(all.into_values().collect()) } else { Err(Kind::NotFound.into()) }
    }

    fn lock(&mut self, _: &str) -> Result<(), Error> {
        Err(READ_ONLY)
    }

    fn unlock(&mut self, _: &str) {}

    fn remove_folder(&mut self, _: &str) -> Result<(), Error> {
        Err(READ_ONLY)
    }
}

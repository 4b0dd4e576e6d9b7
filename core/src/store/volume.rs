//! A disk that knows which one it is, and keeps some room back: `docs/format.md` §1.1.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::storage::read_start;
use super::{Access, Error, File, Kind, Listed, Storage};
use crate::gix::crc32c;

/// Where a volume's id stands.
const MARK: &str = ".vigie-volume";
/// The room that is kept back.
const RESERVE: &str = ".vigie-reserve";
/// While it is being made.
const RESERVE_NEW: &str = ".vigie-reserve.new";
/// Bytes of the reserve that are written at a time.
const PIECE: usize = 1 << 20;
/// Bytes that the id file may have.
const LONGEST: u64 = 256;

/// Which volume it is: random bytes, given by the caller when the volume is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeId(pub [u8; 16]);

/// 32 hexadecimal digits.
impl fmt::Display for VolumeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for VolumeId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let number = u128::from_str_radix(text, 16).ok();
        let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        number.filter(|_| digits).map(|n| Self(n.to_be_bytes())).ok_or(Kind::ForeignVolume.into())
    }
}

/// What a volume says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VolumeMark {
    /// Which one it is.
    pub id: VolumeId,
    /// Bytes kept back, so that on a full disk what is open can still be closed.
    pub reserve: u64,
}

impl VolumeMark {
    fn write(self) -> String {
        let line = alloc::format!("vigie volume 1 {} reserve {}", self.id, self.reserve);
        let crc = crc32c(&[line.as_bytes()]);
        alloc::format!("{line} {crc:08x}\n")
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
        let (line, crc) = text.rsplit_once(' ')?;
        if u32::from_str_radix(crc, 16).ok()? != crc32c(&[line.as_bytes()]) {
            return None;
        }
        let (id, reserve) = line.strip_prefix("vigie volume 1 ")?.split_once(" reserve ")?;
        Some(Self { id: id.parse().ok()?, reserve: reserve.parse().ok()? })
    }
}

/// A storage that is one volume among others, and no other.
///
/// Before a file is created, opened for writing, renamed or removed, the volume's id file is read: where it is missing (the
/// disk is not mounted, and what is there is the empty folder below) or tells another id, the answer is
/// [`Kind::NoVolume`] or [`Kind::ForeignVolume`], and nothing is written or deleted.
///
/// Where the volume has a reserve, footage is refused from the moment that the disk is full until the reserve is whole again:
/// what is open is closed in its room.
#[derive(Clone, Debug)]
pub struct Volume<S> {
    storage: S,
    /// `None`: the one that is found there first.
    mark: Option<VolumeMark>,
}

impl<S: Storage> Volume<S> {
    /// Makes a folder a volume: `id` is random, `reserve` the bytes kept back (0: none; 16 MiB are enough for some hundred
    /// cameras).
    ///
    /// # Errors
    /// [`Kind::Exists`] where it is one already; all that a disk can fail by.
    pub fn create(mut storage: S, id: VolumeId, reserve: u64) -> Result<Self, Error> {
        let mark = VolumeMark { id, reserve };
        let file = storage.create_new(MARK)?;
        let written = storage.append(file, &[mark.write().as_bytes()]).and_then(|()| storage.sync(file));
        storage.close(file);
        written?;
        storage.sync_folder("")?;
        let mut volume = Self { storage, mark: Some(mark) };
        volume.room()?;
        Ok(volume)
    }

    /// What volume this is; `None` where the folder is none.
    ///
    /// # Errors
    /// [`Kind::ForeignVolume`] where its id file cannot be read; all that a disk can fail by.
    pub fn find(storage: &mut S) -> Result<Option<VolumeMark>, Error> {
        find(storage)
    }

    /// The volume that this is, or that it has to be.
    ///
    /// # Errors
    /// [`Kind::NoVolume`] where it is none, [`Kind::ForeignVolume`] where it is another than `id`; all that a disk can fail by.
    pub fn open(mut storage: S, id: Option<VolumeId>) -> Result<Self, Error> {
        let mark = find(&mut storage)?.ok_or(Error::from(Kind::NoVolume))?;
        if id.is_some_and(|id| id != mark.id) {
            return Err(Kind::ForeignVolume.into());
        }
        match storage.remove(RESERVE_NEW) {
            Ok(()) | Err(Error { kind: Kind::NotFound, .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(Self { storage, mark: Some(mark) })
    }

    /// A volume whose disk may not be mounted yet: the one that is found there first, and no other after it. Until then each
    /// write answers [`Kind::NoVolume`].
    #[must_use]
    pub const fn expected(storage: S) -> Self {
        Self { storage, mark: None }
    }

    /// Which one it is; `None` while it is [`expected`](Self::expected) and was not found.
    #[must_use]
    pub const fn mark(&self) -> Option<VolumeMark> {
        self.mark
    }

    /// The storage below.
    pub const fn storage(&mut self) -> &mut S {
        &mut self.storage
    }

    /// Is it still this volume that is there?
    fn check(&mut self) -> Result<(), Error> {
        let found = find(&mut self.storage)?.ok_or(Error::from(Kind::NoVolume))?;
        if self.mark.get_or_insert(found).id == found.id { Ok(()) } else { Err(Kind::ForeignVolume.into()) }
    }

    fn reserve(&self) -> u64 {
        self.mark.map_or(0, |mark| mark.reserve)
    }

    /// Makes the reserve.
    fn set_aside(&mut self) -> Result<(), Error> {
        self.check()?;
        let file = match self.storage.create_new(RESERVE_NEW) {
            // Another process is at it.
            Err(Error { kind: Kind::Exists, .. }) => return Err(Kind::Full.into()),
            other => other?,
        };
        let reserve = self.reserve();
        let written = fill(&mut self.storage, file, reserve);
        self.storage.close(file);
        if let Err(error) = written {
            let _ = self.storage.remove(RESERVE_NEW);
            return Err(error);
        }
        self.storage.rename(RESERVE_NEW, RESERVE)?;
        self.storage.sync_folder("")
    }

    /// Is the reserve whole?
    fn has_reserve(&mut self) -> Result<bool, Error> {
        match self.storage.open(RESERVE, Access::Read) {
            Ok(file) => {
                let len = self.storage.len(file);
                self.storage.close(file);
                Ok(len? >= self.reserve())
            }
            Err(Error { kind: Kind::NotFound, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn find(storage: &mut dyn Storage) -> Result<Option<VolumeMark>, Error> {
    let whole = match read_start(storage, MARK, LONGEST) {
        // The folder itself may be missing, too.
        Err(Error { kind: Kind::NotAFolder, .. }) => return Ok(None),
        other => other?,
    };
    match whole {
        Some(bytes) => VolumeMark::read(&bytes).map(Some).ok_or(Kind::ForeignVolume.into()),
        None => Ok(None),
    }
}

/// Bytes that no file system makes smaller.
fn fill(storage: &mut dyn Storage, file: File, len: u64) -> Result<(), Error> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut left = len;
    while left > 0 {
        let n = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
        let mut piece: Vec<u8> = Vec::with_capacity(n + 8);
        while piece.len() < n {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            piece.extend_from_slice(&state.to_be_bytes());
        }
        piece.truncate(n);
        storage.append(file, &[&piece])?;
        left -= n as u64;
    }
    storage.sync(file)
}

impl<S: Storage> Storage for Volume<S> {
    fn create_new(&mut self, path: &str) -> Result<File, Error> {
        self.check()?;
        self.storage.create_new(path)
    }

    fn open(&mut self, path: &str, access: Access) -> Result<File, Error> {
        if access == Access::Write {
            self.check()?;
        }
        self.storage.open(path, access)
    }

    fn close(&mut self, file: File) {
        self.storage.close(file);
    }

    fn append(&mut self, file: File, parts: &[&[u8]]) -> Result<(), Error> {
        self.storage.append(file, parts)
    }

    fn write_at(&mut self, file: File, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.storage.write_at(file, offset, bytes)
    }

    fn read_at(&mut self, file: File, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        self.storage.read_at(file, offset, into)
    }

    fn len(&mut self, file: File) -> Result<u64, Error> {
        self.storage.len(file)
    }

    fn truncate(&mut self, file: File, len: u64) -> Result<(), Error> {
        self.storage.truncate(file, len)
    }

    fn sync(&mut self, file: File) -> Result<(), Error> {
        self.storage.sync(file)
    }

    fn sync_folder(&mut self, folder: &str) -> Result<(), Error> {
        self.storage.sync_folder(folder)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Error> {
        self.check()?;
        self.storage.rename(from, to)
    }

    fn remove(&mut self, path: &str) -> Result<(), Error> {
        self.check()?;
        self.storage.remove(path)
    }

    fn list(&mut self, folder: &str) -> Result<Vec<Listed>, Error> {
        self.storage.list(folder)
    }

    fn lock(&mut self, folder: &str) -> Result<(), Error> {
        self.check()?;
        self.storage.lock(folder)
    }

    fn unlock(&mut self, folder: &str) {
        self.storage.unlock(folder);
    }

    fn remove_folder(&mut self, folder: &str) -> Result<(), Error> {
        self.check()?;
        self.storage.remove_folder(folder)
    }

    fn room(&mut self) -> Result<(), Error> {
        self.storage.room()?;
        if self.mark.is_none() {
            self.check()?;
        }
        if self.reserve() == 0 || self.has_reserve()? { Ok(()) } else { self.set_aside() }
    }

    fn spend_reserve(&mut self) -> Result<bool, Error> {
        if self.reserve() == 0 {
            return self.storage.spend_reserve();
        }
        self.check()?;
        match self.storage.remove(RESERVE) {
            // Another camera has spent it: there is room for this one, too.
            Ok(()) | Err(Error { kind: Kind::NotFound, .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

//! Reading a journal: from its checkpoint, or all of it.

use alloc::vec::Vec;

use super::line::{Line, parse, stated};
use super::state::State;
use super::{Error, checkpoint, files, path};
use crate::store::storage::{WHOLE, read_range};
use crate::store::{Access, Kind, Name, Storage};

/// A line that is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// Number of the journal's file.
    pub file: u32,
    /// Where in it the line starts.
    pub offset: u64,
    /// Its bytes; 0 where lines are missing before it.
    pub len: u64,
}

/// What reading a journal found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Read {
    /// What its lines come to.
    pub state: State,
    /// Number of the last line.
    pub n: u64,
    /// That line's CRC.
    pub(super) link: u32,
    /// Number of the last file, 0 where there is none.
    pub file: u32,
    /// Where in it the next line starts.
    pub offset: u64,
    /// Bytes of a torn line behind that.
    pub torn: u64,
    /// Damage in the lines read, the first 1 000.
    pub damage: Vec<Damage>,
    /// Line of the checkpoint that reading began at, 0: at the first line.
    pub checkpoint: u64,
    /// Lines that the checkpoint knows of, and that are not there.
    pub(super) lost: u64,
}

/// Places of damage that are kept.
const DAMAGE: usize = 1_000;

impl Read {
    fn damaged(&mut self, offset: u64, len: u64) {
        self.state.damaged += 1;
        if self.damage.len() < DAMAGE {
            self.damage.push(Damage { file: self.file, offset, len });
        }
    }

    /// Takes in what stands in file `self.file` from `self.offset` on.
    fn take(&mut self, bytes: &[u8], last: bool, each: &mut dyn FnMut(&Line)) {
        let all = self.offset + bytes.len() as u64;
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            let (offset, len) = (self.offset, piece.len() as u64);
            let line = piece.strip_suffix(b"\n");
            let end = offset + len == all;
            match line.and_then(parse) {
                Some((line, after)) => {
                    if line.n != self.n.saturating_add(1) || after != self.link {
                        // Lines are missing, or the one before was exchanged.
                        self.damaged(offset, 0);
                    }
                    self.n = line.n;
                    self.link = line_crc(piece);
                    self.state.apply(&line);
                    each(&line);
                }
                None if last && end && (line.is_none() || piece.contains(&0)) => {
                    self.torn = len;
                    return;
                }
                None => {
                    self.damaged(offset, len);
                    self.n = self.n.saturating_add(1);
                    self.link = line.and_then(stated).unwrap_or(0);
                }
            }
            self.offset += len;
        }
    }
}

fn line_crc(piece: &[u8]) -> u32 {
    piece.strip_suffix(b"\n").and_then(stated).unwrap_or(0)
}

/// Reads the lines from where the checkpoint says, if it can be believed; else all of them.
pub(super) fn from_checkpoint(storage: &mut dyn Storage, tenant: Name) -> Result<Read, Error> {
    let (n, start) = checkpoint::load(storage, tenant)?;
    let mut found = go_on(storage, tenant, start.unwrap_or_default(), &mut |_| {})?;
    // A checkpoint is made of lines that are on the disk: some are gone.
    found.lost = n.saturating_sub(found.n);
    Ok(found)
}

/// What a journal comes to; changes nothing.
pub(in crate::store) fn read_state(storage: &mut dyn Storage, tenant: Name) -> Result<State, Error> {
    let Read { mut state, lost, .. } = from_checkpoint(storage, tenant)?;
    state.damaged += u64::from(lost > 0);
    Ok(state)
}

/// Reads all of a journal, line by line. Changes nothing, and takes no notice of the checkpoint.
///
/// # Errors
/// All that a disk can fail by. A journal that is not there has no lines.
pub fn read(storage: &mut dyn Storage, tenant: Name, mut each: impl FnMut(&Line)) -> Result<Read, Error> {
    go_on(storage, tenant, Read::default(), &mut each)
}

fn go_on(
    storage: &mut dyn Storage,
    tenant: Name,
    mut found: Read,
    each: &mut dyn FnMut(&Line),
) -> Result<Read, Error> {
    let files = files(storage, tenant)?;
    let (first, last) = (found.file.max(1), files.last().copied());
    for file in files.into_iter().filter(|file| *file >= first) {
        if file != found.file {
            (found.file, found.offset) = (file, 0);
        }
        let bytes = rest(storage, tenant, file, found.offset)?;
        found.take(&bytes, Some(file) == last, each);
    }
    Ok(found)
}

/// What stands in a file from `offset` on.
pub(super) fn rest(
    storage: &mut dyn Storage,
    tenant: Name,
    file: u32,
    offset: u64,
) -> Result<Vec<u8>, Error> {
    let handle = storage.open(&path(tenant, file), Access::Read)?;
    let read = storage.len(handle).and_then(|len| match len.saturating_sub(offset) {
        left if left > WHOLE => Err(Kind::Implausible.into()),
        left => read_range(storage, handle, offset, left),
    });
    storage.close(handle);
    Ok(read?)
}

//! The checkpoint: `docs/format.md` §7.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::line::{hex, passes, seal, stated};
use super::read::{Read, rest};
use super::state::State;
use super::{Error, files};
use crate::store::storage::read_whole;
use crate::store::{Name, Storage};

/// Bytes before its offset that end with the CRC of its last line.
const END: u64 = 32;

#[derive(Serialize, Deserialize)]
struct Checkpoint {
    n: u64,
    after: String,
    file: u32,
    offset: u64,
    state: State,
}

/// Where it is.
pub(super) fn path(tenant: Name) -> String {
    alloc::format!("{tenant}/journal.checkpoint")
}

/// The bytes of that which `read` comes to.
pub(super) fn write(read: &Read) -> Option<Vec<u8>> {
    let (n, after) = (read.n, hex(read.link));
    let checkpoint = Checkpoint { n, after, file: read.file, offset: read.offset, state: read.state.clone() };
    Some(seal(serde_json::to_vec(&checkpoint).ok()?).0)
}

/// The number of the last line when it was made, 0 where it is absent or damaged: those lines were on the disk. And where to go
/// on reading; `None` where it is that, or not of the journal that is there.
pub(super) fn load(storage: &mut dyn Storage, tenant: Name) -> Result<(u64, Option<Read>), Error> {
    let Some(bytes) = read_whole(storage, &path(tenant))? else { return Ok((0, None)) };
    let line = bytes.strip_suffix(b"\n").filter(|line| passes(line));
    let Some(found) = line.and_then(|line| serde_json::from_slice::<Checkpoint>(line).ok()) else {
        return Ok((0, None));
    };
    // Who made it may not have known lines that this Vigie knows.
    let n = found.n;
    if found.state.unknown > 0 {
        return Ok((n, None));
    }
    Ok((n, believed(storage, tenant, found)?))
}

fn believed(storage: &mut dyn Storage, tenant: Name, found: Checkpoint) -> Result<Option<Read>, Error> {
    let Ok(link) = u32::from_str_radix(&found.after, 16) else { return Ok(None) };
    let Some(start) = found.offset.checked_sub(END) else { return Ok(None) };
    if !files(storage, tenant)?.contains(&found.file) {
        return Ok(None);
    }
    let end = rest(storage, tenant, found.file, start)?;
    let line = end.get(..END as usize).and_then(|end| end.strip_suffix(b"\n"));
    if line.and_then(stated) != Some(link) {
        return Ok(None);
    }
    let Checkpoint { n, file, offset, state, .. } = found;
    Ok(Some(Read { state, n, link, file, offset, checkpoint: n, ..Read::default() }))
}

//! The media file that is open.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;

use super::scan::LARGEST;
use super::{Error, File, Kind, Source, Storage};
use crate::fragment::{Fragment, InitSegment};
use crate::gix::{FileMark, FragmentMark, Key, Kid, Text};
use crate::time::UtcMicros;

/// The media file that is open.
#[derive(Debug)]
pub(super) struct Media {
    pub(super) file: File,
    pub(super) path: String,
    pub(super) mark: FileMark,
    pub(super) init: Bytes,
    /// Its name has been synced.
    pub(super) named: bool,
    /// Bytes, those held included.
    pub(super) len: u64,
    number: u32,
    held: Vec<Held>,
    held_bytes: u64,
    /// Written, not yet synced.
    pub(super) pending: Vec<(u64, FragmentMark)>,
}

/// A fragment that is not yet written: no copy of it, but its own buffers.
#[derive(Debug)]
struct Held {
    head: Vec<u8>,
    body: Vec<Bytes>,
    offset: u64,
    mark: FragmentMark,
}

impl Held {
    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        core::iter::once(&*self.head).chain(self.body.iter().map(|part| &**part))
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    pub(super) fragments: u64,
    pub(super) bytes: u64,
    /// Where the last of it ends.
    pub(super) end: Option<UtcMicros>,
}

impl Media {
    /// A file that was just created: writes its head.
    pub(super) fn begin(
        storage: &mut dyn Storage,
        file: File,
        path: String,
        mark: FileMark,
        init: &InitSegment,
        bytes: &[u8],
    ) -> Result<Self, Error> {
        storage.append(file, &[&sealed(&mark, init, bytes)?])?;
        Ok(Self {
            file,
            path,
            mark,
            init: init.bytes.clone(),
            named: false,
            len: bytes.len() as u64,
            number: 0,
            held: Vec::new(),
            held_bytes: 0,
            pending: Vec::new(),
        })
    }

    /// Takes a fragment, to be written with those that come before the next [`write`](Self::write).
    pub(super) fn hold(&mut self, fragment: &Fragment, offset: u64) -> Result<(), Error> {
        if self.len + fragment.len() as u64 > LARGEST {
            return Err(Error::at(Kind::TooLong, self.len));
        }
        if offset != self.len {
            return Err(Error::at(Kind::NotOurs, offset));
        }
        let mut head = fragment.head.to_vec();
        let mark = FragmentMark::seal(&mut head, &fragment.body, self.mark.id, self.number)
            .map_err(|_| Error::at(Kind::NotOurs, offset))?;
        self.held.push(Held { head, body: fragment.body.clone(), offset, mark });
        self.held_bytes += u64::from(mark.len);
        self.len += u64::from(mark.len);
        self.number = self.number.saturating_add(1);
        Ok(())
    }

    /// Bytes that wait to be written.
    pub(super) const fn held(&self) -> u64 {
        self.held_bytes
    }

    /// Writes what is held, all of it at once.
    pub(super) fn write(&mut self, storage: &mut dyn Storage, written: &mut Written) -> Result<(), Error> {
        let held = core::mem::take(&mut self.held);
        self.held_bytes = 0;
        let Some(first) = held.first() else { return Ok(()) };
        let at = first.offset;
        let parts: Vec<&[u8]> = held.iter().flat_map(Held::parts).collect();
        let Err(error) = storage.append(self.file, &parts) else {
            held.iter().for_each(|fragment| self.wrote(fragment, written));
            return Ok(());
        };
        // What there is of it is no use, and on a full disk its room is wanted: for those of them that fit.
        let _ = storage.truncate(self.file, at);
        if error.kind == Kind::Full && held.len() > 1 {
            for fragment in &held {
                let parts: Vec<&[u8]> = fragment.parts().collect();
                if storage.append(self.file, &parts).is_err() {
                    let _ = storage.truncate(self.file, fragment.offset);
                    break;
                }
                self.wrote(fragment, written);
            }
        }
        Err(Error::at(error.kind, at))
    }

    fn wrote(&mut self, fragment: &Held, written: &mut Written) {
        self.pending.push((fragment.offset, fragment.mark));
        written.fragments += 1;
        written.bytes += u64::from(fragment.mark.len);
        written.end = Some(fragment.mark.end());
    }
}

/// The mark of a file that begins.
pub(super) fn file_mark(
    source: &Source,
    ordinal: u32,
    key: Key,
    init: &InitSegment,
    head: usize,
) -> FileMark {
    let (width, height) = init.size();
    let size = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
    FileMark {
        ordinal,
        key,
        init_len: init.bytes.len() as u32,
        head_len: head as u32,
        id: FileMark::id_of(source.tenant.as_str(), source.camera.as_str(), key),
        kid: Kid::default(),
        size: (size(width), size(height)),
        codec: Text::new(&init.codec_string()).unwrap_or(Text::EMPTY),
        tenant: source.tenant.text(),
        camera: source.camera.text(),
        trimmed: false,
    }
}

/// The head of a file with its mark filled in.
fn sealed(mark: &FileMark, init: &InitSegment, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let at = init.bytes.len();
    let blank = FileMark::blank();
    let starts = bytes.get(..at) == Some(&*init.bytes) && bytes.get(at..at + FileMark::LEN) == Some(&*blank);
    let mut head = bytes.to_vec();
    match head.get_mut(at..at + FileMark::LEN) {
        Some(place) if starts => place.copy_from_slice(&mark.write(&init.bytes)),
        _ => return Err(Error::at(Kind::NotOurs, at as u64)),
    }
    Ok(head)
}

//! What is stored of a span of time, in the order of playing, and its bytes.

use alloc::vec::Vec;

use super::{Error, Failure, Kind, Local, Output};
use crate::fault::Offset;
use crate::gix::{Entry, FragmentMark, InitRecord, Key, Span};
use crate::store::{self, Access, Source, Storage, media_path, read_init};
use crate::time::UtcMicros;

/// Where nothing that a span's end is in was recorded for so long, nothing more comes: longer than the longest fragment and
/// the slowest sync.
const LATE: i64 = 120_000_000;

/// The fragments of a span of time as the indexes tell of them; none of their bytes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Footage {
    /// Of which camera.
    pub source: Source,
    /// The span asked for. The fragments reach beyond it: they are whole, and start where decoding starts.
    pub window: Span,
    /// In the order of playing.
    pub fragments: Vec<Stored>,
    /// The init segments that they need.
    pub inits: Vec<InitRecord>,
    /// May more of the span be recorded yet?
    pub open: bool,
}

/// A fragment, and where it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Its file, which starts with the init segment that it needs.
    pub key: Key,
    /// What the index says of it.
    pub entry: Entry,
    /// The init segment, in [`Footage::inits`].
    pub init: u32,
    /// Do its decoding times continue those of the fragment before?
    pub continues: bool,
}

impl Footage {
    /// Reads the indexes. `now` is the time of day.
    ///
    /// # Errors
    /// All that a disk can fail by; [`Kind::Version`]. Where an index is damaged it has what passes.
    pub fn load<S: Storage>(
        storage: S,
        source: Source,
        window: Span,
        now: UtcMicros,
    ) -> Result<Self, Failure> {
        let mut local = Local::entries_only(storage, source);
        let mut footage = Self { source, window, fragments: Vec::new(), inits: Vec::new(), open: false };
        local.seek(window.from);
        loop {
            match local.next(now)? {
                Output::Entry { entry, .. } if entry.mark.utc >= window.to => break,
                Output::Entry { entry, key, init, continues } => {
                    let known = footage.inits.iter().position(|known| known.digest == init.digest);
                    let init = known.unwrap_or_else(|| {
                        footage.inits.push(init);
                        footage.inits.len() - 1
                    });
                    footage.fragments.push(Stored { key, entry, init: init as u32, continues });
                }
                Output::Gap(gap) if gap.to >= window.to => break,
                Output::Failed(error) => return Err(error.into()),
                Output::End => {
                    footage.open = now < window.to.plus(LATE);
                    break;
                }
                _ => {}
            }
        }
        Ok(footage)
    }

    /// Where the last fragment ends.
    #[must_use]
    pub fn end(&self) -> Option<UtcMicros> {
        self.fragments.last().map(|stored| stored.entry.utc_end())
    }
}

impl Stored {
    /// Where its bytes are.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { key: self.key, offset: self.entry.offset, len: self.entry.mark.len, crc: self.entry.mark.crc }
    }
}

/// Where a fragment's bytes are, and what they are proved by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The file.
    pub key: Key,
    /// Its first byte there.
    pub offset: u64,
    /// Bytes.
    pub len: u32,
    /// CRC-32C, as in its mark.
    pub crc: u32,
}

impl Place {
    /// A place.
    #[must_use]
    pub const fn new(key: Key, offset: u64, len: u32, crc: u32) -> Self {
        Self { key, offset, len, crc }
    }

    /// The whole fragment, its checksum proved. At most `most` bytes are read.
    ///
    /// # Errors
    /// [`Kind::Missing`], [`Kind::Fragment`]; all that a disk can fail by.
    pub fn read(&self, storage: &mut dyn Storage, source: &Source, most: usize) -> Result<Vec<u8>, Failure> {
        let bad = |kind| Failure::Footage(Error { kind, at: Offset(self.offset) });
        let len = usize::try_from(self.len).ok().filter(|len| *len <= most).ok_or(bad(Kind::Fragment))?;
        let bytes = self.start(storage, source, len)?;
        let own = bytes.len() == len && FragmentMark::parse(&bytes).is_ok_and(|mark| mark.crc == self.crc);
        if own && FragmentMark::passes(&bytes, self.crc) { Ok(bytes) } else { Err(bad(Kind::Fragment)) }
    }

    /// The first `len` bytes of the fragment, or as many as there are: proved by nothing.
    pub(super) fn start(
        &self,
        storage: &mut dyn Storage,
        source: &Source,
        len: usize,
    ) -> Result<Vec<u8>, Failure> {
        let file = match storage.open(&media_path(source, self.key), Access::Read) {
            Err(store::Error { kind: store::Kind::NotFound, .. }) => {
                return Err(Error { kind: Kind::Missing, at: Offset(0) }.into());
            }
            other => other?,
        };
        let read = (|| {
            // Nothing is reserved for what a damaged index says and the file does not have.
            let left = storage.len(file)?.saturating_sub(self.offset);
            let mut bytes = alloc::vec![0; len.min(usize::try_from(left).unwrap_or(usize::MAX))];
            let n = storage.read_at(file, self.offset, &mut bytes)?;
            bytes.truncate(n);
            Ok(bytes)
        })();
        storage.close(file);
        read
    }
}

/// The init segment that a file starts with, its checksum proved.
///
/// # Errors
/// [`Kind::Missing`], [`Kind::Init`]; all that a disk can fail by.
pub fn init_segment(storage: &mut dyn Storage, source: &Source, key: Key) -> Result<Vec<u8>, Failure> {
    let bad = |kind| Failure::Footage(Error { kind, at: Offset(0) });
    match read_init(storage, source, key) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(bad(Kind::Init)),
        Err(store::Error { kind: store::Kind::NotFound, .. }) => Err(bad(Kind::Missing)),
        Err(error) => Err(error.into()),
    }
}

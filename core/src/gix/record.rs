//! Header, records and page trailers of an index: `docs/format.md` §3.

use alloc::vec::Vec;

use super::words::{hashed, put_name, read_name};
use super::{Crc32c, Day, Error, FileMark, FragmentMark, Id, Key, Kid, Kind, PAGE, Text, crc32c};
use crate::octets::{Reader, Write as _};
use crate::time::{TIMESCALE, UtcMicros};

/// Bytes of a record.
pub const RECORD: usize = 96;
/// Records of a page.
pub const PER_PAGE: u32 = 42;
/// Bytes of a page's trailer.
pub const TRAILER: usize = 64;

/// The page that an index starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The day that it is of.
    pub day: Day,
    /// The index's id, from the id of its first file.
    pub id: Id,
    /// The tenant when the first file was written.
    pub tenant: Text<64>,
    /// The camera when the first file was written.
    pub camera: Text<64>,
    /// Do the records hold the SHA-256 of their fragments?
    pub sha256: bool,
}

impl Header {
    /// The header of an index whose first file is `file`.
    #[must_use]
    pub fn of(file: &FileMark) -> Self {
        let id = hashed(&[b"vigie index 1", &file.id.0]);
        Self { day: file.key.day(), id, tenant: file.tenant, camera: file.camera, sha256: false }
    }

    /// The page.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(PAGE);
        out.put(b"GIX1");
        out.put_u16(1);
        out.put_u16(RECORD as u16);
        out.put_u32(PAGE as u32);
        out.put_u32(TIMESCALE);
        out.put_u64(self.day.start().0 as u64);
        out.put(&self.id.0);
        put_name(&mut out, &self.tenant);
        put_name(&mut out, &self.camera);
        out.put_u8(u8::from(self.sha256));
        out.resize(PAGE - 4, 0);
        let crc = crc32c(&[&out]);
        out.put_u32(crc);
        out
    }

    /// Reads the page that `bytes` start with.
    ///
    /// # Errors
    /// [`Kind::Short`], [`Kind::NotOurs`], [`Kind::Version`], [`Kind::Checksum`], [`Kind::Field`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let page = bytes.get(..PAGE).ok_or(Error::new(Kind::Short))?;
        let (body, crc) = page.split_at(PAGE - 4);
        let mut r = Reader::new(body);
        if r.array() != Some(*b"GIX1") {
            return Err(Error::new(Kind::NotOurs));
        }
        if r.u16() != Some(1) {
            return Err(Error::at(Kind::Version, 4));
        }
        if crc != crc32c(&[body]).to_be_bytes() {
            return Err(Error::new(Kind::Checksum));
        }
        if (r.u16(), r.u32(), r.u32()) != (Some(RECORD as u16), Some(PAGE as u32), Some(TIMESCALE)) {
            return Err(Error::at(Kind::Field, 6));
        }
        let read = |r: &mut Reader<'_>| {
            let start = UtcMicros(r.u64()? as i64);
            let (id, tenant, camera, sha256) = (Id(r.array()?), read_name(r)?, read_name(r)?, r.u8()? == 1);
            (Day::of(start).start() == start).then_some(Self {
                day: Day::of(start),
                id,
                tenant,
                camera,
                sha256,
            })
        };
        read(&mut r).ok_or(Error::at(Kind::Field, 16))
    }
}

/// A media file: stands before the first record of its fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// Number of the file among its camera's files of that day.
    pub ordinal: u32,
    /// Its name.
    pub key: Key,
    /// Bytes of the init segment that it starts with.
    pub init_len: u32,
    /// Bytes before the first fragment.
    pub head_len: u32,
    /// Its id.
    pub id: Id,
}

/// An init segment: the one at the start of the file whose record comes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitRecord {
    /// Bytes.
    pub len: u32,
    /// CRC-32C of the bytes.
    pub crc: u32,
    /// Width and height of the pictures.
    pub size: (u16, u16),
    /// RFC 6381 codec string, out-of-band sample entry.
    pub codec: Text<48>,
    /// The first half of the SHA-256 of the bytes.
    pub digest: Id,
}

impl InitRecord {
    /// That of a file with this mark and these bytes before the mark.
    #[must_use]
    pub fn of(file: &FileMark, init: &[u8]) -> Self {
        Self {
            len: init.len() as u32,
            crc: crc32c(&[init]),
            size: file.size,
            codec: file.codec,
            digest: hashed(&[init]),
        }
    }
}

/// A fragment, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentRecord {
    /// Its mark. Number and file id are not in the record: 0 here.
    pub mark: FragmentMark,
    /// Ordinal of its file.
    pub file: u32,
    /// Its first byte in the file.
    pub offset: u64,
    /// SHA-256 of it, where the header says that records hold one.
    pub sha256: [u8; 32],
}

/// The fragment that follows does not continue the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// Where the one before ends.
    pub from: UtcMicros,
    /// Where the one that follows starts; before `from` if a clock was set back.
    pub to: UtcMicros,
}

/// What stands in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// A media file.
    File(FileRecord),
    /// Its init segment is another than that of the file before.
    Init(InitRecord),
    /// Its key is another than that of the file before.
    Key(Kid),
    /// A fragment.
    Fragment(FragmentRecord),
    /// The fragment that follows does not continue the one before.
    Break(Break),
    /// Of a type that this version does not know: to be skipped.
    Other(u8),
}

impl Record {
    /// The 92 bytes before its CRC.
    fn body(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(RECORD);
        match self {
            Self::File(file) => {
                out.put_u32(1 << 24);
                out.put_u32(file.ordinal);
                out.put_u64(file.key.utc.0 as u64);
                out.put_u32(file.key.counter);
                out.put_u32(file.init_len);
                out.put_u32(file.head_len);
                out.put(&file.id.0);
            }
            Self::Init(init) => {
                out.put_u32(2 << 24);
                out.put_u32(init.len);
                out.put_u32(init.crc);
                out.put_u16(init.size.0);
                out.put_u16(init.size.1);
                out.put(init.codec.bytes());
                out.put(&init.digest.0);
            }
            Self::Key(kid) => {
                out.put_u32(3 << 24);
                out.put(&kid.0);
            }
            Self::Fragment(fragment) => {
                out.put_u8(4);
                fragment.mark.put_shared(&mut out);
                out.put_u64(u64::from(fragment.file) << 40 | fragment.offset & ((1 << 40) - 1));
                out.put_u32(fragment.mark.crc);
                out.put(&fragment.sha256);
            }
            Self::Break(at) => {
                out.put_u32(5 << 24);
                out.put_u64(at.from.0 as u64);
                out.put_u64(at.to.0 as u64);
            }
            Self::Other(kind) => out.put_u8(*kind),
        }
        out.resize(RECORD - 4, 0);
        out
    }

    fn parse(body: &[u8]) -> Option<Self> {
        let mut r = Reader::new(body);
        let kind = r.u8()?;
        if kind == 4 {
            let mark = FragmentMark::read_shared(&mut r)?;
            let (place, crc, sha256) = (r.u64()?, r.u32()?, r.array()?);
            let (file, offset) = ((place >> 40) as u32, place & ((1 << 40) - 1));
            return Some(Self::Fragment(FragmentRecord {
                mark: FragmentMark { crc, ..mark },
                file,
                offset,
                sha256,
            }));
        }
        r.take(3)?;
        Some(match kind {
            1 => Self::File(FileRecord {
                ordinal: r.u32()?,
                key: Key { utc: UtcMicros(r.u64()? as i64), counter: r.u32()? },
                init_len: r.u32()?,
                head_len: r.u32()?,
                id: Id(r.array()?),
            }),
            2 => Self::Init(InitRecord {
                len: r.u32()?,
                crc: r.u32()?,
                size: (r.u16()?, r.u16()?),
                codec: Text::read(r.take(48)?)?,
                digest: Id(r.array()?),
            }),
            3 => Self::Key(Kid(r.array()?)),
            5 => Self::Break(Break { from: UtcMicros(r.u64()? as i64), to: UtcMicros(r.u64()? as i64) }),
            other => Self::Other(other),
        })
    }
}

/// Where one stands in an index: which record is next, and what the trailer of its page will say.
#[derive(Clone, Debug)]
pub(super) struct Place {
    id: Id,
    /// Number of the next record.
    next: u32,
    page: Crc32c,
    earliest: i64,
    latest: i64,
    /// Fragments whose UTC is before that of the one before them.
    steps: u32,
    last: Option<UtcMicros>,
}

impl Place {
    pub(super) fn new(id: Id) -> Self {
        let mut place =
            Self { id, next: 0, page: Crc32c::default(), earliest: 0, latest: 0, steps: 0, last: None };
        place.open_page();
        place
    }

    /// Number of the page that the next record goes into.
    const fn page_number(&self) -> u32 {
        self.next / PER_PAGE
    }

    fn open_page(&mut self) {
        (self.earliest, self.latest) = (i64::MAX, i64::MIN);
        self.page = Crc32c::default();
        self.page.update(&self.id.0);
        self.page.update(b"GIXP");
        self.page.update(&self.page_number().to_be_bytes());
    }

    /// Where the next record stands in the file.
    pub(super) const fn offset(&self) -> u64 {
        (1 + self.page_number() as u64) * PAGE as u64 + (self.next % PER_PAGE) as u64 * RECORD as u64
    }

    pub(super) const fn steps(&self) -> u32 {
        self.steps
    }

    /// Appends the record, and the trailer where it is the page's last.
    pub(super) fn write(&mut self, record: &Record, out: &mut Vec<u8>) {
        let mut bytes = record.body();
        let crc = self.crc(&bytes);
        bytes.put_u32(crc);
        out.put(&bytes);
        if let Some(trailer) = self.add(record, &bytes) {
            out.put(&trailer);
        }
    }

    fn crc(&self, body: &[u8]) -> u32 {
        crc32c(&[&self.id.0, &self.next.to_be_bytes(), body])
    }

    /// Reads the next record, and with it the trailer where it is the page's last. Gives how many bytes that was.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(Record, usize), Error> {
        let at = self.offset();
        let short = Error::at(Kind::Short, at);
        let last = (self.next + 1).is_multiple_of(PER_PAGE);
        let whole = bytes.get(..RECORD + if last { TRAILER } else { 0 }).ok_or(short)?;
        let (record, trailer) = whole.split_at(RECORD);
        let (body, crc) = record.split_at(RECORD - 4);
        if crc != self.crc(body).to_be_bytes() {
            return Err(Error::at(Kind::Checksum, at));
        }
        let parsed = Record::parse(body).ok_or(Error::at(Kind::Field, at))?;
        let mut after = self.clone();
        if after.add(&parsed, record).is_some_and(|due| due != trailer) {
            return Err(Error::at(Kind::Checksum, at + RECORD as u64));
        }
        *self = after;
        Ok((parsed, whole.len()))
    }

    /// Takes note of a record. Gives the trailer where it is the page's last.
    fn add(&mut self, record: &Record, bytes: &[u8]) -> Option<Vec<u8>> {
        self.page.update(bytes);
        if let Record::Fragment(FragmentRecord { mark, .. }) = record {
            self.earliest = self.earliest.min(mark.utc.0);
            self.latest = self.latest.max(mark.end().0);
            self.steps += u32::from(self.last.is_some_and(|last| mark.utc < last));
            self.last = Some(mark.utc);
        }
        let number = self.page_number();
        self.next += 1;
        if self.page_number() == number {
            return None;
        }
        let mut out = Vec::with_capacity(TRAILER);
        out.put(b"GIXP");
        out.put_u32(number);
        out.put_u64(self.earliest as u64);
        out.put_u64(self.latest as u64);
        out.put_u32(self.steps);
        out.resize(TRAILER - 4, 0);
        self.page.update(&out);
        out.put_u32(self.page.clone().value());
        self.open_page();
        Some(out)
    }
}

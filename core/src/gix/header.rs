//! The page that an index starts with: `docs/format.md` §3.1.

use alloc::vec::Vec;

use super::words::{hashed, put_name, read_name};
use super::{Day, Error, FileMark, Id, Kind, PAGE, Text, crc32c};
use crate::octets::{Reader, Write as _};
use crate::time::{TIMESCALE, UtcMicros};

/// Bytes of a record, without and with a digest.
const RECORD: (u16, u16) = (46, 78);

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
    /// Do the records hold the SHA-256 of their fragments? This version writes none.
    pub sha256: bool,
}

impl Header {
    /// The header of an index whose first file is `file`.
    #[must_use]
    pub fn of(file: &FileMark) -> Self {
        let id = hashed(&[b"vigie index 1", &file.id.0]);
        Self { day: file.key.day(), id, tenant: file.tenant, camera: file.camera, sha256: false }
    }

    /// Bytes of a record.
    pub(super) const fn record_len(&self) -> u16 {
        if self.sha256 { RECORD.1 } else { RECORD.0 }
    }

    /// Are records ever of that length?
    pub(super) const fn is_record(len: u16) -> bool {
        len == RECORD.0 || len == RECORD.1
    }

    /// The page.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(PAGE);
        out.put(b"GIX1");
        out.put_u16(1);
        out.put_u16(self.record_len());
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

    /// The header of a day's index; `None` where the page is not all there yet.
    pub(super) fn begun(day: Day, bytes: &[u8]) -> Result<Option<Self>, Error> {
        match Self::parse(bytes) {
            Ok(header) if header.day == day => Ok(Some(header)),
            Ok(_) => Err(Error::at(Kind::Field, 16)),
            Err(Error { kind: Kind::Short, .. }) => Ok(None),
            Err(error) => Err(error),
        }
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
        if crc != crc32c(&[body]).to_be_bytes() {
            return Err(Error::new(Kind::Checksum));
        }
        if r.u16() != Some(1) {
            return Err(Error::at(Kind::Version, 4));
        }
        let (record_len, lengths) = (r.u16(), (r.u32(), r.u32()));
        let read = |r: &mut Reader<'_>| {
            let start = UtcMicros(r.u64()? as i64);
            let (id, tenant, camera, digest) = (Id(r.array()?), read_name(r)?, read_name(r)?, r.u8()?);
            let day = Day::of(start);
            (day.start() == start && digest <= 1).then_some(Self {
                day,
                id,
                tenant,
                camera,
                sha256: digest == 1,
            })
        };
        read(&mut r)
            .filter(|header| record_len == Some(header.record_len()))
            .filter(|_| lengths == (Some(PAGE as u32), Some(TIMESCALE)))
            .ok_or(Error::at(Kind::Field, 6))
    }
}

//! The marks in the media that the index is made from: two `uuid` boxes (ISO/IEC 14496-12 §11.1).

use alloc::string::String;
use alloc::vec::Vec;

use super::words::{hashed, put_name, read_name};
use super::{Crc32c, Error, FileRecord, Flags, Header, Id, InitRecord, Key, Kid, Kind, Text, crc32c};
use crate::octets::{Reader, Write};
use crate::time::{Ticks, UtcMicros};

fn put_box(out: &mut impl Write, size: usize, kind: &[u8; 16]) {
    out.put_u32(size as u32);
    out.put(b"uuid");
    out.put(kind);
}

/// What a media file says of itself, between its init segment and the room for its `sidx`: `docs/format.md` §2.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMark {
    /// Number of the file among its camera's files of that day.
    pub ordinal: u32,
    /// Its name.
    pub key: Key,
    /// Bytes of the init segment.
    pub init_len: u32,
    /// Bytes before the first fragment.
    pub head_len: u32,
    /// Its id.
    pub id: Id,
    /// The key that its samples are encrypted with.
    pub kid: Kid,
    /// Width and height of the pictures.
    pub size: (u16, u16),
    /// RFC 6381 codec string, out-of-band sample entry.
    pub codec: Text<48>,
    /// The tenant when it was written.
    pub tenant: Text<64>,
    /// The camera when it was written.
    pub camera: Text<64>,
    /// Fragments were deleted from it: what a hold keeps is left, `docs/format.md` §9.3.
    pub trimmed: bool,
}

impl FileMark {
    /// Bytes of the box.
    pub const LEN: usize = 320;
    /// Its extended type.
    pub const TYPE: [u8; 16] = *b"vigie-media-file";

    /// The box with nothing filled in: what `segment` leaves for the store.
    #[must_use]
    pub fn blank() -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN);
        put_box(&mut out, Self::LEN, &Self::TYPE);
        out.resize(Self::LEN, 0);
        out
    }

    /// As an index tells of it.
    pub(crate) const fn of_record(file: &FileRecord, init: &InitRecord, kid: Kid, header: &Header) -> Self {
        Self {
            ordinal: file.ordinal,
            key: file.key,
            init_len: file.init_len,
            head_len: file.head_len,
            id: file.id,
            kid,
            size: init.size,
            codec: init.codec,
            tenant: header.tenant,
            camera: header.camera,
            trimmed: file.trimmed,
        }
    }

    /// The id that a file of this name gets.
    #[must_use]
    pub fn id_of(tenant: &str, camera: &str, key: Key) -> Id {
        let key: String = alloc::format!("{key}");
        hashed(&[b"vigie media file 1", tenant.as_bytes(), b"\0", camera.as_bytes(), b"\0", key.as_bytes()])
    }

    /// The box, for a file that starts with `init`.
    #[must_use]
    pub fn write(&self, init: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN);
        put_box(&mut out, Self::LEN, &Self::TYPE);
        out.put_u8(1);
        out.put_u8(self.trimmed.into());
        out.put_u16(0);
        out.put_u32(self.ordinal);
        out.put_u64(self.key.utc.0 as u64);
        out.put_u32(self.key.counter);
        out.put_u32(self.init_len);
        out.put_u32(self.head_len);
        out.put(&self.id.0);
        out.put(&self.kid.0);
        out.put_u16(self.size.0);
        out.put_u16(self.size.1);
        out.put(self.codec.bytes());
        put_name(&mut out, &self.tenant);
        put_name(&mut out, &self.camera);
        out.resize(Self::LEN - 4, 0);
        let crc = crc32c(&[init, &out]);
        out.put_u32(crc);
        out
    }

    /// Finds and reads it in the first bytes of a media file (`init`, mark; more may follow).
    ///
    /// # Errors
    /// [`Kind::Short`] where more of the file is needed, [`Kind::NotOurs`] where no mark stands after `ftyp` and `moov`,
    /// [`Kind::Version`], [`Kind::Checksum`], [`Kind::Field`].
    pub fn find(file: &[u8]) -> Result<Self, Error> {
        let mut at = 0;
        loop {
            let rest = file.get(at..).ok_or(Error::at(Kind::Short, at as u64))?;
            let mut r = Reader::new(rest);
            let (Some(size), Some(kind)) = (r.u32(), r.array::<4>()) else {
                return Err(Error::at(Kind::Short, at as u64));
            };
            match &kind {
                b"ftyp" | b"moov" if size >= 8 => {
                    at = at.checked_add(size as usize).ok_or(Error::at(Kind::Short, at as u64))?;
                }
                b"uuid" => return Self::parse(file, at),
                _ => return Err(Error::at(Kind::NotOurs, at as u64)),
            }
        }
    }

    fn parse(file: &[u8], at: usize) -> Result<Self, Error> {
        let fail = |kind| Error::at(kind, at as u64);
        let bytes = file.get(at..at + Self::LEN).ok_or(fail(Kind::Short))?;
        let (body, crc) = bytes.split_at(Self::LEN - 4);
        let blank = Self::blank();
        if body.get(..24) != blank.get(..24) {
            return Err(fail(Kind::NotOurs));
        }
        if crc != crc32c(&[file.get(..at).unwrap_or(&[]), body]).to_be_bytes() {
            return Err(fail(Kind::Checksum));
        }
        let mut r = Reader::new(body);
        let read = |r: &mut Reader<'_>| {
            r.take(24)?;
            let (version, trimmed) = (r.u8()?, r.u8()? & 1 != 0);
            r.take(2)?;
            let (ordinal, utc, counter) = (r.u32()?, UtcMicros(r.u64()? as i64), r.u32()?);
            let (init_len, head_len) = (r.u32()?, r.u32()?);
            let (id, kid, size) = (Id(r.array()?), Kid(r.array()?), (r.u16()?, r.u16()?));
            let codec = Text::read(r.take(48)?)?;
            let (tenant, camera, key) = (read_name(r)?, read_name(r)?, Key { utc, counter });
            let mark =
                Self { ordinal, key, init_len, head_len, id, kid, size, codec, tenant, camera, trimmed };
            Some((version, mark))
        };
        let (version, mark) = read(&mut r).ok_or(fail(Kind::Field))?;
        if version != 1 {
            return Err(fail(Kind::Version));
        }
        if mark.init_len as usize != at || (mark.head_len as usize) < at + Self::LEN {
            return Err(fail(Kind::Field));
        }
        Ok(mark)
    }
}

/// What a stored fragment says of itself: the `uuid` box that it starts with, `docs/format.md` §2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentMark {
    /// Where the UTC came from: 1 ONVIF header extension, 2 RTCP sender report, 3 Range clock, 4 arrival.
    pub source: u8,
    /// What is special about it.
    pub flags: Flags,
    /// UTC of the earliest presentation.
    pub utc: UtcMicros,
    /// Microseconds that it may be off.
    pub error: u32,
    /// RTP packets lost in it or just before it.
    pub lost: u32,
    /// Decoding time of the first sample.
    pub dts: Ticks,
    /// Earliest presentation less that, ticks.
    pub offset: i32,
    /// Sum of the samples' durations, ticks.
    pub duration: u32,
    /// Number of samples.
    pub samples: u32,
    /// Bytes to the end of the first sample.
    pub first_sample_end: u32,
    /// Bytes of the fragment.
    pub len: u32,
    /// Number in its file; filled in by the store.
    pub number: u32,
    /// Id of its file; filled in by the store.
    pub file: Id,
    /// CRC-32C of the fragment but for these four bytes; filled in by the store.
    pub crc: u32,
}

impl FragmentMark {
    /// Bytes of the box.
    pub const LEN: usize = 96;
    /// Its extended type.
    pub const TYPE: [u8; 16] = *b"vigie-fragment-1";
    /// Where the CRC stands.
    const CRC_AT: usize = 92;

    /// The box.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN);
        self.put(&mut out);
        out
    }

    /// Appends the box.
    pub fn put(&self, out: &mut impl Write) {
        put_box(out, Self::LEN, &Self::TYPE);
        out.put_u8(1);
        out.put_u8(self.source);
        out.put_u16(self.flags.0);
        out.put_u64(self.utc.0 as u64);
        out.put_u32(self.error);
        out.put_u32(self.lost);
        out.put_u64(self.dts.0 as u64);
        out.put_u32(self.offset as u32);
        out.put_u32(self.duration);
        out.put_u32(self.samples);
        out.put_u32(self.first_sample_end);
        out.put_u32(self.len);
        out.put_u32(self.number);
        out.put(&self.file.0);
        out.put_u32(self.crc);
    }

    fn read(r: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            source: r.u8()?,
            flags: Flags(r.u16()?),
            utc: UtcMicros(r.u64()? as i64),
            error: r.u32()?,
            lost: r.u32()?,
            dts: Ticks(r.u64()? as i64),
            offset: r.u32()? as i32,
            duration: r.u32()?,
            samples: r.u32()?,
            first_sample_end: r.u32()?,
            len: r.u32()?,
            number: r.u32()?,
            file: Id(r.array()?),
            crc: r.u32()?,
        })
    }

    /// Reads the box that `bytes` start with. The CRC is read, not checked: [`FragmentMark::passes`] does that.
    ///
    /// # Errors
    /// [`Kind::Short`], [`Kind::NotOurs`], [`Kind::Version`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let bytes = bytes.get(..Self::LEN).ok_or(Error::new(Kind::Short))?;
        let mut r = Reader::new(bytes);
        let head = (r.u32(), r.array::<4>(), r.array::<16>());
        if head != (Some(Self::LEN as u32), Some(*b"uuid"), Some(Self::TYPE)) {
            return Err(Error::new(Kind::NotOurs));
        }
        if r.u8() != Some(1) {
            return Err(Error::at(Kind::Version, 24));
        }
        Self::read(&mut r).ok_or(Error::new(Kind::Short))
    }

    /// The CRC-32C that belongs to a fragment: of all its parts, joined, but for the four bytes of the CRC itself. The first
    /// part holds at least the mark.
    #[must_use]
    pub fn crc_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u32 {
        let mut crc = Crc32c::default();
        let mut first = true;
        for part in parts {
            if first && part.len() >= Self::LEN {
                let (before, rest) = part.split_at(Self::CRC_AT);
                crc.update(before);
                crc.update(rest.get(4..).unwrap_or(&[]));
            } else {
                crc.update(part);
            }
            first = false;
        }
        crc.value()
    }

    /// Is `fragment` whole, mark and all, with this CRC?
    #[must_use]
    pub fn passes(fragment: &[u8], crc: u32) -> bool {
        fragment.len() >= Self::LEN && Self::crc_of([fragment]) == crc
    }

    /// Fills in what only the store knows, in a fragment that is given as its head (mark, `prft`, `moof`, header of `mdat`)
    /// and body. Returns the finished mark.
    ///
    /// # Errors
    /// [`Kind::NotOurs`] or [`Kind::Short`] where `head` does not start with a mark; [`Kind::Field`] where the mark gives
    /// another length than the parts have.
    pub fn seal(head: &mut [u8], body: &[impl AsRef<[u8]>], file: Id, number: u32) -> Result<Self, Error> {
        let mut mark = Self::parse(head)?;
        let len = head.len() + body.iter().map(|part| part.as_ref().len()).sum::<usize>();
        if len != mark.len as usize {
            return Err(Error::at(Kind::Field, 68));
        }
        mark.number = number;
        mark.file = file;
        mark.overwrite(head);
        mark.crc = Self::crc_of(core::iter::once(&*head).chain(body.iter().map(AsRef::as_ref)));
        mark.overwrite(head);
        Ok(mark)
    }

    fn overwrite(&self, head: &mut [u8]) {
        if let Some(to) = head.get_mut(..Self::LEN) {
            to.copy_from_slice(&self.write());
        }
    }

    /// Microseconds that it lasts.
    #[must_use]
    pub const fn micros(&self) -> i64 {
        Ticks::micros(self.duration as i64)
    }

    /// Where it ends, by its own UTC and duration.
    #[must_use]
    pub const fn end(&self) -> UtcMicros {
        self.utc.plus(self.micros())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use alloc::vec;

    fn init() -> Vec<u8> {
        let mut out = vec![];
        for (size, kind) in [(24, b"ftyp"), (100, b"moov")] {
            out.put_u32(size);
            out.put(kind);
            out.resize(out.len() + size as usize - 8, 7);
        }
        out
    }

    fn file_mark() -> FileMark {
        let key = Key { utc: UtcMicros(1_795_324_440_120_000), counter: 3 };
        FileMark {
            ordinal: 5,
            key,
            init_len: 124,
            head_len: 124 + 320 + 2_048,
            id: FileMark::id_of("vannes", "port-1", key),
            kid: Kid::default(),
            size: (640, 360),
            codec: Text::new("avc1.640028").unwrap(),
            tenant: Text::new("vannes").unwrap(),
            camera: Text::new("port-1").unwrap(),
            trimmed: false,
        }
    }

    #[test]
    fn a_file_mark_is_found_behind_the_init_segment_and_every_bit_counts() {
        let (init, mark) = (init(), file_mark());
        let whole = [init.clone(), mark.write(&init)].concat();
        assert_eq!(whole.len(), 124 + FileMark::LEN);
        assert_eq!(FileMark::find(&whole), Ok(mark.clone()));
        for cut in 0..whole.len() {
            assert_eq!(FileMark::find(&whole[..cut]).unwrap_err().kind, Kind::Short, "{cut}");
        }
        for bit in 0..whole.len() * 8 {
            let mut bad = whole.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(FileMark::find(&bad).is_err(), "bit {bit}");
        }
        assert_eq!(FileMark::blank()[..24], whole[124..148]);
        let trimmed = FileMark { trimmed: true, ..mark };
        assert_eq!(FileMark::find(&[init.clone(), trimmed.write(&init)].concat()), Ok(trimmed));
    }

    #[test]
    fn sealing_is_seen_by_passes_and_every_bit_counts() {
        let mark = FragmentMark {
            source: 2,
            flags: Flags::RANDOM_ACCESS.with(Flags::LOSS, true).with(Flags::ENCRYPTED, false),
            utc: UtcMicros(1_795_324_440_120_000),
            error: 40_000,
            lost: 3,
            dts: Ticks(-90_000),
            offset: -3_600,
            duration: 180_000,
            samples: 50,
            first_sample_end: 200,
            len: 230,
            number: 0,
            file: Id::default(),
            crc: 0,
        };
        let mut head = [mark.write(), vec![9; 34]].concat();
        let body = [vec![1_u8; 70], vec![2; 30]];
        let sealed = FragmentMark::seal(&mut head, &body, Id([4; 16]), 17).unwrap();
        assert_eq!((sealed.number, sealed.file), (17, Id([4; 16])));
        let whole = [head.clone(), body.concat()].concat();
        assert_eq!(FragmentMark::parse(&whole), Ok(sealed));
        assert!(FragmentMark::passes(&whole, sealed.crc));
        for bit in (0..whole.len() * 8).filter(|b| !(92 * 8..96 * 8).contains(b)) {
            let mut bad = whole.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(!FragmentMark::passes(&bad, sealed.crc), "bit {bit}");
        }
        let short = FragmentMark::seal(&mut head, &body[..1], Id([4; 16]), 17);
        assert_eq!(short.unwrap_err().kind, Kind::Field);
        assert_eq!(sealed.end(), UtcMicros(1_795_324_442_120_000));
    }
}

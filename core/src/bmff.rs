//! ISO base media file format (ISO/IEC 14496-12), its NAL unit boxes (ISO/IEC 14496-15) and CMAF (ISO/IEC 23000-19):
//! boxes to bytes and back.
//!
//! The path of a box in the file is the path of its module: `moof/traf/trun` is [`moof::traf::trun`]. Writers append
//! to a [`BytesMut`] and allocate nothing of their own; readers borrow, check every length, are lenient with what
//! other muxers write, and say in every error at which byte of the file it happened.
//!
//! | module | for |
//! |---|---|
//! | [`ftyp`], [`moov`] | the init segment |
//! | [`prft`], [`moof`] | a movie fragment |
//! | [`sidx`], [`mfra`], [`free`] | finding a fragment in a file |

use alloc::vec::Vec;
use core::fmt;

use bytes::BytesMut;

use crate::fault::{Blame, Code, Fault, Offset};
use crate::limits::Limits;
use crate::octets::{Reader, Write as _};

pub mod free;
pub mod ftyp;
pub mod mfra;
pub mod moof;
pub mod moov;
pub mod prft;
pub mod sidx;

/// A box or brand type: four bytes, mostly letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FourCc(pub [u8; 4]);

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{self}'")
    }
}

/// What is wrong with a file, and at which byte of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} ({at})")]
#[non_exhaustive]
pub struct Error {
    /// What.
    pub kind: Kind,
    /// Where: the first byte of the box or field in question.
    pub at: Offset,
}

/// What can be wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// The bytes end before the box does.
    #[error("the file ends inside box {0}")]
    Truncated(FourCc),
    /// The size field is smaller than the box's own header.
    #[error("the size of box {0} is impossible")]
    BadSize(FourCc),
    /// Boxes are nested deeper than [`Limits::box_depth`].
    #[error("box {0} is nested too deeply")]
    TooDeep(FourCc),
    /// A box or a table is larger than [`Limits`] or the format allow.
    #[error("box {0} is too large")]
    TooLarge(FourCc),
    /// A box that must be there is not.
    #[error("box {0} is missing")]
    Missing(FourCc),
    /// A field has a value that has no meaning.
    #[error("a field of box {0} has an impossible value")]
    BadValue(FourCc),
    /// A version of the box that did not exist when this was written.
    #[error("box {0} has a version that is not known")]
    UnknownVersion(FourCc),
    /// The samples are of a coding that Vigie does not carry, or encrypted.
    #[error("sample entry {0} is not supported")]
    UnsupportedEntry(FourCc),
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn code(&self) -> Code {
        Code(match self.kind {
            Kind::Truncated(_) => 400,
            Kind::BadSize(_) => 401,
            Kind::TooDeep(_) => 402,
            Kind::TooLarge(_) => 403,
            Kind::Missing(_) => 404,
            Kind::BadValue(_) => 405,
            Kind::UnknownVersion(_) => 406,
            Kind::UnsupportedEntry(_) => 407,
        })
    }
}

/// A box that is read into a value and written from it.
pub trait Boxed: Sized {
    /// Its type.
    const KIND: FourCc;

    /// Appends what stands behind size and type.
    fn write_body(&self, out: &mut BytesMut);

    /// Reads what stands behind size and type.
    ///
    /// # Errors
    /// [`Error`] where the bytes end too early or make no sense.
    fn parse_body(body: &mut Body<'_>) -> Result<Self, Error>;

    /// Appends the whole box.
    fn write(&self, out: &mut BytesMut) {
        write_box(out, Self::KIND, |out| self.write_body(out));
    }
}

/// Appends a box whose body is what `body` appends.
pub fn write_box(out: &mut BytesMut, kind: FourCc, body: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    out.put_u32(0);
    out.put(&kind.0);
    body(out);
    // Only `mdat` can pass 4 GiB, and its header is written by itself.
    let size = u32::try_from(out.len() - start).unwrap_or(0);
    if let Some(field) = out.get_mut(start..start + 4) {
        field.copy_from_slice(&size.to_be_bytes());
    }
}

/// Appends the `FullBox` fields, ISO/IEC 14496-12 §4.2.
fn put_full(out: &mut BytesMut, version: u8, flags: u32) {
    out.put_u8(version);
    out.put_u24(flags);
}

/// Appends `n` in 64 bits for version 1 and in 32 for version 0, where the caller made sure that it fits.
fn put_sized(out: &mut BytesMut, version: u8, n: u64) {
    if version == 0 { out.put_u32(n as u32) } else { out.put_u64(n) }
}

/// The version that is needed to write these numbers: 0 where all fit in 32 bits. All ones means "unknown" (§8.2.2).
fn version_for(numbers: &[u64]) -> u8 {
    u8::from(numbers.iter().any(|n| *n >= u64::from(u32::MAX)))
}

/// Size and type of a box, ISO/IEC 14496-12 §4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// The type.
    pub kind: FourCc,
    /// Bytes of the header: 8, or 16 with a 64-bit size.
    pub header_len: u64,
    /// Bytes of the box with its header; `None`: it reaches to the end of the file.
    pub len: Option<u64>,
}

impl Header {
    /// Most bytes that a header has.
    pub const MAX: usize = 16;

    /// Reads the header that `bytes` start with, at byte `at` of the file. `None`: more bytes are needed.
    ///
    /// # Errors
    /// [`Kind::BadSize`] where the size is smaller than the header.
    pub fn parse(bytes: &[u8], at: u64) -> Result<Option<Self>, Error> {
        let mut r = Reader::new(bytes);
        let (Some(size), Some(kind)) = (r.u32(), r.array().map(FourCc)) else { return Ok(None) };
        let (header_len, len) = match size {
            0 => (8, None),
            1 => match r.u64() {
                Some(size) => (16, Some(size)),
                None => return Ok(None),
            },
            size => (8, Some(u64::from(size))),
        };
        if len.is_some_and(|len| len < header_len) {
            return Err(Error { kind: Kind::BadSize(kind), at: Offset(at) });
        }
        Ok(Some(Self { kind, header_len, len }))
    }

    /// Appends a header for a box whose body has `body` bytes: 8 bytes, or 16 where the box reaches 4 GiB.
    pub fn write(out: &mut BytesMut, kind: FourCc, body: u64) {
        match u32::try_from(body.saturating_add(8)) {
            Ok(size) => {
                out.put_u32(size);
                out.put(&kind.0);
            }
            Err(_) => {
                out.put_u32(1);
                out.put(&kind.0);
                out.put_u64(body.saturating_add(16));
            }
        }
    }

    /// Bytes that [`Header::write`] appends.
    #[must_use]
    pub const fn len_for(body: u64) -> u64 {
        if body.saturating_add(8) <= u32::MAX as u64 { 8 } else { 16 }
    }
}

/// A box inside bytes at hand.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BoxRef<'a> {
    /// The type.
    pub kind: FourCc,
    /// Byte of the file that it starts at.
    pub at: u64,
    /// Size and type, and what stands behind them.
    pub bytes: &'a [u8],
    header_len: usize,
}

impl<'a> BoxRef<'a> {
    /// What stands behind size and type.
    #[must_use]
    pub fn body(&self) -> Body<'a> {
        let body = self.bytes.get(self.header_len..).unwrap_or(&[]);
        Body { kind: self.kind, at: self.at + self.header_len as u64, reader: Reader::new(body) }
    }

    /// The boxes inside, where this is a plain container.
    #[must_use]
    pub fn children(&self) -> Boxes<'a> {
        self.body().children()
    }

    /// Reads it as a `B`.
    ///
    /// # Errors
    /// [`Error`] where its bytes end too early or make no sense.
    pub fn parse<B: Boxed>(&self) -> Result<B, Error> {
        B::parse_body(&mut self.body())
    }
}

/// The boxes that stand one behind the other in some bytes. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Boxes<'a> {
    bytes: &'a [u8],
    at: u64,
}

impl<'a> Boxes<'a> {
    /// `bytes` start at byte `at` of the file.
    #[must_use]
    pub const fn new(bytes: &'a [u8], at: u64) -> Self {
        Self { bytes, at }
    }

    /// The first box of that type.
    ///
    /// # Errors
    /// [`Kind::Missing`], or what is wrong with a box before it.
    pub fn need(&self, kind: FourCc) -> Result<BoxRef<'a>, Error> {
        self.find(kind)?.ok_or(Error { kind: Kind::Missing(kind), at: Offset(self.at) })
    }

    /// The first box of that type, if there is one.
    ///
    /// # Errors
    /// What is wrong with a box before it.
    pub fn find(&self, kind: FourCc) -> Result<Option<BoxRef<'a>>, Error> {
        for found in self.clone() {
            let found = found?;
            if found.kind == kind {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn step(&mut self) -> Result<Option<BoxRef<'a>>, Error> {
        // Fewer than 8 bytes are no box: QuickTime ends `udta` with four zeros.
        let Some(header) = Header::parse(self.bytes, self.at)? else { return Ok(None) };
        let len = header.len.unwrap_or(self.bytes.len() as u64);
        let whole = usize::try_from(len).ok().and_then(|len| self.bytes.split_at_checked(len));
        let Some((bytes, rest)) = whole else {
            return Err(Error { kind: Kind::Truncated(header.kind), at: Offset(self.at) });
        };
        let found = BoxRef { kind: header.kind, at: self.at, bytes, header_len: header.header_len as usize };
        self.at += len;
        self.bytes = rest;
        Ok(Some(found))
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<BoxRef<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step().transpose();
        if !matches!(step, Some(Ok(_))) {
            self.bytes = &[];
        }
        step
    }
}

/// Reads the fields of a box.
#[derive(Clone, Debug)]
pub struct Body<'a> {
    kind: FourCc,
    at: u64,
    reader: Reader<'a>,
}

impl<'a> Body<'a> {
    /// Type of the box.
    #[must_use]
    pub const fn kind(&self) -> FourCc {
        self.kind
    }

    /// The byte of the file that is read next.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.at + self.reader.offset() as u64
    }

    /// Bytes left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.reader.left()
    }

    /// The boxes in the bytes left.
    #[must_use]
    pub fn children(&self) -> Boxes<'a> {
        Boxes::new(self.reader.rest(), self.offset())
    }

    /// The bytes left.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.reader.rest()
    }

    /// What stands behind the next `bytes`.
    ///
    /// # Errors
    /// [`Kind::Truncated`] where there are fewer.
    pub fn after(mut self, bytes: usize) -> Result<Self, Error> {
        self.skip(bytes)?;
        Ok(self)
    }

    fn fail(&self, kind: fn(FourCc) -> Kind) -> Error {
        Error { kind: kind(self.kind), at: Offset(self.offset()) }
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        self.reader.take(n).ok_or(Error { kind: Kind::Truncated(self.kind), at: Offset(self.offset()) })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.reader.array().ok_or(Error { kind: Kind::Truncated(self.kind), at: Offset(self.offset()) })
    }

    fn skip(&mut self, n: usize) -> Result<(), Error> {
        self.take(n).map(|_| ())
    }

    fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[b]| b)
    }

    fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    fn u24(&mut self) -> Result<u32, Error> {
        self.array::<3>().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_be_bytes)
    }

    /// 64 bits in version 1, 32 in version 0.
    fn sized(&mut self, version: u8) -> Result<u64, Error> {
        if version == 0 { self.u32().map(u64::from) } else { self.u64() }
    }

    /// Version and flags of a `FullBox`; versions above `newest` are refused.
    fn full(&mut self, newest: u8) -> Result<(u8, u32), Error> {
        let at = self.offset();
        let (version, flags) = (self.u8()?, self.u24()?);
        if version > newest {
            return Err(Error { kind: Kind::UnknownVersion(self.kind), at: Offset(at) });
        }
        Ok((version, flags))
    }

    /// `count` entries of `size` bytes each, where that many bytes are there: a count from the file reserves nothing
    /// before it is checked.
    fn table<T>(
        &mut self,
        count: u32,
        size: usize,
        mut entry: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let bytes = (count as usize).checked_mul(size);
        if bytes.is_none_or(|bytes| bytes > self.left()) {
            return Err(self.fail(Kind::Truncated));
        }
        (0..count).map(|_| entry(self)).collect()
    }
}

/// Does a box of this type hold nothing but boxes?
#[must_use]
pub const fn is_container(kind: FourCc) -> bool {
    matches!(
        &kind.0,
        b"moov"
            | b"trak"
            | b"edts"
            | b"mdia"
            | b"minf"
            | b"dinf"
            | b"stbl"
            | b"mvex"
            | b"moof"
            | b"traf"
            | b"mfra"
            | b"udta"
            | b"sinf"
            | b"schi"
    )
}

/// Shows every box of a file to `visit`, with its depth, outer before inner; goes into plain containers only.
///
/// # Errors
/// The first thing that is wrong; what `visit` saw before it stands.
pub fn walk(
    boxes: Boxes<'_>,
    limits: &Limits,
    visit: &mut dyn FnMut(usize, &BoxRef<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    walk_at(0, boxes, limits, visit)
}

fn walk_at(
    depth: usize,
    boxes: Boxes<'_>,
    limits: &Limits,
    visit: &mut dyn FnMut(usize, &BoxRef<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    for found in boxes {
        let found = found?;
        if depth >= limits.box_depth {
            return Err(Error { kind: Kind::TooDeep(found.kind), at: Offset(found.at) });
        }
        visit(depth, &found)?;
        if is_container(found.kind) {
            walk_at(depth + 1, found.children(), limits, visit)?;
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

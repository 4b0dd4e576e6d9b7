//! The bytes of the file: header and records.

use alloc::vec::Vec;

use crate::fault::{Blame, Code, Fault, Offset};
use crate::gix::crc32c;
use crate::limits::Limits;
use crate::octets::{Reader as Octets, Write as _};
use crate::time::{Micros, UtcMicros};

const MAGIC: &[u8; 8] = b"VIGIECAP";
const VERSION: u16 = 1;
const BLANKED: u16 = 1;
/// Bytes of the header, and of a record before its body and after it.
const HEADER: usize = 12;
const BEFORE: usize = 13;
const AFTER: usize = 4;

/// Why bytes are not a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} ({at})")]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Where in the file.
    pub at: Offset,
}

/// The kinds of [`Error`](struct@Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// It begins otherwise.
    #[error("not a captured session")]
    NotOurs,
    /// A version that this library does not read.
    #[error("a captured session of a version that this Vigie does not read")]
    Version,
    /// A record is longer than `Limits::capture_record`.
    #[error("a record of the captured session is too long")]
    TooLong,
    /// A record's checksum fails, or its body is not what its kind says.
    #[error("a record of the captured session is damaged")]
    Damaged,
}

impl Fault for Error {
    fn blame(&self) -> Blame {
        Blame::Caller
    }

    fn code(&self) -> Code {
        Code(match self.kind {
            Kind::NotOurs => 650,
            Kind::Version => 651,
            Kind::TooLong => 652,
            Kind::Damaged => 653,
        })
    }
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What<B> {
    Open {
        connection: u64,
        utc: UtcMicros,
        config: B,
    },
    Received(B),
    Datagram {
        media: u16,
        rtcp: bool,
        bytes: B,
    },
    Timeout,
    Closed,
    Bound {
        media: u16,
        ports: (u16, u16),
    },
    NotBound {
        media: u16,
    },
    Teardown,
    Sent(B),
    SentDatagram {
        media: u16,
        rtcp: bool,
        bytes: B,
    },
    End(B),
    Digest {
        events: u64,
        sha256: [u8; 32],
    },
    /// The next call was made when so many events of the connection were taken out.
    After {
        events: u64,
    },
    /// Of a later version.
    Unknown,
}

/// The file's first bytes.
pub(super) fn write_header(out: &mut Vec<u8>, blanked: bool) {
    out.put(MAGIC);
    out.put_u16(VERSION);
    out.put_u16(if blanked { BLANKED } else { 0 });
}

/// One record.
pub(super) fn write(out: &mut Vec<u8>, now: Micros, what: &What<&[u8]>) {
    let start = out.len();
    out.put_u8(kind(what));
    out.put_u32(0);
    out.put_u64(now.0);
    write_body(out, what);
    let length = u32::try_from(out.len() - start - BEFORE).unwrap_or(u32::MAX);
    if let Some(field) = out.get_mut(start + 1..start + 5) {
        field.copy_from_slice(&length.to_be_bytes());
    }
    let crc = crc32c(&[out.get(start..).unwrap_or_default()]);
    out.put_u32(crc);
}

const fn kind(what: &What<&[u8]>) -> u8 {
    match what {
        What::Open { .. } => 1,
        What::Received(_) => 2,
        What::Datagram { .. } => 3,
        What::Timeout => 4,
        What::Closed => 5,
        What::Bound { .. } => 6,
        What::NotBound { .. } => 7,
        What::Teardown => 8,
        What::Sent(_) => 9,
        What::SentDatagram { .. } => 10,
        What::End(_) => 11,
        What::Digest { .. } => 12,
        What::After { .. } => 13,
        What::Unknown => 0,
    }
}

fn write_body(out: &mut Vec<u8>, what: &What<&[u8]>) {
    match *what {
        What::Open { connection, utc, config } => {
            out.put_u64(connection);
            out.put(&utc.0.to_be_bytes());
            out.put(config);
        }
        What::Received(bytes) | What::Sent(bytes) | What::End(bytes) => out.put(bytes),
        What::Datagram { media, rtcp, bytes } | What::SentDatagram { media, rtcp, bytes } => {
            out.put_u16(media);
            out.put_u8(u8::from(rtcp));
            out.put(bytes);
        }
        What::Bound { media, ports: (rtp, rtcp) } => [media, rtp, rtcp].iter().for_each(|n| out.put_u16(*n)),
        What::NotBound { media } => out.put_u16(media),
        What::After { events } => out.put_u64(events),
        What::Digest { events, sha256 } => {
            out.put_u64(events);
            out.put(&sha256);
        }
        What::Timeout | What::Closed | What::Teardown | What::Unknown => {}
    }
}

fn read_body(kind: u8, body: &[u8]) -> Option<What<Vec<u8>>> {
    let mut from = Octets::new(body);
    let what = match kind {
        1 => What::Open {
            connection: from.u64()?,
            utc: UtcMicros(i64::from_be_bytes(from.array()?)),
            config: from.rest().to_vec(),
        },
        2 => What::Received(body.to_vec()),
        3 => What::Datagram { media: from.u16()?, rtcp: from.u8()? != 0, bytes: from.rest().to_vec() },
        4 => What::Timeout,
        5 => What::Closed,
        6 => What::Bound { media: from.u16()?, ports: (from.u16()?, from.u16()?) },
        7 => What::NotBound { media: from.u16()? },
        8 => What::Teardown,
        9 => What::Sent(body.to_vec()),
        10 => What::SentDatagram { media: from.u16()?, rtcp: from.u8()? != 0, bytes: from.rest().to_vec() },
        11 => What::End(body.to_vec()),
        12 => What::Digest { events: from.u64()?, sha256: from.array()? },
        13 => What::After { events: from.u64()? },
        _ => What::Unknown,
    };
    Some(what)
}

/// When, and what.
pub(super) type Record = (Micros, What<Vec<u8>>);

/// Takes the file in pieces, gives its records.
#[derive(Debug)]
pub(super) struct Reader {
    buffer: Vec<u8>,
    /// Bytes of the buffer that were read.
    start: usize,
    /// Bytes of the file before the buffer.
    before: u64,
    blanked: Option<bool>,
    longest: usize,
}

impl Reader {
    pub(super) const fn new(limits: &Limits) -> Self {
        Self { buffer: Vec::new(), start: 0, before: 0, blanked: None, longest: limits.capture_record }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.before += self.start as u64;
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes that are no whole record yet.
    pub(super) fn unread(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Were payloads blanked? Known once the header was read.
    pub(super) fn blanked(&self) -> bool {
        self.blanked.unwrap_or(false)
    }

    /// The next record; `None` until more bytes come.
    pub(super) fn next(&mut self) -> Result<Option<Record>, Error> {
        if self.blanked.is_none() && !self.header()? {
            return Ok(None);
        }
        let at = Offset(self.before + self.start as u64);
        let failed = |kind| Error { kind, at };
        let bytes = self.buffer.get(self.start..).unwrap_or_default();
        let mut from = Octets::new(bytes);
        let (Some(kind), Some(length), Some(now)) = (from.u8(), from.u32(), from.u64()) else {
            return Ok(None);
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.longest {
            return Err(failed(Kind::TooLong));
        }
        let (Some(body), Some(crc)) = (from.take(length), from.u32()) else { return Ok(None) };
        if crc32c(&[bytes.get(..BEFORE + length).unwrap_or_default()]) != crc {
            return Err(failed(Kind::Damaged));
        }
        let what = read_body(kind, body).ok_or(failed(Kind::Damaged))?;
        self.start += BEFORE + length + AFTER;
        Ok(Some((Micros(now), what)))
    }

    fn header(&mut self) -> Result<bool, Error> {
        let mut from = Octets::new(&self.buffer);
        let known = self.buffer.len().min(MAGIC.len());
        if self.buffer.get(..known) != MAGIC.get(..known) {
            return Err(Error { kind: Kind::NotOurs, at: Offset(0) });
        }
        let (Some(_), Some(version), Some(flags)) = (from.take(MAGIC.len()), from.u16(), from.u16()) else {
            return Ok(false);
        };
        if version != VERSION {
            return Err(Error { kind: Kind::Version, at: Offset(8) });
        }
        self.blanked = Some(flags & BLANKED != 0);
        self.start = HEADER;
        Ok(true)
    }
}

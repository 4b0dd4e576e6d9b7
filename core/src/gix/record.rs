//! The records of an index: `docs/format.md` §3.2.

use alloc::vec::Vec;

use super::words::hashed;
use super::{Day, FileMark, Flags, FragmentMark, Id, Key, Kid, Text, crc32c};
use crate::octets::{Reader, Write as _};
use crate::time::{Ticks, UtcMicros};

/// The types of records.
pub(super) const FILE: u8 = 1;
pub(super) const INIT: u8 = 2;
pub(super) const KEY: u8 = 3;
pub(super) const FRAGMENT: u8 = 4;
const BREAK: u8 = 5;
/// Added to the type of a record by the one that goes on with its contents.
pub(super) const MORE: u8 = 128;

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
    /// Fragments were deleted from it.
    pub trimmed: bool,
}

impl From<&FileMark> for FileRecord {
    fn from(mark: &FileMark) -> Self {
        let FileMark { ordinal, key, init_len, head_len, id, trimmed, .. } = *mark;
        Self { ordinal, key, init_len, head_len, id, trimmed }
    }
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
    /// The first half of the SHA-256 of the bytes.
    pub digest: Id,
    /// RFC 6381 codec string, out-of-band sample entry.
    pub codec: Text<48>,
}

impl InitRecord {
    /// That of a file with this mark and these bytes before the mark.
    pub(super) fn of(file: &FileMark, init: &[u8]) -> Self {
        Self {
            len: init.len() as u32,
            crc: crc32c(&[init]),
            size: file.size,
            digest: hashed(&[init]),
            codec: file.codec,
        }
    }
}

/// A fragment, and where in its file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FragmentRecord {
    /// Its mark, as far as a record holds it.
    pub(super) mark: FragmentMark,
    pub(super) offset: u32,
}

impl FragmentRecord {
    /// The record of a fragment in the index of `day`: what a record cannot hold is the nearest that it can.
    pub(super) fn of(mark: &FragmentMark, offset: u64, day: Day) -> Self {
        let since = mark.utc.0.saturating_sub(day.start().0);
        let mark = FragmentMark {
            source: mark.source.min(0xf),
            flags: Flags(mark.flags.0 & 0xfff),
            utc: day.start().plus(clamped(since, 48)),
            error: mark.error.div_ceil(1_000).min(0xffff) * 1_000,
            lost: mark.lost.min(0xffff),
            dts: Ticks(clamped(mark.dts.0, 48)),
            offset: clamped(mark.offset.into(), 24) as i32,
            samples: mark.samples.min(0xffff),
            first_sample_end: in_bytes(in_units(mark.first_sample_end), mark.len),
            number: 0,
            file: Id::default(),
            ..*mark
        };
        Self { mark, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }

    fn put(&self, out: &mut Vec<u8>, day: Day) {
        let mark = &self.mark;
        out.put_u16(u16::from(mark.source) << 12 | mark.flags.0);
        put_signed::<6>(out, mark.utc.0.saturating_sub(day.start().0));
        out.put_u16((mark.error / 1_000) as u16);
        out.put_u16(mark.lost as u16);
        put_signed::<6>(out, mark.dts.0);
        put_signed::<3>(out, mark.offset.into());
        out.put_u32(mark.duration);
        out.put_u16(mark.samples as u16);
        out.put_u16(in_units(mark.first_sample_end));
        out.put_u32(mark.len);
        out.put_u32(self.offset);
        out.put_u32(mark.crc);
    }

    fn read(r: &mut Reader<'_>, day: Day) -> Option<Self> {
        let first = r.u16()?;
        let utc = day.start().plus(signed::<6>(r)?);
        let (error, lost) = (u32::from(r.u16()?) * 1_000, r.u16()?.into());
        let (dts, offset) = (Ticks(signed::<6>(r)?), signed::<3>(r)? as i32);
        let (duration, samples, units, len) = (r.u32()?, r.u16()?.into(), r.u16()?, r.u32()?);
        let (at, crc) = (r.u32()?, r.u32()?);
        let mark = FragmentMark {
            source: (first >> 12) as u8,
            flags: Flags(first & 0xfff),
            utc,
            error,
            lost,
            dts,
            offset,
            duration,
            samples,
            first_sample_end: in_bytes(units, len),
            len,
            number: 0,
            file: Id::default(),
            crc,
        };
        Some(Self { mark, offset: at })
    }
}

/// The nearest number that fits `bits` bits, signed.
fn clamped(n: i64, bits: u32) -> i64 {
    n.clamp(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
}

fn put_signed<const N: usize>(out: &mut Vec<u8>, n: i64) {
    out.put(n.to_be_bytes().get(8 - N..).unwrap_or(&[]));
}

fn signed<const N: usize>(r: &mut Reader<'_>) -> Option<i64> {
    let bytes = r.array::<N>()?;
    let bits = bytes.iter().fold(0_i64, |n, b| n << 8 | i64::from(*b));
    let unused = 64 - 8 * N as u32;
    Some(bits << unused >> unused)
}

/// The end of the first sample is told in units of 256 bytes, rounded up; the largest number of them says: perhaps all.
fn in_units(bytes: u32) -> u16 {
    u16::try_from(bytes.div_ceil(256)).unwrap_or(u16::MAX)
}

fn in_bytes(units: u16, len: u32) -> u32 {
    if units == u16::MAX { len } else { len.min(u32::from(units) * 256) }
}

/// The fragment that follows does not continue the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Break {
    /// Where the one before ends.
    pub(super) from: UtcMicros,
    /// Where the one that follows starts; before `from` if a clock was set back.
    pub(super) to: UtcMicros,
}

/// What stands in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
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
    Other,
}

impl Record {
    /// Type and contents.
    pub(super) fn write(&self, day: Day) -> (u8, Vec<u8>) {
        let mut out = Vec::with_capacity(76);
        let kind = match self {
            Self::File(file) => {
                out.put_u32(file.ordinal);
                out.put_u64(file.key.utc.0 as u64);
                out.put_u32(file.key.counter);
                out.put_u32(file.init_len);
                out.put_u32(file.head_len);
                out.put(&file.id.0);
                out.put_u8(file.trimmed.into());
                FILE
            }
            Self::Init(init) => {
                out.put_u32(init.len);
                out.put_u32(init.crc);
                out.put_u16(init.size.0);
                out.put_u16(init.size.1);
                out.put(&init.digest.0);
                out.put(init.codec.bytes());
                INIT
            }
            Self::Key(kid) => {
                out.put(&kid.0);
                KEY
            }
            Self::Fragment(fragment) => {
                fragment.put(&mut out, day);
                FRAGMENT
            }
            Self::Break(at) => {
                out.put_u64(at.from.0 as u64);
                out.put_u64(at.to.0 as u64);
                BREAK
            }
            Self::Other => 0,
        };
        (kind, out)
    }

    /// Reads the contents of a record of this type; more may follow them.
    pub(super) fn parse(kind: u8, contents: &[u8], day: Day) -> Option<Self> {
        let mut r = Reader::new(contents);
        Some(match kind {
            FILE => Self::File(FileRecord {
                ordinal: r.u32()?,
                key: Key { utc: UtcMicros(r.u64()? as i64), counter: r.u32()? },
                init_len: r.u32()?,
                head_len: r.u32()?,
                id: Id(r.array()?),
                trimmed: r.u8()? & 1 != 0,
            }),
            INIT => Self::Init(InitRecord {
                len: r.u32()?,
                crc: r.u32()?,
                size: (r.u16()?, r.u16()?),
                digest: Id(r.array()?),
                codec: Text::read(r.take(48)?)?,
            }),
            KEY => Self::Key(Kid(r.array()?)),
            FRAGMENT => Self::Fragment(FragmentRecord::read(&mut r, day)?),
            BREAK => Self::Break(Break { from: UtcMicros(r.u64()? as i64), to: UtcMicros(r.u64()? as i64) }),
            _ => Self::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn marks() -> impl Strategy<Value = FragmentMark> {
        let near = prop_oneof![-(1_i64 << 50)..1 << 50, -400_000_000_i64..400_000_000];
        let small = prop_oneof![any::<u32>(), 0_u32..70_000];
        let words = (any::<(u8, u16, u32, i32)>(), near.clone(), near, [small.clone(), small.clone(), small]);
        let sizes = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
        (words, sizes).prop_map(|(((source, flags, error, offset), utc, dts, words), sizes)| FragmentMark {
            source,
            flags: Flags(flags),
            utc: UtcMicros(1_795_305_600_000_000 + utc),
            error,
            lost: words[0],
            dts: Ticks(dts),
            offset,
            duration: sizes.0,
            samples: words[1],
            first_sample_end: words[2],
            len: sizes.1,
            number: sizes.2,
            file: Id([7; 16]),
            crc: sizes.3,
        })
    }

    proptest! {
        /// What a record holds is what its bytes hold, and all that fits is held exactly.
        #[test]
        fn fragments_there_and_back(mark in marks(), offset: u32) {
            let day = Day::of(UtcMicros(1_795_305_600_000_000));
            let record = FragmentRecord::of(&mark, offset.into(), day);
            let (kind, bytes) = Record::Fragment(record).write(day);
            prop_assert_eq!((kind, bytes.len()), (FRAGMENT, 41));
            prop_assert_eq!(Record::parse(kind, &bytes, day), Some(Record::Fragment(record)));
            prop_assert_eq!(FragmentRecord::of(&record.mark, offset.into(), day), record);
            let held = record.mark;
            prop_assert_eq!((held.duration, held.len, held.crc), (mark.duration, mark.len, mark.crc));
            prop_assert_eq!(held.lost, mark.lost.min(65_535));
            prop_assert_eq!(held.samples, mark.samples.min(65_535));
            if mark.error <= 65_535_000 {
                prop_assert!((0..1_000).contains(&(i64::from(held.error) - i64::from(mark.error))));
            }
            if (mark.utc.0 - day.start().0).unsigned_abs() < 1 << 47 {
                prop_assert_eq!(held.utc, mark.utc);
            }
            if mark.dts.0.unsigned_abs() < 1 << 47 {
                prop_assert_eq!(held.dts, mark.dts);
            }
            if mark.offset.unsigned_abs() < 1 << 23 {
                prop_assert_eq!(held.offset, mark.offset);
            }
            if mark.first_sample_end <= mark.len {
                prop_assert!(held.first_sample_end >= mark.first_sample_end && held.first_sample_end <= mark.len);
            }
        }
    }
}

//! A span of the recording as one MP4 file that is nowhere stored.

use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use sha2::Digest as _;

use super::footage::{Footage, Place, init_segment};
use super::{Error, Failure, Kind};
use crate::bmff::{Boxes, moof};
use crate::fault::Offset;
use crate::fragment::MOOF_AT;
use crate::gix::{FragmentMark, Span};
use crate::limits::Limits;
use crate::store::{Source, Storage};
use crate::time::UtcMicros;
use crate::view::export::{self, Export, Part};

/// Bytes that are read of each fragment for its tables; more where they are longer.
const TABLES: usize = 2 << 10;

/// An ordinary MP4 of a span of time, ready to be read at any place of it: the tables are made, the pictures stay where they
/// are. It shows every picture whose UTC lies in the span, and no other, as [`Export`] does.
///
/// It holds some 40 bytes for each picture, and none of their bytes; a read takes one fragment into memory. The same footage
/// gives the same bytes, length and [`tag`](Self::tag), whoever asks.
#[derive(Clone, Debug)]
pub struct VirtualMp4 {
    source: Source,
    head: Bytes,
    /// Where each part starts in the file, in order.
    parts: Vec<(u64, Part)>,
    fragments: Vec<Place>,
    len: u64,
    tag: [u8; 16],
    about: About,
    most: usize,
}

/// What the file shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct About {
    /// Pictures shown.
    pub pictures: u32,
    /// Pictures that are there for decoding only, before and after.
    pub hidden: u32,
    /// UTC of the first picture shown.
    pub first: UtcMicros,
    /// UTC of the last picture shown.
    pub last: UtcMicros,
    /// UTC until which the last picture is shown.
    pub end: UtcMicros,
    /// Ticks that are shown.
    pub duration: u64,
}

impl VirtualMp4 {
    /// The files that show the span: one, and one more wherever it needs another init segment. Of each fragment the tables are
    /// read. What is damaged is left out, and added to `damaged`.
    ///
    /// # Errors
    /// [`Kind::Long`] where there are more than `most` pictures; all that a disk can fail by.
    pub fn plan(
        storage: &mut dyn Storage,
        footage: &Footage,
        limits: &Limits,
        most: u64,
        damaged: &mut Vec<(Span, Error)>,
    ) -> Result<Vec<Self>, Failure> {
        let pictures: u64 = footage.fragments.iter().map(|f| u64::from(f.entry.mark.samples)).sum();
        if pictures > most {
            return Err(Error { kind: Kind::Long, at: Offset(0) }.into());
        }
        let Span { from, to } = footage.window;
        let plan = Export::new(from, to, limits);
        Self::planned(storage, footage, plan, limits, damaged, tables)
    }

    /// The same by a plan of the caller's, for files that are to be written whole: each fragment is read and its checksum proved
    /// now, so that what is damaged is left out of them.
    ///
    /// # Errors
    /// All that a disk can fail by.
    pub fn proved(
        storage: &mut dyn Storage,
        footage: &Footage,
        plan: Export,
        limits: &Limits,
        damaged: &mut Vec<(Span, Error)>,
    ) -> Result<Vec<Self>, Failure> {
        let most = most(limits);
        let whole =
            |storage: &mut dyn Storage, source: &Source, place: &Place| place.read(storage, source, most);
        Self::planned(storage, footage, plan, limits, damaged, whole)
    }

    /// `read` gives a fragment up to the header of its `mdat`, at least.
    fn planned(
        storage: &mut dyn Storage,
        footage: &Footage,
        mut plan: Export,
        limits: &Limits,
        damaged: &mut Vec<(Span, Error)>,
        read: impl Fn(&mut dyn Storage, &Source, &Place) -> Result<Vec<u8>, Failure>,
    ) -> Result<Vec<Self>, Failure> {
        let mut init = None;
        let mut places = Vec::new();
        for stored in &footage.fragments {
            let mut leave_out = |kind| {
                let error = Error { kind, at: Offset(stored.entry.offset) };
                damaged.push((stored.entry.span(), error));
            };
            if init != Some(stored.init) {
                let known = footage.inits.get(stored.init as usize);
                let bytes = match init_segment(storage, &footage.source, stored.key) {
                    Err(Failure::Footage(error)) => {
                        leave_out(error.kind);
                        continue;
                    }
                    other => other?,
                };
                let own = known.is_some_and(|known| crate::gix::crc32c(&[&bytes]) == known.crc);
                if !own || plan.init(&bytes).is_err() {
                    leave_out(Kind::Init);
                    continue;
                }
                init = Some(stored.init);
            }
            let place = stored.place();
            let head = match read(storage, &footage.source, &place) {
                Err(Failure::Footage(error)) => {
                    leave_out(error.kind);
                    continue;
                }
                other => other?,
            };
            match plan.fragment(places.len() as u64, &head) {
                Ok(()) => places.push(place),
                Err(_) => leave_out(Kind::Fragment),
            }
        }
        let files = plan.finish().into_iter();
        Ok(files.map(|file| Self::of(footage.source, file, &places, most(limits))).collect())
    }

    fn of(source: Source, file: export::File, places: &[Place], most: usize) -> Self {
        let mut at = file.head.len() as u64;
        let mut tag = sha2::Sha256::new();
        tag.update(b"vigie virtual mp4 1");
        tag.update(&file.head);
        let mut parts = Vec::with_capacity(file.parts.len());
        for part in &file.parts {
            parts.push((at, *part));
            at += part.len;
            if let Some(place) = usize::try_from(part.fragment).ok().and_then(|n| places.get(n)) {
                tag.update(place.key.utc.0.to_be_bytes());
                tag.update(place.key.counter.to_be_bytes());
                tag.update(place.crc.to_be_bytes());
            }
            for number in [part.fragment, part.offset, part.len] {
                tag.update(number.to_be_bytes());
            }
        }
        let mut half = [0; 16];
        half.iter_mut().zip(tag.finalize()).for_each(|(to, from)| *to = from);
        let about = About {
            pictures: file.pictures,
            hidden: file.hidden,
            first: file.first,
            last: file.last,
            end: file.end,
            duration: file.duration,
        };
        Self {
            source,
            head: file.head,
            parts,
            fragments: places.to_vec(),
            len: file.len,
            tag: half,
            about,
            most,
        }
    }

    /// Bytes of the file.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Has it no bytes? Never so: a file that shows nothing is not made.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What it shows.
    #[must_use]
    pub const fn about(&self) -> About {
        self.about
    }

    /// A strong entity tag (RFC 9110 §8.8.3) without its quotes: 32 hexadecimal digits, of the tables and of the place and CRC of
    /// each fragment. Other bytes have another one.
    #[must_use]
    pub fn tag(&self) -> String {
        self.tag.iter().map(|byte| alloc::format!("{byte:02x}")).collect()
    }

    /// The fragment that the bytes at a place of the file are of; none for the tables in front.
    #[must_use]
    pub fn place(&self, offset: u64) -> Option<Place> {
        let after = self.parts.partition_point(|(start, _)| *start <= offset);
        let (_, part) = self.parts.get(after.checked_sub(1)?)?;
        self.fragments.get(usize::try_from(part.fragment).ok()?).copied()
    }

    /// Bytes from a place of the file on, as many as stand together in the store, at most `most`; none at the end. The
    /// fragment that they are of was read as a whole, and its checksum proved.
    ///
    /// # Errors
    /// [`Kind::Missing`], [`Kind::Fragment`]: the recording is not any more what it was when the file was planned. All that a
    /// disk can fail by.
    pub fn read(&self, storage: &mut dyn Storage, offset: u64, most: u64) -> Result<Bytes, Failure> {
        if let Some(left) = usize::try_from(offset).ok().filter(|from| *from < self.head.len()) {
            let end = self.head.len().min(left.saturating_add(usize::try_from(most).unwrap_or(usize::MAX)));
            return Ok(self.head.slice(left..end));
        }
        let after = self.parts.partition_point(|(start, _)| *start <= offset);
        let Some((start, part)) = after.checked_sub(1).and_then(|at| self.parts.get(at)) else {
            return Ok(Bytes::new());
        };
        let skip = offset - start;
        let len = part.len.saturating_sub(skip).min(most);
        if len == 0 {
            return Ok(Bytes::new());
        }
        let bad = Failure::Footage(Error { kind: Kind::Fragment, at: Offset(part.offset) });
        let place = usize::try_from(part.fragment).ok().and_then(|n| self.fragments.get(n)).ok_or(bad)?;
        let bytes = Bytes::from(place.read(storage, &self.source, self.most)?);
        let from = usize::try_from(part.offset + skip).ok();
        let range = from.and_then(|from| Some(from..from.checked_add(usize::try_from(len).ok()?)?));
        range.filter(|range| range.end <= bytes.len()).map(|range| bytes.slice(range)).ok_or(bad)
    }
}

/// Bytes of one fragment, at most, that are read into memory.
const fn most(limits: &Limits) -> usize {
    limits.fragment_bytes.saturating_mul(2)
}

/// A fragment up to the header of its `mdat`: believed where its mark is the one that the index knows, and its samples fill
/// the fragment.
fn tables(storage: &mut dyn Storage, source: &Source, place: &Place) -> Result<Vec<u8>, Failure> {
    let bad = Failure::Footage(Error { kind: Kind::Fragment, at: Offset(place.offset) });
    let mut wanted = TABLES;
    loop {
        let bytes = place.start(storage, source, wanted.min(place.len as usize))?;
        let own =
            FragmentMark::parse(&bytes).is_ok_and(|mark| (mark.crc, mark.len) == (place.crc, place.len));
        let size = bytes.get(MOOF_AT..MOOF_AT + 4).and_then(|size| size.try_into().ok());
        let (true, Some(size)) = (own, size) else { return Err(bad) };
        let end = MOOF_AT.saturating_add(u32::from_be_bytes(size) as usize);
        let header = end.saturating_add(16);
        if header > bytes.len() && wanted < header && header <= place.len as usize {
            wanted = header;
            continue;
        }
        let tables = Boxes::new(bytes.get(MOOF_AT..end).ok_or(bad)?, 0).need(moof::KIND).map_err(|_| bad)?;
        let read = moof::Moof::parse(&tables).map_err(|_| bad)?;
        let defaults = crate::bmff::moov::mvex::Trex::new(crate::fragment::TRACK);
        let samples = read.tracks.iter().flat_map(|track| track.samples(&defaults));
        let media: u64 = samples.map(|sample| u64::from(sample.size)).sum();
        let room = u64::from(place.len).saturating_sub(end as u64);
        // `mdat` has a header of 8 bytes, or of 16.
        return if media + 8 == room || media + 16 == room { Ok(bytes) } else { Err(bad) };
    }
}

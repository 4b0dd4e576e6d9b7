//! What there is in a store.

use alloc::string::String;
use alloc::vec::Vec;

use super::gap::read_log;
use super::scan::with_file;
use super::{Access, Cause, Error, GapEntry, Kind, Listed, Name, Source, Storage, index_path};
use crate::gix::{Cover, Day, Entry, Id, Index, Key, Span, Text};

/// The tenants of a store.
///
/// # Errors
/// All that a disk can fail by.
pub fn tenants(storage: &mut dyn Storage) -> Result<Vec<Name>, Error> {
    names(storage, "")
}

/// The cameras of a tenant.
///
/// # Errors
/// All that a disk can fail by.
pub fn cameras(storage: &mut dyn Storage, tenant: &Name) -> Result<Vec<Name>, Error> {
    names(storage, tenant.as_str())
}

fn names(storage: &mut dyn Storage, folder: &str) -> Result<Vec<Name>, Error> {
    let listed = storage.list(folder)?;
    Ok(listed.into_iter().filter(|l| l.folder).filter_map(|l| l.name.parse().ok()).collect())
}

/// The days of a camera of which there is media, an index or a gap log.
///
/// # Errors
/// All that a disk can fail by; a camera that is not there has no days.
pub fn days(storage: &mut dyn Storage, source: &Source) -> Result<Vec<Day>, Error> {
    let listed = match storage.list(&alloc::format!("{source}")) {
        Err(Error { kind: Kind::NotFound, .. }) => return Ok(Vec::new()),
        other => other?,
    };
    let day = |l: &Listed| -> Option<Day> {
        let name =
            if l.folder { &*l.name } else { l.name.strip_suffix(".gix").or(l.name.strip_suffix(".gap"))? };
        name.parse().ok()
    };
    let mut days: Vec<_> = listed.iter().filter_map(day).collect();
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

/// A media file, as the index tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentFile {
    /// Its name below the camera's folder.
    pub key: Key,
    /// Its id, which each of its fragments repeats.
    pub id: Id,
    /// From its earliest picture to the end of its latest.
    pub span: Span,
    /// Its fragments.
    pub fragments: u32,
    /// Their samples.
    pub samples: u64,
    /// Their bytes.
    pub bytes: u64,
    /// RTP packets lost in them.
    pub lost: u64,
    /// RFC 6381 codec string, out-of-band sample entry.
    pub codec: Text<48>,
    /// Width and height of the pictures.
    pub size: (u16, u16),
}

/// A span of which there is no footage, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// When.
    pub span: Span,
    /// Why.
    pub cause: Cause,
    /// The stable number of the error behind it, 0 where there is none.
    pub code: u16,
}

/// What a camera has of a span of time.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Listing {
    /// The media files that hold some of it, in order of creation.
    pub segments: Vec<SegmentFile>,
    /// The moments covered.
    pub ranges: Vec<Span>,
    /// Those not covered, between the first and the last that are; and after the last, where the gap log says why.
    pub gaps: Vec<Gap>,
}

impl Listing {
    /// Reads indexes and gap logs of the days of `window`.
    ///
    /// # Errors
    /// [`Kind::Version`]; all that a disk can fail by. A camera that is not there has an empty listing; an index that is
    /// damaged is listed as far as it passes.
    pub fn load(storage: &mut dyn Storage, source: &Source, window: Span) -> Result<Self, Error> {
        let (first, last) = (Day::of(window.from).before(), Day::of(window.to));
        let all = days(storage, source)?;
        let (mut cover, mut log, mut segments) = (Cover::default(), Vec::new(), Vec::new());
        for day in all.iter().filter(|day| (first..=last).contains(day)) {
            log.extend(read_log(storage, source, *day)?);
            let mut files = Files::default();
            walk_index(storage, source, *day, |index, entry| files.add(index, entry))?;
            // The day as a few spans: months of fragments would be many.
            for range in files.cover.ranges(Span::ALL) {
                cover.add(range, false, ());
            }
            segments.extend(files.all.into_iter().filter(|file| !file.span.and(window).is_empty()));
        }
        let earlier = all.first().is_some_and(|day| day.start() < first.start());
        let gaps = gaps(&cover, window, &log, earlier);
        Ok(Self { segments, ranges: cover.ranges(window), gaps })
    }

    /// The path of a segment in the store.
    #[must_use]
    pub fn path(source: &Source, key: Key) -> String {
        alloc::format!("{source}/{key}")
    }
}

/// Bytes of an index read at a time.
const PIECE: usize = 256 << 10;

/// Reads a day's index as far as it passes, a fragment at a time: a day's fragments together are many. Is all of it read?
/// Without an index there is nothing to read.
pub(super) fn walk_index(
    storage: &mut dyn Storage,
    source: &Source,
    day: Day,
    mut each: impl FnMut(&Index, &Entry),
) -> Result<bool, Error> {
    let mut index = Index::new(day);
    let read = with_file(storage, &index_path(source, day), Access::Read, |storage, file| {
        let mut piece = alloc::vec![0; PIECE];
        loop {
            let from = index.wanted();
            let n = storage.read_at(file, from, &mut piece)?;
            let pushed = index.push(piece.get(..n).unwrap_or(&[]));
            for entry in index.take_entries() {
                each(&index, &entry);
            }
            match pushed {
                Err(error) if error.kind == crate::gix::Kind::Version => return Err(Kind::Version.into()),
                Ok(()) if index.wanted() > from => {}
                other => return Ok(other.is_ok() && index.header().is_some()),
            }
        }
    });
    match read {
        Err(Error { kind: Kind::NotFound, .. }) => Ok(true),
        other => other,
    }
}

/// The files of an index, each with what it holds, and the moments covered.
#[derive(Default)]
struct Files {
    all: Vec<SegmentFile>,
    /// Which of the index's files the last is.
    place: Option<u32>,
    cover: Cover<()>,
}

impl Files {
    fn add(&mut self, index: &Index, entry: &Entry) {
        self.cover.add(entry.span(), entry.continues, ());
        if self.place != Some(entry.file) {
            let (Some(file), Some(init)) = (index.file_of(entry), index.init_of(entry)) else { return };
            self.place = Some(entry.file);
            self.all.push(SegmentFile {
                key: file.key,
                id: file.id,
                span: entry.span(),
                fragments: 0,
                samples: 0,
                bytes: 0,
                lost: 0,
                codec: init.record.codec,
                size: init.record.size,
            });
        }
        if let Some(file) = self.all.last_mut() {
            file.span.from = file.span.from.min(entry.mark.utc);
            file.span.to = file.span.to.max(entry.mark.end());
            file.fragments += 1;
            file.samples += u64::from(entry.mark.samples);
            file.bytes += u64::from(entry.mark.len);
            file.lost += u64::from(entry.mark.lost);
        }
    }
}

fn gaps(cover: &Cover<()>, window: Span, log: &[GapEntry], earlier: bool) -> Vec<Gap> {
    let first = cover.spans().first().map(|(span, ())| span.from);
    let last = cover.spans().last().map(|(span, ())| span.to);
    let before = |span: &Span| earlier || first.is_some_and(|first| first < span.to && first <= span.from);
    let known = |span: Span| GapEntry::cause_of(span, log);
    let mut out = Vec::new();
    for mut span in cover.gaps(window) {
        let bounded = last.is_some_and(|last| last >= span.to);
        let Some((cause, code)) = known(span).or((bounded && before(&span)).then_some((Cause::Recorder, 0)))
        else {
            continue;
        };
        if !bounded && span.to.0 == i64::MAX {
            // Nobody said until when: until the log speaks last.
            span.to = log.iter().map(|entry| entry.at).max().unwrap_or(span.from).max(span.from);
        }
        if !before(&span)
            && let Some(begin) = log.iter().find(|e| e.begins && e.at >= span.from)
        {
            span.from = begin.at.max(span.from);
        }
        if !span.is_empty() {
            out.push(Gap { span, cause, code });
        }
    }
    out
}

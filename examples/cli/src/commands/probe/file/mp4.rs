//! What the tables of an MP4 file say: no picture is read.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use vigie::bmff::moof::{self, Moof};
use vigie::bmff::moov::Moov;
use vigie::bmff::moov::mvex::Trex;
use vigie::bmff::moov::trak::Trak;
use vigie::bmff::moov::trak::mdia::minf::stbl::stsd::{Configuration, Entry, VideoEntry};
use vigie::bmff::moov::trak::mdia::minf::stbl::stsz::Stsz;
use vigie::bmff::{self, BoxRef, Boxed as _, Boxes, Header};
use vigie::codec::Codec;
use vigie::h26x::{ParameterSets, VideoFormat};
use vigie::limits::Limits;

use super::super::findings::Findings;
use crate::failure::Failure;

/// Samples of one size that are believed: a table of a few bytes can claim four thousand million of them.
const MOST: u32 = 1 << 24;

/// What an MP4 file holds.
pub(super) struct Found {
    /// What kind of MP4.
    pub(super) name: &'static str,
    pub(super) findings: Findings,
}

/// Walks the boxes at the top of a file.
pub(super) fn read(mut file: File, path: &Path) -> Result<Found, Failure> {
    let failed = |error: std::io::Error| Failure::file("read", path, &error);
    let length = file.metadata().map_err(failed)?.len();
    let most = Limits::default().box_bytes as u64;
    let mut movie = Movie::default();
    let mut at = 0;
    while at < length {
        let mut start = [0; Header::MAX];
        let n = (length - at).min(Header::MAX as u64) as usize;
        let start = start.get_mut(..n).unwrap_or_default();
        file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(start)).map_err(failed)?;
        let header = Header::parse(start, at).map_err(|e| damaged(path, &e))?;
        let Some(header) = header else { return Err(cut(path, at)) };
        // A box without a length goes to the end of the file.
        let len = header.len.unwrap_or(length - at);
        if len > length - at {
            return Err(cut(path, at));
        }
        if header.kind == Moov::KIND || header.kind == moof::KIND {
            if len > most {
                return Err(Failure::new(
                    format!("{} has a table of {len} bytes, more than is read", path.display()),
                    "check the file: no recording needs so much",
                ));
            }
            let mut bytes = vec![0; len as usize];
            file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut bytes)).map_err(failed)?;
            movie.take(&bytes, at).map_err(|e| damaged(path, &e))?;
        }
        at += len;
    }
    movie.finish(path)
}

#[derive(Default)]
struct Movie {
    findings: Findings,
    track: Option<(u32, u32, Trex)>,
    moov: bool,
    fragments: u64,
    /// Where the next fragment starts that does not say so.
    dts: i64,
}

impl Movie {
    fn take(&mut self, bytes: &[u8], at: u64) -> Result<(), bmff::Error> {
        let boxes = Boxes::new(bytes, at);
        if let Some(found) = boxes.find(Moov::KIND)? {
            return self.moov(&found);
        }
        if let (Some(found), Some((id, timescale, defaults))) = (boxes.find(moof::KIND)?, self.track) {
            self.fragments += 1;
            let moof = Moof::parse(&found)?;
            let Some(track) = moof.track(id) else { return Ok(()) };
            let mut dts = track.decode_time.map_or(self.dts, |t| i64::try_from(t).unwrap_or(i64::MAX));
            for sample in track.samples(&defaults) {
                let pts = dts.saturating_add(sample.composition.into());
                self.findings.picture(ticks(pts, timescale), sample.size.into(), sample.is_sync());
                dts = dts.saturating_add(sample.duration.into());
            }
            self.dts = dts;
        }
        Ok(())
    }

    fn moov(&mut self, found: &BoxRef<'_>) -> Result<(), bmff::Error> {
        self.moov = true;
        let moov: Moov = found.parse()?;
        let Some(track) = moov.video() else { return Ok(()) };
        let id = track.header.track;
        let timescale = track.media.header.timescale.max(1);
        self.track = Some((id, timescale, moov.defaults(id)));
        self.findings.format = format(track);
        samples(track, |pts, size, key| self.findings.picture(ticks(pts, timescale), size, key));
        Ok(())
    }

    fn finish(self, path: &Path) -> Result<Found, Failure> {
        let path = path.display();
        if !self.moov {
            return Err(Failure::new(
                format!("{path} has no tables (moov): it is cut off, or part of a stream"),
                "copy the file again; of a stream, put its init segment in front",
            ));
        }
        if self.track.is_none() || self.findings.format.is_none() {
            return Err(Failure::new(
                format!("{path} holds no H.264 or H.265 video that can be read"),
                "check that it is not encrypted; other codecs are not read",
            ));
        }
        let name = if self.fragments > 0 { "fragmented MP4" } else { "MP4" };
        Ok(Found { name, findings: self.findings })
    }
}

/// The samples in the tables of a movie that is not fragmented.
fn samples(track: &Trak, mut take: impl FnMut(i64, u64, bool)) {
    let tables = &track.media.information.tables;
    let sizes: Box<dyn Iterator<Item = u32>> = match &tables.sizes {
        Stsz::Each(sizes) => Box::new(sizes.iter().copied()),
        Stsz::Same(count, size) => Box::new(std::iter::repeat_n(*size, (*count).min(MOST) as usize)),
    };
    let durations = tables.times.runs.iter().flat_map(|(n, d)| std::iter::repeat_n(*d, *n as usize));
    let offsets = tables.composition.iter().flat_map(|c| &c.runs);
    let offsets = offsets.flat_map(|(n, o)| std::iter::repeat_n(*o, *n as usize)).chain(std::iter::repeat(0));
    let mut sync = tables.sync.as_ref().map(|s| s.samples.iter().copied().peekable());
    let mut dts = 0_i64;
    for (number, ((size, duration), offset)) in (1..).zip(sizes.zip(durations).zip(offsets)) {
        let key =
            sync.as_mut().is_none_or(|sync| sync.next_if(|s| *s <= number).is_some_and(|s| s == number));
        take(dts.saturating_add(offset.into()), size.into(), key);
        dts = dts.saturating_add(duration.into());
    }
}

fn ticks(time: i64, timescale: u32) -> i64 {
    let ticks = i128::from(time) * i128::from(vigie::time::TIMESCALE) / i128::from(timescale);
    i64::try_from(ticks).unwrap_or(i64::MAX)
}

/// What the parameter sets of the first sample entry say; where they do not parse, what the entry itself does.
fn format(track: &Trak) -> Option<VideoFormat> {
    let entry = track.media.information.tables.descriptions.entries.first()?;
    let Entry::Video(VideoEntry { configuration, .. }) = entry else { return None };
    let (codec, nals): (_, Vec<_>) = match configuration {
        Configuration::Avc(record) => (Codec::H264, record.sps.iter().chain(&record.pps).collect()),
        Configuration::Hevc(record) => (Codec::H265, record.arrays.iter().flat_map(|a| &a.nals).collect()),
        _ => return None,
    };
    let mut sets = ParameterSets::new(codec);
    for nal in nals {
        // One that does not parse is as good as absent.
        let _ = sets.insert(nal);
    }
    sets.format()
}

fn cut(path: &Path, at: u64) -> Failure {
    Failure::new(
        format!("{} is cut off inside the box at byte {at}", path.display()),
        "copy the file again; of a fragmented file, what is before the cut still plays",
    )
}

fn damaged(path: &Path, error: &bmff::Error) -> Failure {
    Failure::fault(
        &format!("{} is damaged", path.display()),
        error,
        "copy the file again, or check what wrote it",
    )
}

//! Key pictures alone, forwards or backwards, as a film that runs at the speed of ordinary ones: what plays faster than a
//! browser decodes, and what plays in reverse. Of each fragment no more is read than its first picture.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::iter;

use bytes::{Bytes, BytesMut};
use vigie::bmff::moof::{self, Moof, RunSample};
use vigie::bmff::moov::mvex::Trex;
use vigie::bmff::{Boxes, Header};
use vigie::codec::Codec;
use vigie::fragment::TRACK;
use vigie::gix::{Entry, Flags, FragmentMark, Id, InitRecord, Key, Span, crc32c};
use vigie::play::{self, Output as Found};
use vigie::store::Source;
use vigie::time::{Ticks, UtcMicros};
use vigie::view::Playback;
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

use crate::archive::{cause, codec_of, source_of, span_text};
use crate::json::Object;
use crate::output::{Output, Outputs};
use crate::picture::{Place, Stamp, format_text, fragment_text, pictures};

/// No more pictures a second than this: key pictures between are not read.
const MOST: f64 = 16.0;
/// A picture with nothing behind it shows for this long, ticks.
const HOLD: u32 = 45_000;
/// The longest that one may show, ticks: a tile that stands still has to say something else.
const LONGEST: u32 = 30 * 90_000;

/// One camera's key pictures, one after the other on a clock that starts at 0: as [`Archive`](crate::Archive), but that
/// [`seek`](Self::seek) says how fast, and which way.
#[wasm_bindgen]
pub struct Film {
    archive: play::Archive,
    source: Source,
    reading: Option<Reading>,
    /// The init segment that the player has.
    init: Option<Id>,
    codec: Codec,
    /// Seconds of the recording in one of the film.
    speed: f64,
    backwards: bool,
    /// Read, and told once it is known how long it shows.
    held: Option<Held>,
    /// Where the next picture goes, ticks.
    clock: u64,
    count: u32,
    ready: Outputs,
}

/// What the bytes asked for are.
enum Reading {
    /// For the archive: indexes.
    Index,
    Init(Start),
    Picture(Start),
}

/// A fragment that starts with a key picture.
#[derive(Clone, Copy)]
struct Start {
    entry: Entry,
    key: Key,
    init: InitRecord,
}

/// A picture and what is known of it.
struct Held {
    picture: Vec<u8>,
    stamp: Stamp,
    damaged: bool,
}

#[wasm_bindgen]
impl Film {
    /// Of one camera.
    ///
    /// # Errors
    /// The names are none that a store has.
    #[wasm_bindgen(constructor)]
    pub fn new(tenant: &str, camera: &str) -> Result<Self, JsError> {
        let source = Source::new(tenant, camera).map_err(|e| JsError::new(&e.to_string()))?;
        Ok(Self {
            archive: play::Archive::entries_only(source),
            source,
            reading: None,
            init: None,
            codec: Codec::H264,
            speed: 1.0,
            backwards: false,
            held: None,
            clock: 0,
            count: 0,
            ready: Outputs::default(),
        })
    }

    /// Goes to a moment; what follows runs so many times as fast as it was recorded, backwards where that is below 0.
    pub fn seek(&mut self, utc: f64, speed: f64) {
        self.ready.clear();
        (self.reading, self.init, self.held) = (None, None, None);
        (self.speed, self.backwards) = (speed.abs().max(0.1), speed < 0.0);
        self.archive.seek(UtcMicros(utc as i64));
    }

    /// One more picture is wanted. `now` is the time of day.
    pub fn next(&mut self, now: f64) {
        let now = UtcMicros(now as i64);
        if self.backwards {
            self.archive.back(now);
        } else {
            self.archive.next_key(now);
        }
    }

    /// The bytes asked for, or as many of them as there are.
    pub fn filled(&mut self, bytes: Vec<u8>) {
        match self.reading.take() {
            None => {}
            Some(Reading::Index) => self.archive.filled(bytes),
            Some(Reading::Init(found)) => self.start(found, &bytes),
            Some(Reading::Picture(found)) => self.take(&found, &bytes),
        }
    }

    /// There is no such file.
    pub fn absent(&mut self) {
        match self.reading.take() {
            None => {}
            Some(Reading::Index) => self.archive.absent(),
            Some(Reading::Init(found) | Reading::Picture(found)) => self.damaged(found.entry.span()),
        }
    }

    /// What was asked for and not answered is asked for again.
    pub fn retry(&mut self) {
        match self.reading.take() {
            Some(Reading::Init(found) | Reading::Picture(found)) => self.read(found),
            _ => self.archive.retry(),
        }
    }

    /// As of [`Archive`](crate::Archive).
    pub fn pull(&mut self) -> Option<String> {
        loop {
            if let Some(kind) = self.ready.pull() {
                return Some(kind);
            }
            if self.reading.is_some() {
                return None;
            }
            match self.archive.pull()? {
                Found::Read { path, offset, len } => self.ask(&path, offset, len, Reading::Index),
                Found::Entry { entry, key, init, .. } if self.is_due(&entry) => {
                    self.read(Start { entry, key, init });
                }
                Found::Gap(span) => {
                    self.show(HOLD);
                    self.ready.push(Output::text("gap", span_text(span).end()));
                }
                Found::Damaged { span, .. } => self.damaged(span),
                Found::Failed(error) => self.ready.push(Output::text("failed", cause(error))),
                Found::End => {
                    self.show(HOLD);
                    self.ready.push(Output::text("end", String::new()));
                }
                _ => {}
            }
        }
    }

    /// The text, JSON, of what was pulled last.
    #[must_use]
    pub fn text(&self) -> String {
        self.ready.text()
    }

    /// The bytes of what was pulled last; once.
    pub fn bytes(&mut self) -> Vec<u8> {
        self.ready.bytes()
    }
}

impl Film {
    /// Does it start with a key picture, far enough from the one before?
    fn is_due(&self, entry: &Entry) -> bool {
        let far = self.held.as_ref().is_none_or(|held| {
            entry.mark.utc.0.abs_diff(held.stamp.utc.0) as f64 >= self.speed * 1e6 / MOST * 0.9
        });
        far && entry.mark.flags.has(Flags::RANDOM_ACCESS)
    }

    fn ask(&mut self, path: &str, offset: u64, len: usize, reading: Reading) {
        let text = Object::new().text("path", path).plain("offset", offset).plain("length", len);
        self.ready.push(Output::text("read", text.end()));
        self.reading = Some(reading);
    }

    /// Asks for a picture, or for the init segment that it needs.
    fn read(&mut self, found: Start) {
        let path = alloc::format!("{}/{}", self.source, found.key);
        if self.init != Some(found.init.digest) {
            self.ask(&path, 0, found.init.len as usize, Reading::Init(found));
            return;
        }
        let first = found.entry.first_sample();
        let known = (first.end - first.start) as usize;
        let len = if known == 0 { found.entry.mark.len as usize } else { known };
        self.ask(&path, first.start, len, Reading::Picture(found));
    }

    fn start(&mut self, found: Start, bytes: &[u8]) {
        let whole = bytes.len() == found.init.len as usize && crc32c(&[bytes]) == found.init.crc;
        let Some(shown) = Playback::new().init(bytes).ok().filter(|_| whole) else {
            return self.damaged(found.entry.span());
        };
        // The picture before is of the stream before.
        self.show(HOLD);
        let string = found.init.codec.as_str();
        self.codec = codec_of(string);
        let size = (found.init.size.0.into(), found.init.size.1.into());
        self.ready.push(Output { kind: "init", text: format_text(self.codec, string, size), bytes: shown });
        self.init = Some(found.init.digest);
        self.read(found);
    }

    fn take(&mut self, found: &Start, bytes: &[u8]) {
        let Some(held) = held(bytes).filter(|(_, crc)| *crc == found.entry.mark.crc) else {
            return self.damaged(found.entry.span());
        };
        let apart = self.held.as_ref().map(|before| before.stamp.utc.0.abs_diff(held.0.stamp.utc.0));
        if let Some(micros) = apart {
            self.show(lasting(micros, self.speed));
        }
        self.held = Some(held.0);
    }

    fn damaged(&mut self, span: Span) {
        self.show(HOLD);
        self.ready.push(Output::text("damaged", span_text(span).text("code", "").end()));
    }

    /// Tells of the picture that is held, for so many ticks.
    fn show(&mut self, ticks: u32) {
        let Some(held) = self.held.take() else { return };
        let Ok(size) = u32::try_from(held.picture.len()) else { return };
        self.count = self.count.wrapping_add(1);
        let mut out = BytesMut::new();
        // Shown at once: nothing is before it, whatever the order of pictures was.
        let run = RunSample { size, duration: ticks, composition: 0, sync: true };
        moof::write(&mut out, self.count, TRACK, self.clock, iter::once(run));
        Header::write(&mut out, moof::MDAT, size.into());
        out.extend_from_slice(&held.picture);
        let bytes: Bytes = out.freeze();
        let Ok(pictures) = pictures(&bytes, self.codec, held.stamp) else { return };
        let start = Ticks(self.clock as i64);
        let end = start.plus(ticks.into());
        let place = Place { start, end, epoch: 0, random_access: true, damaged: held.damaged };
        self.clock += u64::from(ticks);
        self.ready.push(Output { kind: "fragment", text: fragment_text(&place, &pictures), bytes });
    }
}

/// How long a picture shows that is so many microseconds from the next, ticks.
fn lasting(micros: u64, speed: f64) -> u32 {
    let ticks = micros as f64 * 0.09 / speed;
    (ticks as u32).clamp(1, LONGEST)
}

/// The first picture of a stored fragment of which at least that is given, and the checksum that the fragment has.
fn held(bytes: &[u8]) -> Option<(Held, u32)> {
    let mark = FragmentMark::parse(bytes).ok()?;
    let found = Boxes::new(bytes, 0).need(moof::KIND).ok()?;
    let end = found.at + found.bytes.len() as u64;
    let moof = Moof::parse(&found).ok()?;
    let track = moof.tracks.first()?;
    let sample = track.samples(&Trex::new(track.header.track)).next()?;
    let rest = bytes.get(end as usize..)?;
    let header = Header::parse(rest, end).ok()??;
    let body = rest.get(header.header_len as usize..)?;
    let picture = body.get(..sample.size as usize)?.to_vec();
    // The mark's time is that of the earliest picture, which is another one in an open GOP.
    let later = i64::from(sample.composition).saturating_sub(mark.offset.into());
    let utc = mark.utc.plus(Ticks::micros(later));
    let damaged = mark.flags.has(Flags::INCOMPLETE);
    Some((
        Held { picture, stamp: Stamp { utc, source: source_of(&mark), error: mark.error }, damaged },
        mark.crc,
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn picture(utc: i64) -> Held {
        let stamp = Stamp { utc: UtcMicros(utc), source: 1, error: 500 };
        Held { picture: vec![0, 0, 0, 2, 0x65, 0x88], stamp, damaged: false }
    }

    fn starts(film: &mut Film) -> Vec<(String, String)> {
        let mut told = Vec::new();
        while let Some(kind) = film.ready.pull() {
            told.push((kind, film.ready.text().split(",\"epoch").next().unwrap().into()));
        }
        told
    }

    #[test]
    fn a_picture_lasts_until_the_next_by_the_speed() {
        for (speed, ticks) in [(8.0, 22_500), (32.0, 5_625), (-32.0, 5_625)] {
            let mut film = Film::new("vannes", "port-1").ok().unwrap();
            film.seek(0.0, speed);
            for n in 0..3 {
                if film.held.is_some() {
                    film.show(lasting(2_000_000, film.speed));
                }
                film.held = Some(picture(n * 2_000_000));
            }
            film.show(HOLD);
            let told = starts(&mut film);
            let wanted = [(0, ticks), (ticks, 2 * ticks), (2 * ticks, 2 * ticks + 45_000)];
            for ((kind, text), (start, end)) in told.iter().zip(wanted) {
                assert_eq!((&**kind, &**text), ("fragment", &*format!("{{\"start\":{start},\"end\":{end}")));
            }
            assert_eq!(told.len(), 3);
        }
    }

    #[test]
    fn no_more_pictures_are_read_than_show() {
        let mut film = Film::new("vannes", "port-1").ok().unwrap();
        film.seek(0.0, 32.0);
        film.held = Some(picture(0));
        let mut mark = vigie_mark();
        for (utc, due) in [(1_000_000, false), (1_900_000, true), (-1_000_000, false), (-2_000_000, true)] {
            mark.mark.utc = UtcMicros(utc);
            assert_eq!(film.is_due(&mark), due, "{utc}");
        }
        mark.mark.flags = Flags::default();
        assert!(!film.is_due(&mark), "decoding cannot start with it");
    }

    fn vigie_mark() -> Entry {
        let mark = FragmentMark {
            source: 2,
            flags: Flags::default().with(Flags::RANDOM_ACCESS, true),
            utc: UtcMicros(0),
            error: 0,
            lost: 0,
            dts: Ticks(0),
            offset: 0,
            duration: 180_000,
            samples: 50,
            first_sample_end: 400,
            len: 4000,
            number: 0,
            file: Id::default(),
            crc: 0,
        };
        Entry { number: 0, mark, file: 0, init: 0, offset: 0, continues: true, kid: Default::default() }
    }
}

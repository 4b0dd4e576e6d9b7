//! Days of cameras as a recorder leaves them: the index by the builder that the recorder uses, gap logs; no media.

use vigie::gix::{Builder, Day, FileMark, Flags, FragmentMark, Id, Key, Kid, Text};
use vigie::store::{Cause, GapEntry, Source};
use vigie::time::{Ticks, UtcMicros};

/// Microseconds.
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const DAY: i64 = 24 * 60 * MINUTE;
/// A GOP of 2 s at 4 Mb/s.
const GOP: i64 = 2 * SECOND;
const GOP_BYTES: u32 = 1_000_000;
/// Bytes in front of the first fragment, as the recorder leaves them for H.264.
const HEAD: u32 = 3_100;
const INIT: usize = 720;
/// Outages of a camera in a day.
const OUTAGES: u64 = 3;

/// A media file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) key: Key,
    pub(crate) end: UtcMicros,
    pub(crate) bytes: u64,
}

/// A camera's day.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) index: Vec<u8>,
    pub(crate) log: Vec<u8>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) gaps: Vec<(UtcMicros, UtcMicros, Cause)>,
}

impl Made {
    pub(crate) fn media(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }
}

/// The first day of all cameras, in microseconds: 2026-11-02.
pub(crate) const START: i64 = 1_793_577_600 * SECOND;

pub(crate) fn source(camera: u32) -> Source {
    Source::new("town", &format!("c{camera:04}")).expect("a name")
}

pub(crate) fn day(number: u32) -> Day {
    Day::of(UtcMicros(START + i64::from(number) * DAY))
}

/// Numbers that are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `n`.
    pub(crate) const fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

/// Files of a minute that end at another second for each camera, fragments of 2 s of about 1 MB, and a few outages of 20 s to
/// 10 minutes.
pub(crate) fn make(camera: u32, number: u32) -> Made {
    let (source, day) = (source(camera), day(number));
    let mut dice = Dice::new(u64::from(camera) << 20 | u64::from(number));
    let stagger = i64::from(camera % 60) * SECOND;
    let mut outages: Vec<(i64, i64, Cause)> = (0..OUTAGES)
        .map(|n| {
            let from = day.start().0 + (n * 8 * 3_600 + dice.below(6 * 3_600)) as i64 * SECOND;
            let cause = [Cause::Camera, Cause::Network, Cause::Recorder][dice.below(3) as usize];
            (from, from + (20 + dice.below(580)) as i64 * SECOND, cause)
        })
        .collect();
    outages.reverse();
    let mut made = Made::default();
    let (mut builder, init) = (Builder::new(), vec![7_u8; INIT]);
    let (mut at, mut counter, mut ordinal, mut dts) = (day.start().0 + stagger, number * 1_440, 0, 0);
    let mut broken = false;
    while at < day.end().0 {
        let boundary = (at - stagger).div_euclid(MINUTE) * MINUTE + MINUTE + stagger;
        let key = Key { utc: UtcMicros(at), counter };
        let mark = FileMark {
            ordinal,
            key,
            init_len: INIT as u32,
            head_len: HEAD,
            id: FileMark::id_of(source.tenant.as_str(), source.camera.as_str(), key),
            trimmed: false,
            kid: Kid::default(),
            size: (1_920, 1_080),
            codec: Text::new("avc1.640028").expect("short"),
            tenant: Text::new(source.tenant.as_str()).expect("short"),
            camera: Text::new(source.camera.as_str()).expect("short"),
        };
        builder.file(&mark, &init);
        let (mut offset, mut out) = (u64::from(HEAD), None);
        while at < boundary && out.is_none() {
            out = outages.pop_if(|(from, ..)| *from <= at);
            let fragment = fragment(&mut dice, at, dts, broken);
            broken = false;
            builder.fragment(offset, &fragment, &mut made.index);
            offset += u64::from(fragment.len);
            at += GOP;
            dts += 180_000;
        }
        made.segments.push(Segment { key, end: UtcMicros(at), bytes: offset });
        (counter, ordinal) = (counter + 1, ordinal + 1);
        if let Some((_, until, cause)) = out {
            let from = at;
            at = until.max(at + 5 * SECOND);
            (counter, broken) = (0, true);
            made.gaps.push((UtcMicros(from), UtcMicros(at), cause));
            for (at, begins) in [(from, true), (at, false)] {
                let entry = GapEntry { at: UtcMicros(at), begins, cause, code: 0 };
                made.log.extend(entry.write((made.log.len() / GapEntry::LEN) as u32));
            }
        }
    }
    made
}

fn fragment(dice: &mut Dice, at: i64, dts: i64, broken: bool) -> FragmentMark {
    FragmentMark {
        source: 2,
        flags: Flags::RANDOM_ACCESS.with(Flags::DISCONTINUITY, broken),
        // Sender reports move the time of day a little.
        utc: UtcMicros(at + dice.below(2_000) as i64),
        error: 500,
        lost: 0,
        dts: Ticks(dts),
        offset: 0,
        duration: 180_000,
        samples: 50,
        first_sample_end: 90_000 + dice.below(20_000) as u32,
        len: GOP_BYTES * 4 / 5 + dice.below(u64::from(GOP_BYTES) * 2 / 5) as u32,
        number: 0,
        file: Id::default(),
        crc: dice.below(u64::from(u32::MAX)) as u32,
    }
}

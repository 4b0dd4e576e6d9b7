//! HTTP Live Streaming (RFC 8216, version 7) of the recording, for players that are not ours: the stored fragments are the
//! segments.

use alloc::string::String;
use core::fmt::Write as _;

use super::footage::{Footage, Place, Stored};
use crate::gix::{Flags, JOIN, Key};
use crate::time::{Ticks, UtcMicros};

/// The longest segment of a playlist that still grows, seconds; its target duration must not change (RFC 8216 §6.2.1). Longer
/// ones than `Limits::fragment_micros` are not recorded, but for a single picture that stands.
const LONGEST: u64 = 10;
/// The dates of a playlist are told again where they are more than this beside the sum of the durations, microseconds.
const DRIFT: u64 = 1_000;

/// The media playlist of some footage. Its addresses are relative to its own: [`segment_name`], [`init_name`].
///
/// One that is [`open`](Footage::open) is of the type EVENT and grows at its end when it is asked for again with the same start;
/// else it is of the type VOD. A break of the times, a gap and another init segment are discontinuities;
/// `EXT-X-PROGRAM-DATE-TIME` has the UTC of the pictures. What is `lost` (a file that is not there, a fragment whose
/// checksum failed) is an `EXT-X-GAP`, which is of version 8.
#[must_use]
pub fn playlist(footage: &Footage, lost: &mut dyn FnMut(&Stored) -> bool) -> String {
    let mut body = String::new();
    let (mut init, mut next): (Option<u32>, Option<UtcMicros>) = (None, None);
    let (mut target, mut gaps) = (if footage.open { LONGEST } else { 1 }, false);
    for stored in &footage.fragments {
        let mark = &stored.entry.mark;
        let first = init.is_none();
        let leaps = next.is_some_and(|next: UtcMicros| next.0.abs_diff(mark.utc.0) >= JOIN.unsigned_abs());
        if !first && (!stored.continues || leaps || init != Some(stored.init)) {
            body.push_str("#EXT-X-DISCONTINUITY\n");
            next = None;
        }
        if init != Some(stored.init) {
            init = Some(stored.init);
            let _ = writeln!(body, "#EXT-X-MAP:URI=\"{}\"", init_name(stored.key));
        }
        if next.is_none_or(|next| next.0.abs_diff(mark.utc.0) > DRIFT) {
            let _ = writeln!(body, "#EXT-X-PROGRAM-DATE-TIME:{:.3}", mark.utc);
        }
        next = Some(mark.end());
        if lost(stored) {
            gaps = true;
            body.push_str("#EXT-X-GAP\n");
        }
        let micros = Ticks::micros(mark.duration.into()).max(0) as u64;
        target = target.max((micros + 500_000) / 1_000_000);
        let _ = writeln!(body, "#EXTINF:{}.{:06},", micros / 1_000_000, micros % 1_000_000);
        let _ = writeln!(body, "{}", segment_name(&stored.place()));
    }
    let starts = |stored: &Stored| stored.entry.mark.flags.has(Flags::RANDOM_ACCESS);
    let mut out = String::from("#EXTM3U\n");
    let _ = writeln!(out, "#EXT-X-VERSION:{}", if gaps { 8 } else { 7 });
    let _ = writeln!(out, "#EXT-X-TARGETDURATION:{target}");
    let _ = writeln!(out, "#EXT-X-PLAYLIST-TYPE:{}", if footage.open { "EVENT" } else { "VOD" });
    if !footage.open && footage.fragments.iter().all(starts) {
        out.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    }
    out.push_str(&body);
    if !footage.open {
        out.push_str("#EXT-X-ENDLIST\n");
    }
    out
}

/// The relative address of a segment: the file's key, and in one name offset, length and CRC-32C of the fragment. Whoever
/// answers it needs no index, and the same address never has other bytes.
#[must_use]
pub fn segment_name(place: &Place) -> String {
    alloc::format!("{}/{}-{}-{:08x}.m4s", place.key, place.offset, place.len, place.crc)
}

/// The relative address of the init segment that a file starts with.
#[must_use]
pub fn init_name(key: Key) -> String {
    alloc::format!("{key}/init.mp4")
}

/// What a relative address asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Asked {
    /// The init segment at the start of a file.
    Init(Key),
    /// A fragment.
    Segment(Place),
}

impl Asked {
    /// Reads an address that [`segment_name`] or [`init_name`] has made; `None` for all others.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (key, last) = name.rsplit_once('/')?;
        let key: Key = key.parse().ok()?;
        let asked = if last == "init.mp4" {
            Self::Init(key)
        } else {
            let mut numbers = last.strip_suffix(".m4s")?.splitn(3, '-');
            let (offset, len, crc) = (numbers.next()?, numbers.next()?, numbers.next()?);
            let crc = u32::from_str_radix(crc, 16).ok()?;
            Self::Segment(Place::new(key, offset.parse().ok()?, len.parse().ok()?, crc))
        };
        let name_of = match &asked {
            Self::Init(key) => init_name(*key),
            Self::Segment(place) => segment_name(place),
        };
        // One thing, one name.
        (name_of == name).then_some(asked)
    }
}

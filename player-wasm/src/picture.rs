//! What JavaScript is told of a fragment's pictures: when each is shown, when it was taken, what the encoder wrote into it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use vigie::bmff::moof::{self, Moof};
use vigie::bmff::moov::mvex::Trex;
use vigie::bmff::{self, Boxes};
use vigie::codec::Codec;
use vigie::h26x::{NalKind, nal_units, sei};
use vigie::time::{Ticks, UtcMicros};
use vigie::timeline::{UtcSource, UtcStamp};

use crate::json::{Object, string};

/// One picture.
pub(crate) struct Picture {
    pub(crate) pts: Ticks,
    pub(crate) utc: UtcMicros,
    pub(crate) stamp: Stamp,
    pub(crate) user_data: Vec<([u8; 16], Vec<u8>)>,
}

/// A fragment's place on the stream's own clock.
pub(crate) struct Place {
    pub(crate) start: Ticks,
    pub(crate) end: Ticks,
    pub(crate) epoch: u32,
    pub(crate) random_access: bool,
    pub(crate) damaged: bool,
}

/// UTC of a fragment's earliest presentation.
#[derive(Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) utc: UtcMicros,
    /// Number of its source in `SOURCES` of feed.js.
    pub(crate) source: u8,
    /// Microseconds that it may be off.
    pub(crate) error: u32,
}

impl From<UtcStamp> for Stamp {
    fn from(UtcStamp { utc, source, error, .. }: UtcStamp) -> Self {
        let source = match source {
            UtcSource::OnvifExtension => 0,
            UtcSource::SenderReport => 1,
            UtcSource::RangeClock => 2,
            _ => 3,
        };
        Self { utc, source, error }
    }
}

/// The pictures of a fragment as a player gets it: `moof` and `mdat` with one track, its samples in order from the first
/// byte of `mdat` on, which is how `bmff::moof::write` writes them.
///
/// # Errors
/// [`bmff::Error`] where it is not such a one.
pub(crate) fn pictures(bytes: &[u8], codec: Codec, stamp: Stamp) -> Result<Vec<Picture>, bmff::Error> {
    let boxes = Boxes::new(bytes, 0);
    let moof = Moof::parse(&boxes.need(moof::KIND)?)?;
    let media = boxes.need(moof::MDAT)?;
    // Behind the box's size and type.
    let mut rest = media.bytes.get(8..).unwrap_or_default();
    let Some(track) = moof.tracks.first() else { return Ok(Vec::new()) };
    let mut dts = Ticks(track.decode_time.and_then(|t| i64::try_from(t).ok()).unwrap_or(0));
    let mut pictures = Vec::new();
    for sample in track.samples(&Trex::new(track.header.track)) {
        let (unit, behind) = rest.split_at_checked(sample.size as usize).unwrap_or((rest, &[]));
        rest = behind;
        let pts = dts.plus(sample.composition.into());
        pictures.push(Picture { pts, utc: stamp.utc, stamp, user_data: user_data(codec, unit) });
        dts = dts.plus(sample.duration.into());
    }
    let earliest = pictures.iter().map(|p| p.pts.0).min().unwrap_or(0);
    for picture in &mut pictures {
        picture.utc = stamp.utc.plus(Ticks::micros(picture.pts.0 - earliest));
    }
    Ok(pictures)
}

/// The `user_data_unregistered` messages of a picture (ITU-T H.264 §D.1.7, H.265 §D.2.7), in order.
pub(crate) fn user_data(codec: Codec, unit: &[u8]) -> Vec<([u8; 16], Vec<u8>)> {
    nal_units(unit)
        .take_while(|nal| nal.kind(codec) != NalKind::Slice)
        .filter(|nal| nal.kind(codec) == NalKind::Sei)
        .flat_map(|nal| sei::messages(nal, codec))
        .filter_map(|message| message.user_data_unregistered())
        .collect()
}

/// `FragmentText` of protocol.js. Times are ticks: to write fractions takes more code than to read RTP.
pub(crate) fn fragment_text(place: &Place, pictures: &[Picture]) -> String {
    let written = pictures.iter().flat_map(|p| p.user_data.iter().map(move |data| (p.pts, data)));
    Object::new()
        .plain("start", place.start.0)
        .plain("end", place.end.0)
        .plain("epoch", place.epoch)
        .plain("randomAccess", place.random_access)
        .plain("damaged", place.damaged)
        .rows("pictures", pictures, |out, p| {
            let _ = write!(out, "{},{},{},{}", p.pts.0, p.utc.0, p.stamp.source, p.stamp.error);
        })
        .rows("userData", written, |out, (pts, (uuid, payload))| {
            let _ = write!(out, "{},", pts.0);
            string(out, &uuid_text(uuid));
            out.push(',');
            string(out, &hex(payload));
        })
        .end()
}

/// `Format` of protocol.js.
pub(crate) fn format_text(codec: Codec, string: &str, (width, height): (u32, u32)) -> String {
    Object::new()
        .text("codec", codec.name())
        .text("string", string)
        .plain("width", width)
        .plain("height", height)
        .end()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// RFC 9562 §4.
fn uuid_text(uuid: &[u8; 16]) -> String {
    let digits = hex(uuid);
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| digits.get(part).unwrap_or_default()).join("-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn prefixed(nal: &[u8]) -> Vec<u8> {
        [&(nal.len() as u32).to_be_bytes(), nal].concat()
    }

    #[test]
    fn user_data_is_found_before_the_slice() {
        let uuid = *b"vigie-Sim-Pictur";
        for (codec, slice) in [(Codec::H264, vec![0x65, 0x88]), (Codec::H265, vec![0x26, 0x01, 0xaf])] {
            let message = sei::user_data_unregistered(codec, uuid, &[0, 0, 0, 0, 0, 0, 7]);
            let unit = [prefixed(&message), prefixed(&slice), prefixed(&message)].concat();
            assert_eq!(user_data(codec, &unit), [(uuid, vec![0, 0, 0, 0, 0, 0, 7])], "{codec:?}");
        }
    }

    #[test]
    fn a_fragment_is_told_in_ticks() {
        let place =
            Place { start: Ticks(90_000), end: Ticks(93_600), epoch: 2, random_access: true, damaged: false };
        let utc = UtcMicros(1_795_325_640_120_000);
        let picture = Picture {
            pts: Ticks(90_000),
            utc,
            stamp: Stamp { utc, source: 1, error: 500 },
            user_data: vec![(*b"vigie-Sim-Pictur", vec![1, 255])],
        };
        assert_eq!(
            fragment_text(&place, &[picture]),
            "{\"start\":90000,\"end\":93600,\"epoch\":2,\"randomAccess\":true,\"damaged\":false,\
             \"pictures\":[[90000,1795325640120000,1,500]],\
             \"userData\":[[90000,\"76696769-652d-5369-6d2d-506963747572\",\"01ff\"]]}"
        );
    }
}

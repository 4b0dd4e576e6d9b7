//! What pictures in a row tell of a stream.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};
use vigie::depacket::PictureFormat;
use vigie::h26x::VideoFormat;
use vigie::time::TIMESCALE;

use crate::explain;
use crate::moment::{count, show_bytes, show_span};

/// Counted over the pictures of one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    pub(super) format: Option<VideoFormat>,
    /// Of pictures without NAL units.
    pub(super) plain: Option<Arc<PictureFormat>>,
    pictures: u64,
    bytes: u64,
    keys: u64,
    /// Earliest and latest presentation time, ticks.
    times: Option<(i64, i64)>,
    last: i64,
    /// Pictures shown before one that came earlier: there are B pictures.
    reordered: bool,
    /// The first key picture: its number and time.
    first_key: Option<(u64, i64)>,
    /// The last one.
    key: Option<(u64, i64)>,
    /// Least and most pictures of a GOP, and ticks of the last one.
    gop: Option<(u64, u64, i64)>,
}

impl Findings {
    /// The next picture in decoding order.
    pub(super) fn picture(&mut self, pts: i64, bytes: u64, key: bool) {
        if key {
            if let Some((number, then)) = self.key {
                let length = self.pictures - number;
                let (least, most) =
                    self.gop.map_or((length, length), |(a, b, _)| (a.min(length), b.max(length)));
                self.gop = Some((least, most, pts - then));
            }
            self.key = Some((self.pictures, pts));
            self.first_key.get_or_insert((self.pictures, pts));
            self.keys += 1;
        }
        self.reordered |= self.pictures > 0 && pts < self.last;
        self.last = pts;
        let (first, last) = self.times.unwrap_or((pts, pts));
        self.times = Some((first.min(pts), last.max(pts)));
        self.pictures += 1;
        self.bytes += bytes;
    }

    pub(super) const fn pictures(&self) -> u64 {
        self.pictures
    }

    /// From the first picture to the start of the last, seconds.
    fn seconds(&self) -> f64 {
        self.times.map_or(0.0, |(first, last)| (last - first) as f64 / f64::from(TIMESCALE))
    }

    /// Pictures a second, as their times say; from key picture to key picture where there are two, since at the end some
    /// may be missing that come later than those shown after them.
    fn rate(&self) -> Option<f64> {
        if let (Some((a, from)), Some((b, to))) = (self.first_key, self.key)
            && to > from
        {
            return Some((b - a) as f64 * f64::from(TIMESCALE) / (to - from) as f64);
        }
        (self.pictures > 1 && self.seconds() > 0.0).then(|| (self.pictures - 1) as f64 / self.seconds())
    }

    fn bits_per_second(&self) -> Option<f64> {
        let rate = self.rate()?;
        Some(self.bytes as f64 * 8.0 * rate / self.pictures as f64)
    }

    /// The lines of a stream.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        if let Some(format) = &self.format {
            let _ = writeln!(out, "video         {}, {}", format.codec.name(), format.codec_string);
            let _ = writeln!(out, "size          {}x{}{}", format.width, format.height, aspect(format));
            out += &explain::layers(format);
        }
        if let Some(format) = &self.plain {
            let _ = writeln!(out, "video         {}, {}", format.codec, format.codec_string());
            let _ = writeln!(out, "size          {}x{}", format.width, format.height);
        }
        let declared = self.format.as_ref().and_then(|f| f.frame_rate);
        let declared = declared.map(|(n, d)| f64::from(n) / f64::from(d.max(1)));
        match (self.rate(), declared) {
            (Some(seen), Some(said)) => {
                let _ = writeln!(out, "frame rate    {seen:.2} a second (the stream says {said:.2})");
            }
            (Some(seen), None) => {
                let _ = writeln!(out, "frame rate    {seen:.2} a second");
            }
            (None, Some(said)) => {
                let _ = writeln!(out, "frame rate    the stream says {said:.2} a second");
            }
            (None, None) => {}
        }
        let _ = writeln!(out, "GOP           {}", self.gop_text());
        let order = if self.reordered { "reordered (B pictures)" } else { "in the order of display" };
        let _ = writeln!(out, "order         {order}");
        if let Some(bits) = self.bits_per_second() {
            let _ = writeln!(out, "bit rate      {:.0} kbit/s", bits / 1e3);
        }
        let span = show_span((self.seconds() * 1e6) as u64);
        let _ = writeln!(
            out,
            "seen          {}, {span}, {}",
            count(self.pictures, "picture"),
            show_bytes(self.bytes)
        );
        out
    }

    fn gop_text(&self) -> String {
        match self.gop {
            Some((least, most, ticks)) => {
                let pictures = if least == most { most.to_string() } else { format!("{least} to {most}") };
                format!("{pictures} pictures, {:.2} s", ticks as f64 / f64::from(TIMESCALE))
            }
            None if self.keys == 0 => "no key picture seen".to_owned(),
            None => format!("longer than {}", count(self.pictures, "picture")),
        }
    }

    pub(super) fn json(&self) -> Value {
        let format = self.format.as_ref();
        let plain = self.plain.as_deref();
        json!({
            "codec": format.map(|f| f.codec.name()).or(plain.map(|f| f.codec.name())),
            "codec_string": format.map(|f| f.codec_string.clone()).or(plain.map(PictureFormat::codec_string)),
            "width": format.map(|f| f.width).or(plain.map(|f| f.width)),
            "height": format.map(|f| f.height).or(plain.map(|f| f.height)),
            "layers": format.map(|f| f.layers.name()),
            "sample_aspect": format.map(|f| [f.sample_aspect.0, f.sample_aspect.1]),
            "declared_frame_rate": format.and_then(|f| f.frame_rate).map(|(n, d)| f64::from(n) / f64::from(d.max(1))),
            "frame_rate": self.rate(), "bits_per_second": self.bits_per_second(), "reordered": self.reordered,
            "gop_pictures": self.gop.map(|(_, most, _)| most), "gop_pictures_least": self.gop.map(|(least, ..)| least),
            "gop_seconds": self.gop.map(|(_, _, ticks)| ticks as f64 / f64::from(TIMESCALE)),
            "pictures": self.pictures, "key_pictures": self.keys, "bytes": self.bytes, "seconds": self.seconds(),
        })
    }
}

fn aspect(format: &VideoFormat) -> String {
    match format.sample_aspect {
        (a, b) if a == b => String::new(),
        (a, b) => format!(", samples {a}:{b}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_gop_are_counted() {
        let mut seen = Findings::default();
        for i in 0..101 {
            seen.picture(i * 3_600, 1_000, i % 50 == 0);
        }
        assert_eq!(seen.rate(), Some(25.0));
        assert_eq!(seen.gop, Some((50, 50, 180_000)));
        assert_eq!(seen.bits_per_second(), Some(200_000.0));
        assert!(!seen.reordered);
        assert!(seen.text().contains("50 pictures, 2.00 s"));
    }

    #[test]
    fn b_pictures_are_seen() {
        let mut seen = Findings::default();
        for pts in [0, 3, 1, 2, 6, 4, 5] {
            seen.picture(pts * 3_600, 10, pts == 0);
        }
        assert!(seen.reordered);
        assert_eq!(seen.rate(), Some(25.0));
        assert!(seen.text().contains("longer than 7 pictures"));
    }

    #[test]
    fn nothing_is_nothing() {
        let none = Findings::default();
        assert_eq!((none.rate(), none.pictures()), (None, 0));
        assert!(none.text().contains("no key picture"));
    }
}

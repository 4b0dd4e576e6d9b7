//! `tx3g`: timed text, 3GPP TS 26.245 §5.16; what QuickTime, Windows and VLC show as subtitles.

use alloc::vec::Vec;

use super::Entry;
use crate::bmff::FourCc;
use crate::octets::Write as _;

/// Timed text.
pub const TX3G: FourCc = FourCc(*b"tx3g");

/// White text on half black, in the middle of the lower edge of `width` times `height` pixels.
#[must_use]
pub fn entry(width: u16, height: u16) -> Entry {
    let mut out = Vec::with_capacity(64);
    // SampleEntry: reserved, data_reference_index.
    out.put(&[0; 6]);
    out.put_u16(1);
    // displayFlags; horizontal-justification 1: centre; vertical-justification -1: bottom.
    out.put_u32(0);
    out.put(&[1, 0xff]);
    // background-color-rgba, then BoxRecord: top, left, bottom, right.
    out.put(&[0, 0, 0, 0x80]);
    for edge in [0, 0, height, width] {
        out.put_u16(edge);
    }
    // StyleRecord: all characters, font 1, plain, size, white.
    out.put(&[0; 4]);
    out.put_u16(1);
    out.put_u8(0);
    out.put_u8(u8::try_from(height / 20).unwrap_or(u8::MAX).max(10));
    out.put(&[0xff; 4]);
    // FontTableBox of one font.
    out.put_u32(8 + 2 + 3 + FONT.len() as u32);
    out.put(b"ftab");
    out.put_u16(1);
    out.put_u16(1);
    out.put_u8(FONT.len() as u8);
    out.put(FONT);
    Entry::Other(TX3G, out)
}

const FONT: &[u8] = b"Sans-Serif";

/// A sample: TextSample of §5.17 without modifiers. Text beyond 65 535 bytes is left out.
pub fn sample(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let bytes = if u16::try_from(bytes.len()).is_ok() { bytes } else { &[] };
    out.put_u16(bytes.len() as u16);
    out.put(bytes);
}

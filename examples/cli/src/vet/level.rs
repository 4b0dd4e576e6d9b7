//! What profile and level allow: ITU-T H.264 table A-1, H.265 tables A.8 and A.9.

use vigie::h26x::{ParameterSets, h264, h265};

use super::finding::{Findings, Place};
use super::gop::Gops;
use super::rule::Rule;

/// level_idc, MaxMBPS, MaxFS, MaxDpbMbs, MaxBR and MaxCPB in units of 1 000 bits, MinCR.
type H264 = (u8, u64, u64, u64, u64, u64, u64);

const LEVELS: &[H264] = &[
    (9, 1_485, 99, 396, 128, 350, 2),
    (10, 1_485, 99, 396, 64, 175, 2),
    (11, 3_000, 396, 900, 192, 500, 2),
    (12, 6_000, 396, 2_376, 384, 1_000, 2),
    (13, 11_880, 396, 2_376, 768, 2_000, 2),
    (20, 11_880, 396, 2_376, 2_000, 2_000, 2),
    (21, 19_800, 792, 4_752, 4_000, 4_000, 2),
    (22, 20_250, 1_620, 8_100, 4_000, 4_000, 2),
    (30, 40_500, 1_620, 8_100, 10_000, 10_000, 2),
    (31, 108_000, 3_600, 18_000, 14_000, 14_000, 4),
    (32, 216_000, 5_120, 20_480, 20_000, 20_000, 4),
    (40, 245_760, 8_192, 32_768, 20_000, 25_000, 4),
    (41, 245_760, 8_192, 32_768, 50_000, 62_500, 2),
    (42, 522_240, 8_704, 34_816, 50_000, 62_500, 2),
    (50, 589_824, 22_080, 110_400, 135_000, 135_000, 2),
    (51, 983_040, 36_864, 184_320, 240_000, 240_000, 2),
    (52, 2_073_600, 36_864, 184_320, 240_000, 240_000, 2),
    (60, 4_177_920, 139_264, 696_320, 240_000, 240_000, 2),
    (61, 8_355_840, 139_264, 696_320, 480_000, 480_000, 2),
    (62, 16_711_680, 139_264, 696_320, 800_000, 800_000, 2),
];

/// general_level_idc, MaxLumaPs, MaxLumaSr, MaxBR of Main and High tier in units of 1 000 bits, MinCrBase of Main tier.
type H265 = (u8, u64, u64, u64, u64, u64);

const LEVELS_265: &[H265] = &[
    (30, 36_864, 552_960, 128, 128, 2),
    (60, 122_880, 3_686_400, 1_500, 1_500, 2),
    (63, 245_760, 7_372_800, 3_000, 3_000, 2),
    (90, 552_960, 16_588_800, 6_000, 6_000, 2),
    (93, 983_040, 33_177_600, 10_000, 10_000, 2),
    (120, 2_228_224, 66_846_720, 12_000, 30_000, 4),
    (123, 2_228_224, 133_693_440, 20_000, 50_000, 4),
    (150, 8_912_896, 267_386_880, 25_000, 100_000, 6),
    (153, 8_912_896, 534_773_760, 40_000, 160_000, 8),
    (156, 8_912_896, 1_069_547_520, 60_000, 240_000, 8),
    (180, 35_651_584, 1_069_547_520, 60_000, 240_000, 8),
    (183, 35_651_584, 2_139_095_040, 120_000, 480_000, 8),
    (186, 35_651_584, 4_278_190_080, 240_000, 800_000, 6),
];

/// Pictures larger than the rate that is read off timestamps are allowed by this much: rounding, and the window's ends.
const SLACK: f64 = 1.05;

/// Units and bits that a stream may have.
struct Allowed {
    name: String,
    /// Macroblocks, or luma samples, of a picture.
    size: u64,
    /// The same, a second.
    rate: u64,
    /// Bits a second, and of the buffer.
    bits: u64,
    buffer: u64,
    /// Of this stream's pictures.
    own: u64,
    /// Bytes of one such unit before compression, times 2 over MinCR: numerator and denominator.
    raw: (u64, u64),
    /// Neither side may be longer: sqrt(8 times the size), in units.
    longest: (u64, u64),
}

/// PicSizeInMbs of a frame.
pub(super) fn macroblocks(sps: &h264::Sps) -> u64 {
    u64::from(sps.coded_width.div_ceil(16)) * u64::from(sps.coded_height.div_ceil(16))
}

fn allowed(sets: &ParameterSets) -> Option<Allowed> {
    let id = sets.active()?;
    if let Some(sps) = sets.sps_h264(id) {
        return allowed_h264(sps);
    }
    allowed_h265(sets.sps_h265(id)?)
}

fn allowed_h264(sps: &h264::Sps) -> Option<Allowed> {
    // Level 1b: 11 with constraint_set3_flag in the profiles of the first edition.
    let level =
        if sps.level == 11 && sps.constraints & 0x10 != 0 && sps.profile < 100 { 9 } else { sps.level };
    let (_, rate, size, _, bits, buffer, ratio) = *LEVELS.iter().find(|known| known.0 == level)?;
    // cpbBrNalFactor, table A-2.
    let factor = match sps.profile {
        100 | 118 | 128 => 1_500,
        110 => 3_600,
        122 | 244 | 44 => 4_800,
        _ => 1_200,
    };
    Some(Allowed {
        name: format!("{}.{}", sps.level / 10, sps.level % 10),
        size,
        rate,
        bits: bits * factor,
        buffer: buffer * factor,
        own: macroblocks(sps),
        raw: (384 * raw_factor(sps.chroma_format, sps.bit_depth_luma), 2 * ratio),
        longest: (u64::from(sps.coded_width.div_ceil(16)), u64::from(sps.coded_height.div_ceil(16))),
    })
}

/// Twice as much for every 8 bits, and for chroma that is not halved; in halves.
fn raw_factor(chroma: u8, depth: u8) -> u64 {
    let chroma = match chroma {
        0 | 1 => 2,
        2 => 3,
        _ => 4,
    };
    if depth > 8 { 2 * chroma } else { chroma }
}

fn allowed_h265(sps: &h265::Sps) -> Option<Allowed> {
    let profile = &sps.profile;
    let (_, size, rate, main, high, ratio) = *LEVELS_265.iter().find(|known| known.0 == profile.level)?;
    // Main and Main 10: CpbNalFactor 1 100, table A.10; range extensions have more and are given the most.
    let factor = if matches!(profile.idc, 1..=3) { 1_100 } else { 6_600 };
    // MinCrBase of the High tier is 4 at most.
    let (bits, ratio) =
        if profile.high_tier { (high * factor, ratio.min(4)) } else { (main * factor, ratio) };
    Some(Allowed {
        name: format!("{}.{}", profile.level / 30, profile.level % 30 / 3),
        size,
        rate,
        bits,
        buffer: bits,
        own: u64::from(sps.coded_width) * u64::from(sps.coded_height),
        raw: (3 * raw_factor(sps.chroma_format, sps.bit_depth_luma), 4 * ratio),
        longest: (u64::from(sps.coded_width), u64::from(sps.coded_height)),
    })
}

/// Bytes that one picture may have, where pictures are `step` ticks apart.
pub(super) fn largest_picture(sets: &ParameterSets, step: Option<i64>) -> Option<u64> {
    let allowed = allowed(sets)?;
    // §A.3.1: by the size of the picture, or what the level's rate gives in the time since the one before.
    let by_time = step.filter(|step| *step > 0).map_or(0, |step| allowed.rate * step as u64 / 90_000);
    let units = allowed.own.max(allowed.size).max(by_time);
    Some(units * allowed.raw.0 / allowed.raw.1)
}

/// At the end: size, rate, bit rate, references.
pub(super) fn check(sets: &ParameterSets, gops: &Gops, f: &mut Findings) {
    let Some(allowed) = allowed(sets) else { return };
    let name = &allowed.name;
    let place = Place::default();
    let (width, height) = allowed.longest;
    if allowed.own > allowed.size || width * width > 8 * allowed.size || height * height > 8 * allowed.size {
        f.add(Rule::LevelSize, place, || {
            format!("{} units, level {name} allows {}", allowed.own, allowed.size)
        });
    }
    if let Some(rate) = gops.rate() {
        let units = allowed.own as f64 * rate;
        if units > allowed.rate as f64 * SLACK {
            f.add(Rule::LevelRate, place, || {
                format!("{units:.0} a second, level {name} allows {}", allowed.rate)
            });
        }
    }
    if let Some((bits, micros)) = gops.heaviest() {
        let most = allowed.bits as f64 * micros as f64 / 1e6 + allowed.buffer as f64;
        if bits as f64 > most * SLACK {
            f.add(Rule::LevelBitRate, place, || {
                format!(
                    "{:.1} Mbit/s, level {name} allows {:.1}",
                    bits as f64 / micros as f64,
                    allowed.bits as f64 / 1e6
                )
            });
        }
    }
    let sps = sets.active().and_then(|id| sets.sps_h264(id));
    if let Some(sps) = sps {
        let dpb = LEVELS.iter().find(|known| known.0 == sps.level).map(|known| known.3);
        let frames = dpb.map(|dpb| (dpb / allowed.own.max(1)).min(16));
        if let Some(frames) = frames.filter(|frames| u64::from(sps.max_ref_frames) > *frames) {
            f.add(Rule::LevelDpb, place, || {
                format!("{} reference frames, level {name} has room for {frames}", sps.max_ref_frames)
            });
        }
    }
}

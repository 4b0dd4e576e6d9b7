//! `AudioSpecificConfig`, ISO/IEC 14496-3 §1.6.2.1: what an AAC decoder must be told.

use alloc::vec::Vec;

use crate::octets::{Bits, Write as _};

/// ISO/IEC 14496-3 table 1.18.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/// Object types, table 1.17.
const AAC_LC: u8 = 2;
const SBR: u8 = 5;
const AAC_LD: u8 = 23;
const PS: u8 = 29;
const AAC_ELD: u8 = 39;

/// What an `AudioSpecificConfig` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AudioConfig {
    /// The object type as signalled: 2 AAC-LC, 5 HE-AAC, 29 HE-AAC v2.
    pub object_type: u8,
    /// Samples per second of the core coder.
    pub core_rate: u32,
    /// Samples per second that are put out: with SBR, mostly twice as many.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u8,
    /// Samples of the core coder in one access unit: 1 024, 960, 512 or 480.
    pub samples: u32,
}

impl AudioConfig {
    /// Reads it; more may follow. `None` where it is cut short or says what it must not.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        Self::read(&mut Bits::new(bytes))
    }

    /// Reads it where it stands. Backward-compatible signalling of SBR behind it is not looked for.
    pub(super) fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let object_type = object_type(bits)?;
        let core_rate = rate(bits)?;
        let mut configuration = bits.take(4)? as u8;
        let (mut sample_rate, mut coder) = (core_rate, object_type);
        if matches!(object_type, SBR | PS) {
            sample_rate = rate(bits)?;
            coder = self::object_type(bits)?;
            if coder == 22 {
                configuration = bits.take(4)? as u8;
            }
        }
        let (samples, elements) = match coder {
            1..=4 | 6 | 7 | 17 | 19..=22 | AAC_LD => general(bits, coder, configuration)?,
            // ELDSpecificConfig: its first bit is frameLengthFlag.
            AAC_ELD => (if bits.bit()? { 480 } else { 512 }, 0),
            _ => (1_024, 0),
        };
        let channels = match configuration {
            0 => elements,
            1..=6 => configuration,
            7 | 12 | 14 => 8,
            11 => 7,
            13 => 24,
            _ => return None,
        };
        // HE-AAC v2 makes two of one.
        let channels = if object_type == PS && channels == 1 { 2 } else { channels };
        (core_rate > 0 && sample_rate > 0 && channels > 0).then_some(Self {
            object_type,
            core_rate,
            sample_rate,
            channels,
            samples,
        })
    }

    /// The bytes for plain AAC of one of the standard's rates; AAC-LC, where nobody said so.
    pub(super) fn write(object_type: u8, rate: u32, channels: u8) -> Option<[u8; 2]> {
        let index = RATES.iter().position(|r| *r == rate)? as u16;
        let object = u16::from(if object_type == 0 { AAC_LC } else { object_type });
        let configuration = u16::from(if channels == 8 { 7 } else { channels });
        ((1..=7).contains(&configuration) && object < 31)
            .then(|| (object << 11 | index << 7 | configuration << 3).to_be_bytes())
    }

    /// The rate with that index, table 1.18.
    pub(super) fn rate_of(index: u8) -> Option<u32> {
        RATES.get(usize::from(index)).copied()
    }
}

fn object_type(bits: &mut Bits<'_>) -> Option<u8> {
    match bits.take(5)? {
        31 => Some(32 + bits.take(6)? as u8),
        0 => None,
        kind => Some(kind as u8),
    }
}

fn rate(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.take(4)? {
        15 => bits.take(24),
        index => RATES.get(index as usize).copied(),
    }
}

/// `GASpecificConfig`, §4.4.1: samples of an access unit, and channels where only its elements say them.
fn general(bits: &mut Bits<'_>, coder: u8, configuration: u8) -> Option<(u32, u8)> {
    let short = bits.bit()?;
    if bits.bit()? {
        bits.skip(14)?; // coreCoderDelay
    }
    let extension = bits.bit()?;
    let channels = if configuration == 0 { elements(bits)? } else { 0 };
    if matches!(coder, 6 | 20) {
        bits.skip(3)?; // layerNr
    }
    if extension {
        match coder {
            22 => bits.skip(16)?,
            17 | 19 | 20 | AAC_LD => bits.skip(3)?,
            _ => {}
        }
        bits.skip(1)?;
    }
    let samples = match (coder, short) {
        (AAC_LD, false) => 512,
        (AAC_LD, true) => 480,
        (_, false) => 1_024,
        (_, true) => 960,
    };
    Some((samples, channels))
}

/// `program_config_element`, §4.4.1.1: its channels.
fn elements(bits: &mut Bits<'_>) -> Option<u8> {
    bits.skip(10)?; // tag, object type, rate
    let counts: [u32; 6] = {
        let mut counts = [0; 6];
        for (count, width) in counts.iter_mut().zip([4, 4, 4, 2, 3, 4]) {
            *count = bits.take(width)?;
        }
        counts
    };
    for width in [4, 4, 3] {
        if bits.bit()? {
            bits.skip(width)?; // mixdown
        }
    }
    let [front, side, back, low, associated, coupling] = counts;
    let mut channels = low;
    for _ in 0..front + side + back {
        channels += 1 + u32::from(bits.bit()?);
        bits.skip(4)?;
    }
    bits.skip(4 * (low + associated) as usize + 5 * coupling as usize)?;
    bits.align();
    let comment = bits.take(8)? as usize;
    bits.skip(8 * comment)?;
    u8::try_from(channels).ok()
}

/// Hexadecimal digits, as `config` of RFC 3640 and RFC 6416 has them. Blanks and a `0x` in front are tolerated, and so is
/// an odd digit at the end, by a zero behind it.
pub(super) fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let text = text.trim().trim_matches('"');
    let text = text.strip_prefix("0x").or(text.strip_prefix("0X")).unwrap_or(text);
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    if digits.is_empty() || digits.len() > 2 * 1_024 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len().div_ceil(2));
    for pair in digits.chunks(2) {
        if let Some(high) = pair.first() {
            out.put_u8(high << 4 | pair.get(1).unwrap_or(&0));
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn configurations_of_cameras_and_of_the_standard() {
        let says = |hex: &str| {
            let config = AudioConfig::parse(&hexadecimal(hex).unwrap()).unwrap();
            (config.object_type, config.core_rate, config.sample_rate, config.channels, config.samples)
        };
        // AAC-LC, 44 100 Hz, two channels; 16 000 Hz, one.
        assert_eq!(says("1210"), (2, 44_100, 44_100, 2, 1_024));
        assert_eq!(says("1408"), (2, 16_000, 16_000, 1, 1_024));
        // HE-AAC: 24 000 Hz coded, 48 000 Hz put out.
        assert_eq!(says("2b118800"), (5, 24_000, 48_000, 2, 1_024));
        // HE-AAC v2 of one coded channel.
        assert_eq!(says("eb8a0800"), (29, 22_050, 44_100, 2, 1_024));
        // 960 samples.
        assert_eq!(says("1214"), (2, 44_100, 44_100, 2, 960));
        assert_eq!(AudioConfig::write(0, 44_100, 2), Some([0x12, 0x10]));
        assert_eq!(AudioConfig::write(2, 16_000, 1), Some([0x14, 0x08]));
        assert_eq!(AudioConfig::write(2, 44_000, 1), None);
    }

    #[test]
    fn a_program_config_element_counts_channels() {
        // AAC-LC, 48 000 Hz, configuration 0; one pair and one single element in front, one at the back, one low.
        let mut bits = alloc::string::String::from("00010") + "0011" + "0000" + "000";
        bits += "0000";
        bits += "01";
        bits += "0011"; // tag, object type, rate
        bits += "0010";
        bits += "0000";
        bits += "0001";
        bits += "01";
        bits += "000";
        bits += "0000";
        bits += "000"; // no mixdown
        bits += "1";
        bits += "0000";
        bits += "0";
        bits += "0001"; // front
        bits += "0";
        bits += "0000"; // back
        bits += "0000"; // low
        while !bits.len().is_multiple_of(8) {
            bits += "0";
        }
        bits += "00000000";
        let bytes: Vec<u8> =
            bits.as_bytes().chunks(8).map(|c| c.iter().fold(0, |n, b| n << 1 | (b - b'0'))).collect();
        let config = AudioConfig::parse(&bytes).unwrap();
        assert_eq!((config.channels, config.core_rate, config.samples), (5, 48_000, 1_024));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_configuration_or_none(bytes: Vec<u8>, text in "\\PC*") {
            let _ = AudioConfig::parse(&bytes);
            let _ = hexadecimal(&text);
        }
    }
}

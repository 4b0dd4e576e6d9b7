//! The sequence header of AV1, AV1 Bitstream & Decoding Process Specification §5.5, as far as `av1C` and the size need it.

use alloc::vec::Vec;

use crate::octets::Bits;

/// What a sequence header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    profile: u8,
    level: u8,
    tier: u8,
    /// high_bitdepth, twelve_bit, mono_chrome, subsampling_x, subsampling_y (a bit each), chroma_sample_position (two).
    colour: u8,
    pub(super) reduced: bool,
    pub(super) size: (u32, u32),
}

impl Sequence {
    /// From the payload of the OBU. `None` where it is cut off.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let mut r = Bits::new(payload);
        let profile = r.take(3)? as u8;
        r.bit()?;
        let reduced = r.bit()?;
        let (level, tier) = if reduced { (r.take(5)? as u8, 0) } else { operating_points(&mut r)? };
        let (across, down) = (r.take(4)? + 1, r.take(4)? + 1);
        let size = (r.take(across)? + 1, r.take(down)? + 1);
        if !reduced && r.bit()? {
            r.skip(7)?;
        }
        r.skip(3)?;
        if !reduced {
            tools(&mut r)?;
        }
        r.skip(3)?;
        let colour = colour(&mut r, profile)?;
        Some(Self { profile, level, tier, colour, reduced, size })
    }

    /// AV1CodecConfigurationRecord, AV1 Codec ISO Media File Format Binding §2.3, with `obu`, the sequence header whole.
    pub(super) fn record(&self, obu: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + obu.len());
        out.extend([0x81, self.profile << 5 | self.level, self.tier << 7 | self.colour, 0]);
        out.extend_from_slice(obu);
        out
    }
}

/// seq_level_idx and seq_tier of the first operating point.
fn operating_points(r: &mut Bits<'_>) -> Option<(u8, u8)> {
    let mut delay = None;
    if r.bit()? {
        r.skip(64)?;
        if r.bit()? {
            // uvlc().
            let mut zeros = 0;
            while !r.bit()? {
                zeros += 1;
            }
            r.skip(if zeros < 32 { zeros } else { 0 })?;
        }
        if r.bit()? {
            delay = Some(r.take(5)? as usize + 1);
            r.skip(32 + 5 + 5)?;
        }
    }
    let display_delay = r.bit()?;
    let mut first = None;
    for _ in 0..=r.take(5)? {
        r.skip(12)?;
        let level = r.take(5)? as u8;
        let tier = if level > 7 { u8::from(r.bit()?) } else { 0 };
        first.get_or_insert((level, tier));
        if let Some(bits) = delay
            && r.bit()?
        {
            r.skip(2 * bits + 1)?;
        }
        if display_delay && r.bit()? {
            r.skip(4)?;
        }
    }
    first
}

/// From enable_interintra_compound to order_hint_bits_minus_1.
fn tools(r: &mut Bits<'_>) -> Option<()> {
    r.skip(4)?;
    let order_hint = r.bit()?;
    if order_hint {
        r.skip(2)?;
    }
    let screen = if r.bit()? { true } else { r.bit()? };
    if screen && !r.bit()? {
        r.skip(1)?;
    }
    if order_hint {
        r.skip(3)?;
    }
    Some(())
}

/// color_config().
fn colour(r: &mut Bits<'_>, profile: u8) -> Option<u8> {
    let high = r.bit()?;
    let twelve = profile == 2 && high && r.bit()?;
    let mono = profile != 1 && r.bit()?;
    let described = if r.bit()? { (r.take(8)?, r.take(8)?, r.take(8)?) } else { (2, 2, 2) };
    let (x, y, position) = if mono {
        r.bit()?;
        (true, true, 0)
    } else if described == (1, 13, 0) {
        (false, false, 0)
    } else {
        r.bit()?;
        let (x, y) = match profile {
            0 => (true, true),
            1 => (false, false),
            _ if twelve => {
                let x = r.bit()?;
                (x, x && r.bit()?)
            }
            _ => (true, false),
        };
        (x, y, if x && y { r.take(2)? as u8 } else { 0 })
    };
    let bits = [high, twelve, mono, x, y].into_iter().fold(0, |all, bit| all << 1 | u8::from(bit));
    Some(bits << 2 | position)
}

//! Short-term reference picture sets, ITU-T H.265 §7.3.7 and §7.4.8: read to get past them, since the size of one hangs
//! on the one before.

use alloc::vec::Vec;

use crate::h26x::error::{Bits, Error, Kind};

/// DeltaPocS0 and DeltaPocS1 of a short-term reference picture set.
#[derive(Clone, Debug, Default)]
pub(super) struct RefPicSet {
    negative: Vec<i32>,
    positive: Vec<i32>,
}

/// The short-term reference picture sets of a sequence parameter set, §7.3.7.
pub(super) fn ref_pic_sets(bits: &mut Bits<'_>) -> Result<(), Error> {
    let count = bits.ue_max(64)?;
    let mut before: Option<RefPicSet> = None;
    for _ in 0..count {
        let set = match &before {
            Some(reference) if bits.flag()? => predicted(bits, reference)?,
            _ => coded(bits)?,
        };
        before = Some(set);
    }
    Ok(())
}

fn coded(bits: &mut Bits<'_>) -> Result<RefPicSet, Error> {
    let (negatives, positives) = (bits.ue_max(16)?, bits.ue_max(16)?);
    let mut set = RefPicSet::default();
    let mut delta = 0_i32;
    for _ in 0..negatives {
        delta -= bits.ue_max(0x7fff)? as i32 + 1;
        bits.skip(1)?; // used_by_curr_pic_s0_flag
        set.negative.push(delta);
    }
    delta = 0;
    for _ in 0..positives {
        delta += bits.ue_max(0x7fff)? as i32 + 1;
        bits.skip(1)?;
        set.positive.push(delta);
    }
    Ok(set)
}

/// A set predicted from the one before it (in a sequence parameter set, delta_idx_minus1 is 0), §7.4.8.
fn predicted(bits: &mut Bits<'_>, reference: &RefPicSet) -> Result<RefPicSet, Error> {
    let negative = bits.flag()?;
    let magnitude = bits.ue_max(0x7fff)? as i32 + 1;
    let shift = if negative { -magnitude } else { magnitude };
    // The reference's pictures in its order, and last the picture that the set itself is of.
    let deltas = reference.negative.iter().chain(&reference.positive).copied().chain([0]);
    let mut set = RefPicSet::default();
    for delta in deltas {
        let used = bits.flag()?;
        if used || bits.flag()? {
            match delta + shift {
                d if d < 0 => set.negative.push(d),
                d if d > 0 => set.positive.push(d),
                _ => {}
            }
        }
    }
    if set.negative.len() > 16 || set.positive.len() > 16 {
        return Err(bits.error(Kind::OutOfRange));
    }
    // The order within matters to the next prediction: nearest first.
    set.negative.sort_unstable_by(|a, b| b.cmp(a));
    set.positive.sort_unstable();
    Ok(set)
}

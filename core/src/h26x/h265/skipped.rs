//! Syntax of the sequence parameter set that must be read to get past it.

use alloc::vec::Vec;

use crate::h26x::error::{Bits, Error, Kind};

/// scaling_list_data(), ITU-T H.265 §7.3.4.
pub(super) fn scaling_lists(bits: &mut Bits<'_>) -> Result<(), Error> {
    for size in 0..4 {
        let coefficients = 64.min(1 << (4 + (size << 1)));
        for _ in (0..6).step_by(if size == 3 { 3 } else { 1 }) {
            if bits.flag()? {
                if size > 1 {
                    bits.se()?; // scaling_list_dc_coef_minus8
                }
                for _ in 0..coefficients {
                    bits.se()?;
                }
            } else {
                bits.ue()?; // scaling_list_pred_matrix_id_delta
            }
        }
    }
    Ok(())
}

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

/// hrd_parameters( 1, … ), §E.2.2.
pub(super) fn hrd(bits: &mut Bits<'_>, sub_layers: u32) -> Result<(), Error> {
    let (nal, vcl) = (bits.flag()?, bits.flag()?);
    let mut sub_pictures = false;
    if nal || vcl {
        sub_pictures = bits.flag()?;
        if sub_pictures {
            bits.skip(19)?; // tick_divisor_minus2 … dpb_output_delay_du_length_minus1
        }
        bits.skip(8)?; // bit_rate_scale, cpb_size_scale
        if sub_pictures {
            bits.skip(4)?; // cpb_size_du_scale
        }
        bits.skip(15)?; // three lengths of 5 bits
    }
    for _ in 0..sub_layers {
        // fixed_pic_rate_general_flag implies fixed_pic_rate_within_cvs_flag.
        let fixed = bits.flag()? || bits.flag()?;
        let mut low_delay = false;
        if fixed {
            bits.ue()?; // elemental_duration_in_tc_minus1
        } else {
            low_delay = bits.flag()?;
        }
        let count = if low_delay { 0 } else { bits.ue_max(31)? };
        for _ in 0..u32::from(nal) + u32::from(vcl) {
            for _ in 0..=count {
                for _ in 0..if sub_pictures { 4 } else { 2 } {
                    bits.ue()?;
                }
                bits.skip(1)?; // cbr_flag
            }
        }
    }
    Ok(())
}

//! Scaling lists, ITU-T H.265 §7.3.4: stepped over, a decoder's business.

use crate::h26x::error::{Bits, Error};

/// scaling_list_data().
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

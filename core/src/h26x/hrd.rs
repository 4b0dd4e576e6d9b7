//! Hypothetical reference decoder: what a stream promises of its rate, in both standards (Annexes C and E).

/// hrd_parameters(). Of several schedules the last, which is the fastest; in H.265, of the highest sub-layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hrd {
    /// BitRate: bits per second.
    pub bit_rate: u64,
    /// CpbSize: bits of the coded picture buffer.
    pub buffer: u64,
    /// cbr_flag: at just that rate.
    pub constant: bool,
    /// Bits of initial_cpb_removal_delay, 1 to 32.
    pub initial_delay_bits: u8,
    /// Bits of cpb_removal_delay (H.265: au_cpb_removal_delay), 1 to 32.
    pub removal_delay_bits: u8,
    /// Bits of dpb_output_delay, 1 to 32.
    pub output_delay_bits: u8,
    /// Bits of time_offset (H.264), 0 to 31.
    pub time_offset_bits: u8,
}

impl Hrd {
    /// bit_rate_value_minus1 and cpb_size_value_minus1 with their scales, §E.2.2 (H.265 §E.3.3).
    pub(super) fn schedule(&mut self, rate: (u32, u32), size: (u32, u32), constant: bool) {
        let scaled = |(value, scale): (u32, u32), base| (u64::from(value) + 1) << (base + scale.min(15));
        (self.bit_rate, self.buffer, self.constant) = (scaled(rate, 6), scaled(size, 4), constant);
    }
}

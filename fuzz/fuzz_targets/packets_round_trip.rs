//! See `vigie_fuzz::packets_round_trip`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::packets_round_trip(bytes));

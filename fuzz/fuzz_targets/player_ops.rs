//! See `vigie_fuzz::player_ops`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::player_ops(bytes));

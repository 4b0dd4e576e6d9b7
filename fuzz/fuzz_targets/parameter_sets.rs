//! See `vigie_fuzz::parameter_sets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::parameter_sets(bytes));

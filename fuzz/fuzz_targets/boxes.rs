//! See `vigie_fuzz::boxes`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::boxes(bytes));

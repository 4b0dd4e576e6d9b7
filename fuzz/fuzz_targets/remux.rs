//! See `vigie_fuzz::remux`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::remux(bytes));

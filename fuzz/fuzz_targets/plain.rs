//! See `vigie_fuzz::plain`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::plain(bytes));

//! See `vigie_fuzz::capture_split`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::capture_split(bytes));

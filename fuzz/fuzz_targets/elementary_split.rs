//! See `vigie_fuzz::elementary_split`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::elementary_split(bytes));

//! See `vigie_fuzz::framing_split`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::framing_split(bytes));

//! See `vigie_fuzz::session_split`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::session_split(bytes));

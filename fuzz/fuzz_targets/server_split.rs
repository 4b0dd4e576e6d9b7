//! See `vigie_fuzz::server_split`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::server_split(bytes));

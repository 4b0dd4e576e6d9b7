//! See `vigie_fuzz::ingest_split`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::ingest_split(bytes));

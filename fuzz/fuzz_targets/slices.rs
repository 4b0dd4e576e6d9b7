//! See `vigie_fuzz::slices`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::slices(bytes));

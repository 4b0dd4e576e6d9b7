//! See `vigie_fuzz::govern_ops`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::govern_ops(bytes));

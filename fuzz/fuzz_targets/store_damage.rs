//! See `vigie_fuzz::store_damage`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::store_damage(bytes));

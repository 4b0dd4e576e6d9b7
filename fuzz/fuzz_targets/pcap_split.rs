//! See `vigie_fuzz::pcap_split`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vigie_fuzz::pcap_split(bytes));

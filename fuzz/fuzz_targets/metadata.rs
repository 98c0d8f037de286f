//! Fuzzes `zmtp::testing::fuzz::metadata`, where it is written what must hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zmtp::testing::fuzz::metadata(data));

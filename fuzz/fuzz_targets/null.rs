//! Fuzzes `zmtp::testing::fuzz::null`, where it is written what must hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| zmtp::testing::fuzz::null(data));

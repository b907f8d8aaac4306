#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| session_runtime::testing::fuzz::stored_records(input));

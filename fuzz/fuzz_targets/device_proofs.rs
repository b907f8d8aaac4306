#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| session_runtime::testing::fuzz::device_proofs(input));

#![no_main]
#![doc = "libFuzzer on `wharf_fuzz::broker_replay`."]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wharf_fuzz::broker_replay::run(data));

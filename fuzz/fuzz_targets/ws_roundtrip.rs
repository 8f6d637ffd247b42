#![no_main]
#![doc = "libFuzzer on `wharf_fuzz::ws_roundtrip`."]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wharf_fuzz::ws_roundtrip::run(data));

#![no_main]
#![doc = "libFuzzer on `wharf_fuzz::mbws_decode`."]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wharf_fuzz::mbws_decode::run(data));

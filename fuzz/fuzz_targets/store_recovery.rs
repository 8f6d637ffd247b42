#![no_main]
#![doc = "libFuzzer on `wharf_fuzz::store_recovery`."]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wharf_fuzz::store_recovery::run(data));

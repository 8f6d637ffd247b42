#![no_main]
#![doc = "libFuzzer on `wharf_fuzz::gateway_session`."]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wharf_fuzz::gateway_session::run(data));

#![no_main]
#![doc = "libFuzzer on `wharf_fuzz::mbws_server`."]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wharf_fuzz::mbws_server::run(data));

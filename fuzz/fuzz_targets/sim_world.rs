#![no_main]
#![doc = "libFuzzer on `wharf_fuzz::sim_world`."]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wharf_fuzz::sim_world::run(data));

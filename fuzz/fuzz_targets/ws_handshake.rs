#![no_main]
#![doc = "libFuzzer on `wharf_fuzz::ws_handshake`."]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wharf_fuzz::ws_handshake::run(data));

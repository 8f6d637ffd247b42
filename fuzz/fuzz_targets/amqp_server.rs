#![no_main]
#![doc = "libFuzzer on `wharf_fuzz::amqp_server`."]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wharf_fuzz::amqp_server::run(data));

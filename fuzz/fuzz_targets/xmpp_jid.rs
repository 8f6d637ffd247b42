#![no_main]
#![doc = "libFuzzer on `wharf_fuzz::xmpp_jid`."]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wharf_fuzz::xmpp_jid::run(data));

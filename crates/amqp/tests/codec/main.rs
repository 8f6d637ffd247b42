//! The codec against random input, against malformed input, and against another implementation.

mod arbitrary;
mod arbitrary_frames;
mod malformed;
mod messages;
mod oracle;
mod oracle_values;
mod roundtrip;
mod verbose;

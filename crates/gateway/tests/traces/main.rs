//! Traces of the protocols: clients of each, a real shard, and a journal in memory.

mod amqp;
mod between;
mod mbws;
mod wire;
mod xmpp;

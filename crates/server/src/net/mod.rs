//! Sockets: who may connect, and what runs on a connection.

pub(crate) mod admission;
pub(crate) mod allowance;
pub(crate) mod certificate;
pub(crate) mod connection;
pub(crate) mod driver;
pub(crate) mod listener;
pub(crate) mod peer;
mod proxy;
pub(crate) mod registry;
pub(crate) mod tls;

//! The settings: one struct, filled from a TOML file, then the environment, then `--set`.
//!
//! Every key is described once, in `keys`; the reference page and `wharf config` come from there.

mod check;
pub(crate) mod keys;
mod load;
mod reference;
mod sections;
mod suggest;

pub(crate) use check::problems;
pub(crate) use load::{Sources, load};
pub use reference::{default_file, reference_page};
pub use sections::{
    AcmeEntry, Auth, ClientCertificates, CloseEnds, Config, Data, Http, IssuerEntry, Listen,
    LocationRule, Log, LogFormat, Mbws, NameFrom, OverflowRule, PermissionRule, PolicyKind,
    PolicyRule, ProxyProtocol, Session, Shutdown, Tls, TracesEntry, UserEntry, WebSocket,
};

#[cfg(test)]
mod tests;

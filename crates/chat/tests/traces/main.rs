//! The services of XMPP as their clients see them.

mod messages;
mod node;
mod people;
mod presence;
mod removal;
mod services;
mod sessions;

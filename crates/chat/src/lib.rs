//! The services of XMPP, deterministic like the shard they work on: who is bound and available,
//! who may see whom, where a stanza goes, and what waits for whom.
//!
//! A [`Chat`] works through `&mut Shard` between the shard's `handle` and `flush`: what a stanza
//! changes is in one frame of the journal with the fact that it was taken. It does no IO and
//! knows no clock.
//!
//! | module | what it owns |
//! |---|---|
//! | `command` | the vocabulary in and out |
//! | `chat` | the services together, and the order in which they are asked |
//! | `people` | bound resources, by session and by account |
//! | `binding` | sessions of resources: bound, managed, resumed, recovered |
//! | `leaving` | what a session leaves behind when it ends |
//! | `stanzas` | a stanza that comes in: checked, stamped, sent to whom it is for |
//! | `messages` | where messages go, by their type and address (RFC 6121, section 8) |
//! | `presence`, `roster`, `subscription` | who sees whom (RFC 6121, sections 2 to 4) |
//! | `iq` | requests to accounts and the server |
//! | `archive` | what was said, for later (XEP-0313) |
//! | `carbons`, `blocking`, `csi`, `forms` | XEP-0280, XEP-0191, XEP-0352, XEP-0004 |
//! | `reply` | results and errors |
//! | `probes` | who asks for presence |
//! | `publishing` | stanzas for addresses that are no people |
//! | `removal` | an account that is removed leaves nothing |
//! | `stored` | messages as they are kept |
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

mod archive;
mod binding;
mod blocking;
mod carbons;
mod chat;
mod command;
mod config;
mod csi;
mod forms;
mod iq;
mod leaving;
pub mod limits;
mod messages;
mod people;
mod presence;
mod probes;
mod publishing;
mod removal;
mod reply;
mod roster;
mod stanzas;
mod stored;
mod subscription;

pub use chat::Chat;
pub use command::{Answer, Command, Request, RequestId};
pub use config::Config;
pub use iq::stream_features;
pub use stored::{INBOX, OFFLINE, STORED_HEAD_BYTES, XMPP, XMPP_COPY, stamp_us};

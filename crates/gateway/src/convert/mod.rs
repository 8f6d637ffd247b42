//! The message mapping. The broker keeps a message as its sender's protocol encoded it, with a
//! format number; it is converted only when a consumer needs another form. The table is in
//! `docs/protocols/mapping.md`.
//!
//! | module | what it owns |
//! |---|---|
//! | `mbws` | what MBWS stores, and any message as MBWS content |
//! | `amqp` | what AMQP stores, and any message as AMQP sections |

mod amqp;
mod mbws;

pub(crate) use amqp::{AMQP, Unfit, amqp_destination, amqp_payload, amqp_stored, kept_annotations};
pub(crate) use mbws::{mbws_content, mbws_format, mbws_stored};

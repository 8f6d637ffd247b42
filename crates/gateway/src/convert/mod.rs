//! The message mapping. The broker keeps a message as its sender's protocol encoded it, with a
//! format number; it is converted only when a consumer needs another form. The table is in
//! `docs/protocols/mapping.md`.
//!
//! | module | what it owns |
//! |---|---|
//! | `mbws` | what MBWS stores, and any message as MBWS content |
//! | `amqp` | what AMQP stores, and any message as AMQP sections |
//! | `from_mbws` | MBWS content as AMQP sections |
//! | `from_amqp` | AMQP sections as MBWS content |
//! | `xmpp` | what XMPP stores, and any message as a stanza |
//! | `from_xmpp` | stanzas as MBWS content |
//! | `parts` | kind, content type, properties and body: what others are converted by |
//! | `properties` | the properties that AMQP defines, by their names and as text |
//! | `text` | values of AMQP as text |

mod amqp;
mod from_amqp;
mod from_mbws;
mod from_xmpp;
mod mbws;
mod parts;
mod properties;
#[cfg(test)]
mod tests;
mod text;
mod xmpp;

pub(crate) use amqp::{
    AMQP, Unfit, amqp_destination, amqp_payload, amqp_stored, kept_annotations, merged_annotations,
};
pub(crate) use mbws::{mbws_content, mbws_form, mbws_format, mbws_stored};
pub(crate) use xmpp::{Unsayable, is_xmpp, xmpp_message, xmpp_stanza, xmpp_stored};

/// Content type of an AMQP body that is neither octets nor text: the octets are its sections.
const BODY_TYPE: &str = "application/x-amqp-body";

/// Content type of an AMQP message that cannot be taken apart: the octets are all of it.
const MESSAGE_TYPE: &str = "application/x-amqp-message";

/// Property with the content type of an AMQP message whose body is of `BODY_TYPE`.
const BODY_CONTENT_TYPE: &str = "wharf-amqp-content-type";

/// Annotation with all properties of an MBWS message, names and values in turn: what a map
/// cannot hold, as names repeat and are in order.
const MBWS_PROPERTIES: &str = "x-opt-mbws-properties";

/// Annotation with the content type of an MBWS message, if it is not ASCII.
const MBWS_CONTENT_TYPE: &str = "x-opt-mbws-content-type";

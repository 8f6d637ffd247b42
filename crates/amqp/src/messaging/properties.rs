//! The properties of a message (AMQP 3.2.4, 3.2.5, 3.2.11 to 3.2.14).

use crate::codec::{DecodeError, FieldReader, Reader, composite};
use crate::value::Value;

/// The standard properties, immutable from producer to consumer (AMQP 3.2.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// The producer's name for the message.
    pub message_id: Option<MessageId>,
    /// Who made the message.
    pub user_id: Option<Vec<u8>>,
    /// Where the message is meant to go.
    pub to: Option<String>,
    /// What the message is about.
    pub subject: Option<String>,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// Which message this one belongs to.
    pub correlation_id: Option<MessageId>,
    /// The media type of the body.
    pub content_type: Option<String>,
    /// How the body is encoded on top of its media type.
    pub content_encoding: Option<String>,
    /// When the message is worth nothing any more, in milliseconds since the Unix epoch.
    pub absolute_expiry_time: Option<i64>,
    /// When the message was made, in milliseconds since the Unix epoch.
    pub creation_time: Option<i64>,
    /// The group that the message is part of.
    pub group_id: Option<String>,
    /// The place of the message in its group.
    pub group_sequence: Option<u32>,
    /// The group that answers are part of.
    pub reply_to_group_id: Option<String>,
}

composite! {
    Properties, "properties", 0x73, {
        message_id: optional message_id,
        user_id: optional binary,
        to: optional string,
        subject: optional string,
        reply_to: optional string,
        correlation_id: optional message_id,
        content_type: optional symbol,
        content_encoding: optional symbol,
        absolute_expiry_time: optional timestamp,
        creation_time: optional timestamp,
        group_id: optional string,
        group_sequence: optional uint,
        reply_to_group_id: optional string,
    }
}

impl Properties {
    /// The field `to` of a list of properties; the fields after it are not looked at.
    pub(super) fn read_to<'m>(reader: &mut Reader<'m>) -> Result<Option<&'m str>, DecodeError> {
        const NAMES: &[&str] = &["properties.message_id", "properties.user_id", "properties.to"];
        let mut fields = FieldReader::new(reader, NAMES)?;
        fields.optional(Reader::skip_value)?;
        fields.optional(Reader::skip_value)?;
        fields.optional(Reader::string)
    }
}

/// A message's name, of one of four types (AMQP 3.2.11 to 3.2.14).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MessageId {
    /// A number.
    Ulong(u64),
    /// A UUID, its octets.
    Uuid([u8; 16]),
    /// Octets.
    Binary(Vec<u8>),
    /// Text.
    String(String),
}

/// The application's own properties: names and simple values (AMQP 3.2.5).
pub type ApplicationProperties = Vec<(String, Value)>;

//! The numeric descriptors of the sections of a message, in the order in which they stand
//! (AMQP 3.2.1 to 3.2.9).

use crate::codec::{DecodeError, Descriptor};

pub(super) const HEADER: u8 = 0x70;
pub(super) const DELIVERY_ANNOTATIONS: u8 = 0x71;
pub(super) const MESSAGE_ANNOTATIONS: u8 = 0x72;
pub(super) const PROPERTIES: u8 = 0x73;
pub(super) const APPLICATION_PROPERTIES: u8 = 0x74;
pub(super) const DATA: u8 = 0x75;
pub(super) const AMQP_SEQUENCE: u8 = 0x76;
pub(super) const AMQP_VALUE: u8 = 0x77;
pub(super) const FOOTER: u8 = 0x78;

const NO_SECTION: DecodeError = DecodeError::encoding("not a section of a message");

/// The numeric descriptor of a section.
#[inline]
pub(super) fn code_of(descriptor: Descriptor<'_>) -> Result<u8, DecodeError> {
    match descriptor {
        Descriptor::Code(code) => u8::try_from(code).map_err(|_| NO_SECTION),
        Descriptor::Name(name) => code_of_name(name),
        Descriptor::Reserved => Err(NO_SECTION),
    }
}

#[cold]
fn code_of_name(name: &str) -> Result<u8, DecodeError> {
    Ok(match name {
        "amqp:header:list" => HEADER,
        "amqp:delivery-annotations:map" => DELIVERY_ANNOTATIONS,
        "amqp:message-annotations:map" => MESSAGE_ANNOTATIONS,
        "amqp:properties:list" => PROPERTIES,
        "amqp:application-properties:map" => APPLICATION_PROPERTIES,
        "amqp:data:binary" => DATA,
        "amqp:amqp-sequence:list" => AMQP_SEQUENCE,
        "amqp:amqp-value:*" => AMQP_VALUE,
        "amqp:footer:map" => FOOTER,
        _ => return Err(NO_SECTION),
    })
}

//! One module for each type that a field of a composite may have: how it is read and written.
//! They are named as in the standard.

use super::distinct::distinct;
use super::{Composite, DecodeError, Reader, code, write};
use crate::condition::Condition;
use crate::messaging::{
    AnnotationKey, Annotations, ApplicationProperties, DeliveryState, DistributionMode, MessageId,
    Source, TargetArchetype, TerminusDurability, TerminusExpiryPolicy,
};
use crate::performative::{ReceiverSettleMode, Role, SenderSettleMode, Unsettled};
use crate::sasl_frame::Code;
use crate::tag::Tag;
use crate::value::{Fields, Kind, Value};

/// The module `$name` of the type `$type`.
macro_rules! wire {
    ($(
        $(#[$doc:meta])*
        $name:ident: $type:ty,
        read($reader:ident) $read:expr,
        write($out:ident, $value:ident) $write:expr;
    )*) => {
        $($(#[$doc])*
        pub(crate) mod $name {
            use super::*;

            #[inline(always)]
            pub(crate) fn read($reader: &mut Reader<'_>) -> Result<$type, DecodeError> {
                $read
            }

            #[inline]
            #[allow(clippy::ptr_arg, reason = "written as the field's own type")]
            pub(crate) fn write($out: &mut Vec<u8>, $value: &$type) {
                $write
            }
        })*
    };
}

wire! {
    boolean: bool, read(r) r.boolean(), write(out, value) write::boolean(out, *value);
    ubyte: u8, read(r) r.ubyte(), write(out, value) write::ubyte(out, *value);
    ushort: u16, read(r) r.ushort(), write(out, value) write::ushort(out, *value);
    uint: u32, read(r) r.uint(), write(out, value) write::uint(out, *value);
    ulong: u64, read(r) r.ulong(), write(out, value) write::ulong(out, *value);
    timestamp: i64, read(r) r.timestamp(), write(out, value) write::timestamp(out, *value);
    string: String,
        read(r) r.string().map(str::to_owned),
        write(out, value) write::string(out, value);
    symbol: String,
        read(r) r.symbol().map(str::to_owned),
        write(out, value) write::symbol(out, value);
    binary: Vec<u8>,
        read(r) r.binary().map(<[u8]>::to_vec),
        write(out, value) write::binary(out, value);
    /// Any value but null.
    any: Value, read(r) r.value(), write(out, value) write::value(out, value);
    fields: Fields,
        read(r) r.fields(),
        write(out, value) write::map(out, value, |out, (name, of_name)| {
            write::symbol(out, name);
            write::value(out, of_name);
        });
    /// One symbol, or an array of them (AMQP 1.4).
    symbols: Vec<String>,
        read(r) r.symbols(),
        write(out, value) match value.as_slice() {
            [one] => write::symbol(out, one),
            several => write::symbols(out, several),
        };
    /// As `symbols`, and at least one (AMQP 1.4).
    some_symbols: Vec<String>,
        read(r) match r.symbols()? {
            none if none.is_empty() => Err(DecodeError::field("empty, and mandatory")),
            some => Ok(some),
        },
        write(out, value) symbols::write(out, value);
    tag: Tag,
        read(r) Tag::new(r.binary()?).ok_or(DecodeError::field("longer than 32 octets")),
        write(out, value) write::binary(out, value.as_slice());
    condition: Condition,
        read(r) r.symbol().map(Condition::from),
        write(out, value) write::symbol(out, value.as_str());
    role: Role,
        read(r) r.boolean().map(Role::from),
        write(out, value) write::boolean(out, (*value).into());
    sender_settle_mode: SenderSettleMode,
        read(r) r.ubyte()?.try_into(),
        write(out, value) write::ubyte(out, value.code());
    receiver_settle_mode: ReceiverSettleMode,
        read(r) r.ubyte()?.try_into(),
        write(out, value) write::ubyte(out, value.code());
    sasl_code: Code,
        read(r) r.ubyte()?.try_into(),
        write(out, value) write::ubyte(out, value.code());
    terminus_durability: TerminusDurability,
        read(r) r.uint()?.try_into(),
        write(out, value) write::uint(out, value.code());
    terminus_expiry_policy: TerminusExpiryPolicy,
        read(r) TerminusExpiryPolicy::from_symbol(r.symbol()?)
            .ok_or(DecodeError::field("not a terminus-expiry-policy")),
        write(out, value) write::symbol(out, value.as_str());
    distribution_mode: DistributionMode,
        read(r) r.symbol().map(DistributionMode::from),
        write(out, value) write::symbol(out, value.as_str());
    error: crate::condition::Error, read(r) Composite::read(r), write(out, value) value.encode(out);
    source: Source, read(r) Composite::read(r), write(out, value) value.encode(out);
    target: TargetArchetype, read(r) TargetArchetype::read(r), write(out, value) value.encode(out);
    delivery_state: DeliveryState,
        read(r) DeliveryState::read(r),
        write(out, value) value.encode(out);
    /// A delivery state that is final (AMQP 3.4).
    outcome: DeliveryState,
        read(r) DeliveryState::read_outcome(r),
        write(out, value) value.encode(out);
    /// Delivery tags, and the states of the deliveries or null (AMQP 2.7.3).
    unsettled: Unsettled,
        read(r) {
            let unsettled = r.map_of(tag::read, |r| match r.take_null() {
                true => Ok(None),
                false => DeliveryState::read(r).map(Some),
            })?;
            distinct(&unsettled, |(tag, _)| *tag)?;
            Ok(unsettled)
        },
        write(out, value) write::map(out, value, |out, (tag, state)| {
            write::binary(out, tag.as_slice());
            match state {
                Some(state) => state.encode(out),
                None => write::null(out),
            }
        });
    /// A ulong, a UUID, binary or a string (AMQP 3.2.11 to 3.2.14).
    message_id: MessageId,
        read(r) r.message_id(),
        write(out, value) match value {
            MessageId::Ulong(number) => write::ulong(out, *number),
            MessageId::Uuid(octets) => write::uuid(out, *octets),
            MessageId::Binary(octets) => write::binary(out, octets),
            MessageId::String(text) => write::string(out, text),
        };
    /// A map whose keys are symbols or ulongs (AMQP 3.2.10).
    annotations: Annotations,
        read(r) {
            let annotations = r.map_of(Reader::annotation_key, Reader::value)?;
            distinct(&annotations, |(key, _)| key)?;
            Ok(annotations)
        },
        write(out, value) write::map(out, value, |out, (key, of_key)| {
            match key {
                AnnotationKey::Symbol(name) => write::symbol(out, name),
                AnnotationKey::Ulong(number) => write::ulong(out, *number),
            }
            write::value(out, of_key);
        });
    /// A map of strings to simple values (AMQP 3.2.5).
    application_properties: ApplicationProperties,
        read(r) {
            let properties =
                r.map_of(|r| r.string().map(str::to_owned), Reader::simple_value)?;
            distinct(&properties, |(name, _)| name.as_str())?;
            Ok(properties)
        },
        write(out, value) write::map(out, value, |out, (name, of_name)| {
            write::string(out, name);
            write::value(out, of_name);
        });
}

impl Reader<'_> {
    fn symbols(&mut self) -> Result<Vec<String>, DecodeError> {
        let array = match self.peek() {
            Some(code::ARRAY_8 | code::ARRAY_32) => self.value()?,
            _ => return Ok(vec![self.symbol()?.to_owned()]),
        };
        let symbols = match array {
            Value::Array(array)
                if array.kind() == Kind::Symbol && array.descriptors().is_empty() =>
            {
                array.into_elements()
            }
            _ => return Err(DecodeError::field("not an array of symbols")),
        };
        let texts = symbols.into_iter().filter_map(|symbol| match symbol {
            Value::Symbol(text) => Some(text),
            _ => None,
        });
        Ok(texts.collect())
    }

    fn message_id(&mut self) -> Result<MessageId, DecodeError> {
        match self.peek() {
            Some(code::SMALL_ULONG | code::ULONG | code::ULONG_0) => {
                self.ulong().map(MessageId::Ulong)
            }
            Some(code::UUID) => self.uuid().map(MessageId::Uuid),
            Some(code::BINARY_8 | code::BINARY_32) => {
                Ok(MessageId::Binary(self.binary()?.to_vec()))
            }
            Some(code::STRING_8 | code::STRING_32) => {
                Ok(MessageId::String(self.string()?.to_owned()))
            }
            _ => Err(DecodeError::field("not a message-id")),
        }
    }

    fn annotation_key(&mut self) -> Result<AnnotationKey, DecodeError> {
        match self.peek() {
            Some(code::SMALL_ULONG | code::ULONG | code::ULONG_0) => {
                self.ulong().map(AnnotationKey::Ulong)
            }
            _ => Ok(AnnotationKey::Symbol(self.symbol()?.to_owned())),
        }
    }

    fn simple_value(&mut self) -> Result<Value, DecodeError> {
        let value = self.value()?;
        if value.is_simple() {
            Ok(value)
        } else {
            Err(DecodeError::field("a list, a map or an array in application-properties"))
        }
    }
}

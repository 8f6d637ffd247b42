//! Any AMQP value (AMQP 1.1, 1.6).

use crate::codec::write;

/// A map with symbols for keys, in the order of the wire (AMQP 2.8.13).
pub type Fields = Vec<(String, Value)>;

/// Any AMQP value. Two values are equal when their shortest encodings are, so a NaN equals itself.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// No value (AMQP 1.6.1).
    #[default]
    Null,
    /// True or false (AMQP 1.6.2).
    Bool(bool),
    /// 8 bits, unsigned (AMQP 1.6.3).
    Ubyte(u8),
    /// 16 bits, unsigned (AMQP 1.6.4).
    Ushort(u16),
    /// 32 bits, unsigned (AMQP 1.6.5).
    Uint(u32),
    /// 64 bits, unsigned (AMQP 1.6.6).
    Ulong(u64),
    /// 8 bits, signed (AMQP 1.6.7).
    Byte(i8),
    /// 16 bits, signed (AMQP 1.6.8).
    Short(i16),
    /// 32 bits, signed (AMQP 1.6.9).
    Int(i32),
    /// 64 bits, signed (AMQP 1.6.10).
    Long(i64),
    /// IEEE 754 binary32 (AMQP 1.6.11).
    Float(f32),
    /// IEEE 754 binary64 (AMQP 1.6.12).
    Double(f64),
    /// IEEE 754 decimal32, its octets (AMQP 1.6.13).
    Decimal32([u8; 4]),
    /// IEEE 754 decimal64, its octets (AMQP 1.6.14).
    Decimal64([u8; 8]),
    /// IEEE 754 decimal128, its octets (AMQP 1.6.15).
    Decimal128([u8; 16]),
    /// One Unicode character (AMQP 1.6.16).
    Char(char),
    /// Milliseconds since the Unix epoch (AMQP 1.6.17).
    Timestamp(i64),
    /// A UUID, its octets (AMQP 1.6.18).
    Uuid([u8; 16]),
    /// Octets (AMQP 1.6.19).
    Binary(Vec<u8>),
    /// Unicode characters (AMQP 1.6.20).
    String(String),
    /// ASCII characters from a small domain (AMQP 1.6.21).
    Symbol(String),
    /// Values of any types (AMQP 1.6.22).
    List(Vec<Value>),
    /// Pairs of key and value, ordered, no key twice (AMQP 1.6.23).
    Map(Vec<(Value, Value)>),
    /// Values of one type (AMQP 1.6.24).
    Array(Box<Array>),
    /// A descriptor, and the value it describes (AMQP 1.1.2).
    Described(Box<(Value, Value)>),
}

/// The primitive types: what the elements of an array have in common (AMQP 1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named as in the standard")]
pub enum Kind {
    Null,
    Bool,
    Ubyte,
    Ushort,
    Uint,
    Ulong,
    Byte,
    Short,
    Int,
    Long,
    Float,
    Double,
    Decimal32,
    Decimal64,
    Decimal128,
    Char,
    Timestamp,
    Uuid,
    Binary,
    String,
    Symbol,
    List,
    Map,
    Array,
}

/// Values of one type, all described in the same way or not at all (AMQP 1.2.4, 1.6.24).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// What describes every element, the outermost first; mostly nothing.
    descriptors: Vec<Value>,
    kind: Kind,
    elements: Vec<Value>,
}

impl Array {
    /// An array of `elements`; `None` unless each of them is of the type `kind`.
    pub fn new(kind: Kind, elements: Vec<Value>) -> Option<Self> {
        Array::described(Vec::new(), kind, elements)
    }

    /// An array whose elements are described by `descriptors`, the outermost first. The elements
    /// are given without them.
    pub fn described(descriptors: Vec<Value>, kind: Kind, elements: Vec<Value>) -> Option<Self> {
        let uniform = elements.iter().all(|element| element.kind() == Some(kind));
        uniform.then_some(Array { descriptors, kind, elements })
    }

    /// An array of symbols.
    pub fn of_symbols(symbols: impl IntoIterator<Item = String>) -> Self {
        let elements = symbols.into_iter().map(Value::Symbol).collect();
        Array { descriptors: Vec::new(), kind: Kind::Symbol, elements }
    }

    /// What describes every element, the outermost first; mostly nothing.
    pub fn descriptors(&self) -> &[Value] {
        &self.descriptors
    }

    /// The type of the elements, below their descriptors.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The elements, without their descriptors.
    pub fn elements(&self) -> &[Value] {
        &self.elements
    }

    /// The elements, without their descriptors.
    pub fn into_elements(self) -> Vec<Value> {
        self.elements
    }
}

impl Value {
    /// A symbol.
    pub fn symbol(symbol: impl Into<String>) -> Self {
        Value::Symbol(symbol.into())
    }

    /// `value`, described by `descriptor`.
    pub fn described(descriptor: Value, value: Value) -> Self {
        Value::Described(Box::new((descriptor, value)))
    }

    /// Its primitive type; `None` for a described value.
    pub fn kind(&self) -> Option<Kind> {
        Some(match self {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Bool,
            Value::Ubyte(_) => Kind::Ubyte,
            Value::Ushort(_) => Kind::Ushort,
            Value::Uint(_) => Kind::Uint,
            Value::Ulong(_) => Kind::Ulong,
            Value::Byte(_) => Kind::Byte,
            Value::Short(_) => Kind::Short,
            Value::Int(_) => Kind::Int,
            Value::Long(_) => Kind::Long,
            Value::Float(_) => Kind::Float,
            Value::Double(_) => Kind::Double,
            Value::Decimal32(_) => Kind::Decimal32,
            Value::Decimal64(_) => Kind::Decimal64,
            Value::Decimal128(_) => Kind::Decimal128,
            Value::Char(_) => Kind::Char,
            Value::Timestamp(_) => Kind::Timestamp,
            Value::Uuid(_) => Kind::Uuid,
            Value::Binary(_) => Kind::Binary,
            Value::String(_) => Kind::String,
            Value::Symbol(_) => Kind::Symbol,
            Value::List(_) => Kind::List,
            Value::Map(_) => Kind::Map,
            Value::Array(_) => Kind::Array,
            Value::Described(_) => return None,
        })
    }

    /// Whether it is of a simple type: no list, no map, no array, and no description of one
    /// (AMQP 3.2.5).
    pub fn is_simple(&self) -> bool {
        match self {
            Value::List(_) | Value::Map(_) | Value::Array(_) => false,
            Value::Described(described) => described.1.is_simple(),
            _ => true,
        }
    }

    /// Appends the shortest encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write::value(out, self);
    }

    /// The characters of a string or a symbol.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) | Value::Symbol(text) => Some(text),
            _ => None,
        }
    }

    /// Any integer that is not negative and fits.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Value::Ubyte(number) => Some(number.into()),
            Value::Ushort(number) => Some(number.into()),
            Value::Uint(number) => Some(number.into()),
            Value::Ulong(number) => Some(number),
            Value::Byte(number) => number.try_into().ok(),
            Value::Short(number) => number.try_into().ok(),
            Value::Int(number) => number.try_into().ok(),
            Value::Long(number) => number.try_into().ok(),
            _ => None,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Ubyte(a), Value::Ubyte(b)) => a == b,
            (Value::Ushort(a), Value::Ushort(b)) => a == b,
            (Value::Uint(a), Value::Uint(b)) => a == b,
            (Value::Ulong(a), Value::Ulong(b)) => a == b,
            (Value::Byte(a), Value::Byte(b)) => a == b,
            (Value::Short(a), Value::Short(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Long(a), Value::Long(b)) | (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Double(a), Value::Double(b)) => a.to_bits() == b.to_bits(),
            (Value::Decimal32(a), Value::Decimal32(b)) => a == b,
            (Value::Decimal64(a), Value::Decimal64(b)) => a == b,
            (Value::Decimal128(a), Value::Decimal128(b)) | (Value::Uuid(a), Value::Uuid(b)) => {
                a == b
            }
            (Value::Char(a), Value::Char(b)) => a == b,
            (Value::Binary(a), Value::Binary(b)) => a == b,
            (Value::String(a), Value::String(b)) | (Value::Symbol(a), Value::Symbol(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => a == b,
            (Value::Described(a), Value::Described(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

macro_rules! from {
    ($($from:ty => $variant:ident,)*) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Value::$variant(value.into())
            }
        })*
    };
}

from! {
    bool => Bool,
    u8 => Ubyte,
    u16 => Ushort,
    u32 => Uint,
    u64 => Ulong,
    i8 => Byte,
    i16 => Short,
    i32 => Int,
    i64 => Long,
    f32 => Float,
    f64 => Double,
    char => Char,
    String => String,
    &str => String,
    Vec<u8> => Binary,
    &[u8] => Binary,
}

//! Restricted types with a fixed set of values (AMQP 1.1.4).

/// Gives an enum its numbers on the wire.
macro_rules! numeric_choice {
    ($type:ident, $number:ident, $what:literal { $($code:literal => $variant:ident,)* }) => {
        impl $type {
            /// The number on the wire.
            #[inline]
            pub fn code(self) -> $number {
                match self {
                    $($type::$variant => $code,)*
                }
            }

            /// The choice with this number.
            #[inline]
            pub fn from_code(code: $number) -> Option<Self> {
                match code {
                    $($code => Some($type::$variant),)*
                    _ => None,
                }
            }
        }

        impl TryFrom<$number> for $type {
            type Error = $crate::codec::DecodeError;

            #[inline]
            fn try_from(code: $number) -> Result<Self, Self::Error> {
                $type::from_code(code).ok_or(const { $crate::codec::DecodeError::field($what) })
            }
        }
    };
}

pub(crate) use numeric_choice;

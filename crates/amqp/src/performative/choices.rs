//! The choices in performatives (AMQP 2.8.1 to 2.8.3).

use crate::codec::numeric_choice;

/// Which end of a link is meant (AMQP 2.8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The end that sends messages; `false` on the wire.
    Sender,
    /// The end that receives them; `true` on the wire.
    Receiver,
}

impl Role {
    /// The other end.
    pub fn other(self) -> Self {
        match self {
            Role::Sender => Role::Receiver,
            Role::Receiver => Role::Sender,
        }
    }
}

impl From<bool> for Role {
    #[inline]
    fn from(is_receiver: bool) -> Self {
        if is_receiver { Role::Receiver } else { Role::Sender }
    }
}

impl From<Role> for bool {
    #[inline]
    fn from(role: Role) -> Self {
        role == Role::Receiver
    }
}

/// When the sender of a link settles (AMQP 2.8.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SenderSettleMode {
    /// Every delivery is sent unsettled.
    Unsettled,
    /// Every delivery is sent settled.
    Settled,
    /// Some are sent settled, some are not.
    #[default]
    Mixed,
}

numeric_choice!(SenderSettleMode, u8, "not a sender-settle-mode" {
    0 => Unsettled,
    1 => Settled,
    2 => Mixed,
});

/// When the receiver of a link settles (AMQP 2.8.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReceiverSettleMode {
    /// Of its own accord, whatever the sender does.
    #[default]
    First,
    /// After the sender has settled.
    Second,
}

numeric_choice!(ReceiverSettleMode, u8, "not a receiver-settle-mode" {
    0 => First,
    1 => Second,
});

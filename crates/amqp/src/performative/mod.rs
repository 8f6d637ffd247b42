//! The bodies of AMQP frames (AMQP 2.7) and the choices in them (AMQP 2.8).
//!
//! Fields are named and ordered as in the standard. A field that must be present is plain, one that
//! may be absent is an `Option`, one with a default is plain and holds it. A list or map that may be
//! absent is empty then, where the standard makes no difference between the two.

mod choices;
mod connection;
mod delivery;
mod link;
mod session;

pub use choices::{ReceiverSettleMode, Role, SenderSettleMode};
pub use connection::{Close, Open};
pub use delivery::{Disposition, Transfer};
pub use link::{Attach, Detach, Flow, Unsettled};
pub use session::{Begin, End};

use crate::codec::{Composite, DecodeError, Reader};

/// The body of an AMQP frame. What comes once in a while is boxed, so that what comes all the time
/// stays small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Performative {
    /// AMQP 2.7.1.
    Open(Box<Open>),
    /// AMQP 2.7.2.
    Begin(Box<Begin>),
    /// AMQP 2.7.3.
    Attach(Box<Attach>),
    /// AMQP 2.7.4.
    Flow(Flow),
    /// AMQP 2.7.5.
    Transfer(Transfer),
    /// AMQP 2.7.6.
    Disposition(Disposition),
    /// AMQP 2.7.7.
    Detach(Box<Detach>),
    /// AMQP 2.7.8.
    End(Box<End>),
    /// AMQP 2.7.9.
    Close(Box<Close>),
}

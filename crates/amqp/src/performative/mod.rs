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

use crate::codec::{Composite, DecodeError, Descriptor, Reader};

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

impl Performative {
    /// Reads the performative at the front of a frame's body, and how many octets it took. What
    /// follows is the payload (AMQP 2.3.2).
    ///
    /// # Errors
    /// If there is no valid performative.
    #[inline]
    pub fn decode(body: &[u8]) -> Result<(Performative, usize), DecodeError> {
        let mut reader = Reader::new(body);
        let code = match reader.descriptor()? {
            Descriptor::Code(code) => code,
            Descriptor::Name(name) => code_of(name),
            Descriptor::Reserved => 0,
        };
        let performative = match code {
            Transfer::CODE => Performative::Transfer(Transfer::read_list(&mut reader)?),
            Disposition::CODE => Performative::Disposition(Disposition::read_list(&mut reader)?),
            Flow::CODE => Performative::Flow(Flow::read_list(&mut reader)?),
            _ => return Performative::decode_rare(code, body, reader),
        };
        Ok((performative, body.len().saturating_sub(reader.rest().len())))
    }

    #[inline(never)]
    fn decode_rare(
        code: u64,
        body: &[u8],
        mut reader: Reader<'_>,
    ) -> Result<(Performative, usize), DecodeError> {
        let performative = Performative::read_rare(code, &mut reader)?;
        Ok((performative, body.len().saturating_sub(reader.rest().len())))
    }

    fn read_rare(code: u64, reader: &mut Reader<'_>) -> Result<Performative, DecodeError> {
        Ok(match code {
            Open::CODE => Performative::Open(Box::new(Open::read_list(reader)?)),
            Begin::CODE => Performative::Begin(Box::new(Begin::read_list(reader)?)),
            Attach::CODE => Performative::Attach(Box::new(Attach::read_list(reader)?)),
            Detach::CODE => Performative::Detach(Box::new(Detach::read_list(reader)?)),
            End::CODE => Performative::End(Box::new(End::read_list(reader)?)),
            Close::CODE => Performative::Close(Box::new(Close::read_list(reader)?)),
            // AMQP 2.3.2: a body begins with one of these.
            _ => return Err(DecodeError::encoding("not a performative")),
        })
    }

    /// Appends it.
    #[inline]
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Performative::Transfer(transfer) => transfer.encode(out),
            Performative::Disposition(disposition) => disposition.encode(out),
            Performative::Flow(flow) => flow.encode(out),
            Performative::Open(open) => open.encode(out),
            Performative::Begin(begin) => begin.encode(out),
            Performative::Attach(attach) => attach.encode(out),
            Performative::Detach(detach) => detach.encode(out),
            Performative::End(end) => end.encode(out),
            Performative::Close(close) => close.encode(out),
        }
    }

    /// What it is called in the standard.
    pub fn name(&self) -> &'static str {
        match self {
            Performative::Open(_) => "open",
            Performative::Begin(_) => "begin",
            Performative::Attach(_) => "attach",
            Performative::Flow(_) => "flow",
            Performative::Transfer(_) => "transfer",
            Performative::Disposition(_) => "disposition",
            Performative::Detach(_) => "detach",
            Performative::End(_) => "end",
            Performative::Close(_) => "close",
        }
    }
}

/// The numeric descriptor for a symbolic one; 0, which is none, if there is none.
#[cold]
fn code_of(name: &str) -> u64 {
    match name {
        Open::SYMBOL => Open::CODE,
        Begin::SYMBOL => Begin::CODE,
        Attach::SYMBOL => Attach::CODE,
        Flow::SYMBOL => Flow::CODE,
        Transfer::SYMBOL => Transfer::CODE,
        Disposition::SYMBOL => Disposition::CODE,
        Detach::SYMBOL => Detach::CODE,
        End::SYMBOL => End::CODE,
        Close::SYMBOL => Close::CODE,
        _ => 0,
    }
}

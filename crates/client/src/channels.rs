//! What passes between the application's handles and the task of a client.

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender, WeakUnboundedSender};
use tokio::sync::{oneshot, watch};

use crate::{Delivery, Error, Message, State};

/// How a sender learns what became of a message.
pub(crate) type Reply = oneshot::Sender<Result<(), Error>>;

/// Something on its way to the broker, in order.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) what: What,
    pub(crate) reply: Reply,
}

#[derive(Debug)]
pub(crate) enum What {
    Message(Message),
    Consume(Wish),
}

/// What the application wants to receive.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) addresses: Vec<String>,
    pub(crate) credit: u32,
    pub(crate) subscription: Option<String>,
}

/// What needs no room in the window.
#[derive(Debug)]
pub(crate) enum Control {
    Decide(Ticket, Decision),
    Close,
}

/// Names one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// What its number belongs to: numbers begin again with each connection or link.
    pub(crate) generation: u64,
    pub(crate) seq: u64,
    /// Which of the client's receiving links.
    pub(crate) link: usize,
    /// Its sender does not want to hear of it.
    pub(crate) settled: bool,
}

/// What the application makes of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Accepted,
    Released,
    Rejected(String),
    Modified { failed: bool, elsewhere: bool },
}

/// The task's ends of the channels.
#[derive(Debug)]
pub(crate) struct Channels {
    pub(crate) sends: mpsc::Receiver<Outgoing>,
    pub(crate) controls: UnboundedReceiver<Control>,
    /// For deliveries to report on. Weak, so that the channel ends with the application's handles.
    pub(crate) reports: WeakUnboundedSender<Control>,
    pub(crate) deliveries: UnboundedSender<Delivery>,
    pub(crate) state: watch::Sender<State>,
}

impl Channels {
    pub(crate) fn set_state(&self, state: State) {
        self.state.send_replace(state);
    }

    /// The client has ended: nobody waits for nothing. `sent` may have arrived, `unsent` have not.
    pub(crate) fn end(
        mut self,
        why: Error,
        sent: impl Iterator<Item = Reply>,
        unsent: impl Iterator<Item = Reply>,
    ) {
        // What was sent may be stored, whatever became of the client.
        let sent_why = if matches!(why, Error::Closed) { Error::Uncertain } else { why.clone() };
        for reply in sent {
            let _ = reply.send(Err(sent_why.clone()));
        }
        for reply in unsent {
            let _ = reply.send(Err(why.clone()));
        }
        self.sends.close();
        while let Ok(outgoing) = self.sends.try_recv() {
            let _ = outgoing.reply.send(Err(why.clone()));
        }
        self.set_state(match why {
            Error::Closed => State::Closed,
            error => State::Lost(error),
        });
    }
}

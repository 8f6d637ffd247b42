//! What a connection asks of the shard's thread.

use std::collections::VecDeque;
use wharf_broker::Command;

/// A command, and whom it is for.
#[derive(Debug)]
pub enum Request {
    /// The broker.
    Broker(Command),
    /// The services of XMPP.
    Chat(wharf_chat::Command),
}

impl Request {
    /// Whether it is a message that somebody sends, and no word about the connection itself.
    #[must_use]
    pub fn is_message(&self) -> bool {
        match self {
            Self::Broker(command) => matches!(command, Command::Publish { .. }),
            Self::Chat(command) => command.is_message(),
        }
    }
}

impl From<wharf_chat::Command> for Request {
    fn from(command: wharf_chat::Command) -> Self {
        Self::Chat(command)
    }
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        Self::Broker(command)
    }
}

/// Requests in their order.
#[derive(Debug, Default)]
pub(crate) struct Requests(VecDeque<Request>);

impl Requests {
    pub(crate) fn push_back(&mut self, request: impl Into<Request>) {
        self.0.push_back(request.into());
    }

    /// The next one. An idle connection keeps no memory for what it has asked.
    pub(crate) fn pop_front(&mut self) -> Option<Request> {
        let request = self.0.pop_front();
        if request.is_none() {
            self.0.shrink_to(0);
        }
        request
    }
}

impl<R: Into<Request>> Extend<R> for Requests {
    fn extend<I: IntoIterator<Item = R>>(&mut self, requests: I) {
        self.0.extend(requests.into_iter().map(Into::into));
    }
}

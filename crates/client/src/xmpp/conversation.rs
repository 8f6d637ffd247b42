//! What outlives a WebSocket.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Duration;

use wharf_sasl::Password;
use wharf_sasl::client::Credentials;
use wharf_ws::Closed;
use wharf_xmpp::client::{Config, Connection, LoginFailure, Resumption};
use wharf_xmpp::jid::Jid;
use wharf_xmpp::limits::XmlLimits;
use wharf_xmpp::stream::{Closed as StreamClosed, Input, Ledger, Pacing};

use super::faults;
use super::names::Names;
use super::outbound::{Named, Outbound, Unacknowledged};
use super::session::Session;
use super::stanzas::{id_of, write_message};
use super::wishes::Wishes;
use crate::acks::Acks;
use crate::channels::{Channels, Control, Decision, Outgoing, Reply, What};
use crate::closing::Closing;
use crate::driver::{Conversation, lost_because};
use crate::net::Security;
use crate::{Error, Message, Options, State, login};

/// What is needed to begin a stream.
#[derive(Debug)]
pub(super) struct Settings {
    credentials: Option<(String, String)>,
    plain_without_tls: bool,
    resource: Option<String>,
    size_max_bytes: usize,
    connect_timeout: Duration,
    ping_interval: Duration,
    close_timeout: Duration,
}

#[derive(Debug)]
pub(crate) struct Core {
    settings: Settings,
    pub(super) names: Names,
    pub(super) channels: Channels,
    pub(super) outbound: Unacknowledged,
    /// Not sent yet on the stream that there is now.
    waiting: VecDeque<Outbound>,
    pub(super) wishes: Wishes,
    pub(super) inbound: Inbound,
    /// What the stream that goes on is called, and who we are on it.
    pub(super) resumption: Option<String>,
    pub(super) jid: Option<Jid>,
    /// The stream has begun, or goes on, on this WebSocket.
    pub(super) is_online: bool,
    /// What the server has taken of the stream that was to be resumed and is no more.
    pub(super) lost_acked: Option<u64>,
    pub(super) recovered: u64,
    closing: Closing,
    sends_ended: bool,
    /// Why this side fails the client.
    pub(super) failure: Option<Error>,
    pub(super) login_failure: Option<LoginFailure>,
    pub(super) closed: Option<StreamClosed>,
    redirect: Option<String>,
    pub(super) progress: bool,
    named: u64,
}

/// What was received of one stream.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    /// Counts streams: deliveries of an earlier one are nobody's business now.
    pub(super) generation: u64,
    /// The last stanza that was handed to the application or dealt with.
    pub(super) received: u64,
    /// The last one that came on this WebSocket.
    pub(super) heard: u64,
    pub(super) acks: Acks,
}

impl Inbound {
    pub(super) fn begin_anew(&mut self) {
        let generation = self.generation.saturating_add(1);
        *self = Inbound { generation, ..Inbound::default() };
    }
}

impl Core {
    pub(crate) fn new(options: &Options, hostname: &str, channels: Channels) -> Self {
        let settings = Settings {
            credentials: options.credentials.clone(),
            plain_without_tls: options.plain_without_tls,
            resource: options.resource.clone(),
            size_max_bytes: options.message_size_max_bytes,
            connect_timeout: options.connect_timeout,
            ping_interval: options.ping_interval,
            close_timeout: options.close_timeout,
        };
        Core {
            settings,
            names: Names::new(options.host.as_deref(), hostname),
            channels,
            outbound: Unacknowledged::new(options.window),
            waiting: VecDeque::new(),
            wishes: Wishes::default(),
            inbound: Inbound::default(),
            resumption: None,
            jid: None,
            is_online: false,
            lost_acked: None,
            recovered: 0,
            closing: Closing::No,
            sends_ended: false,
            failure: None,
            login_failure: None,
            closed: None,
            redirect: None,
            progress: false,
            named: 0,
        }
    }

    /// A stream with the server, that goes on with the one before if it can.
    fn engine(&mut self, security: Security) -> Result<Connection, Error> {
        let credentials = match &self.settings.credentials {
            Some((user, password)) => Credentials::Password {
                user: user.clone(),
                password: Password::new(password.clone()),
            },
            None => Credentials::Anonymous { trace: String::new() },
        };
        let sasl = login::sasl(credentials, security, self.settings.plain_without_tls)?;
        let mut config = Config::new(self.names.host(), security.encrypted, sasl);
        config.resource.clone_from(&self.settings.resource);
        config.resume = self.resume();
        config.xml =
            XmlLimits { size_max_bytes: self.settings.size_max_bytes, ..XmlLimits::default() };
        config.pacing = Pacing {
            login_timeout: self.settings.connect_timeout,
            ping_after: Some(self.settings.ping_interval),
            ..Pacing::default()
        };
        self.inbound.heard = config.resume.as_ref().map_or(0, |resume| resume.ledger.taken);
        Ok(Connection::new(config, login::seed()?))
    }

    fn resume(&self) -> Option<Resumption> {
        let ledger = Ledger {
            taken: self.inbound.acks.up_to(),
            sent: self.outbound.sent(),
            acked: self.outbound.acked(),
        };
        let (id, jid) = (self.resumption.clone()?, self.jid.clone()?);
        Some(Resumption { id, jid, ledger })
    }

    /// Sends again what is not acknowledged, on the stream that goes on.
    pub(super) fn go_on(&mut self, acked: u64, engine: &mut Connection) {
        self.outbound.settle(acked);
        for stanza in self.outbound.iter() {
            // Refused only after a close, which ends the session.
            let _ = engine.send(&[stanza]);
        }
        self.recovered = self.recovered.saturating_add(1);
        self.set_state(State::Open { recovered: self.recovered });
    }

    /// Another stream begins: it knows nothing of what the client wants.
    pub(super) fn begin_anew(&mut self, engine: &mut Connection) {
        let acked = self.lost_acked.take();
        let left = self.outbound.begin_anew(acked);
        left.into_iter().rev().for_each(|outbound| self.waiting.push_front(outbound));
        self.inbound.begin_anew();
        let again: Vec<Vec<u8>> = self.wishes.again().map(<[u8]>::to_vec).collect();
        again.into_iter().for_each(|stanza| self.say(Outbound::unnamed(stanza), engine));
        self.set_state(State::Open { recovered: self.recovered });
    }

    /// Sends a stanza and keeps it until it is acknowledged.
    pub(super) fn say(&mut self, outbound: Outbound, engine: &mut Connection) {
        let sent = engine.send(&[&outbound.stanza]);
        debug_assert!(!matches!(sent, Ok(None)), "a managed stream");
        if sent.is_ok() {
            self.outbound.push(outbound);
        } else {
            self.waiting.push_front(outbound);
        }
    }

    /// Deliveries that the application has taken, and its wish to end.
    pub(super) fn poll_controls(&mut self, cx: &mut Context<'_>) {
        let mut close = false;
        loop {
            match self.channels.controls.poll_recv(cx) {
                Poll::Ready(Some(Control::Decide(ticket, Decision::Accepted)))
                    if ticket.generation == self.inbound.generation =>
                {
                    self.inbound.acks.take(ticket.seq);
                }
                // Of an earlier stream; other outcomes are not given to the application.
                Poll::Ready(Some(Control::Decide(..))) => {}
                Poll::Ready(Some(Control::Close)) => close = true,
                Poll::Ready(None) => {
                    close = true;
                    break;
                }
                Poll::Pending => break,
            }
        }
        if close {
            self.channels.sends.close();
            self.closing.begin(self.settings.close_timeout);
        }
    }

    /// The next thing to send, while there is room.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Option<Outbound> {
        while self.outbound.has_room() {
            if let Some(next) = self.waiting.pop_front() {
                return Some(next);
            }
            match self.channels.sends.poll_recv(cx) {
                Poll::Ready(Some(outgoing)) => self.prepare(outgoing),
                Poll::Ready(None) => {
                    self.sends_ended = true;
                    return None;
                }
                Poll::Pending => return None,
            }
        }
        None
    }

    /// What the application asks for, as stanzas.
    fn prepare(&mut self, outgoing: Outgoing) {
        let Outgoing { what, reply } = outgoing;
        match what {
            What::Message(message) => match self.encode(&message) {
                Ok((stanza, id, to)) => {
                    let message = Some(Named { id, to, reply: Some(reply) });
                    self.waiting.push_back(Outbound { stanza, message });
                }
                Err(error) => drop(reply.send(Err(error))),
            },
            What::Consume(wish) => {
                let Some(own) = &self.jid else { return };
                let stanzas = self.wishes.add(wish, &self.names, own, reply);
                self.waiting.extend(stanzas.into_iter().map(Outbound::unnamed));
            }
        }
    }

    fn encode(&mut self, message: &Message) -> Result<(Vec<u8>, String, String), Error> {
        let [address] = message.addresses.as_slice() else {
            return Err(Error::NotInProtocol("one address a message"));
        };
        let to = self.names.jid(address)?.as_str().to_owned();
        self.named = self.named.saturating_add(1);
        let given = format!("wharf-{}", self.named);
        let id = id_of(message, &given).to_owned();
        Ok((write_message(message, &to, &id)?, id, to))
    }

    /// A normal close ends the session for good, so it waits for what is not acknowledged.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>, engine: &mut Connection) {
        let draining = matches!(self.closing, Closing::Draining(_));
        let settled = self.sends_ended && self.waiting.is_empty() && self.outbound.is_empty();
        if draining && settled || self.closing.poll_due(cx).is_ready() {
            let _ = engine.close(None);
            self.closing = Closing::Said;
        }
    }
}

impl Conversation for Core {
    type Session<'c> = Session<'c>;

    fn session(&mut self, security: Security) -> Result<Session<'_>, Error> {
        let engine = self.engine(security)?;
        Ok(Session::new(self, engine))
    }

    fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.progress)
    }

    // XWS-054, XWS-055: without a `<close/>` the stream can be resumed.
    fn session_lost(&mut self, closed: Closed) -> Result<Error, Error> {
        let stream = self.closed.take();
        let is_online = std::mem::take(&mut self.is_online);
        // A stream that was not resumed yet is still there, and one that a server ended because it
        // stops may be: it will tell.
        let ended = |stream: &StreamClosed| stream.error.is_none() && !stream.resumable;
        if is_online && stream.as_ref().is_some_and(ended) {
            self.resumption = None;
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.closing.has_said() {
            return Err(Error::Closed);
        }
        if let Some(failure) = self.login_failure.take() {
            let error = faults::login(failure);
            return if error.is_passing() { Ok(error) } else { Err(error) };
        }
        self.redirect = stream.as_ref().and_then(|stream| stream.see_other_uri.clone());
        match stream.and_then(faults::stream) {
            None => lost_because(closed),
            Some(error) if error.is_passing() => Ok(error),
            Some(error) => Err(error),
        }
    }

    fn take_redirect(&mut self) -> Option<String> {
        self.redirect.take()
    }

    fn set_state(&self, state: State) {
        self.channels.set_state(state);
    }

    fn poll_without_session(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_controls(cx);
        self.closing.poll_due(cx)
    }

    fn end(self, why: Error) {
        let wish: Option<Reply> = self.wishes.into_reply();
        let unsent = self.waiting.into_iter().filter_map(Outbound::into_reply).chain(wish);
        self.channels.end(why, self.outbound.into_replies(), unsent);
    }
}

/// The WebSocket is gone: what the engine has left to tell.
pub(super) fn finish(core: &mut Core, engine: &mut Connection) {
    engine.handle_transport_closed();
    core.handle_events(engine, &mut Input::empty());
}

//! What a connection tells its caller.

use super::violation::Violation;
use crate::condition::Error;
use crate::messaging::DeliveryState;
use crate::performative::{Attach, Begin, Open};
use crate::sasl_frame;
use crate::tag::Tag;
use std::borrow::Cow;
use std::fmt;

/// A session of this connection: its local channel.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionId(pub u16);

/// A link of this connection: its session and its local handle.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LinkId {
    /// The session.
    pub session: SessionId,
    /// The local handle.
    pub handle: u32,
}

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// Initiator: the mechanisms offered. Answer with `sasl_init`.
    SaslMechanisms(sasl_frame::Mechanisms),
    /// Acceptor: the mechanism chosen and its initial response. Nothing more is read until
    /// `sasl_challenge` or `sasl_outcome` answers.
    SaslInit(sasl_frame::Init),
    /// Acceptor: a response; answered like `SaslInit`.
    SaslResponse(Vec<u8>),
    /// Initiator: a challenge. Answer with `sasl_respond`.
    SaslChallenge(Vec<u8>),
    /// Initiator: the outcome. The AMQP header is sent at once after success.
    SaslOutcome(sasl_frame::Outcome),
    /// The peer's open. An acceptor answers with `open`, or with `close` and an error; nothing more
    /// is read until it has.
    Opened(Box<Open>),
    /// A session has begun, by whichever side.
    Begun(SessionId, Box<Begin>),
    /// The peer asks for a link. Answer with `accept_attach` or `refuse_attach`.
    Attaching(LinkId, Box<Attach>),
    /// The peer's answer to a link asked for here. If its terminus is null, a detach follows.
    Attached(LinkId, Box<Attach>),
    /// A message has come, whole.
    Transferred(Transferred<'a>),
    /// A delivery was given up by its sender, or resumes one that is not known here; it has cost its
    /// credit, and is settled.
    Aborted(LinkId),
    /// What the peer allows on a link that sends.
    Credit(LinkId, CreditView),
    /// The peer, who sends on this link, was asked to drain it, and has used up or given back all
    /// credit.
    Drained(LinkId),
    /// The peer's word on deliveries sent.
    Outcome(Outcome),
    /// A delivery that did not leave, or not whole: its link or session is gone, and before that
    /// there was no credit or no window for it. Nothing else is told of it.
    Unsent {
        /// The link.
        link: LinkId,
        /// The caller's name of the delivery.
        cookie: u64,
    },
    /// The link is gone. The answer is sent already. Unless it is closed or in error, deliveries on
    /// it that are not settled may still be: by an `Outcome` with the handle it had, and at last when
    /// the session ends.
    Detached {
        /// The link.
        link: LinkId,
        /// Whether it was closed, not only detached.
        closed: bool,
        /// The error, if there was one, and whose it is.
        error: Option<(By, Error)>,
    },
    /// The session is gone with all its links. The answer is sent already.
    Ended {
        /// The session.
        session: SessionId,
        /// The error, if there was one, and whose it is.
        error: Option<(By, Error)>,
    },
    /// The connection is over, and this is the last event. What was queued and not settled is not
    /// told one by one.
    Closed(Closed),
}

impl Event<'_> {
    /// The same event, with a payload of its own.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        match self {
            Event::Transferred(transferred) => Event::Transferred(Transferred {
                payload: Cow::Owned(transferred.payload.into_owned()),
                ..transferred
            }),
            Event::SaslMechanisms(mechanisms) => Event::SaslMechanisms(mechanisms),
            Event::SaslInit(init) => Event::SaslInit(init),
            Event::SaslResponse(response) => Event::SaslResponse(response),
            Event::SaslChallenge(challenge) => Event::SaslChallenge(challenge),
            Event::SaslOutcome(outcome) => Event::SaslOutcome(outcome),
            Event::Opened(open) => Event::Opened(open),
            Event::Begun(session, begin) => Event::Begun(session, begin),
            Event::Attaching(link, attach) => Event::Attaching(link, attach),
            Event::Attached(link, attach) => Event::Attached(link, attach),
            Event::Aborted(link) => Event::Aborted(link),
            Event::Credit(link, credit) => Event::Credit(link, credit),
            Event::Drained(link) => Event::Drained(link),
            Event::Outcome(outcome) => Event::Outcome(outcome),
            Event::Unsent { link, cookie } => Event::Unsent { link, cookie },
            Event::Detached { link, closed, error } => Event::Detached { link, closed, error },
            Event::Ended { session, error } => Event::Ended { session, error },
            Event::Closed(closed) => Event::Closed(closed),
        }
    }
}

/// A whole message from the peer.
#[derive(Debug)]
pub struct Transferred<'a> {
    /// The link.
    pub link: LinkId,
    /// Names the delivery in `dispose`.
    pub delivery_id: u32,
    /// The sender's name of it.
    pub tag: Tag,
    /// Message format code; 0 is the standard's (AMQP 3.2.16).
    pub message_format: u32,
    /// The encoded message.
    pub payload: Cow<'a, [u8]>,
    /// The sender does not want to hear of it again.
    pub settled: bool,
    /// Whether the receiver settles first, or waits for the sender (AMQP 2.8.3).
    pub settles_second: bool,
    /// The state the sender gave it.
    pub state: Option<DeliveryState>,
}

/// What the receiver of a link allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CreditView {
    /// Deliveries allowed since the link was attached, as a count that never wraps: compare it to
    /// the number sent.
    pub limit: u64,
    /// After what can be sent at once, the rest of the credit is to be given back with `drained`.
    pub drain: bool,
}

/// The peer's word on deliveries whose cookies follow each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The link they were sent on.
    pub link: LinkId,
    /// First cookie.
    pub first: u64,
    /// Last cookie.
    pub last: u64,
    /// The state; `None` if the peer settled them without a new one, or the link is over.
    pub state: Option<DeliveryState>,
    /// Whether they are settled. If not, `settle_sent` settles them.
    pub settled: bool,
}

/// Who did something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum By {
    /// The other side.
    Peer,
    /// This side.
    Local,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Closed {
    /// Who sent the first close, or ended the transport.
    pub by: By,
    /// The error of that close.
    pub error: Option<Error>,
    /// What the peer did wrong, if that is why.
    pub violation: Option<Violation>,
    /// Whether both closes were exchanged, and nobody broke the rules.
    pub clean: bool,
}

/// A command that does not fit the state; a mistake of the caller, not of the peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Misuse {
    /// No such session, or it is ending.
    NoSession,
    /// No such link, or it is detached.
    NoLink,
    /// Every channel or handle that the peer allows is in use.
    Exhausted,
    /// The connection is not at the stage that the command belongs to.
    WrongStage,
    /// The command belongs to links of the other direction.
    WrongDirection,
    /// It does not fit a frame that the peer takes.
    TooLarge,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSession => "no such session",
            Self::NoLink => "no such link",
            Self::Exhausted => "all channels or handles are in use",
            Self::WrongStage => "not at this stage of the connection",
            Self::WrongDirection => "not on a link of this direction",
            Self::TooLarge => "larger than a frame that the peer takes",
        })
    }
}

impl std::error::Error for Misuse {}

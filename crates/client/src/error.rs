//! What can go wrong, named by whose fault it is, and what to do about it.

use std::fmt;
use std::io;
use std::sync::Arc;

use wharf_sasl::Misuse;
use wharf_sasl::client::Failure as SaslFailure;
use wharf_ws::handshake::client::{Failure, InvalidOffer};
use wharf_ws::uri::UriError;

use crate::RedirectFault;

/// Why something was not done. [`Error::remedy`] says what may help.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The URL is none of a scheme that the protocol has.
    Url(UriError),
    /// An option cannot be sent in an HTTP request.
    Option(InvalidOffer),
    /// The roots to trust cannot be read.
    Roots,
    /// The network did not reach the broker, or lost it.
    Network(Arc<io::Error>),
    /// There is no TLS connection to trust.
    Tls(Arc<io::Error>),
    /// The broker did not answer in time.
    Timeout,
    /// The broker does not know this user and password, or not this origin: HTTP 401 or 403.
    Denied {
        /// The HTTP status.
        status: u16,
    },
    /// Plain HTTP instead of a WebSocket.
    Http {
        /// The HTTP status.
        status: u16,
    },
    /// The domain does not say where its WebSocket is, or none that is secure (RFC 7395, section 4).
    NotDiscovered,
    /// What answers is no WebSocket server.
    NotWebSocket(Failure),
    /// The server does not speak the protocol.
    Subprotocol,
    /// The broker sends us where we do not follow.
    Redirect(RedirectFault),
    /// A name or a password that cannot be sent.
    Credentials(Misuse),
    /// None of the broker's ways to log in can be used; PLAIN only over TLS.
    NoMechanism {
        /// What the broker offers.
        offered: Vec<String>,
    },
    /// The broker does not know this user and password (SASL).
    LoginRefused,
    /// The broker cannot say now whether it knows this user and password (SASL).
    LoginUnavailable,
    /// The login broke off: the broker may not be the one that knows the user (SASL).
    LoginFailed(SaslFailure),
    /// The broker closed the connection for good.
    Rejected {
        /// The WebSocket close code.
        code: u16,
        /// What the broker said.
        reason: String,
    },
    /// The broker ended the AMQP connection, or the stream of XMPP.
    ConnectionClosed {
        /// The error condition.
        condition: String,
        /// What the broker said.
        description: String,
    },
    /// The broker does not allow this link, or no longer.
    LinkRefused {
        /// The address.
        address: String,
        /// The error condition.
        condition: String,
        /// What the broker said.
        description: String,
    },
    /// The broker does not take the message: rejected (AMQP), or answered with an error (XMPP).
    MessageRejected {
        /// The error condition, or empty.
        condition: String,
        /// What the broker said.
        description: String,
    },
    /// AMQP: the broker gives the message back without having looked at it: released.
    MessageReleased,
    /// AMQP: the broker gives the message back: modified.
    MessageModified {
        /// It counts as an attempt that failed.
        failed: bool,
        /// It is not to be sent here again.
        elsewhere: bool,
    },
    /// The broker does not take messages of this size at this address.
    MessageTooLarge {
        /// The most it takes, in octets.
        max_bytes: u64,
    },
    /// The broker broke the protocol.
    Protocol(&'static str),
    /// The broker broke the rules of AMQP.
    Amqp(String),
    /// The broker broke the rules of XMPP.
    Xmpp(String),
    /// The connection ended, or was forgotten, before the broker said what became of this message,
    /// so it may have it or not.
    Uncertain,
    /// The body of a text message is not UTF-8.
    NotText,
    /// The protocol spoken here has no way to say this.
    NotInProtocol(&'static str),
    /// AMQP: durable subscriptions belong to a container, and this one has no name of its own.
    ContainerUnnamed,
    /// MBLWS keeps nothing for later, and there is no connection now.
    NotConnected,
    /// This client has its one [`Receiver`](crate::Receiver) already.
    AlreadyReceiving,
    /// The client was closed by its application.
    Closed,
}

/// Conditions that a restart, an operator or an overload may be behind (AMQP 2.8.15 to
/// 2.8.18). To anything else the same answer would come again.
const PASSING_CONDITIONS: [&str; 12] = [
    "amqp:internal-error",
    "amqp:resource-limit-exceeded",
    "amqp:resource-locked",
    "amqp:connection:forced",
    "amqp:link:detach-forced",
    "amqp:link:stolen",
    // RFC 6120 4.9.3.
    "connection-timeout",
    "internal-server-error",
    "remote-connection-failed",
    "reset",
    "resource-constraint",
    "system-shutdown",
];

impl Error {
    /// What the person in charge can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Error::Url(_) => "use a URL such as wss://mq.example.com/ws",
            Error::Option(_) => "leave control characters out of the origin and the user",
            Error::Roots => "give certificates in PEM form",
            Error::Network(_) => "check the address and port, and that the broker is running",
            Error::Tls(_) => "check the broker's certificate and the roots that are trusted",
            Error::Timeout => {
                "check that the broker is healthy and that nothing holds packets back"
            }
            Error::Denied { .. } => "check the user, the password and the allowed origins",
            Error::LoginRefused | Error::Credentials(_) => "check the user and the password",
            Error::NoMechanism { .. } => {
                "use TLS, or give a user and password, or ask the operator for another login"
            }
            Error::LoginUnavailable => "try again later",
            Error::LoginFailed(_) => "check that nobody is in between",
            Error::Redirect(_) => "ask the operator where the broker is",
            Error::ConnectionClosed { .. } | Error::LinkRefused { .. } => {
                "the broker's reason tells; check addresses, permissions and limits"
            }
            Error::MessageRejected { .. } => "the broker's reason tells; change the message",
            Error::MessageReleased | Error::MessageModified { .. } => {
                "send it again later, or elsewhere"
            }
            Error::MessageTooLarge { .. } => "send less at once",
            Error::Http { .. } => "check the path of the URL",
            Error::NotDiscovered => "give the URL of the WebSocket",
            Error::NotWebSocket(_) | Error::Subprotocol => {
                "check that the URL is that of a Wharf broker"
            }
            Error::Rejected { .. } => "the broker's reason tells; check permissions and limits",
            Error::Protocol(_) | Error::Amqp(_) | Error::Xmpp(_) => {
                "report this to those who run the broker"
            }
            Error::Uncertain => "send it again if a second copy does no harm",
            Error::NotText => "send it as binary",
            Error::NotInProtocol(_) => "change the message, or use the other protocol",
            Error::ContainerUnnamed => "name the container in the options",
            Error::NotConnected => {
                "wait until the state is open, or use MBWS, which keeps messages"
            }
            Error::AlreadyReceiving => "name all addresses in one call, or open another client",
            Error::Closed => "open a new client",
        }
    }

    /// Whether trying again later can help.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Error::Network(_) | Error::Timeout | Error::LoginUnavailable => true,
            // Brokers may be sending us around while they are still finding out themselves.
            Error::Redirect(fault) => {
                matches!(fault, RedirectFault::Loop | RedirectFault::TooMany)
            }
            Error::ConnectionClosed { condition, .. } | Error::LinkRefused { condition, .. } => {
                condition.is_empty() || PASSING_CONDITIONS.contains(&condition.as_str())
            }
            // Overload and restarts.
            Error::Http { status } => matches!(status, 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Url(error) => write!(f, "invalid URL: {error}"),
            Error::Option(error) => error.fmt(f),
            Error::Roots => f.write_str("the trusted roots cannot be read"),
            Error::Network(error) => write!(f, "no connection: {error}"),
            Error::Tls(error) => write!(f, "no trusted TLS connection: {error}"),
            Error::Timeout => f.write_str("the broker did not answer in time"),
            Error::Denied { status } => write!(f, "access denied (HTTP {status})"),
            Error::Http { status } => write!(f, "HTTP {status} instead of a WebSocket"),
            Error::NotDiscovered => f.write_str("the domain does not say where its WebSocket is"),
            Error::NotWebSocket(failure) => write!(f, "no WebSocket server: {failure}"),
            Error::Subprotocol => f.write_str("the server does not speak the protocol"),
            Error::Redirect(fault) => fault.fmt(f),
            Error::Credentials(misuse) => misuse.fmt(f),
            Error::NoMechanism { offered } => {
                write!(f, "no way to log in: the broker offers {}", offered.join(", "))
            }
            Error::LoginRefused => f.write_str("access denied"),
            Error::LoginUnavailable => f.write_str("the broker cannot check the login now"),
            Error::LoginFailed(failure) => write!(f, "the login broke off: {failure}"),
            Error::ConnectionClosed { condition, description } => {
                write!(f, "the broker closed the connection: {}", Told(condition, description))
            }
            Error::LinkRefused { address, condition, description } => {
                write!(f, "the broker refuses {address}: {}", Told(condition, description))
            }
            Error::MessageRejected { condition, description } => {
                write!(f, "the broker rejected the message: {}", Told(condition, description))
            }
            Error::MessageReleased => f.write_str("the broker released the message"),
            Error::MessageModified { .. } => f.write_str("the broker gave the message back"),
            Error::MessageTooLarge { max_bytes } => {
                write!(f, "the message is larger than {max_bytes} bytes")
            }
            Error::Rejected { code, reason } if reason.is_empty() => {
                write!(f, "the broker closed the connection ({code})")
            }
            Error::Rejected { code, reason } => {
                write!(f, "the broker closed the connection: {reason} ({code})")
            }
            Error::Protocol(what) => write!(f, "the broker broke the protocol: {what}"),
            Error::Amqp(what) | Error::Xmpp(what) => {
                write!(f, "the broker broke the protocol: {what}")
            }
            Error::Uncertain => f.write_str("the broker may have the message or not"),
            Error::NotText => f.write_str("the body is not text"),
            Error::NotInProtocol(what) => write!(f, "the protocol has {what}"),
            Error::ContainerUnnamed => f.write_str("the container has no name"),
            Error::NotConnected => f.write_str("not connected"),
            Error::AlreadyReceiving => f.write_str("the client is receiving already"),
            Error::Closed => f.write_str("the client was closed"),
        }
    }
}

/// A condition and its description, as far as there are any.
struct Told<'a>(&'a str, &'a str);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            ("", "") => f.write_str("without a reason"),
            (condition, "") => f.write_str(condition),
            ("", description) => f.write_str(description),
            (condition, description) => write!(f, "{description} ({condition})"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error::Network(Arc::new(error))
    }
}

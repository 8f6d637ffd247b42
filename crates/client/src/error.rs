//! What can go wrong, named by whose fault it is, and what to do about it.

use std::fmt;
use std::io;
use std::sync::Arc;

use wharf_ws::handshake::client::{Failure, InvalidOffer};
use wharf_ws::uri::UriError;

/// Why something was not done. [`Error::remedy`] says what may help.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The URL is not a `ws` or `wss` URL.
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
    /// What answers is no WebSocket server.
    NotWebSocket(Failure),
    /// The server does not speak MBWS.
    Subprotocol,
    /// The broker closed the connection for good.
    Rejected {
        /// The WebSocket close code.
        code: u16,
        /// What the broker said.
        reason: String,
    },
    /// The broker broke the protocol.
    Protocol(&'static str),
    /// The broker has forgotten the connection before it acknowledged this message, so it may
    /// have it or not.
    Uncertain,
    /// The body of a text message is not UTF-8.
    NotText,
    /// MBLWS keeps nothing for later, and there is no connection now.
    NotConnected,
    /// This client has its one [`Receiver`](crate::Receiver) already.
    AlreadyReceiving,
    /// The client was closed by its application.
    Closed,
}

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
            Error::Http { .. } => "check the path of the URL",
            Error::NotWebSocket(_) | Error::Subprotocol => {
                "check that the URL is that of a Wharf broker"
            }
            Error::Rejected { .. } => "the broker's reason tells; check permissions and limits",
            Error::Protocol(_) => "report this to those who run the broker",
            Error::Uncertain => "send it again if a second copy does no harm",
            Error::NotText => "send it as binary",
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
            Error::Network(_) | Error::Timeout => true,
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
            Error::NotWebSocket(failure) => write!(f, "no WebSocket server: {failure}"),
            Error::Subprotocol => f.write_str("the server does not speak MBWS"),
            Error::Rejected { code, reason } if reason.is_empty() => {
                write!(f, "the broker closed the connection ({code})")
            }
            Error::Rejected { code, reason } => {
                write!(f, "the broker closed the connection: {reason} ({code})")
            }
            Error::Protocol(what) => write!(f, "the broker broke the protocol: {what}"),
            Error::Uncertain => f.write_str("the broker forgot the connection"),
            Error::NotText => f.write_str("the body is not text"),
            Error::NotConnected => f.write_str("not connected"),
            Error::AlreadyReceiving => f.write_str("the client is receiving already"),
            Error::Closed => f.write_str("the client was closed"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error::Network(Arc::new(error))
    }
}

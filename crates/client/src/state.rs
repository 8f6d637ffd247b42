//! What a client is doing.

use crate::Error;

/// The state of a client; see [`Client::watch`](crate::Client::watch).
#[derive(Clone, Debug)]
pub enum State {
    /// The first session is being opened.
    Connecting,
    /// Messages flow.
    Open {
        /// How many times a session was lost and the connection went on.
        recovered: u64,
    },
    /// The session is lost; messages wait.
    Recovering {
        /// How many attempts did not help.
        failed: u32,
        /// Why there is no session.
        because: Error,
    },
    /// The end, as the application wished.
    Closed,
    /// The end, without hope.
    Lost(Error),
}

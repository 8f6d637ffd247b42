//! May a connection go on where it stopped? The three criteria of section 2.1.4 as a pure
//! function, and what makes a connection recoverable at all.

use crate::{Numbers, Violation};

/// What a client says of itself when it reconnects. The names are the draft's.
// MBWS-040
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Last message the client received; 0 if none (MBWS-A05).
    // MBWS-041
    pub cslr: u64,
    /// Lowest number in the client's window; last sent + 1 if the window is empty (MBWS-A04).
    // MBWS-042
    pub cslw: u64,
    /// Highest number in the client's window; last sent if the window is empty.
    pub csuw: u64,
}

impl Claim {
    /// Stands for a Connect with a name but without exactly three numbers: no ledger honours it,
    /// so the reconnect is refused, not failed.
    // MBWS-A08
    pub const UNREADABLE: Claim = Claim { cslr: u64::MAX, cslw: 1, csuw: 0 };

    pub(crate) fn from_numbers(numbers: &Numbers) -> Result<Self, Violation> {
        let Some(&[cslr, cslw, csuw]) = numbers.as_slice() else {
            return Ok(Claim::UNREADABLE);
        };
        // MBWS-A04
        if cslw > csuw.saturating_add(1) {
            return Err(Violation::WindowBounds);
        }
        Ok(Claim { cslr, cslw, csuw })
    }
}

/// What the server remembers of a connection: one view of the session's ledger.
// MBWS-020, MBWS-021
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerView {
    /// Highest message taken from the client: SSLR.
    pub taken: u64,
    /// Highest message the client has acknowledged; the server's window begins after it.
    pub acked: u64,
    /// Highest message ever sent to the client; the server's window ends with it.
    pub sent: u64,
}

/// The answer to a reconnect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The connection goes on. The claim's CSLR counts as an acknowledgement (MBWS-A23).
    Resume {
        /// The first message the server sends: CSLR + 1.
        resume_with: u64,
        /// The last message the server took: the client goes on with the next.
        sslr: u64,
    },
    /// A new connection is opened instead.
    Refuse(Criterion),
}

/// The criterion that was not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// 1: the client has no connection of that name. Found before a ledger can be judged.
    // MBWS-043
    Name,
    /// 2: the server cannot go on with message CSLR + 1.
    // MBWS-044
    ServerWindow,
    /// 3: the client cannot go on with message SSLR + 1.
    // MBWS-045
    ClientWindow,
}

impl Criterion {
    /// Whether the old state is of no more use: its rightful owner has shown that it cannot go on,
    /// so undelivered messages go back to their addresses. Otherwise it may be someone else's.
    // MBWS-A22
    pub fn discards_state(self) -> bool {
        match self {
            Criterion::Name => false,
            Criterion::ServerWindow | Criterion::ClientWindow => true,
        }
    }
}

/// Judges a claim against the ledger of the connection that it names.
// MBWS-024
pub fn judge(claim: &Claim, ledger: &LedgerView) -> Verdict {
    if claim.cslr < ledger.acked || claim.cslr > ledger.sent {
        return Verdict::Refuse(Criterion::ServerWindow);
    }
    // MBWS-A04: a lower bound of 0 is read as 1.
    let lowest_sslr = claim.cslw.saturating_sub(1);
    if ledger.taken < lowest_sslr || ledger.taken > claim.csuw {
        return Verdict::Refuse(Criterion::ClientWindow);
    }
    Verdict::Resume { resume_with: claim.cslr.saturating_add(1), sslr: ledger.taken }
}

/// Which WebSocket closes end a connection for good.
// MBWS-A09
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CloseRule {
    /// A completed closing handshake with 1000 or without a code. A server that goes away (1001)
    /// or a peer that was failed keeps its connection.
    #[default]
    NormalOnly,
    /// Every completed closing handshake: the letter of section 2.1.2.
    EveryHandshake,
}

impl CloseRule {
    /// Whether the connection ends with its session. `code` is that of the completed closing
    /// handshake, 1005 if it carried none; `None` if there was no closing handshake, or none that
    /// was completed.
    // MBWS-015, MBWS-025, MBWS-122
    pub fn ends_connection(self, code: Option<u16>) -> bool {
        match (self, code) {
            (_, None | Some(1006)) => false,
            (CloseRule::NormalOnly, Some(code)) => matches!(code, 1000 | 1005),
            (CloseRule::EveryHandshake, Some(_)) => true,
        }
    }
}

/// A fresh connection name: a URN that nobody can guess, in ASCII so that its length is the same
/// in every unit. `entropy` comes from the system's generator and is used once.
// MBWS-013, MBWS-A01, MBWS-A07
pub fn connection_name(entropy: [u8; 16]) -> String {
    let mut name = String::from("urn:uuid:");
    for (at, octet) in entropy.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            name.push('-');
        }
        // The version and variant of a random UUID.
        let octet = match at {
            6 => 0x40 | (octet & 0x0f),
            8 => 0x80 | (octet & 0x3f),
            _ => octet,
        };
        for digit in [octet >> 4, octet & 0x0f] {
            name.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    name
}

//! Messages as they are kept: when they were sent, then the stanza as its recipient gets it.

use bytes::Bytes;
use wharf_broker::{ConsumerId, Message, Timestamp};

/// Format number of a message that finds another way if its recipient is gone.
pub const XMPP: u8 = 4;

/// Format number of a message that is for one resource and nobody else: a copy, a headline.
pub const XMPP_COPY: u8 = 5;

/// Octets before the stanza: microseconds since 1970, the most significant first. The name of the
/// message in archives, where it is in one. 0: not known.
pub const STORED_HEAD_BYTES: usize = 8;

/// The consumer of a resource's inbox.
pub const INBOX: ConsumerId = ConsumerId(0);

/// The consumer of what has waited while an account was away.
pub const OFFLINE: ConsumerId = ConsumerId(1);

/// Time as names of messages: no two are the same, and they rise.
#[derive(Debug, Default)]
pub(crate) struct Names {
    last: u64,
}

impl Names {
    /// Everything up to this name was given in an earlier life.
    pub(crate) fn continue_after(&mut self, name: u64) {
        self.last = self.last.max(name);
    }

    pub(crate) fn next(&mut self, now: Timestamp) -> u64 {
        self.last = self.last.saturating_add(1).max(now.0.saturating_mul(1000));
        self.last
    }
}

/// A message to keep; `body` begins with room for its head.
pub(crate) fn message(format: u8, name: u64, mut body: Vec<u8>) -> Message {
    for (octet, head) in body.iter_mut().zip(name.to_be_bytes()) {
        *octet = head;
    }
    Message { format, body: Bytes::from(body) }
}

/// Room for a head, and a stanza behind it.
pub(crate) fn with_head(capacity: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(capacity.saturating_add(STORED_HEAD_BYTES));
    body.extend_from_slice(&[0; STORED_HEAD_BYTES]);
    body
}

/// A time in milliseconds since 1970, as XEP-0082 writes it.
pub(crate) fn stamp(ms: u64) -> String {
    stamp_us(ms.saturating_mul(1000))
}

/// A time in microseconds since 1970, as XEP-0082 writes it.
#[must_use]
pub fn stamp_us(us: u64) -> String {
    const DAY: u64 = 86_400;
    let (seconds, us) = (us / 1_000_000, us % 1_000_000);
    let (days, second) = (seconds / DAY, seconds % DAY);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{us:06}Z")
}

/// Year, month and day, by days since 1970. Years begin with March here, so that the day that some
/// have and others have not is their last.
fn date(days: u64) -> (u64, u64, u64) {
    /// Days of 400 years, and those from the year 0 to 1970.
    const ERA: u64 = 146_097;
    const EPOCH: u64 = 719_468;
    let days = days.saturating_add(EPOCH);
    let (era, day) = (days / ERA, days % ERA);
    let leaps = (day / 36_524).saturating_sub(day / 146_096);
    let year = day.saturating_sub(day / 1460).saturating_add(leaps) / 365;
    let before = year.saturating_mul(365).saturating_add(year / 4).saturating_sub(year / 100);
    let day = day.saturating_sub(before);
    let month = day.saturating_mul(5).saturating_add(2) / 153;
    let first = month.saturating_mul(153).saturating_add(2) / 5;
    let day = day.saturating_sub(first).saturating_add(1);
    let (month, carry) =
        if month < 10 { (month.saturating_add(3), 0) } else { (month.saturating_sub(9), 1) };
    (era.saturating_mul(400).saturating_add(year).saturating_add(carry), month, day)
}

#[cfg(test)]
mod tests {
    use super::stamp_us;

    #[test]
    fn times_are_dates() {
        let table = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399_999_000, "2000-02-28T23:59:59.999000Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (951_868_800_000_000, "2000-03-01T00:00:00.000000Z"),
            (1_031_699_305_000_001, "2002-09-10T23:08:25.000001Z"),
            (4_107_542_399_000_000, "2100-02-28T23:59:59.000000Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
            (1_798_675_200_000_000, "2026-12-31T00:00:00.000000Z"),
        ];
        for (us, expected) in table {
            assert_eq!(stamp_us(us), expected);
        }
    }
}

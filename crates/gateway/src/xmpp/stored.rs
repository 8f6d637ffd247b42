//! Messages as the services of XMPP have stored them.

use wharf_broker::Delivery;
use wharf_chat::{OFFLINE, STORED_HEAD_BYTES};
use wharf_xmpp::xml::element;

/// Says when a message was sent (XEP-0203).
const DELAY: &str = "urn:xmpp:delay";

/// The stanza of a stored message, in pieces. What waited for its recipient says for how long.
// RFC 6121 8.5.2.2.1, XEP-0160 3.
#[derive(Debug)]
pub(super) struct Stored<'d> {
    before: &'d [u8],
    delay: Vec<u8>,
    after: &'d [u8],
}

impl<'d> Stored<'d> {
    pub(super) fn new(delivery: &'d Delivery, host: &str) -> Self {
        let (head, stanza) = delivery.body.split_first_chunk::<STORED_HEAD_BYTES>().unzip();
        let stanza = stanza.unwrap_or_default();
        let sent_us = head.map_or(0, |head| u64::from_be_bytes(*head));
        let whole = Self { before: stanza, delay: Vec::new(), after: &[] };
        if delivery.consumer != OFFLINE || sent_us == 0 {
            return whole;
        }
        // Behind the last child: where the end tag begins.
        let end = stanza.windows(2).rposition(|two| two == b"</");
        let Some((before, after)) = end.and_then(|end| stanza.split_at_checked(end)) else {
            return whole;
        };
        let stamp = stamp(sent_us);
        let attributes = [("xmlns", DELAY), ("from", host), ("stamp", &*stamp)];
        let mut delay = Vec::new();
        element(&mut delay, "delay", &attributes, |_| {});
        Self { before, delay, after }
    }

    pub(super) fn pieces(&self) -> [&[u8]; 3] {
        [self.before, &self.delay, self.after]
    }
}

/// A time in microseconds since 1970 (XEP-0082).
fn stamp(us: u64) -> String {
    let ms = us / 1000;
    let (seconds, ms) = (ms / 1000, ms % 1000);
    let (minutes, second) = (seconds / 60, seconds % 60);
    let (hours, minute) = (minutes / 60, minutes % 60);
    let (days, hour) = (hours / 24, hours % 24);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
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
    use super::*;
    use bytes::Bytes;
    use std::sync::Arc;
    use wharf_broker::ConsumerId;

    #[test]
    fn times_are_dates() {
        let table = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999_000, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000_000, "2000-03-01T00:00:00.000Z"),
            (1_031_699_305_000_000, "2002-09-10T23:08:25.000Z"),
            (4_107_542_399_000_000, "2100-02-28T23:59:59.000Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000Z"),
            (1_798_675_200_000_000, "2026-12-31T00:00:00.000Z"),
        ];
        for (us, expected) in table {
            assert_eq!(stamp(us), expected);
        }
    }

    fn sent(consumer: u32, us: u64, stanza: &str) -> String {
        let mut body = us.to_be_bytes().to_vec();
        body.extend_from_slice(stanza.as_bytes());
        let delivery = Delivery {
            seq: 1,
            consumer: ConsumerId(consumer),
            address: Arc::from("xmpp:bob@example.com"),
            format: wharf_chat::XMPP,
            body: Bytes::from(body),
            count: 0,
            death: None,
            annotations: None,
        };
        let pieces = Stored::new(&delivery, "example.com").pieces().concat();
        String::from_utf8(pieces).unwrap()
    }

    #[test]
    fn what_waited_says_so() {
        let stanza = "<message><body>1 &lt;/ 2</body></message>";
        assert_eq!(sent(0, 1_031_699_305_000_000, stanza), stanza);
        assert_eq!(
            sent(1, 1_031_699_305_000_000, stanza),
            "<message><body>1 &lt;/ 2</body><delay xmlns='urn:xmpp:delay' from='example.com' stamp='2002-09-10T23:08:25.000Z'/></message>"
        );
        assert_eq!(sent(1, 0, stanza), stanza);
    }
}

//! Messages as the services of XMPP have stored them.

use wharf_broker::Delivery;
use wharf_chat::{OFFLINE, STORED_HEAD_BYTES, stamp_us};
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
        let stamp = stamp_us(sent_us);
        let attributes = [("xmlns", DELAY), ("from", host), ("stamp", &*stamp)];
        let mut delay = Vec::new();
        element(&mut delay, "delay", &attributes, |_| {});
        Self { before, delay, after }
    }

    pub(super) fn pieces(&self) -> [&[u8]; 3] {
        [self.before, &self.delay, self.after]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::sync::Arc;
    use wharf_broker::ConsumerId;

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
            "<message><body>1 &lt;/ 2</body><delay xmlns='urn:xmpp:delay' from='example.com' stamp='2002-09-10T23:08:25.000000Z'/></message>"
        );
        assert_eq!(sent(1, 0, stanza), stanza);
    }
}

//! Frames encoded beforehand: the generator must cost less than what it measures.

/// What is sent, and what must come back.
#[derive(Debug)]
pub struct Exchange {
    /// Many copies of the one message that is sent.
    request: Vec<u8>,
    request_len: usize,
    reply: Vec<u8>,
}

/// What the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Bytes come back as they are.
    Raw,
    /// Binary messages, masked on the way there.
    WebSocket,
}

const MASKING_KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

impl Exchange {
    /// Messages of `payload_size_bytes`, of which `depth` may be sent in one go.
    pub fn new(protocol: Protocol, payload_size_bytes: usize, depth: usize) -> Self {
        let payload = noise(payload_size_bytes);
        let mut request = header(payload.len(), true);
        request.extend(MASKING_KEY);
        request
            .extend(payload.iter().zip(MASKING_KEY.iter().cycle()).map(|(octet, key)| octet ^ key));
        let reply = match protocol {
            Protocol::Raw => request.clone(),
            Protocol::WebSocket => [header(payload.len(), false), payload].concat(),
        };
        let request_len = request.len();
        // One copy more than can be outstanding: a run may begin within a message.
        Self { request: request.repeat(depth + 1), request_len, reply }
    }

    /// Octets of one message as sent.
    pub fn request_len(&self) -> usize {
        self.request_len
    }

    /// The one reply, as it comes back.
    pub fn reply(&self) -> &[u8] {
        &self.reply
    }

    /// The next octets to send, when `sent` have been and `due` are still to be.
    pub fn request_from(&self, sent: u64, due: usize) -> &[u8] {
        let start = (sent % self.request_len as u64) as usize;
        &self.request[start..(start + due).min(self.request.len())]
    }
}

fn header(len: usize, masked: bool) -> Vec<u8> {
    const FIN_BINARY: u8 = 0x82;
    let mask = if masked { 0x80 } else { 0 };
    if len <= 125 {
        vec![FIN_BINARY, mask | len as u8]
    } else if let Ok(short) = u16::try_from(len) {
        [&[FIN_BINARY, mask | 126][..], &short.to_be_bytes()].concat()
    } else {
        [&[FIN_BINARY, mask | 127][..], &(len as u64).to_be_bytes()].concat()
    }
}

/// Octets without a pattern that a wrong offset could hide in (xorshift).
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let octets = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    });
    octets.take(len).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_form() {
        assert_eq!(header(125, false), [0x82, 125]);
        assert_eq!(header(126, true), [0x82, 0x80 | 126, 0, 126]);
        assert_eq!(header(65_536, false), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_run_goes_on_within_a_message() {
        let exchange = Exchange::new(Protocol::Raw, 10, 2);
        assert_eq!(exchange.request_len(), 16);
        let whole = [exchange.reply(), exchange.reply(), exchange.reply()].concat();
        assert_eq!(exchange.request_from(21, 27), &whole[5..32]);
    }
}

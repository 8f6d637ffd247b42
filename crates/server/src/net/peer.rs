//! What counts as one peer when connections and failures are counted, and ranges of addresses.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use wharf_gateway::ChannelBinding;

/// Who is at the other end of a transport.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: SocketAddr,
    /// It came to a proxy on TLS, as the proxy says.
    pub(crate) secure: bool,
    /// What both ends know of the channel between them, and nobody else.
    pub(crate) binding: Option<Arc<ChannelBinding>>,
    /// Whom its certificate names, if it has shown one.
    pub(crate) user: Option<String>,
}

/// An IPv4 address, or the /64 network of an IPv6 address: what one subscriber has.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Network(u128);

/// The network that an address belongs to.
pub(crate) fn network_of(address: IpAddr) -> Network {
    match address.to_canonical() {
        IpAddr::V4(v4) => Network(v4.to_ipv6_mapped().to_bits()),
        IpAddr::V6(v6) => Network(v6.to_bits() & !u128::from(u64::MAX)),
    }
}

/// An address, or a network: `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Range {
    first: u128,
    /// Bits that every address of it has in common.
    prefix: u32,
}

/// What is wrong with the text of a range.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NoRange;

impl FromStr for Range {
    type Err = NoRange;

    fn from_str(text: &str) -> Result<Self, NoRange> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NoRange)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(bits), str::parse).map_err(|_| NoRange)?;
        if prefix > bits {
            return Err(NoRange);
        }
        Ok(Self { first: bits_of(address), prefix: prefix + 128 - bits })
    }
}

impl Range {
    /// Whether the address is in it.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        let differs = self.first ^ bits_of(address.to_canonical());
        self.prefix == 0 || differs >> (128 - self.prefix) == 0
    }
}

fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::{NoRange, Range};

    #[test]
    fn ranges_contain_addresses() {
        let table = [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("127.0.0.1", "::ffff:127.0.0.1", true),
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ];
        for (range, address, expected) in table {
            let range: Range = range.parse().unwrap();
            assert_eq!(range.contains(address.parse().unwrap()), expected, "{range:?} {address}");
        }
        for nonsense in ["", "10", "10.0.0.0/33", "::/129", "10.0.0.0/x", "host"] {
            assert_eq!(nonsense.parse::<Range>(), Err(NoRange), "{nonsense}");
        }
    }
}

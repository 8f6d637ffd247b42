//! What counts as one peer when connections and failures are counted.

use std::net::IpAddr;

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

//! The way to a broker, whatever is spoken there.
//!
//! | module | what it owns |
//! |---|---|
//! | `place` | where a broker is: what a URL, a redirect or a `Location` names |
//! | `trail` | the redirects that were followed, and which one is one too many |
//! | `transport`, `tls` | from a place to a stream, upgraded if it is a WebSocket |
//! | `host_meta` | from a domain to a place |
//! | `outage` | the pauses between attempts |

mod host_meta;
mod http;
mod outage;
mod place;
mod tls;
mod trail;
mod transport;

pub use host_meta::discover;
pub use http::{Answer, Ask, ask};
pub(crate) use outage::{Outage, dice};
pub(crate) use place::{Directions, Place, Scheme};
pub use trail::RedirectFault;
pub(crate) use trail::Trail;
pub(crate) use transport::{BoxStream, Carrier, Reached, Security, Transport};

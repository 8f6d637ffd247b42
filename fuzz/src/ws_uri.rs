//! URIs: what is valid stays the same when it is written and read again, and makes a handshake
//! that a server accepts.

use wharf_ws::handshake::client::{Handshake, Offer};
use wharf_ws::handshake::request::{self, Parsed};
use wharf_ws::handshake::server::{self, Policy};
use wharf_ws::handshake::{HeadLimits, OriginPolicy};
use wharf_ws::uri::Uri;

/// Reads `data` as a URI.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(uri) = text.parse::<Uri>() else { return };
    check_parts(&uri);
    let scheme = if uri.is_secure() { "wss" } else { "ws" };
    let written = format!("{scheme}://{}{}", uri.authority(), uri.resource_name());
    if written.len() <= wharf_ws::uri::URI_MAX_BYTES {
        assert_eq!(written.parse(), Ok(uri.clone()), "{written} from {text}");
    }
    check_handshake(uri);
}

fn check_parts(uri: &Uri) {
    assert!(!uri.host().is_empty() && uri.host().is_ascii());
    assert_eq!(uri.host(), uri.host().to_ascii_lowercase());
    assert!(!uri.host_unbracketed().contains(['[', ']']));
    assert!(uri.port() > 0);
    assert!(uri.resource_name().starts_with('/'));
    assert!(uri.resource_name().bytes().all(|octet| octet.is_ascii_graphic()));
    assert!(!uri.resource_name().contains('#'));
}

fn check_handshake(uri: Uri) {
    let resource = uri.resource_name().to_owned();
    let handshake = Handshake::new(Offer::new(uri), [5; 16]).expect("a plain offer");
    let limits = HeadLimits { head_max_bytes: 64 << 10, ..HeadLimits::default() };
    let Parsed::Complete { request, consumed } = request::parse(handshake.request_bytes(), limits)
    else {
        panic!("a request that cannot be read");
    };
    assert_eq!(consumed, handshake.request_bytes().len());
    let policy = Policy { origins: OriginPolicy::SameHost, ..Policy::default() };
    if request.target.len() <= wharf_ws::handshake::limits::TARGET_MAX_BYTES {
        server::evaluate(&request, &policy).expect("accepted");
        assert_eq!(request.resource_name().as_deref(), Some(resource.as_str()));
    }
}

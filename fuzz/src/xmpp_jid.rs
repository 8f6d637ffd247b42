//! Addresses: the enforced form is its own, and its parts make it up.

use wharf_xmpp::jid::{Jid, escape_local, unescape_local};

/// Reads `data` as an address, and as the name of a user.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(jid) = Jid::parse(&text) {
        assert_eq!(Jid::parse(jid.as_str()).as_ref(), Ok(&jid), "{text}");
        let whole = Jid::from_parts(jid.local(), jid.domain(), jid.resource());
        assert_eq!(whole.as_ref(), Ok(&jid), "{text}");
        let parts = [jid.local(), Some(jid.domain()), jid.resource()];
        for part in parts.into_iter().flatten() {
            assert!((1..=1023).contains(&part.len()), "{text}");
        }
        assert!(jid.bare().is_bare() && jid.to_domain().is_domain());
        assert_eq!(jid.bare().as_str(), jid.bare_str());
    }
    if let Some(escaped) = escape_local(&text) {
        assert!(!escaped.contains([' ', '"', '&', '\'', '/', ':', '<', '>', '@']), "{text}");
        assert_eq!(unescape_local(&escaped), text);
    }
    let _ = Jid::of_user(&text, "example.com");
}

//! Results and errors for a stanza.

use super::{IqType, Kind, Stanza, StanzaError};
use crate::ns;
use crate::xml::element;

/// Appends the result of a request (RFC 6120, section 8.2.3), `from` who answers and `to` who
/// asked, where that is said.
pub fn write_result(
    request: &Stanza<'_>,
    from: Option<&str>,
    to: Option<&str>,
    out: &mut Vec<u8>,
    payload: impl FnOnce(&mut Vec<u8>),
) {
    write_reply(request, "result", (from, to), out, payload);
}

/// Appends the error that answers a stanza, and says whether it may be sent: an error is never
/// answered with an error, nor is a result (RFC 6120, sections 8.2.3 and 8.3.1).
pub fn write_error(
    stanza: &Stanza<'_>,
    from: Option<&str>,
    to: Option<&str>,
    error: &StanzaError,
    out: &mut Vec<u8>,
) -> bool {
    let is_answer = matches!(stanza.iq_type(), Some(IqType::Result | IqType::Error));
    if is_answer || stanza.is_error() {
        return false;
    }
    write_reply(stanza, "error", (from, to), out, |out| error.write(out));
    true
}

fn write_reply(
    stanza: &Stanza<'_>,
    type_name: &str,
    (from, to): (Option<&str>, Option<&str>),
    out: &mut Vec<u8>,
    payload: impl FnOnce(&mut Vec<u8>),
) {
    let mut attributes = vec![("xmlns", ns::CLIENT), ("type", type_name)];
    attributes.extend(from.map(|from| ("from", from)));
    attributes.extend(to.map(|to| ("to", to)));
    // RFC 6120 8.1.3: the same id. RFC 6120 8.2.3: an iq without one gets an empty one.
    let id = stanza.id().or((stanza.kind() == Kind::Iq).then_some("".into()));
    attributes.extend(id.as_deref().map(|id| ("id", id)));
    element(out, stanza.kind().name(), &attributes, payload);
}

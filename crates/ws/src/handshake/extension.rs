//! Negotiation of `permessage-deflate` (RFC 7692) and `deflate-stream` (drafts 6 to 8).

use std::fmt;
use std::fmt::Write as _;

use super::limits::COMPRESSOR_WINDOW_BITS_MIN;
use super::list::{Extension, Param};
use super::{Compression, DeflateParams};
use crate::version::Version;

const PER_MESSAGE: &str = "permessage-deflate";
const STREAM: &str = "deflate-stream";

/// Largest window of DEFLATE, and the one meant when a window is not named.
const WINDOW_BITS_MAX: u8 = 15;

/// What a server wants of `permessage-deflate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflatePolicy {
    /// Start every message to the client with an empty window, also unasked: no memory is kept
    /// between messages, at the price of worse compression.
    pub server_no_context_takeover: bool,
    /// Ask the same of the client.
    pub client_no_context_takeover: bool,
    /// Largest window to compress with, 9 to 15 (values outside are moved to the nearest).
    pub server_max_window_bits: u8,
    /// Largest window to ask of the client, 9 to 15. Clients that do not know the parameter are
    /// accepted with 15 (WS-PD-07).
    pub client_max_window_bits: u8,
}

impl Default for DeflatePolicy {
    /// Context takeover both ways and full windows.
    fn default() -> Self {
        DeflatePolicy {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: WINDOW_BITS_MAX,
            client_max_window_bits: WINDOW_BITS_MAX,
        }
    }
}

/// One offer of `permessage-deflate` by a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateOffer {
    /// Demand that the server starts every message with an empty window.
    pub server_no_context_takeover: bool,
    /// Promise to start every message with an empty window.
    pub client_no_context_takeover: bool,
    /// Demand that the server's window is no larger than this, 8 to 15; `None` demands nothing.
    pub server_max_window_bits: Option<u8>,
    /// Let the server limit the client's window, and promise not to use one larger than this,
    /// 9 to 15; `None` does not let it.
    pub client_max_window_bits: Option<u8>,
}

impl Default for DeflateOffer {
    /// No demands, and the server may limit the client's window, as browsers offer it.
    fn default() -> Self {
        DeflateOffer {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: None,
            client_max_window_bits: Some(WINDOW_BITS_MAX),
        }
    }
}

/// What is wrong with the extensions in a server's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFault {
    /// Names an extension that was not offered (WS-HC-21).
    NotOffered,
    /// Names the same extension twice.
    Repeated,
    /// A parameter is unknown, repeated, or has a value it must not have (WS-PD-02).
    Parameter,
    /// The parameters answer none of the offers that were made.
    AnswersNoOffer,
}

impl fmt::Display for AnswerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AnswerFault::NotOffered => "the server accepted an extension that was not offered",
            AnswerFault::Repeated => "the server accepted an extension twice",
            AnswerFault::Parameter => "the server's extension parameters are not valid",
            AnswerFault::AnswersNoOffer => "the server's extension parameters answer no offer",
        })
    }
}

/// The parameters of `permessage-deflate` as written in an offer or an answer.
#[derive(Clone, Copy, Default)]
struct Written {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// The outer option is whether it is there, the inner one whether it has a value.
    client_max_window_bits: Option<Option<u8>>,
}

impl Written {
    /// `None` when a parameter is unknown, repeated or invalid (WS-PD-01, WS-PD-02).
    fn read(params: &[Param<'_>]) -> Option<Written> {
        let mut written = Written::default();
        for (position, Param { name, value }) in params.iter().enumerate() {
            if params.iter().take(position).any(|earlier| earlier.name == *name) {
                return None;
            }
            let value = value.as_deref();
            match *name {
                "server_no_context_takeover" if value.is_none() => {
                    written.server_no_context_takeover = true;
                }
                "client_no_context_takeover" if value.is_none() => {
                    written.client_no_context_takeover = true;
                }
                "server_max_window_bits" => {
                    written.server_max_window_bits = Some(window_bits(value?)?);
                }
                "client_max_window_bits" => {
                    let bits = match value {
                        Some(value) => Some(window_bits(value)?),
                        None => None,
                    };
                    written.client_max_window_bits = Some(bits);
                }
                _ => return None,
            }
        }
        Some(written)
    }
}

/// WS-PD-06: 8 to 15, without leading zeros.
fn window_bits(value: &str) -> Option<u8> {
    match value {
        "8" => Some(8),
        "9" => Some(9),
        "10" => Some(10),
        "11" => Some(11),
        "12" => Some(12),
        "13" => Some(13),
        "14" => Some(14),
        "15" => Some(15),
        _ => None,
    }
}

fn compressor_bits(wanted: u8) -> u8 {
    wanted.clamp(COMPRESSOR_WINDOW_BITS_MIN, WINDOW_BITS_MAX)
}

/// The server's choice among a client's offers: the first that can be had, and the answer that
/// accepts it. At most one extension is ever accepted (WS-PD-14), so the order of application
/// (WS-EX-04, HYBI-095) is no question, and no RSV bit is used without it (WS-EX-05).
pub(crate) fn choose(
    offers: &[Extension<'_>],
    version: Version,
    deflate: Option<&DeflatePolicy>,
    deflate_stream: bool,
) -> Option<(Compression, String)> {
    offers.iter().find_map(|offer| match (offer.name, deflate) {
        // HYBI-094: not defined for the interim versions.
        (PER_MESSAGE, Some(policy)) if !version.is_interim() => accept(&offer.params, policy),
        // HYBI-090: it has no parameters. HYBI-093: declined unless switched on.
        (STREAM, _) if version.is_interim() && deflate_stream && offer.params.is_empty() => {
            Some((Compression::Stream, STREAM.to_owned()))
        }
        _ => None,
    })
}

fn accept(params: &[Param<'_>], policy: &DeflatePolicy) -> Option<(Compression, String)> {
    let offer = Written::read(params)?;
    let server_bits = match offer.server_max_window_bits {
        // WS-PD-01: an unsupported configuration is declined; a later offer may be better.
        Some(bits) if bits < COMPRESSOR_WINDOW_BITS_MIN => return None,
        Some(bits) => bits.min(compressor_bits(policy.server_max_window_bits)),
        None => compressor_bits(policy.server_max_window_bits),
    };
    let client_bits = match offer.client_max_window_bits {
        Some(hint) => {
            let bits = compressor_bits(policy.client_max_window_bits);
            bits.min(hint.unwrap_or(WINDOW_BITS_MAX))
        }
        // WS-PD-07: must not be in the answer.
        None => WINDOW_BITS_MAX,
    };
    let agreed = DeflateParams {
        // WS-PD-04: in the answer if it is in the offer, or if we like it.
        server_no_context_takeover: offer.server_no_context_takeover
            || policy.server_no_context_takeover,
        client_no_context_takeover: offer.client_no_context_takeover
            || policy.client_no_context_takeover,
        server_max_window_bits: server_bits,
        client_max_window_bits: client_bits,
    };
    let mut answer = String::from(PER_MESSAGE);
    push_flags(&mut answer, agreed.server_no_context_takeover, agreed.client_no_context_takeover);
    // WS-PD-06: answered when asked.
    let name_server_bits = offer.server_max_window_bits.is_some() || server_bits < WINDOW_BITS_MAX;
    push_bits(&mut answer, "server_max_window_bits", name_server_bits.then_some(server_bits));
    let name_client_bits = client_bits < WINDOW_BITS_MAX;
    push_bits(&mut answer, "client_max_window_bits", name_client_bits.then_some(client_bits));
    Some((Compression::PerMessage(agreed), answer))
}

fn push_flags(
    out: &mut String,
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
) {
    if server_no_context_takeover {
        out.push_str("; server_no_context_takeover");
    }
    if client_no_context_takeover {
        out.push_str("; client_no_context_takeover");
    }
}

fn push_bits(out: &mut String, name: &str, bits: Option<u8>) {
    if let Some(bits) = bits {
        // Writing to a String cannot fail.
        let _ = write!(out, "; {name}={bits}");
    }
}

/// The elements of a client's `Sec-WebSocket-Extensions`; empty when nothing is offered.
pub(crate) fn write_offers(
    version: Version,
    deflate: &[DeflateOffer],
    deflate_stream: bool,
) -> Vec<String> {
    if version.is_interim() {
        return if deflate_stream { vec![STREAM.to_owned()] } else { Vec::new() };
    }
    deflate.iter().map(write_offer).collect()
}

fn write_offer(offer: &DeflateOffer) -> String {
    let mut out = String::from(PER_MESSAGE);
    push_flags(&mut out, offer.server_no_context_takeover, offer.client_no_context_takeover);
    push_bits(&mut out, "server_max_window_bits", offer.server_max_window_bits);
    match offer.client_max_window_bits {
        Some(WINDOW_BITS_MAX..) => out.push_str("; client_max_window_bits"),
        limit => push_bits(&mut out, "client_max_window_bits", limit),
    }
    out
}

/// Checks a server's answer against the offers and says what is now in use.
pub(crate) fn check(
    answer: &[Extension<'_>],
    version: Version,
    deflate: &[DeflateOffer],
    deflate_stream: bool,
) -> Result<Compression, AnswerFault> {
    let Some((accepted, others)) = answer.split_first() else {
        return Ok(Compression::None);
    };
    // At most one extension can be offered, so a second one is either it again or unknown.
    if let Some(second) = others.first() {
        let is_repeated = second.name == accepted.name;
        return Err(if is_repeated { AnswerFault::Repeated } else { AnswerFault::NotOffered });
    }
    match accepted.name {
        PER_MESSAGE if !version.is_interim() && !deflate.is_empty() => {
            check_deflate(&accepted.params, deflate).map(Compression::PerMessage)
        }
        STREAM if version.is_interim() && deflate_stream => {
            if accepted.params.is_empty() {
                Ok(Compression::Stream)
            } else {
                Err(AnswerFault::Parameter)
            }
        }
        // WS-HC-21, HYBI-019.
        _ => Err(AnswerFault::NotOffered),
    }
}

fn check_deflate(
    params: &[Param<'_>],
    offers: &[DeflateOffer],
) -> Result<DeflateParams, AnswerFault> {
    let answer = Written::read(params).ok_or(AnswerFault::Parameter)?;
    // WS-PD-07: in an answer the value is required.
    if answer.client_max_window_bits == Some(None) {
        return Err(AnswerFault::Parameter);
    }
    let client_bits = answer.client_max_window_bits.flatten();
    // WS-PD-03: several offers may have been made; the answer says only by its parameters which
    // one it accepts.
    let accepted = offers.iter().find(|offer| is_answer_to(&answer, client_bits, offer));
    let offer = accepted.ok_or(AnswerFault::AnswersNoOffer)?;
    // The client keeps its own promises even if the answer does not repeat them. A window of 8
    // bits is taken, although no compressor keeps to it: messages then go out uncompressed.
    let promised_bits = offer.client_max_window_bits.map_or(WINDOW_BITS_MAX, compressor_bits);
    Ok(DeflateParams {
        server_no_context_takeover: answer.server_no_context_takeover,
        // WS-PD-05: honoured whether offered or not.
        client_no_context_takeover: answer.client_no_context_takeover
            || offer.client_no_context_takeover,
        server_max_window_bits: answer.server_max_window_bits.unwrap_or(WINDOW_BITS_MAX),
        client_max_window_bits: client_bits.unwrap_or(WINDOW_BITS_MAX).min(promised_bits),
    })
}

fn is_answer_to(answer: &Written, client_bits: Option<u8>, offer: &DeflateOffer) -> bool {
    let window_kept = match offer.server_max_window_bits {
        Some(limit) => answer.server_max_window_bits.is_some_and(|bits| bits <= limit),
        None => true,
    };
    let window_allowed = match (client_bits, offer.client_max_window_bits) {
        (Some(bits), Some(limit)) => bits <= limit,
        (Some(_), None) => false,
        (None, _) => true,
    };
    let takeover_kept = answer.server_no_context_takeover || !offer.server_no_context_takeover;
    window_kept && window_allowed && takeover_kept
}

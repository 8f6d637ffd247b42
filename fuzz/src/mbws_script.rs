//! What the MBWS targets share: kinds and units from a script, frames from a script, and what a
//! frame says, whatever kind and unit it was written in.

use crate::script::Script;
use wharf_mbws::{
    Content, Frame, Kind, LengthUnit, Limits, MessageSink, decode, encode_acknowledge,
    encode_connect, encode_content, encode_message_header,
};

pub(crate) const KINDS: [Kind; 2] = [Kind::Text, Kind::Binary];
pub(crate) const UNITS: [LengthUnit; 3] =
    [LengthUnit::CodePoints, LengthUnit::Octets, LengthUnit::Utf16];

/// Limits that nothing passes.
pub(crate) const UNLIMITED: Limits = Limits {
    name_size_max_bytes: u32::MAX,
    address_count_max: u32::MAX,
    address_size_max_bytes: u32::MAX,
    property_count_max: u32::MAX,
    header_size_max_bytes: u32::MAX,
};

/// Limits that small inputs pass.
pub(crate) const TINY: Limits = Limits {
    name_size_max_bytes: 8,
    address_count_max: 2,
    address_size_max_bytes: 8,
    property_count_max: 2,
    header_size_max_bytes: 40,
};

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Connect { name: String, numbers: Vec<u64> },
    Acknowledge(u64),
    Message { addresses: Vec<String>, content: SaidContent },
}

/// What the content of a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SaidContent {
    content_type: String,
    properties: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Said {
    /// `None` for a Connect with more numbers than are kept.
    pub(crate) fn of(frame: &Frame<'_>) -> Option<Said> {
        Some(match frame {
            Frame::Connect { name, numbers } => {
                Said::Connect { name: (*name).to_owned(), numbers: numbers.as_slice()?.to_vec() }
            }
            Frame::Acknowledge(up_to) => Said::Acknowledge(*up_to),
            Frame::Message(message) => Said::Message {
                addresses: message.addresses.iter().map(str::to_owned).collect(),
                content: SaidContent::of(&message.content),
            },
        })
    }

    /// The frame. `None` when its body cannot be text.
    pub(crate) fn encode(&self, kind: Kind, unit: LengthUnit) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match self {
            Said::Connect { name, numbers } => encode_connect(kind, unit, name, numbers, &mut out),
            Said::Acknowledge(up_to) => encode_acknowledge(kind, *up_to, &mut out),
            Said::Message { addresses, content } => {
                let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
                encode_message_header(kind, unit, &addresses, &mut out);
                content.encode(kind, unit, &mut out)?;
            }
        }
        Some(out)
    }
}

impl SaidContent {
    pub(crate) fn of(content: &Content<'_>) -> SaidContent {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        SaidContent {
            content_type: content.content_type().to_owned(),
            properties: content.properties().map(own).collect(),
            body: content.body().to_vec(),
        }
    }

    /// Adds a property.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.properties.push((name.to_owned(), value.to_owned()));
    }

    fn encode(&self, kind: Kind, unit: LengthUnit, out: &mut Vec<u8>) -> Option<()> {
        let properties = self.properties.iter().map(|(name, value)| (&**name, &**value));
        encode_content(kind, unit, &self.content_type, properties, &self.body, out).ok()
    }
}

/// A frame that is mostly well-formed.
pub(crate) fn read_frame(script: &mut Script<'_>) -> Said {
    match script.byte() % 4 {
        0 => {
            let (name, count) = (script.text(), script.below(5));
            Said::Connect { name, numbers: (0..count).map(|_| script.number()).collect() }
        }
        1 => Said::Acknowledge(script.number()),
        _ => {
            let count = script.below(4);
            let addresses = (0..count).map(|_| script.text()).collect();
            Said::Message { addresses, content: read_content(script) }
        }
    }
}

/// The content of a message.
pub(crate) fn read_content(script: &mut Script<'_>) -> SaidContent {
    let (content_type, count) = (script.text(), script.below(4));
    let properties = (0..count).map(|_| (script.text(), script.text())).collect();
    SaidContent { content_type, properties, body: script.piece().to_vec() }
}

/// Keeps what an engine sends, and checks that the other side can read it.
#[derive(Debug)]
pub(crate) struct Sent {
    unit: LengthUnit,
    frames: Vec<Said>,
}

impl Sent {
    pub(crate) fn new(unit: LengthUnit) -> Sent {
        Sent { unit, frames: Vec::new() }
    }

    /// What was sent since the last call.
    pub(crate) fn take(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.frames)
    }
}

impl MessageSink for Sent {
    fn message(&mut self, kind: Kind, parts: &[&[u8]]) {
        let payload = parts.concat();
        let frame = decode(kind, self.unit, &payload, &UNLIMITED).expect("a frame was sent");
        self.frames.push(Said::of(&frame).expect("at most three numbers"));
    }
}

//! Helpers that make a test read like a trace.

#![allow(dead_code, unreachable_pub, reason = "each test uses some of these")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use wharf_ws::{
    Agreement, Compression, Config, Connection, DeflateParams, Event, Input, MessageKind, Role,
    Version,
};

/// The key of the examples in the texts.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Octets from text such as `81 05 48`.
pub fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|octet| u8::from_str_radix(octet, 16).unwrap()).collect()
}

/// A client's frame of versions 7, 8 and 13: `first` octet, masked payload, shortest length.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        size @ 0..=125 => frame.push(0x80 | u8::try_from(size).unwrap()),
        size @ 126..=65535 => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(size).unwrap().to_be_bytes());
        }
        size => {
            frame.push(0x80 | 127);
            frame.extend((size as u64).to_be_bytes());
        }
    }
    frame.extend(KEY);
    frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(octet, key)| octet ^ key));
    frame
}

pub fn close_body(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

pub fn agreement(version: Version, compression: Compression) -> Agreement {
    Agreement { version, subprotocol: None, compression }
}

pub fn deflate() -> Compression {
    Compression::PerMessage(DeflateParams::default())
}

/// A connection and a log of what it told and what it sent.
#[derive(Debug)]
pub struct Side {
    pub conn: Connection,
    /// One line for each event.
    pub log: Vec<String>,
    /// What it sent.
    pub out: Vec<u8>,
}

impl Side {
    pub fn new(role: Role, agreement: &Agreement, config: &Config) -> Side {
        let conn = Connection::new(role, config, agreement, [7; 32]);
        Side { conn, log: Vec::new(), out: Vec::new() }
    }

    pub fn server() -> Side {
        Side::new(Role::Server, &Agreement::default(), &Config::default())
    }

    pub fn client() -> Side {
        Side::new(Role::Client, &Agreement::default(), &Config::default())
    }

    pub fn of(role: Role, version: Version, compression: Compression) -> Side {
        Side::new(role, &agreement(version, compression), &Config::default())
    }

    /// Everything in one read; the events it gave.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<String> {
        let start = self.log.len();
        let mut bytes = bytes.to_vec();
        let mut input = Input::new(&mut bytes);
        self.drain(&mut input);
        assert!(input.is_empty(), "all input is consumed");
        self.log[start..].to_vec()
    }

    /// One octet at a time.
    pub fn trickle(&mut self, bytes: &[u8]) -> Vec<String> {
        bytes.iter().flat_map(|octet| self.read(&[*octet])).collect()
    }

    pub fn drain(&mut self, input: &mut Input<'_>) {
        while let Some(event) = self.conn.poll_event(input) {
            self.log.push(describe(&event));
            if matches!(event, Event::Ping(_)) {
                self.conn.poll_transmit(&mut self.out, usize::MAX);
            }
        }
        self.conn.poll_transmit(&mut self.out, usize::MAX);
    }

    /// What was sent since the last call.
    pub fn sent(&mut self) -> Vec<u8> {
        self.conn.poll_transmit(&mut self.out, usize::MAX);
        std::mem::take(&mut self.out)
    }

    pub fn send(&mut self, kind: MessageKind, payload: &[u8]) -> Vec<u8> {
        self.conn.send(kind, &[payload], &mut self.out).unwrap();
        self.sent()
    }
}

pub fn describe(event: &Event<'_>) -> String {
    match event {
        Event::Message { kind: MessageKind::Text, payload } => {
            format!("text {}", payload.as_text().unwrap())
        }
        Event::Message { kind: MessageKind::Binary, payload } => {
            format!("binary {:02x?}", &payload[..])
        }
        Event::Ping(payload) => format!("ping {:02x?}", &payload[..]),
        Event::Pong(payload) => format!("pong {:02x?}", &payload[..]),
        Event::Closed(closed) => format!(
            "closed by {:?}, {} {:?}{}",
            closed.by,
            closed.code,
            closed.reason,
            if closed.clean { ", clean" } else { "" }
        ),
    }
}

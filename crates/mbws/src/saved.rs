//! A client's connection as octets, so that an application can keep it across its own restart.
//!
//! Version 1, all integers base-128 and all strings and frames preceded by their octet count:
//! version, name, last message taken by the application, last message acknowledged by the server,
//! count of kept messages, then kind (0 text, 1 binary) and frame of each.

use std::fmt;

use crate::client::{Connection, Inbound, Options};
use crate::cursor::Cursor;
use crate::frame::push_integer;
use crate::integer::Integer;
use crate::window::{Retained, Window};
use crate::{Frame, Kind, LengthUnit, Limits, NUMBER_MAX, Violation, decode};

const VERSION: u64 = 1;

/// These octets are not what [`Connection::save`] wrote, with these options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSaved;

impl fmt::Display for NotSaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the saved state of a connection")
    }
}

impl std::error::Error for NotSaved {}

impl From<Violation> for NotSaved {
    fn from(_: Violation) -> Self {
        NotSaved
    }
}

impl Connection {
    /// Appends everything needed to recover this connection later: its name, the last message
    /// that the application acknowledged, and what the server has not acknowledged.
    ///
    /// To be exact, save in the same step as the effects of what was acknowledged.
    // MBWS-020, MBWS-021
    pub fn save(&self, out: &mut Vec<u8>) {
        push(VERSION, out);
        push_octets(self.name().unwrap_or_default().as_bytes(), out);
        push(self.inbound.taken(), out);
        push(self.window.acked(), out);
        push(self.window.iter().len() as u64, out);
        for message in self.window.iter() {
            push(u64::from(message.kind == Kind::Binary), out);
            push_octets(&message.frame, out);
        }
    }

    /// A connection as it was saved, without a session. The options must be those of the
    /// connection that was saved.
    ///
    /// # Errors
    /// The octets are not a saved connection.
    pub fn restore(options: Options, saved: &[u8]) -> Result<Self, NotSaved> {
        // Octet counts, whatever the unit of the connection.
        let mut cursor = Cursor::new(Kind::Binary, LengthUnit::Octets, saved);
        if cursor.integer()? != VERSION {
            return Err(NotSaved);
        }
        let name = cursor.string()?;
        let taken = cursor.integer()?;
        let acked = cursor.integer()?;
        let mut window = Window::starting_after(acked, options.window);
        for _ in 0..cursor.count(2)? {
            window.push(read_message(&mut cursor, &options)?);
        }
        cursor.end()?;
        if window.highest() > NUMBER_MAX || (name.is_empty() && (taken, acked) != (0, 0)) {
            return Err(NotSaved);
        }
        let mut connection = Connection::new(options);
        connection.name = (!name.is_empty()).then(|| name.into());
        connection.window = window;
        connection.inbound = Inbound::after(taken);
        Ok(connection)
    }
}

fn read_message(cursor: &mut Cursor<'_>, options: &Options) -> Result<Retained, NotSaved> {
    let kind = match cursor.integer()? {
        0 => Kind::Text,
        1 => Kind::Binary,
        _ => return Err(NotSaved),
    };
    let frame = cursor.octets()?;
    // Our own frames: what may be received does not bound them.
    match decode(kind, options.unit, frame, &Limits::NONE)? {
        Frame::Message(_) => Ok(Retained { kind, frame: frame.to_vec() }),
        Frame::Connect { .. } | Frame::Acknowledge(_) => Err(NotSaved),
    }
}

fn push(value: u64, out: &mut Vec<u8>) {
    push_integer(Integer::of(Kind::Binary, value), out);
}

fn push_octets(octets: &[u8], out: &mut Vec<u8>) {
    push_integer(Integer::of_len(Kind::Binary, octets.len()), out);
    out.extend_from_slice(octets);
}

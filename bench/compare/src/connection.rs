//! One connection of the generator.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::frame::{Exchange, Protocol};

/// Connects and, if asked, upgrades. The stream is still a blocking one.
pub fn open(address: SocketAddr, protocol: Protocol) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    if protocol == Protocol::WebSocket {
        upgrade(&mut stream, address)?;
    }
    Ok(stream)
}

fn upgrade(stream: &mut TcpStream, address: SocketAddr) -> io::Result<()> {
    write!(
        stream,
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )?;
    // One octet at a time, so that nothing behind the head is taken; not part of what is measured.
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet)?;
        head.push(octet[0]);
    }
    let accepted = head.starts_with(b"HTTP/1.1 101")
        && head.windows(28).any(|window| window == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    accepted
        .then_some(())
        .ok_or_else(|| io::Error::other(String::from_utf8_lossy(&head).into_owned()))
}

/// Sends one message on a blocking stream and compares the reply octet by octet.
pub fn exchange_once(stream: &mut TcpStream, exchange: &Exchange) -> io::Result<()> {
    stream.write_all(exchange.request_from(0, exchange.request_len()))?;
    let mut reply = vec![0; exchange.reply().len()];
    stream.read_exact(&mut reply)?;
    let same = reply == exchange.reply();
    same.then_some(()).ok_or_else(|| io::Error::other("the reply differs from what was sent"))
}

/// A connection that always has the same number of messages in flight.
#[derive(Debug)]
pub struct Pipeline {
    stream: mio::net::TcpStream,
    /// Octets sent so far; tells where in a message the next write begins.
    sent: u64,
    /// Octets that may be sent now.
    due: usize,
    /// Octets of an incomplete reply.
    partial: usize,
}

impl Pipeline {
    /// Takes over an open connection and makes room for `depth` messages; `drive` sends them.
    pub fn new(stream: TcpStream, exchange: &Exchange, depth: usize) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let stream = mio::net::TcpStream::from_std(stream);
        Ok(Self { stream, sent: 0, due: depth * exchange.request_len(), partial: 0 })
    }

    /// The stream, to be registered.
    pub fn stream(&mut self) -> &mut mio::net::TcpStream {
        &mut self.stream
    }

    /// Reads what is there, sends a message for each reply, and returns how many replies came.
    pub fn drive(&mut self, exchange: &Exchange, buffer: &mut [u8]) -> io::Result<u64> {
        let reply_len = exchange.reply().len();
        let mut replies = 0;
        loop {
            let drained = match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => {
                    self.partial += len;
                    len < buffer.len()
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => true,
                Err(error) => return Err(error),
            };
            let whole = self.partial / reply_len;
            self.partial %= reply_len;
            self.due += whole * exchange.request_len();
            replies += whole as u64;
            self.send(exchange)?;
            // A short read says that nothing is left: the next octet raises a new event.
            if drained {
                return Ok(replies);
            }
        }
    }

    fn send(&mut self, exchange: &Exchange) -> io::Result<()> {
        while self.due > 0 {
            match self.stream.write(exchange.request_from(self.sent, self.due)) {
                Ok(len) => {
                    self.sent += len as u64;
                    self.due -= len;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

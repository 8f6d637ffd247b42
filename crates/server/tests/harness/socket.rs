//! A WebSocket in the client's hand: text frames, masked with zeros.

use super::{Broker, LOGIN, MBWS, handshake, read_head, status};
use std::io::{Read, Write};
use std::net::TcpStream;

pub(crate) struct Socket(TcpStream);

/// One frame of the broker.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Frame {
    Text(String),
    Close(u16),
}

impl Socket {
    /// Logs in as `ada` and speaks MBWS; `path` begins with `/ws`.
    pub(crate) fn open(broker: &Broker, path: &str) -> Self {
        Self::open_with(broker, path, "")
    }

    /// The same, as a page of this origin.
    pub(crate) fn open_from(broker: &Broker, origin: &str) -> Self {
        Self::open_with(broker, "/ws", &format!("Origin: {origin}\r\n"))
    }

    fn open_with(broker: &Broker, path: &str, extra: &str) -> Self {
        Self::request(broker, &handshake(path, &format!("{LOGIN}{MBWS}{extra}")))
    }

    /// The same, of this virtual host.
    pub(crate) fn open_at(broker: &Broker, host: &str, path: &str) -> Self {
        let request = handshake(path, &format!("{LOGIN}{MBWS}"));
        Self::request(broker, &request.replace("broker.example", host))
    }

    fn request(broker: &Broker, request: &str) -> Self {
        let mut stream = broker.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let head = read_head(&mut stream);
        assert_eq!(status(&head), 101, "{head}");
        Self(stream)
    }

    /// Sends the handshake and these messages in writes of so many bytes, waiting for nothing.
    pub(crate) fn open_in_pieces(broker: &Broker, piece_bytes: usize, texts: &[&str]) -> Self {
        let mut stream = broker.connect();
        stream.set_nodelay(true).unwrap();
        let mut bytes = handshake("/ws", &format!("{LOGIN}{MBWS}")).into_bytes();
        bytes.extend(texts.iter().flat_map(|text| frame(0x81, text.as_bytes())));
        for piece in bytes.chunks(piece_bytes.min(bytes.len())) {
            stream.write_all(piece).unwrap();
        }
        let head = read_head(&mut stream);
        assert_eq!(status(&head), 101, "{head}");
        Self(stream)
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.0.write_all(&frame(0x81, text.as_bytes())).unwrap();
    }

    /// Sends several messages in one write.
    pub(crate) fn send_all(&mut self, texts: &[String]) {
        let frames: Vec<u8> = texts.iter().flat_map(|t| frame(0x81, t.as_bytes())).collect();
        self.0.write_all(&frames).unwrap();
    }

    pub(crate) fn close(&mut self, code: u16) {
        self.0.write_all(&frame(0x88, &code.to_be_bytes())).unwrap();
    }

    /// The next frame; pings are passed over.
    pub(crate) fn next(&mut self) -> Frame {
        loop {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).unwrap();
            assert_eq!(head[1] & 0x80, 0, "a server does not mask");
            let len = match head[1] {
                126 => {
                    let mut long = [0; 2];
                    self.0.read_exact(&mut long).unwrap();
                    usize::from(u16::from_be_bytes(long))
                }
                short => usize::from(short),
            };
            let mut payload = vec![0; len];
            self.0.read_exact(&mut payload).unwrap();
            match head[0] {
                0x81 => return Frame::Text(String::from_utf8(payload).unwrap()),
                0x88 => return Frame::Close(u16::from_be_bytes([payload[0], payload[1]])),
                0x89 => {}
                other => panic!("frame {other:#x} with {payload:?}"),
            }
        }
    }

    /// The next frame, which is text.
    pub(crate) fn text(&mut self) -> String {
        match self.next() {
            Frame::Text(text) => text,
            Frame::Close(code) => panic!("closed with {code}"),
        }
    }

    /// The opcode of the next frame, which is short.
    pub(crate) fn next_opcode(&mut self) -> u8 {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).unwrap();
        self.0.read_exact(&mut vec![0; usize::from(head[1])]).unwrap();
        head[0] & 0x0f
    }

    /// Sends as much as the broker takes; how many of its messages are acknowledged before it ends
    /// the connection, or all.
    pub(crate) fn send_and_count(mut self, messages: Vec<String>) -> u64 {
        let wanted = messages.len() as u64;
        let mut sending = Self(self.0.try_clone().unwrap());
        let sender = std::thread::spawn(move || {
            messages.iter().all(|m| sending.0.write_all(&frame(0x81, m.as_bytes())).is_ok())
        });
        let mut acknowledged = 0;
        while acknowledged < wanted {
            let mut head = [0; 2];
            let mut payload = [0; 125];
            let read = self
                .0
                .read_exact(&mut head)
                .and_then(|()| self.0.read_exact(&mut payload[..usize::from(head[1] & 0x7f)]));
            if read.is_err() {
                break;
            }
            let text = String::from_utf8_lossy(&payload[..usize::from(head[1])]).into_owned();
            if let Some(number) = text.strip_prefix("2 ") {
                acknowledged = number.trim().parse().unwrap();
            }
        }
        sender.join().unwrap();
        acknowledged
    }

    /// Nothing more comes: the broker has closed the connection.
    pub(crate) fn ends(mut self) -> bool {
        matches!(self.0.read(&mut [0; 1]), Ok(0) | Err(_))
    }
}

pub(crate) fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![opcode];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | len as u8),
        len => {
            frame.push(0x80 | 126);
            frame.extend((len as u16).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// A new connection; its name (MBWS-010, MBWS-011).
pub(crate) fn connect(socket: &mut Socket) -> String {
    socket.send("1 0 0 ");
    let answer = socket.text();
    let (len, rest) = answer.strip_prefix("1 ").unwrap().split_once(' ').unwrap();
    let (name, numbers) = rest.split_at(len.parse().unwrap());
    assert_eq!(numbers, "0 ", "{answer}");
    name.to_owned()
}

/// A message in the text syntax (MBWS-115).
pub(crate) fn message(address: &str, body: &str) -> String {
    format!("3 1 {} {address}10 text/plain0 {body}", address.len())
}

/// Reads until the broker has acknowledged message `seq`; the messages that came meanwhile.
pub(crate) fn until_acknowledged(socket: &mut Socket, seq: u64) -> Vec<String> {
    let mut messages = Vec::new();
    loop {
        let text = socket.text();
        match text.strip_prefix("2 ") {
            Some(number) if number.trim().parse::<u64>().unwrap() == seq => return messages,
            Some(_) => {}
            None => messages.push(text),
        }
    }
}

//! TCP echo over epoll: the floor that no server on sockets goes below.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};

use compare::Settings;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};

const READ_SIZE_BYTES: usize = 512 * 1024;
const LISTENER: Token = Token(usize::MAX);

struct Echo {
    stream: TcpStream,
    /// What the socket did not take; nothing is read while there is any.
    unsent: Vec<u8>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut listener = TcpListener::bind(Settings::from_args().address.parse()?)?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut echoes = HashMap::new();
    let mut next = 0;
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; READ_SIZE_BYTES];
    loop {
        match poll.poll(&mut events, None) {
            // A tracer has attached.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        for event in &events {
            let token = event.token();
            if token == LISTENER {
                accept(&listener, poll.registry(), &mut echoes, &mut next)?;
            } else if let Some(echo) = echoes.get_mut(&token)
                && !matches!(echo.drive(&mut buffer), Ok(()))
            {
                echoes.remove(&token);
            }
        }
    }
}

fn accept(
    listener: &TcpListener,
    registry: &Registry,
    echoes: &mut HashMap<Token, Echo>,
    next: &mut usize,
) -> io::Result<()> {
    while let Ok((mut stream, _)) = listener.accept() {
        stream.set_nodelay(true)?;
        let token = Token(*next);
        *next += 1;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        echoes.insert(token, Echo { stream, unsent: Vec::new() });
    }
    Ok(())
}

impl Echo {
    fn drive(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        loop {
            let unsent = std::mem::take(&mut self.unsent);
            if !self.write(&unsent)? {
                return Ok(());
            }
            match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => {
                    if !self.write(&buffer[..len])? || len < buffer.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the socket took it all; the rest is kept.
    fn write(&mut self, mut octets: &[u8]) -> io::Result<bool> {
        while !octets.is_empty() {
            match self.stream.write(octets) {
                Ok(len) => octets = &octets[len..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.unsent = octets.to_vec();
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

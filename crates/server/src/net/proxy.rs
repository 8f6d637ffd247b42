//! The PROXY protocol, versions 1 and 2: what a proxy says of a client before anything else of the
//! connection, TLS included. Expected of the proxies that are named, and then never missing; read
//! from nobody else, who could say anything.

use ppp::{v1, v2};
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt};

/// What a version 2 header begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Octets of a version 2 header before its addresses.
const FIXED_BYTES: usize = 16;

/// Largest rest of a version 2 header: addresses, and a few things about TLS.
const REST_MAX_BYTES: usize = 2048;

/// Longest version 1 header, as its text says.
const LINE_MAX_BYTES: usize = 107;

/// What is known of a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Client {
    /// Its address; `None` if the proxy speaks for itself, as for a health check.
    pub(super) address: Option<SocketAddr>,
    /// It speaks TLS with the proxy.
    pub(super) secure: bool,
}

/// Reads a header, and not one octet more.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Client> {
    let mut header = vec![0; SIGNATURE.len()];
    stream.read_exact(&mut header).await?;
    if header == SIGNATURE {
        header.resize(FIXED_BYTES, 0);
        stream.read_exact(&mut header[SIGNATURE.len()..]).await?;
        let rest = usize::from(u16::from_be_bytes([header[14], header[15]]));
        if rest > REST_MAX_BYTES {
            return Err(wrong("longer than 2,048 octets"));
        }
        header.resize(FIXED_BYTES + rest, 0);
        stream.read_exact(&mut header[FIXED_BYTES..]).await?;
        return of_v2(&header);
    }
    if !header.starts_with(b"PROXY ") {
        return Err(wrong("no header of the PROXY protocol"));
    }
    // One octet at a time: what comes behind the line is the client's.
    while !header.ends_with(b"\r\n") {
        if header.len() >= LINE_MAX_BYTES {
            return Err(wrong("longer than 107 octets"));
        }
        header.push(stream.read_u8().await?);
    }
    of_v1(&header)
}

fn of_v1(header: &[u8]) -> io::Result<Client> {
    let header = v1::Header::try_from(header).map_err(|error| wrong(&error.to_string()))?;
    let address = match header.addresses {
        v1::Addresses::Unknown => None,
        v1::Addresses::Tcp4(it) => Some((it.source_address, it.source_port).into()),
        v1::Addresses::Tcp6(it) => Some((it.source_address, it.source_port).into()),
    };
    Ok(Client { address, secure: false })
}

fn of_v2(header: &[u8]) -> io::Result<Client> {
    let header = v2::Header::try_from(header).map_err(|error| wrong(&error.to_string()))?;
    if header.command == v2::Command::Local {
        return Ok(Client { address: None, secure: false });
    }
    let address = match header.addresses {
        v2::Addresses::IPv4(it) => Some((it.source_address, it.source_port).into()),
        v2::Addresses::IPv6(it) => Some((it.source_address, it.source_port).into()),
        v2::Addresses::Unspecified | v2::Addresses::Unix(_) => None,
    };
    // PP2_TYPE_SSL: its first octet says by PP2_CLIENT_SSL that the client has come on TLS.
    let tls = |it: &v2::TypeLengthValue<'_>| {
        it.kind == v2::Type::SSL as u8 && it.value.first().is_some_and(|bits| bits & 1 == 1)
    };
    let secure = header.tlvs().filter_map(Result::ok).any(|it| tls(&it));
    Ok(Client { address, secure })
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::{Client, read};
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt;

    /// What a header says, and what is left behind it.
    fn outcome(mut octets: &[u8]) -> Result<(Client, Vec<u8>), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let client = read(&mut octets).await.map_err(|error| error.to_string())?;
            let mut rest = Vec::new();
            octets.read_to_end(&mut rest).await.unwrap();
            Ok((client, rest))
        })
    }

    fn client(address: Option<&str>, secure: bool) -> Client {
        Client { address: address.map(|it| it.parse().unwrap()), secure }
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [super::SIGNATURE, &[0x20 | command, family][..], &length, rest, b"GET"].concat()
    }

    #[test]
    fn a_header_says_who_has_come() {
        let four = [192, 0, 2, 7, 10, 0, 0, 1, 0x12, 0x34, 0x01, 0xbb];
        let six: Vec<u8> = [&[0x20, 1][..], &[0; 13], &[7], &[0; 16], &[0, 80, 1, 187]].concat();
        let tls = [&four[..], &[0x20, 0, 5, 1, 0, 0, 0, 0]].concat();
        let no_tls = [&four[..], &[0x20, 0, 5, 0, 0, 0, 0, 0]].concat();
        let v1 = |line: &str| format!("PROXY {line}\r\nGET").into_bytes();
        for (octets, said) in [
            (v1("TCP4 192.0.2.7 10.0.0.1 4660 443"), client(Some("192.0.2.7:4660"), false)),
            (v1("TCP6 2001::7 ::1 80 443"), client(Some("[2001::7]:80"), false)),
            (v1("UNKNOWN"), client(None, false)),
            (v1("UNKNOWN ffff:f::1 ffff:f::2 65535 65535"), client(None, false)),
            (v2(1, 0x11, &four), client(Some("192.0.2.7:4660"), false)),
            (v2(1, 0x21, &six), client(Some("[2001::7]:80"), false)),
            (v2(1, 0x11, &tls), client(Some("192.0.2.7:4660"), true)),
            (v2(1, 0x11, &no_tls), client(Some("192.0.2.7:4660"), false)),
            (v2(0, 0x11, &four), client(None, false)),
            (v2(0, 0, b""), client(None, false)),
        ] {
            assert_eq!(outcome(&octets), Ok((said, b"GET".to_vec())), "{octets:?}");
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for (octets, said) in [
            (b"GET / HTTP/1.1\r\n".to_vec(), "no header"),
            (b"PROXY TCP4 ".repeat(10), "longer than 107"),
            (b"PROXY TCP4 1.2.3.4 x 1 2\r\n".to_vec(), ""),
            (v2(1, 0x11, &[1, 2]), ""),
            (v2(2, 0x11, &[0; 12]), ""),
            (v2(1, 0x11, &[0; 2049]), "longer than 2,048"),
            (b"PROX".to_vec(), "early eof"),
        ] {
            let refused = outcome(&octets).expect_err("no header");
            assert!(refused.contains(said), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(rest in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = outcome(&v2(1, 0x11, &rest));
            let _ = outcome(&[b"PROXY ", &rest[..], b"\r\n"].concat());
            let _ = outcome(&rest);
        }
    }
}

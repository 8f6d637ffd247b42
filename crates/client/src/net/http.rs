//! One request by HTTP, and its answer: what a client asks beside its connection.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::tls;
use crate::{Error, Tls};

/// A request.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Its method.
    pub method: &'static str,
    /// Header fields besides `Host`.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Bytes,
    /// Longest answer that is read, in bytes.
    pub answer_max_bytes: usize,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// `ETag`, if there is one.
    pub etag: Option<String>,
    /// Its body.
    pub body: Bytes,
}

/// Asks a server at an `http` or `https` URL. No redirect is followed.
///
/// # Errors
/// The URL is none of these; the server cannot be reached, or trusted; what it says is no HTTP, or
/// too long.
pub async fn ask(url: &str, tls: &Tls, ask: Ask) -> Result<Answer, Error> {
    let wrong = || invalid("expected http:// or https:// and a host");
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(at);
    let default_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return Err(wrong()),
    };
    let (host, port) = split(authority, default_port).ok_or_else(wrong)?;
    let target = if target.is_empty() { "/" } else { target };
    let tcp = TcpStream::connect((host, port)).await?;
    if scheme == "http" {
        return exchange(tcp, authority, target, ask).await;
    }
    let stream = tls::handshake(tcp, host, &tls::configure(tls)?).await?;
    exchange(stream, authority, target, ask).await
}

fn invalid(what: &str) -> Error {
    io::Error::new(io::ErrorKind::InvalidInput, what).into()
}

/// Host and port; an IPv6 address without its brackets.
fn split(authority: &str, default_port: u16) -> Option<(&str, u16)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        let port =
            if port.is_empty() { Some(default_port) } else { port.strip_prefix(':')?.parse().ok() };
        return Some((host, port?));
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, default_port),
    };
    (!host.is_empty() && !host.contains('@')).then_some((host, port))
}

async fn exchange<S>(stream: S, authority: &str, target: &str, ask: Ask) -> Result<Answer, Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let wrong = |error: hyper::Error| Error::from(io::Error::other(error));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(wrong)?;
    let driving = tokio::spawn(connection);
    let mut request = Request::builder().method(ask.method).uri(target).header(HOST, authority);
    for (name, value) in ask.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(ask.body));
    let request = request.map_err(|error| invalid(&error.to_string()))?;
    let answer = sender.send_request(request).await.map_err(wrong)?;
    let status = answer.status().as_u16();
    let etag = answer.headers().get("etag").and_then(|it| it.to_str().ok()).map(str::to_owned);
    let body = Limited::new(answer.into_body(), ask.answer_max_bytes).collect().await;
    driving.abort();
    let body = body.map_err(|error| Error::from(io::Error::other(error)))?.to_bytes();
    Ok(Answer { status, etag, body })
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn authorities() {
        assert_eq!(split("a", 80), Some(("a", 80)));
        assert_eq!(split("a:1", 80), Some(("a", 1)));
        assert_eq!(split("[::1]", 80), Some(("::1", 80)));
        assert_eq!(split("[::1]:1", 80), Some(("::1", 1)));
        for wrong in ["", ":1", "a:x", "[::1", "[::1]x", "u@a"] {
            assert_eq!(split(wrong, 80), None, "{wrong}");
        }
    }
}

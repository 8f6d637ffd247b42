//! The adapter's own promises: one write per burst, back-pressure, cancelled futures, lost
//! transports, deadlines, small futures.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod wire;

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use wharf_ws::handshake::client::Offer;
use wharf_ws::handshake::server::Policy;
use wharf_ws::handshake::{DeflateOffer, DeflatePolicy};
use wharf_ws::tokio::{
    AcceptError, ConnectError, Handler, Message, Opened, Outbox, SendError, WebSocket, accept,
    accept_with, connect, serve, upgrade,
};
use wharf_ws::{
    Agreement, CloseCode, ClosedBy, Compression, Config, Connection, MessageKind, Misuse, Payload,
    Role, Version, Versions,
};
use wire::{close_body, hex, masked};

fn opened<S>(stream: S, role: Role) -> Opened<S> {
    Opened { stream, role, agreement: Agreement::default(), early: Vec::new() }
}

fn echo(kind: MessageKind, payload: Payload<'_>, out: &mut Outbox<'_>) {
    let _ = out.send(kind, &payload);
}

/// Counts the calls that would be system calls.
#[derive(Debug)]
struct Counted<S> {
    stream: S,
    calls: Arc<Mutex<(usize, usize)>>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.calls.lock().unwrap().0 += usize::from(result.is_ready());
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.calls.lock().unwrap().1 += 1;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn a_burst_is_one_read_and_one_write() {
    let (mut peer, stream) = duplex(1 << 20);
    let calls = Arc::new(Mutex::new((0, 0)));
    let stream = Counted { stream, calls: calls.clone() };
    let burst = masked(0x82, b"sixteen octets..").repeat(1000);
    peer.write_all(&burst).await.unwrap();
    let server =
        tokio::spawn(async { serve(opened(stream, Role::Server), &Config::default(), echo).await });
    let mut answer = vec![0; 1000 * 18];
    peer.read_exact(&mut answer).await.unwrap();
    assert_eq!(*calls.lock().unwrap(), (1, 1));
    // A Ping among them changes nothing.
    peer.write_all(&[masked(0x89, b""), masked(0x82, b"")].concat()).await.unwrap();
    peer.read_exact(&mut [0; 4]).await.unwrap();
    assert_eq!(*calls.lock().unwrap(), (2, 2));
    drop(peer);
    assert_eq!(server.await.unwrap().by, ClosedBy::Transport);
}

#[tokio::test]
async fn frames_cut_by_reads_are_whole_to_the_handler() {
    let (mut peer, stream) = duplex(1000);
    let server =
        tokio::spawn(async { serve(opened(stream, Role::Server), &Config::default(), echo).await });
    for size in [1, 900, 5_000, 70_000, 300_000] {
        let frame = masked(0x82, &vec![0x2a; size]);
        let (mut read, mut write) = tokio::io::split(&mut peer);
        let mut answer = vec![0; frame.len() - 4];
        let (sent, got) = tokio::join!(write.write_all(&frame), read.read_exact(&mut answer));
        sent.unwrap();
        got.unwrap();
        assert!(answer[answer.len() - size..].iter().all(|octet| *octet == 0x2a));
    }
    drop(peer);
    server.await.unwrap();
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_not_read_from() {
    // Each message asks for a megabyte; nobody takes it.
    let (mut peer, stream) = duplex(64 * 1024);
    let served = Arc::new(Mutex::new(0_usize));
    let count = served.clone();
    let flood = move |kind: MessageKind, _: Payload<'_>, out: &mut Outbox<'_>| {
        *count.lock().unwrap() += 1;
        out.send(kind, &vec![0; 1 << 20]).unwrap();
    };
    let server = tokio::spawn(async move {
        serve(opened(stream, Role::Server), &Config::default(), flood).await
    });
    let requests = masked(0x82, b"").repeat(100);
    peer.write_all(&requests).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*served.lock().unwrap(), 1);
    // Everything comes once it is read, in order.
    let mut answer = vec![0; 10 + (1 << 20)];
    for _ in 0..100 {
        peer.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer[..10], hex("82 7f 00 00 00 00 00 10 00 00"));
    }
    peer.write_all(&masked(0x88, &close_body(1000, ""))).await.unwrap();
    peer.read_exact(&mut [0; 4]).await.unwrap();
    assert_eq!(peer.read(&mut [0]).await.unwrap(), 0, "the server closes first");
    drop(peer);
    assert!(server.await.unwrap().clean);
}

#[tokio::test]
async fn a_handler_sends_on_its_own() {
    struct Ticker(tokio::sync::mpsc::Receiver<String>);
    impl Handler for Ticker {
        fn message(&mut self, _: MessageKind, _: Payload<'_>, _: &mut Outbox<'_>) {}
        fn poll(&mut self, cx: &mut Context<'_>, out: &mut Outbox<'_>) {
            while let Poll::Ready(tick) = self.0.poll_recv(cx) {
                match tick {
                    Some(tick) => out.send(MessageKind::Text, tick.as_bytes()).unwrap(),
                    None => {
                        let _ = out.close(CloseCode::GOING_AWAY, "");
                        return;
                    }
                }
            }
        }
    }
    let (a, b) = duplex(1000);
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let server = tokio::spawn(async move {
        serve(opened(a, Role::Server), &Config::default(), Ticker(receiver)).await
    });
    let mut client = WebSocket::new(opened(b, Role::Client), &Config::default());
    for tick in ["one", "two"] {
        sender.send(tick.to_owned()).await.unwrap();
        assert_eq!(client.recv().await, Some(Message::from(tick)));
    }
    drop(sender);
    assert_eq!(client.recv().await, None);
    let closed = client.closed().unwrap();
    assert_eq!((closed.by, closed.code), (ClosedBy::Peer, CloseCode::GOING_AWAY));
    drop(client);
    assert_eq!(server.await.unwrap().by, ClosedBy::Us);
}

#[tokio::test]
async fn futures_may_be_dropped() {
    let (a, b) = duplex(64);
    let mut client = WebSocket::new(opened(a, Role::Client), &Config::default());
    let mut server = WebSocket::new(opened(b, Role::Server), &Config::default());
    // A send that cannot finish, dropped again and again: the message is sent once.
    let message = Message::Binary(vec![9; 1000]);
    {
        let send = client.send(message.clone());
        tokio::pin!(send);
        assert!(futures_util::poll!(&mut send).is_pending());
    }
    assert!(futures_util::poll!(Box::pin(client.flush())).is_pending());
    // A recv that sees half a message and is dropped.
    assert!(futures_util::poll!(Box::pin(server.recv())).is_pending());
    let (got, flushed) = tokio::join!(server.recv(), client.flush());
    assert_eq!((got, flushed), (Some(message), Ok(())));
    // Two messages in one read: the second outlives the first future.
    client.feed(&Message::from("1")).unwrap();
    client.feed(&Message::from("2")).unwrap();
    client.flush().await.unwrap();
    assert_eq!(server.recv().await, Some(Message::from("1")));
    assert_eq!(server.recv().await, Some(Message::from("2")));
}

#[tokio::test]
async fn sending_after_the_end() {
    let (a, b) = duplex(64);
    let mut client = WebSocket::new(opened(a, Role::Client), &Config::default());
    drop(b);
    let result = client.send(Message::from("anyone?")).await;
    assert_eq!(result, Err(SendError::Closed));
    assert_eq!(client.recv().await, None);
    assert_eq!(client.closed().unwrap().by, ClosedBy::Transport);
    let refused = client.send(Message::from("anyone?")).await;
    assert_eq!(refused, Err(SendError::Misuse(Misuse::Closed)));
    // And again: the end stays the end.
    assert_eq!(client.recv().await, None);
}

#[tokio::test]
async fn a_reset_in_the_middle_of_an_answer_ends_one_connection() {
    // The peer asks for more than fits, and goes without reading: no signal, no panic.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let peer = tokio::spawn(async move {
        let mut peer = tokio::net::TcpStream::connect(address).await.unwrap();
        peer.write_all(&masked(0x82, &vec![0; 8 << 20])).await.unwrap();
    });
    let (stream, _) = listener.accept().await.unwrap();
    let closed = serve(opened(stream, Role::Server), &Config::default(), echo).await;
    assert_eq!((closed.by, closed.code), (ClosedBy::Transport, CloseCode::ABNORMAL));
    peer.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn deadlines_hold_while_writing_is_blocked() {
    let (mut peer, stream) = duplex(64);
    let config = Config {
        ping_interval: Some(Duration::from_secs(30)),
        pong_timeout: Duration::from_secs(10),
        ..Config::default()
    };
    peer.write_all(&masked(0x82, &[0; 40])).await.unwrap();
    let server = tokio::spawn(async move {
        let start = tokio::time::Instant::now();
        let flood = |kind: MessageKind, _: Payload<'_>, out: &mut Outbox<'_>| {
            out.send(kind, &vec![0; 1 << 20]).unwrap();
        };
        let closed = serve(opened(stream, Role::Server), &config, flood).await;
        (closed.by, start.elapsed())
    });
    let (by, after) = server.await.unwrap();
    assert_eq!(by, ClosedBy::PongTimeout);
    // Heard at first, then an interval and a timeout of silence.
    assert_eq!(after.as_secs(), 30 + 30 + 10);
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_not_answered() {
    let (peer, stream) = duplex(1000);
    let mut client = WebSocket::new(opened(stream, Role::Client), &Config::default());
    client.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(client.closed().unwrap().by, ClosedBy::CloseTimeout);
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn a_close_that_came_from_nowhere_has_its_deadline() {
    struct Closer;
    impl Handler for Closer {
        fn message(&mut self, _: MessageKind, _: Payload<'_>, _: &mut Outbox<'_>) {}
        fn poll(&mut self, _: &mut Context<'_>, out: &mut Outbox<'_>) {
            let _ = out.close(CloseCode::RESTART, "");
        }
    }
    let (peer, stream) = duplex(1000);
    // A task of its own is only polled when it is woken.
    let server = tokio::spawn(async move {
        serve(opened(stream, Role::Server), &Config::default(), Closer).await
    });
    let limit = Duration::from_secs(60);
    let closed = tokio::time::timeout(limit, server).await.unwrap().unwrap();
    assert_eq!(closed.by, ClosedBy::CloseTimeout);
    drop(peer);
}

async fn request(text: &str) -> (Result<Opened<DuplexStream>, AcceptError>, String) {
    let (mut peer, stream) = duplex(10_000);
    peer.write_all(text.as_bytes()).await.unwrap();
    let result = accept_with(stream, &Policy::default(), |request| {
        if request.target == "/chat" {
            Ok(())
        } else {
            // WS-HS-13.
            Err(wharf_ws::handshake::Refusal::with_status(404))
        }
    })
    .await;
    let mut answer = vec![0; 10_000];
    let size = peer.read(&mut answer).await.unwrap();
    answer.truncate(size);
    (result, String::from_utf8(answer).unwrap())
}

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

#[tokio::test]
async fn accepting_and_refusing() {
    // WS-HS-19, WS-A05: what follows the request is frames.
    let (result, answer) = request(&format!("{REQUEST}\u{1}\u{1}")).await;
    assert!(answer.contains("101") && answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(result.unwrap().early, [1, 1]);
    let (result, answer) = request(&REQUEST.replace("/chat", "/other")).await;
    assert!(matches!(result, Err(AcceptError::Refused(_))));
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    let (result, answer) = request("GET\r\n\r\n").await;
    assert!(matches!(result, Err(AcceptError::Refused(_))));
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn handshakes_end_in_time() {
    let (peer, stream) = duplex(1000);
    let result = accept(stream, &Policy::default()).await;
    assert!(matches!(result, Err(AcceptError::Timeout)));
    drop(peer);
    let (peer, stream) = duplex(1000);
    let result = upgrade(stream, Offer::new("ws://localhost/".parse().unwrap())).await;
    assert!(matches!(result, Err(ConnectError::Timeout)));
    drop(peer);
}

#[tokio::test]
async fn nothing_goes_out_in_clear_for_wss() {
    // WS-HC-05.
    let offer = Offer::new("wss://localhost/".parse().unwrap());
    assert!(matches!(connect(offer, &Config::default()).await, Err(ConnectError::Tls)));
}

/// Handshake and frames together, both sides ours.
async fn converse(version: Version, deflate_stream: bool, deflate: bool) {
    let (a, b) = duplex(1000);
    let policy = Policy {
        versions: Versions::WITH_INTERIM,
        deflate: deflate.then(DeflatePolicy::default),
        deflate_stream,
        ..Policy::default()
    };
    let server = tokio::spawn(async move {
        let opened = accept(a, &policy).await.unwrap();
        let compression = opened.agreement.compression;
        (serve(opened, &Config::default(), echo).await, compression)
    });
    let offer = Offer {
        version,
        deflate_stream,
        deflate: deflate.then(DeflateOffer::default).into_iter().collect(),
        ..Offer::new("ws://localhost/".parse().unwrap())
    };
    let opened = upgrade(b, offer).await.unwrap();
    assert_eq!(opened.agreement.version, version);
    let compression = opened.agreement.compression;
    assert_eq!(compression == Compression::Stream, deflate_stream);
    assert_eq!(matches!(compression, Compression::PerMessage(_)), deflate);
    let mut client = WebSocket::new(opened, &Config::default());
    for size in [0, 10, 1000, 20_000] {
        let message = Message::Text("κόσμε".repeat(size));
        // More than the pipe holds, so both directions have to move.
        client.feed(&message).unwrap();
        assert_eq!(client.recv().await, Some(message));
    }
    client.close(CloseCode::NORMAL, "").await.unwrap();
    assert!(client.closed().unwrap().clean);
    drop(client);
    let (closed, theirs) = server.await.unwrap();
    assert!(closed.clean);
    assert_eq!(theirs, compression);
}

#[tokio::test]
async fn every_version_and_compression_end_to_end() {
    // HYBI-005, HYBI-090, HYBI-094.
    converse(Version::Rfc6455, false, false).await;
    converse(Version::Rfc6455, false, true).await;
    for version in [Version::Draft8, Version::Draft7, Version::Draft6] {
        converse(version, false, false).await;
        converse(version, true, false).await;
    }
}

#[test]
fn an_idle_connection_is_small() {
    assert!(size_of::<Connection>() <= 400, "{}", size_of::<Connection>());
    let (_peer, stream) = duplex(1);
    let config = Config::default();
    let future = async move {
        let policy = Policy::default();
        if let Ok(opened) = accept(stream, &policy).await {
            serve(opened, &config, echo).await;
        }
    };
    assert!(size_of_val(&future) <= 1200, "{}", size_of_val(&future));
}

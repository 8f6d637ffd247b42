//! The adapter against another implementation, in both directions.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as OracleCode;
use tokio_tungstenite::tungstenite::{self, Message as Oracle};
use tokio_tungstenite::{accept_async, client_async};
use wharf_ws::handshake::DeflateOffer;
use wharf_ws::handshake::client::Offer;
use wharf_ws::handshake::server::Policy;
use wharf_ws::tokio::{Message, Outbox, WebSocket, accept, connect, serve};
use wharf_ws::{CloseCode, Closed, ClosedBy, Config, MessageKind, Payload};

fn echo(kind: MessageKind, payload: Payload<'_>, out: &mut Outbox<'_>) {
    out.send(kind, &payload).unwrap();
}

/// An echo server for one connection.
async fn echo_server() -> (String, tokio::task::JoinHandle<Closed>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ws://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let opened = accept(stream, &Policy::default()).await.unwrap();
        serve(opened, &Config::default(), echo).await
    });
    (uri, server)
}

#[tokio::test]
async fn oracle_client() {
    let (uri, server) = echo_server().await;
    let stream = TcpStream::connect(uri.trim_start_matches("ws://").trim_end_matches('/')).await;
    let (mut client, _) = client_async(&uri, stream.unwrap()).await.unwrap();
    let mut sent = Vec::new();
    for size in [0, 1, 125, 126, 65_535, 65_536, 1_000_000] {
        sent.push(Oracle::binary(vec![0x5a; size]));
        sent.push(Oracle::text("é".repeat(size / 2)));
    }
    for message in &sent {
        client.feed(message.clone()).await.unwrap();
        client.flush().await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), *message);
    }
    client.send(Oracle::Ping(vec![1, 2, 3].into())).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Oracle::Pong(vec![1, 2, 3].into()));
    client.close(None).await.unwrap();
    while let Some(Ok(_)) = client.next().await {}
    drop(client);
    let closed = server.await.unwrap();
    assert_eq!((closed.by, closed.code, closed.clean), (ClosedBy::Peer, CloseCode::NO_CODE, true));
}

#[tokio::test]
async fn oracle_client_pipelines() {
    let (uri, server) = echo_server().await;
    let stream = TcpStream::connect(uri.trim_start_matches("ws://").trim_end_matches('/')).await;
    let (client, _) = client_async(&uri, stream.unwrap()).await.unwrap();
    let (mut sink, mut source) = client.split();
    let messages: Vec<Oracle> =
        (0..3000).map(|size| Oracle::binary(vec![size as u8; size * 7 % 20_000])).collect();
    let sent = messages.clone();
    let writer = tokio::spawn(async move {
        for message in sent {
            sink.feed(message).await.unwrap();
        }
        sink.flush().await.unwrap();
        sink
    });
    for message in &messages {
        assert_eq!(source.next().await.unwrap().unwrap(), *message);
    }
    let mut client = writer.await.unwrap().reunite(source).unwrap();
    client.close(None).await.unwrap();
    while let Some(Ok(_)) = client.next().await {}
    drop(client);
    assert!(server.await.unwrap().clean);
}

#[tokio::test]
async fn oracle_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ws://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        let (mut count, mut code) = (0, None);
        while let Some(Ok(message)) = socket.next().await {
            match message {
                Oracle::Close(frame) => code = frame.map(|frame| frame.code),
                message if message.is_text() || message.is_binary() => {
                    count += 1;
                    socket.send(message).await.unwrap();
                }
                _ => {}
            }
        }
        (count, code)
    });
    // An oracle without permessage-deflate declines the offer.
    let offer =
        Offer { deflate: vec![DeflateOffer::default()], ..Offer::new(uri.parse().unwrap()) };
    let mut client = connect(offer, &Config::default()).await.unwrap();
    for size in [0, 1, 125, 126, 65_535, 65_536, 1_000_000] {
        let message = Message::Binary(vec![7; size]);
        client.send(message.clone()).await.unwrap();
        assert_eq!(client.recv().await, Some(message));
    }
    client.send(Message::from("κόσμε")).await.unwrap();
    assert_eq!(client.recv().await, Some(Message::from("κόσμε")));
    client.close(CloseCode::new(4001), "enough").await.unwrap();
    assert_eq!(client.closed().unwrap().by, ClosedBy::Us);
    assert_eq!(server.await.unwrap(), (8, Some(OracleCode::Library(4001))));
}

#[tokio::test]
async fn oracle_is_told_what_it_did_wrong() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ws://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let opened = accept(stream, &Policy::default()).await.unwrap();
        let config = Config { message_size_max_bytes: 1000, ..Config::default() };
        let mut socket = WebSocket::new(opened, &config);
        assert_eq!(socket.recv().await, None);
        socket.closed().cloned().unwrap()
    });
    let stream = TcpStream::connect(uri.trim_start_matches("ws://").trim_end_matches('/')).await;
    let (mut client, _) = client_async(&uri, stream.unwrap()).await.unwrap();
    client.send(Oracle::binary(vec![0; 100_000])).await.unwrap();
    match client.next().await.unwrap().unwrap() {
        Oracle::Close(Some(frame)) => assert_eq!(frame.code, OracleCode::Size),
        other => panic!("{other:?}"),
    }
    let _: Option<Result<Oracle, tungstenite::Error>> = client.next().await;
    drop(client);
    assert!(matches!(server.await.unwrap().by, ClosedBy::Violation(_)));
}

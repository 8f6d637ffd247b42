//! Echo over sockudo-ws.

use std::io;

use bytes::BytesMut;
use compare::{Fault, Settings};
use futures_util::{SinkExt, StreamExt, TryStreamExt, future};
use sockudo_ws::handshake::{build_response, generate_accept_key, parse_request};
use sockudo_ws::protocol::Message;
use sockudo_ws::{Config, WebSocketStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn main() -> io::Result<()> {
    let settings = Settings::from_args();
    compare::serve(&settings.address, |stream| echo(stream, settings.forward))
}

async fn echo(mut stream: TcpStream, forward: bool) -> Result<(), Fault> {
    upgrade(&mut stream).await?;
    let mut socket = WebSocketStream::server(stream, Config::default());
    if forward {
        // Not its own `split`, which starts a task per connection.
        let (sink, stream) = StreamExt::split(socket);
        return Ok(stream
            .try_filter(|message| future::ready(is_data(message)))
            .forward(sink)
            .await?);
    }
    while let Some(message) = socket.next().await {
        let message = message?;
        if is_data(&message) {
            socket.send(message).await?;
        }
    }
    Ok(())
}

fn is_data(message: &Message) -> bool {
    matches!(message, Message::Text(_) | Message::Binary(_))
}

async fn upgrade(stream: &mut TcpStream) -> Result<(), Fault> {
    let mut head = BytesMut::with_capacity(4096);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err("closed within the handshake".into());
        }
        if let Some((request, _)) = parse_request(&head)? {
            let response = build_response(&generate_accept_key(request.key), None, None);
            return Ok(stream.write_all(&response).await?);
        }
    }
}

//! Echo over tokio-tungstenite.

use std::io;

use compare::{Fault, Settings};
use futures_util::{SinkExt, StreamExt, TryStreamExt, future};
use tokio::net::TcpStream;

fn main() -> io::Result<()> {
    let settings = Settings::from_args();
    compare::serve(&settings.address, |stream| echo(stream, settings.forward))
}

async fn echo(stream: TcpStream, forward: bool) -> Result<(), Fault> {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    if forward {
        let (sink, stream) = socket.split();
        let data =
            stream.try_filter(|message| future::ready(message.is_text() || message.is_binary()));
        return Ok(data.forward(sink).await?);
    }
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

//! Sends every message back.
//!
//! `cargo run --release -p wharf-ws --example echo_server -- 127.0.0.1:9001`
//!
//! Options: `--threads N` (default 1), `--interim` (also versions 8, 7 and 6, with
//! deflate-stream), `--no-deflate`.

#![allow(clippy::print_stdout, reason = "an example talks to its user")]

use std::error::Error;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use wharf_ws::handshake::DeflatePolicy;
use wharf_ws::handshake::server::Policy;
use wharf_ws::tokio::{Outbox, accept, serve};
use wharf_ws::{Config, MessageKind, Payload, Versions};

fn main() -> Result<(), Box<dyn Error>> {
    let mut address = "127.0.0.1:9001".to_owned();
    let mut threads = 1;
    let mut policy = Policy { deflate: Some(DeflatePolicy::default()), ..Policy::default() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--threads" => threads = arguments.next().ok_or("--threads needs a number")?.parse()?,
            "--interim" => {
                policy.versions = Versions::WITH_INTERIM;
                policy.deflate_stream = true;
            }
            "--no-deflate" => policy.deflate = None,
            _ => address = argument,
        }
    }
    let runtime = match threads {
        0 | 1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        _ => tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()?,
    };
    runtime.block_on(listen(&address, policy))
}

async fn listen(address: &str, policy: Policy) -> Result<(), Box<dyn Error>> {
    let (size, policy) = (64 << 20, Arc::new(policy));
    let config = Arc::new(Config {
        frame_size_max_bytes: size as u64,
        message_size_max_bytes: size,
        ..Config::default()
    });
    let listener = TcpListener::bind(address).await?;
    println!("echo on ws://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(stream, policy.clone(), config.clone()));
    }
}

async fn connection(stream: TcpStream, policy: Arc<Policy>, config: Arc<Config>) {
    // A refused handshake and a lost connection are the client's to know.
    let _ = stream.set_nodelay(true);
    if let Ok(opened) = accept(stream, &policy).await {
        serve(opened, &config, echo).await;
    }
}

fn echo(kind: MessageKind, payload: Payload<'_>, out: &mut Outbox<'_>) {
    // Refused only when the connection is closing.
    let _ = out.send(kind, &payload);
}

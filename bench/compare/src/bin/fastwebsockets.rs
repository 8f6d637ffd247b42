//! Echo over fastwebsockets, upgraded by hyper.

use std::io;

use bytes::Bytes;
use compare::{Fault, Settings};
use fastwebsockets::upgrade::{self, UpgradeFut};
use fastwebsockets::{FragmentCollector, OpCode, WebSocketError};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

fn main() -> io::Result<()> {
    compare::serve(&Settings::from_args().address, http)
}

async fn http(stream: TcpStream) -> Result<(), Fault> {
    let http = hyper::server::conn::http1::Builder::new();
    let connection = http.serve_connection(TokioIo::new(stream), service_fn(accept));
    Ok(connection.with_upgrades().await?)
}

async fn accept(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, upgraded) = upgrade::upgrade(&mut request)?;
    tokio::task::spawn_local(async move {
        // A peer that goes away is no news.
        let _ended = echo(upgraded).await;
    });
    Ok(response)
}

async fn echo(upgraded: UpgradeFut) -> Result<(), Fault> {
    let mut socket = FragmentCollector::new(upgraded.await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            _ => {}
        }
    }
}

//! What the servers share, and the parts of the load generator.

pub mod connection;
pub mod frame;
pub mod process;

use std::future::Future;
use std::io;

use tokio::net::{TcpListener, TcpStream};

/// How a server under test was asked to run: `ADDRESS [forward]`.
#[derive(Debug)]
pub struct Settings {
    /// `host:port` to listen on.
    pub address: String,
    /// Whether to hand the stream of messages to the sink in one go, which lets a library batch its writes.
    pub forward: bool,
}

impl Settings {
    /// From the command line.
    pub fn from_args() -> Self {
        let mut args = std::env::args().skip(1);
        let address = args.next().unwrap_or_else(|| "127.0.0.1:9001".to_owned());
        Self { address, forward: args.next().as_deref() == Some("forward") }
    }
}

/// The error of a connection, whichever library it comes from. A connection that ends badly only ends.
pub type Fault = Box<dyn std::error::Error>;

/// Accepts on one thread for ever, with one task per connection.
pub fn serve<F, E>(address: &str, echo: impl Fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = Result<(), E>> + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        let listener = TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let echo = echo(stream);
            tokio::task::spawn_local(async move {
                // A peer that goes away is no news.
                let _ended = echo.await;
            });
        }
    })
}

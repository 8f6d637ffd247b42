//! The load generator: one thread that keeps a fixed number of messages in flight on each connection.
//!
//! `load echo ADDRESS PID raw|ws CONNECTIONS DEPTH SIZE SECONDS` prints messages per second, the server's processor time
//! per message in ns, how busy the server's core was in percent, and how many messages went through in all.
//! `load idle ADDRESS PID raw|ws CONNECTIONS` prints the server's resident bytes per connection: after the handshake,
//! and, for a tenth of the connections, after one echo of 64 KiB.

use std::error::Error;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use compare::connection::{self, Pipeline};
use compare::frame::{Exchange, Protocol};
use compare::process::Process;
use mio::{Events, Interest, Poll, Token};

const READ_SIZE_BYTES: usize = 512 * 1024;
const WARM_UP: Duration = Duration::from_millis(300);
const LARGE_MESSAGE_BYTES: usize = 64 * 1024;
/// For the server to finish what it does after a handshake or an echo.
const SETTLE: Duration = Duration::from_millis(500);

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The server under test.
struct Target {
    address: SocketAddr,
    process: Process,
    protocol: Protocol,
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["echo", address, pid, protocol, connections, depth, size, seconds] => {
            let target = target(address, pid, protocol)?;
            let window = Duration::from_secs_f64(seconds.parse()?);
            echo(&target, connections.parse()?, depth.parse()?, size.parse()?, window)
        }
        ["idle", address, pid, protocol, connections] => {
            idle(&target(address, pid, protocol)?, connections.parse()?)
        }
        _ => Err("usage: load echo ADDRESS PID raw|ws CONNECTIONS DEPTH SIZE SECONDS\n       \
                  load idle ADDRESS PID raw|ws CONNECTIONS"
            .into()),
    }
}

fn target(address: &str, pid: &str, protocol: &str) -> Outcome<Target> {
    let protocol = match protocol {
        "raw" => Protocol::Raw,
        "ws" => Protocol::WebSocket,
        _ => return Err("protocol: raw or ws".into()),
    };
    Ok(Target { address: address.parse()?, process: Process(pid.parse()?), protocol })
}

fn echo(
    target: &Target,
    connections: usize,
    depth: usize,
    size: usize,
    window: Duration,
) -> Outcome<()> {
    let exchange = Exchange::new(target.protocol, size, depth);
    let mut buffer = vec![0; READ_SIZE_BYTES];
    let mut poll = Poll::new()?;
    let mut pipelines = Vec::with_capacity(connections);
    for index in 0..connections {
        let mut stream = connection::open(target.address, target.protocol)?;
        connection::exchange_once(&mut stream, &exchange)?;
        let mut pipeline = Pipeline::new(stream, &exchange, depth)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(pipeline.stream(), Token(index), interest)?;
        pipelines.push(pipeline);
    }

    let mut events = Events::with_capacity(1024);
    let mut run_for = |window: Duration| -> Outcome<(u64, Duration)> {
        let start = Instant::now();
        let mut replies = 0;
        while start.elapsed() < window {
            poll.poll(&mut events, Some(Duration::from_millis(100)))?;
            for event in &events {
                let pipeline = &mut pipelines[event.token().0];
                replies += pipeline.drive(&exchange, &mut buffer)?;
            }
        }
        Ok((replies, start.elapsed()))
    };
    let (warmed, _) = run_for(WARM_UP)?;
    let before_ns = target.process.cpu_ns()?;
    let (replies, elapsed) = run_for(window)?;
    let cpu_ns = (target.process.cpu_ns()? - before_ns) as f64;

    let per_second = replies as f64 / elapsed.as_secs_f64();
    let busy_percent = 100.0 * cpu_ns / elapsed.as_nanos() as f64;
    let per_message_ns = cpu_ns / replies.max(1) as f64;
    let total = connections as u64 + warmed + replies;
    println!("{per_second:.0}\t{per_message_ns:.0}\t{busy_percent:.0}\t{total}");
    Ok(())
}

fn idle(target: &Target, connections: usize) -> Outcome<()> {
    let large = Exchange::new(target.protocol, LARGE_MESSAGE_BYTES, 1);
    // What a server allocates once, for all connections, is not counted.
    let mut first = connection::open(target.address, target.protocol)?;
    connection::exchange_once(&mut first, &large)?;
    std::thread::sleep(SETTLE);

    let empty = target.process.resident_bytes()?;
    let mut streams: Vec<TcpStream> = Vec::with_capacity(connections);
    for _ in 0..connections {
        streams.push(connection::open(target.address, target.protocol)?);
    }
    std::thread::sleep(SETTLE);
    let opened = target.process.resident_bytes()?;

    let subset = connections.div_ceil(10);
    for stream in streams.iter_mut().take(subset) {
        connection::exchange_once(stream, &large)?;
    }
    std::thread::sleep(SETTLE);
    let echoed = target.process.resident_bytes()?;

    let idle_bytes = opened.saturating_sub(empty) / connections.max(1) as u64;
    let kept_bytes = echoed.saturating_sub(opened) / subset.max(1) as u64;
    println!("{idle_bytes}\t{}", idle_bytes + kept_bytes);
    Ok(())
}

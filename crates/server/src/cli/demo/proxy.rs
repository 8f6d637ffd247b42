//! A TCP proxy that cuts connections in the middle of what they carry.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// The proxy's settings and counters.
#[derive(Debug)]
pub(super) struct Proxy {
    /// Where the broker listens now; it changes with each start.
    broker: Mutex<SocketAddr>,
    /// A direction is cut after this many bytes on average.
    cut_every_bytes: u64,
    random: Mutex<Random>,
    cuts: AtomicU64,
    /// Nothing is cut: the first sessions are being opened, or the last messages counted.
    calm: AtomicBool,
}

impl Proxy {
    pub(super) fn new(broker: SocketAddr, cut_every_bytes: u64, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            broker: Mutex::new(broker),
            cut_every_bytes,
            random: Mutex::new(Random(seed)),
            cuts: AtomicU64::new(0),
            calm: AtomicBool::new(true),
        })
    }

    pub(super) fn lead_to(&self, broker: SocketAddr) {
        *self.broker.lock().unwrap_or_else(PoisonError::into_inner) = broker;
    }

    /// Begins to cut, or stops. It starts calm.
    pub(super) fn set_calm(&self, calm: bool) {
        self.calm.store(calm, Ordering::Relaxed);
    }

    pub(super) fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }

    /// Accepts until the task is dropped.
    pub(super) async fn run(self: Arc<Self>, listener: TcpListener) {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(Arc::clone(&self).carry(client));
        }
    }

    async fn carry(self: Arc<Self>, mut client: TcpStream) {
        let broker = *self.broker.lock().unwrap_or_else(PoisonError::into_inner);
        // While the broker is down, the client finds a closed door.
        let Ok(mut broker) = TcpStream::connect(broker).await else { return };
        let _ = (client.set_nodelay(true), broker.set_nodelay(true));
        let (up_bytes, down_bytes) = (self.patience_bytes(), self.patience_bytes());
        let (client_in, client_out) = client.split();
        let (broker_in, broker_out) = broker.split();
        // Whichever direction ends first ends both, wherever the other one is.
        tokio::select! {
            () = self.copy(client_in, broker_out, up_bytes) => {}
            () = self.copy(broker_in, client_out, down_bytes) => {}
        }
    }

    /// A number of bytes from 1 to twice the average.
    fn patience_bytes(&self) -> u64 {
        if self.cut_every_bytes == 0 {
            return u64::MAX;
        }
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        1 + random.below(self.cut_every_bytes.saturating_mul(2))
    }

    /// Copies so many bytes, to the byte, and then stops.
    async fn copy(&self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut left: u64) {
        let mut buffer = vec![0; 16 << 10];
        loop {
            let Ok(len @ 1..) = from.read(&mut buffer).await else { return };
            let passed = usize::try_from(left).unwrap_or(len).min(len);
            let cut = passed < len && !self.calm.load(Ordering::Relaxed);
            let passed = if cut { passed } else { len };
            if to.write_all(&buffer[..passed]).await.is_err() {
                return;
            }
            if cut {
                self.cuts.fetch_add(1, Ordering::Relaxed);
                return;
            }
            left = left.saturating_sub(passed as u64);
        }
    }
}

/// SplitMix64: small, seeded, and good enough to choose where to cut.
#[derive(Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

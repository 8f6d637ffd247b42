//! `wharf demo`: cuts the connections, kills the broker, and counts what was lost: nothing.

mod proxy;
mod restarts;
mod verdict;
mod victim;

use super::exit::{Code, Failure, Outcome};
use super::link;
use super::tally::{Mark, Tally};
use super::target::{Resolved, Speak};
use super::text::{Progress, grouped};
use clap::Args;
use proxy::Proxy;
use restarts::Restarts;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use verdict::Verdict;
use victim::{Directory, Victim, account};
use wharf_client::{Client, Message, Options, Receipt, Retry, Tls};

/// What is sent unless a file is named.
const TEXT: &str = include_str!("text.txt");
/// Where the messages go.
const ADDRESS: &str = "demo/lines";
/// The domain of XMPP.
const HOST: &str = "localhost";
/// Messages a consumer may hold.
const CREDIT: u32 = 500;
/// Messages of a producer that may wait to be stored.
const UNCONFIRMED_MAX: usize = 500;
/// Time for the last messages after the last cut.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(15);

/// Time for repeats after the last message.
const REPEATS_WITHIN: Duration = Duration::from_millis(300);

/// Arguments of `wharf demo`.
#[derive(Args, Clone, Debug)]
pub(super) struct Demo {
    /// A text whose lines are sent, again and again; without it, one of ours.
    file: Option<PathBuf>,
    /// What producers and consumers speak.
    #[arg(long, value_name = "PROTOCOL", default_value_t = Speak::Mbws)]
    protocol: Speak,
    /// How long to send.
    #[arg(long, value_name = "SECONDS", default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Cut each direction of a connection after so many bytes on average; 0 never.
    #[arg(long, value_name = "BYTES", default_value_t = 32_768)]
    cut_every: u64,
    /// Kill the broker after so many milliseconds; 0 never.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 2_000)]
    kill_every: u64,
    /// Drain the broker instead of killing it, after so many milliseconds; 0 never.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0, conflicts_with = "kill_every")]
    drain_every: u64,
    /// Over how many milliseconds a drain sends the clients away.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 1_000)]
    drain_over: u64,
    /// Connections that send.
    #[arg(long, value_name = "COUNT", default_value_t = 2,
        value_parser = clap::value_parser!(u32).range(1..=4096))]
    producers: u32,
    /// Connections that receive.
    #[arg(long, value_name = "COUNT", default_value_t = 2,
        value_parser = clap::value_parser!(u32).range(1..=4096))]
    consumers: u32,
    /// Messages a second of each producer.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    rate: u64,
    /// Repeat the cuts of another run.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

/// What all connections of the run share.
struct Run {
    demo: Demo,
    lines: Vec<String>,
    until: Instant,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    tally: Tally,
    sent: u64,
    unconfirmed: u64,
    altered: u64,
    kills: u64,
    drains: u64,
    /// Why a client gave up, if one did.
    failure: Option<String>,
}

impl Demo {
    pub(super) fn run(self) -> Outcome {
        let text = match &self.file {
            None => TEXT.to_owned(),
            Some(path) => std::fs::read_to_string(path).map_err(|error| {
                Failure::new(Code::NotFound, format!("{}: {error}", path.display()))
            })?,
        };
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.is_empty() {
            return Err(Failure::new(Code::Failed, "the file has no lines"));
        }
        link::run(None, async move {
            tokio::select! {
                outcome = self.perform(lines) => outcome,
                // What is dropped on the way out kills the broker and removes its directory.
                _ = tokio::signal::ctrl_c() => Err(Failure::new(Code::Failed, "interrupted")),
            }
        })
    }

    async fn perform(self, lines: Vec<String>) -> Outcome {
        let seed =
            self.seed.unwrap_or_else(|| u64::from(u32::from_le_bytes(crate::entropy::bytes())));
        let began = Instant::now();
        super::print(&self.introduction(seed))?;
        let password = crate::entropy::password();
        let mut restarts = Restarts::new(&self, password.clone());
        let directory = Directory::new(&password, self.protocol, self.consumers)?;
        let mut victim = Victim::start(&directory).await?;
        let system = |error: std::io::Error| Failure::new(Code::Failed, error);
        let door = TcpListener::bind("127.0.0.1:0").await.map_err(system)?;
        let options = options(door.local_addr().map_err(system)?, self.protocol, password);
        let proxy = Proxy::new(victim.address, self.cut_every, seed);
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&proxy).run(door));

        let (producers, consumers) = (self.producers, self.consumers);
        let sending_time = Duration::from_secs(self.seconds);
        // Only people need an account each, whose logins take time.
        let accounts = if self.protocol == Speak::Xmpp { consumers } else { 1 };
        let mut clients = Vec::new();
        for number in 0..consumers + producers {
            let number = if number < consumers { number } else { number - consumers };
            clients.push(link::connect(of_account(&options, number % accounts)).await?);
        }
        let until = Instant::now() + sending_time;
        let run = Arc::new(Run { demo: self, lines, until, counts: Mutex::default() });
        let senders = clients.split_off(consumers as usize);
        for (consumer, client) in (0..).zip(clients) {
            tasks.spawn(Arc::clone(&run).consume(consumer, client));
        }
        let mut sending = JoinSet::new();
        for (producer, client) in (0..).zip(senders) {
            sending.spawn(Arc::clone(&run).produce(producer, client));
        }
        proxy.set_calm(false);

        let mut progress = Progress::new();
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        restarts.begin();
        let mut deadline = until + ARRIVAL_TIMEOUT;
        while !(sending.is_empty() && run.is_complete()) && Instant::now() < deadline {
            tokio::select! {
                _ = tick.tick() => progress.show(&run.progress(&proxy)),
                Some(_) = sending.join_next() => {
                    deadline = deadline.max(Instant::now() + ARRIVAL_TIMEOUT);
                }
            }
            let now = Instant::now();
            if now >= until {
                proxy.set_calm(true);
            } else if restarts.is_due(now) {
                victim = restarts.restart(victim, &directory, &run).await?;
                proxy.lead_to(victim.address);
            }
        }
        // A message that comes a second time would come soon.
        tokio::time::sleep(REPEATS_WITHIN).await;
        progress.clear();
        victim.kill().await;
        let speak = run.demo.protocol;
        let verdict = Verdict::new(&run.counts(), speak, proxy.cuts(), began.elapsed());
        super::print(&verdict.text())?;
        verdict.outcome()
    }

    fn introduction(&self, seed: u64) -> String {
        let Self { producers, consumers, seconds, cut_every, kill_every, .. } = self;
        let what = match self.protocol {
            Speak::Mbws => "",
            Speak::Amqp => " AMQP 1.0",
            Speak::Xmpp => " XMPP",
        };
        let mut text = format!(
            "{producers} producers and {consumers} consumers talk{what} to a broker for {seconds} \
             seconds.\n"
        );
        if *cut_every > 0 {
            let every = grouped(*cut_every);
            text += &format!(
                "A proxy cuts their connections in the middle of what they carry, \
                 every {every} bytes or so.\n"
            );
        }
        if self.drain_every > 0 {
            let (every, over) = (grouped(self.drain_every), grouped(self.drain_over));
            text += &format!(
                "The broker is drained over {over} ms and started again, every {every} ms.\n"
            );
        } else if *kill_every > 0 {
            let every = grouped(*kill_every);
            text += &format!("The broker is killed with SIGKILL every {every} ms.\n");
        }
        text + &format!("Seed {seed}.\n\n")
    }

    /// Where a producer sends, or a consumer of that number receives: over XMPP it is the account
    /// of one of the consumers, else a queue that all of them share.
    fn address_of(&self, producer: u32) -> String {
        match self.protocol {
            Speak::Mbws | Speak::Amqp => ADDRESS.to_owned(),
            Speak::Xmpp => person(producer % self.consumers),
        }
    }
}

/// A consumer as a person.
fn person(consumer: u32) -> String {
    format!("xmpp:{}@{HOST}", account(consumer))
}

/// The same options for one of the accounts.
fn of_account(options: &Options, account_number: u32) -> Options {
    let mut options = options.clone();
    if let Some((user, _)) = &mut options.credentials {
        *user = account(account_number);
    }
    options
}

/// Clients that come back at once: there is no fleet to be gentle for.
fn options(address: std::net::SocketAddr, speak: Speak, password: String) -> Options {
    let target = Resolved {
        url: format!("ws://{address}/ws"),
        speak,
        host: None,
        user: Some(account(0)),
        password: Some(password),
        tls: Tls::default(),
    };
    let mut options = link::options(&target);
    options.retry = Retry {
        first_max: Duration::from_millis(20),
        max: Duration::from_millis(200),
        give_up_after: Duration::from_secs(60),
    };
    options
}

impl Counts {
    /// A message whose fate its sender was not told.
    fn give_up(&mut self, why: &wharf_client::Error) {
        self.unconfirmed += 1;
        self.failure.get_or_insert_with(|| why.to_string());
    }
}

impl Run {
    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line that message `number` carries.
    fn line(&self, number: u64) -> &str {
        let count = self.lines.len() as u64;
        let index = usize::try_from((number - 1) % count).unwrap_or_default();
        &self.lines[index]
    }

    async fn produce(self: Arc<Self>, producer: u32, client: Client) {
        let (waiting, mut answers) = mpsc::channel::<Receipt>(UNCONFIRMED_MAX);
        let run = Arc::clone(&self);
        let confirming = tokio::spawn(async move {
            while let Some(receipt) = answers.recv().await {
                let outcome = receipt.await;
                let mut counts = run.counts();
                match outcome {
                    Ok(()) => counts.sent += 1,
                    Err(error) => counts.give_up(&error),
                }
            }
        });
        let began = Instant::now();
        let address = self.demo.address_of(producer);
        for number in 1.. {
            let due = began + Duration::from_nanos(number * 1_000_000_000 / self.demo.rate);
            if due >= self.until {
                break;
            }
            tokio::time::sleep_until(due).await;
            let Ok(place) = waiting.reserve().await else { break };
            let mark = Mark { producer, number };
            let message = Message::text(&address, format!("{mark} {}", self.line(number)));
            match client.queue(message).await {
                Ok(receipt) => place.send(receipt),
                Err(error) => {
                    self.counts().give_up(&error);
                    break;
                }
            }
            if Instant::now() >= self.until {
                break;
            }
        }
        drop(waiting);
        if confirming.await.is_err() {
            self.counts().unconfirmed += 1;
        }
    }

    async fn consume(self: Arc<Self>, consumer: u32, client: Client) {
        let address = self.demo.address_of(consumer);
        let Ok(mut receiver) = client.receive(&[&address], CREDIT).await else { return };
        while let Some(delivery) = receiver.recv().await {
            let parsed = std::str::from_utf8(delivery.body()).ok().and_then(Mark::split);
            let mut counts = self.counts();
            match parsed {
                Some((mark, line)) if mark.number > 0 && line == self.line(mark.number) => {
                    counts.tally.receive(consumer, mark, delivery.may_be_repeated());
                }
                _ => counts.altered += 1,
            }
            drop(counts);
            delivery.ack();
        }
    }

    fn is_complete(&self) -> bool {
        let counts = self.counts();
        counts.tally.distinct() >= counts.sent
    }

    fn progress(&self, proxy: &Proxy) -> String {
        let counts = self.counts();
        format!(
            "sent {}, received {}, cuts {}, kills {}",
            grouped(counts.sent),
            grouped(counts.tally.received),
            grouped(proxy.cuts()),
            counts.kills
        )
    }
}

//! AMQP by fe2o3-amqp, over TCP and over WebSockets. Usage: README.md one folder up.

mod cases;
mod peer;
mod recovery;
mod typed;

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CASE_MAX: Duration = Duration::from_secs(45);

/// Why a case went no further.
pub enum Stop {
    Failed(String),
    Skipped(String),
}

impl<E: std::error::Error> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(format!("{error:?}"))
    }
}

pub type Done<T = ()> = Result<T, Stop>;

pub fn failed<T>(why: impl Into<String>) -> Done<T> {
    Err(Stop::Failed(why.into()))
}

pub fn same<T: PartialEq + std::fmt::Debug>(got: &T, wanted: &T, what: &str) -> Done {
    if got == wanted {
        return Ok(());
    }
    failed(format!("{what}: {:.300} is not {:.300}", format!("{got:?}"), format!("{wanted:?}")))
}

/// Where the broker is, and names for the case.
#[derive(Clone)]
pub struct World {
    given: HashMap<String, String>,
    name: &'static str,
}

impl World {
    pub fn given(&self, name: &str) -> &str {
        self.given.get(name).map_or("", String::as_str)
    }

    pub fn number(&self, name: &str) -> usize {
        self.given(name).parse().unwrap_or_default()
    }

    /// Ends the case unless the harness or the broker was given this.
    pub fn needs(&self, name: &str) -> Done {
        if self.given.contains_key(name) {
            return Ok(());
        }
        Err(Stop::Skipped(format!("needs --{name}")))
    }

    pub fn queue(&self) -> String {
        format!("{}{}", self.given("queues"), self.name)
    }

    pub fn topic(&self) -> String {
        format!("{}{}", self.given("topics"), self.name)
    }

    pub fn unique(&self, word: &str) -> String {
        static TURN: AtomicU32 = AtomicU32::new(0);
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        format!("{word}-{}-{turn}", self.given("run"))
    }

    /// Asks the harness for a cut or a kill, and waits until it is done.
    pub async fn ask(&self, what: &str) -> Done<String> {
        let host = self.given("control").trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(&host).await?;
        let request = format!("POST /{what} HTTP/1.0\r\nHost: {host}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        if head.contains(" 200 ") {
            Ok(body.to_owned())
        } else {
            failed(format!("the harness: {body}"))
        }
    }
}

fn arguments() -> (HashMap<String, String>, String) {
    let run = std::process::id().to_string();
    let defaults = [
        ("queues", "conformance/fe2o3/"),
        ("topics", "topic/conformance/fe2o3/"),
        ("messages", "1000"),
        ("large", "67108864"),
        ("run", &run),
    ];
    let mut given: HashMap<_, _> =
        defaults.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let (mut wanted, mut words) = ("all".to_owned(), std::env::args().skip(1));
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some(flag @ ("anonymous" | "killable")) => {
                given.insert(flag.to_owned(), String::new());
            }
            Some(name) => {
                given.insert(name.to_owned(), words.next().unwrap_or_default());
            }
            None => wanted = word,
        }
    }
    (given, wanted)
}

#[tokio::main]
async fn main() -> ExitCode {
    let (given, wanted) = arguments();
    let mut code = ExitCode::SUCCESS;
    for name in cases::NAMES {
        if wanted != "all" && wanted != name {
            continue;
        }
        let world = World { given: given.clone(), name };
        let task = tokio::spawn(async move { cases::run(&world).await });
        let end = match tokio::time::timeout(CASE_MAX, task).await {
            Ok(Ok(end)) => end,
            Ok(Err(panic)) => failed(format!("the client panicked: {panic}")),
            Err(_) => failed("timed out: the case"),
        };
        match end {
            Ok(()) => println!("ok {name}"),
            Err(Stop::Skipped(why)) => println!("skip {name} {why}"),
            Err(Stop::Failed(why)) => {
                code = ExitCode::FAILURE;
                println!(
                    "FAIL {name} {:.600}",
                    why.split_whitespace().collect::<Vec<_>>().join(" ")
                );
            }
        }
    }
    code
}

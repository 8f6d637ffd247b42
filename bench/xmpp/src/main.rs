//! Load over XMPP, the same for every server.
//!
//! ```text
//! xmpp-load load --url URL [--label TEXT] [--pid PID] [--pairs 50] [--window 100] [--size 64] [--seconds 5] [--warm-up 1]
//! xmpp-load idle --url URL --pid PID [--label TEXT] [--sessions 1000]
//! xmpp-load login --url URL --pid PID [--label TEXT] [--sessions 10000] [--threads 8]
//! xmpp-load befriend --url URL [--sessions 10000] [--contacts 20] [--threads 8]
//! ```
//! A URL is `ws://PREFIX:PASSWORD@HOST:PORT/PATH`, with accounts PREFIX0, PREFIX1 and so on. Each
//! but the last prints one line of fields separated by tabs, for `table.py`.

mod crowd;
#[path = "../../amqp/src/histogram.rs"]
mod histogram;
mod load;
#[path = "../../amqp/src/process.rs"]
mod process;
mod target;
mod wire;

use load::Plan;
use std::collections::HashMap;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;
use target::Target;

/// Whatever went wrong, for a person to read.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("xmpp-load: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Options by name.
struct Options(HashMap<String, String>);

impl Options {
    fn parse(words: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let words: Vec<String> = words.collect();
        let pairs = words.chunks(2).map(|pair| match pair {
            [name, value] if name.starts_with("--") => Ok((name[2..].to_owned(), value.clone())),
            other => Err(format!("{}: not an option with a value", other.join(" "))),
        });
        Ok(Self(pairs.collect::<Result<_, _>>()?))
    }

    fn get<T: FromStr>(&self, name: &str) -> Result<Option<T>, Failure>
    where
        T::Err: std::fmt::Display,
    {
        let parse = |text: &String| text.parse().map_err(|error| format!("--{name}: {error}").into());
        self.0.get(name).map(parse).transpose()
    }

    fn seconds(&self, name: &str, default: f64) -> Result<Duration, Failure> {
        Ok(Duration::try_from_secs_f64(self.get(name)?.unwrap_or(default))?)
    }
}

fn run() -> Result<bool, Failure> {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let options = Options::parse(words)?;
    let target: Target = options.get("url")?.ok_or("--url is missing")?;
    let label: String = options.get("label")?.unwrap_or_else(|| "server".to_owned());
    let sessions: Option<usize> = options.get("sessions")?;
    let threads = options.get("threads")?.unwrap_or(8);
    let pid = || options.get("pid")?.ok_or_else(|| Failure::from("--pid is missing"));
    match command.as_str() {
        "load" => load(&options, target, &label),
        "idle" => {
            let report = crowd::gather(&target, sessions.unwrap_or(1000), threads, false, pid()?)?;
            print("idle", &label, sessions.unwrap_or(1000), &report);
            Ok(true)
        }
        "login" => {
            let report = crowd::gather(&target, sessions.unwrap_or(10_000), threads, true, pid()?)?;
            print("login", &label, sessions.unwrap_or(10_000), &report);
            Ok(true)
        }
        "befriend" => {
            let contacts = options.get("contacts")?.unwrap_or(20);
            crowd::befriend(&target, sessions.unwrap_or(10_000), contacts, threads)?;
            Ok(true)
        }
        _ => Err("expected load, idle, login or befriend; src/main.rs says what they take".into()),
    }
}

fn print(what: &str, label: &str, sessions: usize, report: &crowd::Report) {
    let [before, after] = report.resident_bytes.map(|octets| octets as f64 / 1_048_576.0);
    println!(
        "{what}\t{label}\t{sessions}\t{:.0}\t{:.2}\t{:.3}\t{before:.1}\t{after:.1}",
        report.each_bytes, report.seconds, report.each_ms,
    );
}

fn load(options: &Options, target: Target, label: &str) -> Result<bool, Failure> {
    let plan = Plan {
        target,
        pairs: options.get("pairs")?.unwrap_or(50),
        window: options.get("window")?.unwrap_or(100),
        size: options.get("size")?.unwrap_or(64),
        warm_up: options.seconds("warm-up", 1.0)?,
        duration: options.seconds("seconds", 5.0)?,
        pid: options.get("pid")?,
    };
    let report = load::run(&plan)?;
    let [p50, p99] = [0.5, 0.99].map(|part| report.latency.at_us(part));
    let server_us = report.server_us.map_or_else(|| "-".to_owned(), |us| format!("{us:.2}"));
    println!(
        "load\t{label}\t{}\t{}\t{:.0}\t{p50:.0}\t{p99:.0}\t{server_us}\t{:.2}\t{}\t{}",
        plan.pairs, plan.window, report.rate, report.client_us, report.sent, report.faults,
    );
    Ok(report.faults == 0)
}

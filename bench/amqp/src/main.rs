//! Load over AMQP 1.0, the same for every broker.
//!
//! ```text
//! amqp-load load --url URL [--label TEXT] [--pid PID] [--queue NAME] [--address TEXT] [--declare classic|quorum]
//!                [--size 16] [--credit 200] [--seconds 5] [--warm-up 1] [--rate N] [--count N] [--settled]
//! amqp-load idle --url URL --pid PID [--label TEXT] [--connections 1000]
//! ```
//! A URL is `amqp://USER:PASSWORD@HOST:PORT` or `ws://USER:PASSWORD@HOST:PORT/PATH`. Both print one
//! line of fields separated by tabs, for `table.py`.

mod histogram;
mod load;
mod manage;
mod process;
mod target;
mod wire;

use load::{Plan, Report, SIZE_MIN_BYTES};
use manage::Management;
use process::Usage;
use std::collections::HashMap;
use std::process::ExitCode;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use target::Target;
use wire::{Buffer, Wire};

/// Whatever went wrong, for a person to read.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Time for a server to be done with what it was asked.
const SETTLE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("amqp-load: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Options by name; those without a value are flags.
struct Options(HashMap<String, String>);

impl Options {
    const FLAGS: [&str; 1] = ["settled"];

    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut options = HashMap::new();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").ok_or_else(|| format!("{word}: not an option"))?;
            let value =
                if Self::FLAGS.contains(&name) { Some(String::new()) } else { words.next() };
            let value = value.ok_or_else(|| format!("{word}: a value is missing"))?;
            options.insert(name.to_owned(), value);
        }
        Ok(Self(options))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn get<T: FromStr>(&self, name: &str) -> Result<Option<T>, Failure>
    where
        T::Err: std::fmt::Display,
    {
        let parse = |text: &str| text.parse().map_err(|error| format!("--{name}: {error}").into());
        self.text(name).map(parse).transpose()
    }

    fn seconds(&self, name: &str, default: f64) -> Result<Duration, Failure> {
        Ok(Duration::try_from_secs_f64(self.get(name)?.unwrap_or(default))?)
    }
}

fn run() -> Result<bool, Failure> {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let options = Options::parse(words)?;
    match command.as_str() {
        "load" => load(&options),
        "idle" => idle(&options),
        _ => Err("expected load or idle; src/main.rs says what they take".into()),
    }
}

fn load(options: &Options) -> Result<bool, Failure> {
    let target: Target = options.get("url")?.ok_or("--url is missing")?;
    let nonce = SystemTime::UNIX_EPOCH.elapsed()?.as_millis();
    let queue = options.text("queue").map_or_else(|| format!("load-{nonce}"), str::to_owned);
    let declare = options.text("declare");
    let address = match (options.text("address"), declare) {
        (Some(address), _) => address.to_owned(),
        (None, Some(_)) => format!("/queues/{queue}"),
        (None, None) => queue.clone(),
    };
    let plan = Plan {
        target,
        address,
        size: options.get("size")?.unwrap_or(SIZE_MIN_BYTES).max(SIZE_MIN_BYTES),
        credit: options.get("credit")?.unwrap_or(200),
        settled: options.text("settled").is_some(),
        rate: options.get("rate")?,
        warm_up: options.seconds("warm-up", 1.0)?,
        duration: options.seconds("seconds", 5.0)?,
        count: options.get("count")?.unwrap_or(u64::MAX),
        pid: options.get("pid")?,
    };
    let mut management = None;
    if let Some(kind) = declare {
        let node = management.insert(Management::connect(&plan.target)?);
        node.declare(&queue, kind)?;
    }
    let report = load::run(&plan)?;
    if let Some(mut node) = management {
        node.delete(&queue)?;
        node.close()?;
    }
    print(options.text("label").unwrap_or("broker"), &plan, &report);
    let clean = report.lost + report.duplicated + report.reordered == 0;
    if !clean {
        eprintln!(
            "amqp-load: of {} messages {} lost, {} duplicated, {} reordered",
            report.sent, report.lost, report.duplicated, report.reordered
        );
    }
    Ok(clean)
}

fn print(label: &str, plan: &Plan, report: &Report) {
    let rate = plan.rate.map_or_else(|| "max".to_owned(), |rate| rate.to_string());
    let settled = if plan.settled { "settled" } else { "unsettled" };
    let or_none =
        |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), |it| format!("{it:.3}"));
    let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|part| report.latency.at_us(part));
    println!(
        "load\t{label}\t{}\t{}\t{settled}\t{rate}\t{:.0}\t{:.0}\t{p50:.0}\t{p99:.0}\t{p999:.0}\t{}\t{:.3}\t{}\t{}\t{}\t{}\t{}",
        plan.size,
        plan.credit,
        report.rate_in,
        report.rate_out,
        or_none(report.broker_us),
        report.client_us,
        or_none(report.broker_cores),
        report.sent,
        report.lost,
        report.duplicated,
        report.reordered,
    );
}

/// What connections cost that do nothing.
fn idle(options: &Options) -> Result<bool, Failure> {
    let target: Target = options.get("url")?.ok_or("--url is missing")?;
    let pid: u32 = options.get("pid")?.ok_or("--pid is missing")?;
    let wanted: usize = options.get("connections")?.unwrap_or(1000);
    let mut buffer = Buffer::default();
    // What is made once, at the first login, is not of the connections.
    let (first, _) = Wire::connect(&target, "load-first", &mut buffer)?;
    thread::sleep(SETTLE);
    let before = Usage::of(pid)?;
    let began = Instant::now();
    let connect = |n| Wire::connect(&target, &format!("load-idle-{n}"), &mut buffer);
    let open = (0..wanted).map(connect).collect::<Result<Vec<_>, _>>()?;
    let seconds = began.elapsed().as_secs_f64();
    thread::sleep(SETTLE);
    let after = Usage::of(pid)?;
    let grown = after.resident_bytes.saturating_sub(before.resident_bytes);
    println!(
        "idle\t{}\t{wanted}\t{:.0}\t{seconds:.2}\t{:.1}\t{:.1}",
        options.text("label").unwrap_or("broker"),
        grown as f64 / open.len() as f64,
        before.resident_bytes as f64 / 1_048_576.0,
        after.resident_bytes as f64 / 1_048_576.0,
    );
    drop((open, first));
    Ok(true)
}

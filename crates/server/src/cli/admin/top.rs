//! `wharf top`: what happens, once a second.

use super::Admin;
use super::api::{Api, Call};
use super::output::Form;
use crate::cli::exit::{Failure, Outcome};
use crate::cli::text::grouped;
use clap::Args;
use serde_json::Value;
use std::io::IsTerminal;
use std::time::{Duration, Instant};
use wharf_api::Op;

/// Arguments of `wharf top`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Top {
    #[command(flatten)]
    admin: Admin,
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    interval: u64,
    /// Looks before it ends; without end otherwise.
    #[arg(long, value_name = "COUNT")]
    count: Option<u64>,
    /// Addresses to show, those with most messages.
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    addresses: usize,
}

const RATES: [(&str, &str); 4] = [
    ("received", "messages_received_total"),
    ("delivered", "messages_delivered_total"),
    ("acknowledged", "messages_acknowledged_total"),
    ("redelivered", "messages_redelivered_total"),
];

impl Top {
    pub(in crate::cli) fn run(self) -> Outcome {
        let (api, form) = self.admin.open()?;
        let interval = Duration::from_secs(self.interval.max(1));
        let mut before = api.call(&Call::new(Op::GetOverview))?;
        let mut began = Instant::now();
        let mut looks = 0;
        while self.count.is_none_or(|count| looks < count) {
            std::thread::sleep(interval);
            let now = api.call(&Call::new(Op::GetOverview))?;
            let elapsed = began.elapsed().as_secs_f64();
            began = Instant::now();
            let busiest = self.busiest(&api)?;
            let text = match form {
                Form::Table => screen(&before, &now, elapsed, &busiest),
                Form::Json | Form::Jsonl => {
                    let rates = RATES.map(|(name, key)| (name, rate(&before, &now, key, elapsed)));
                    let rates: serde_json::Map<String, Value> =
                        rates.into_iter().map(|(name, it)| (name.to_owned(), it.into())).collect();
                    format!(
                        "{}\n",
                        serde_json::json!({ "overview": now, "per_second": rates, "addresses": busiest })
                    )
                }
            };
            crate::cli::print(&text)?;
            before = now;
            looks += 1;
        }
        Ok(())
    }

    fn busiest(&self, api: &Api) -> Result<Vec<Value>, Failure> {
        if self.addresses == 0 {
            return Ok(Vec::new());
        }
        let call = Call::new(Op::ListAddresses).with("sort", Some("messages_ready"));
        api.list(&call.with("order", Some("desc")), Some(self.addresses))
    }
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or(0)
}

fn rate(before: &Value, now: &Value, key: &str, elapsed_s: f64) -> u64 {
    let more = number(now, key).saturating_sub(number(before, key));
    (more as f64 / elapsed_s.max(0.001)).round() as u64
}

fn screen(before: &Value, now: &Value, elapsed: f64, busiest: &[Value]) -> String {
    let mut text = String::new();
    if std::io::stdout().is_terminal() {
        text.push_str("\x1b[H\x1b[2J");
    }
    text.push_str(&format!(
        "wharf {}  {}  connections {}  sessions {} ({} away)  messages {}\n",
        now["version"].as_str().unwrap_or_default(),
        now["phase"].as_str().unwrap_or_default(),
        grouped(number(now, "connections")),
        grouped(number(now, "sessions")),
        grouped(number(now, "sessions_resumable")),
        grouped(number(now, "messages")),
    ));
    for (name, key) in RATES {
        text.push_str(&format!("{name} {}/s  ", grouped(rate(before, now, key, elapsed))));
    }
    text.push('\n');
    for address in busiest {
        text.push_str(&format!(
            "{:>12} ready {:>9} out {:>5} consumers  {}\n",
            grouped(number(address, "messages_ready")),
            grouped(number(address, "messages_out")),
            grouped(number(address, "consumers")),
            address["name"].as_str().unwrap_or_default(),
        ));
    }
    text
}

//! The command line: one file a verb.

mod bench;
mod check;
mod completions;
mod config;
mod demo;
mod exit;
mod histogram;
mod link;
mod passwd;
mod receive;
mod salvage;
mod send;
mod serve;
mod tally;
mod target;
mod text;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use exit::{Code, Outcome};
use std::process::ExitCode;

/// A durable message broker whose front door is the WebSocket.
///
/// Without a verb: serve on 127.0.0.1:8080 with the data in ./wharf-data.
#[derive(Debug, Parser)]
#[command(name = "wharf", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
}

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 failed, 2 not found, 3 partial, 64 usage, \
    69 unavailable, 77 denied, 78 config, 124 timeout.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the broker.
    Serve(serve::Serve),
    /// Cut connections and kill the broker, and see that nothing is lost.
    Demo(demo::Demo),
    /// Send messages: stdin or files.
    Send(send::Send),
    /// Receive messages to stdout, one a line.
    Receive(receive::Receive),
    /// Measure throughput and latency, and check that everything came once.
    Bench(bench::Bench),
    /// Check the configuration without starting.
    Check(check::Check),
    /// Print what can be configured.
    #[command(subcommand)]
    Config(config::Config),
    /// Work on passwords.
    #[command(subcommand)]
    Passwd(passwd::Passwd),
    /// Make a damaged journal openable again.
    Salvage(salvage::Salvage),
    /// Print a script that completes commands in your shell.
    Completions(completions::Completions),
}

/// Parses the command line and runs the verb.
#[must_use]
pub fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => exit::report(run(cli)),
        Err(error) => {
            // The text is for people; a closed pipe is no reason to fail otherwise.
            let _ = error.print();
            match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
                _ => ExitCode::from(Code::Usage as u8),
            }
        }
    }
}

fn run(cli: Cli) -> Outcome {
    match cli.verb.unwrap_or_else(|| Verb::Serve(serve::Serve::default())) {
        Verb::Serve(serve) => serve.run(),
        Verb::Demo(demo) => demo.run(),
        Verb::Send(send) => send.run(),
        Verb::Receive(receive) => receive.run(),
        Verb::Bench(bench) => bench.run(),
        Verb::Check(check) => check.run(),
        Verb::Config(config) => config.run(),
        Verb::Passwd(passwd) => passwd.run(),
        Verb::Salvage(salvage) => salvage.run(),
        Verb::Completions(completions) => completions.run(),
    }
}

/// Prints text for the next program in the pipe. That it does not listen is not our failure.
fn print(text: &str) -> Outcome {
    use std::io::{ErrorKind, Write as _};
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(exit::Failure::new(Code::Failed, format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

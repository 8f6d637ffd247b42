//! The command line: one file a verb.

mod admin;
mod bench;
mod check;
mod completions;
mod config;
mod context;
mod demo;
mod exit;
mod histogram;
mod link;
mod man;
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
    /// The broker at a glance.
    Status(admin::node::Status),
    /// What happens, once a second.
    Top(admin::top::Top),
    /// Send all clients away, and stop the broker.
    Drain(admin::node::Drain),
    /// Let the broker read its settings and certificates again.
    Reload(admin::node::Reload),
    /// Users, what they may do and use.
    User(admin::user::User),
    /// Tokens that let in instead of a password.
    Token(admin::token::Token),
    /// Addresses and what is in them.
    Address(admin::address::Address),
    /// Settings of addresses by pattern.
    Policy(admin::rule::Policy),
    /// Other ways for messages and clients.
    Route(admin::rule::Route),
    /// Who is connected.
    Connection(admin::connection::Connection),
    /// Sessions, with and without a connection.
    Session(admin::connection::Session),
    /// Everything that is defined, at once.
    Definitions(admin::definitions::Definitions),
    /// What administrators did lately.
    Audit(admin::node::Audit),
    /// The latest lines of the broker's log.
    Logs(admin::node::Logs),
    /// Brokers by name.
    #[command(subcommand)]
    Context(context::Verb),
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
    /// Write the manual pages into a directory.
    Man(man::Man),
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
        verb => run_admin(verb),
    }
}

fn run_admin(verb: Verb) -> Outcome {
    match verb {
        Verb::Status(status) => status.run(),
        Verb::Top(top) => top.run(),
        Verb::Drain(drain) => drain.run(),
        Verb::Reload(reload) => reload.run(),
        Verb::User(user) => user.run(),
        Verb::Token(token) => token.run(),
        Verb::Address(address) => address.run(),
        Verb::Policy(policy) => policy.run(),
        Verb::Route(route) => route.run(),
        Verb::Connection(connection) => connection.run(),
        Verb::Session(session) => session.run(),
        Verb::Definitions(definitions) => definitions.run(),
        Verb::Audit(audit) => audit.run(),
        Verb::Logs(logs) => logs.run(),
        verb => run_local(verb),
    }
}

/// The verbs that need no broker.
fn run_local(verb: Verb) -> Outcome {
    match verb {
        Verb::Context(context) => context.run(),
        Verb::Check(check) => check.run(),
        Verb::Config(config) => config.run(),
        Verb::Passwd(passwd) => passwd.run(),
        Verb::Salvage(salvage) => salvage.run(),
        Verb::Completions(completions) => completions.run(),
        Verb::Man(man) => man.run(),
        // Run above.
        _ => Ok(()),
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

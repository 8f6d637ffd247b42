//! `wharf definitions`: everything that is defined, at once.

use super::api::Call;
use super::output::{Form, one};
use super::{Admin, partial};
use crate::cli::exit::{Code, Failure, Outcome};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use wharf_api::Op;

/// Arguments of `wharf definitions`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Definitions {
    #[command(flatten)]
    admin: Admin,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print everything that is defined. It holds password verifiers, which are secrets.
    Export,
    /// Say what `apply` would change. Exit code 1 if anything would.
    Diff {
        /// File with definitions; - is stdin.
        file: PathBuf,
        /// As if what is not in the file were removed.
        #[arg(long)]
        prune: bool,
    },
    /// Make a file's definitions true.
    Apply {
        /// File with definitions; - is stdin.
        file: PathBuf,
        /// Remove what is not in the file.
        #[arg(long)]
        prune: bool,
    },
    /// Take over what a definitions file of RabbitMQ says.
    Rabbitmq {
        /// The file; - is stdin.
        file: PathBuf,
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
    },
}

impl Definitions {
    pub(in crate::cli) fn run(self) -> Outcome {
        let (api, form) = self.admin.open()?;
        match self.verb {
            Verb::Export => {
                let definitions = api.call(&Call::new(Op::GetDefinitions))?;
                // Only one form makes sense of it.
                let form = if form == Form::Table { Form::Json } else { form };
                one(form, &definitions, &[])
            }
            Verb::Diff { file, prune } => {
                let call = Call::new(Op::PutDefinitions).with("dry_run", Some(true));
                let call = call.with("prune", Some(prune)).body(read(&file)?);
                let applied = api.call(&call)?;
                say(form, &applied)?;
                let differs = ["created", "changed", "removed"].into_iter();
                let differs =
                    differs.flat_map(|kind| applied[kind].as_array()).any(|it| !it.is_empty());
                if differs { Err(Failure::new(Code::Failed, "it differs")) } else { Ok(()) }
            }
            Verb::Apply { file, prune } => {
                let wanted = read(&file)?;
                let (_, etag) = api.call_tagged(&Call::new(Op::GetDefinitions))?;
                let call = Call::new(Op::PutDefinitions).with("prune", Some(prune));
                let applied = api.call(&call.body(wanted).if_match(etag))?;
                said_all(form, &applied)
            }
            Verb::Rabbitmq { file, dry_run } => {
                let call = Call::new(Op::ImportRabbit).with("dry_run", Some(dry_run));
                let applied = api.call(&call.body(read(&file)?))?;
                said_all(form, &applied)
            }
        }
    }
}

fn read(file: &Path) -> Result<Value, Failure> {
    let failed =
        |error: std::io::Error| Failure::new(Code::Failed, format!("{}: {error}", file.display()));
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
    } else {
        text = std::fs::read_to_string(file).map_err(failed)?;
    }
    serde_json::from_str(&text)
        .map_err(|error| Failure::new(Code::Usage, format!("{}: no JSON: {error}", file.display())))
}

/// Says what has changed; what was skipped makes it a part.
fn said_all(form: Form, applied: &Value) -> Outcome {
    say(form, applied)?;
    match applied["skipped"].as_array().map_or(0, Vec::len) {
        0 => Ok(()),
        skipped => partial(format!("{skipped} not taken over")),
    }
}

fn say(form: Form, applied: &Value) -> Outcome {
    if form != Form::Table {
        return one(form, applied, &[]);
    }
    let mut text = String::new();
    for (kind, mark) in [("created", '+'), ("changed", '~'), ("removed", '-'), ("skipped", '!')] {
        for line in applied[kind].as_array().into_iter().flatten() {
            text.push_str(&format!("{mark} {}\n", line.as_str().unwrap_or_default()));
        }
    }
    crate::cli::print(&text)
}

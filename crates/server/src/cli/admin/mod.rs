//! The verbs that manage a broker, over its API: what they print as JSON is what the API says.
//!
//! | module | what it owns |
//! |---|---|
//! | `api` | which broker, as whom; one call, or all pages of a list |
//! | `output` | tables, JSON, lines of JSON |
//! | the others | a noun each |

pub(super) mod address;
mod api;
pub(super) mod connection;
pub(super) mod definitions;
pub(super) mod node;
mod output;
pub(super) mod rule;
pub(super) mod token;
pub(super) mod top;
pub(super) mod user;

use super::exit::{Code, Failure, Outcome};
use api::Call;
use output::{Column, Form};

/// Arguments of every such verb.
pub(super) use api::Admin;

/// Calls once and prints what is given.
fn show(admin: &Admin, call: &Call, columns: &[Column]) -> Outcome {
    let (api, form) = admin.open()?;
    let given = api.call(call)?;
    output::one(form, &given, columns)
}

/// Calls once and says that it is done, on stderr: there is nothing to print.
fn act(admin: &Admin, call: &Call, done: &str) -> Outcome {
    let (api, form) = admin.open()?;
    api.call(call)?;
    if form == Form::Table {
        output::tell(done);
    }
    Ok(())
}

/// Prints a list, all of its pages or so many items.
fn list(admin: &Admin, call: &Call, limit: Option<usize>, columns: &[Column]) -> Outcome {
    let (api, form) = admin.open()?;
    let items = api.list(call, limit)?;
    output::many(form, &items, columns)
}

/// Some of it was not done.
fn partial(what: String) -> Outcome {
    Err(Failure::new(Code::Partial, what))
}

/// Whether what cannot be undone was meant.
fn confirm(yes: bool) -> Outcome {
    if yes {
        return Ok(());
    }
    Err(Failure::new(Code::Usage, "nothing brings it back: say --yes if that is meant"))
}

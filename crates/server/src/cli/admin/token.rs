//! `wharf token`: tokens that let in instead of a password.

use super::api::Call;
use super::output::{Column, Form, one};
use super::{Admin, act, list};
use crate::cli::exit::Outcome;
use clap::{Args, Subcommand};
use serde_json::json;
use wharf_api::Op;

/// Arguments of `wharf token`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Token {
    #[command(flatten)]
    admin: Admin,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the tokens that are valid.
    List,
    /// Make a token and print it: it is shown this once.
    Mint {
        /// Whom it lets in; you, if nobody is named.
        #[arg(long = "for", value_name = "USER")]
        whom: Option<String>,
        /// How long it is valid, in seconds.
        #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
        valid: u64,
        /// What it is for.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Revoke a token, and close the connections that it has let in.
    Revoke {
        /// Its number.
        id: String,
    },
}

const COLUMNS: &[Column] =
    &[("ID", "id"), ("USER", "user"), ("EXPIRES", "expires_at_ms"), ("NOTE", "note")];

impl Token {
    pub(in crate::cli) fn run(self) -> Outcome {
        let admin = &self.admin;
        match &self.verb {
            Verb::List => list(admin, &Call::new(Op::ListTokens), None, COLUMNS),
            Verb::Revoke { id } => {
                act(admin, &Call::new(Op::RevokeToken).at(id), &format!("token {id} revoked"))
            }
            Verb::Mint { whom, valid, note } => {
                let (api, form) = admin.open()?;
                let mut minting = json!({ "valid_s": valid, "note": note });
                if let Some(user) = whom {
                    minting["user"] = json!(user);
                }
                let minted = api.call(&Call::new(Op::MintToken).body(minting))?;
                if form == Form::Table {
                    // Alone, so that it can go into a file or a variable.
                    let secret = minted["secret"].as_str().unwrap_or_default();
                    return crate::cli::print(&format!("{secret}\n"));
                }
                one(form, &minted, &[])
            }
        }
    }
}

//! `wharf user`: who there is.

use super::api::Call;
use super::output::Column;
use super::{Admin, act, list, show};
use crate::cli::exit::{Code, Failure, Outcome};
use crate::cli::passwd;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use wharf_api::Op;

/// Arguments of `wharf user`.
#[derive(Args, Debug)]
pub(in crate::cli) struct User {
    #[command(flatten)]
    admin: Admin,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List users.
    List,
    /// Show one user.
    Show {
        /// Login name.
        name: String,
    },
    /// Make a user, or change what is named. The password is read from stdin, with --password.
    Put {
        /// Login name.
        name: String,
        /// Read a password from stdin.
        #[arg(long)]
        password: bool,
        /// A rule, instead of all rules before: PATTERN=RIGHTS or HOST:PATTERN=RIGHTS, where RIGHTS
        /// are letters of s(end), r(eceive), m(anage); repeatable.
        #[arg(long = "allow", value_name = "RULE", value_parser = parse_rule)]
        rules: Vec<Value>,
        /// Take all rules away.
        #[arg(long, conflicts_with = "rules")]
        allow_nothing: bool,
        /// Connections at once; 0 is without limit.
        #[arg(long, value_name = "COUNT")]
        connections_max: Option<u32>,
        /// Sessions at once; 0 is without limit.
        #[arg(long, value_name = "COUNT")]
        sessions_max: Option<u32>,
        /// Messages sent in a second; 0 is without limit.
        #[arg(long, value_name = "COUNT")]
        messages_per_second_max: Option<u32>,
        /// Octets sent in a second; 0 is without limit.
        #[arg(long, value_name = "BYTES")]
        bytes_per_second_max: Option<u64>,
    },
    /// Remove a user, with its sessions and connections.
    Remove {
        /// Login name.
        name: String,
    },
    /// List the rules of all users.
    Permissions,
    /// Who am I?
    Whoami,
}

const COLUMNS: &[Column] = &[
    ("NAME", "name"),
    ("PASSWORD", "has_password"),
    ("CONNECTIONS MAX", "limits.connections_max"),
    ("PERMISSIONS", "permissions"),
];

const ONE: &[Column] = &[
    ("name", "name"),
    ("has password", "has_password"),
    ("SCRAM", "scram"),
    ("permissions", "permissions"),
    ("connections max", "limits.connections_max"),
    ("sessions max", "limits.sessions_max"),
    ("messages per second max", "limits.messages_per_second_max"),
    ("bytes per second max", "limits.bytes_per_second_max"),
];

fn parse_rule(text: &str) -> Result<Value, String> {
    let (place, rights) =
        text.rsplit_once('=').ok_or("expected PATTERN=RIGHTS, such as a/**=sr")?;
    let (host, pattern) = match place.split_once(':') {
        Some((host, pattern)) if !matches!(host, "xmpp") => (host, pattern),
        _ => ("", place),
    };
    if rights.is_empty() || !rights.chars().all(|right| "srm".contains(right)) {
        return Err("RIGHTS are letters of s(end), r(eceive), m(anage)".to_owned());
    }
    Ok(json!({
        "host": host,
        "pattern": pattern,
        "send": rights.contains('s'),
        "receive": rights.contains('r'),
        "manage": rights.contains('m'),
    }))
}

impl User {
    pub(in crate::cli) fn run(self) -> Outcome {
        let admin = &self.admin;
        match &self.verb {
            Verb::List => list(admin, &Call::new(Op::ListUsers), None, COLUMNS),
            Verb::Show { name } => show(admin, &Call::new(Op::GetUser).at(name), ONE),
            Verb::Remove { name } => {
                act(admin, &Call::new(Op::DeleteUser).at(name), &format!("user {name} removed"))
            }
            Verb::Permissions => {
                let columns = &[
                    ("USER", "user"),
                    ("HOST", "host"),
                    ("PATTERN", "pattern"),
                    ("SEND", "send"),
                    ("RECEIVE", "receive"),
                    ("MANAGE", "manage"),
                ];
                list(admin, &Call::new(Op::ListPermissions), None, columns)
            }
            Verb::Whoami => {
                let columns = &[("user", "user"), ("permissions", "permissions")];
                show(admin, &Call::new(Op::GetWhoami), columns)
            }
            Verb::Put { name, .. } => self.put(name),
        }
    }

    /// What is not named stays as it is.
    fn put(&self, name: &str) -> Outcome {
        let Verb::Put {
            password,
            rules,
            allow_nothing,
            connections_max,
            sessions_max,
            messages_per_second_max,
            bytes_per_second_max,
            ..
        } = &self.verb
        else {
            return Ok(());
        };
        let (api, form) = self.admin.open()?;
        let known = match api.call(&Call::new(Op::GetUser).at(name)) {
            Ok(known) => known,
            Err(Failure { code: Code::NotFound, .. }) => json!({ "permissions": [], "limits": {} }),
            Err(failure) => return Err(failure),
        };
        let mut limits = known["limits"].clone();
        let mut set = |key: &str, value: Option<u64>| {
            if let Some(value) = value {
                limits[key] = json!(value);
            }
        };
        set("connections_max", connections_max.map(u64::from));
        set("sessions_max", sessions_max.map(u64::from));
        set("messages_per_second_max", messages_per_second_max.map(u64::from));
        set("bytes_per_second_max", *bytes_per_second_max);
        let permissions = match (rules.is_empty(), allow_nothing) {
            (_, true) => json!([]),
            (false, _) => json!(rules),
            (true, false) => known["permissions"].clone(),
        };
        let mut change = json!({ "permissions": permissions, "limits": limits });
        if *password {
            change["password"] = json!(passwd::read()?);
        }
        let given = api.call(&Call::new(Op::PutUser).at(name).body(change))?;
        super::output::one(form, &given, ONE)
    }
}

#[cfg(test)]
mod tests {
    use super::parse_rule;

    #[test]
    fn rules() {
        let rule = parse_rule("example.com:a/**=sr").unwrap();
        assert_eq!((&rule["host"], &rule["pattern"]), (&"example.com".into(), &"a/**".into()));
        assert_eq!((&rule["send"], &rule["manage"]), (&true.into(), &false.into()));
        assert_eq!(parse_rule("xmpp:**=s").unwrap()["pattern"], "xmpp:**");
        for wrong in ["a", "a=", "a=x"] {
            assert!(parse_rule(wrong).is_err(), "{wrong}");
        }
    }
}

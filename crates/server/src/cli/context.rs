//! `wharf context`: brokers by name. They are kept in a file that only its owner can read.

use super::exit::{Code, Failure, Outcome};
use super::passwd;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A broker, and a login.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Context {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ca_file: Option<PathBuf>,
}

/// The file.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct Contexts {
    #[serde(skip_serializing_if = "Option::is_none")]
    selected: Option<String>,
    contexts: BTreeMap<String, Context>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// List contexts; the selected one is marked.
    List,
    /// Keep a broker under a name, and select it.
    Add(Add),
    /// Select a context for the commands that name none.
    Select {
        /// Its name.
        name: String,
    },
    /// Forget a context.
    Remove {
        /// Its name.
        name: String,
    },
}

/// Arguments of `wharf context add`.
#[derive(Args, Debug)]
pub(super) struct Add {
    /// Its name.
    name: String,
    /// The broker.
    url: String,
    /// Login name; the password is read from stdin.
    #[arg(long)]
    user: Option<String>,
    /// Read a bearer token from stdin instead.
    #[arg(long, conflicts_with = "user")]
    token: bool,
    /// Trust the certificates in this PEM file, and no others.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

fn path() -> Result<PathBuf, Failure> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let directory = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let directory = directory.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")));
    let none = || Failure::new(Code::Failed, "contexts: set HOME or XDG_CONFIG_HOME");
    Ok(directory.ok_or_else(none)?.join("wharf/contexts.toml"))
}

fn read(path: &Path) -> Result<Contexts, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Code::Config, format!("{}: {error}", path.display()))
    };
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|error| failed(&error.message())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Contexts::default()),
        Err(error) => Err(failed(&error)),
    }
}

/// Writes a file of its owner's beside it, and puts it in its place.
fn write(path: &Path, contexts: &Contexts) -> Outcome {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Code::Failed, format!("{}: {error}", path.display()))
    };
    let text = toml::to_string(contexts).map_err(|error| failed(&error))?;
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(|error| failed(&error))?;
    let new = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let written = options.write(true).create(true).truncate(true).mode(0o600).open(&new);
    written
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&new, path))
        .map_err(|error| failed(&error))
}

/// The context of this name, or the selected one; none if nothing was ever kept.
pub(super) fn load(name: Option<&str>) -> Result<Option<Context>, Failure> {
    // Without a home there is nothing selected.
    let Ok(path) = path() else { return Ok(None) };
    let contexts = read(&path)?;
    let Some(name) = name.or(contexts.selected.as_deref()) else { return Ok(None) };
    let found = contexts.contexts.get(name).cloned();
    found.map(Some).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Failure {
    let what = format!("there is no context `{name}`; `wharf context list` names them");
    Failure::new(Code::NotFound, what)
}

impl Verb {
    pub(super) fn run(self) -> Outcome {
        let path = path()?;
        let mut kept = read(&path)?;
        match self {
            Self::List => {
                let mut text = String::new();
                for (name, context) in &kept.contexts {
                    let mark = if kept.selected.as_ref() == Some(name) { '*' } else { ' ' };
                    let who = context.user.as_deref().unwrap_or(match &context.token {
                        Some(_) => "(token)",
                        None => "-",
                    });
                    let url = context.url.as_deref().unwrap_or("-");
                    text.push_str(&format!("{mark} {name}  {url}  {who}\n"));
                }
                return super::print(&text);
            }
            Self::Add(Add { name, url, user, token, ca_file }) => {
                let secret = if user.is_some() || token { Some(passwd::read()?) } else { None };
                let (password, token) = if token { (None, secret) } else { (secret, None) };
                let context = Context { url: Some(url), user, password, token, ca_file };
                kept.contexts.insert(name.clone(), context);
                kept.selected = Some(name);
            }
            Self::Select { name } => {
                if !kept.contexts.contains_key(&name) {
                    return Err(unknown(&name));
                }
                kept.selected = Some(name);
            }
            Self::Remove { name } => {
                kept.contexts.remove(&name).ok_or_else(|| unknown(&name))?;
                kept.selected = kept.selected.filter(|selected| *selected != name);
            }
        }
        write(&path, &kept)
    }
}

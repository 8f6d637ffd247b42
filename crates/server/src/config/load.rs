//! Defaults, then the file, then the environment, then `--set`: the later wins.
//!
//! Whatever is wrong is named with its place: line and column of the file, the variable, or the
//! flag.

use super::Config;
use super::keys;
use super::suggest::nearest;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// The file, if one was named.
    pub(crate) file: Option<PathBuf>,
    /// The environment; only `WHARF_SECTION__KEY` is read.
    pub(crate) environment: Vec<(String, String)>,
    /// `section.key=value`, in order.
    pub(crate) settings: Vec<String>,
}

/// What is wrong with the configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LoadError {
    /// Where: a file with line and column, a variable or a flag.
    pub(crate) place: String,
    /// What.
    pub(crate) what: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Reads all sources.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub(crate) fn load(sources: &Sources) -> Result<Config, LoadError> {
    let mut table = match &sources.file {
        Some(path) => read_file(path)?,
        None => Table::new(),
    };
    for (variable, value) in &sources.environment {
        if let Some(name) = key_of_variable(variable) {
            overlay(&mut table, &name, value, variable)?;
        }
    }
    for setting in &sources.settings {
        let place = format!("--set {setting}");
        let Some((name, value)) = setting.split_once('=') else {
            return Err(LoadError { place, what: "expected section.key=value".to_owned() });
        };
        overlay(&mut table, name.trim(), value, &place)?;
    }
    table.try_into().map_err(|error: toml::de::Error| LoadError {
        place: "configuration".to_owned(),
        what: error.message().to_owned(),
    })
}

fn read_file(path: &Path) -> Result<Table, LoadError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| LoadError {
        place: shown.clone(),
        what: format!("cannot be read: {error}"),
    })?;
    parse_file(&text, &shown)
}

/// Parses the text of a file; `shown` is its name in errors.
pub(super) fn parse_file(text: &str, shown: &str) -> Result<Table, LoadError> {
    let at = |span: Option<Range<usize>>, what: String| {
        let (line, column) = position(text, span.map_or(0, |span| span.start));
        LoadError { place: format!("{shown}:{line}:{column}"), what }
    };
    let parsed = DeTable::parse(text).map_err(|e| at(e.span(), e.message().to_owned()))?;
    refuse_unknown(parsed.get_ref(), "").map_err(|(span, what)| at(Some(span), what))?;
    // Deserialised once for its own sake: here an error still has a place.
    toml::from_str::<Config>(text).map_err(|e| at(e.span(), e.message().to_owned()))?;
    toml::from_str(text).map_err(|e| at(e.span(), e.message().to_owned()))
}

fn refuse_unknown(table: &DeTable<'_>, parent: &str) -> Result<(), (Range<usize>, String)> {
    for (key, value) in table {
        let name = join(parent, key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) if keys::is_section(&name) => refuse_unknown(inner, &name)?,
            DeValue::Array(entries) if keys::is_section(&format!("{name}[]")) => {
                for entry in entries.iter().map(Spanned::get_ref) {
                    if let DeValue::Table(inner) = entry {
                        refuse_unknown(inner, &format!("{name}[]"))?;
                    }
                }
            }
            _ if keys::find(&name).is_some() || keys::is_section(&name) => {}
            _ => return Err((key.span(), unknown(parent, key.get_ref()))),
        }
    }
    Ok(())
}

fn unknown(parent: &str, written: &str) -> String {
    let name = join(parent, written);
    match nearest(written, keys::siblings(parent)) {
        Some(meant) => format!("unknown key `{name}`; did you mean `{}`?", join(parent, meant)),
        None => format!("unknown key `{name}`; `wharf config reference` lists every key"),
    }
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// `WHARF_LISTEN__ADDRESS` is `listen.address`. Variables without the double underscore are not
/// settings.
fn key_of_variable(variable: &str) -> Option<String> {
    let name = variable.strip_prefix("WHARF_")?;
    name.contains("__").then(|| name.to_ascii_lowercase().replace("__", "."))
}

fn overlay(table: &mut Table, name: &str, value: &str, place: &str) -> Result<(), LoadError> {
    let wrong = |what: String| LoadError { place: place.to_owned(), what };
    let (section, key) = name.split_once('.').unwrap_or(("", name));
    if keys::find(name).is_none() || section.is_empty() {
        return Err(wrong(unknown_path(name)));
    }
    let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    let Value::Table(section_table) = entry else {
        return Err(wrong(format!("`{section}` is not a section")));
    };
    let before = section_table.get(key).cloned();
    let mut last = None;
    for candidate in readings(value) {
        section_table.insert(key.to_owned(), candidate);
        let whole = Table::from_iter([(section.to_owned(), Value::Table(section_table.clone()))]);
        match whole.try_into::<Config>() {
            Ok(_) => return Ok(()),
            // The first reading is the most literal one: its complaint is the one to show.
            Err(error) => last = last.or(Some(error.message().to_owned())),
        }
    }
    if let Some(before) = before {
        section_table.insert(key.to_owned(), before);
    }
    Err(wrong(last.unwrap_or_else(|| "no value".to_owned()).trim().to_owned()))
}

fn unknown_path(name: &str) -> String {
    let all = keys::KEYS.iter().map(|key| key.name).filter(|name| !name.contains('['));
    match nearest(name, all) {
        Some(meant) => format!("unknown key `{name}`; did you mean `{meant}`?"),
        None => format!("unknown key `{name}`; `wharf config reference` lists every key"),
    }
}

/// What a bare word can mean: a TOML value, a string, or a list separated by commas.
fn readings(value: &str) -> Vec<Value> {
    let literal = toml::from_str::<Table>(&format!("v = {value}"))
        .ok()
        .and_then(|mut table| table.remove("v"));
    let string = Value::String(value.to_owned());
    let list = value.split(',').map(str::trim).filter(|item| !item.is_empty());
    let list = Value::Array(list.map(|item| Value::String(item.to_owned())).collect());
    literal.into_iter().chain([string, list]).collect()
}

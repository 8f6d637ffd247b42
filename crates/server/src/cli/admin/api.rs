//! A client of the management API.

use super::output::Form;
use crate::cli::context::{self, Context};
use crate::cli::exit::{Code, Failure};
use clap::Args;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use wharf_api::{Op, Problem, path_of};
use wharf_client::{Answer, Ask, Tls};

/// Longest answer that is read.
const ANSWER_MAX_BYTES: usize = 256 << 20;

/// Items asked for at a time.
const PAGE: usize = 1000;

/// Time for one answer, unless another is given.
const TIMEOUT_DEFAULT_S: u64 = 60;

/// Which broker, as whom, and how to print.
#[derive(Args, Clone, Default)]
pub(in crate::cli) struct Admin {
    /// The broker: http, https, ws or wss; or environment WHARF_URL, or the context's.
    #[arg(long, value_name = "URL", global = true)]
    url: Option<String>,
    /// Login name; or environment WHARF_USER, part of the URL, or the context's. The password comes
    /// from --password-file, environment WHARF_PASSWORD, the URL, or the context.
    #[arg(long, value_name = "NAME", global = true)]
    user: Option<String>,
    /// File whose first line is the password.
    #[arg(long, value_name = "FILE", global = true)]
    password_file: Option<PathBuf>,
    /// File whose first line is a bearer token; or environment WHARF_TOKEN.
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// Trust the certificates in this PEM file, and no others.
    #[arg(long, value_name = "FILE", global = true)]
    ca_file: Option<PathBuf>,
    /// Trust any certificate: whoever is in between can read and change everything.
    #[arg(long, conflicts_with = "ca_file", global = true)]
    insecure: bool,
    /// Use this context instead of the selected one; or environment WHARF_CONTEXT.
    #[arg(long, value_name = "NAME", global = true)]
    context: Option<String>,
    /// Give up after so many seconds (exit code 124).
    #[arg(long, value_name = "SECONDS", global = true)]
    timeout: Option<u64>,
    /// How to print; or environment WHARF_OUTPUT.
    #[arg(short, long, value_name = "FORM", global = true)]
    output: Option<Form>,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").finish_non_exhaustive()
    }
}

/// One call of an operation.
#[derive(Clone, Debug)]
pub(super) struct Call {
    op: Op,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    if_match: Option<String>,
}

impl Call {
    pub(super) fn new(op: Op) -> Self {
        Self { op, path: Vec::new(), query: Vec::new(), body: None, if_match: None }
    }

    /// A value for the next `{…}` of the path.
    pub(super) fn at(mut self, value: &str) -> Self {
        self.path.push(value.to_owned());
        self
    }

    /// A parameter of the query, if there is one.
    pub(super) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) fn if_match(mut self, etag: Option<String>) -> Self {
        self.if_match = etag;
        self
    }

    fn target(&self) -> String {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let mut target = path_of(self.op.operation(), &path);
        for (at, (name, value)) in self.query.iter().enumerate() {
            target.push(if at == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    target.push(char::from(byte));
                } else {
                    target.push_str(&format!("%{byte:02X}"));
                }
            }
        }
        target
    }
}

/// A broker that can be called.
pub(super) struct Api {
    runtime: Runtime,
    base: String,
    authorization: Option<String>,
    tls: Tls,
    timeout: Duration,
}

impl Admin {
    /// Finds out which broker, as whom, and how to print.
    pub(super) fn open(&self) -> Result<(Api, Form), Failure> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let form = match (self.output, variable("WHARF_OUTPUT")) {
            (Some(form), _) => form,
            (None, Some(named)) => Form::named(&named)?,
            (None, None) => Form::Table,
        };
        let named = self.context.clone().or_else(|| variable("WHARF_CONTEXT"));
        let context = context::load(named.as_deref())?.unwrap_or_default();
        let url = self.url.clone().or_else(|| variable("WHARF_URL")).or(context.url.clone());
        let (base, userinfo) = base_of(url.as_deref().unwrap_or("http://127.0.0.1:8080"))?;
        let authorization = self.authorization(userinfo, &context)?;
        let ca_file = self.ca_file.clone().or(context.ca_file);
        let tls = match ca_file {
            Some(path) => Tls::Roots(read(&path)?),
            None if self.insecure => Tls::Insecure,
            None => Tls::PublicRoots,
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| Failure::new(Code::Failed, format!("no runtime: {error}")))?;
        let timeout = Duration::from_secs(self.timeout.unwrap_or(TIMEOUT_DEFAULT_S));
        Ok((Api { runtime, base, authorization, tls, timeout }, form))
    }

    fn authorization(
        &self,
        userinfo: Option<(String, Option<String>)>,
        context: &Context,
    ) -> Result<Option<String>, Failure> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let token = match &self.token_file {
            Some(path) => Some(first_line(path)?),
            None if self.user.is_some() || userinfo.is_some() => None,
            None => variable("WHARF_TOKEN").or_else(|| context.token.clone()),
        };
        if let Some(token) = token {
            return Ok(Some(format!("Bearer {token}")));
        }
        let (of_url, url_password) = userinfo.unzip();
        let user = self.user.clone().or(of_url).or_else(|| variable("WHARF_USER"));
        let user = user.or_else(|| context.user.clone());
        let password = match &self.password_file {
            Some(path) => Some(first_line(path)?),
            None => url_password
                .flatten()
                .or_else(|| variable("WHARF_PASSWORD"))
                .or_else(|| context.password.clone()),
        };
        Ok(user.map(|user| {
            let pair = format!("{user}:{}", password.unwrap_or_default());
            format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()))
        }))
    }
}

fn read(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::new(Code::Failed, format!("{}: {error}", path.display()));
    std::fs::read(path).map_err(failed)
}

fn first_line(path: &PathBuf) -> Result<String, Failure> {
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// A base URL, and the userinfo of the URL that was given.
type Base = (String, Option<(String, Option<String>)>);

/// Where the API of a broker is, whatever the URL of it that is at hand.
fn base_of(url: &str) -> Result<Base, Failure> {
    let wrong =
        || Failure::new(Code::Usage, "the URL begins with http://, https://, ws:// or wss://");
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let scheme = match scheme {
        "http" | "ws" => "http",
        "https" | "wss" => "https",
        _ => return Err(wrong()),
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (userinfo, host) = match authority.rsplit_once('@') {
        Some((userinfo, host)) => (Some(userinfo), host),
        None => (None, authority),
    };
    let userinfo = userinfo.map(|userinfo| match userinfo.split_once(':') {
        Some((user, password)) => {
            (super::super::target::decode(user), Some(super::super::target::decode(password)))
        }
        None => (super::super::target::decode(userinfo), None),
    });
    Ok((format!("{scheme}://{host}"), userinfo))
}

impl Api {
    /// Calls an operation once; nothing is `null`.
    pub(super) fn call(&self, call: &Call) -> Result<Value, Failure> {
        let answer = self.ask(call)?;
        read_value(&answer)
    }

    /// The same, with the ETag.
    pub(super) fn call_tagged(&self, call: &Call) -> Result<(Value, Option<String>), Failure> {
        let answer = self.ask(call)?;
        Ok((read_value(&answer)?, answer.etag))
    }

    /// All items of a list, or so many.
    pub(super) fn list(&self, call: &Call, limit: Option<usize>) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let left = limit.map_or(PAGE, |limit| limit.saturating_sub(items.len()).min(PAGE));
            if left == 0 {
                return Ok(items);
            }
            let page = call.clone().with("limit", Some(left)).with("cursor", cursor);
            let mut page = self.call(&page)?;
            let more = page.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take);
            items.extend(more.unwrap_or_default());
            cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
            if cursor.is_none() {
                return Ok(items);
            }
        }
    }

    fn ask(&self, call: &Call) -> Result<Answer, Failure> {
        let mut headers = vec![("accept", "application/json".to_owned())];
        headers.extend(self.authorization.clone().map(|value| ("authorization", value)));
        headers.extend(call.if_match.clone().map(|value| ("if-match", value)));
        let body = call.body.as_ref().map(|body| serde_json::to_vec(body).unwrap_or_default());
        if body.is_some() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        let ask = Ask {
            method: call.op.operation().method.name(),
            headers,
            body: body.unwrap_or_default().into(),
            answer_max_bytes: ANSWER_MAX_BYTES,
        };
        let url = format!("{}{}", self.base, call.target());
        let asking = async {
            tokio::time::timeout(self.timeout, wharf_client::ask(&url, &self.tls, ask)).await
        };
        let answer = self
            .runtime
            .block_on(asking)
            .map_err(|_| Failure::new(Code::Timeout, "it took too long"))?
            .map_err(crate::cli::link::failure)?;
        if answer.status < 300 { Ok(answer) } else { Err(refused(&answer)) }
    }
}

fn read_value(answer: &Answer) -> Result<Value, Failure> {
    if answer.body.is_empty() {
        return Ok(Value::Null);
    }
    let wrong = |error| Failure::new(Code::Failed, format!("the broker's answer: {error}"));
    serde_json::from_slice(&answer.body).map_err(wrong)
}

/// What an answer that is none means to a shell.
fn refused(answer: &Answer) -> Failure {
    let code = match answer.status {
        401 | 403 => Code::Denied,
        404 => Code::NotFound,
        429 | 503 => Code::Unavailable,
        _ => Code::Failed,
    };
    match serde_json::from_slice::<Problem>(&answer.body) {
        Ok(problem) => Failure::new(code, format!("{}: {}", problem.title, problem.detail)),
        Err(_) => Failure::new(code, format!("HTTP status {}; is this a broker?", answer.status)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, base_of};
    use wharf_api::Op;

    #[test]
    fn any_url_of_a_broker_leads_to_its_api() {
        let base = |url| base_of(url).map(|it| it.0).ok();
        assert_eq!(base("ws://a:1/ws?x").as_deref(), Some("http://a:1"));
        assert_eq!(base("wss://u:p@a/ws").as_deref(), Some("https://a"));
        assert_eq!(base_of("http://u:p%40@a").unwrap().1, Some(("u".into(), Some("p@".into()))));
        assert_eq!(base("amqp://a"), None);
    }

    #[test]
    fn a_call_has_a_target() {
        let call = Call::new(Op::GetAddress).at("a/b").with("host", Some("x&y"));
        assert_eq!(call.target(), "/api/v1/addresses/a%2Fb?host=x%26y");
    }
}

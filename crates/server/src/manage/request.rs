//! What a request says, once it is read and bounded.

use crate::http::upgrade::header;
use crate::net::registry::Login;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use wharf_api::{Code, Found, Op, Problem, Query, Values};
use wharf_ws::handshake::request::Request as Head;

/// Longest body.
const BODY_MAX_BYTES: usize = 1 << 20;

/// Longest body of definitions.
const DEFINITIONS_MAX_BYTES: usize = 16 << 20;

/// Time for the body to come.
const BODY_MAX: Duration = Duration::from_secs(30);

/// Items of a page that does not say how many.
const LIMIT_DEFAULT: usize = 100;

/// A request that can be served.
#[derive(Debug)]
pub(super) struct Asked {
    found: Found,
    /// Who asks.
    pub(super) who: Login,
    query: BTreeMap<&'static str, String>,
    /// The body, unread.
    body: Vec<u8>,
    /// `If-Match`.
    pub(super) if_match: Option<String>,
}

impl Asked {
    pub(super) async fn read(
        found: Found,
        who: Login,
        head: &Head<'_>,
        query: &str,
        body: Incoming,
    ) -> Result<Self, Problem> {
        let query = read_query(found.operation.query, query)?;
        let takes = found.operation.takes.is_some();
        if takes && !is_json(head) {
            let what = "send a body with Content-Type: application/json";
            return Err(Problem::new(Code::UnsupportedMediaType, what));
        }
        let is_definitions = matches!(found.operation.op, Op::PutDefinitions | Op::ImportRabbit);
        let max = if is_definitions { DEFINITIONS_MAX_BYTES } else { BODY_MAX_BYTES };
        let body = tokio::time::timeout(BODY_MAX, Limited::new(body, max).collect())
            .await
            .map_err(|_| Problem::new(Code::InvalidRequest, "the body did not come in time"))?
            .map_err(|_| Problem::new(Code::TooLarge, format!("a body has {max} bytes at most")))?;
        let body = body.to_bytes().to_vec();
        if !takes && !body.is_empty() {
            return Err(Problem::new(Code::InvalidRequest, "this operation takes no body"));
        }
        let if_match = header(head, "if-match").next().and_then(|it| str::from_utf8(it).ok());
        let if_match = if_match.map(str::to_owned);
        Ok(Self { found, who, query, body, if_match })
    }

    /// What a query alone says, as for the list of addresses.
    pub(super) fn of_list(who: Login, query: &str) -> Result<Self, Problem> {
        let operation = Op::ListAddresses.operation();
        let query = read_query(operation.query, query)?;
        let found = Found { operation, path: Vec::new() };
        Ok(Self { found, who, query, body: Vec::new(), if_match: None })
    }

    pub(super) fn op(&self) -> Op {
        self.found.operation.op
    }

    pub(super) fn operation(&self) -> &'static wharf_api::Operation {
        self.found.operation
    }

    /// What the path says at the place of its first `{…}`.
    pub(super) fn name(&self) -> &str {
        self.found.path.first().map(String::as_str).unwrap_or_default()
    }

    /// What the path says at the place of its second `{…}`.
    pub(super) fn second(&self) -> &str {
        self.found.path.get(1).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.query(name) == Some("true")
    }

    /// Most items to answer with.
    pub(super) fn limit(&self) -> usize {
        self.query("limit").and_then(|it| it.parse().ok()).unwrap_or(LIMIT_DEFAULT)
    }

    /// The number in the path, if it is one.
    pub(super) fn number(&self) -> Option<u64> {
        // A thing has one path.
        super::reply::number(self.name())
    }

    /// The body, as what it should be.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        // What is no JSON is another mistake than JSON that says something else.
        let mut value: Value = serde_json::from_slice(&self.body)
            .map_err(|error| Problem::new(Code::InvalidRequest, format!("no JSON: {error}")))?;
        if !value.is_object() {
            return Err(Problem::new(Code::InvalidValue, "the body: expected an object"));
        }
        whole_numbers(&mut value);
        serde_json::from_value(value)
            .map_err(|error| Problem::new(Code::InvalidValue, format!("the body: {error}")))
    }
}

/// To JSON Schema 5.0 is an integer; to serde it is none.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Number(number) => {
            let float = number.as_f64().filter(|_| number.is_f64());
            // Up to there every whole number has a float of its own.
            if let Some(whole) = float.filter(|it| it.fract() == 0.0 && it.abs() <= 2_f64.powi(53))
            {
                *value = Value::from(whole as i64);
            }
        }
        _ => {}
    }
}

fn is_json(head: &Head<'_>) -> bool {
    let value = header(head, "content-type").next().and_then(|it| str::from_utf8(it).ok());
    let media = value.and_then(|value| value.split(';').next());
    media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads a query. What the operation does not know is refused: a misspelt filter that is passed
/// over would answer another question.
fn read_query(
    known: &'static [Query],
    query: &str,
) -> Result<BTreeMap<&'static str, String>, Problem> {
    let mut read = BTreeMap::new();
    let wrong = |what: String| Problem::new(Code::InvalidRequest, what);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = decode(name)
            .zip(decode(value))
            .ok_or_else(|| wrong("the query is not percent-encoded UTF-8".to_owned()))?;
        let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
            let names: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(wrong(format!("unknown parameter `{name}`; known: {names}")));
        };
        check(parameter, &value)?;
        if read.insert(parameter.name, value).is_some() {
            return Err(wrong(format!("`{name}` is there twice")));
        }
    }
    Ok(read)
}

fn check(parameter: &Query, value: &str) -> Result<(), Problem> {
    let expected = match parameter.values {
        Values::Text => return Ok(()),
        Values::Integer(min, max) => {
            let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            let number = value.parse::<u64>().ok().filter(|_| digits);
            if number.is_some_and(|number| (min..=max).contains(&number)) {
                return Ok(());
            }
            format!("a whole number from {min} to {max}")
        }
        Values::Flag if matches!(value, "true" | "false") => return Ok(()),
        Values::Flag => "true or false".to_owned(),
        Values::OneOf(all) if all.contains(&value) => return Ok(()),
        Values::OneOf(all) => format!("one of {}", all.join(", ")),
    };
    let what = format!("`{}`: expected {expected}", parameter.name);
    Err(Problem::new(Code::InvalidRequest, what))
}

/// Percent-decoding of a query, in which `+` is a space.
fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                let plain = digits.iter().all(u8::is_ascii_hexdigit);
                let digits = str::from_utf8(digits).ok().filter(|_| plain)?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                rest = after;
            }
            b'+' => out.push(b' '),
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::{decode, read_query};
    use wharf_api::{Method, Op};

    #[test]
    fn a_query_says_what_the_operation_knows() {
        let known = Op::ListAddresses.operation().query;
        let read = read_query(known, "limit=7&pattern=a%2F**&cursor=x+y").unwrap();
        assert_eq!(read["limit"], "7");
        assert_eq!((read["pattern"].as_str(), read["cursor"].as_str()), ("a/**", "x y"));
        for wrong in [
            "limit=0",
            "limit=1001",
            "limit=%2B7",
            "limit=",
            "kind=x",
            "nothing=1",
            "limit=1&limit=1",
            "a=%",
        ] {
            assert!(read_query(known, wrong).is_err(), "{wrong}");
        }
        assert_eq!(Op::ListAddresses.operation().method, Method::Get);
        assert_eq!(decode("%e"), None);
    }
}

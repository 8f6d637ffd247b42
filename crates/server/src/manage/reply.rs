//! How requests are answered.

use super::why;
use crate::http::answers::{self, Answer};
use serde::Serialize;
use std::sync::OnceLock;
use wharf_api::shapes::Page;
use wharf_api::{Code, Missing, Problem};

/// What an operation gives.
#[derive(Debug)]
pub(super) struct Reply {
    status: u16,
    body: Vec<u8>,
    etag: Option<String>,
}

impl Reply {
    /// Something.
    pub(super) fn ok<T: Serialize>(value: &T) -> Result<Self, Problem> {
        Self::with(200, value)
    }

    /// Something new.
    pub(super) fn created<T: Serialize>(value: &T) -> Result<Self, Problem> {
        Self::with(201, value)
    }

    /// It is done, and there is nothing to say.
    pub(super) fn done() -> Self {
        Self { status: 204, body: Vec::new(), etag: None }
    }

    fn with<T: Serialize>(status: u16, value: &T) -> Result<Self, Problem> {
        let body = serde_json::to_vec(value)
            .map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
        Ok(Self { status, body, etag: None })
    }

    /// Adds an ETag.
    pub(super) fn tagged(mut self, etag: String) -> Self {
        self.etag = Some(etag);
        self
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) fn into_answer(self) -> Answer {
        let answer = answers::of(self.status, "application/json", self.body);
        match self.etag {
            Some(etag) => answers::with_field(answer, "ETag", &etag),
            None => answer,
        }
    }
}

/// Part of a list that is at hand as a whole, in the order of what `name` gives: cursors are names.
pub(super) fn page_of<T: Serialize>(
    all: Vec<T>,
    cursor: Option<&str>,
    limit: usize,
    name: impl Fn(&T) -> String,
) -> Result<Reply, Problem> {
    let behind = |item: &T| cursor.is_none_or(|cursor| name(item).as_str() > cursor);
    let mut rest = all.into_iter().filter(behind);
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let next = rest.next().and_then(|_| items.last().map(&name));
    Reply::ok(&Page { items, next })
}

/// The same for a list in an order of its own: cursors are numbers of items passed.
pub(super) fn page_by_number<T: Serialize>(
    all: Vec<T>,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Reply, Problem> {
    let passed = match cursor {
        None => 0,
        Some(cursor) => number(cursor).ok_or_else(bad_cursor)?,
    };
    let passed = usize::try_from(passed).unwrap_or(usize::MAX);
    let more = all.len() > passed.saturating_add(limit);
    let items: Vec<T> = all.into_iter().skip(passed).take(limit).collect();
    let next = more.then(|| passed.saturating_add(limit).to_string());
    Reply::ok(&Page { items, next })
}

/// A number as this API writes it: not `+1`, nor `01`.
pub(super) fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// A cursor that no page has ended with.
pub(super) fn bad_cursor() -> Problem {
    Problem::new(Code::InvalidRequest, "`cursor`: expected the `next` of a page")
}

/// A problem as an answer.
pub(super) fn problem(problem: &Problem) -> Answer {
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let answer = answers::of(problem.status, "application/problem+json", body);
    match problem.code {
        Code::NotAuthenticated => answers::with_field(
            answer,
            "WWW-Authenticate",
            "Basic realm=\"wharf\", charset=\"UTF-8\"",
        ),
        Code::Unavailable | Code::TooManyRequests => {
            answers::with_field(answer, "Retry-After", "1")
        }
        _ => answer,
    }
}

pub(super) fn missing(missing: &Missing) -> Answer {
    let answer = problem(&why(missing));
    match missing {
        Missing::Method(methods) => {
            let names: Vec<&str> = methods.iter().map(|method| method.name()).collect();
            answers::with_field(answer, "Allow", &names.join(", "))
        }
        _ => answer,
    }
}

/// The document that describes the API. Everybody may read it.
pub(super) fn document(method: &str) -> Answer {
    static DOCUMENT: OnceLock<Vec<u8>> = OnceLock::new();
    if !matches!(method, "GET" | "HEAD") {
        return missing(&Missing::Method(vec![wharf_api::Method::Get]));
    }
    let text =
        DOCUMENT.get_or_init(|| serde_json::to_vec(&wharf_api::document()).unwrap_or_default());
    answers::of(200, "application/json", text.clone())
}

/// A thing of this kind and name is not there.
pub(super) fn no_such(kind: &str, name: &str) -> Problem {
    Problem::new(Code::NotFound, format!("there is no {kind} `{name}`"))
}

//! How operations fail (RFC 9457).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why an operation failed. The names are stable: programs may look at them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The request cannot be read: its body, a parameter.
    InvalidRequest,
    /// A value is not one that it can be.
    InvalidValue,
    /// No login, or a wrong one.
    NotAuthenticated,
    /// The user may not do that.
    NotPermitted,
    /// A page of another origin asks.
    OriginNotAllowed,
    /// There is no such thing.
    NotFound,
    /// The path has no such method.
    MethodNotAllowed,
    /// It is not as the request supposes: it exists already, or is of another kind.
    Conflict,
    /// It has changed since it was read.
    Changed,
    /// The body is too large.
    TooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// Too many wrong logins, or too many requests.
    TooManyRequests,
    /// The broker cannot do it: a bug.
    Internal,
    /// The broker is starting, draining or too busy.
    Unavailable,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::InvalidRequest,
        Self::InvalidValue,
        Self::NotAuthenticated,
        Self::NotPermitted,
        Self::OriginNotAllowed,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::Changed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::NotAuthenticated => 401,
            Self::NotPermitted | Self::OriginNotAllowed => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict => 409,
            Self::Changed => 412,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::InvalidValue => 422,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// One line for people, the same for every occurrence.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request cannot be read",
            Self::InvalidValue => "A value is not one that it can be",
            Self::NotAuthenticated => "A login is needed",
            Self::NotPermitted => "The user may not do that",
            Self::OriginNotAllowed => "Pages of this origin may not ask",
            Self::NotFound => "There is no such thing",
            Self::MethodNotAllowed => "The path has no such method",
            Self::Conflict => "It is not as the request supposes",
            Self::Changed => "It has changed since it was read",
            Self::TooLarge => "The body is too large",
            Self::UnsupportedMediaType => "The body must be application/json",
            Self::TooManyRequests => "Too many requests",
            Self::Internal => "The broker has failed",
            Self::Unavailable => "The broker cannot do that now",
        }
    }
}

/// An error as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Problem {
    /// A name of this kind of problem, as a URI: `urn:wharf:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// One line for people, the same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request, and what to do about it.
    pub detail: String,
    /// The code; it does not change between versions.
    pub code: Code,
}

impl Problem {
    /// A problem with words of its own.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let name = serde_json::to_value(code).unwrap_or_default();
        Self {
            kind: format!("urn:wharf:problem:{}", name.as_str().unwrap_or_default()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code,
        }
    }
}

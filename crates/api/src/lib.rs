//! The management API as data: every operation, what it takes and gives, who may use it, and how it
//! fails. The broker serves what is written here, the command line asks for it, and the document at
//! `/api/openapi.json` is made of it; so the three cannot differ.
//!
//! | module | what it owns |
//! |---|---|
//! | `operations` | the table of operations |
//! | `find` | which of them a request is for |
//! | `problem` | how they fail (RFC 9457) |
//! | `openapi` | the document (OpenAPI 3.1) |
//! | `shapes` | what operations take and give, a file for each thing |

mod find;
mod openapi;
mod operations;
mod problem;
pub mod shapes;

pub use find::{Found, Missing, find, path_of};
pub use openapi::document;
pub use operations::{Method, Needs, OPERATIONS, Op, Operation, Query, Shape, Values};
pub use problem::{Code, Problem};

/// What every path of an operation begins with.
pub const BASE: &str = "/api/v1";

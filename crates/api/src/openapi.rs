//! The document (OpenAPI 3.1).

use crate::operations::{Needs, OPERATIONS, Operation, Query, Values};
use crate::problem::{Code, Problem};
use crate::shapes::{ConnectionEvent, Missed};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

const INTRODUCTION: &str = "Everything that can be managed in a Wharf broker. Log in with HTTP \
    Basic, or with a bearer token. Lists come in pages: give `next` of one as `cursor` of the next. \
    Errors are application/problem+json (RFC 9457) with a stable `code`. A change is answered when \
    it is durable.";

/// The document, as it is served at `/api/openapi.json`.
#[must_use]
pub fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Problem>().to_value();
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.name().to_ascii_lowercase()] = describe(operation, &mut generator);
    }
    // What is told over the topics of the broker's own, and asked for by no operation.
    let _ = generator.subschema_for::<ConnectionEvent>();
    let _ = generator.subschema_for::<Missed>();
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wharf",
            "version": env!("CARGO_PKG_VERSION"),
            "description": INTRODUCTION,
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": crate::BASE }],
        "security": [{ "basic": [] }, { "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": { "problem": {
                "description": "It failed; `code` says why.",
                "content": { "application/problem+json": { "schema": problem } },
            } },
            "securitySchemes": {
                "basic": { "type": "http", "scheme": "basic" },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

fn describe(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = operation.parameters().map(path_parameter).collect();
    parameters.extend(operation.query.iter().map(query_parameter));
    let mut answer = json!({ "description": "Done." });
    if let Some(shape) = operation.gives {
        answer["content"] = json!({ "application/json": { "schema": shape(generator) } });
        answer["description"] = json!("The answer.");
    }
    if operation.name == "getDefinitions" {
        answer["headers"] = json!({ "ETag": { "schema": { "type": "string" } } });
    }
    let mut described = json!({
        "operationId": operation.name,
        "summary": operation.summary,
        "description": format!("{} {}", operation.summary, needs(operation.needs)),
        "tags": [operation.path.split('/').nth(1).unwrap_or_default()],
        "parameters": parameters,
        "responses": { operation.status.to_string(): answer },
    });
    for code in codes(operation) {
        described["responses"][code.status().to_string()] =
            json!({ "$ref": "#/components/responses/problem" });
    }
    if let Some(shape) = operation.takes {
        described["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": shape(generator) } },
        });
    }
    described
}

/// How an operation may fail.
fn codes(operation: &Operation) -> impl Iterator<Item = Code> + '_ {
    let takes = operation.takes.is_some();
    let named = operation.parameters().next().is_some();
    Code::ALL.into_iter().filter(move |code| match code {
        Code::InvalidRequest => true,
        Code::NotAuthenticated | Code::NotPermitted | Code::TooManyRequests => true,
        Code::OriginNotAllowed | Code::Unavailable | Code::Internal => true,
        Code::NotFound => named || takes,
        Code::TooLarge | Code::UnsupportedMediaType => takes,
        Code::InvalidValue | Code::Conflict => operation.changes() || named,
        Code::Changed => operation.name == "putDefinitions",
        Code::MethodNotAllowed => false,
    })
}

fn needs(needs: Needs) -> String {
    match needs {
        Needs::Login => "Needs a login.".to_owned(),
        Needs::Read(area) => format!(
            "Needs `manage` on `wharf/{area}`, or `receive` by a rule whose pattern begins with \
             `wharf/`."
        ),
        Needs::Manage(area) => format!("Needs `manage` on `wharf/{area}`."),
        Needs::ReadAddress => "Needs `receive` or `manage` on the address.".to_owned(),
        Needs::ReceiveFromAddress => "Needs `receive` on the address.".to_owned(),
        Needs::SendToAddress => "Needs `send` on the address.".to_owned(),
        Needs::ManageAddress => "Needs `manage` on the address.".to_owned(),
    }
}

fn path_parameter(name: &'static str) -> Value {
    json!({
        "name": name,
        "in": "path",
        "required": true,
        "schema": { "type": "string", "minLength": 1 },
    })
}

fn query_parameter(query: &Query) -> Value {
    let schema = match query.values {
        Values::Text => json!({ "type": "string" }),
        Values::Integer(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Values::Flag => json!({ "type": "boolean" }),
        Values::OneOf(all) => json!({ "type": "string", "enum": all }),
    };
    json!({ "name": query.name, "in": "query", "description": query.doc, "schema": schema })
}

#[cfg(test)]
mod tests {
    use super::document;
    use crate::operations::OPERATIONS;
    use std::collections::BTreeSet;

    #[test]
    fn every_operation_is_there_once() {
        let document = document();
        let names: BTreeSet<&str> = OPERATIONS.iter().map(|operation| operation.name).collect();
        assert_eq!(names.len(), OPERATIONS.len());
        for operation in OPERATIONS {
            let method = operation.method.name().to_ascii_lowercase();
            let described = &document["paths"][operation.path][method.as_str()];
            assert_eq!(described["operationId"], operation.name);
            assert_eq!(operation.status == 204, operation.gives.is_none(), "{}", operation.name);
        }
    }

    /// What the repository has committed is what the broker serves. After a change:
    /// `wharf config openapi > docs/reference/openapi.json`.
    #[test]
    fn the_committed_document_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/openapi.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        let text = format!("{}\n", serde_json::to_string_pretty(&document()).unwrap());
        assert!(committed == text, "docs/reference/openapi.json is not what the code says");
    }
}

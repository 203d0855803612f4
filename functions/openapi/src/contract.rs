//! What its route answers.

use gatehouse::http::Callers::Anybody;
use gatehouse::http::Operation;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// This document.
struct Document;

impl JsonSchema for Document {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Document".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "An OpenAPI 3.1 document.", "type": "object" })
    }
}

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(Anybody, "GET /openapi.json", "getOpenApi", "Shows this document.")
            .answers::<Document>(200)
            .cached(),
    ]
}

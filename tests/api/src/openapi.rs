//! Every answer of every story is held to the published document: its status, its body, the slug of a problem; and each
//! request that was taken, to what the document says is taken.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use reqwest::{Method, Request};
use serde_json::{Map, Value, json};

use crate::Reply;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let published = std::fs::read_to_string(gatehouse_openapi::FILE).expect("there is a document");
    serde_json::from_str(&published).expect("it is JSON")
});

/// The schemas of what is sent, where nothing may be in an object that they do not name.
static CLOSED: LazyLock<Value> = LazyLock::new(|| {
    let mut components = DOCUMENT["components"].clone();
    for schema in components["schemas"].as_object_mut().expect("schemas").values_mut() {
        close(schema, true);
    }
    components
});

/// Each is compiled once.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// What was asked.
#[derive(Debug)]
pub struct Asked {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl Asked {
    /// A request that is about to be sent.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let is_json = request.headers().get("content-type").is_some_and(|is| is == "application/json");
        let body = request.body().filter(|_| is_json).and_then(|body| serde_json::from_slice(body.as_bytes()?).ok());
        let method = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
        Self { method, path: request.url().path().to_owned(), body }
    }

    /// Holds the answer to the document.
    ///
    /// # Panics
    /// If it is not as the document says.
    pub fn hold(&self, reply: &Reply) {
        let Some((path, operation)) = self.operation() else {
            // What is not below `/v1/` is for people.
            let unknown = !self.path.starts_with("/v1/") || [404, 405].contains(&reply.status.as_u16());
            assert!(unknown, "{} {} is not documented: {:#}", self.method, self.path, reply.body);
            return;
        };
        let (route, status) = (format!("{} {path}", self.method), reply.status.as_u16());
        let response = &operation["responses"][status.to_string()];
        assert!(response.is_object(), "{route}: {status} is not documented: {:#}", reply.body);
        let response = referred(response);
        let media_type = reply.headers.get("content-type").and_then(|is| is.to_str().ok()).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default();
        if !reply.body.is_null() {
            let schema = &response["content"][media_type]["schema"];
            assert!(schema.is_object(), "{route}: {status} in {media_type:?} is not documented");
            fits(&format!("{route} {status} {media_type}"), schema, &CLOSED, &reply.body);
        }
        // A batch is taken whatever is wrong with some of it.
        let taken = reply.status.is_success() && reply.body["refused"].as_u64().is_none_or(|refused| refused == 0);
        if let Some(body) = self.body.as_ref().filter(|_| taken) {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if schema.is_object() {
                fits(&format!("{route} request"), schema, &DOCUMENT["components"], body);
            } else {
                assert_eq!(*body, json!({}), "{route}: a body is not documented");
            }
        }
    }

    /// The path as the document has it that fits best, and what the document says of it.
    fn operation(&self) -> Option<(&'static str, &'static Value)> {
        let method = self.method.as_str().to_lowercase();
        let paths = DOCUMENT["paths"].as_object()?.iter();
        let fitting = paths.filter_map(|(path, methods)| Some((path.as_str(), methods.get(&method)?)));
        fitting.filter(|(path, _)| is_of(path, &self.path)).min_by_key(|(path, _)| path.matches('{').count())
    }
}

/// Whether a path is one of those that the document writes so: a reference may have slashes in it.
fn is_of(pattern: &str, path: &str) -> bool {
    let (mut parts, mut wanted) = (path.split('/'), pattern.split('/').peekable());
    while let Some(want) = wanted.next() {
        let Some(part) = parts.next() else { return false };
        let parameter = want.starts_with('{');
        if if parameter { part.is_empty() } else { part != want } {
            return false;
        }
        if want == "{reference}" && wanted.peek().is_none() {
            return true;
        }
    }
    parts.next().is_none()
}

fn referred(response: &'static Value) -> &'static Value {
    let name = response["$ref"].as_str().and_then(|to| to.rsplit('/').next());
    name.map_or(response, |name| &DOCUMENT["components"]["responses"][name])
}

#[track_caller]
fn fits(what: &str, schema: &Value, components: &Value, body: &Value) {
    let compiled = || {
        let root = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "components": components, "allOf": [schema] });
        Arc::new(jsonschema::draft202012::new(&root).unwrap_or_else(|error| panic!("{what}: {error}")))
    };
    let validator = {
        let mut validators = VALIDATORS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(validators.entry(what.to_owned()).or_insert_with(compiled))
    };
    let wrong: Vec<String> =
        validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{what} is not as documented:\n{}\n{body:#}", wrong.join("\n"));
}

/// Closes every object of a schema; where one is put together of several, the whole of it.
fn close(schema: &mut Value, whole: bool) {
    let Some(fields) = schema.as_object_mut() else { return };
    let is_object = fields.contains_key("properties") && !fields.contains_key("additionalProperties");
    if whole && is_object {
        fields.insert("unevaluatedProperties".to_owned(), false.into());
    }
    for (keyword, inner) in fields {
        match keyword.as_str() {
            "properties" => close_all(inner.as_object_mut()),
            "anyOf" | "oneOf" | "allOf" => {
                inner.as_array_mut().into_iter().flatten().for_each(|one| close(one, whole && !is_object));
            }
            "items" | "additionalProperties" => close(inner, true),
            _ => {}
        }
    }
}

fn close_all(properties: Option<&mut Map<String, Value>>) {
    properties.into_iter().flat_map(Map::values_mut).for_each(|property| close(property, true));
}

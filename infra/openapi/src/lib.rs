//! The OpenAPI 3.1 document, of what each function says of its routes (its `contract`) and of the types themselves.
//!
//! `docs/ARCHITECTURE.md` says how the file that is published is made anew (by way of another file: a function includes
//! it, and an empty one would be built in); a test holds it
//! to the code.

use std::collections::{BTreeMap, BTreeSet};

use gatehouse::http::{Callers, Operation, RequestBody, SchemaOf, problem_schema};
use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::{Map, Value, json};

/// Where the file lies that is published.
pub const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions/openapi/openapi.json");

/// Everything that the functions answer, in the order of its paths.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let contracts = [
        activate::contract(),
        activity::contract(),
        contacts::contract(),
        invite::contract(),
        list_shares::contract(),
        map::contract(),
        open_link::contract(),
        openapi::contract(),
        preview_mail::contract(),
        presign_download::contract(),
        presign_upload::contract(),
        records::contract(),
        register::contract(),
        report_problem::contract(),
        session::contract(),
        settings::contract(),
        share::contract(),
        staff::contract(),
    ];
    let mut operations: Vec<Operation> = contracts.into_iter().flatten().collect();
    operations.sort_by_key(|operation| (operation.path(), operation.method()));
    operations
}

/// The document.
///
/// # Panics
/// If two types of one name are not the same: one of them must be called otherwise (`schemars(rename)`).
#[must_use]
pub fn document() -> Value {
    let operations = operations();
    let mut schemas = Schemas::of_all(&operations);
    let problems: BTreeSet<(u16, &str)> = operations.iter().flat_map(Operation::problems).collect();
    let problems = problems.into_iter().map(|(status, slug)| (slug.to_owned(), problem(status, &[slug])));
    let problems: Map<String, Value> = problems.collect();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let methods = paths.entry(operation.path().replace("+}", "}")).or_default();
        methods.insert(operation.method().to_lowercase(), schemas.operation(&operation));
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Gatehouse",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A customer portal. A method that a path does not take is 405 with Allow; any other path is 404.",
        },
        "servers": [{ "url": "/", "description": "Where this document is." }],
        "paths": paths,
        "components": {
            "schemas": schemas.named(),
            "responses": problems,
            "headers": {
                "ETag": { "description": "The tag of this very answer.", "schema": { "type": "string" } },
                "RetryAfter": { "description": "How many seconds to wait.", "schema": { "type": "integer", "minimum": 1 } },
            },
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "A session's token, or an API key." },
                "cookie": {
                    "type": "apiKey", "in": "cookie", "name": "__Host-gatehouse",
                    "description": "The session's cookie. What changes something needs the header X-Gatehouse: 1 as well.",
                },
            },
        },
    })
}

/// The document as the file has it.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", document())
}

/// The definitions of schemas, by their names.
type Named = BTreeMap<String, Value>;

/// All that have a name. What is taken may be another than what is sent: there, what goes without saying may be left out.
#[derive(Default)]
struct Schemas {
    sent: Named,
    taken: Named,
    /// Those of which that is so.
    differing: BTreeSet<String>,
}

impl Schemas {
    fn of_all(operations: &[Operation]) -> Self {
        let mut schemas = Self::default();
        schemas.of(problem_schema, true);
        for operation in operations {
            schemas.operation(operation);
        }
        let Self { sent, taken, .. } = &schemas;
        let differing = taken.iter().filter(|(name, taken)| sent.get(*name).is_some_and(|sent| sent != *taken));
        schemas.differing = differing.map(|(name, _)| name.clone()).collect();
        schemas
    }

    fn named(&self) -> Named {
        let taken = self.taken.iter().map(|(name, schema)| {
            let name = if self.differing.contains(name) { format!("{name}Input") } else { name.clone() };
            (name, self.as_taken(schema.clone()))
        });
        taken.chain(self.sent.clone()).collect()
    }

    /// With the names of what is another where it is taken.
    fn as_taken(&self, mut schema: Value) -> Value {
        each(&mut schema, &mut |schema| {
            let to = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next());
            if let Some(to) = to.filter(|to| self.differing.contains(*to)) {
                schema["$ref"] = format!("#/components/schemas/{to}Input").into();
            }
        });
        schema
    }

    /// A schema as it is sent or as it is taken; what it names is kept.
    fn of(&mut self, schema: SchemaOf, sent: bool) -> Value {
        let mut settings = SchemaSettings::draft2020_12();
        settings.definitions_path = "/components/schemas".into();
        settings.contract = if sent { Contract::Serialize } else { Contract::Deserialize };
        let mut generator = SchemaGenerator::new(settings);
        let mut schema = schema(&mut generator).to_value();
        each(&mut schema, &mut without_null_as_default);
        let named = if sent { &mut self.sent } else { &mut self.taken };
        for (name, mut definition) in generator.take_definitions(true) {
            each(&mut definition, &mut without_null_as_default);
            let known = named.entry(name.clone()).or_insert_with(|| definition.clone());
            assert_eq!(*known, definition, "two types are called {name}: one needs another name");
        }
        if sent { schema } else { self.as_taken(schema) }
    }

    fn operation(&mut self, operation: &Operation) -> Value {
        let mut described = json!({
            "operationId": operation.id,
            "summary": operation.summary,
            "description": who(operation.callers),
            "security": if operation.callers == Callers::Anybody { json!([]) } else { json!([{ "bearer": [] }, { "cookie": [] }]) },
            "responses": self.responses(operation),
        });
        let parameters = self.parameters(operation);
        if !parameters.is_empty() {
            described["parameters"] = parameters.into();
        }
        if let Some(RequestBody { required, content }) = &operation.request {
            let content = content.iter().map(|(media_type, schema)| {
                let schema = self.of(*schema, false);
                ((*media_type).to_owned(), json!({ "schema": schema }))
            });
            let content: Map<String, Value> = content.collect();
            described["requestBody"] = json!({ "required": required, "content": content });
        }
        described
    }

    fn parameters(&mut self, operation: &Operation) -> Vec<Value> {
        let mut parameters = Vec::new();
        for part in operation.path().split('/').filter_map(|part| part.strip_prefix('{')) {
            let name = part.trim_end_matches(['+', '}']);
            let mut parameter =
                json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } });
            if part.ends_with("+}") {
                parameter["description"] = "May hold slashes, as they are.".into();
            }
            parameters.push(parameter);
        }
        for query in &operation.queries {
            let fields = self.of(*query, false);
            let required = fields["required"].as_array().cloned().unwrap_or_default();
            for (name, schema) in fields["properties"].as_object().into_iter().flatten() {
                let mut schema = schema.clone();
                let described = schema.as_object_mut().and_then(|schema| schema.remove("description"));
                let mut parameter = json!({ "name": name, "in": "query", "required": required.contains(&json!(name)), "schema": without_null(schema) });
                if let Some(described) = described {
                    parameter["description"] = described;
                }
                parameters.push(parameter);
            }
        }
        let mut header = |name: &str, described: &str| {
            let schema = json!({ "type": "string", "minLength": 1 });
            parameters.push(json!({ "name": name, "in": "header", "description": described, "schema": schema }));
        };
        if operation.takes_key() {
            header("Idempotency-Key", "The same key and body answers the first answer again for 24 hours.");
        }
        if operation.shows_as_seen() {
            header("Gatehouse-View-As", "For the staff: the id of a contact, to see this as that contact sees it.");
        }
        if operation.cached {
            header("If-None-Match", "The ETag of an answer that the caller has: 304 if it still is the same.");
        }
        parameters
    }

    fn responses(&mut self, operation: &Operation) -> Map<String, Value> {
        let mut responses = Map::new();
        for answer in &operation.answers {
            let response =
                responses.entry(answer.status.to_string()).or_insert(json!({ "description": reason(answer.status) }));
            if let Some((media_type, schema)) = answer.body {
                response["content"][media_type]["schema"] = self.of(schema, true);
            }
            if operation.cached {
                response["headers"]["ETag"] = json!({ "$ref": "#/components/headers/ETag" });
            }
        }
        if operation.cached {
            responses.insert("304".to_owned(), json!({ "description": reason(304) }));
        }
        let mut slugs: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
        for (status, slug) in operation.problems() {
            slugs.entry(status).or_default().push(slug);
        }
        for (status, slugs) in slugs {
            let response = match slugs.as_slice() {
                [slug] => json!({ "$ref": format!("#/components/responses/{slug}") }),
                _ => problem(status, &slugs),
            };
            responses.insert(status.to_string(), response);
        }
        responses
    }
}

/// The answer that is one of these problems.
fn problem(status: u16, slugs: &[&str]) -> Value {
    let schema = json!({ "allOf": [
        { "$ref": "#/components/schemas/Problem" },
        { "properties": { "type": { "enum": slugs }, "status": { "const": status } } },
    ] });
    let content = json!({ "application/problem+json": { "schema": schema } });
    let mut response = json!({ "description": slugs.join(", "), "content": content });
    if matches!(status, 429 | 503) {
        response["headers"]["Retry-After"] = json!({ "$ref": "#/components/headers/RetryAfter" });
    }
    response
}

/// Goes through all objects in a schema.
fn each(schema: &mut Value, change: &mut impl FnMut(&mut Value)) {
    if schema.is_object() {
        change(schema);
    }
    match schema {
        Value::Object(fields) => fields.values_mut().for_each(|field| each(field, change)),
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, change)),
        _ => {}
    }
}

/// What is left out of a change stays as it is, and `null` takes it away.
fn without_null_as_default(schema: &mut Value) {
    if schema.get("default") == Some(&Value::Null) {
        schema.as_object_mut().map(|schema| schema.remove("default"));
    }
}

/// A parameter that is not given is left out: there is no null in a query.
fn without_null(mut schema: Value) -> Value {
    if let Some(kinds) = schema.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            schema["type"] = kind.clone();
        }
    }
    if let Some(some) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        some.retain(|one| one["type"] != "null");
        if let [one] = some.as_slice() {
            return one.clone();
        }
    }
    schema
}

fn who(callers: Callers) -> String {
    let keys = |callers: Callers| {
        let scopes = callers.scopes().into_iter().filter_map(|scope| Some(json!(scope).as_str()?.to_owned()));
        let scopes = scopes.collect::<Vec<_>>().join(" or ");
        if scopes.is_empty() { "no API key".to_owned() } else { format!("API keys with the scope {scopes}") }
    };
    match callers {
        Callers::Anybody => "For anybody.".to_owned(),
        Callers::Customers => "For customers.".to_owned(),
        Callers::People => "For whoever is signed in, no API key.".to_owned(),
        Callers::StaffInPerson => "For the staff in person, no API key.".to_owned(),
        Callers::Staff(right) => format!("For the staff ({right:?}) and {}.", keys(callers)),
        Callers::StaffAndCustomers(right) => format!("For customers, the staff ({right:?}) and {}.", keys(callers)),
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "Here it is.",
        201 => "It was made.",
        202 => "It was taken, and goes on.",
        204 => "It is done.",
        304 => "It is as the caller has it.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

    use gatehouse_template::{Route, Template};

    use super::*;

    #[test]
    fn the_published_file_is_what_the_code_says() {
        let published = std::fs::read_to_string(FILE).unwrap();
        assert!(published == text(), "the document is to be made anew: docs/ARCHITECTURE.md, The contract");
    }

    #[test]
    fn the_document_has_the_routes_of_the_template_and_no_others() {
        let template = Template::of_workspace().unwrap();
        let of_the_api = template.functions.iter().filter(|function| function.name != "pages");
        let routed = of_the_api.flat_map(|function| &function.routes);
        let routed: BTreeSet<String> = routed
            .filter_map(|route| match route {
                Route::Path { method, path } if method != "HEAD" => Some(format!("{method} {path}")),
                _ => None,
            })
            .collect();
        let documented: BTreeSet<String> = operations().iter().map(|operation| operation.route.to_owned()).collect();
        assert_eq!(documented, routed);
        assert_eq!(documented.len(), operations().len(), "none twice");
    }

    #[test]
    fn what_a_contract_says_by_hand_is_so() {
        let operations = operations();
        for operation in &operations {
            assert!(operation.is_public_as_asked(), "{}: idempotency.rs says otherwise who may call", operation.route);
            assert!(operation.unknown_problems().is_empty(), "{}: {:?}", operation.route, operation.unknown_problems());
            assert!(!operation.answers.is_empty(), "{}", operation.route);
        }
        let ids: BTreeSet<_> = operations.iter().map(|operation| operation.id).collect();
        assert_eq!(ids.len(), operations.len(), "each has a name of its own");
        let document = document();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let numbered = schemas.keys().filter(|name| name.ends_with(char::is_numeric) && *name != "Sha256");
        assert_eq!(
            numbered.count(),
            0,
            "of two types with one name in a function, one needs another: {:?}",
            schemas.keys()
        );
        let used: BTreeSet<_> = operations.iter().flat_map(Operation::problems).map(|(_, slug)| slug).collect();
        let slugs = schemas["Problem"]["properties"]["type"]["enum"].as_array().unwrap();
        let unused: Vec<_> = slugs.iter().filter(|slug| !used.contains(slug.as_str().unwrap())).collect();
        assert_eq!(unused, ["method_not_allowed"], "that one is no route's");
    }
}

//! The contract of a route: what it takes, what it answers, by what it refuses, and who may call it.
//!
//! Each function says its own beside its routes; `infra/openapi` makes one document of all. Nothing of it is in a release:
//! no function calls it while it runs.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::idempotency;
use super::problem::SLUGS;
use super::view_as;
use crate::domain::{Right, Scope};

/// Makes the schema of one type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Anybody: nobody is asked who calls.
    Anybody,
    /// Customers alone.
    Customers,
    /// Whoever is signed in, no integration.
    People,
    /// One of the staff in person, no integration.
    StaffInPerson,
    /// The staff and integrations with that right.
    Staff(Right),
    /// The same, and customers.
    StaffAndCustomers(Right),
}

impl Callers {
    /// The scopes that let an API key call it.
    #[must_use]
    pub fn scopes(self) -> Vec<Scope> {
        let (Self::Staff(right) | Self::StaffAndCustomers(right)) = self else { return Vec::new() };
        Scope::ALL.into_iter().filter(|scope| scope.grants(right)).collect()
    }
}

/// A body that a route takes.
#[derive(Debug, Clone)]
pub struct RequestBody {
    /// Whether there must be one.
    pub required: bool,
    /// Its schema as each media type.
    pub content: Vec<(&'static str, SchemaOf)>,
}

/// One of the answers of a route when all is well.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body: media type and schema.
    pub body: Option<(&'static str, SchemaOf)>,
}

/// What a route is.
#[derive(Debug, Clone)]
pub struct Operation {
    /// As template.yaml writes it: `GET /v1/shares/{id}`.
    pub route: &'static str,
    /// What a client calls the function.
    pub id: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Who may call it.
    pub callers: Callers,
    /// Its parameters in the query: the fields of these types.
    pub queries: Vec<SchemaOf>,
    /// What it takes.
    pub request: Option<RequestBody>,
    /// What it answers.
    pub answers: Vec<Answer>,
    /// Whether it answers with an `ETag`, and 304 to whoever has it.
    pub cached: bool,
    refusals: Vec<&'static str>,
}

const JSON: &str = "application/json";

impl Operation {
    /// A route; what it takes and answers is said by the other functions.
    #[must_use]
    pub fn new(callers: Callers, route: &'static str, id: &'static str, summary: &'static str) -> Self {
        let (queries, answers, refusals) = (Vec::new(), Vec::new(), Vec::new());
        Self { route, id, summary, callers, queries, request: None, answers, cached: false, refusals }
    }

    /// With parameters in the query: the fields of that type.
    #[must_use]
    pub fn query<T: JsonSchema>(mut self) -> Self {
        self.queries.push(|generator| T::json_schema(generator));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn takes<T: JsonSchema>(self) -> Self {
        self.takes_as::<T>(JSON)
    }

    /// With a JSON body that may be left out.
    #[must_use]
    pub fn may_take<T: JsonSchema>(self) -> Self {
        let mut operation = self.takes::<T>();
        operation.request.iter_mut().for_each(|body| body.required = false);
        operation
    }

    /// With a body of that media type, or of another that is said as well.
    #[must_use]
    pub fn takes_as<T: JsonSchema>(mut self, media_type: &'static str) -> Self {
        let body = self.request.get_or_insert(RequestBody { required: true, content: Vec::new() });
        body.content.push((media_type, |generator| generator.subschema_for::<T>()));
        self
    }

    /// Answers that, in JSON.
    #[must_use]
    pub fn answers<T: JsonSchema>(self, status: u16) -> Self {
        self.answers_as::<T>(status, JSON)
    }

    /// Answers that, as that media type.
    #[must_use]
    pub fn answers_as<T: JsonSchema>(mut self, status: u16, media_type: &'static str) -> Self {
        self.answers.push(Answer { status, body: Some((media_type, |generator| generator.subschema_for::<T>())) });
        self
    }

    /// Answers 204.
    #[must_use]
    pub fn answers_nothing(mut self) -> Self {
        self.answers.push(Answer { status: 204, body: None });
        self
    }

    /// Answers with an `ETag`, and 304 to whoever has the answer already.
    #[must_use]
    pub fn cached(mut self) -> Self {
        self.cached = true;
        self
    }

    /// Refuses by these problems, beside those that come from what the route is.
    #[must_use]
    pub fn refuses(mut self, slugs: &[&'static str]) -> Self {
        self.refusals.extend(slugs);
        self
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.route.split_once(' ').map_or("", |(method, _)| method)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.route.split_once(' ').map_or("", |(_, path)| path)
    }

    /// Whether it takes an idempotency key.
    #[must_use]
    pub fn takes_key(&self) -> bool {
        idempotency::takes_key(self.route)
    }

    /// Whether staff may see it as a contact sees it.
    #[must_use]
    pub fn shows_as_seen(&self) -> bool {
        view_as::shows_as_seen(self.route)
    }

    /// By what it refuses, with the status: also what comes from what the route is.
    #[must_use]
    pub fn problems(&self) -> Vec<(u16, &'static str)> {
        let mut slugs = self.refusals.clone();
        // A parameter that is not known is refused everywhere.
        slugs.extend(["invalid_fields", "internal_error", "service_busy"]);
        if self.callers == Callers::Anybody {
            slugs.push("too_many_requests");
        } else {
            slugs.extend(["sign_in_required", "forbidden"]);
        }
        if self.path().contains('{') || self.shows_as_seen() {
            slugs.push("not_found");
        }
        if self.method() != "GET" {
            slugs.push("conflict");
        }
        if self.request.is_some() {
            slugs.extend(["invalid_body", "body_too_large", "unsupported_media_type"]);
        }
        if self.takes_key() {
            slugs.extend(["in_progress", "idempotency_key_reused", "body_too_large"]);
        }
        if !self.queries.is_empty() {
            slugs.push("invalid_cursor");
        }
        let mut problems: Vec<_> = SLUGS.into_iter().filter(|(_, slug)| slugs.contains(slug)).collect();
        problems.sort_unstable();
        problems
    }

    /// Problems that it names and that there are not.
    #[must_use]
    pub fn unknown_problems(&self) -> Vec<&'static str> {
        let known = |slug: &&str| SLUGS.iter().any(|(_, known)| known == slug);
        self.refusals.iter().copied().filter(|slug| !known(slug)).collect()
    }

    /// Whether what it says of its callers is what the requests are held to.
    #[must_use]
    pub fn is_public_as_asked(&self) -> bool {
        self.method() != "POST" || (self.callers == Callers::Anybody) == idempotency::is_public(self.route)
    }
}

/// The answer that says no more than that something was heard.
#[derive(Debug, serde::Serialize, JsonSchema)]
pub struct Received {
    #[schemars(extend("enum" = ["received"]))]
    status: &'static str,
}

impl Received {
    /// It was.
    pub const RECEIVED: Self = Self { status: "received" };
}

//! Many records at once: each is taken or refused for itself.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use gatehouse::domain::{CompanyId, RecordLine, Reference, Right, TextError};
use gatehouse::http::{ApiRequest, ApiResponse, Effect, FieldError, Problem, json, one_of_many};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::push::{Outcome, Said};
use crate::{Records, Shown};

/// So many are taken at once.
const MOST_ITEMS: usize = 500;
/// So much is repeated of what was sent as a reference, in characters.
const LONGEST_SHOWN: usize = 100;

/// So that one that is wrong does not keep the others, each is parsed for itself: what it must be, is `C`.
#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "{C}Batch")]
#[serde(deny_unknown_fields, bound = "")]
pub(crate) struct Batch<C> {
    #[schemars(with = "Vec<Item<C>>", length(min = 1, max = 500))]
    items: Vec<Value>,
    #[serde(skip)]
    of: PhantomData<C>,
}

/// What an item must be.
#[derive(schemars::JsonSchema)]
#[schemars(rename = "{C}Item")]
#[expect(dead_code, reason = "its schema alone is used: items are parsed one by one")]
struct Item<C> {
    reference: Reference,
    #[serde(flatten)]
    change: C,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "BatchResult")]
pub(crate) struct BatchView {
    items: Vec<ItemView>,
    created: usize,
    updated: usize,
    unchanged: usize,
    refused: usize,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "BatchItemResult")]
struct ItemView {
    reference: Option<String>,
    #[schemars(extend("enum" = ["created", "updated", "unchanged", "refused"]))]
    result: &'static str,
    id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

impl Records {
    /// Each for itself: what is wrong with one does not keep the others.
    pub(crate) async fn push_many<T: Shown>(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let staff = self.gate.staff(request, Right::ManageRecords).await?;
        let company: CompanyId = request.id("id")?;
        let Batch::<T::Change> { items, .. } = request.json()?;
        if items.is_empty() || items.len() > MOST_ITEMS {
            let problem = format!("must have 1 to {MOST_ITEMS} of them, but has {}", items.len());
            return Err(Problem::invalid_field("items", problem));
        }
        let items = &items;
        let attempt = || async {
            let mut answers: BTreeMap<usize, ItemView> = BTreeMap::new();
            let (mut said, mut names): (Vec<Said<T::Change>>, BTreeSet<Reference>) = Default::default();
            for (place, item) in items.iter().enumerate() {
                let parsed = parse::<T>(place, item.clone()).and_then(|one| {
                    let first = names.insert(one.reference.clone());
                    let twice = || Problem::invalid_field("reference", "stands in this batch more than once");
                    first.then_some(one).ok_or_else(twice)
                });
                match parsed {
                    Ok(one) => said.push(one),
                    Err(problem) => drop(answers.insert(place, ItemView::of::<T>(item, Outcome::Refused(problem)))),
                }
            }
            for (place, outcome) in self.push::<T>(&staff, company, said).await? {
                let item = items.get(place).unwrap_or(&Value::Null);
                answers.insert(place, ItemView::of::<T>(item, outcome));
            }
            let count = |result| answers.values().filter(|answer| answer.result == result).count();
            let [created, updated, unchanged, refused] = ["created", "updated", "unchanged", "refused"].map(count);
            let view = BatchView { items: answers.into_values().collect(), created, updated, unchanged, refused };
            Ok(Effect::none(json(StatusCode::OK, &view)?))
        };
        self.gate.idempotent(request, staff.id, attempt).await
    }
}

/// One of many, as it was sent.
fn parse<T: Shown>(place: usize, mut item: Value) -> Result<Said<T::Change>, Problem> {
    let reference = item.as_object_mut().and_then(|item| item.remove("reference"));
    let change = one_of_many(item)?;
    let wrong = |problem: String| Problem::invalid_field("reference", problem);
    let reference = reference.ok_or_else(|| wrong("is needed".to_owned()))?;
    let reference = reference.as_str().ok_or_else(|| wrong("must be a string".to_owned()))?;
    let reference = reference.parse().map_err(|error: TextError| wrong(error.to_string()))?;
    Ok(Said { place, reference, change })
}

impl ItemView {
    fn of<T: Shown>(item: &Value, outcome: Outcome<T>) -> Self {
        // What is too long to be a reference is not repeated.
        let sent = item["reference"].as_str().filter(|text| text.chars().count() <= LONGEST_SHOWN).map(str::to_owned);
        let of = |result, record: T| {
            let line = record.line();
            let (reference, id) = (Some(line.reference().to_string()), Some(line.id().to_string()));
            Self { reference, result, id, errors: Vec::new() }
        };
        match outcome {
            Outcome::Created(record) => of("created", record),
            Outcome::Updated(record) => of("updated", record),
            Outcome::Unchanged(record) => of("unchanged", record),
            Outcome::Refused(problem) => {
                Self { reference: sent, result: "refused", id: None, errors: problem.into_errors() }
            }
        }
    }
}

//! Who did what, when: for people as a list, for a spreadsheet as CSV.

mod contract;
mod export;

use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity as Record, ActivityId, ActivityKind, ActorId, CompanyId, ContactId, FieldChange, FileId, PersonName,
    Right, ShareId,
};
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Gate, List, Operator, PageQuery, Problem, json};
use gatehouse::store::ActivityQuery;
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

pub use contract::contract;

/// The function.
pub struct Activity {
    gate: Gate,
}

/// The media type of an export.
const CSV: &str = "text/csv";

impl Function for Activity {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await? })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "GET /v1/activity" => self.list(request).await,
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
struct Filter {
    contact_id: Option<ContactId>,
    share_id: Option<ShareId>,
    kind: Option<ActivityKind>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ActivityEntry")]
struct View {
    id: ActivityId,
    at: Timestamp,
    kind: ActivityKind,
    actor_id: Option<ActorId>,
    actor_name: Option<PersonName>,
    company_id: Option<CompanyId>,
    contact_id: Option<ContactId>,
    share_id: Option<ShareId>,
    files: Vec<FileId>,
    by_link: bool,
    same_person: bool,
    target_id: Option<ActorId>,
    changed: Vec<FieldChange>,
    count: Option<u32>,
}

impl From<Record> for View {
    fn from(record: Record) -> Self {
        let Record { id, at, kind, actor, company_id, contact_id, share_id, files, by_link, same_person, .. } = record;
        let (actor_id, actor_name) = (actor.id, actor.name);
        let (target_id, changed, count) = (record.target_id, record.changed, record.count);
        Self {
            id,
            at,
            kind,
            actor_id,
            actor_name,
            company_id,
            contact_id,
            share_id,
            files,
            by_link,
            same_person,
            target_id,
            changed,
            count,
        }
    }
}

impl Filter {
    fn query(self) -> Result<ActivityQuery, Problem> {
        let Self { contact_id: contact, share_id: share, kind, from, to } = self;
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            return Err(Problem::invalid_field("to", "must not be before from"));
        }
        Ok(ActivityQuery { contact, share, kind, from, to })
    }
}

fn list_of(staff: &Operator, query: &ActivityQuery) -> List {
    List::of(&[&"activity", &staff.id, &format_args!("{query:?}")])
}

impl Activity {
    async fn list(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let staff = self.gate.staff(request, Right::ReadActivity).await?;
        if request.prefers(&["application/json", CSV]) == CSV {
            return self.export(request, &staff).await;
        }
        let (filter, page): (Filter, PageQuery) = request.list_query()?;
        let query = filter.query()?;
        let list = list_of(&staff, &query);
        let after = self.gate.after(&list, &page).await?;
        let (records, next) = self.gate.store.activity(&query, after, page.limit, self.gate.now()).await?;
        let items = records.into_iter().map(View::from).collect();
        json(StatusCode::OK, &self.gate.listed(&list, items, next.as_ref()).await?)
    }
}

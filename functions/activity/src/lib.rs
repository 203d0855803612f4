//! Who did what, when: for people as a list, for a spreadsheet as CSV.

use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity as Record, ActivityId, ActivityKind, ActorId, CompanyId, ContactId, FileId, PersonName, Right, ShareId,
};
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Gate, List, PageQuery, Problem, json};
use gatehouse::store::ActivityQuery;
use lambda_http::Body;
use lambda_http::http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

/// The function.
pub struct Activity {
    gate: Gate,
}

/// An export has this many rows at most: what one answer of Lambda can carry.
const MOST_ROWS: usize = 10_000;

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

#[derive(Deserialize)]
struct Filter {
    contact_id: Option<ContactId>,
    share_id: Option<ShareId>,
    kind: Option<ActivityKind>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

#[derive(Serialize)]
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
}

impl From<Record> for View {
    fn from(record: Record) -> Self {
        let Record { id, at, kind, actor, company_id, contact_id, share_id, files, by_link, same_person } = record;
        let (actor_id, actor_name) = (actor.id, actor.name);
        Self { id, at, kind, actor_id, actor_name, company_id, contact_id, share_id, files, by_link, same_person }
    }
}

impl Activity {
    async fn list(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let staff = self.gate.staff(request, Right::ReadActivity).await?;
        let Filter { contact_id: contact, share_id: share, kind, from, to } = request.query()?;
        let query = ActivityQuery { contact, share, kind, from, to };
        if request.accepts("text/csv") {
            let (records, _) = store.activity(&query, None, MOST_ROWS, now).await?;
            return as_csv(records);
        }
        let list = List::of(&[&"activity", &staff.id, &format_args!("{query:?}")]);
        let page: PageQuery = request.query()?;
        let after: Option<String> = self.gate.after(&list, &page).await?;
        let (records, next) = store.activity(&query, after.as_deref(), page.limit, now).await?;
        let items = records.into_iter().map(View::from).collect();
        json(StatusCode::OK, &self.gate.listed(&list, items, next.as_ref()).await?)
    }
}

fn as_csv(records: Vec<Record>) -> Result<ApiResponse, Problem> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let head = ["at", "kind", "actor_id", "actor_name", "company_id", "contact_id", "share_id", "files", "by_link"];
    csv.write_record(head).map_err(Problem::internal)?;
    for record in records {
        let view = View::from(record);
        let kind = serde_json::to_value(view.kind).map_err(Problem::internal)?;
        let text = |value: Option<String>| value.unwrap_or_default();
        let row = [
            view.at.to_string(),
            kind.as_str().unwrap_or_default().to_owned(),
            text(view.actor_id.map(|id| id.to_string())),
            defused(&text(view.actor_name.map(|name| name.to_string()))),
            text(view.company_id.map(|id| id.to_string())),
            text(view.contact_id.map(|id| id.to_string())),
            text(view.share_id.map(|id| id.to_string())),
            view.files.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            view.by_link.to_string(),
        ];
        csv.write_record(row).map_err(Problem::internal)?;
    }
    let text = csv.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let mut response = ApiResponse::new(Body::Text(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"activity.csv\""));
    Ok(response)
}

/// A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, "CSV Injection").
fn defused(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::defused;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(defused("=HYPERLINK(\"http://evil.example\")"), "'=HYPERLINK(\"http://evil.example\")");
        assert_eq!(defused("@SUM(1)"), "'@SUM(1)");
        assert_eq!(defused("Ann-Marie"), "Ann-Marie");
    }
}

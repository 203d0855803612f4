//! What only the local stack has: the mailbox, SES's outage, the clock.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use gatehouse::clock::{Clock, SignedDuration};
use minijinja::{Environment, context};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::warn;

use crate::bucket::Bucket;
use crate::database::Database;
use crate::iam::{Guard, SESSION_TOKEN};
use crate::mailbox::Mailbox;

/// How often what has ended is deleted.
const EXPIRE: Duration = Duration::from_mins(1);

/// SES: who may send, and where mails go.
#[derive(Clone)]
pub(crate) struct Ses {
    pub(crate) mailbox: Mailbox,
    pub(crate) guard: Guard,
    pub(crate) mail_from: String,
}

#[derive(Clone)]
pub(crate) struct Control {
    ses: Ses,
    clock: Clock,
    database: Database,
    bucket: Bucket,
}

#[derive(Deserialize)]
struct To {
    to: Option<String>,
}

#[derive(Deserialize)]
struct Outage {
    on: bool,
    #[serde(default)]
    refuses: bool,
}

#[derive(Deserialize)]
struct Advance {
    advance_seconds: u32,
}

/// A fault of the local stack itself.
struct Fault(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, format!("{:#}", self.0)).into_response()
    }
}

impl Control {
    pub(crate) fn new(ses: Ses, clock: Clock, database: Database, bucket: Bucket) -> Self {
        Self { ses, clock, database, bucket }
    }

    /// Deletes what has ended, by the time of the clock that a test can move.
    pub(crate) async fn keep_time(self) {
        loop {
            tokio::time::sleep(EXPIRE).await;
            if let Err(error) = self.expire() {
                warn!(%error, "what has ended cannot be deleted");
            }
        }
    }

    fn expire(&self) -> anyhow::Result<()> {
        self.database.expire()?;
        self.bucket.expire()
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/_local/ses/v2/email/outbound-emails", post(send_email))
            .route("/_local/mail.json", get(mails).delete(clear))
            .route("/_local/mail", get(page))
            .route("/_local/mail/outage", put(outage))
            .route("/_local/clock", post(advance))
            .route("/_local/health", get(health))
            .with_state(self)
    }
}

async fn send_email(
    State(control): State<Control>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Result<Response, Fault> {
    let token = headers.get(SESSION_TOKEN).and_then(|token| token.to_str().ok()).unwrap_or_default();
    let Ses { guard, mail_from, .. } = &control.ses;
    if let Err(denied) = guard.check_mail(token, &request, mail_from) {
        let kind = [("x-amzn-errortype", "AccessDeniedException")];
        return Ok((StatusCode::FORBIDDEN, kind, Json(json!({ "message": denied.to_string() }))).into_response());
    }
    if control.ses.mailbox.out_of_order() {
        return Ok((StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "message": "SES is out of order" }))).into_response());
    }
    if control.ses.mailbox.refuses() {
        let kind = [("x-amzn-errortype", "MessageRejected")];
        let message = json!({ "message": "Email address is not verified." });
        return Ok((StatusCode::BAD_REQUEST, kind, Json(message)).into_response());
    }
    let id = control.ses.mailbox.take(&request)?;
    Ok(Json(json!({ "MessageId": id })).into_response())
}

async fn mails(State(control): State<Control>, Query(query): Query<To>) -> Json<Value> {
    Json(json!(control.ses.mailbox.list(query.to.as_deref())))
}

async fn clear(State(control): State<Control>) -> Result<StatusCode, Fault> {
    control.ses.mailbox.clear()?;
    Ok(StatusCode::NO_CONTENT)
}

async fn page(State(control): State<Control>, Query(query): Query<To>) -> Result<Html<String>, Fault> {
    let mut templates = Environment::new();
    templates.add_template("mailbox.html", include_str!("mailbox.html"))?;
    let mails = control.ses.mailbox.list(query.to.as_deref());
    let page = templates.get_template("mailbox.html")?.render(context! { mails, to => query.to })?;
    Ok(Html(page))
}

async fn outage(State(control): State<Control>, Json(outage): Json<Outage>) -> Json<Value> {
    control.ses.mailbox.set_outage(outage.on, outage.refuses);
    Json(json!({ "on": outage.on }))
}

async fn advance(State(control): State<Control>, Json(advance): Json<Advance>) -> Result<Json<Value>, Fault> {
    control.clock.advance(SignedDuration::from_secs(advance.advance_seconds.into()));
    control.expire()?;
    Ok(Json(json!({ "now": control.clock.now() })))
}

async fn health(State(control): State<Control>) -> Response {
    let healthy = control.database.answers();
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "healthy": healthy, "now": control.clock.now() }))).into_response()
}

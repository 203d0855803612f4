//! Idempotency keys: a request that creates or sends takes effect once, however often it arrives.
//!
//! A lock says that the first is at work; its response replaces the lock in the very transaction of its effect. So a
//! second request never has an effect of its own, whenever it comes and wherever the first one died.

use lambda_http::Body;
use lambda_http::http::StatusCode;
use ring::digest;
use serde::Serialize;
use tracing::warn;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::call::ApiRequest;
use super::gate::Gate;
use super::problem::Problem;
use super::{ApiResponse, json_text, retry_on_conflict};
use crate::domain::ActorId;
use crate::store::{KeyState, ResponseLock, StoredResponse, Transaction};

/// The routes that take an idempotency key. Any other POST refuses one: strangers cannot be told apart, and what
/// changes nothing but the activity may be sent again as it is.
const TAKES_KEY: [&str; 21] = [
    "POST /v1/api-keys",
    "POST /v1/companies",
    "POST /v1/companies/{id}/assets",
    "POST /v1/companies/{id}/contacts",
    "POST /v1/companies/{id}/jobs",
    "POST /v1/companies/{id}/merge",
    "POST /v1/companies/{id}/sites",
    "POST /v1/contacts/{id}/invitation",
    "POST /v1/jobs/{id}/comments",
    "POST /v1/jobs/{id}/files",
    "POST /v1/problem-photos",
    "POST /v1/problems",
    "POST /v1/registrations/{id}/decline",
    "POST /v1/registrations/{id}/map",
    "POST /v1/shares",
    "POST /v1/shares/{id}/files",
    "POST /v1/shares/{id}/recipients",
    "POST /v1/shares/{id}/recipients/{rid}/link",
    "POST /v1/shares/{id}/send",
    "POST /v1/staff",
    "POST /v1/staff/{id}/invitation",
];

/// The routes of strangers: nobody is asked who calls.
const PUBLIC: [&str; 14] = [
    "POST /v1/activations",
    "POST /v1/activations/check",
    "POST /v1/activations/renew",
    "POST /v1/links/download",
    "POST /v1/links/downloads",
    "POST /v1/links/preview",
    "POST /v1/links/get-access",
    "POST /v1/links/open",
    "POST /v1/links/thumbnails",
    "POST /v1/password-resets",
    "POST /v1/password-resets/confirm",
    "POST /v1/registrations",
    "POST /v1/sessions",
    "POST /v1/unsubscribe/{token}",
];

/// The most that is stored of a response, in bytes: an item of the table may have 400 kB.
const MOST_STORED: usize = 300 * 1024;

pub(super) fn takes_key(route: &str) -> bool {
    TAKES_KEY.contains(&route)
}

/// Whether nobody is asked who calls.
pub(super) fn is_public(route: &str) -> bool {
    PUBLIC.contains(&route)
}

/// What a request changes and the response that tells of it, to be written together.
#[must_use = "nothing is written before it is given to the gate"]
pub struct Effect<'a> {
    transaction: Option<Transaction<'a>>,
    response: ApiResponse,
    /// Where it is not the response itself: without what expires, and without secrets.
    stored: Option<String>,
}

impl<'a> Effect<'a> {
    /// A change, and the response that tells of it.
    pub fn new(transaction: Transaction<'a>, response: ApiResponse) -> Self {
        Self { transaction: Some(transaction), response, stored: None }
    }

    /// The response where there is nothing to change.
    pub fn none(response: ApiResponse) -> Self {
        Self { transaction: None, response, stored: None }
    }

    /// What is stored of the response, where that has in it what expires or what nobody may store.
    pub fn storing(self, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self { stored: Some(serde_json::to_string(body).map_err(Problem::internal)?), ..self })
    }
}

impl Gate {
    /// Lets a request take effect: once for each idempotency key of that caller; without a key, as it comes. Where a
    /// record has changed between its read and its write, `attempt` decides again.
    ///
    /// The same request again gets the stored response; another one with that key `422 idempotency_key_reused`, and one
    /// that comes while the first is at work `409 in_progress`. A request that was refused may be sent again.
    pub async fn idempotent<'a, F: Future<Output = Result<Effect<'a>, Problem>>>(
        &'a self,
        request: &ApiRequest,
        caller: ActorId,
        attempt: impl FnMut() -> F,
    ) -> Result<ApiResponse, Problem> {
        self.idempotent_or(request, caller, attempt, async |stored| Ok(stored)).await
    }

    /// [`Self::idempotent`], where a stored response must be completed before it is answered again.
    pub async fn idempotent_or<'a, F, R>(
        &'a self,
        request: &ApiRequest,
        caller: ActorId,
        mut attempt: impl FnMut() -> F,
        replay: impl FnOnce(ApiResponse) -> R,
    ) -> Result<ApiResponse, Problem>
    where
        F: Future<Output = Result<Effect<'a>, Problem>>,
        R: Future<Output = Result<ApiResponse, Problem>>,
    {
        let lock = match request.idempotency_key()? {
            None => None,
            Some(key) => {
                let (key, content) = (sha256(key.as_bytes()), sha256(&request.content()?));
                match self.store.lock_response(caller, &key, &content, self.now()).await? {
                    KeyState::Acquired(lock) => Some(lock),
                    KeyState::InProgress => return Err(Problem::in_progress()),
                    KeyState::OtherRequest => return Err(Problem::idempotency_key_reused()),
                    KeyState::Answered(StoredResponse { status, body }) => {
                        let status = StatusCode::from_u16(status).map_err(Problem::internal)?;
                        return replay(json_text(status, body)).await;
                    }
                }
            }
        };
        let done = retry_on_conflict(|| {
            let effect = attempt();
            let lock = lock.as_ref();
            async move { self.take_effect(effect.await?, lock).await }
        })
        .await;
        if let (Err(_), Some(lock)) = (&done, &lock)
            && let Err(error) = self.store.release_response(lock).await
        {
            // It ends by itself; the answer is why the request failed.
            warn!(%error, "the lock of an idempotency key could not be released");
        }
        done
    }

    async fn take_effect(&self, effect: Effect<'_>, lock: Option<&ResponseLock>) -> Result<ApiResponse, Problem> {
        let Effect { transaction, response, stored } = effect;
        let transaction = match (transaction, lock) {
            (transaction, None) => transaction,
            (transaction, Some(lock)) => {
                let shown = if let Body::Text(text) = response.body() { text.as_str() } else { "" };
                let body = stored.unwrap_or_else(|| shown.to_owned());
                if body.len() > MOST_STORED {
                    return Err(Problem::internal(format!("a response of {} bytes cannot be stored", body.len())));
                }
                let stored = StoredResponse { status: response.status().as_u16(), body };
                let transaction = transaction.unwrap_or_else(|| self.store.transaction());
                Some(transaction.store_response(lock, stored, self.now()))
            }
        };
        if let Some(transaction) = transaction {
            transaction.commit().await?;
        }
        Ok(response)
    }
}

fn sha256(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, bytes))
}

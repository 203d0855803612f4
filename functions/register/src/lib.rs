//! A stranger asks for access. Whatever the address is to us, the answer and the work are the same: who is behind
//! the address learns more by mail.

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::domain::AccessRequest;
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Gate, Problem, json, retry_on_conflict};
use gatehouse::store::Requests;
use lambda_http::http::StatusCode;

/// The function.
pub struct Register {
    gate: Gate,
}

impl Function for Register {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await? })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "POST /v1/registrations" => self.register(request, request.json()?).await,
            _ => Err(Problem::not_found()),
        }
    }
}

impl Register {
    async fn register(&self, request: &ApiRequest, new: AccessRequest) -> Result<ApiResponse, Problem> {
        let (store, now, network) = (&self.gate.store, self.gate.now(), request.network());
        let (for_address, from) = (Requests::RegistrationsFor(new.email.as_str()), Requests::From(&network));
        let (for_address, from) = try_join!(store.take(for_address, now), store.take(from, now))?;
        from.map_err(|until| Problem::too_many_requests(until, now))?;
        if for_address.is_ok() {
            retry_on_conflict(async || Ok(store.request_access(&new, now).await?)).await?;
        }
        json(StatusCode::ACCEPTED, &serde_json::json!({ "status": "received" }))
    }
}

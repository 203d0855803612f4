//! A stranger asks for access. Whatever the address is to us, the answer and the work are the same: who is behind
//! the address learns more by mail.

mod contract;

use gatehouse::aws::Env;
use gatehouse::domain::AccessRequest;
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Gate, Problem, Received, json, retry_on_conflict};
use gatehouse::store::{Asked, Hourly};
use lambda_http::http::StatusCode;

pub use contract::contract;

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
        let (store, throttle, now) = (&self.gate.store, self.gate.throttle(request).await?, self.gate.now());
        let heard = throttle.request_from(request.network(), now).await?;
        heard.map_err(|until| Problem::too_many_requests(until, now))?;
        retry_on_conflict(|| async {
            if let Ok(allowed) = throttle.hourly(Hourly::RegistrationsFor(new.email.as_str()), now).await? {
                store.request_access(&throttle, &new, Asked::ByForm, allowed, now).await?;
            }
            Ok(())
        })
        .await?;
        json(StatusCode::ACCEPTED, &Received::RECEIVED)
    }
}

//! Who works for the operator and what each may do; and the keys of its systems.

mod keys;
mod people;

use gatehouse::aws::Env;
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Gate, Problem, retry_on_conflict};

/// The function.
pub struct Staff {
    gate: Gate,
}

impl Function for Staff {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await? })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "POST /v1/staff" => {
                let new = request.json()?;
                retry_on_conflict(|| self.enter(request, &new)).await
            }
            "GET /v1/staff" => self.list(request).await,
            "PATCH /v1/staff/{id}" => {
                let change = request.json()?;
                retry_on_conflict(|| self.change(request, &change)).await
            }
            "DELETE /v1/staff/{id}" => retry_on_conflict(|| self.remove(request)).await,
            "POST /v1/staff/{id}/invitation" => retry_on_conflict(|| self.invite_again(request)).await,
            "PUT /v1/staff/{id}/duty" => {
                let duty = request.json()?;
                retry_on_conflict(|| self.switch_duty(request, &duty)).await
            }
            "POST /v1/api-keys" => self.make_key(request, request.json()?).await,
            "GET /v1/api-keys" => self.list_keys(request).await,
            "DELETE /v1/api-keys/{id}" => retry_on_conflict(|| self.revoke_key(request)).await,
            _ => Err(Problem::not_found()),
        }
    }
}

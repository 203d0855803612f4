//! Who works for the operator and what each may do; and the keys of its systems.

mod keys;
mod people;

use gatehouse::aws::Env;
use gatehouse::event::StartError;
use gatehouse::http::{Answer, Call, Function, Gate, Problem, retry_stale};

/// The function.
pub struct Staff {
    gate: Gate,
}

impl Function for Staff {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await? })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route() {
            "POST /v1/staff" => {
                let new = call.json()?;
                retry_stale(|| self.enter(call, &new)).await
            }
            "GET /v1/staff" => self.list(call).await,
            "PATCH /v1/staff/{id}" => {
                let change = call.json()?;
                retry_stale(|| self.change(call, &change)).await
            }
            "DELETE /v1/staff/{id}" => retry_stale(|| self.remove(call)).await,
            "POST /v1/staff/{id}/invitation" => retry_stale(|| self.invite_again(call)).await,
            "PUT /v1/staff/{id}/duty" => {
                let duty = call.json()?;
                retry_stale(|| self.switch_duty(call, &duty)).await
            }
            "POST /v1/api-keys" => self.make_key(call, call.json()?).await,
            "GET /v1/api-keys" => self.list_keys(call).await,
            "DELETE /v1/api-keys/{id}" => retry_stale(|| self.revoke_key(call)).await,
            _ => Err(Problem::not_found()),
        }
    }
}

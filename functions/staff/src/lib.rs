//! Who works for the operator and what each may do; and the keys of its systems.

mod contract;
mod keys;
mod people;

use gatehouse::aws::Env;
use gatehouse::domain::Right;
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Gate, Problem, retry_on_conflict};
use serde::Serialize;

pub use contract::contract;

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
                let admin = self.gate.staff(request, Right::ManageStaff).await?;
                let new = request.json()?;
                self.gate.idempotent(request, admin.id, || self.enter(&admin, &new)).await
            }
            "GET /v1/staff" => self.list(request).await,
            "PATCH /v1/staff/{id}" => retry_on_conflict(|| self.change(request)).await,
            "DELETE /v1/staff/{id}" => retry_on_conflict(|| self.remove(request)).await,
            "POST /v1/staff/{id}/invitation" => {
                let admin = self.gate.staff(request, Right::ManageStaff).await?;
                self.gate.idempotent(request, admin.id, || self.invite_again(&admin, request)).await
            }
            "PUT /v1/staff/{id}/duty" => retry_on_conflict(|| self.switch_duty(request)).await,
            "POST /v1/api-keys" => {
                let admin = self.gate.staff(request, Right::ManageKeys).await?;
                let new = request.json()?;
                self.gate.idempotent(request, admin.id, || async { self.make_key(&admin, &new) }).await
            }
            "GET /v1/api-keys" => self.list_keys(request).await,
            "DELETE /v1/api-keys/{id}" => retry_on_conflict(|| self.revoke_key(request)).await,
            _ => Err(Problem::not_found()),
        }
    }
}

/// Roles or scopes as the activity names them.
fn words<'a, T: Serialize + 'a>(of: impl IntoIterator<Item = &'a T>) -> String {
    let words = of.into_iter().map(|one| serde_json::to_value(one).ok()?.as_str().map(str::to_owned));
    words.flatten().collect::<Vec<_>>().join(" ")
}

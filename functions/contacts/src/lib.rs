//! Companies and their contacts: enter, read, change, list. For the staff.

mod companies;
mod contacts;
mod contract;
mod merge;
mod users;

use gatehouse::aws::Env;
use gatehouse::domain::Right;
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Gate, Problem, retry_on_conflict};

pub use contract::contract;

/// The function.
pub struct Contacts {
    gate: Gate,
}

impl Function for Contacts {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await? })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "POST /v1/companies" => {
                let staff = self.gate.staff(request, Right::ManageCustomers).await?;
                let new = request.json()?;
                self.gate.idempotent(request, staff.id, || self.create_company(&staff, &new)).await
            }
            "GET /v1/companies" => self.list_companies(request).await,
            "GET /v1/companies/{id}" => self.show_company(request).await,
            "PATCH /v1/companies/{id}" => retry_on_conflict(|| self.change_company(request)).await,
            "POST /v1/companies/{id}/contacts" => {
                let staff = self.gate.staff(request, Right::ManageCustomers).await?;
                let (company, new) = (request.id("id")?, request.json()?);
                self.gate.idempotent(request, staff.id, || self.create_contact(&staff, company, &new)).await
            }
            "POST /v1/companies/{id}/merge" => {
                let staff = self.gate.staff(request, Right::ManageCustomers).await?;
                let (id, merge) = (request.id("id")?, request.json()?);
                self.gate.idempotent(request, staff.id, || self.merge(&staff, id, &merge)).await
            }
            "GET /v1/companies/{id}/contacts" => self.list_contacts(request).await,
            "GET /v1/users" => self.list_users(request).await,
            "GET /v1/contacts/{id}" => self.show_contact(request).await,
            "PATCH /v1/contacts/{id}" => retry_on_conflict(|| self.change_contact(request)).await,
            _ => Err(Problem::not_found()),
        }
    }
}

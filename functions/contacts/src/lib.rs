//! Companies and their contacts: enter, read, change, list. For the staff.

mod companies;
mod contacts;
mod users;

use gatehouse::aws::Env;
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Gate, Problem, retry_on_conflict};

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
                let new = request.json()?;
                retry_on_conflict(|| self.create_company(request, &new)).await
            }
            "GET /v1/companies" => self.list_companies(request).await,
            "GET /v1/companies/{id}" => self.show_company(request).await,
            "PATCH /v1/companies/{id}" => {
                let change = request.json()?;
                retry_on_conflict(|| self.change_company(request, &change)).await
            }
            "POST /v1/companies/{id}/contacts" => {
                let new = request.json()?;
                retry_on_conflict(|| self.create_contact(request, &new)).await
            }
            "GET /v1/companies/{id}/contacts" => self.list_contacts(request).await,
            "GET /v1/users" => self.list_users(request).await,
            "GET /v1/contacts/{id}" => self.show_contact(request).await,
            "PATCH /v1/contacts/{id}" => {
                let change = request.json()?;
                retry_on_conflict(|| self.change_contact(request, &change)).await
            }
            _ => Err(Problem::not_found()),
        }
    }
}

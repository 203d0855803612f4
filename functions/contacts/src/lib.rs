//! Companies and their contacts: enter, read, change, list. For the staff.

mod companies;
mod contacts;
mod users;

use gatehouse::aws::Env;
use gatehouse::event::StartError;
use gatehouse::http::{Answer, Call, Function, Gate, Problem, retry_stale};

/// The function.
pub struct Contacts {
    gate: Gate,
}

impl Function for Contacts {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await? })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route() {
            "POST /v1/companies" => {
                let new = call.json()?;
                retry_stale(|| self.create_company(call, &new)).await
            }
            "GET /v1/companies" => self.list_companies(call).await,
            "GET /v1/companies/{id}" => self.show_company(call).await,
            "PATCH /v1/companies/{id}" => {
                let change = call.json()?;
                retry_stale(|| self.change_company(call, &change)).await
            }
            "POST /v1/companies/{id}/contacts" => {
                let new = call.json()?;
                retry_stale(|| self.create_contact(call, &new)).await
            }
            "GET /v1/companies/{id}/contacts" => self.list_contacts(call).await,
            "GET /v1/users" => self.list_users(call).await,
            "GET /v1/contacts/{id}" => self.show_contact(call).await,
            "PATCH /v1/contacts/{id}" => {
                let change = call.json()?;
                retry_stale(|| self.change_contact(call, &change)).await
            }
            _ => Err(Problem::not_found()),
        }
    }
}

//! The staff decide on requests for access: which company, which of its contacts, or that it is declined.

mod contract;
mod decide;
mod known;
mod suggest;

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    ActorId, CompanyName, ContactId, Decision, Email, Language, Message, PersonName, Phone, Registration,
    RegistrationId, Right,
};
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Gate, List, Problem, json};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

pub use contract::contract;

/// The function.
pub struct Map {
    gate: Gate,
}

impl Function for Map {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await? })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "GET /v1/registrations" => self.list(request).await,
            "GET /v1/registrations/{id}" => self.show(request).await,
            "POST /v1/registrations/{id}/map" => {
                let staff = self.gate.staff(request, Right::MapRegistrations).await?;
                let (id, to) = (request.id("id")?, request.json()?);
                self.gate.idempotent(request, staff.id, || self.map(&staff, id, &to)).await
            }
            "POST /v1/registrations/{id}/decline" => {
                let staff = self.gate.staff(request, Right::MapRegistrations).await?;
                let (id, why) = (request.id("id")?, request.json()?);
                self.gate.idempotent(request, staff.id, || self.decline(&staff, id, &why)).await
            }
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
struct StatusQuery {
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Copy, Default, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "RegistrationStatus")]
#[serde(rename_all = "snake_case")]
enum Status {
    #[default]
    Pending,
    Mapped,
    Declined,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Registration")]
pub(crate) struct RegistrationView {
    id: RegistrationId,
    #[schemars(with = "Status")]
    status: &'static str,
    name: PersonName,
    email: Email,
    company: CompanyName,
    phone: Option<Phone>,
    message: Option<Message>,
    language: Language,
    created_at: Timestamp,
    decided_by: Option<PersonName>,
    decided_at: Option<Timestamp>,
    contact_id: Option<ContactId>,
    reason: Option<Message>,
}

impl From<Registration> for RegistrationView {
    fn from(registration: Registration) -> Self {
        let status = registration.status();
        let Registration { id, name, email, company, phone, message, language, decision, created_at } = registration;
        let (decided_by, decided_at, contact_id, reason) = match decision {
            Decision::Pending => (None, None, None, None),
            Decision::Mapped { by, at, contact_id } => (Some(by), Some(at), Some(contact_id), None),
            Decision::Declined { by, at, reason } => (Some(by), Some(at), None, Some(reason)),
        };
        Self {
            id,
            status,
            name,
            email,
            company,
            phone,
            message,
            language,
            created_at,
            decided_by,
            decided_at,
            contact_id,
            reason,
        }
    }
}

impl Map {
    async fn list(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let staff = self.gate.staff(request, Right::MapRegistrations).await?;
        let (query, page): (StatusQuery, _) = request.list_query()?;
        let status = match query.status {
            Status::Pending => "pending",
            Status::Mapped => "mapped",
            Status::Declined => "declined",
        };
        let list = List::of(&[&"registrations", &staff.id, &status]);
        let page = self.gate.page(&list, &page).await?;
        let page = self.gate.store.registrations(status, page).await?;
        json(StatusCode::OK, &self.gate.list(&list, page, RegistrationView::from).await?)
    }

    async fn show(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let registration = async { Ok::<_, Problem>(self.gate.store.registration(request.id("id")?).await?) };
        let (staff, registration) = self.gate.staff_and(request, Right::MapRegistrations, registration).await?;
        let registration = registration.ok_or_else(Problem::not_found)?.record;
        // All roles that map may read customers; a key may map without that.
        let reads = match staff.id {
            ActorId::Person(_) => true,
            ActorId::Key(_) => self.gate.staff(request, Right::ReadCustomers).await.is_ok(),
        };
        let (shares, people) = (staff.may(Right::ReadShares), staff.may(Right::ReadStaff));
        let (suggestions, shared_before, told) = try_join!(
            self.suggest(&registration, reads),
            self.shared_before(&registration.email, shares),
            self.told(registration.id, people)
        )?;
        let registration = registration.into();
        json(StatusCode::OK, &known::Shown { registration, suggestions, shared_before, told })
    }
}

//! A share from its draft to its end: who makes it, who gets it, what changes afterwards.

mod change;
mod contract;
mod draft;
mod link;
mod recipient_list;
mod recipients;
mod send;

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::domain::Right;
use gatehouse::event::StartError;
use gatehouse::files::Files;
use gatehouse::http::{ApiRequest, ApiResponse, Customer, Function, Gate, Problem, retry_on_conflict};

pub use contract::contract;

/// The function.
pub struct Share {
    gate: Gate,
    files: Files,
    portal_url: String,
}

impl Function for Share {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await?, files: Files::new(env), portal_url: env.portal_url.clone() })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        if !matches!(request.route(), "POST /v1/shares" | "POST /v1/shares/{id}/send" | "DELETE /v1/shares/{id}") {
            self.refuse_customers(request).await?;
        }
        match request.route() {
            "POST /v1/shares" => {
                let maker = self.maker(request).await?;
                let new = request.json()?;
                let create = || self.create(&maker, &new);
                self.gate.idempotent_or(request, maker.id, create, |stored| self.with_uploads(stored)).await
            }
            "POST /v1/shares/{id}/send" => {
                let maker = self.maker(request).await?;
                let id = request.id("id")?;
                self.gate.idempotent(request, maker.id, || self.send(&maker, id)).await
            }
            "PATCH /v1/shares/{id}" => retry_on_conflict(|| self.change(request)).await,
            "DELETE /v1/shares/{id}" => retry_on_conflict(|| self.delete(request)).await,
            "GET /v1/shares/{id}/recipients" => Box::pin(self.list_recipients(request)).await,
            "POST /v1/shares/{id}/recipients" => {
                let staff = self.gate.staff(request, Right::ManageShares).await?;
                let (id, new) = (request.id("id")?, request.json()?);
                self.gate.idempotent(request, staff.id, || self.add_recipient(&staff, id, &new)).await
            }
            "POST /v1/shares/{id}/recipients/{rid}/link" => {
                let staff = self.gate.staff(request, Right::ManageShares).await?;
                let (id, rid) = (request.id("id")?, request.id("rid")?);
                self.gate.idempotent(request, staff.id, || self.make_link(&staff, id, &rid)).await
            }
            "DELETE /v1/shares/{id}/recipients/{rid}" => retry_on_conflict(|| self.remove_recipient(request)).await,
            _ => Err(Problem::not_found()),
        }
    }
}

impl Share {
    /// A customer changes and takes back nothing: it may not where it has the share, and knows of no other.
    async fn refuse_customers(&self, request: &ApiRequest) -> Result<(), Problem> {
        let Some(customer) = self.gate.customer(request).await? else { return Ok(()) };
        self.refuse(request, customer).await.map(|_| ())
    }

    async fn refuse(&self, request: &ApiRequest, customer: Customer) -> Result<ApiResponse, Problem> {
        let (store, id) = (&self.gate.store, request.id("id")?);
        let received = store.received(customer.contact, customer.company, id);
        let (received, share) = try_join!(received, store.share(id))?;
        self.gate.authorize_share(customer, received, share.as_deref(), &[]).await?;
        Err(Problem::forbidden("What was shared is changed and taken back by its sender alone."))
    }
}

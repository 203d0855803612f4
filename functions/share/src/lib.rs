//! A share from its draft to its end: who makes it, who gets it, what changes afterwards.

mod change;
mod draft;
mod recipients;
mod send;

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::event::StartError;
use gatehouse::files::Files;
use gatehouse::http::{Answer, Call, Function, Gate, Problem, retry_stale};

/// The function.
pub struct Share {
    gate: Gate,
    files: Files,
}

impl Function for Share {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await?, files: Files::new(env) })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        if !matches!(call.route(), "POST /v1/shares" | "POST /v1/shares/{id}/send") {
            self.refuse_customers(call).await?;
        }
        match call.route() {
            "POST /v1/shares" => {
                let new = call.json()?;
                retry_stale(|| self.create(call, &new)).await
            }
            "POST /v1/shares/{id}/send" => retry_stale(|| self.send(call)).await,
            "PATCH /v1/shares/{id}" => {
                let change = call.json()?;
                retry_stale(|| self.change(call, &change)).await
            }
            "DELETE /v1/shares/{id}" => retry_stale(|| self.revoke(call)).await,
            "GET /v1/shares/{id}/recipients" => self.list_recipients(call).await,
            "POST /v1/shares/{id}/recipients" => {
                let new = call.json()?;
                retry_stale(|| self.add_recipient(call, &new)).await
            }
            "DELETE /v1/shares/{id}/recipients/{rid}" => retry_stale(|| self.remove_recipient(call)).await,
            _ => Err(Problem::not_found()),
        }
    }
}

impl Share {
    /// A customer changes and takes back nothing: it may not where it has the share, and knows of no other.
    async fn refuse_customers(&self, call: &Call) -> Result<(), Problem> {
        let Some(customer) = self.gate.customer(call).await? else { return Ok(()) };
        let (store, id) = (&self.gate.store, call.id("id")?);
        let received = store.received(customer.contact, customer.company, id);
        let (received, share) = try_join!(received, store.share(id))?;
        self.gate.see(customer, received, share.as_deref(), &[]).await?;
        Err(Problem::forbidden("What was shared is changed and taken back by its sender alone."))
    }
}

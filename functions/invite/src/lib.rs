//! Sends a contact's invitation, sends it again, takes it back; opens and closes access.

mod access;
mod contract;

use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{Activity, ActivityKind, ContactId, Message, Right};
use gatehouse::event::StartError;
use gatehouse::http::{
    ApiRequest, ApiResponse, Effect, Function, Gate, Operator, Problem, json, no_content, retry_on_conflict,
};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

pub use contract::contract;

/// The function.
pub struct Invite {
    gate: Gate,
}

impl Function for Invite {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await? })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let staff = self.gate.staff(request, Right::ManageCustomers).await?;
        let id = request.id("id")?;
        match request.route() {
            "POST /v1/contacts/{id}/invitation" => {
                let body: Invitation = request.json_or_default()?;
                self.gate.idempotent(request, staff.id, || self.send(&staff, id, &body)).await
            }
            "DELETE /v1/contacts/{id}/invitation" => retry_on_conflict(|| self.withdraw(&staff, id)).await,
            "PUT /v1/contacts/{id}/access" => {
                let body = request.json()?;
                retry_on_conflict(|| self.switch(&staff, id, &body)).await
            }
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Default, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "NewInvitation")]
#[serde(deny_unknown_fields)]
struct Invitation {
    message: Option<Message>,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "InvitationSent")]
struct Sent {
    #[schemars(extend("enum" = gatehouse::domain::Access::WORDS))]
    access: &'static str,
    sent_at: Timestamp,
    expires_at: Timestamp,
}

impl Invite {
    /// The first invitation or one more: until the account exists, sending is the same, and ends the last link.
    async fn send(&self, staff: &Operator, id: ContactId, body: &Invitation) -> Result<Effect<'_>, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let contact = store.contact(id).await?.ok_or_else(Problem::not_found)?;
        let company = store.company(contact.company_id).await?.ok_or_else(Problem::not_found)?;
        let invited = contact.record.invite(&company, staff.id.staff(), now)?;
        let allowed = self.gate.invitation_to(&invited.to).await?;

        let sent = Sent {
            access: invited.contact.access.word(),
            sent_at: invited.invitation.sent_at,
            expires_at: invited.invitation.expires_at,
        };
        let response = json(StatusCode::ACCEPTED, &sent)?;
        let by = staff.actor();
        let activity = Activity::new(ActivityKind::Invited, by, now).contact(id).company(company.id);
        let mail = invited.mail(&company, body.message.clone(), now);
        let transaction = store.transaction().save(contact.rev, &invited.contact).mail(&mail).counted(allowed);
        Ok(Effect::new(transaction.activity(&activity), response))
    }

    /// Without an invitation there is nothing to take back, and nothing is wrong with that.
    async fn withdraw(&self, staff: &Operator, id: ContactId) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let contact = store.contact(id).await?.ok_or_else(Problem::not_found)?;
        let Some(access) = contact.access.withdraw() else { return Ok(no_content()) };

        let rev = contact.rev;
        let contact = gatehouse::domain::Contact { access, ..contact.record };
        let by = staff.actor();
        let activity =
            Activity::new(ActivityKind::InvitationWithdrawn, by, now).contact(id).company(contact.company_id);
        store.transaction().save(rev, &contact).activity(&activity).commit().await?;
        Ok(no_content())
    }
}

//! Sends a contact's invitation, sends it again, takes it back; opens and closes access.

mod access;

use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{Activity, ActivityKind, ContactId, Message, Right};
use gatehouse::event::StartError;
use gatehouse::http::{Answer, Call, Function, Gate, Once, Problem, json, no_content, retry_stale};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

/// The function.
pub struct Invite {
    gate: Gate,
}

impl Function for Invite {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await? })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        let id = call.id("id")?;
        match call.route() {
            "POST /v1/contacts/{id}/invitation" => {
                let body: Invitation = call.json_or_default()?;
                retry_stale(|| self.send(call, id, &body)).await
            }
            "DELETE /v1/contacts/{id}/invitation" => retry_stale(|| self.withdraw(call, id)).await,
            "PUT /v1/contacts/{id}/access" => {
                let body = call.json()?;
                retry_stale(|| self.switch(call, id, &body)).await
            }
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    message: Option<Message>,
}

#[derive(Serialize)]
struct Sent {
    access: &'static str,
    sent_at: Timestamp,
    expires_at: Timestamp,
}

impl Invite {
    /// The first invitation or one more: until the account exists, sending is the same, and ends the last link.
    async fn send(&self, call: &Call, id: ContactId, body: &Invitation) -> Result<Answer, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let (staff, contact) = self.gate.staff_and(call, Right::ManageCustomers, store.contact(id)).await?;
        let once = match self.gate.once(call, staff.id).await? {
            Once::Again(answer) => return Ok(answer),
            Once::First(once) => once,
        };
        let contact = contact.ok_or_else(Problem::not_found)?;
        let company = store.company(contact.company_id).await?.ok_or_else(Problem::not_found)?;
        let invited = contact.record.invite(&company, now).map_err(|refused| refused.problem(now))?;

        let sent = Sent {
            access: invited.contact.access.word(),
            sent_at: invited.invitation.sent_at,
            expires_at: invited.invitation.expires_at,
        };
        let answer = json(StatusCode::ACCEPTED, &sent)?;
        let by = staff.actor();
        let activity = Activity::new(ActivityKind::Invited, by, now).contact(id).company(company.id);
        store
            .transaction()
            .save(contact.rev, &invited.contact)
            .mail(&invited.mail(&company, body.message.clone(), now))
            .activity(&activity)
            .remember(&once, &answer, now)
            .commit()
            .await?;
        Ok(answer)
    }

    /// Without an invitation there is nothing to take back, and nothing is wrong with that.
    async fn withdraw(&self, call: &Call, id: ContactId) -> Result<Answer, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let (staff, contact) = self.gate.staff_and(call, Right::ManageCustomers, store.contact(id)).await?;
        let contact = contact.ok_or_else(Problem::not_found)?;
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

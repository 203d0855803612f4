//! The switch in the list of contacts: off, on.

use gatehouse::clock::Timestamp;
use gatehouse::domain::{Activity, ActivityKind, Areas, Contact, ContactId, Mail, Opened, OutboxMail};
use gatehouse::http::{ApiResponse, ContactView, Operator, Problem, json};
use gatehouse::store::Transaction;
use lambda_http::http::StatusCode;
use serde::Deserialize;

use crate::Invite;

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ChangeAccess")]
#[serde(deny_unknown_fields)]
pub(crate) struct Switch {
    state: State,
    areas: Option<Areas>,
    #[serde(default)]
    notify: bool,
}

#[derive(Clone, Copy, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "AccessSwitch")]
#[serde(rename_all = "snake_case")]
enum State {
    Open,
    Closed,
}

impl Invite {
    pub(crate) async fn switch(&self, staff: &Operator, id: ContactId, to: &Switch) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let contact = store.contact(id).await?.ok_or_else(Problem::not_found)?;
        let (rev, before) = (contact.rev, contact.record.clone());
        let areas = to.areas.clone().unwrap_or(contact.record.areas.clone());
        let contact = Contact { areas, ..contact.record };

        let mut allowed = None;
        let (contact, kind, mail) = match to.state {
            State::Closed => {
                let was_closed = contact.access.word() == "closed";
                let contact = if was_closed { contact } else { contact.close() };
                let notify = to.notify && !was_closed;
                let mail = notice(&contact, Mail::AccessClosed, notify, now);
                (contact, ActivityKind::AccessClosed, mail)
            }
            State::Open => {
                let company = store.company(contact.company_id).await?.ok_or_else(Problem::not_found)?;
                match contact.open(&company, staff.id.staff(), now)? {
                    // The invitation is the notice: without it nobody could come in.
                    Opened::Invited(invited) => {
                        allowed = Some(self.gate.invitation_to(&invited.to).await?);
                        let mail = invited.mail(&company, None, now);
                        (invited.contact, ActivityKind::Invited, Some(mail))
                    }
                    Opened::Restored(contact) => {
                        let mail = notice(&contact, Mail::AccessOpened, to.notify, now);
                        (contact, ActivityKind::AccessOpened, mail)
                    }
                    Opened::Unchanged(contact) => (contact, ActivityKind::ContactChanged, None),
                }
            }
        };
        if contact != before {
            let activity = Activity::new(kind, staff.actor(), now).contact(id).company(contact.company_id);
            let transaction = store.transaction().save(rev, &contact).activity(&activity);
            let transaction = allowed.into_iter().fold(transaction, Transaction::counted);
            mail.iter().fold(transaction, Transaction::mail).commit().await?;
        }
        json(StatusCode::OK, &ContactView::from(contact))
    }
}

/// Tells the contact, if it is to be told and can be.
fn notice(contact: &Contact, mail: Mail, notify: bool, now: Timestamp) -> Option<OutboxMail> {
    let to = contact.email.clone().filter(|_| notify)?;
    Some(OutboxMail::new(to, Some(contact.id.into()), contact.language.clone(), mail, now))
}

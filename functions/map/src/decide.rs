//! The decision: of many at once one is written, and the others are told whose.

use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Access, Activity, ActivityKind, AddressOf, Areas, Company, CompanyId, Contact, ContactId, Decision, InviteRefused,
    Invited, Mail, Message, OutboxMail, PersonName, Phone, Registration, RegistrationId, Right,
};
use gatehouse::http::{ContactView, Effect, Operator, Problem, json};
use gatehouse::store::{PendingOf, Rev, Stored, Transaction};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{Map, RegistrationView};

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "MapRegistration")]
#[serde(deny_unknown_fields)]
pub(crate) struct MapTo {
    company_id: CompanyId,
    contact_id: Option<ContactId>,
    new_contact: Option<NewContact>,
    #[serde(default)]
    replace_email: bool,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "MappedContact")]
#[serde(deny_unknown_fields)]
struct NewContact {
    name: PersonName,
    phone: Option<Phone>,
    #[serde(default)]
    areas: Areas,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "DeclineRegistration")]
#[serde(deny_unknown_fields)]
pub(crate) struct Declined {
    reason: Message,
    #[serde(default)]
    notify: bool,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "MappedRegistration")]
pub(crate) struct MappedView {
    contact: ContactView,
}

/// The contact before (if there was one) and after, and the mail that says how to sign in.
struct Mapped {
    was: Option<(Rev, Contact)>,
    contact: Contact,
    mail: OutboxMail,
    /// Whether that mail has an activation link.
    invited: bool,
}

impl Map {
    /// The request, still undecided; else who decided, and when.
    async fn pending(&self, id: RegistrationId) -> Result<Stored<Registration>, Problem> {
        let registration = self.gate.store.registration(id).await?.ok_or_else(Problem::not_found)?;
        match registration.record.clone().decide(Decision::Pending) {
            Ok(_) => Ok(registration),
            Err(decided) => Err(Problem::already_mapped(&decided)),
        }
    }

    pub(crate) async fn map(&self, staff: &Operator, id: RegistrationId, to: &MapTo) -> Result<Effect<'_>, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let registration = self.pending(id).await?;
        let company = store.company(to.company_id).await?;
        let company = company.ok_or_else(|| Problem::invalid_field("company_id", "is not known"))?;
        if let Some(into) = company.merged_into {
            return Err(Problem::invalid_field("company_id", format!("was merged into {into}")));
        }
        let mapped = match (to.contact_id, &to.new_contact) {
            (Some(id), None) => self.to_existing(staff, &registration, &company, id, to.replace_email, now).await?,
            (None, Some(new)) => to_new(staff, &registration, &company, new, now)?,
            _ => return Err(Problem::invalid_field("contact_id", "or new_contact is needed, and not both")),
        };
        let allowed = if mapped.invited { Some(self.gate.invitation_to(&registration.email).await?) } else { None };
        let contact = &mapped.contact;
        let decision = Decision::Mapped { by: staff.name.clone(), at: now, contact_id: contact.id };
        let mut transaction = self.decided(&registration, decision).await?.mail(&mapped.mail);
        transaction = match &mapped.was {
            Some((rev, was)) => {
                let transaction = transaction.save(*rev, contact).words(contact.id, Some(was), contact);
                let transaction = transaction.reconcile_inbox(contact.id, now);
                let transaction = contact.address_mails(was, now).iter().fold(transaction, Transaction::mail);
                let old = was.email.as_ref().filter(|old| **old != registration.email);
                old.into_iter().fold(transaction, |transaction, old| transaction.release_email(old, contact.id.into()))
            }
            None => transaction.create(contact).words(contact.id, None, contact).backfill(contact.id, now),
        };
        transaction = allowed.into_iter().fold(transaction, Transaction::counted);
        let activity = Activity::new(ActivityKind::RegistrationMapped, staff.actor(), now);
        let activity = activity.contact(contact.id).company(company.id);
        transaction = transaction.claim_email(&registration.email, contact.id.into());
        let response = json(StatusCode::OK, &MappedView { contact: mapped.contact.into() })?;
        Ok(Effect::new(transaction.activity(&activity), response))
    }

    pub(crate) async fn decline(
        &self,
        staff: &Operator,
        id: RegistrationId,
        why: &Declined,
    ) -> Result<Effect<'_>, Problem> {
        let now = self.gate.now();
        let registration = self.pending(id).await?;
        let decision = Decision::Declined { by: staff.name.clone(), at: now, reason: why.reason.clone() };
        let declined = registration.record.clone().decide(decision.clone());
        let declined = declined.map_err(|decided| Problem::already_mapped(&decided))?;
        let mut transaction = self.decided(&registration, decision).await?;
        if why.notify {
            let Registration { email, language, .. } = declined.clone();
            let mail = Mail::RegistrationDeclined { message: Some(why.reason.clone()) };
            transaction = transaction.mail(&OutboxMail::new(email, None, language, mail, now));
        }
        let activity = Activity::new(ActivityKind::RegistrationDeclined, staff.actor(), now);
        Ok(Effect::new(transaction.activity(&activity), json(StatusCode::OK, &RegistrationView::from(declined))?))
    }

    /// The request with its decision; its address has nothing pending any more.
    async fn decided(
        &self,
        registration: &Stored<Registration>,
        decision: Decision,
    ) -> Result<Transaction<'_>, Problem> {
        let store = &self.gate.store;
        let pointer = store.pending_of(&registration.email).await?;
        let decided =
            registration.record.clone().decide(decision).map_err(|decided| Problem::already_mapped(&decided))?;
        let transaction = store.transaction().save(registration.rev, &decided);
        Ok(match pointer {
            Some(pointer) => transaction.save(pointer.rev, &PendingOf { registration: None, ..pointer.record.clone() }),
            None => transaction,
        })
    }

    async fn to_existing(
        &self,
        staff: &Operator,
        registration: &Registration,
        company: &Company,
        id: ContactId,
        replace_email: bool,
        now: Timestamp,
    ) -> Result<Mapped, Problem> {
        let stored = self.gate.store.contact(id).await?;
        let stored = stored.ok_or_else(|| Problem::invalid_field("contact_id", "is not known"))?;
        if stored.company_id != company.id {
            return Err(Problem::contact_of_other_company());
        }
        let was = stored.record.clone();
        // Whoever closed it decided more than whoever decides on requests.
        if matches!(was.access, Access::Closed { .. }) {
            return Err(InviteRefused::AccessClosed.into());
        }
        let differs = was.email.as_ref().is_some_and(|email| *email != registration.email);
        if differs && !replace_email {
            return Err(Problem::email_differs());
        }
        let email = registration.email.clone();
        let contact = if differs && was.access.is_active() {
            // An account goes to another mailbox, and perhaps to another person.
            if !staff.may(Right::ManageCustomers) {
                return Err(Problem::forbidden(
                    "The contact has an account: only who may change contacts may move it.",
                ));
            }
            was.clone().given_to(email)
        } else {
            let contact = was.clone().with_email(Some(email), AddressOf::Anybody);
            contact.map_err(|refused| Problem::invalid_field("contact_id", refused))?
        };
        let mapped = let_in(staff, contact, company, now)?;
        Ok(Mapped { was: Some((stored.rev, was)), ..mapped })
    }
}

fn to_new(
    staff: &Operator,
    registration: &Registration,
    company: &Company,
    new: &NewContact,
    now: Timestamp,
) -> Result<Mapped, Problem> {
    let contact = Contact {
        email: Some(registration.email.clone()),
        phone: new.phone.clone().or_else(|| registration.phone.clone()),
        areas: new.areas.clone(),
        language: registration.language.clone(),
        ..Contact::new(company.id, new.name.clone(), now)
    };
    let_in(staff, contact, company, now)
}

/// Opens the door, with a mail that says how to sign in and carries no password.
fn let_in(staff: &Operator, contact: Contact, company: &Company, now: Timestamp) -> Result<Mapped, Problem> {
    let (contact, mail, invited) = if contact.access.is_active() {
        (contact, Mail::AlreadyRegistered, false)
    } else {
        let Invited { contact, invitation, .. } = contact.invite(company, staff.id.staff(), now)?;
        let mail = Mail::RegistrationAccepted {
            person: contact.id.into(),
            invitation: invitation.id,
            expires_at: invitation.expires_at,
            company: company.name.clone(),
        };
        (contact, mail, true)
    };
    let to = contact.email.clone().ok_or_else(|| Problem::internal("a contact that was let in has no address"))?;
    let mail = OutboxMail::new(to, Some(contact.id.into()), contact.language.clone(), mail, now);
    Ok(Mapped { was: None, contact, mail, invited })
}

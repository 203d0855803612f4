//! A stranger asks for access. Whatever the address is to us, the answer and the work are the same: who is behind
//! the address learns more by mail.

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Access, Activity, ActivityKind, Actor, Addressee, CompanyId, CompanyName, ContactId, Decision, Email, Language,
    Mail, Message, OutboxMail, PersonId, PersonName, Phone, Registration, RegistrationId,
};
use gatehouse::event::StartError;
use gatehouse::http::{Answer, Call, Function, Gate, Problem, json, retry_stale};
use gatehouse::store::{PendingOf, Person, Requests, Stored, Transaction};
use lambda_http::http::StatusCode;
use serde::Deserialize;

/// The function.
pub struct Register {
    gate: Gate,
}

impl Function for Register {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await? })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route() {
            "POST /v1/registrations" => self.register(call, call.json()?).await,
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRegistration {
    name: PersonName,
    email: Email,
    company: CompanyName,
    phone: Option<Phone>,
    message: Option<Message>,
    #[serde(default)]
    language: Language,
}

impl Register {
    async fn register(&self, call: &Call, new: NewRegistration) -> Result<Answer, Problem> {
        let (store, now, network) = (&self.gate.store, self.gate.now(), call.network());
        let (for_address, from) = (Requests::RegistrationsFor(new.email.as_str()), Requests::From(&network));
        let (for_address, from) = try_join!(store.take(for_address, now), store.take(from, now))?;
        from.map_err(|until| Problem::too_many_requests(until, now))?;
        if for_address.is_ok() {
            retry_stale(|| self.hear(&new, now)).await?;
        }
        json(StatusCode::ACCEPTED, &serde_json::json!({ "status": "received" }))
    }

    /// Reads the same number of items whoever it is, and writes once.
    async fn hear(&self, new: &NewRegistration, now: Timestamp) -> Result<(), Problem> {
        let store = &self.gate.store;
        let (owner, pending) = store.known_as(&new.email).await?;
        let nobody = || PersonId::Contact(ContactId::new(now));
        let waiting = pending.as_ref().and_then(|pending| pending.registration);
        let waits = waiting;
        let waiting = waiting.unwrap_or_else(|| RegistrationId::new(now));
        let (person, waiting) = try_join!(store.person(owner.unwrap_or_else(nobody)), store.registration(waiting))?;
        let company = match &person {
            Some(Person::Contact(contact)) => contact.company_id,
            _ => CompanyId::new(now),
        };
        let company = store.company(company).await?;

        let by = Actor { id: None, name: Some(new.name.clone()) };
        let activity = Activity::new(ActivityKind::RegistrationReceived, by, now);
        let (transaction, activity, pending_now) = match (person, company) {
            // Saved as it is: an address that is known shall not be known by how little is written.
            (Some(person), _) if person.access().is_active() => {
                let mail = Mail::AlreadyRegistered { name: person.name().clone() };
                let mail = OutboxMail::new(new.email.clone(), Some(person.id()), person.language().clone(), mail, now);
                (store.transaction().save_person(&person).mail(&mail), activity, waits)
            }
            (Some(Person::Contact(contact)), Some(company)) if matches!(contact.access, Access::Invited { .. }) => {
                // Where more invitations would be too many, the last one is in the mailbox.
                let Ok(invited) = contact.record.invite(&company, now) else { return Ok(()) };
                let mail = invited.mail(&company, None, now);
                let activity = activity.contact(invited.contact.id).company(company.id);
                (store.transaction().save(contact.rev, &invited.contact).mail(&mail), activity, waits)
            }
            _ => {
                let (transaction, id) = self.wait_for_a_mapper(new, waiting, now);
                (transaction, activity, Some(id))
            }
        };
        let pointer = PendingOf { email: new.email.clone(), registration: pending_now };
        let transaction = match pending {
            Some(pending) => transaction.save(pending.rev, &pointer),
            None => transaction.create(&pointer),
        };
        let transaction = transaction.activity(&activity);
        Ok(transaction.commit().await?)
    }

    /// A request that waits is renewed; else there is a new one. The mappers are told either way.
    fn wait_for_a_mapper(
        &self,
        new: &NewRegistration,
        waiting: Option<Stored<Registration>>,
        now: Timestamp,
    ) -> (Transaction<'_>, RegistrationId) {
        let waiting = waiting.filter(|waiting| waiting.decision == Decision::Pending);
        let registration = Registration {
            id: waiting.as_ref().map_or_else(|| RegistrationId::new(now), |waiting| waiting.id),
            name: new.name.clone(),
            email: new.email.clone(),
            company: new.company.clone(),
            phone: new.phone.clone(),
            message: new.message.clone(),
            language: new.language.clone(),
            decision: Decision::Pending,
            created_at: waiting.as_ref().map_or(now, |waiting| waiting.created_at),
        };
        let mail = Mail::RegistrationReceived {
            registration: registration.id,
            name: new.name.clone(),
            company: new.company.clone(),
            message: new.message.clone(),
        };
        let mail = OutboxMail::new(Addressee::MAPPERS, None, Language::default(), mail, now);
        let transaction = self.gate.store.transaction().mail(&mail);
        let transaction = match waiting {
            Some(waiting) => transaction.save(waiting.rev, &registration),
            None => transaction.create(&registration),
        };
        (transaction, registration.id)
    }
}

//! Requests for access: who waits for a mapper, and what a new request begins.

use aws_sdk_dynamodb::types::{AttributeValue, Select};
use futures_util::try_join;

use super::{CommitError, Page, PageRequest, Person, Record, Store, StoreError, Stored, Transaction, keys};
use crate::clock::Timestamp;
use crate::domain::{
    Access, AccessRequest, Activity, ActivityKind, Actor, Addressee, CompanyId, ContactId, Decision, Email, Language,
    Mail, OutboxMail, PersonId, Registration, RegistrationId,
};

impl Record for Registration {
    fn key(&self) -> keys::Key {
        keys::registration(self.id)
    }

    fn listed(&self) -> Option<keys::Key> {
        Some(keys::registrations_by_time(self.status(), self.created_at, self.id))
    }
}

/// Says which request an address has that nobody has decided on.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct PendingOf {
    /// Whose.
    pub email: Email,
    /// The request, while it is pending.
    pub registration: Option<RegistrationId>,
}

impl Record for PendingOf {
    fn key(&self) -> keys::Key {
        keys::pending_of(&self.email)
    }
}

impl Store {
    /// A request for access.
    pub async fn registration(&self, id: RegistrationId) -> Result<Option<Stored<Registration>>, StoreError> {
        self.read(keys::registration(id)).await
    }

    /// The request of an address that nobody has decided on.
    pub async fn pending_of(&self, email: &Email) -> Result<Option<Stored<PendingOf>>, StoreError> {
        self.read(keys::pending_of(email)).await
    }

    /// Requests for access with a status, oldest first: nobody waits unseen.
    pub async fn registrations(&self, status: &str, page: PageRequest) -> Result<Page<Registration>, StoreError> {
        self.listed(&keys::registrations(status), None, false, page).await
    }

    /// How many requests have a status: up to what one read counts, some thousands.
    pub async fn count_registrations(&self, status: &str) -> Result<u64, StoreError> {
        let counted = self
            .client
            .query()
            .table_name(&*self.table)
            .index_name(keys::LISTED)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", keys::LISTED_PK)
            .expression_attribute_values(":pk", AttributeValue::S(keys::registrations(status)))
            .select(Select::Count)
            .send()
            .await;
        let counted = counted.map_err(StoreError::call("Query"))?;
        Ok(u64::try_from(counted.count).unwrap_or_default())
    }

    /// Whose address this is, and the request that it has pending: what a stranger's request begins with.
    pub async fn known_as(&self, email: &Email) -> Result<(Option<PersonId>, Option<Stored<PendingOf>>), StoreError> {
        futures_util::try_join!(self.owner_of(email), self.pending_of(email))
    }

    /// Hears a request: an active account is told that it has one, an invited one is invited again, anybody else waits
    /// for a mapper. Reads the same number of items whoever it is, and writes once.
    pub async fn request_access(&self, new: &AccessRequest, now: Timestamp) -> Result<(), CommitError> {
        let (owner, pending) = self.known_as(&new.email).await?;
        let nobody = || PersonId::Contact(ContactId::new(now));
        let waiting = pending.as_ref().and_then(|pending| pending.registration);
        let waits = waiting;
        let waiting = waiting.unwrap_or_else(|| RegistrationId::new(now));
        let (person, waiting) = try_join!(self.person(owner.unwrap_or_else(nobody)), self.registration(waiting))?;
        let company = match &person {
            Some(Person::Contact(contact)) => contact.company_id,
            _ => CompanyId::new(now),
        };
        let company = self.company(company).await?;

        let by = Actor { id: None, name: Some(new.name.clone()) };
        let activity = Activity::new(ActivityKind::RegistrationReceived, by, now);
        let (transaction, activity, pending_now) = match (person, company) {
            // Saved as it is: an address that is known shall not be known by how little is written.
            (Some(person), _) if person.access().is_active() => {
                let (to, language) = (new.email.clone(), person.language().clone());
                let mail = OutboxMail::new(to, Some(person.id()), language, Mail::AlreadyRegistered, now);
                (self.transaction().save_person(&person).mail(&mail), activity, waits)
            }
            (Some(Person::Contact(contact)), Some(company)) if matches!(contact.access, Access::Invited { .. }) => {
                // Where more invitations would be too many, the last one is in the mailbox.
                let Ok(invited) = contact.record.invite(&company, now) else { return Ok(()) };
                let mail = invited.mail(&company, None, now);
                let activity = activity.contact(invited.contact.id).company(company.id);
                (self.transaction().save(contact.rev, &invited.contact).mail(&mail), activity, waits)
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
        transaction.commit().await
    }

    /// A request that waits is renewed; else there is a new one. The mappers are told either way.
    fn wait_for_a_mapper(
        &self,
        new: &AccessRequest,
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
            waiting: 0,
        };
        let mail = OutboxMail::new(Addressee::MAPPERS, None, Language::default(), mail, now);
        let transaction = self.transaction().mail(&mail);
        let transaction = match waiting {
            Some(waiting) => transaction.save(waiting.rev, &registration),
            None => transaction.create(&registration),
        };
        (transaction, registration.id)
    }
}

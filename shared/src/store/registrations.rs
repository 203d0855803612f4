//! Requests for access: who waits for a mapper, and what a new request begins.

use std::collections::BTreeSet;

use futures_util::try_join;

use super::page::Listing;
use super::{
    Allowed, CommitError, Hourly, Page, PageRequest, Person, Record, Store, StoreError, Stored, Throttle, Transaction,
    keys,
};
use crate::clock::Timestamp;
use crate::domain::{
    Access, AccessRequest, Activity, ActivityKind, Actor, Addressee, CompanyId, Contact, ContactId, Decision, Email,
    Language, Mail, OutboxMail, PersonId, Registration, RegistrationId, StaffId,
};

impl Record for Registration {
    fn key(&self) -> keys::Key {
        keys::registration(self.id)
    }

    fn listed(&self) -> Option<keys::Key> {
        Some(keys::registrations_by_time(self.status(), self.created_at, self.id))
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.forgotten_at())
    }
}

/// Says which request an address has that nobody has decided on.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct PendingOf {
    /// Whose.
    pub email: Email,
    /// The request, while it is pending.
    pub registration: Option<RegistrationId>,
    /// When the address last asked.
    pub asked_at: Timestamp,
}

impl Record for PendingOf {
    fn key(&self) -> keys::Key {
        keys::pending_of(&self.email)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.asked_at + Registration::KEPT_UNDECIDED)
    }
}

/// Who of the staff was mailed about a request for access: beside it, so that whoever decides on it meets no mail.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RegistrationTold {
    /// Which.
    pub registration: RegistrationId,
    /// Who.
    pub staff: BTreeSet<StaffId>,
    /// When.
    pub at: Timestamp,
}

impl Record for RegistrationTold {
    fn key(&self) -> keys::Key {
        keys::registration_told(self.registration)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.at + Registration::KEPT_AT_MOST)
    }
}

/// How somebody asks for access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// By a registration.
    ByForm,
    /// By the link in a share's mail, where several clicks at once are one.
    ByLink,
}

/// What has become of a request for access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessRequested {
    /// An activation link is in the mailbox.
    Invited,
    /// It waits for a mapper; or there is nothing to wait for.
    Waits,
}

impl Store {
    /// A request for access.
    pub async fn registration(&self, id: RegistrationId) -> Result<Option<Stored<Registration>>, StoreError> {
        self.read(keys::registration(id)).await
    }

    /// Who was mailed about a request for access, if anybody was yet.
    pub async fn registration_told(&self, id: RegistrationId) -> Result<Option<RegistrationTold>, StoreError> {
        self.read_plain(keys::registration_told(id)).await
    }

    /// The request of an address that nobody has decided on.
    pub async fn pending_of(&self, email: &Email) -> Result<Option<Stored<PendingOf>>, StoreError> {
        self.read(keys::pending_of(email)).await
    }

    /// Requests for access with a status, oldest first: nobody waits unseen.
    pub async fn registrations(&self, status: &str, page: PageRequest) -> Result<Page<Registration>, StoreError> {
        self.listed(&keys::registrations(status), None, false, page).await
    }

    /// How many requests have a status, up to so many, or to what one read counts: some thousands.
    pub async fn count_registrations(&self, status: &str, most: u16) -> Result<u64, StoreError> {
        let (pk, index) = (&keys::registrations(status), Some(keys::LISTED));
        let listing = Listing { index, pk_name: keys::LISTED_PK, pk, sk: None, newest_first: false, consistent: false };
        self.count(listing, most).await
    }

    /// Whose address this is, and the request that it has pending: what a stranger's request begins with.
    pub async fn known_as(&self, email: &Email) -> Result<(Option<PersonId>, Option<Stored<PendingOf>>), StoreError> {
        futures_util::try_join!(self.owner_of(email), self.pending_of(email))
    }

    /// With a request of that contact's address that still waits: decided so, for whoever asked is in.
    pub async fn decided_by_itself<'a>(
        &self,
        transaction: Transaction<'a>,
        contact: &Contact,
        decision: Decision,
    ) -> Result<Transaction<'a>, StoreError> {
        let Some(email) = &contact.email else { return Ok(transaction) };
        let Some(pointer) = self.pending_of(email).await? else { return Ok(transaction) };
        let Some(id) = pointer.registration else { return Ok(transaction) };
        let waits = self.registration(id).await?;
        let none = PendingOf { registration: None, ..pointer.record.clone() };
        let transaction = transaction.save(pointer.rev, &none);
        Ok(match waits.map(|waits| (waits.rev, waits.record.decide(decision))) {
            Some((rev, Ok(decided))) => transaction.save(rev, &decided),
            _ => transaction,
        })
    }

    /// Hears a request: an active account is told that it has one, an invited one is invited again, anybody else waits
    /// for a mapper, also where the plan has lost the portal meanwhile. Reads the same number of items whoever it is, and
    /// writes once.
    pub async fn request_access(
        &self,
        throttle: &Throttle<'_>,
        new: &AccessRequest,
        asked: Asked,
        counted: Allowed,
        now: Timestamp,
    ) -> Result<AccessRequested, CommitError> {
        let (owner, pending) = self.known_as(&new.email).await?;
        let nobody = || PersonId::Contact(ContactId::new(now));
        let waiting = pending.as_ref().and_then(|pending| pending.registration);
        let waits = waiting;
        let waiting = waiting.unwrap_or_else(|| RegistrationId::new(now));
        let invitations = throttle.hourly(Hourly::InvitationsTo(new.email.as_str()), now);
        let reads = try_join!(self.person(owner.unwrap_or_else(nobody)), self.registration(waiting), invitations)?;
        let (person, waiting, invitations) = reads;
        let company = match &person {
            Some(Person::Contact(contact)) => contact.company_id,
            _ => CompanyId::new(now),
        };
        let company = self.company(company).await?;

        let by = Actor { id: None, name: Some(new.name.clone()) };
        let activity = Activity::new(ActivityKind::RegistrationReceived, by, now);
        let (transaction, activity, pending_now, requested) = match (person, company) {
            // Saved as it is: an address that is known shall not be known by how little is written.
            (Some(person), _) if person.access().is_active() => {
                let (to, language) = (new.email.clone(), person.language().clone());
                let mail = OutboxMail::new(to, Some(person.id()), language, Mail::AlreadyRegistered, now);
                (self.transaction().save_person(&person).mail(&mail), activity, waits, AccessRequested::Waits)
            }
            (Some(Person::Contact(contact)), Some(company))
                if matches!(contact.access, Access::Invited { .. }) && company.portal_plan =>
            {
                let activity = activity.contact(contact.id).company(company.id);
                let transaction = match (contact.record.clone().invite(&company, None, now), invitations) {
                    (Ok(invited), Ok(allowed)) if asked == Asked::ByForm || !contact.invited_just_now(now) => {
                        let mail = invited.mail(&company, None, now);
                        self.transaction().save(contact.rev, &invited.contact).mail(&mail).counted(allowed)
                    }
                    // The last invitation is in the mailbox: of a moment ago, or one of too many.
                    _ => self.transaction().save(contact.rev, &contact.record),
                };
                (transaction, activity, waits, AccessRequested::Invited)
            }
            _ => {
                let (transaction, id) = self.wait_for_a_mapper(new, waiting, now);
                (transaction, activity, Some(id), AccessRequested::Waits)
            }
        };
        let pointer = PendingOf { email: new.email.clone(), registration: pending_now, asked_at: now };
        let transaction = match pending {
            Some(pending) => transaction.save(pending.rev, &pointer),
            None => transaction.create(&pointer),
        };
        transaction.activity(&activity).counted(counted).commit().await?;
        Ok(requested)
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

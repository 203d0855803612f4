//! Mails to the staff: written for whoever it concerns, and turned into one for each when they are sent. What comes soon
//! after such a mail about the same customer, or about requests for access, waits and is told together.

use futures_util::future::try_join_all;
use futures_util::try_join;
use gatehouse::domain::{
    Addressee, Bundle, BundleTopic, DigestEntry, DigestSubject, Job, JobId, Mail, MailWish, OutboxMail, Staff, StaffId,
    Telling,
};
use gatehouse::store::{CommitError, PendingDigest, RegistrationTold, StoreError, Transaction};

use crate::addressing::Addressed;
use crate::{DeliverMail, DeliveryError};

/// One transaction writes to them all: two writes for each, the mail that it comes from, and who was told.
const MOST_PEOPLE: usize = 49;
/// Nobody has more requests waiting.
const MOST_COUNTED: u16 = 10_000;

/// What somebody else has added to at this very moment is tried again, like all else.
impl From<CommitError> for DeliveryError {
    fn from(error: CommitError) -> Self {
        Self::OutOfReach(error.to_string())
    }
}

impl DeliverMail {
    /// One mail for each of a customer's people who follow a job, or a line of its daily one, as each wishes.
    pub(crate) async fn write_to_followers(&self, mail: &OutboxMail, job: JobId) -> Result<Addressed, DeliveryError> {
        let (now, mut transaction) = (self.clock.now(), self.store.transaction().settle(mail.id));
        let job = self.store.company_record::<Job>(job).await?.map(|job| job.record);
        let followers = job.iter().flat_map(|job| job.followers.iter().copied()).collect::<Vec<_>>();
        let people = if followers.is_empty() { Vec::new() } else { self.store.contacts(followers).await? };
        for contact in &people {
            // Who no longer sees the job is told nothing of it.
            let sees = job.as_ref().is_some_and(|job| job.open_to(contact).is_ok());
            let Some(to) = contact.email.clone().filter(|_| sees && contact.access.is_active()) else { continue };
            transaction = match (&mail.mail, contact.notifications.email) {
                (_, MailWish::Off) => transaction,
                (Mail::JobNews { job, title, .. }, MailWish::Daily) => {
                    let entry = DigestEntry { about: DigestSubject::Job(*job), title: title.clone(), from: None };
                    transaction.digest(&PendingDigest { contact: contact.id, entry, since: now })
                }
                (content, _) => {
                    let person = Some(contact.id.into());
                    let one = OutboxMail::new(to, person, contact.language.clone(), content.clone(), now);
                    transaction.mail(&one)
                }
            };
        }
        transaction.commit().await?;
        Ok(Addressed::WrittenOut)
    }

    /// One mail for each of the staff whom it concerns, in place of the one to all of them: now, or with what else comes.
    pub(crate) async fn write_out(&self, mail: &OutboxMail) -> Result<Addressed, DeliveryError> {
        let mut people = self.concerned(&mail.to).await?;
        if people.is_empty() {
            return Err(DeliveryError::Refused("nobody of the staff has an account".to_owned()));
        }
        people.truncate(MOST_PEOPLE);
        let content = self.counted(mail.mail.clone()).await?;
        let mut transaction = self.store.transaction().settle(mail.id);
        if let Mail::RegistrationReceived { registration, .. } = &content {
            // At once, or with the next mail: whoever decides on it sees who else knows of it.
            let (staff, at) = (people.iter().map(|person| person.id).collect(), self.clock.now());
            transaction = transaction.replace(&RegistrationTold { registration: *registration, staff, at });
        }
        self.tell(transaction, &people, &content).await?.commit().await?;
        Ok(Addressed::WrittenOut)
    }

    async fn tell<'t>(
        &self,
        mut transaction: Transaction<'t>,
        people: &[Staff],
        content: &Mail,
    ) -> Result<Transaction<'t>, DeliveryError> {
        let now = self.clock.now();
        let Some((topic, news)) = content.bundled() else {
            return Ok(people
                .iter()
                .fold(transaction, |transaction, person| transaction.mail(&to_one(person, content.clone(), now))));
        };
        let bundles = people.iter().map(|person| self.store.bundle(person.id, topic));
        for (person, stored) in people.iter().zip(try_join_all(bundles).await?) {
            let bundle = stored.as_ref().map_or_else(|| Bundle::new(person.id, topic), |stored| stored.record.clone());
            let (bundle, telling) = bundle.with(news.clone(), now);
            transaction = match &stored {
                Some(stored) => transaction.save(stored.rev, &bundle),
                None => transaction.create(&bundle),
            };
            match telling {
                Telling::Now => transaction = transaction.mail(&to_one(person, content.clone(), now)),
                Telling::Later(at) => {
                    let to = Addressee::Gathered { gathered_for: person.id, topic };
                    let Some(sequel) = content.sequel() else { continue };
                    let sequel = OutboxMail::new(to, Some(person.id.into()), person.language.clone(), sequel, now);
                    transaction = transaction.mail(&OutboxMail { not_before: Some(at), ..sequel });
                }
                Telling::WithOthers => {}
            }
        }
        Ok(transaction)
    }

    /// The mail with what has gathered for one of the staff, in place of the one that stood for it.
    pub(crate) async fn write_what_gathered(
        &self,
        mail: &OutboxMail,
        staff: StaffId,
        topic: BundleTopic,
    ) -> Result<Addressed, DeliveryError> {
        let content = self.counted(mail.mail.clone()).await?;
        let (bundle, person) = try_join!(self.store.bundle(staff, topic), self.active(vec![staff]))?;
        let (now, mut transaction) = (self.clock.now(), self.store.transaction().settle(mail.id));
        if let Some(stored) = bundle {
            let (bundle, news, more) = stored.record.told(now);
            transaction = transaction.save(stored.rev, &bundle);
            if let Some(person) = person.first().filter(|_| !news.is_empty()) {
                transaction = transaction.mail(&to_one(person, content.with_news(news, more), now));
            }
        }
        transaction.commit().await?;
        Ok(Addressed::WrittenOut)
    }

    /// With how many requests wait, where the mail says that: at least those that it tells of.
    async fn counted(&self, content: Mail) -> Result<Mail, StoreError> {
        if !matches!(content, Mail::RegistrationReceived { .. } | Mail::RegistrationsWaiting { .. }) {
            return Ok(content);
        }
        let waiting = self.store.count_registrations("pending", MOST_COUNTED).await?;
        Ok(content.with_waiting(waiting.max(1)))
    }

    /// The owner, if that is who it is for; else those on duty; else the admins.
    async fn concerned(&self, to: &Addressee) -> Result<Vec<Staff>, StoreError> {
        if let Addressee::Owner { owner: Some(owner) } = to {
            let owner = self.active(vec![*owner]).await?;
            if !owner.is_empty() {
                return Ok(owner);
            }
        }
        let team = self.store.team().await?.map(|team| team.record).unwrap_or_default();
        let on_duty = match to {
            Addressee::Owner { .. } => team.members_on_duty,
            _ => team.mappers_on_duty,
        };
        let on_duty = self.active(on_duty.into_iter().collect()).await?;
        if on_duty.is_empty() { self.active(team.admins.into_iter().collect()).await } else { Ok(on_duty) }
    }

    async fn active(&self, ids: Vec<StaffId>) -> Result<Vec<Staff>, StoreError> {
        let people = if ids.is_empty() { Vec::new() } else { self.store.staff_of(ids).await? };
        Ok(people.into_iter().filter(|person| person.access.is_active()).collect())
    }
}

fn to_one(person: &Staff, content: Mail, now: gatehouse::clock::Timestamp) -> OutboxMail {
    OutboxMail::new(person.email.clone(), Some(person.id.into()), person.language.clone(), content, now)
}

//! Verdicts of scans: what they change about a file, and who is told where something was found.

use serde::Deserialize;

use super::{CommitError, Page, PageRequest, Store, StoreError, Stored, Transaction, keys};
use crate::clock::{Timestamp, sortable};
use crate::domain::{
    Activity, ActivityKind, Actor, ActorId, Addressee, Contact, DigestSubject, EventAuthor, FileId, FileName,
    FileState, Job, JobFile, Language, Mail, NOTIFICATION_INTERVAL, ObjectVersion, OutboxMail, PersonId, PersonName,
    Share, ShareFile, ShareId, StaffId, ThumbnailTask, Title, Verdict,
};

/// A file that waits for a verdict: of a share, or of a job.
#[derive(Debug, Deserialize)]
pub struct ScannedFile {
    /// Which.
    pub id: FileId,
    /// Of which share, if of one.
    #[serde(default)]
    pub share_id: Option<ShareId>,
}

/// A file in which something was found, and whom that concerns.
struct Withheld {
    about: Option<DigestSubject>,
    title: Option<Title>,
    file: FileName,
    /// Whoever put it there, if it was a person, and its name.
    by: Option<PersonId>,
    from: PersonName,
    /// The same, if it is a customer.
    contact: Option<Contact>,
    /// Who of the staff looks after it.
    owner: Option<StaffId>,
    /// Whether that one was told of another such file a moment ago.
    told: bool,
    /// Whether the staff may know of what it is about: a customer's draft is its maker's alone.
    staff_know: bool,
}

impl Store {
    /// Files that have waited for a verdict since before that time.
    pub async fn waiting_for_scans(
        &self,
        since: Timestamp,
        page: PageRequest,
    ) -> Result<Page<ScannedFile>, StoreError> {
        self.listed_until(keys::SCANNING, sortable(since), page).await
    }

    /// A verdict on the bytes that a share's file has now. A file that is not taken yet keeps it until it is.
    pub async fn note_verdict(
        &self,
        file: &Stored<ShareFile>,
        verdict: Verdict,
        of: Option<ObjectVersion>,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        let Some(scan) = file.scan.with(verdict, of, now) else { return Ok(()) };
        let noted = ShareFile { scan, ..file.record.clone() };
        let mut transaction = self.transaction().save(file.rev, &noted);
        if noted.is_drawn() && !file.is_drawn() {
            transaction = transaction.create(&ThumbnailTask::of(&noted, now));
        }
        if noted.upload == FileState::Stored
            && noted.scan.found_at().is_some()
            && let Some((share, files)) = self.share_and_files(file.share_id).await?
        {
            transaction = self.share_file_withheld(transaction, &share, &files, &noted, now).await?;
            // Saved as it is: so of two files of one moment the second one sees the first.
            transaction = transaction.save(share.rev, &share.record);
        }
        transaction.commit().await
    }

    /// The same for a job's file.
    pub async fn note_verdict_on_job_file(
        &self,
        file: &Stored<JobFile>,
        verdict: Verdict,
        of: Option<ObjectVersion>,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        let Some(scan) = file.scan.with(verdict, of, now) else { return Ok(()) };
        let noted = JobFile { scan, ..file.record.clone() };
        let mut transaction = self.transaction().save(file.rev, &noted);
        if noted.is_drawn() && !file.is_drawn() {
            transaction = transaction.create(&ThumbnailTask::of_job_file(&noted, now));
        }
        if noted.upload == FileState::Stored && noted.scan.found_at().is_some() {
            transaction = self.job_file_withheld(transaction, &noted, now).await?;
        }
        transaction.commit().await
    }

    /// Records that a share's file is withheld, and tells who put it there and who looks after it.
    pub(super) async fn share_file_withheld<'t>(
        &self,
        transaction: Transaction<'t>,
        share: &Share,
        files: &[ShareFile],
        file: &ShareFile,
        now: Timestamp,
    ) -> Result<Transaction<'t>, CommitError> {
        if share.erasing {
            return Ok(transaction);
        }
        let (by, contact) = match file.by_id {
            ActorId::Person(person) => (Some(person), self.contact_of(person).await?),
            ActorId::Key(_) => (None, None),
        };
        let sharer = match share.by {
            ActorId::Person(PersonId::Staff(staff)) => Some(staff),
            _ => contact.as_ref().and_then(|contact| contact.owner_id),
        };
        let lately = |at: Timestamp| at + NOTIFICATION_INTERVAL > now;
        let told = |other: &ShareFile| {
            let is_another = other.id != file.id && other.by_id == file.by_id;
            // What is not taken yet has told nobody.
            is_another && other.upload == FileState::Stored && other.scan.found_at().is_some_and(lately)
        };
        let withheld = Withheld {
            about: Some(DigestSubject::Share(share.id)),
            title: Some(share.title.clone()),
            file: file.name.clone(),
            by,
            from: file.by.clone(),
            contact,
            owner: sharer,
            told: files.iter().any(told),
            staff_know: share.is_known_to_staff(),
        };
        let activity = Activity::new(ActivityKind::FileWithheld, Actor::system(), now).share(share.id).files([file.id]);
        self.withheld(transaction, withheld, activity, now).await
    }

    /// The same of a job's file. A photo without a report has no job yet.
    pub(super) async fn job_file_withheld<'t>(
        &self,
        transaction: Transaction<'t>,
        file: &JobFile,
        now: Timestamp,
    ) -> Result<Transaction<'t>, CommitError> {
        let job = match file.job_id {
            Some(job) => self.company_record::<Job>(job).await?,
            None => None,
        };
        let (by, name) = match &file.by {
            EventAuthor::Contact { id } => (Some(PersonId::from(*id)), None),
            EventAuthor::Staff { id, name } => (Some(PersonId::from(*id)), Some(name.clone())),
            EventAuthor::Integration { name, .. } => (None, Some(name.clone())),
            EventAuthor::System => (None, None),
        };
        let contact = match by {
            Some(by) => self.contact_of(by).await?,
            None => None,
        };
        // Whoever was erased has no name, and nobody to tell.
        let Some(from) = name.or_else(|| contact.as_ref().map(|contact| contact.name.clone())) else {
            return Ok(transaction);
        };
        let activity = Activity::new(ActivityKind::FileWithheld, Actor::system(), now).files([file.id]);
        let activity = job.iter().fold(activity, |activity, job| activity.job(&job.line));
        let answered = job.as_ref().and_then(|job| job.answered_by);
        let withheld = Withheld {
            about: job.as_ref().map(|job| DigestSubject::Job(job.line.id)),
            title: job.as_ref().map(|job| job.line.title.clone()),
            file: file.name.clone(),
            by,
            from,
            owner: answered.or_else(|| contact.as_ref()?.owner_id),
            contact,
            told: false,
            staff_know: true,
        };
        self.withheld(transaction, withheld, activity, now).await
    }

    async fn withheld<'t>(
        &self,
        mut transaction: Transaction<'t>,
        withheld: Withheld,
        activity: Activity,
        now: Timestamp,
    ) -> Result<Transaction<'t>, CommitError> {
        let Withheld { about, title, file, by, from, contact, owner, told, staff_know } = withheld;
        let company = match &contact {
            Some(contact) => self.company(contact.company_id).await?.map(|company| company.record),
            None => None,
        };
        let activity =
            contact.iter().fold(activity, |activity, contact| activity.contact(contact.id).company(contact.company_id));
        transaction = transaction.activity(&activity);
        let to = |to, person, mail| OutboxMail::new(to, person, Language::default(), mail, now);
        if let Some(by) = by.filter(|_| !told) {
            let mail = Mail::OwnFileWithheld { about, title: title.clone(), file: file.clone() };
            transaction = transaction.mail(&to(Addressee::Person { to_person: by }, Some(by), mail));
        }
        // What comes from customers is bundled; of the staff's own, the first is enough.
        if company.is_some() || !told {
            // Somebody else than whoever put it there is to know.
            let owner = owner.filter(|owner| by != Some(PersonId::Staff(*owner)));
            let (company, company_id) = company.map(|company| (company.name, company.id)).unzip();
            let (about, title) = (about.filter(|_| staff_know), title.filter(|_| staff_know));
            let mail = Mail::FileWithheld { about, title, file, from, company, company_id };
            transaction = transaction.mail(&to(Addressee::Owner { owner }, None, mail));
        }
        Ok(transaction)
    }

    async fn contact_of(&self, person: PersonId) -> Result<Option<Contact>, StoreError> {
        match person {
            PersonId::Contact(id) => Ok(self.contact(id).await?.map(|contact| contact.record)),
            PersonId::Staff(_) => Ok(None),
        }
    }
}

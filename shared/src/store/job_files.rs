//! Files of jobs: announced, taken once their bytes are there, given up where those or their report do not come.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{CommitError, Page, PageRequest, Store, StoreError, Stored, UploadNotAccepted, keys};
use crate::clock::{Timestamp, sortable};
use crate::domain::{
    Activity, ActivityKind, Actor, Addressee, Checked, Contact, EventAuthor, FileId, Job, JobFile, Language, Mail,
    OutboxMail, PersonId, Task, TaskKind, ThumbnailTask,
};

/// A file of a job that is awaited.
#[derive(Debug, Deserialize)]
pub struct AwaitedJobFile {
    /// Which.
    pub id: FileId,
}

impl Store {
    /// A file of a job, or one that waits for its report.
    pub async fn job_file(&self, id: FileId) -> Result<Option<Stored<JobFile>>, StoreError> {
        self.read(keys::job_file(id)).await
    }

    /// Several of them, as far as they exist.
    pub async fn job_files(&self, ids: impl IntoIterator<Item = FileId>) -> Result<Vec<Stored<JobFile>>, StoreError> {
        let ids: BTreeSet<FileId> = ids.into_iter().collect();
        let items = self.items(ids.into_iter().map(keys::job_file)).await?;
        items.into_iter().map(Stored::from_item).collect()
    }

    /// Those that were announced before that time, and whose bytes or whose report have not come.
    pub async fn awaited_job_files(
        &self,
        since: Timestamp,
        page: PageRequest,
    ) -> Result<Page<AwaitedJobFile>, StoreError> {
        self.listed_until(keys::AWAITED_OF_JOBS, sortable(since), page).await
    }

    /// Takes a file whose bytes were checked. What was added later to a job is told of.
    pub async fn accept_job_file(&self, id: FileId, checked: Checked, now: Timestamp) -> Result<(), UploadNotAccepted> {
        let file = self.job_file(id).await.map_err(CommitError::from)?.ok_or(UploadNotAccepted::Gone)?;
        let stored = file.record.clone().stored(checked, now);
        let mut transaction = self.transaction().save(file.rev, &stored);
        if stored.is_drawn() {
            transaction = transaction.create(&ThumbnailTask::of_job_file(&stored, now));
        }
        if stored.scan.found_at().is_some() {
            // The scan was faster than the sender.
            transaction = self.job_file_withheld(transaction, &stored, now).await?;
        }
        let Some(job) = file.job_id.filter(|_| file.later) else { return Ok(transaction.commit().await?) };
        let job = self.company_record::<Job>(job).await.map_err(CommitError::from)?.ok_or(UploadNotAccepted::Gone)?;
        let event = job.file_came(id, stored.by.clone(), now);
        // Only while the job stays: whoever deletes it has then seen its file.
        let transaction = transaction.unchanged(job.rev, &job.record).event(&event);
        let activity = Activity::new(ActivityKind::JobFileAdded, stored.by.actor(), now).job(&job.line).files([id]);
        let transaction = match stored.by {
            EventAuthor::Contact { id } => {
                let contact = self.contact(id).await.map_err(CommitError::from)?;
                match contact {
                    Some(contact) => {
                        let mail = self.file_added(&job, &stored, &contact, now).await?;
                        transaction.mail(&mail).activity(&activity.contact(id))
                    }
                    None => transaction.activity(&activity),
                }
            }
            _ => transaction.activity(&activity),
        };
        Ok(transaction.commit().await?)
    }

    async fn file_added(
        &self,
        job: &Job,
        file: &JobFile,
        contact: &Contact,
        now: Timestamp,
    ) -> Result<OutboxMail, CommitError> {
        let company = self.company(contact.company_id).await?.ok_or(CommitError::Conflict)?;
        let mail = Mail::JobFileAdded {
            job: job.line.id,
            title: job.line.title.clone(),
            from: contact.name.clone(),
            contact: contact.id,
            company: company.record.name,
            company_id: contact.company_id,
            file: file.name.clone(),
        };
        Ok(OutboxMail::new(job.addressee(contact), None, Language::default(), mail, now))
    }

    /// Gives up a file whose bytes or whose report have not come. Nothing, if either has come at this moment.
    pub async fn give_up_job_file(&self, file: &Stored<JobFile>, now: Timestamp) -> Result<(), CommitError> {
        let task = Task::new(TaskKind::DeleteJobFiles { files: vec![file.id] }, now);
        let transaction = self.transaction().remove(file.rev, &file.record).create(&task);
        let transaction = self.give_back(transaction, [file.counted()]).await?;
        let job = match file.job_id {
            Some(job) => self.company_record::<Job>(job).await?,
            None => None,
        };
        let transaction = match job {
            Some(job) => transaction.save(job.rev, &job.record.clone().without_file(file.id)),
            None => transaction,
        };
        transaction.commit().await
    }

    /// Forgets a file whose job is gone, and what it counted; of two who do so at once, one does.
    pub async fn forget_job_file(&self, id: FileId) -> Result<(), CommitError> {
        let Some(file) = self.job_file(id).await? else { return Ok(()) };
        let transaction = self.transaction().remove(file.rev, &file.record);
        self.give_back(transaction, [file.counted()]).await?.commit().await
    }
}

impl EventAuthor {
    /// As the activity names whoever it is.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self {
            Self::Staff { id, name } => Actor::new(PersonId::from(*id), name),
            Self::Integration { id, name } => Actor::new(*id, name),
            Self::Contact { id } => Actor { id: Some(PersonId::from(*id).into()), name: None },
            Self::System => Actor::system(),
        }
    }
}

impl Job {
    /// Who of the staff is told of what a customer puts there: who wrote on it last, or who looks after the customer.
    #[must_use]
    pub fn addressee(&self, contact: &Contact) -> Addressee {
        Addressee::Owner { owner: self.answered_by.or(contact.owner_id) }
    }
}

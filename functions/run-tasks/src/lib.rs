//! Brings a share's news to many, a chunk at a time. Each chunk is one transaction that also moves the task on, so
//! that a crash anywhere tells nobody twice and leaves nobody out. What else goes on after a request is done here, too.

mod erase;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use gatehouse::aws::Env;
use gatehouse::clock::{Clock, SignedDuration};
use gatehouse::domain::{
    CompanyId, ContactId, Email, IndexedRow, RecipientId, Share, ShareEvent, ShareId, ShareState, Task, TaskId,
    TaskKind,
};
use gatehouse::event::{EventFunction, Failed, FromTable, StartError};
use gatehouse::files::{Files, FilesError};
use gatehouse::store::{
    CommitError, FanOut, Page, PageRequest, Position, Reader, Store, StoreError, Stored, Transaction,
    WRITES_PER_READER, keys,
};
use tracing::warn;

/// A transaction has room for a hundred writes, a few of which are the task's own.
const CHUNK: usize = 90 / WRITES_PER_READER;
/// Somebody else is at work on a task that moved on this lately.
const AT_WORK: SignedDuration = SignedDuration::from_secs(30);
/// Who changes the share at the same time is let through so often.
const MOST_STALE: usize = 50;

/// The function.
pub struct RunTasks {
    store: Store,
    files: Files,
    clock: Clock,
}

/// A task could not be brought to its end this time.
#[derive(Debug, thiserror::Error)]
enum TaskError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl EventFunction for RunTasks {
    type Event = FromTable;
    type Outcome = Failed;

    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { store: Store::new(env), files: Files::new(env), clock: env.clock.clone() })
    }

    async fn handle(&self, event: FromTable) -> Result<Failed, StartError> {
        let failed = event.each(|id| async move { self.work_logged(id).await.is_ok() }).await;
        if event.sweep {
            for shard in 0..keys::OUTBOX_SHARDS {
                for task in self.store.open_tasks(shard).await? {
                    if task.moved_at + AT_WORK < self.clock.now() {
                        // Its failure is logged, and the next sweep comes.
                        let _ = self.work_logged(task.id).await;
                    }
                }
            }
        }
        Ok(failed)
    }
}

impl RunTasks {
    async fn work_logged(&self, id: TaskId) -> Result<(), TaskError> {
        let worked = self.work(id).await;
        if let Err(cause) = &worked {
            warn!(%id, %cause, "a task stops half-way");
        }
        worked
    }

    /// Chunk after chunk, until there is no more. Of two at the same task, each chunk is one's.
    async fn work(&self, id: TaskId) -> Result<(), TaskError> {
        let mut stale = 0;
        while let Some(task) = self.store.task(id).await? {
            let step: BoxFuture<'_, Result<(), TaskError>> = match &task.kind {
                TaskKind::Recipients { share, news } => self.recipients(&task, *share, news).boxed(),
                TaskKind::Company { share, company, news } => self.company(&task, *share, *company, news).boxed(),
                TaskKind::Backfill { contact } => self.backfill(&task, *contact).boxed(),
                TaskKind::LeaveCompanyInbox { share, company } => self.leave(&task, *share, *company).boxed(),
                TaskKind::IndexWords { share, rows } => self.index_words(&task, *share, rows).boxed(),
                TaskKind::Erase { share } => self.erase(&task, *share).boxed(),
            };
            match step.await {
                Err(TaskError::Commit(CommitError::Conflict)) if stale < MOST_STALE => stale += 1,
                moved => moved?,
            }
        }
        Ok(())
    }

    async fn index_words(&self, task: &Stored<Task>, share: ShareId, rows: &[IndexedRow]) -> Result<(), TaskError> {
        self.store.index_words(share, rows).await?;
        Ok(self.store.finish_task(task.id).await?)
    }

    /// The share, if the news is still true; else there is nothing to do any more.
    async fn share(&self, id: ShareId, news: &ShareEvent) -> Result<Option<Stored<Share>>, TaskError> {
        let share = self.store.share(id).await?;
        Ok(share.filter(|share| *news == ShareEvent::Removed || sent(share)))
    }

    async fn recipients(&self, task: &Stored<Task>, id: ShareId, news: &ShareEvent) -> Result<(), TaskError> {
        let now = self.clock.now();
        let Some(share) = self.share(id, news).await? else { return Ok(self.store.finish_task(task.id).await?) };
        let page = self.store.recipients(id, page_of(task)).await?;
        let next = page.next;
        let (readers, companies) = self.store.readers(page.items).await?;
        let mut transaction = self.chunk(task, &share, news, &readers, next).await?;
        for company in companies {
            let work = TaskKind::Company { share: id, company, news: news.clone() };
            transaction = transaction.create(&Task::new(work, now));
        }
        Ok(transaction.commit().await?)
    }

    async fn company(
        &self,
        task: &Stored<Task>,
        id: ShareId,
        company: CompanyId,
        news: &ShareEvent,
    ) -> Result<(), TaskError> {
        let via = RecipientId::Company(company);
        let share = self.share(id, news).await?;
        let recipient = self.store.recipient(id, &via).await?;
        let (share, recipient) = match (share, recipient, news) {
            (Some(share), None, ShareEvent::Removed) => (share, None),
            (Some(share), Some(recipient), ShareEvent::Removed) if !sent(&share) => (share, Some(recipient)),
            (Some(share), Some(recipient), news) if *news != ShareEvent::Removed => (share, Some(recipient)),
            // Taken away, or put back, before it was its turn.
            _ => return Ok(self.store.finish_task(task.id).await?),
        };
        let page = self.store.contacts_of(company, page_of(task)).await?;
        let last = page.next.is_none();
        let readers: Vec<Reader> = page
            .items
            .into_iter()
            .map(|contact| Reader::Contact { contact: Box::new(contact), via: [via.clone()].into() })
            .collect();
        let mut transaction = self.chunk(task, &share, news, &readers, page.next).await?;
        if let Some(recipient) = recipient {
            transaction = transaction.unchanged(recipient.rev, &recipient.record);
        }
        if last && *news == ShareEvent::Removed {
            transaction =
                transaction.create(&Task::new(TaskKind::LeaveCompanyInbox { share: id, company }, self.clock.now()));
        }
        Ok(transaction.commit().await?)
    }

    /// Takes a share out of a company's inbox, once none of its recipients is there any more.
    async fn leave(&self, task: &Stored<Task>, id: ShareId, company: CompanyId) -> Result<(), TaskError> {
        let transaction = self.store.transaction().remove(task.rev, &task.record);
        let Some(share) = self.store.share(id).await? else { return Ok(transaction.commit().await?) };
        let had = sent(&share) && self.store.is_had_at(&share, company).await?;
        // All its people have been gone through. Nobody becomes a recipient meanwhile: that would change the share.
        let mut changed = share.record.clone();
        changed.removed_recipients.remove(&RecipientId::Company(company));
        let transaction = transaction.save(share.rev, &changed);
        let transaction = match self.store.company_row(&share, company).await? {
            Some(row) if !had => transaction.remove(row.rev, &row.record).index_words(Some(&row), None),
            _ => transaction,
        };
        Ok(transaction.commit().await?)
    }

    /// The rows and mails of some readers, and the task moved behind them.
    async fn chunk(
        &self,
        task: &Stored<Task>,
        share: &Stored<Share>,
        news: &ShareEvent,
        readers: &[Reader],
        next: Option<Position>,
    ) -> Result<Transaction<'_>, TaskError> {
        let now = self.clock.now();
        let transaction = self.store.transaction().unchanged(share.rev, &share.record);
        let transaction = match next {
            Some(Position(after)) => {
                let moved = Task { after: Some(after), moved_at: now, ..task.record.clone() };
                transaction.save(task.rev, &moved)
            }
            None => transaction.remove(task.rev, &task.record),
        };
        Ok(FanOut { share, news, now }.to(&self.store, transaction, readers).await?)
    }

    /// What was shared with everyone at a company, or with an address, before the contact was there. Nobody is mailed
    /// about what is not new.
    async fn backfill(&self, task: &Stored<Task>, id: ContactId) -> Result<(), TaskError> {
        if let Some(contact) = self.store.contact(id).await? {
            let email: Option<Email> = contact.email.clone();
            let mut after = None;
            loop {
                let page = self.store.shared_with_company(contact.company_id, few(after)).await?;
                after = self.backfill_page(&contact, page).await?;
                if after.is_none() {
                    break;
                }
            }
            while let Some(email) = &email {
                let page = self.store.shared_with_address(email, few(after)).await?;
                after = self.backfill_page(&contact, page).await?;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(self.store.finish_task(task.id).await?)
    }

    async fn backfill_page(
        &self,
        contact: &gatehouse::domain::Contact,
        page: Page<gatehouse::domain::Recipient>,
    ) -> Result<Option<Position>, TaskError> {
        let now = self.clock.now();
        for recipient in page.items {
            let reader = Reader::Contact { contact: Box::new(contact.clone()), via: [recipient.id.clone()].into() };
            let Some(share) = self.share(recipient.share_id, &ShareEvent::Backfilled).await? else { continue };
            // The list is a little behind: it must still be one.
            let Some(recipient) = self.store.recipient(share.id, &recipient.id).await? else { continue };
            let sent_at = share.state.sent_at().unwrap_or(now);
            let transaction = self.store.transaction().unchanged(share.rev, &share.record);
            let transaction = transaction.unchanged(recipient.rev, &recipient.record);
            let fan_out = FanOut { share: &share, news: &ShareEvent::Backfilled, now: sent_at };
            fan_out.to(&self.store, transaction, &[reader]).await?.commit().await?;
        }
        Ok(page.next)
    }
}

fn sent(share: &Share) -> bool {
    matches!(share.state, ShareState::Sent { .. })
}

fn page_of(task: &Task) -> PageRequest {
    PageRequest { limit: CHUNK, after: task.after.clone().map(Position) }
}

fn few(after: Option<Position>) -> PageRequest {
    PageRequest { limit: 25, after }
}

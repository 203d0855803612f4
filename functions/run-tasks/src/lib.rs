//! Brings a share's news to many, a chunk at a time. Each chunk is one transaction that also moves the task on, so
//! that a crash anywhere tells nobody twice and leaves nobody out. What else goes on after a request is done here, too.

mod erase;
mod merge;
mod reconcile;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use gatehouse::aws::Env;
use gatehouse::clock::{Clock, SignedDuration};
use gatehouse::domain::{
    CompanyId, IndexedRow, RecipientId, Share, ShareEvent, ShareId, ShareState, Task, TaskId, TaskKind, TaskPosition,
};
use gatehouse::event::{EventFunction, Failed, FromTable, StartError};
use gatehouse::files::{Files, FilesError};
use gatehouse::store::{
    CommitError, FanOut, PageRequest, Position, Reader, Store, StoreError, Stored, Transaction, WRITES_PER_READER, keys,
};
use tracing::warn;

use merge::Merge;

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
                let now = self.clock.now();
                for task in self.store.open_tasks(shard, now - AT_WORK, now).await? {
                    // Its failure is logged, and the next sweep comes.
                    let _ = self.work_logged(task).await;
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

    /// Step after step, until there is no more, or it is not time yet. Of two at the same task, each step is one's.
    async fn work(&self, id: TaskId) -> Result<(), TaskError> {
        let mut stale = 0;
        while let Some(task) = self.store.task(id).await?.filter(|task| task.is_due(self.clock.now())) {
            let step: BoxFuture<'_, Result<(), TaskError>> = match &task.kind {
                TaskKind::Recipients { share, news } => self.recipients(&task, *share, news).boxed(),
                TaskKind::Company { share, company, news } => self.company(&task, *share, *company, news).boxed(),
                TaskKind::ReconcileInbox { contact, step } => self.reconcile(&task, *contact, *step).boxed(),
                TaskKind::LeaveCompanyInbox { share, company, cleared_by } => {
                    self.leave(&task, *share, *company, *cleared_by).boxed()
                }
                TaskKind::IndexWords { share, rows } => self.index_words(&task, *share, rows).boxed(),
                TaskKind::Erase { share, step } => self.erase(&task, *share, *step).boxed(),
                TaskKind::MergeCompany { company, into, step } => {
                    self.merge(&task, Merge { company: *company, into: *into }, *step).boxed()
                }
                TaskKind::DeleteBytes { file } => self.delete_bytes(&task, file).boxed(),
                TaskKind::DeleteJobFiles { files } => self.delete_job_files(&task, files).boxed(),
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
        let mut transaction = self.chunk(task, &share, news, &readers, self.move_on(task, next)).await?;
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
        let (via, now) = (RecipientId::Company(company), self.clock.now());
        let share = self.share(id, news).await?;
        let recipient = self.store.recipient(id, &via).await?;
        let (share, recipient) = match (share, recipient, news) {
            (Some(share), None, ShareEvent::Removed) if share.removed_companies.get(&company) == Some(&task.id) => {
                (share, None)
            }
            (Some(share), Some(recipient), ShareEvent::Removed) if !sent(&share) => (share, Some(recipient)),
            (Some(share), Some(recipient), news) if *news != ShareEvent::Removed => (share, Some(recipient)),
            // Taken away, put back, or taken away once more, before it was its turn; or merged into another company.
            (_, None, news) => return self.go_on_where_it_was_merged(task, id, company, news).await,
            _ => return Ok(self.store.finish_task(task.id).await?),
        };
        let page = self.store.members(company, page_of(task)).await?;
        let ends = page.next.is_none() && *news == ShareEvent::Removed;
        let second_run = if ends { task.second_run(task.kind.clone(), now) } else { None };
        let last = ends && second_run.is_none();
        let moved = second_run.or_else(|| self.move_on(task, page.next));
        let readers: Vec<Reader> = page.items.into_iter().map(|contact| Reader::of(contact, via.clone())).collect();
        let mut transaction = self.chunk(task, &share, news, &readers, moved).await?;
        if let Some(recipient) = recipient {
            transaction = transaction.unchanged(recipient.rev, &recipient.record);
        }
        if last {
            let leave = TaskKind::LeaveCompanyInbox { share: id, company, cleared_by: Some(task.id) };
            transaction = transaction.create(&Task::new(leave, now));
        }
        Ok(transaction.commit().await?)
    }

    /// What was still to be told to a company's people is told to those that it has become a part of.
    async fn go_on_where_it_was_merged(
        &self,
        task: &Stored<Task>,
        share: ShareId,
        company: CompanyId,
        news: &ShareEvent,
    ) -> Result<(), TaskError> {
        let merged = self.store.company(company).await?.and_then(|company| company.merged_into);
        let moved = merged
            .filter(|_| *news != ShareEvent::Removed)
            .map(|company| task.next(TaskKind::Company { share, company, news: news.clone() }, self.clock.now()));
        Ok(save_or_finish(self.store.transaction(), task, moved).commit().await?)
    }

    /// Takes a share out of a company's inbox, once none of its recipients is there any more.
    async fn leave(
        &self,
        task: &Stored<Task>,
        id: ShareId,
        company: CompanyId,
        cleared_by: Option<TaskId>,
    ) -> Result<(), TaskError> {
        let mut transaction = self.store.transaction().remove(task.rev, &task.record);
        let mut had = false;
        if let Some(share) = self.store.share(id).await? {
            had = sent(&share) && self.store.is_had_at(&share, company).await?;
            // All its people have been gone through. Nobody becomes a recipient meanwhile: that would change the share.
            let mut changed = share.record.clone();
            changed.removed_companies.retain(|marked, by| *marked != company || Some(*by) != cleared_by);
            transaction = transaction.save(share.rev, &changed);
        }
        let transaction = match self.store.company_row(id, company).await? {
            Some(row) if !had => transaction.remove(row.rev, &row.record).index_words(Some(&row), None),
            _ => transaction,
        };
        Ok(transaction.commit().await?)
    }

    /// The task behind what was done of its list; nothing, if that was all.
    fn move_on(&self, task: &Task, next: Option<Position>) -> Option<Task> {
        next.map(|Position(after)| task.moved(Some(after), self.clock.now()))
    }

    /// The rows and mails of some readers, and the task moved on, or done.
    async fn chunk(
        &self,
        task: &Stored<Task>,
        share: &Stored<Share>,
        news: &ShareEvent,
        readers: &[Reader],
        moved: Option<Task>,
    ) -> Result<Transaction<'_>, TaskError> {
        let transaction = self.store.transaction().unchanged(share.rev, &share.record);
        let transaction = save_or_finish(transaction, task, moved);
        // The same in each attempt, so that what one has left behind is written over by the next.
        let now = match (news, share.state.sent_at()) {
            (ShareEvent::Backfilled, Some(sent_at)) => sent_at,
            _ => task.moved_at,
        };
        Ok(FanOut { share, news, now }.to(&self.store, transaction, readers).await?)
    }
}

fn save_or_finish<'t>(transaction: Transaction<'t>, task: &Stored<Task>, moved: Option<Task>) -> Transaction<'t> {
    match moved {
        Some(moved) => transaction.save(task.rev, &moved),
        None => transaction.remove(task.rev, &task.record),
    }
}

fn sent(share: &Share) -> bool {
    matches!(share.state, ShareState::Sent { .. })
}

fn page_of(task: &Task) -> PageRequest {
    page_after(task.after.clone(), CHUNK)
}

fn page_after(after: Option<TaskPosition>, limit: usize) -> PageRequest {
    PageRequest { limit, after: after.map(Position) }
}

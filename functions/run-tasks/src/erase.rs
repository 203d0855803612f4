//! Removing a share for good: first it is marked, so that nothing is added to it any more and nothing brings it back;
//! then its rows leave all inboxes, its bytes the bucket, and it goes itself.

use gatehouse::clock::{SignedDuration, Timestamp};
use gatehouse::domain::{
    Activity, ActivityKind, Actor, CompanyId, EraseStep, FileId, FileState, Recipient, RecipientId, SECOND_RUN_AFTER,
    Share, ShareEvent, ShareFile, ShareId, Target, Task, TaskKind, TaskPosition,
};
use gatehouse::files::{BucketFile as _, ObjectKey, UPLOAD_LIFETIME};
use gatehouse::store::{FanOut, Position, Reader, Stored};

use crate::{CHUNK, RunTasks, TaskError, page_after, save_or_finish};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// So late a task may be that takes an erased share's words out of an inbox, where an outage held it up.
const WORDS_KEPT: SignedDuration = DAY;

impl RunTasks {
    /// Each step may be done twice: it can begin anew wherever it stopped.
    pub(crate) async fn erase(&self, task: &Stored<Task>, id: ShareId, step: EraseStep) -> Result<(), TaskError> {
        let Some(share) = self.store.share(id).await? else { return Ok(self.store.finish_task(task.id).await?) };
        match step {
            EraseStep::Mark => self.mark(task, &share).await,
            // A draft lies in no inbox but the operator's.
            EraseStep::Rows if share.state.sent_at().is_none() => self.next(task, id, EraseStep::Bytes).await,
            EraseStep::Rows => self.rows(task, &share).await,
            EraseStep::Bytes => self.bytes(task, &share).await,
        }
    }

    async fn next(&self, task: &Stored<Task>, share: ShareId, step: EraseStep) -> Result<(), TaskError> {
        let next = task.next(TaskKind::Erase { share, step }, self.clock.now());
        Ok(self.store.transaction().save(task.rev, &next).commit().await?)
    }

    /// Its end may have been moved since it was chosen, or retention been given up. What is marked is not let off.
    async fn mark(&self, task: &Stored<Task>, share: &Stored<Share>) -> Result<(), TaskError> {
        let now = self.clock.now();
        if share.erasing {
            return self.next(task, share.id, EraseStep::Rows).await;
        }
        let days = self.store.settings().await?.retention_days;
        if !days.is_some_and(|days| has_had_its_time(share, days, now)) {
            return Ok(self.store.finish_task(task.id).await?);
        }
        // Nothing is added to it from here on, and nothing taken out: what its files have counted is given back once.
        let files = self.store.share_and_files(share.id).await?.map(|(_, files)| files).unwrap_or_default();
        let marked = share.record.clone().erase(now);
        let next = task.next(TaskKind::Erase { share: share.id, step: EraseStep::Rows }, now);
        let activity = Activity::new(ActivityKind::ShareErased, Actor::system(), now).share(share.id);
        let transaction = self.store.transaction().save(share.rev, &marked).operators_row(Some(share), &marked);
        let transaction = self.store.give_back(transaction, files.iter().map(ShareFile::counted)).await?;
        Ok(transaction.activity(&activity).save(task.rev, &next).commit().await?)
    }

    /// A page of its recipients, or of the people of a company that is one. Twice: indexes are a little behind.
    async fn rows(&self, task: &Stored<Task>, share: &Stored<Share>) -> Result<(), TaskError> {
        let now = self.clock.now();
        let page = self.store.recipients(share.id, page_after(task.after.clone(), CHUNK)).await?;
        let company = page.items.first().and_then(company_of);
        let (readers, moved) = if let Some((company, recipient)) = company {
            let members = self.store.members(company, page_after(task.within.clone(), CHUNK)).await?;
            let reader = |contact| Reader::of(contact, RecipientId::Company(company));
            let moved = match members.next {
                Some(Position(within)) => Task { within: Some(within), moved_at: now, ..task.record.clone() },
                None => task.moved(Some(behind(recipient)), now),
            };
            (members.items.into_iter().map(reader).collect(), Some(moved))
        } else {
            let count = page.items.iter().take_while(|recipient| company_of(recipient).is_none()).count();
            let more = count < page.items.len() || page.next.is_some();
            let moved = page.items[..count].last().filter(|_| more).map(|last| task.moved(Some(behind(last)), now));
            let recipients = page.items.into_iter().take(count).collect();
            (self.store.readers(recipients).await?.0, moved)
        };
        let moved = moved.or_else(|| task.second_run(task.kind.clone(), now));
        let next = || task.next(TaskKind::Erase { share: share.id, step: EraseStep::Bytes }, now);
        let transaction = save_or_finish(self.store.transaction(), task, Some(moved.unwrap_or_else(next)));
        let fan_out = FanOut { share, news: &ShareEvent::Removed, now };
        Ok(fan_out.to(&self.store, transaction, &readers).await?.commit().await?)
    }

    async fn bytes(&self, task: &Stored<Task>, share: &Stored<Share>) -> Result<(), TaskError> {
        let (store, now) = (&self.store, self.clock.now());
        if !share.removed_companies.is_empty() {
            // A company that was taken away is still gone through, by a task that needs the share.
            let later = task.later(SECOND_RUN_AFTER, now);
            return Ok(store.transaction().save(task.rev, &later).commit().await?);
        }
        let files = store.share_and_files(share.id).await?.map(|(_, files)| files).unwrap_or_default();
        for file in &files {
            self.delete_file(file).await?;
        }
        store.delete_share(share.id, now + WORDS_KEPT).await?;
        Ok(store.finish_task(task.id).await?)
    }

    /// The bytes of a file that is none any more, and once more when its last upload URL has ended.
    pub(crate) async fn delete_bytes(&self, task: &Stored<Task>, file: &ShareFile) -> Result<(), TaskError> {
        self.delete_file(file).await?;
        let now = self.clock.now();
        let again = task.second_run(task.kind.clone(), now).map(|again| again.later(UPLOAD_LIFETIME, now));
        Ok(save_or_finish(self.store.transaction(), task, again).commit().await?)
    }

    /// Once more when the last URL for sending them has ended.
    pub(crate) async fn delete_job_files(&self, task: &Stored<Task>, files: &[FileId]) -> Result<(), TaskError> {
        for file in files {
            self.store.forget_job_file(*file).await?;
            self.files.delete_thumbnails(ObjectKey::Job(*file)).await?;
            self.files.delete(ObjectKey::Job(*file)).await?;
        }
        let now = self.clock.now();
        let again = task.second_run(task.kind.clone(), now).map(|again| again.later(UPLOAD_LIFETIME, now));
        Ok(save_or_finish(self.store.transaction(), task, again).commit().await?)
    }

    async fn delete_file(&self, file: &ShareFile) -> Result<(), TaskError> {
        if file.upload == FileState::Pending {
            self.files.give_up(file).await?;
        }
        if file.picture.is_some() {
            self.files.delete_thumbnails(file.key()).await?;
        }
        Ok(self.files.delete(file.key()).await?)
    }
}

fn has_had_its_time(share: &Share, days: u32, now: Timestamp) -> bool {
    share.ends_at().is_some_and(|end| end + DAY * i32::try_from(days).unwrap_or(i32::MAX) <= now)
}

fn company_of(recipient: &Recipient) -> Option<(CompanyId, &Recipient)> {
    match recipient.target {
        Target::Company { company_id } => Some((company_id, recipient)),
        _ => None,
    }
}

fn behind(recipient: &Recipient) -> TaskPosition {
    Position::behind(recipient).0
}

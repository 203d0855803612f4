//! Removes what has had its time: shares that ended so many days ago, and activity that is so many months old, as the
//! settings say, and uploads that nobody went on with.

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::clock::{Clock, SignedDuration};
use gatehouse::domain::{EraseStep, FileId, FileScan, JobFile, ShareId, Task, TaskKind, Verdict};
use gatehouse::event::{EventFunction, StartError, Time};
use gatehouse::files::Files;
use gatehouse::store::{AwaitedFile, AwaitedJobFile, CommitError, PageRequest, ScannedFile, Store, Transaction};
use serde_json::{Value, json};
use tracing::warn;

/// As long as the bucket keeps the parts of an upload: see its lifecycle rule in template.yaml.
const UPLOADS_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// One run begins so many; the next one, a day later, goes on.
const MOST_SHARES: usize = 10_000;
/// The same of records of activity.
const MOST_ACTIVITY: usize = 200_000;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The function.
pub struct ApplyRetention {
    store: Store,
    files: Files,
    clock: Clock,
}

impl EventFunction for ApplyRetention {
    type Event = Time;
    type Outcome = Value;

    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { store: Store::new(env), files: Files::new(env), clock: env.clock.clone() })
    }

    /// None waits for another: what cannot be read or written of the shares leaves the uploads to go on.
    async fn handle(&self, _: Time) -> Result<Value, StartError> {
        let (shares, uploads) = (self.ended_shares().await, self.left_uploads().await);
        let (photos, activity) = (self.left_job_files().await, self.old_activity().await);
        let scans = self.lost_verdicts().await;
        Ok(json!({
            "shares": shares?, "uploads": uploads?, "job_files": photos?, "activity": activity?, "scans": scans?,
        }))
    }
}

impl ApplyRetention {
    /// A task each: it may be long, and it must come to its end.
    async fn ended_shares(&self) -> Result<usize, StartError> {
        let Some(days) = self.store.settings().await?.retention_days else { return Ok(0) };
        let now = self.clock.now();
        let (mut begun, mut after) = (0, None);
        while begun < MOST_SHARES {
            let ended = now - DAY * i32::try_from(days).unwrap_or(i32::MAX);
            let page = self.store.ended_before(ended, PageRequest { limit: 50, after }).await?;
            // One that is being erased has its task.
            let ended = page.items.iter().filter(|share| !share.erasing);
            let erase = ended.map(|share| TaskKind::Erase { share: share.id, step: EraseStep::Mark });
            let tasks: Vec<Task> = erase.map(|kind| Task::new(kind, now)).collect();
            let transaction = tasks.iter().fold(self.store.transaction(), Transaction::create);
            if !tasks.is_empty() {
                transaction.commit().await?;
            }
            begun += tasks.len();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(begun)
    }

    /// By whole months, which are its partitions.
    async fn old_activity(&self) -> Result<usize, StartError> {
        let kept = self.store.settings().await?.activity_months;
        Ok(self.store.forget_activity(kept, self.clock.now(), MOST_ACTIVITY).await?)
    }

    /// Files whose verdict was lost, or whose scans were given up: they wait no longer.
    async fn lost_verdicts(&self) -> Result<usize, StartError> {
        let (mut released, mut after) = (0, None);
        loop {
            let since = self.clock.now() - FileScan::LONGEST_WAIT;
            let page = self.store.waiting_for_scans(since, PageRequest { limit: 100, after }).await?;
            for ScannedFile { id: file, share_id: share } in page.items {
                match self.release(share, file).await {
                    Ok(true) => {
                        warn!(%file, "no verdict has come: a file is handed out unscanned");
                        released += 1;
                    }
                    // The verdict has come.
                    Ok(false) | Err(CommitError::Conflict) => {}
                    Err(error) => warn!(%file, %error, "a file still waits for its scan"),
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(released);
            }
        }
    }

    /// Whether it was still waiting.
    async fn release(&self, share: Option<ShareId>, file: FileId) -> Result<bool, CommitError> {
        let (store, now, verdict) = (&self.store, self.clock.now(), Verdict::Unsupported);
        match share {
            Some(share) => match store.file(share, file).await?.filter(|file| file.scan.waits_since().is_some()) {
                Some(file) => store.note_verdict(&file, verdict, file.scan.of().cloned(), now).await?,
                None => return Ok(false),
            },
            None => match store.job_file(file).await?.filter(|file| file.scan.waits_since().is_some()) {
                Some(file) => store.note_verdict_on_job_file(&file, verdict, file.scan.of().cloned(), now).await?,
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    /// Files of jobs whose bytes, or whose report, have not come.
    async fn left_job_files(&self) -> Result<usize, StartError> {
        let (mut removed, mut failed, mut after) = (0, None, None);
        loop {
            let since = self.clock.now() - JobFile::KEPT;
            let page = self.store.awaited_job_files(since, PageRequest { limit: 100, after }).await?;
            for AwaitedJobFile { id: file } in page.items {
                match self.give_up_job_file(file).await {
                    Ok(given_up) => removed += usize::from(given_up),
                    Err(error) => {
                        warn!(%file, %error, "a file of a job that was left stays");
                        failed = Some(error);
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return failed.map_or(Ok(removed), Err);
            }
        }
    }

    /// Whether the file was removed.
    async fn give_up_job_file(&self, id: FileId) -> Result<bool, StartError> {
        let now = self.clock.now();
        let Some(file) = self.store.job_file(id).await?.filter(|file| file.is_awaited()) else { return Ok(false) };
        // Its bytes may have come long ago, and whoever was told of it have failed.
        if file.job_id.is_some() && self.files.take_job_file(&self.store, &file, now).await? {
            return Ok(false);
        }
        match self.store.give_up_job_file(&file, now).await {
            Ok(()) => Ok(true),
            // Its bytes, or its report, have just come: tomorrow is another day.
            Err(CommitError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Files that were announced and never came, with whatever came of them.
    async fn left_uploads(&self) -> Result<usize, StartError> {
        let (mut removed, mut failed, mut after) = (0, None, None);
        loop {
            let since = self.clock.now() - UPLOADS_KEPT;
            let page = self.store.awaited_since(since, PageRequest { limit: 100, after }).await?;
            for AwaitedFile { share_id: share, id: file } in page.items {
                match self.give_up(share, file).await {
                    Ok(given_up) => removed += usize::from(given_up),
                    Err(error) => {
                        warn!(%share, %file, %error, "an upload that was left stays");
                        failed = Some(error);
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return failed.map_or(Ok(removed), Err);
            }
        }
    }

    /// Whether the file was removed.
    async fn give_up(&self, share: ShareId, file: FileId) -> Result<bool, StartError> {
        let found = try_join!(self.store.share_and_files(share), self.store.file(share, file))?;
        // The lists are a little behind: it may have come meanwhile, or be gone. With an erased share its files go, too.
        let (Some((share, files)), Some(file)) = found else { return Ok(false) };
        if share.erasing {
            return Ok(false);
        }
        let now = self.clock.now();
        // Its last byte may have come long ago, and whoever was told of it have failed.
        if self.files.take_unsaid(&self.store, &file, now).await? {
            return Ok(false);
        }
        let transaction = self.store.transaction().withdraw_file(&share, &files, &file, now);
        let transaction = self.store.give_back(transaction, [file.counted()]).await?;
        match transaction.commit().await {
            Ok(()) => Ok(true),
            // Its last byte has just come, or the share is being changed: tomorrow is another day.
            Err(CommitError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

//! Removes what has had its time: shares that ended so many days ago as the settings say, and uploads that nobody
//! went on with.

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::clock::{Clock, SignedDuration};
use gatehouse::domain::{FileState, Task, TaskKind};
use gatehouse::event::{EventFunction, StartError, Time};
use gatehouse::files::Files;
use gatehouse::store::{CommitError, PageRequest, Store};
use serde_json::{Value, json};
use tracing::warn;

/// As long as the bucket keeps the parts of an upload: see its lifecycle rule in template.yaml.
const UPLOADS_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// One run begins so many; the next one, a day later, goes on.
const MOST_SHARES: usize = 10_000;

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

    async fn handle(&self, _: Time) -> Result<Value, StartError> {
        let (shares, uploads) = (self.ended_shares().await?, self.left_uploads().await?);
        Ok(json!({ "shares": shares, "uploads": uploads }))
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
            let page = self.store.ended_before(ended, PageRequest { limit: 100, after }).await?;
            let erase = page.items.iter().map(|share| Task::new(TaskKind::Erase { share: share.id }, now));
            let tasks: Vec<Task> = erase.collect();
            let transaction = tasks.iter().fold(self.store.transaction(), gatehouse::store::Transaction::create);
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

    /// Files that were announced and never came, with whatever came of them.
    async fn left_uploads(&self) -> Result<usize, StartError> {
        let (mut removed, mut after) = (0, None);
        loop {
            let since = self.clock.now() - UPLOADS_KEPT;
            let page = self.store.awaited_since(since, PageRequest { limit: 100, after }).await?;
            for file in page.items {
                let file = self.store.file(file.share_id, file.id).await?;
                // The list is a little behind: it may have come meanwhile.
                let Some(file) = file.filter(|file| file.upload == FileState::Pending) else { continue };
                match self.store.transaction().remove(file.rev, &file.record).commit().await {
                    // Its last byte has just come.
                    Err(CommitError::Conflict) => continue,
                    removed => removed?,
                }
                if let Err(error) = try_join!(self.files.give_up(&file), self.files.delete(file.share_id, file.id)) {
                    warn!(share = %file.share_id, file = %file.id, %error, "bytes of an upload that was left stay");
                }
                removed += 1;
            }
            after = page.next;
            if after.is_none() {
                return Ok(removed);
            }
        }
    }
}

//! Draws small pictures of files: of pictures, and of the first pages of PDFs.
//!
//! What is to be drawn waits in the table from the transaction that takes its file. `finish-upload` hands on what S3 has
//! told it of, which is the fast way; the schedule looks for what that left behind, which is the sure one. A file that
//! cannot be drawn, whatever it is, gets no picture and holds up nothing: it is tried three times at most, and a
//! function that a file brings to its end has counted the try before.

mod draw;
mod pdf;

use std::time::Duration;

use gatehouse::aws::Env;
use gatehouse::clock::Clock;
use gatehouse::domain::{FileId, JobFile, PixelSize, ShareFile, ShareId, ThumbnailSize};
use gatehouse::event::{EventFunction, ObjectCreated, ObjectScanned, StartError};
use gatehouse::files::{BucketFile, Files, FilesError, ObjectKey};
use gatehouse::store::{CommitError, PageRequest, Store, StoreError, keys};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tracing::{info, warn};

pub use draw::{Drawn, NotDrawn, draw};

/// A picture that takes longer is none.
const DRAWN_WITHIN: Duration = Duration::from_secs(25);
/// How often a file is tried: what ends the function, by its memory or its time, would do so for ever.
const MOST_TRIES: u32 = 3;
/// The next one, five minutes later, goes on.
const MOST_AT_ONCE: usize = 20;

/// The function.
pub struct MakeThumbnails {
    store: Store,
    files: Files,
    clock: Clock,
}

/// What calls it.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// Lambda, with what `finish-upload` has done ("Asynchronous invocation record").
    Taken {
        /// What that was called with.
        #[serde(rename = "requestPayload")]
        of: ObjectCreated,
    },
    /// The same, with what `record-scan` has done: a file waits to be drawn once nothing was found in it.
    Scanned {
        /// What that was called with.
        #[serde(rename = "requestPayload")]
        of: ObjectScanned,
    },
    /// The schedule: what was left behind.
    Sweep {},
}

/// A file could not be drawn this time.
#[derive(Debug, thiserror::Error)]
enum ThumbnailError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Files(#[from] FilesError),
}

/// Why a file has no picture.
#[derive(Debug, thiserror::Error)]
enum NoPicture {
    #[error(transparent)]
    NotDrawn(#[from] NotDrawn),
    #[error("it takes longer than {DRAWN_WITHIN:?}")]
    Slow(#[from] Elapsed),
    #[error("drawing it ended in a panic")]
    Panic(#[from] JoinError),
}

impl EventFunction for MakeThumbnails {
    type Event = Event;
    type Outcome = Value;

    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { store: Store::new(env), files: Files::new(env), clock: env.clock.clone() })
    }

    async fn handle(&self, event: Event) -> Result<Value, StartError> {
        match event {
            Event::Taken { of } => self.make_at(of.key()).await?,
            Event::Scanned { of } => self.make_at(of.key()).await?,
            Event::Sweep {} => {
                for shard in 0..keys::OUTBOX_SHARDS {
                    let page = PageRequest { limit: MOST_AT_ONCE, after: None };
                    for waiting in self.store.waiting_for_thumbnails(shard, page).await?.items {
                        if let Err(error) = self.make(waiting.file).await {
                            warn!(file = %waiting.file, %error, "a file waits for its thumbnails");
                        }
                    }
                }
            }
        }
        Ok(json!({}))
    }
}

impl MakeThumbnails {
    async fn make_at(&self, key: &str) -> Result<(), ThumbnailError> {
        match ObjectKey::parse(key) {
            Some(ObjectKey::Share(_, file) | ObjectKey::Job(file)) => self.make(file).await,
            None => Ok(()),
        }
    }

    /// Makes what a file has yet to get, if nobody is at it.
    async fn make(&self, id: FileId) -> Result<(), ThumbnailError> {
        let Some(task) = self.store.claim_thumbnail_task(id, self.clock.now()).await? else { return Ok(()) };
        let of = task.share_id.map_or(ObjectKey::Job(id), |share| ObjectKey::Share(share, id));
        let drawn = if task.tries > MOST_TRIES {
            warn!(file = %id, "a file has ended the function too often: it gets no thumbnails");
            None
        } else {
            self.drawn(of).await?
        };
        let shown = match drawn {
            Some(drawn) => self.show(of, drawn).await?,
            None => false,
        };
        if !shown {
            // Of an earlier try, or of a file that went meanwhile.
            self.files.delete_thumbnails(of).await?;
        }
        Ok(self.store.finish_thumbnail_task(id).await?)
    }

    /// The pictures of a file, if it is there and can be drawn.
    async fn drawn(&self, of: ObjectKey) -> Result<Option<Drawn>, ThumbnailError> {
        match of {
            ObjectKey::Share(share, id) => match self.store.file(share, id).await?.filter(|file| file.is_drawn()) {
                Some(file) => self.draw(id, &file.record).await,
                None => Ok(None),
            },
            ObjectKey::Job(id) => match self.store.job_file(id).await?.filter(|file| file.is_drawn()) {
                Some(file) => self.draw(id, &file.record).await,
                None => Ok(None),
            },
        }
    }

    async fn draw(&self, id: FileId, file: &impl BucketFile) -> Result<Option<Drawn>, ThumbnailError> {
        let Some(detected) = file.detected().cloned() else { return Ok(None) };
        let Some(bytes) = self.files.bytes(file).await? else { return Ok(None) };
        match in_time(move || draw(bytes, detected.as_str())).await {
            Ok(drawn) => Ok(Some(drawn)),
            Err(why) => {
                info!(file = %id, %why, "a file gets no thumbnails");
                Ok(None)
            }
        }
    }

    /// Puts the pictures into the bucket, and then says so on their file. Whether that is still there.
    async fn show(&self, of: ObjectKey, drawn: Drawn) -> Result<bool, ThumbnailError> {
        let Drawn { size, small, large } = drawn;
        for (which, jpeg) in [(ThumbnailSize::Small, small), (ThumbnailSize::Large, large)] {
            self.files.put_thumbnail(of, which, jpeg).await?;
        }
        loop {
            let said = match of {
                ObjectKey::Share(share, id) => self.say_on_share_file(share, id, size).await,
                ObjectKey::Job(id) => self.say_on_job_file(id, size).await,
            };
            match said {
                Err(ThumbnailError::Commit(CommitError::Conflict)) => {}
                said => return said,
            }
        }
    }

    /// Only while the share stays: whoever erases it has then seen that there are pictures.
    async fn say_on_share_file(&self, share: ShareId, id: FileId, size: PixelSize) -> Result<bool, ThumbnailError> {
        let found = self.store.share_and_file(share, id).await?.filter(|(share, _)| !share.erasing);
        let Some((share, Some(file))) = found else { return Ok(false) };
        let drawn = ShareFile { picture: Some(size), ..file.record.clone() };
        let transaction = self.store.transaction().unchanged(share.rev, &share.record);
        Ok(transaction.save(file.rev, &drawn).commit().await.map(|()| true)?)
    }

    async fn say_on_job_file(&self, id: FileId, size: PixelSize) -> Result<bool, ThumbnailError> {
        let Some(file) = self.store.job_file(id).await? else { return Ok(false) };
        let drawn = JobFile { picture: Some(size), ..file.record.clone() };
        Ok(self.store.transaction().save(file.rev, &drawn).commit().await.map(|()| true)?)
    }
}

/// On a thread of its own, which goes on by itself where it takes too long.
async fn in_time(drawing: impl FnOnce() -> Result<Drawn, NotDrawn> + Send + 'static) -> Result<Drawn, NoPicture> {
    Ok(timeout(DRAWN_WITHIN, spawn_blocking(drawing)).await???)
}

//! Notes on a file what Amazon `GuardDuty` has said of its bytes. A verdict counts for the version of the object that was
//! scanned and for no other; it may come before the file is taken, twice, or when the file is long gone.

use gatehouse::aws::Env;
use gatehouse::clock::Clock;
use gatehouse::domain::{FileId, FileState, ObjectVersion, ShareId, Verdict};
use gatehouse::event::{EventFunction, ObjectScanned, StartError};
use gatehouse::files::{BucketFile, Files, FilesError, ObjectKey};
use gatehouse::store::{CommitError, Store};
use serde_json::Value;
use tracing::{error, warn};

/// Who takes the file at the same time is let through so often.
const MOST_TRIES: usize = 10;

/// The function.
pub struct RecordScan {
    store: Store,
    files: Files,
    clock: Clock,
}

impl EventFunction for RecordScan {
    type Event = ObjectScanned;
    type Outcome = Value;

    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { store: Store::new(env), files: Files::new(env), clock: env.clock.clone() })
    }

    async fn handle(&self, event: ObjectScanned) -> Result<Value, StartError> {
        let Some(at) = ObjectKey::parse(event.key()) else { return Ok(Value::Null) };
        let verdict = verdict(&event, at);
        for _ in 1..MOST_TRIES {
            match self.note(at, verdict, event.version()).await {
                Err(RecordError::Commit(CommitError::Conflict)) => {}
                noted => return Ok(noted.map(|()| Value::Null)?),
            }
        }
        self.note(at, verdict, event.version()).await?;
        Ok(Value::Null)
    }
}

/// A verdict could not be noted this time.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Files(#[from] FilesError),
}

/// What the scan's result means. What could not be scanned is not kept from anybody for ever; the log says why.
fn verdict(event: &ObjectScanned, at: ObjectKey) -> Verdict {
    let (ObjectKey::Share(_, file) | ObjectKey::Job(file)) = at;
    match event.result() {
        "NO_THREATS_FOUND" => Verdict::Clean,
        "THREATS_FOUND" => {
            warn!(%file, threats = ?event.threats(), "a scan has found something");
            Verdict::Found
        }
        "UNSUPPORTED" => Verdict::Unsupported,
        // The plan's role lacks something, or GuardDuty is out of order: files go on unscanned until that is put right.
        result => {
            error!(%file, result, "a file could not be scanned");
            Verdict::Unsupported
        }
    }
}

impl RecordScan {
    async fn note(&self, at: ObjectKey, verdict: Verdict, of: Option<&ObjectVersion>) -> Result<(), RecordError> {
        match at {
            ObjectKey::Share(share, file) => self.note_on_share_file(share, file, verdict, of).await,
            ObjectKey::Job(file) => self.note_on_job_file(file, verdict, of).await,
        }
    }

    async fn note_on_share_file(
        &self,
        share: ShareId,
        file: FileId,
        verdict: Verdict,
        of: Option<&ObjectVersion>,
    ) -> Result<(), RecordError> {
        let Some(file) = self.store.file(share, file).await.map_err(CommitError::from)? else { return Ok(()) };
        if !self.is_about(&file.record, file.upload, of).await? {
            return Ok(());
        }
        Ok(self.store.note_verdict(&file, verdict, of.cloned(), self.clock.now()).await?)
    }

    async fn note_on_job_file(
        &self,
        file: FileId,
        verdict: Verdict,
        of: Option<&ObjectVersion>,
    ) -> Result<(), RecordError> {
        let Some(file) = self.store.job_file(file).await.map_err(CommitError::from)? else { return Ok(()) };
        if !self.is_about(&file.record, file.upload, of).await? {
            return Ok(());
        }
        Ok(self.store.note_verdict_on_job_file(&file, verdict, of.cloned(), self.clock.now()).await?)
    }

    /// Whether the scan was of the bytes that the file has. Of one that is taken and waits, that is known; else the bucket
    /// is asked.
    async fn is_about(
        &self,
        file: &impl BucketFile,
        upload: FileState,
        of: Option<&ObjectVersion>,
    ) -> Result<bool, RecordError> {
        match (upload, file.scan().of()) {
            (FileState::Stored, Some(taken)) => Ok(of == Some(taken)),
            _ => Ok(self.files.version(file).await?.as_ref() == of),
        }
    }
}

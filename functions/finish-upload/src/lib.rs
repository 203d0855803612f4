//! Takes files whose sender vanished between the last byte and saying so: S3 tells of every object that is complete.

use gatehouse::aws::Env;
use gatehouse::clock::Clock;
use gatehouse::event::{EventFunction, ObjectCreated, StartError};
use gatehouse::files::{Files, ObjectKey};
use gatehouse::store::Store;
use serde_json::Value;

/// The function.
pub struct FinishUpload {
    store: Store,
    files: Files,
    clock: Clock,
}

impl EventFunction for FinishUpload {
    type Event = ObjectCreated;
    type Outcome = Value;

    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { store: Store::new(env), files: Files::new(env), clock: env.clock.clone() })
    }

    async fn handle(&self, event: ObjectCreated) -> Result<Value, StartError> {
        let now = self.clock.now();
        let Some(key) = ObjectKey::parse(event.key()) else { return Ok(Value::Null) };
        match key {
            ObjectKey::Share(share, id) => match self.store.file(share, id).await? {
                Some(file) => drop(self.files.take_unsaid(&self.store, &file, now).await?),
                // Announced once, given up since: nobody will ask for these bytes.
                None => self.files.delete(key).await?,
            },
            ObjectKey::Job(id) => match self.store.job_file(id).await? {
                Some(file) => drop(self.files.take_job_file(&self.store, &file, now).await?),
                None => self.files.delete(key).await?,
            },
        }
        Ok(Value::Null)
    }
}

//! Takes files whose sender vanished between the last byte and saying so: S3 tells of every object that is complete.

use gatehouse::aws::Env;
use gatehouse::clock::Clock;
use gatehouse::event::{EventFunction, ObjectCreated, StartError};
use gatehouse::files::{Files, at_key};
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
        let Some((share, id)) = at_key(event.key()) else { return Ok(Value::Null) };
        let Some(file) = self.store.file(share, id).await? else {
            // Announced once, given up since: nobody will ask for these bytes.
            self.files.delete(share, id).await?;
            return Ok(Value::Null);
        };
        self.files.take_unsaid(&self.store, &file, self.clock.now()).await?;
        Ok(Value::Null)
    }
}

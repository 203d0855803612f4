//! Takes files whose sender vanished between the last byte and saying so: S3 tells of every object that is complete.

use gatehouse::aws::Env;
use gatehouse::clock::Clock;
use gatehouse::domain::{ActorId, Area, Contact, FileState, PersonId};
use gatehouse::event::{EventFunction, StartError};
use gatehouse::files::{Files, UploadRefused, at_key};
use gatehouse::store::{CommitError, NotTaken, Store};
use serde::Deserialize;
use serde_json::Value;
use tracing::info;

/// Who changes the share at the same time is let through so often.
const MOST_TRIES: usize = 10;

/// The function.
pub struct FinishUpload {
    store: Store,
    files: Files,
    clock: Clock,
}

/// "Object Created" of Amazon S3, as `EventBridge` brings it.
#[derive(Deserialize)]
pub struct Event {
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

impl EventFunction for FinishUpload {
    type Event = Event;
    type Outcome = Value;

    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { store: Store::new(env), files: Files::new(env), clock: env.clock.clone() })
    }

    async fn handle(&self, event: Event) -> Result<Value, StartError> {
        let Some((share, id)) = at_key(&event.detail.object.key) else { return Ok(Value::Null) };
        let Some(file) = self.store.file(share, id).await? else {
            // Announced once, given up since: nobody will ask for these bytes.
            self.files.delete(share, id).await?;
            return Ok(Value::Null);
        };
        if file.upload == FileState::Stored {
            return Ok(Value::Null);
        }
        let by = match file.by_id {
            ActorId::Person(PersonId::Contact(contact)) => match self.sender(contact).await? {
                // Access was closed meanwhile: the bytes wait for the day it is opened again, or are swept.
                None => return Ok(Value::Null),
                contact => contact,
            },
            _ => None,
        };
        let content_type = match self.files.check(&file, &[]).await {
            Ok(content_type) => content_type,
            Err(UploadRefused::Files(error)) => return Err(error.into()),
            Err(refused) => {
                info!(%share, file = %id, why = reason(&refused), "an upload was refused");
                return Ok(Value::Null);
            }
        };
        for _ in 0..MOST_TRIES {
            match self.store.take_file(share, id, content_type.clone(), by.as_ref(), self.clock.now()).await {
                Ok(_) | Err(NotTaken::Gone) => return Ok(Value::Null),
                Err(NotTaken::Revoked) => {
                    self.files.delete(share, id).await?;
                    return Ok(Value::Null);
                }
                Err(NotTaken::Commit(CommitError::Stale)) => {}
                Err(NotTaken::Commit(error)) => return Err(error.into()),
            }
        }
        Err("the share is changed too often".into())
    }
}

impl FinishUpload {
    async fn sender(&self, contact: gatehouse::domain::ContactId) -> Result<Option<Contact>, StartError> {
        let contact = self.store.contact(contact).await?.map(|contact| contact.record);
        Ok(contact.filter(|contact| contact.access.is_active() && contact.areas.has(Area::Upload)))
    }
}

/// Without the file's name, which may be a person's.
fn reason(refused: &UploadRefused) -> &'static str {
    match refused {
        UploadRefused::Missing(_) => "incomplete",
        UploadRefused::Size { .. } => "size",
        UploadRefused::Checksum => "checksum",
        UploadRefused::Type { .. } => "type",
        UploadRefused::Files(_) => "S3",
    }
}

//! Takes files whose sender vanished between the last byte and saying so: S3 tells of every object that is complete.

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::clock::Clock;
use gatehouse::domain::{ActorId, Area, Contact, ContactId, FileState, PersonId, ShareId, Visibility};
use gatehouse::event::{EventFunction, StartError};
use gatehouse::files::{Files, UploadError, at_key};
use gatehouse::store::{Store, UploadNotAccepted};
use serde::Deserialize;
use serde_json::Value;
use tracing::info;

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
            ActorId::Person(PersonId::Contact(contact)) => match self.sender(contact, share).await? {
                // It may not, or not now: the bytes wait for the day that it may again, or are swept.
                None => return Ok(Value::Null),
                contact => contact,
            },
            _ => None,
        };
        match self.files.take(&self.store, &file, None, by.as_ref(), self.clock.now()).await {
            // Neither says the file's name, which may be a person's.
            Ok(_) | Err(UploadError::Missing(_) | UploadError::NotAccepted(UploadNotAccepted::Gone)) => {}
            Err(UploadError::Refused(refusal)) => info!(%share, file = %id, %refusal, "an upload was refused"),
            Err(UploadError::NotAccepted(UploadNotAccepted::Revoked)) => self.files.delete(share, id).await?,
            Err(error) => return Err(error.into()),
        }
        Ok(Value::Null)
    }
}

impl FinishUpload {
    /// The sender, if it may still put files into the share: what `complete` would ask.
    async fn sender(&self, contact: ContactId, share: ShareId) -> Result<Option<Contact>, StartError> {
        let found = try_join!(self.store.contact(contact), self.store.share(share), self.store.share_visibility())?;
        let (Some(contact), Some(share), visibility) = found else { return Ok(None) };
        let received = self.store.received(contact.id, contact.company_id, share.id).await?;
        let colleagues = received.colleagues.filter(|_| visibility == Visibility::Company);
        let own = received.own.as_deref();
        let open = share.open_to(&contact, own, colleagues.as_ref(), self.clock.now()).is_ok();
        let takes = share.allow_upload || share.made_by_contact() == Some(contact.id);
        let may = contact.access.is_active() && contact.areas.has(Area::Upload);
        Ok((open && takes && may).then_some(contact.record))
    }
}

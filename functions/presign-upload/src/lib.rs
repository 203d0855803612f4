//! A file's bytes: how they get into the bucket, and whether they did. Staff and customers send them the same way.

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::domain::{
    ActorId, Area, Contact, FileId, FileState, NewFile, PersonId, Right, Share, ShareFile, ShareId, ShareState,
};
use gatehouse::event::StartError;
use gatehouse::files::{Files, Missing, Room, SentPart, Upload};
use gatehouse::http::{Announcing, Answer, Call, FileView, Function, Gate, Once, Problem, json, retry_stale};
use gatehouse::store::{CommitError, NotTaken, Stored};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

/// More files than this in one share are another share.
const MOST_FILES: usize = 1_000;

/// The function.
pub struct PresignUpload {
    gate: Gate,
    files: Files,
}

impl Function for PresignUpload {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await?, files: Files::new(env) })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route() {
            "POST /v1/shares/{id}/files" => {
                let new = call.json()?;
                retry_stale(|| self.add(call, &new)).await
            }
            "GET /v1/shares/{id}/files/{fid}/upload" => retry_stale(|| self.missing(call)).await,
            "POST /v1/shares/{id}/files/{fid}/complete" => {
                let sent = call.json_or_default()?;
                retry_stale(|| self.complete(call, &sent)).await
            }
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    #[serde(default)]
    parts: Vec<SentPart>,
}

/// A file whose bytes are awaited, and how to send them.
#[derive(Serialize)]
struct AwaitedFile {
    id: FileId,
    upload: Option<Upload>,
}

/// A share and who puts files into it.
struct Intake {
    share: Stored<Share>,
    /// Those that the caller sees.
    files: Vec<ShareFile>,
    /// How many there are.
    count: usize,
    by: ActorId,
    name: gatehouse::domain::PersonName,
    contact: Option<Contact>,
}

impl Intake {
    /// A file of the caller's: the staff's are everyone's among the staff, a customer's are its own.
    fn file(&self, id: FileId) -> Result<&ShareFile, Problem> {
        let file = self.files.iter().find(|file| file.id == id);
        file.filter(|file| self.contact.is_none() || file.by_id == self.by).ok_or_else(Problem::not_found)
    }
}

impl PresignUpload {
    /// The share, if the caller may put files into it.
    async fn open(&self, call: &Call) -> Result<Intake, Problem> {
        let (store, id) = (&self.gate.store, call.id::<ShareId>("id")?);
        let Some(customer) = self.gate.customer(call).await? else {
            let found = store.share_and_files(id);
            let (staff, found) = self.gate.staff_and(call, Right::ManageShares, found).await?;
            let (share, files) = found.ok_or_else(Problem::not_found)?;
            return Ok(Intake { share, count: files.len(), files, by: staff.id, name: staff.name, contact: None });
        };
        let received = store.received(customer.contact, customer.company, id);
        let (received, found) = try_join!(received, store.share_and_files(id))?;
        let (share, files) = found.unzip();
        let files = files.unwrap_or_default();
        let seen = self.gate.see(customer, received, share.as_deref(), &files).await?;
        let share = share.ok_or_else(Problem::not_found)?;
        let (contact, visibility) = (seen.contact, seen.visibility);
        if !contact.areas.has(Area::Upload) {
            return Err(Problem::area_not_open("upload"));
        }
        let by = PersonId::from(contact.id).into();
        if !share.allow_upload && share.by != by {
            return Err(Problem::forbidden("This share takes no files from its recipients."));
        }
        let count = files.len();
        let files = files.into_iter().filter(|file| share.shows_to(file, &contact, visibility)).collect();
        Ok(Intake { share, files, count, by, name: contact.name.clone(), contact: Some(contact) })
    }

    async fn add(&self, call: &Call, new: &NewFile) -> Result<Answer, Problem> {
        let now = self.gate.now();
        let into = self.open(call).await?;
        let once = match self.gate.once(call, into.by).await? {
            Once::Again(answer) => return Ok(answer),
            Once::First(once) => once,
        };
        let share = &into.share;
        if matches!(share.state, ShareState::Revoked { .. }) {
            return Err(Problem::share_revoked());
        }
        if into.count >= MOST_FILES {
            return Err(Problem::invalid_field("body", format!("would be more than {MOST_FILES} files in this share")));
        }
        let of = into.contact.as_ref().map(|contact| contact.company_id);
        let announcing = Announcing { share: share.id, by: into.by, name: &into.name, of, now };
        let file = announcing.file(&self.files, new, &into.files, "").await?;
        let upload = self.files.first_upload(&file, &mut Room::default()).await?;
        let answer = json(StatusCode::CREATED, &AwaitedFile { id: file.id, upload: Some(upload) })?;
        let mut changed = share.record.clone();
        if share.state == ShareState::Draft {
            let files: Vec<ShareFile> = into.files.iter().cloned().chain([file.clone()]).collect();
            changed = changed.with_contents(&files);
        }
        // Saved even if it is unchanged: so it is not sent, and no other version is numbered, at this very moment.
        let transaction = self.gate.store.transaction().save(share.rev, &changed).create(&file);
        let transaction = transaction.operators_row(Some(share), &changed);
        transaction.remember(&once, &answer, now).commit().await?;
        Ok(answer)
    }

    /// What of a file is still missing, with fresh URLs: for an upload that was broken off.
    async fn missing(&self, call: &Call) -> Result<Answer, Problem> {
        let into = self.open(call).await?;
        let file = into.file(call.id("fid")?)?;
        let upload = match file.upload {
            FileState::Stored => None,
            FileState::Pending => match self.files.missing(file).await? {
                Missing::Nothing => None,
                Missing::Bytes(upload) => Some(upload),
                Missing::Upload => Some(self.begin_anew(file).await?),
            },
        };
        json(StatusCode::OK, &AwaitedFile { id: file.id, upload })
    }

    /// Parts that were put together and refused are gone, and so is the upload that they belonged to.
    async fn begin_anew(&self, file: &ShareFile) -> Result<Upload, Problem> {
        let stored = self.gate.store.file(file.share_id, file.id).await?.ok_or_else(Problem::not_found)?;
        if stored.record != *file {
            // Somebody else has begun it, or all is there.
            return Err(CommitError::Stale.into());
        }
        let parts = self.files.begin(file.share_id, file.id, file.size, &file.content_type).await?;
        let begun = ShareFile { parts, ..stored.record.clone() };
        let upload = self.files.first_upload(&begun, &mut Room::default()).await?;
        self.gate.store.transaction().save(stored.rev, &begun).commit().await?;
        Ok(upload)
    }

    async fn complete(&self, call: &Call, sent: &Sent) -> Result<Answer, Problem> {
        let into = self.open(call).await?;
        let file = into.file(call.id("fid")?)?;
        if file.upload == FileState::Stored {
            return json(StatusCode::OK, &FileView::from(file.clone()));
        }
        let content_type = self.files.check(file, Some(&sent.parts)).await?;
        let taken =
            self.gate.store.take_file(file.share_id, file.id, content_type, into.contact.as_ref(), self.gate.now());
        match taken.await {
            Ok(file) => json(StatusCode::OK, &FileView::from(file)),
            Err(NotTaken::Gone) => Err(Problem::not_found()),
            Err(NotTaken::Revoked) => Err(Problem::share_revoked()),
            Err(NotTaken::Commit(error)) => Err(error.into()),
        }
    }
}

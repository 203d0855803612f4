//! A file's bytes: how they get into the bucket, and whether they did. Staff and customers send them the same way.

mod contract;

use std::time::Duration;

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::domain::{
    Activity, ActivityKind, Actor, ActorId, AnnouncedName, Area, Contact, FileId, FileState, Folder, NewFile, PersonId,
    Right, SendRefused, Share, ShareFile, ShareId, ShareState, ShareWords,
};
use gatehouse::event::StartError;
use gatehouse::files::{Files, Missing, SentPart, Upload, UrlBudget, name_differs};
use gatehouse::http::{
    ApiRequest, ApiResponse, AwaitedFile, Effect, FileView, Function, Gate, Problem, UploadRequest, fits_beside, json,
    no_content, retry_on_conflict,
};
use gatehouse::store::{CommitError, Stored, Transaction};
use lambda_http::http::StatusCode;
use serde::Deserialize;
use tokio::time::timeout;

/// The API waits 29 seconds for an answer. What takes longer (a GiB is hashed) `finish-upload` brings to its end.
const COMPLETED_WITHIN: Duration = Duration::from_secs(27);
/// More files than this in one share are another share.
const MOST_FILES: usize = 1_000;

pub use contract::contract;

/// The function.
pub struct PresignUpload {
    gate: Gate,
    files: Files,
}

impl Function for PresignUpload {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await?, files: Files::new(env) })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "POST /v1/shares/{id}/files" => {
                let into = self.open(request).await?;
                let (by, new) = (into.by, request.json()?);
                let mut into = Some(into);
                let add = || self.add(request, into.take(), &new);
                self.gate.idempotent_or(request, by, add, |stored| self.with_upload(request, stored)).await
            }
            "GET /v1/shares/{id}/files/{fid}/upload" => retry_on_conflict(|| self.missing(request)).await,
            "POST /v1/shares/{id}/files/{fid}/complete" => {
                let completed = retry_on_conflict(|| self.complete(request));
                timeout(COMPLETED_WITHIN, completed).await.unwrap_or_else(|_| {
                    let detail = "All bytes are there and are still being looked at. Please ask again in a moment.";
                    Err(Problem::upload_incomplete(detail))
                })
            }
            "PATCH /v1/shares/{id}/files/{fid}" => retry_on_conflict(|| self.rename(request)).await,
            "DELETE /v1/shares/{id}/files/{fid}" => retry_on_conflict(|| self.withdraw(request)).await,
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Default, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "CompleteUpload")]
#[serde(deny_unknown_fields)]
struct Sent {
    #[serde(default)]
    parts: Vec<SentPart>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ChangeFile")]
#[serde(deny_unknown_fields)]
struct Rename {
    name: Option<AnnouncedName>,
    folder: Option<Folder>,
}

/// A share and who puts files into it.
struct UploadTarget {
    share: Stored<Share>,
    /// Those that the caller sees.
    files: Vec<ShareFile>,
    /// How many there are.
    count: usize,
    by: ActorId,
    name: gatehouse::domain::PersonName,
    contact: Option<Contact>,
}

impl UploadTarget {
    /// A file of the caller's: the staff's are everyone's among the staff, a customer's are its own.
    fn file(&self, id: FileId) -> Result<&ShareFile, Problem> {
        let file = self.files.iter().find(|file| file.id == id);
        file.filter(|file| self.contact.is_none() || file.by_id == self.by).ok_or_else(Problem::not_found)
    }
}

impl PresignUpload {
    /// The share, if the caller may put files into it.
    async fn open(&self, request: &ApiRequest) -> Result<UploadTarget, Problem> {
        let into = self.seen(request).await?;
        if let Some(contact) = &into.contact {
            if !contact.areas.has(Area::Upload) {
                return Err(Problem::area_not_open("upload"));
            }
            if !into.share.allow_upload && into.share.by != into.by {
                return Err(Problem::forbidden("This share takes no files from its recipients."));
            }
        }
        Ok(into)
    }

    /// The share with its files, as far as the caller sees it.
    async fn seen(&self, request: &ApiRequest) -> Result<UploadTarget, Problem> {
        let store = &self.gate.store;
        let Some(customer) = self.gate.customer(request).await? else {
            let found = async { Ok::<_, Problem>(store.share_and_files(request.id("id")?).await?) };
            let (staff, (share, files)) = self.gate.staff_and_share(request, Right::ManageShares, found).await?;
            return Ok(UploadTarget {
                share,
                count: files.len(),
                files,
                by: staff.id,
                name: staff.name,
                contact: None,
            });
        };
        let id: ShareId = request.id("id")?;
        let received = store.received(customer.contact, customer.company, id);
        let (received, found) = try_join!(received, store.share_and_files(id))?;
        let (share, files) = found.unzip();
        let files = files.unwrap_or_default();
        let seen = self.gate.authorize_share(customer, received, share.as_deref(), &files).await?;
        let share = share.ok_or_else(Problem::not_found)?;
        let (contact, visibility) = (seen.contact, seen.visibility);
        let by = PersonId::from(contact.id).into();
        let count = files.len();
        let files = files.into_iter().filter(|file| share.shows_to(file, &contact, visibility)).collect();
        Ok(UploadTarget { share, files, count, by, name: contact.name.clone(), contact: Some(contact) })
    }

    /// The first attempt goes by what told who asks; the next ones read it anew.
    async fn add(
        &self,
        request: &ApiRequest,
        into: Option<UploadTarget>,
        new: &NewFile,
    ) -> Result<Effect<'_>, Problem> {
        let now = self.gate.now();
        let into = match into {
            Some(into) => into,
            None => self.open(request).await?,
        };
        let share = &into.share;
        if matches!(share.state, ShareState::Revoked { .. }) {
            return Err(Problem::share_revoked());
        }
        if into.count >= MOST_FILES {
            return Err(Problem::invalid_field("body", format!("would be more than {MOST_FILES} files in this share")));
        }
        let of = into.contact.as_ref().map(|contact| contact.company_id);
        let quota = self.gate.quota(of, [new.size], "size", |_| "size".to_owned()).await?;
        let announcing = UploadRequest { share: share.id, by: into.by, name: &into.name, of, now };
        let file = announcing.file(&self.files, new, &into.files, "").await?;
        let upload = self.files.first_upload(&file, &mut UrlBudget::default()).await?;
        let (id, name) = (file.id, file.name.clone());
        let response = json(StatusCode::CREATED, &AwaitedFile { id, name: name.clone(), upload: Some(upload) })?;
        let stored = AwaitedFile { id, name, upload: None };
        let (mut changed, mut words) = (share.record.clone(), None);
        if share.state == ShareState::Draft {
            let files: Vec<ShareFile> = into.files.iter().cloned().chain([file.clone()]).collect();
            changed = changed.with_contents(&files);
            let was = self.gate.store.share_words(share.id).await?;
            let now = ShareWords::after(was.as_deref(), &changed, &files);
            changed = changed.with_words(&now);
            words = Some((was, now));
        }
        // Saved even if it is unchanged: so it is not sent, and no other version is numbered, at this very moment.
        let transaction = self.gate.store.transaction().save(share.rev, &changed).create(&file);
        let transaction = transaction.operators_row(Some(share), &changed);
        let transaction = match &words {
            Some((was, now)) => transaction.share_words(was.as_ref(), now),
            None => transaction,
        };
        let transaction = quota.iter().fold(transaction, Transaction::count_bytes);
        Effect::new(transaction, response).storing(&stored)
    }

    /// A stored answer with its upload made anew: the first one may have ended.
    async fn with_upload(&self, request: &ApiRequest, stored: ApiResponse) -> Result<ApiResponse, Problem> {
        let mut awaited: AwaitedFile = serde_json::from_slice(stored.body()).map_err(Problem::internal)?;
        let file = self.gate.store.file(request.id("id")?, awaited.id).await?;
        if let Some(file) = file.filter(|file| file.upload == FileState::Pending) {
            awaited.upload = Some(self.files.first_upload(&file, &mut UrlBudget::default()).await?);
        }
        json(stored.status(), &awaited)
    }

    /// What of a file is still missing, with fresh URLs: for an upload that was broken off.
    async fn missing(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let into = self.open(request).await?;
        let file = into.file(request.id("fid")?)?;
        let upload = match file.upload {
            FileState::Stored => None,
            FileState::Pending if matches!(into.share.state, ShareState::Revoked { .. }) => {
                return Err(Problem::share_revoked());
            }
            FileState::Pending => match self.files.missing(file).await? {
                Missing::Nothing => None,
                Missing::Bytes(upload) => Some(upload),
                Missing::Upload => Some(self.begin_anew(file).await?),
            },
        };
        json(StatusCode::OK, &AwaitedFile { id: file.id, name: file.name.clone(), upload })
    }

    /// Parts that were put together and refused are gone, and so is the upload that they belonged to.
    async fn begin_anew(&self, file: &ShareFile) -> Result<Upload, Problem> {
        let stored = self.gate.store.file(file.share_id, file.id).await?.ok_or_else(Problem::not_found)?;
        if stored.record != *file {
            // Somebody else has begun it, or all is there.
            return Err(CommitError::Conflict.into());
        }
        let parts = self.files.begin(file).await?;
        let begun = ShareFile { parts, refused: None, ..stored.record.clone() };
        let upload = self.files.first_upload(&begun, &mut UrlBudget::default()).await?;
        self.gate.store.transaction().save(stored.rev, &begun).commit().await?;
        Ok(upload)
    }

    /// Another name or folder, until the share is sent: from then on its recipients know it as it is.
    async fn rename(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let into = self.seen(request).await?;
        let id: FileId = request.id("fid")?;
        into.file(id)?;
        let change: Rename = request.json()?;
        match into.share.state {
            ShareState::Draft => {}
            ShareState::Sent { .. } => return Err(SendRefused::AlreadySent.into()),
            ShareState::Revoked { .. } => return Err(Problem::share_revoked()),
        }
        let file = store.file(into.share.id, id).await?.ok_or_else(Problem::not_found)?;
        let mut renamed = file.record.clone();
        if let Some(name) = &change.name {
            (renamed.name, renamed.renamed) = (name.name.clone(), name.is_mended());
            renamed.name_differs = name_differs(&renamed.name, renamed.detected.as_ref());
        }
        renamed.folder = change.folder.clone().unwrap_or(renamed.folder);
        let others: Vec<ShareFile> = into.files.iter().filter(|other| other.id != id).cloned().collect();
        fits_beside(&renamed, &others, "folder")?;
        let files: Vec<ShareFile> = others.into_iter().chain([renamed.clone()]).collect();
        let share = into.share.record.clone().with_contents(&files);
        let actor = Actor { id: Some(into.by), name: Some(into.name) };
        let activity = Activity::new(ActivityKind::FileRenamed, actor, now).share(share.id).files([id]);
        let activity = into.contact.iter().fold(activity, |activity, contact| activity.contact(contact.id));
        // Saved even if it is unchanged: so it is not sent at this very moment.
        let transaction = store.transaction().save(into.share.rev, &share).operators_row(Some(&into.share), &share);
        transaction.save(file.rev, &renamed).activity(&activity).commit().await?;
        json(StatusCode::OK, &FileView::from(renamed))
    }

    /// Takes a file out again. Who may not put files there any more may still do that.
    async fn withdraw(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let into = self.seen(request).await?;
        let id: FileId = request.id("fid")?;
        let file = into.files.iter().find(|file| file.id == id).ok_or_else(Problem::not_found)?;
        into.share.withdraw(file, into.by)?;
        let file = store.file(into.share.id, id).await?.ok_or_else(Problem::not_found)?;
        let actor = Actor { id: Some(into.by), name: Some(into.name) };
        let activity = Activity::new(ActivityKind::FileWithdrawn, actor, now).share(into.share.id).files([id]);
        let activity = into.contact.iter().fold(activity, |activity, contact| activity.contact(contact.id));
        let transaction = store.transaction().withdraw_file(&into.share, &into.files, &file, now);
        let transaction = store.give_back(transaction, [file.counted()]).await?;
        transaction.activity(&activity).commit().await?;
        Ok(no_content())
    }

    async fn complete(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let into = self.open(request).await?;
        let sent: Sent = request.json_or_default()?;
        let file = into.file(request.id("fid")?)?;
        if file.upload == FileState::Stored {
            return json(StatusCode::OK, &FileView::from(file.clone()));
        }
        let taken = self.files.take(&self.gate.store, file, Some(&sent.parts), into.contact.as_ref(), self.gate.now());
        json(StatusCode::OK, &FileView::from(taken.await?))
    }
}

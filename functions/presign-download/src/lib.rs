//! Where to fetch the bytes of a share: one file, or many at once.
//!
//! Two round trips: what allows it and what it is, side by side; then the record of who downloaded.

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity, ActivityKind, Actor, Area, Contact, ContactId, FileId, FileName, FileState, InboxRow, PersonId, Right,
    ShareFile, ShareId,
};
use gatehouse::event::StartError;
use gatehouse::files::{Download, Files};
use gatehouse::http::{Answer, Call, Function, Gate, Problem, json};
use gatehouse::session::Claims;
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

/// The function.
pub struct PresignDownload {
    gate: Gate,
    files: Files,
}

impl Function for PresignDownload {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await?, files: Files::new(env) })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        let contact = self.gate.contact_claims(call).await?;
        let share = call.id("id")?;
        match call.route() {
            "POST /v1/shares/{id}/files/{fid}/download" => self.one(call, contact, share, call.id("fid")?).await,
            "POST /v1/shares/{id}/downloads" => self.many(call, contact, share, call.json_or_default()?).await,
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// All of the share's, if none are named.
    files: Option<Vec<FileId>>,
}

#[derive(Serialize)]
struct DownloadView {
    id: FileId,
    url: String,
    name: FileName,
    size: u64,
    expires_at: Timestamp,
}

impl PresignDownload {
    async fn one(
        &self,
        call: &Call,
        contact: Option<(Claims, ContactId)>,
        share: ShareId,
        id: FileId,
    ) -> Result<Answer, Problem> {
        let store = &self.gate.store;
        let (actor, file) = match contact {
            Some((claims, contact)) => {
                let read = store.shared_file(contact, share, id).await?;
                let contact = Gate::admit_contact(claims, read.contact)?.record;
                self.may_download(&contact, read.row.as_ref())?;
                (By::contact(&contact), read.file)
            }
            None => {
                let (staff, file) = self.gate.staff_and(call, Right::ReadShares, store.file(share, id)).await?;
                (By::staff(staff.actor()), file)
            }
        };
        let file = file.map(|file| file.record).filter(|file| file.upload == FileState::Stored);
        let file = file.ok_or_else(Problem::not_found)?;
        let view = self.presign(&file).await?;
        self.record(actor, share, [id]).await?;
        json(StatusCode::OK, &view)
    }

    async fn many(
        &self,
        call: &Call,
        contact: Option<(Claims, ContactId)>,
        share: ShareId,
        wanted: Wanted,
    ) -> Result<Answer, Problem> {
        let store = &self.gate.store;
        let (actor, found) = match contact {
            Some((claims, id)) => {
                let reads = try_join!(store.contact(id), store.inbox_row(id, share), store.share_and_files(share));
                let (contact, row, found) = reads?;
                let contact = Gate::admit_contact(claims, contact)?.record;
                self.may_download(&contact, row.as_ref())?;
                (By::contact(&contact), found)
            }
            None => {
                let found = store.share_and_files(share);
                let (staff, found) = self.gate.staff_and(call, Right::ReadShares, found).await?;
                (By::staff(staff.actor()), found)
            }
        };
        let (_, files) = found.ok_or_else(Problem::not_found)?;
        let files = files.into_iter().filter(|file| file.upload == FileState::Stored);
        let files: Vec<ShareFile> = match &wanted.files {
            None => files.collect(),
            Some(ids) => files.filter(|file| ids.contains(&file.id)).collect(),
        };
        if wanted.files.is_some_and(|ids| ids.iter().any(|id| !files.iter().any(|file| file.id == *id))) {
            return Err(Problem::not_found());
        }
        let mut items = Vec::with_capacity(files.len());
        for file in &files {
            items.push(self.presign(file).await?);
        }
        self.record(actor, share, files.iter().map(|file| file.id)).await?;
        json(StatusCode::OK, &serde_json::json!({ "items": items }))
    }

    /// A share in the contact's inbox, whose time is not over, in an area that is open to the contact.
    fn may_download(&self, contact: &Contact, row: Option<&InboxRow>) -> Result<(), Problem> {
        if !contact.areas.has(Area::Files) {
            return Err(Problem::area_not_open("files"));
        }
        let row = row.ok_or_else(Problem::not_found)?;
        let expired = row.expires_at.is_some_and(|end| end <= self.gate.now());
        if expired { Err(Problem::share_expired()) } else { Ok(()) }
    }

    async fn presign(&self, file: &ShareFile) -> Result<DownloadView, Problem> {
        let Download { url, expires_at } = self.files.download(file).await?;
        Ok(DownloadView { id: file.id, url, name: file.name.clone(), size: file.size, expires_at })
    }

    async fn record(&self, by: By, share: ShareId, files: impl IntoIterator<Item = FileId>) -> Result<(), Problem> {
        let activity =
            Activity::new(ActivityKind::FilesDownloaded, by.actor, self.gate.now()).share(share).files(files);
        let activity = by.contact.into_iter().fold(activity, Activity::contact);
        Ok(self.gate.store.note(&activity).await?)
    }
}

/// Who downloads.
struct By {
    actor: Actor,
    contact: Option<ContactId>,
}

impl By {
    fn contact(contact: &Contact) -> Self {
        Self { actor: Actor::new(PersonId::from(contact.id), &contact.name), contact: Some(contact.id) }
    }

    fn staff(actor: Actor) -> Self {
        Self { actor, contact: None }
    }
}

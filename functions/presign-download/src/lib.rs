//! Where to fetch the bytes of a share: one file, or many at once.
//!
//! Two round trips: what allows it and what it is, side by side; then the record of who downloaded.

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity, ActivityKind, Actor, Contact, ContactId, FileId, FileName, FileState, Right, ShareFile, ShareId,
};
use gatehouse::event::StartError;
use gatehouse::files::{Download, Files};
use gatehouse::http::{ApiRequest, ApiResponse, Customer, Function, Gate, Problem, ResponseRoom, json};
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

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let customer = self.gate.customer(request).await?;
        match request.route() {
            "POST /v1/shares/{id}/files/{fid}/download" => self.one(request, customer).await,
            "POST /v1/shares/{id}/downloads" => self.many(request, customer).await,
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRequest {
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
    async fn one(&self, request: &ApiRequest, customer: Option<Customer>) -> Result<ApiResponse, Problem> {
        let store = &self.gate.store;
        let ids = || Ok::<(ShareId, FileId), Problem>((request.id("id")?, request.id("fid")?));
        let (actor, file) = match customer {
            Some(customer) => {
                let (share, id) = ids()?;
                let read = store.shared_file(customer.contact, customer.company, share, id).await?;
                let files: Vec<ShareFile> = read.file.into_iter().map(|file| file.record).collect();
                let seen = self.gate.authorize_share(customer, read.received, read.share.as_deref(), &files).await?;
                let shown = |file: &ShareFile| {
                    read.share.as_ref().is_some_and(|share| share.shows_to(file, &seen.contact, seen.visibility))
                };
                (By::contact(&seen.contact), files.into_iter().find(shown))
            }
            None => {
                let found = async {
                    let (share, id) = ids()?;
                    Ok::<_, Problem>(store.share_and_file(share, id).await?)
                };
                let (staff, (_, file)) = self.gate.staff_and_share(request, Right::ReadShares, found).await?;
                (By::staff(staff.actor()), file.map(|file| file.record))
            }
        };
        let file = file.filter(|file| file.upload == FileState::Stored).ok_or_else(Problem::not_found)?;
        let view = self.presign(&file).await?;
        self.record(actor, file.share_id, [file.id]).await?;
        json(StatusCode::OK, &view)
    }

    async fn many(&self, request: &ApiRequest, customer: Option<Customer>) -> Result<ApiResponse, Problem> {
        let store = &self.gate.store;
        let id = || request.id::<ShareId>("id");
        let (actor, share, files) = match customer {
            Some(customer) => {
                let share = id()?;
                let received = store.received(customer.contact, customer.company, share);
                let (received, found) = try_join!(received, store.share_and_files(share))?;
                let (share, files) = found.unzip();
                let files = files.unwrap_or_default();
                let seen = self.gate.authorize_share(customer, received, share.as_deref(), &files).await?;
                let share = share.ok_or_else(Problem::not_found)?;
                let shown = files.into_iter().filter(|file| share.shows_to(file, &seen.contact, seen.visibility));
                (By::contact(&seen.contact), share.id, shown.collect())
            }
            None => {
                let found = async { Ok::<_, Problem>(store.share_and_files(id()?).await?) };
                let (staff, (share, files)) = self.gate.staff_and_share(request, Right::ReadShares, found).await?;
                (By::staff(staff.actor()), share.id, files)
            }
        };
        let wanted: FileRequest = request.json_or_default()?;
        let files = files.into_iter().filter(|file| file.upload == FileState::Stored);
        let files: Vec<ShareFile> = match &wanted.files {
            None => files.collect(),
            Some(ids) => files.filter(|file| ids.contains(&file.id)).collect(),
        };
        if wanted.files.is_some_and(|ids| ids.iter().any(|id| !files.iter().any(|file| file.id == *id))) {
            return Err(Problem::not_found());
        }
        let (mut items, mut room) = (Vec::with_capacity(files.len()), ResponseRoom::default());
        for file in &files {
            let item = serde_json::to_value(self.presign(file).await?).map_err(Problem::internal)?;
            if !room.take(&item.to_string()) {
                break;
            }
            items.push(item);
        }
        // What one response cannot carry is named, to be asked for.
        let (given, remaining) = files.split_at(items.len());
        self.record(actor, share, given.iter().map(|file| file.id)).await?;
        let remaining: Vec<FileId> = remaining.iter().map(|file| file.id).collect();
        json(StatusCode::OK, &serde_json::json!({ "items": items, "remaining": remaining }))
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
        Self { actor: Customer::actor(contact), contact: Some(contact.id) }
    }

    fn staff(actor: Actor) -> Self {
        Self { actor, contact: None }
    }
}

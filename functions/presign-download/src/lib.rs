//! Where to fetch the bytes of a share: one file, or many at once.
//!
//! Two round trips: what allows it and what it is, side by side; then the record of who downloaded.

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::domain::{
    Activity, ActivityKind, Actor, Contact, ContactId, FileId, FileState, Right, ShareFile, ShareId,
};
use gatehouse::event::StartError;
use gatehouse::files::Files;
use gatehouse::http::{ApiRequest, ApiResponse, Customer, DownloadList, DownloadView, Function, Gate, Problem, json};
use lambda_http::http::StatusCode;
use serde::Deserialize;

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
        let view = DownloadView::of(&self.files, &file).await?;
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
        let list = DownloadList::of(&self.files, files, wanted.files.as_deref()).await?;
        self.record(actor, share, list.given()).await?;
        json(StatusCode::OK, &list)
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

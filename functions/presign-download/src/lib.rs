//! Where to fetch the bytes of a share: one file to save or to look at, or many at once.
//!
//! Two round trips: what allows it and what it is, side by side; then the record of who downloaded.

mod contract;
mod thumbnails;

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity, ActivityKind, Actor, ContactId, FileId, FileState, RecipientId, Right, ShareFile, ShareId, ShareSeen,
};
use gatehouse::event::StartError;
use gatehouse::files::Files;
use gatehouse::http::{
    ApiRequest, ApiResponse, Customer, DownloadList, DownloadView, Function, Gate, PreviewView, Problem, ShareAccess,
    json, retry_on_conflict,
};
use gatehouse::store::Stored;
use lambda_http::http::StatusCode;
use serde::Deserialize;

pub use contract::contract;

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
        match request.route() {
            "POST /v1/shares/{id}/files/{fid}/download" => retry_on_conflict(|| Box::pin(self.download(request))).await,
            "POST /v1/shares/{id}/files/{fid}/preview" => retry_on_conflict(|| Box::pin(self.preview(request))).await,
            "POST /v1/shares/{id}/downloads" => retry_on_conflict(|| Box::pin(self.many(request))).await,
            "POST /v1/shares/{id}/thumbnails" => self.thumbnails_of_share(request).await,
            "POST /v1/thumbnails" => self.thumbnails_across_shares(request).await,
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Default, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "DownloadFiles")]
#[serde(deny_unknown_fields)]
struct FileRequest {
    /// All of the share's, if none are named.
    files: Option<Vec<FileId>>,
}

impl PresignDownload {
    /// A file whose bytes the caller may have, and who that is.
    async fn find(&self, request: &ApiRequest, customer: Option<Customer>) -> Result<(By, ShareFile), Problem> {
        let store = &self.gate.store;
        let ids = || Ok::<(ShareId, FileId), Problem>((request.id("id")?, request.id("fid")?));
        let (by, file) = match customer {
            Some(customer) => {
                let (share, id) = ids()?;
                let read = store.shared_file(customer.contact, customer.company, share, id).await?;
                let files: Vec<ShareFile> = read.file.into_iter().map(|file| file.record).collect();
                let seen = self.gate.authorize_share(customer, read.received, read.share.as_deref(), &files).await?;
                let shown = |file: &ShareFile| {
                    read.share.as_ref().is_some_and(|share| share.shows_to(file, &seen.contact, seen.visibility))
                };
                let file = files.into_iter().find(shown);
                (By::reader(seen), file)
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
        Ok((by, file))
    }

    async fn download(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (by, file) = self.find(request, self.gate.customer(request).await?).await?;
        let view = DownloadView::of(&self.files, &file).await?;
        self.record(by, file.share_id, vec![file.id]).await?;
        json(StatusCode::OK, &view)
    }

    async fn preview(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (by, file) = self.find(request, self.gate.customer(request).await?).await?;
        let view = PreviewView::of(&self.files, &file, file.preview()).await?;
        let (now, share) = (self.gate.now(), file.share_id);
        // Once for each person, file and hour: the staff's looks are not kept, whoever they look as.
        if let Some((contact, was)) = &by.contact
            && let Some(seen) = seen_by(*contact, was.as_ref(), share, now).view(file.id, now)
        {
            let viewed = Activity::new(ActivityKind::FileViewed, by.actor.clone(), now).share(share).files([file.id]);
            let transaction = self.gate.store.transaction().seen(was.as_ref(), &seen);
            transaction.activity(&viewed.contact(*contact)).commit().await?;
        }
        json(StatusCode::OK, &view)
    }

    async fn many(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (by, share, files) = self.find_all(request).await?;
        let wanted: FileRequest = request.json_or_default()?;
        let list = DownloadList::of(&self.files, files, wanted.files.as_deref()).await?;
        let given: Vec<FileId> = list.given().collect();
        if !given.is_empty() {
            self.record(by, share, given).await?;
        }
        json(StatusCode::OK, &list)
    }

    /// All files of a share that the caller sees, and who that is.
    async fn find_all(&self, request: &ApiRequest) -> Result<(By, ShareId, Vec<ShareFile>), Problem> {
        let customer = self.gate.customer(request).await?;
        let store = &self.gate.store;
        let id = || request.id::<ShareId>("id");
        match customer {
            Some(customer) => {
                let share = id()?;
                let received = store.received(customer.contact, customer.company, share);
                let (received, found) = try_join!(received, store.share_and_files(share))?;
                let (share, files) = found.unzip();
                let files = files.unwrap_or_default();
                let seen = self.gate.authorize_share(customer, received, share.as_deref(), &files).await?;
                let share = share.ok_or_else(Problem::not_found)?;
                let shown = files.into_iter().filter(|file| share.shows_to(file, &seen.contact, seen.visibility));
                let shown: Vec<ShareFile> = shown.collect();
                Ok((By::reader(seen), share.id, shown))
            }
            None => {
                let found = async { Ok::<_, Problem>(store.share_and_files(id()?).await?) };
                let (staff, (share, files)) = self.gate.staff_and_share(request, Right::ReadShares, found).await?;
                Ok((By::staff(staff.actor()), share.id, files))
            }
        }
    }

    /// Who downloads, and for a customer when: in one transaction.
    async fn record(&self, by: By, share: ShareId, files: Vec<FileId>) -> Result<(), Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let activity = Activity::new(ActivityKind::FilesDownloaded, by.actor, now).share(share);
        let Some((contact, was)) = by.contact else { return Ok(store.note(&activity.files(files)).await?) };
        let seen = seen_by(contact, was.as_ref(), share, now).download(&files, now);
        let transaction = store.transaction().seen(was.as_ref(), &seen);
        Ok(transaction.activity(&activity.contact(contact).files(files)).commit().await?)
    }
}

/// What a contact has seen of a share, which it opens now if it has not before.
fn seen_by(contact: ContactId, was: Option<&Stored<ShareSeen>>, share: ShareId, now: Timestamp) -> ShareSeen {
    let first = || ShareSeen::opened(share, RecipientId::Contact(contact), now);
    was.map_or_else(first, |was| was.record.clone())
}

/// Who asks for bytes.
struct By {
    actor: Actor,
    /// A contact, and what it has seen of the share before.
    contact: Option<(ContactId, Option<Stored<ShareSeen>>)>,
}

impl By {
    fn reader(reader: ShareAccess) -> Self {
        let actor = Customer::actor(&reader.contact);
        Self { actor, contact: (!reader.viewed).then_some((reader.contact.id, reader.seen)) }
    }

    fn staff(actor: Actor) -> Self {
        Self { actor, contact: None }
    }
}

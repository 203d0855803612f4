//! What the link in a share's mail opens: that share and nothing else, without an account; and the way to one.
//!
//! Opening changes nothing but what is known of it, the activity and when its reader first came: a mail scanner that goes
//! through every link does no harm.

mod access;
mod contract;

use futures_util::{future, try_join};
use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Access, Activity, ActivityKind, Actor, AddressId, Area, Company, Contact, Email, FileId, Link, LinkBody,
    RecipientId, Share, ShareFile, ShareSeen, ShareState, ThumbnailSize, TokenPurpose,
};
use gatehouse::event::StartError;
use gatehouse::files::Files;
use gatehouse::http::{
    ApiRequest, ApiResponse, Customer, DownloadList, DownloadView, FileView, Function, Gate, PreviewView, Problem,
    ShareView, ThumbnailsWanted, json, retry_on_conflict,
};
use gatehouse::store::{Hourly, Person, StoreError};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use access::Offer;

pub use contract::contract;

/// The function.
pub struct OpenLink {
    gate: Gate,
    files: Files,
}

impl Function for OpenLink {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await?, files: Files::new(env) })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "POST /v1/links/open" => self.open(request, &request.json()?).await,
            "POST /v1/links/download" => self.download(request, &request.json()?).await,
            "POST /v1/links/downloads" => self.download_many(request, &request.json()?).await,
            "POST /v1/links/preview" => self.preview(request, &request.json()?).await,
            "POST /v1/links/thumbnails" => self.thumbnails(request, request.json()?).await,
            "POST /v1/links/get-access" => self.get_access(request, &request.json()?).await,
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "LinkFile")]
#[serde(deny_unknown_fields)]
struct FileRequest {
    token: Link,
    file_id: FileId,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "LinkFiles")]
#[serde(deny_unknown_fields)]
struct FilesRequest {
    token: Link,
    /// All of the share's, if none are named.
    files: Option<Vec<FileId>>,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "LinkThumbnails")]
#[serde(deny_unknown_fields)]
struct ThumbnailsRequest {
    token: Link,
    files: Vec<FileId>,
    size: ThumbnailSize,
}

/// What a link leads to, and to whom it was sent.
struct ResolvedLink {
    /// The hash of its token.
    link: String,
    share: Share,
    files: Vec<ShareFile>,
    /// Who reads it, as what was seen of the share is kept.
    reader: RecipientId,
    email: Email,
    /// Whose address that is.
    owner: Option<Person>,
    /// The owner's company, if it is a contact.
    company: Option<Company>,
}

impl ResolvedLink {
    fn contact(&self) -> Option<&Contact> {
        match &self.owner {
            Some(Person::Contact(contact)) => Some(contact),
            _ => None,
        }
    }

    fn activity(&self, kind: ActivityKind, now: Timestamp) -> Activity {
        let actor = match self.contact() {
            Some(contact) => Customer::actor(contact),
            // Who it was is known by the address alone.
            None => Actor { id: None, name: self.email.as_str().parse().ok() },
        };
        let activity = Activity::new(kind, actor, now).share(self.share.id).by_link();
        self.contact().map(|contact| contact.id).into_iter().fold(activity, Activity::contact)
    }
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "OpenedLink")]
struct OpenedView {
    share: ShareView,
    files: Vec<FileView>,
    offer: Option<Offer>,
    email: Email,
}

impl OpenLink {
    /// Asks everything that may have ended since the mail was sent: the link, the share, the recipient, the contact.
    async fn find(&self, link: &Link) -> Result<ResolvedLink, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let token = link.token().ok_or_else(Problem::link_unknown)?;
        let Some(TokenPurpose::ShareLink { share, recipient, contact, email, expires_at, link_epoch }) =
            store.token(token).await?
        else {
            return Err(Problem::link_unknown());
        };
        if expires_at <= now {
            return Err(Problem::link_expired());
        }
        let owner = async {
            match store.owner_of(&email).await? {
                Some(owner) => store.person(owner).await,
                None => Ok(None),
            }
        };
        let reads = try_join!(store.share_and_files(share), store.recipient(share, &recipient), owner);
        let (found, recipient, owner) = reads?;
        let recipient = recipient.ok_or_else(Problem::link_withdrawn)?;
        let (share, files) = found.ok_or_else(Problem::link_withdrawn)?;
        if recipient.link_epoch != link_epoch {
            return Err(Problem::link_replaced());
        }
        if !matches!(share.state, ShareState::Sent { .. }) {
            return Err(Problem::link_withdrawn());
        }
        if share.expired(now) {
            return Err(Problem::share_expired());
        }
        // The contact that it was mailed to must still have that address, and nobody may have shut it out.
        let is = owner.as_ref().and_then(|owner| if let Person::Contact(is) = owner { Some(is.id) } else { None });
        let closed = owner.as_ref().is_some_and(|owner| matches!(owner.access(), Access::Closed { .. }));
        if closed || contact.is_some_and(|contact| is != Some(contact)) {
            return Err(Problem::link_withdrawn());
        }
        if let Some(Person::Contact(contact)) = &owner
            && !contact.areas.has(Area::Files)
        {
            return Err(Problem::area_not_open("files"));
        }
        let company = match owner.as_ref().and_then(Person::company) {
            Some(company) => store.company(company).await?.map(|company| company.record),
            None => None,
        };
        let share = share.record;
        let files = files.into_iter().filter(|file| share.shows(file)).collect();
        let reader = match &owner {
            Some(Person::Contact(contact)) => RecipientId::Contact(contact.id),
            _ => RecipientId::Address(AddressId::new(share.id, &email)),
        };
        Ok(ResolvedLink { link: token.hash().to_string(), share, files, reader, email, owner, company })
    }

    async fn open(&self, request: &ApiRequest, body: &LinkBody) -> Result<ApiResponse, Problem> {
        let opened = self.gate.resolve_link(request, self.find(&body.token)).await?;
        let activity = opened.activity(ActivityKind::LinkOpened, self.gate.now());
        let noted = self.note(request, &activity, Hourly::OpensOf(&opened.link));
        let seen = self.note_opened(&opened);
        let (offer, noted, seen) = future::join3(self.offer(&opened), noted, seen).await;
        noted?;
        seen?;
        let ResolvedLink { share, files, email, .. } = opened;
        let files = files.into_iter().map(FileView::from).collect();
        let offer = offer?.map(|(offer, _)| offer);
        json(StatusCode::OK, &OpenedView { share: share.into(), files, offer, email })
    }

    async fn download(&self, request: &ApiRequest, wanted: &FileRequest) -> Result<ApiResponse, Problem> {
        let opened = self.gate.resolve_link(request, self.find(&wanted.token)).await?;
        let file = opened.files.iter().find(|file| file.id == wanted.file_id).ok_or_else(Problem::not_found)?;
        let download = DownloadView::of(&self.files, file).await?;
        self.record_download(&opened, [file.id]).await?;
        json(StatusCode::OK, &download)
    }

    async fn download_many(&self, request: &ApiRequest, wanted: &FilesRequest) -> Result<ApiResponse, Problem> {
        let mut opened = self.gate.resolve_link(request, self.find(&wanted.token)).await?;
        let files = std::mem::take(&mut opened.files);
        let list = DownloadList::of(&self.files, files, wanted.files.as_deref()).await?;
        self.record_download(&opened, list.given()).await?;
        json(StatusCode::OK, &list)
    }

    async fn preview(&self, request: &ApiRequest, wanted: &FileRequest) -> Result<ApiResponse, Problem> {
        let opened = self.gate.resolve_link(request, self.find(&wanted.token)).await?;
        let file = opened.files.iter().find(|file| file.id == wanted.file_id).ok_or_else(Problem::not_found)?;
        let view = PreviewView::of(&self.files, file, file.preview()).await?;
        let viewed = opened.activity(ActivityKind::FileViewed, self.gate.now()).files([file.id]);
        self.record(&opened, &viewed, |seen| seen.view(file.id, viewed.at)).await?;
        json(StatusCode::OK, &view)
    }

    /// Looking at these is not recorded.
    async fn thumbnails(&self, request: &ApiRequest, wanted: ThumbnailsRequest) -> Result<ApiResponse, Problem> {
        let opened = self.gate.resolve_link(request, self.find(&wanted.token)).await?;
        let wanted = ThumbnailsWanted { files: wanted.files, size: wanted.size };
        json(StatusCode::OK, &wanted.of(&self.files, &opened.files, self.gate.now()).await?)
    }

    /// The first time: what its reader has seen of it begins.
    async fn note_opened(&self, opened: &ResolvedLink) -> Result<(), StoreError> {
        let (store, share) = (&self.gate.store, opened.share.id);
        match store.seen(share, &opened.reader).await? {
            Some(_) => Ok(()),
            None => store.note_opened(share, opened.reader.clone(), self.gate.now()).await,
        }
    }

    async fn record_download(
        &self,
        opened: &ResolvedLink,
        files: impl IntoIterator<Item = FileId>,
    ) -> Result<(), Problem> {
        let activity = opened.activity(ActivityKind::FilesDownloaded, self.gate.now()).files(files);
        let files = &activity.files;
        let downloaded = |seen: ShareSeen| {
            let new = !seen.lately_downloaded(files, activity.at);
            new.then(|| seen.download(files, activity.at))
        };
        self.record(opened, &activity, downloaded).await
    }

    /// Records what is new in what has been seen by the link, once: whoever has a link can try it for ever.
    async fn record(
        &self,
        opened: &ResolvedLink,
        activity: &Activity,
        change: impl Fn(ShareSeen) -> Option<ShareSeen>,
    ) -> Result<(), Problem> {
        let store = &self.gate.store;
        retry_on_conflict(|| async {
            let was = store.seen(opened.share.id, &opened.reader).await?;
            let first = || ShareSeen::opened(opened.share.id, opened.reader.clone(), activity.at);
            if let Some(now) = change(was.as_ref().map_or_else(first, |was| was.record.clone())) {
                store.transaction().seen(was.as_ref(), &now).activity(activity).commit().await?;
            }
            Ok(())
        })
        .await
    }

    /// Records it, if the same was not recorded too often in the last hour: whoever has a link can open it for ever.
    async fn note(&self, request: &ApiRequest, activity: &Activity, often: Hourly<'_>) -> Result<(), Problem> {
        let throttle = self.gate.throttle(request).await?;
        retry_on_conflict(|| async {
            if let Ok(allowed) = throttle.hourly(often, activity.at).await? {
                self.gate.store.transaction().activity(activity).counted(allowed).commit().await?;
            }
            Ok(())
        })
        .await
    }
}

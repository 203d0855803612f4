//! Records as the API shows them.

use std::collections::BTreeMap;
use std::ops::Not;

use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Address, Asset, AssetId, CompanyId, ContactId, EventAuthor, EventId, FieldChange, FileId, FileName, FileScan,
    FileState, Job, JobEvent, JobEventKind, JobFile, JobId, JobLine, JobSource, JobStatus, Label, MediaType, Message,
    PersonName, PixelSize, PreviewKind, RecordLink, Reference, Site, SiteId, ThumbnailSize, Title, Urgency,
};
use gatehouse::http::ListView;
use gatehouse::store::Page;
use serde::Serialize;

/// A page of a list.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "{T}List")]
pub(crate) struct Rows<T> {
    #[serde(flatten)]
    pub(crate) list: ListView<T>,
    /// `false` where it does not come in the order that was asked for; else nothing is said.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub(crate) sorted: bool,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Site")]
pub(crate) struct SiteView {
    id: SiteId,
    company_id: CompanyId,
    reference: Reference,
    name: Title,
    address: Option<Address>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Site> for SiteView {
    fn from(site: Site) -> Self {
        let Site { id, company_id, reference, name, address, created_at, updated_at } = site;
        Self { id, company_id, reference, name, address, created_at, updated_at }
    }
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Asset")]
pub(crate) struct AssetView {
    id: AssetId,
    company_id: CompanyId,
    reference: Reference,
    name: Title,
    kind: Option<Label>,
    serial: Option<Label>,
    site_id: Option<SiteId>,
    site_reference: Option<Reference>,
    status: Option<Label>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Asset> for AssetView {
    fn from(asset: Asset) -> Self {
        let Asset { id, company_id, reference, name, kind, serial, site, status, created_at, updated_at } = asset;
        let (site_id, site_reference) = site.map(|RecordLink { id, reference }| (id, reference)).unzip();
        Self { id, company_id, reference, name, kind, serial, site_id, site_reference, status, created_at, updated_at }
    }
}

/// A job as a line of a list.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "JobRow")]
pub(crate) struct JobView {
    id: JobId,
    company_id: CompanyId,
    reference: Reference,
    title: Title,
    status: JobStatus,
    status_label: Option<Label>,
    site_id: Option<SiteId>,
    site_reference: Option<Reference>,
    asset_id: Option<AssetId>,
    asset_reference: Option<Reference>,
    scheduled_at: Option<Timestamp>,
    source: JobSource,
    urgency: Option<Urgency>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<JobLine> for JobView {
    fn from(line: JobLine) -> Self {
        let (site_id, site_reference) = line.site.map(|RecordLink { id, reference }| (id, reference)).unzip();
        let (asset_id, asset_reference) = line.asset.map(|RecordLink { id, reference }| (id, reference)).unzip();
        Self {
            id: line.id,
            company_id: line.company_id,
            reference: line.reference,
            title: line.title,
            status: line.status,
            status_label: line.status_label,
            site_id,
            site_reference,
            asset_id,
            asset_reference,
            scheduled_at: line.scheduled_at,
            source: line.source,
            urgency: line.urgency,
            created_at: line.created_at,
            updated_at: line.updated_at,
        }
    }
}

/// A job by itself.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Job")]
pub(crate) struct JobDetails {
    #[serde(flatten)]
    job: JobView,
    description: Option<Message>,
}

impl From<Job> for JobDetails {
    fn from(job: Job) -> Self {
        Self { job: job.line.into(), description: job.description }
    }
}

/// A job with its files and what happened to it, the first first.
#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct JobWithHistory {
    #[serde(flatten)]
    job: JobDetails,
    /// Who of the customer's people reported it.
    reported_by: Option<AuthorView>,
    files: Vec<JobFileView>,
    events: Vec<EventView>,
    /// Whether there was more before.
    #[serde(skip_serializing_if = "Not::not")]
    events_truncated: bool,
}

/// The names that people of the customer have by now; of who was erased there is none.
pub(crate) type Names = BTreeMap<ContactId, PersonName>;

impl JobWithHistory {
    pub(crate) fn new(job: Job, events: Page<JobEvent>, files: Vec<JobFile>, names: &Names, for_staff: bool) -> Self {
        let events_truncated = events.next.is_some();
        let events = events.items.into_iter().rev().map(|event| EventView::new(event, names, for_staff)).collect();
        let reported_by = job.reported_by.map(|id| AuthorView::new(EventAuthor::Contact { id }, names, for_staff));
        // In the order in which they were announced; what has not come yet is nobody's to see.
        let there = |id: &FileId| files.iter().find(|file| file.id == *id && file.upload == FileState::Stored);
        let files = job.files.iter().filter_map(there).map(|file| JobFileView::new(file, names, for_staff)).collect();
        Self { job: job.into(), reported_by, files, events, events_truncated }
    }
}

/// A file of a job.
#[derive(Serialize, schemars::JsonSchema)]
struct JobFileView {
    id: FileId,
    name: FileName,
    renamed: bool,
    size: u64,
    content_type: MediaType,
    by: AuthorView,
    added_at: Timestamp,
    /// What a scan has said of it; only what waits for one, or in which something was found, is not handed out.
    #[schemars(extend("enum" = FileScan::WORDS))]
    scan: &'static str,
    /// Whether its name's ending says another type than its bytes have shown.
    name_differs: bool,
    /// As what it can be looked at now, if it can.
    preview: Option<PreviewKind>,
    /// The size of its small picture, if it has one.
    thumbnail: Option<PixelSize>,
}

impl JobFileView {
    fn new(file: &JobFile, names: &Names, for_staff: bool) -> Self {
        Self {
            id: file.id,
            name: file.name.clone(),
            renamed: file.renamed,
            size: file.size,
            content_type: file.content_type.clone(),
            by: AuthorView::new(file.by.clone(), names, for_staff),
            added_at: file.added_at,
            scan: file.scan.word(),
            name_differs: file.name_differs,
            preview: file.preview().map(|preview| preview.kind),
            thumbnail: file
                .picture
                .filter(|_| file.scan.hand_out().is_ok())
                .map(|picture| picture.scaled_to(ThumbnailSize::Small)),
        }
    }
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "JobEvent")]
struct EventView {
    id: EventId,
    at: Timestamp,
    kind: JobEventKind,
    by: AuthorView,
    changed: Vec<FieldChange>,
    note: Option<Message>,
    files: Vec<FileId>,
}

/// Who it was; how the operator calls its systems is its own affair.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "JobEventAuthor")]
#[serde(rename_all = "snake_case")]
struct AuthorView {
    #[schemars(extend("enum" = ["operator", "customer", "system"]))]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    name: Option<PersonName>,
}

impl EventView {
    fn new(event: JobEvent, names: &Names, for_staff: bool) -> Self {
        let JobEvent { id, at, kind, by, changed, note, files, .. } = event;
        Self { id, at, kind, by: AuthorView::new(by, names, for_staff), changed, note, files }
    }
}

impl AuthorView {
    fn new(by: EventAuthor, names: &Names, for_staff: bool) -> Self {
        match by {
            EventAuthor::Staff { id, name } => {
                Self { kind: "operator", id: for_staff.then(|| id.to_string()), name: Some(name) }
            }
            EventAuthor::Integration { id, name } => {
                Self { kind: "operator", id: for_staff.then(|| id.to_string()), name: Some(name).filter(|_| for_staff) }
            }
            EventAuthor::Contact { id } => {
                Self { kind: "customer", id: Some(id.to_string()), name: names.get(&id).cloned() }
            }
            EventAuthor::System => Self { kind: "system", id: None, name: None },
        }
    }
}

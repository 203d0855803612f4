//! Work for a customer, and its history.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_with::rust::double_option;

use super::{
    AssetLink, CompanyRecord, FieldRefused, KnownReferences, NewRecord, RecordChange, RecordKind, RecordLine,
    RecordList, RecordOrder, SiteLink, joined, needed,
};
use crate::clock::Timestamp;
use crate::domain::{
    ActorId, Area, AssetId, CompanyId, Contact, ContactId, EventId, FieldChange, FileId, JobId, KeyId, Label, Mail,
    Message, PersonId, PersonName, Reference, SiteId, StaffId, TextError, Title, Words,
};

/// So many of a customer's people are told of one job: all are mailed in one transaction.
const MOST_FOLLOWERS: usize = 45;

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// It is to be done.
    Open,
    /// It is known when.
    Scheduled,
    /// Somebody is at it.
    InProgress,
    /// It is done.
    Done,
    /// It will not be done.
    Cancelled,
}

impl JobStatus {
    /// Its word in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Scheduled => "scheduled",
            Self::InProgress => "in_progress",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Who has entered a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobSource {
    /// The operator's own system, or its staff.
    Api,
    /// A customer who reported a problem.
    Portal,
}

/// How soon whoever reported a problem needs it to be looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// When there is time.
    Low,
    /// In its turn.
    #[default]
    Normal,
    /// Now.
    Urgent,
}

/// A job as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobLine {
    /// Its id.
    pub id: JobId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// The operator's own number for it.
    pub reference: Reference,
    /// How it is called.
    pub title: Title,
    /// How far it has come.
    pub status: JobStatus,
    /// The operator's own word for that.
    pub status_label: Option<Label>,
    /// Where it is done.
    pub site: Option<SiteLink>,
    /// What it is about.
    pub asset: Option<AssetLink>,
    /// When it is to be done.
    pub scheduled_at: Option<Timestamp>,
    /// Who has entered it.
    pub source: JobSource,
    /// How soon it is needed, as whoever reported it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Urgency>,
    /// When it was entered.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// What a list shows of it.
    #[serde(flatten)]
    pub line: JobLine,
    /// What is to be done.
    pub description: Option<Message>,
    /// What the operator noted last: the same note again is nothing new.
    pub note: Option<Message>,
    /// The customer's person who reported it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_by: Option<ContactId>,
    /// The customer's people who are told of it: who reported it, and who wrote on it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub followers: BTreeSet<ContactId>,
    /// The one of the staff who wrote on it last, and is told what the customer answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<StaffId>,
    /// Its files, in the order in which they were announced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileId>,
}

/// What a customer reports.
#[derive(Debug, Clone)]
pub struct ProblemReport {
    /// What is wrong, in short.
    pub title: Title,
    /// What is wrong.
    pub description: Message,
    /// How soon it is needed.
    pub urgency: Urgency,
    /// Where.
    pub site: Option<SiteLink>,
    /// With what.
    pub asset: Option<AssetLink>,
    /// Photos of it.
    pub photos: Vec<FileId>,
}

/// What the operator says of a job that it knows by its id.
#[derive(Debug, Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobUpdate {
    reference: Option<Reference>,
    status: Option<JobStatus>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    status_label: Option<Option<Label>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    scheduled_at: Option<Option<Timestamp>>,
    note: Option<Message>,
}

impl JobUpdate {
    /// The number that it gives the job.
    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }
}

/// What is said of a job.
#[derive(Debug, Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobChange {
    title: Option<Title>,
    status: Option<JobStatus>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    status_label: Option<Option<Label>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    site_reference: Option<Option<Reference>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    asset_reference: Option<Option<Reference>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    scheduled_at: Option<Option<Timestamp>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    description: Option<Option<Message>>,
    /// A word to its history; without one, nothing is noted.
    note: Option<Message>,
}

impl RecordChange for JobChange {
    fn site_reference(&self) -> Option<&Reference> {
        self.site_reference.as_ref()?.as_ref()
    }

    fn asset_reference(&self) -> Option<&Reference> {
        self.asset_reference.as_ref()?.as_ref()
    }
}

impl RecordLine for JobLine {
    const KIND: RecordKind = RecordKind::Jobs;
    const ORDERS: &'static [RecordOrder] = &[RecordOrder::Updated, RecordOrder::Scheduled, RecordOrder::Title];
    type Id = JobId;

    fn id(&self) -> JobId {
        self.id
    }

    fn company(&self) -> CompanyId {
        self.company_id
    }

    fn reference(&self) -> &Reference {
        &self.reference
    }

    fn title(&self) -> &str {
        self.title.as_str()
    }

    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    fn scheduled_at(&self) -> Option<Timestamp> {
        self.scheduled_at
    }

    /// What the operator has entered is all but the portal's, and has no list of its own.
    fn lists(&self) -> BTreeSet<RecordList> {
        let portal = (self.source == JobSource::Portal).then_some(RecordList::Portal);
        let site = self.site.as_ref().map(|site| RecordList::Site(site.id));
        let asset = self.asset.as_ref().map(|asset| RecordList::Asset(asset.id));
        let own = [RecordList::All, RecordList::status(self.status.word())];
        own.into_iter().chain(portal).chain(site).chain(asset).collect()
    }

    /// A job is found by its asset and its site as well, by how the operator calls them.
    fn words(&self) -> Words {
        let links = [self.site.as_ref().map(|site| &site.reference), self.asset.as_ref().map(|asset| &asset.reference)];
        // Nobody looks for an id that stands for a number which the operator has yet to give.
        let own = Some(&self.reference).filter(|reference| reference.as_str() != self.id.to_string());
        let references: Vec<&Reference> = links.into_iter().flatten().chain(own).collect();
        let mut words = Words::of(references.iter().map(|reference| reference.as_str()).chain([self.title.as_str()]));
        words.extend(references.into_iter().flat_map(joined));
        words
    }
}

impl CompanyRecord for Job {
    type Line = JobLine;
    type Change = JobChange;

    fn line(&self) -> &JobLine {
        &self.line
    }

    fn create(place: NewRecord<'_>, change: JobChange, known: &KnownReferences) -> Result<Self, FieldRefused> {
        let line = JobLine {
            id: JobId::new(place.now),
            company_id: place.company,
            reference: place.reference.clone(),
            title: needed("title", change.title)?,
            status: needed("status", change.status)?,
            status_label: change.status_label.flatten(),
            site: known.site(change.site_reference)?.flatten(),
            asset: known.asset(change.asset_reference)?.flatten(),
            scheduled_at: change.scheduled_at.flatten(),
            source: JobSource::Api,
            urgency: None,
            created_at: place.now,
            updated_at: place.now,
        };
        Ok(Self {
            line,
            description: change.description.flatten(),
            note: change.note,
            reported_by: None,
            followers: BTreeSet::new(),
            answered_by: None,
            files: Vec::new(),
        })
    }

    fn change(&self, change: JobChange, known: &KnownReferences, now: Timestamp) -> Result<Self, FieldRefused> {
        let was = &self.line;
        let line = JobLine {
            title: change.title.unwrap_or_else(|| was.title.clone()),
            status: change.status.unwrap_or(was.status),
            status_label: change.status_label.unwrap_or_else(|| was.status_label.clone()),
            site: known.site(change.site_reference)?.unwrap_or_else(|| was.site.clone()),
            asset: known.asset(change.asset_reference)?.unwrap_or_else(|| was.asset.clone()),
            scheduled_at: change.scheduled_at.unwrap_or(was.scheduled_at),
            ..was.clone()
        };
        let description = change.description.unwrap_or_else(|| self.description.clone());
        let changed = Self { line, description, note: change.note.or_else(|| self.note.clone()), ..self.clone() };
        let line = changed.line.clone();
        Ok(if changed == *self { changed } else { Self { line: JobLine { updated_at: now, ..line }, ..changed } })
    }

    fn moved(&self, to: CompanyId, reference: Reference, site: Option<SiteLink>, asset: Option<AssetLink>) -> Self {
        let line = JobLine {
            company_id: to,
            reference,
            site: site.or_else(|| self.line.site.clone()),
            asset: asset.or_else(|| self.line.asset.clone()),
            ..self.line.clone()
        };
        Self { line, ..self.clone() }
    }

    fn site(&self) -> Option<SiteId> {
        self.line.site.as_ref().map(|site| site.id)
    }

    fn asset(&self) -> Option<AssetId> {
        self.line.asset.as_ref().map(|asset| asset.id)
    }

    fn event(was: Option<&Self>, now: &Self, by: EventAuthor, at: Timestamp) -> Option<JobEvent> {
        let (id, job_id) = (EventId::new(at), now.line.id);
        let (kind, changed) = match was {
            None => (JobEventKind::Created, Vec::new()),
            Some(was) => (JobEventKind::Changed, was.differences(now)),
        };
        let note = now.note.clone().filter(|_| was.is_none_or(|was| was.note != now.note));
        let tells = was.is_none() || !changed.is_empty() || note.is_some();
        tells.then_some(JobEvent { id, job_id, at, kind, by, changed, note, files: Vec::new() })
    }

    fn files(&self) -> &[FileId] {
        &self.files
    }

    fn news(was: &Self, now: &Self) -> Option<Mail> {
        let stage = |job: &Self| (job.line.status, job.line.status_label.clone());
        let note = now.note.clone().filter(|_| was.note != now.note);
        let moved = stage(was) != stage(now);
        (!now.followers.is_empty() && (moved || note.is_some())).then(|| now.told(moved, note))
    }
}

impl Job {
    /// A customer's report. Its number is its id, until the operator gives it one.
    pub fn reported(
        company_id: CompanyId,
        by: ContactId,
        report: ProblemReport,
        now: Timestamp,
    ) -> Result<Self, TextError> {
        let id = JobId::new(now);
        let line = JobLine {
            id,
            company_id,
            reference: id.to_string().parse()?,
            title: report.title,
            status: JobStatus::Open,
            status_label: None,
            site: report.site,
            asset: report.asset,
            scheduled_at: None,
            source: JobSource::Portal,
            urgency: Some(report.urgency),
            created_at: now,
            updated_at: now,
        };
        Ok(Self {
            line,
            description: Some(report.description),
            note: None,
            reported_by: Some(by),
            followers: [by].into(),
            answered_by: None,
            files: report.photos,
        })
    }

    /// Whether a customer's person sees it: it is its company's, and jobs are open to it, or it reported this one.
    pub fn open_to(&self, contact: &Contact) -> Result<(), JobHidden> {
        let reported_it = self.reported_by == Some(contact.id) && contact.areas.has(Area::ReportProblem);
        if !contact.areas.has(Area::Jobs) && !reported_it {
            return Err(JobHidden::AreaNotOpen);
        }
        if self.line.company_id == contact.company_id { Ok(()) } else { Err(JobHidden::Unknown) }
    }

    /// The same after what the operator says of it; equal to itself if that is nothing new.
    pub fn updated(&self, update: JobUpdate, now: Timestamp) -> Result<Self, FieldRefused> {
        let JobUpdate { reference, status, status_label, scheduled_at, note } = update;
        let change = JobChange { status, status_label, scheduled_at, note, ..JobChange::default() };
        let changed = self.change(change, &KnownReferences::default(), now)?;
        let Some(reference) = reference.filter(|reference| *reference != self.line.reference) else {
            return Ok(changed);
        };
        let line = JobLine { reference, updated_at: now, ..changed.line.clone() };
        Ok(Self { line, ..changed })
    }

    /// The same after somebody wrote on it, who is told of it from now on, and what that was.
    #[must_use]
    pub fn commented(&self, text: Message, by: EventAuthor, now: Timestamp) -> (Self, JobEvent) {
        let (id, job_id) = (EventId::new(now), self.line.id);
        let changed = Self { line: JobLine { updated_at: now, ..self.line.clone() }, ..self.clone() }.followed(&by);
        let kind = JobEventKind::Commented;
        let event =
            JobEvent { id, job_id, at: now, kind, by, changed: Vec::new(), note: Some(text), files: Vec::new() };
        (changed, event)
    }

    /// The same with files that are to come.
    #[must_use]
    pub fn with_files(&self, files: impl IntoIterator<Item = FileId>, by: &EventAuthor) -> Self {
        let mut changed = self.clone().followed(by);
        changed.files.extend(files);
        changed
    }

    /// The same without a file whose bytes never came.
    #[must_use]
    pub fn without_file(mut self, id: FileId) -> Self {
        self.files.retain(|file| *file != id);
        self
    }

    /// What happened when the bytes of a file came that was added later.
    #[must_use]
    pub fn file_came(&self, file: FileId, by: EventAuthor, at: Timestamp) -> JobEvent {
        let (id, job_id, kind) = (EventId::new(at), self.line.id, JobEventKind::FileAdded);
        JobEvent { id, job_id, at, kind, by, changed: Vec::new(), note: None, files: vec![file] }
    }

    /// To its followers: where it stands, and what the operator wrote.
    #[must_use]
    pub fn told(&self, moved: bool, message: Option<Message>) -> Mail {
        Mail::JobNews {
            job: self.line.id,
            title: self.line.title.clone(),
            status: moved.then_some(self.line.status),
            status_label: self.line.status_label.clone().filter(|_| moved),
            message,
        }
    }

    /// Whoever of the customer's has put something there is told of what comes; of the staff, of what is answered.
    fn followed(mut self, by: &EventAuthor) -> Self {
        match by {
            EventAuthor::Contact { id } if self.followers.len() < MOST_FOLLOWERS => drop(self.followers.insert(*id)),
            EventAuthor::Staff { id, .. } => self.answered_by = Some(*id),
            _ => {}
        }
        self
    }

    /// What is another now, with its values; of a description, which may be long, only that.
    fn differences(&self, now: &Self) -> Vec<FieldChange> {
        let (one, other) = (&self.line, &now.line);
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let label = |line: &JobLine| text(line.status_label.as_ref().map(Label::as_str));
        let site = |line: &JobLine| text(line.site.as_ref().map(|site| site.reference.as_str()));
        let asset = |line: &JobLine| text(line.asset.as_ref().map(|asset| asset.reference.as_str()));
        let told = [
            FieldChange::between("status", one.status.word().to_owned(), other.status.word().to_owned()),
            FieldChange::between("status_label", label(one), label(other)),
            FieldChange::between("title", one.title.to_string(), other.title.to_string()),
            FieldChange::between("scheduled_at", time(one.scheduled_at), time(other.scheduled_at)),
            FieldChange::between("site_reference", site(one), site(other)),
            FieldChange::between("asset_reference", asset(one), asset(other)),
            FieldChange::between("reference", one.reference.to_string(), other.reference.to_string()),
        ];
        let described = (self.description != now.description).then(|| FieldChange::of("description"));
        told.into_iter().flatten().chain(described).collect()
    }
}

/// What happened to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobEventKind {
    /// It was entered.
    Created,
    /// Something of it is another now, or something was noted.
    Changed,
    /// Somebody wrote on it.
    Commented,
    /// A file has come that was added later.
    FileAdded,
}

/// Why a customer's person does not see a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JobHidden {
    /// It is no job of its company's.
    #[error("the job is another company's")]
    Unknown,
    /// Jobs are not open to it.
    #[error("jobs are not open to the contact")]
    AreaNotOpen,
}

/// Who did something to a job. A customer's person is named by its id alone, so that erasing the person leaves no name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventAuthor {
    /// One of the operator's people, by the name of that time.
    Staff {
        /// Who.
        id: StaffId,
        /// By which name.
        name: PersonName,
    },
    /// A system of the operator's.
    Integration {
        /// Which key.
        id: KeyId,
        /// What that is called.
        name: PersonName,
    },
    /// A person of the customer.
    Contact {
        /// Who.
        id: ContactId,
    },
    /// Gatehouse itself.
    System,
}

impl EventAuthor {
    /// Whoever acts.
    #[must_use]
    pub fn new(id: ActorId, name: &PersonName) -> Self {
        let name = name.clone();
        match id {
            ActorId::Key(id) => Self::Integration { id, name },
            ActorId::Person(PersonId::Staff(id)) => Self::Staff { id, name },
            ActorId::Person(PersonId::Contact(id)) => Self::Contact { id },
        }
    }
}

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEvent {
    /// Its id; ids made later sort later.
    pub id: EventId,
    /// To which job.
    pub job_id: JobId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: JobEventKind,
    /// Who did it.
    pub by: EventAuthor,
    /// What is another now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<FieldChange>,
    /// What was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Message>,
    /// Which files came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileId>,
}

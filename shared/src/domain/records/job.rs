//! Work for a customer, and its history.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_with::rust::double_option;

use super::{
    AssetLink, CompanyRecord, FieldRefused, KnownReferences, NewRecord, RecordChange, RecordKind, RecordLine,
    RecordList, RecordOrder, SiteLink, joined, needed, words_with_reference,
};
use crate::clock::Timestamp;
use crate::domain::{
    ActorId, AssetId, CompanyId, ContactId, EventId, FieldChange, JobId, KeyId, Label, Message, PersonId, PersonName,
    Reference, SiteId, StaffId, Title, Words,
};

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
        let links: Vec<&Reference> = links.into_iter().flatten().collect();
        let texts = links.iter().map(|reference| reference.as_str());
        let mut words = words_with_reference(&self.reference, texts.chain([self.title.as_str()]));
        words.extend(links.into_iter().flat_map(joined));
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
            created_at: place.now,
            updated_at: place.now,
        };
        Ok(Self { line, description: change.description.flatten(), note: change.note })
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
        let changed = Self { line, description, note: change.note.or_else(|| self.note.clone()) };
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
        tells.then_some(JobEvent { id, job_id, at, kind, by, changed, note })
    }
}

impl Job {
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
    /// What the operator noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Message>,
}

//! What the operator's own system pushes in about a customer: sites, assets, jobs. Each belongs to one company and has
//! the operator's reference, unique there.

mod asset;
mod job;
mod job_file;
mod site;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use asset::{Asset, AssetChange};
pub use job::{
    EventAuthor, Job, JobChange, JobEvent, JobEventKind, JobHidden, JobLine, JobSource, JobStatus, JobUpdate,
    ProblemReport, Urgency,
};
pub use job_file::JobFile;
pub use site::{Site, SiteChange};

use super::{AssetId, CompanyId, FileId, Mail, Reference, SiteId, Words, fold};
use crate::clock::Timestamp;

/// Which kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// Places.
    Sites,
    /// Things.
    Assets,
    /// Work.
    Jobs,
}

impl RecordKind {
    /// Its word in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sites => "sites",
            Self::Assets => "assets",
            Self::Jobs => "jobs",
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a change of a record is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct FieldRefused {
    /// The field's name in the API.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl FieldRefused {
    const fn unknown(field: &'static str) -> Self {
        Self { field, problem: "is not known at this company" }
    }
}

/// What a new record cannot be without.
fn needed<T>(field: &'static str, value: Option<T>) -> Result<T, FieldRefused> {
    value.ok_or(FieldRefused { field, problem: "is needed for what is new" })
}

/// The sites and assets of a company that a change may name, as far as they were looked up.
#[derive(Debug, Clone, Default)]
pub struct KnownReferences {
    /// Sites by their reference.
    pub sites: BTreeMap<Reference, SiteId>,
    /// Assets by theirs.
    pub assets: BTreeMap<Reference, AssetId>,
}

impl KnownReferences {
    /// The site that a change names; `None` stays, `Some(None)` takes it away.
    fn site(&self, named: Option<Option<Reference>>) -> Result<Option<Option<SiteLink>>, FieldRefused> {
        linked(&self.sites, "site_reference", named)
    }

    /// The same of an asset.
    fn asset(&self, named: Option<Option<Reference>>) -> Result<Option<Option<AssetLink>>, FieldRefused> {
        linked(&self.assets, "asset_reference", named)
    }
}

fn linked<Id: Copy>(
    known: &BTreeMap<Reference, Id>,
    field: &'static str,
    named: Option<Option<Reference>>,
) -> Result<Option<Option<RecordLink<Id>>>, FieldRefused> {
    let link = |reference: Reference| {
        let id = known.get(&reference).copied().ok_or(FieldRefused::unknown(field))?;
        Ok(RecordLink { id, reference })
    };
    named.map(|named| named.map(link).transpose()).transpose()
}

/// Another record that a record names, with the reference that it had when that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLink<Id> {
    /// Which.
    pub id: Id,
    /// The operator's own number for it.
    pub reference: Reference,
}

/// The site of an asset or a job.
pub type SiteLink = RecordLink<SiteId>;
/// The asset of a job.
pub type AssetLink = RecordLink<AssetId>;

/// What is said of a record when it is pushed; what is not named stays as it is.
pub trait RecordChange: DeserializeOwned + Clone + Send + Sync {
    /// The site that it names.
    fn site_reference(&self) -> Option<&Reference> {
        None
    }

    /// The asset that it names.
    fn asset_reference(&self) -> Option<&Reference> {
        None
    }
}

/// A list of a company's records, in which a record lies or does not: each filter is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordList {
    /// Of an asset. The first of these that is asked for is read: the order is that of how few there are likely to be.
    Asset(AssetId),
    /// At a site.
    Site(SiteId),
    /// Reported by a customer.
    Portal,
    /// In a state, by its word.
    Status(String),
    /// All of the company.
    All,
}

impl RecordList {
    /// In a state that the operator has its own words for.
    #[must_use]
    pub fn status(word: &str) -> Self {
        Self::Status(fold(word))
    }
}

/// Its part of a key.
impl fmt::Display for RecordList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::Status(word) => write!(f, "#status={word}"),
            Self::Site(id) => write!(f, "#{id}"),
            Self::Asset(id) => write!(f, "#{id}"),
            Self::Portal => f.write_str("#portal"),
        }
    }
}

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordOrder {
    /// When it was changed last.
    Updated,
    /// When it is to be done.
    Scheduled,
    /// How it is called.
    Title,
}

/// What a list shows of a record: all that it is filtered, sorted and searched by.
pub trait RecordLine: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync {
    /// Which kind of record.
    const KIND: RecordKind;
    /// In which orders it is listed.
    const ORDERS: &'static [RecordOrder];
    /// Its kind of id.
    type Id: Copy + Ord + fmt::Display + std::str::FromStr + Send + Sync;

    /// Its id.
    fn id(&self) -> Self::Id;
    /// Whose it is.
    fn company(&self) -> CompanyId;
    /// The operator's own number for it.
    fn reference(&self) -> &Reference;
    /// How it is called.
    fn title(&self) -> &str;
    /// When it was changed last.
    fn updated_at(&self) -> Timestamp;
    /// When it is to be done.
    fn scheduled_at(&self) -> Option<Timestamp> {
        None
    }
    /// The lists that it lies in.
    fn lists(&self) -> BTreeSet<RecordList>;
    /// The words by which it is found.
    fn words(&self) -> Words;
}

/// A site, an asset or a job.
pub trait CompanyRecord: Clone + PartialEq + Send + Sync {
    /// What a list shows of it.
    type Line: RecordLine;
    /// What may be said of it.
    type Change: RecordChange;

    /// What a list shows of it.
    fn line(&self) -> &Self::Line;

    /// A new one.
    fn create(place: NewRecord<'_>, change: Self::Change, known: &KnownReferences) -> Result<Self, FieldRefused>;

    /// The same after a change; equal to itself if that says nothing new.
    fn change(&self, change: Self::Change, known: &KnownReferences, now: Timestamp) -> Result<Self, FieldRefused>;

    /// The same at another company, under a reference that is free there, and with the references that its site and its
    /// asset have by now.
    #[must_use]
    fn moved(&self, to: CompanyId, reference: Reference, site: Option<SiteLink>, asset: Option<AssetLink>) -> Self;

    /// The site that it is at.
    fn site(&self) -> Option<SiteId> {
        None
    }

    /// The asset that it is about.
    fn asset(&self) -> Option<AssetId> {
        None
    }

    /// What its history tells of a change; nothing where none is kept.
    fn event(_was: Option<&Self>, _now: &Self, _by: EventAuthor, _at: Timestamp) -> Option<JobEvent> {
        None
    }

    /// Its files, which go when it goes.
    fn files(&self) -> &[FileId] {
        &[]
    }

    /// What those who follow it are mailed of a change; nothing where nobody does.
    fn news(_was: &Self, _now: &Self) -> Option<Mail> {
        None
    }
}

/// Where a new record belongs.
#[derive(Debug, Clone, Copy)]
pub struct NewRecord<'a> {
    /// Whose it is.
    pub company: CompanyId,
    /// The operator's own number for it.
    pub reference: &'a Reference,
    /// When.
    pub now: Timestamp,
}

/// A reference is found as it is written, and without what parts it: `TC-AB 12` by `tcab12`, too.
fn words_with_reference<'a>(reference: &'a Reference, texts: impl IntoIterator<Item = &'a str>) -> Words {
    let mut words = Words::of(texts.into_iter().chain([reference.as_str()]));
    words.extend(joined(reference));
    words
}

fn joined(reference: &Reference) -> Vec<String> {
    let joined: String = reference.as_str().chars().filter(|c| c.is_alphanumeric()).collect();
    Words::of([joined.as_str()]).iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Query;

    #[test]
    fn a_reference_is_found_however_it_is_typed() {
        for (reference, queries) in [
            ("MSKU 123456-7", &["MSKU 123456-7", "msku1234567", "MSKU123456-7", "1234567", "msku", "123456"][..]),
            ("2026/00123", &["2026/00123", "202600123", "00123", "2026-00123", "2026 00123", "2026"]),
            ("TC-AB.12/X", &["tc-ab.12/x", "TCAB12X", "tcab", "ab"]),
        ] {
            let words = words_with_reference(&reference.parse().unwrap(), ["Hatch"]);
            for query in queries {
                assert!(Query::parse(query).unwrap().matches(&words), "{query} in {reference}");
            }
            assert!(!Query::parse("9999").unwrap().matches(&words));
        }
    }
}

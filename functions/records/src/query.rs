//! What is asked for: words, filters, an order.

use std::collections::BTreeSet;

use gatehouse::clock::Timestamp;
use gatehouse::domain::{AssetId, CompanyId, JobSource, JobStatus, Label, Query, RecordList, RecordOrder, SiteId};
use gatehouse::store::RecordQuery;
use serde::Deserialize;

/// The parameters of a list of records.
pub(crate) trait ListQuery {
    /// Whose, where the staff ask.
    fn company(&self) -> Option<CompanyId>;
    /// What is asked.
    fn query(&self) -> RecordQuery;
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct SiteQuery {
    company_id: Option<CompanyId>,
    q: Option<String>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct AssetQuery {
    company_id: Option<CompanyId>,
    q: Option<String>,
    site_id: Option<SiteId>,
    /// The operator's own word, case and accents aside.
    status: Option<Label>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(crate) struct JobQuery {
    company_id: Option<CompanyId>,
    q: Option<String>,
    status: Option<JobStatus>,
    site_id: Option<SiteId>,
    asset_id: Option<AssetId>,
    source: Option<JobSource>,
    /// Not changed before.
    since: Option<Timestamp>,
    #[serde(default)]
    sort: Sort,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "JobSort")]
enum Sort {
    #[default]
    #[serde(rename = "-updated_at")]
    Newest,
    #[serde(rename = "updated_at")]
    Oldest,
    #[serde(rename = "-scheduled_at")]
    ScheduledLast,
    #[serde(rename = "scheduled_at")]
    ScheduledFirst,
    #[serde(rename = "title")]
    Title,
}

/// By name.
fn by_title(q: Option<&str>, lists: impl IntoIterator<Item = RecordList>) -> RecordQuery {
    RecordQuery {
        words: q.and_then(Query::parse),
        lists: lists.into_iter().collect(),
        without: None,
        since: None,
        order: RecordOrder::Title,
        descending: false,
    }
}

impl ListQuery for SiteQuery {
    fn company(&self) -> Option<CompanyId> {
        self.company_id
    }

    fn query(&self) -> RecordQuery {
        by_title(self.q.as_deref(), [])
    }
}

impl ListQuery for AssetQuery {
    fn company(&self) -> Option<CompanyId> {
        self.company_id
    }

    fn query(&self) -> RecordQuery {
        let site = self.site_id.map(RecordList::Site);
        let status = self.status.as_ref().map(|status| RecordList::status(status.as_str()));
        by_title(self.q.as_deref(), site.into_iter().chain(status))
    }
}

impl ListQuery for JobQuery {
    fn company(&self) -> Option<CompanyId> {
        self.company_id
    }

    fn query(&self) -> RecordQuery {
        let (order, descending) = match self.sort {
            Sort::Newest => (RecordOrder::Updated, true),
            Sort::Oldest => (RecordOrder::Updated, false),
            Sort::ScheduledLast => (RecordOrder::Scheduled, true),
            Sort::ScheduledFirst => (RecordOrder::Scheduled, false),
            Sort::Title => (RecordOrder::Title, false),
        };
        let lists: BTreeSet<RecordList> = [
            self.asset_id.map(RecordList::Asset),
            self.site_id.map(RecordList::Site),
            (self.source == Some(JobSource::Portal)).then_some(RecordList::Portal),
            self.status.map(|status| RecordList::status(status.word())),
        ]
        .into_iter()
        .flatten()
        .collect();
        // What the operator has entered is all but what was reported.
        let without = (self.source == Some(JobSource::Api)).then_some(RecordList::Portal);
        let words = self.q.as_deref().and_then(Query::parse);
        RecordQuery { words, lists, without, since: self.since, order, descending }
    }
}

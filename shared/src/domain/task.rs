//! Work that is too long for the request that asks for it. What tells people is done in chunks, each of which is a
//! transaction that also moves the task on; the rest can be done twice without harm. So it can stop anywhere.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CompanyId, ContactId, FileName, InboxOf, PersonName, ShareId, TaskId};

/// What is to be told to whoever has a share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum ShareEvent {
    /// It was sent.
    Sent,
    /// Something of it has changed that nobody is mailed about.
    Changed,
    /// It is there for somebody who has come later, and is not mailed about it.
    Backfilled,
    /// It has a new file.
    FileAdded {
        /// Which.
        file: FileName,
        /// By whom.
        by: PersonName,
    },
    /// It is taken away.
    Removed,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum TaskKind {
    /// Brings a share's news to all its recipients, one page of them after the other.
    Recipients {
        /// Which share.
        share: ShareId,
        /// What is new.
        news: ShareEvent,
    },
    /// Brings a share's news to everyone at a company.
    Company {
        /// Which share.
        share: ShareId,
        /// Which company.
        company: CompanyId,
        /// What is new.
        news: ShareEvent,
    },
    /// Gives a contact what was shared with its address, or with everyone at its company, before it was there.
    Backfill {
        /// Who.
        contact: ContactId,
    },
    /// Takes a share out of a company's inbox, if nobody there has it any more.
    LeaveCompanyInbox {
        /// Which share.
        share: ShareId,
        /// Which company.
        company: CompanyId,
    },
    /// Writes a share's words into inboxes that it came into, or out of those that it has left.
    IndexWords {
        /// Which share.
        share: ShareId,
        /// Which inboxes.
        rows: Vec<IndexedRow>,
    },
    /// Removes a share for good: rows, bytes, itself.
    Erase {
        /// Which.
        share: ShareId,
    },
}

/// A row of an inbox whose words are to be put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexedRow {
    /// Whose inbox.
    pub of: InboxOf,
    /// When the share came there: the words are in that order.
    pub at: Timestamp,
    /// The version of the words that are there already.
    pub since: u32,
}

/// A piece of work, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What is to be done.
    #[serde(flatten)]
    pub kind: TaskKind,
    /// Where it goes on: the keys after which the next page begins, which the store reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<BTreeMap<String, String>>,
    /// When it last moved on.
    pub moved_at: Timestamp,
}

impl Task {
    /// Work to begin.
    #[must_use]
    pub fn new(kind: TaskKind, now: Timestamp) -> Self {
        Self { id: TaskId::new(now), kind, after: None, moved_at: now }
    }
}

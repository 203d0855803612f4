//! Work that is too long for the request that asks for it. What tells people is done in chunks, each of which is a
//! transaction that also moves the task on; the rest can be done twice without harm. So it can stop anywhere.

use std::collections::BTreeMap;

use crate::clock::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{CompanyId, ContactId, FileId, FileName, InboxOf, PersonName, ShareFile, ShareId, TaskId};

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
        /// When it came.
        at: Timestamp,
    },
    /// It is taken away.
    Removed,
}

/// How far an inbox is brought in line with its contact: list by list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReconcileStep {
    /// Its rows: what the contact no longer has leaves it.
    Rows,
    /// What was shared with everyone at its company.
    CompanyShares,
    /// What was shared with its address.
    AddressShares,
}

/// How far a share is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EraseStep {
    /// It is marked, so that nothing is added to it any more.
    Mark,
    /// Its rows leave all inboxes.
    Rows,
    /// Its bytes go, and itself.
    Bytes,
}

/// How far a company is merged into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeStep {
    /// What is shared with everyone at it is shared with everyone at the other.
    Recipients,
    /// Its people become the other's.
    Contacts,
    /// What lies in its inbox lies in the other's.
    Inbox,
    /// Its sites become the other's.
    Sites,
    /// Its assets become the other's: after the sites, which they name.
    Assets,
    /// Its jobs become the other's: after the sites and assets, which they name.
    Jobs,
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
    /// Brings a contact's inbox in line with its company and its address: what was shared with these before comes in,
    /// what was shared with others leaves.
    ReconcileInbox {
        /// Whose.
        contact: ContactId,
        /// Which list is gone through.
        step: ReconcileStep,
    },
    /// Takes a share out of a company's inbox, if nobody there has it any more.
    LeaveCompanyInbox {
        /// Which share.
        share: ShareId,
        /// Which company.
        company: CompanyId,
        /// The task that went through all its people, if one did: its mark on the share is lifted.
        cleared_by: Option<TaskId>,
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
        /// What comes next.
        step: EraseStep,
    },
    /// Brings a company's people, and what was shared with them, into the company that it was merged into.
    MergeCompany {
        /// Which.
        company: CompanyId,
        /// Into which.
        into: CompanyId,
        /// What comes next.
        step: MergeStep,
    },
    /// Deletes the bytes of a file that is no file any more.
    DeleteBytes {
        /// The file, as it was.
        file: Box<ShareFile>,
    },
    /// Deletes files of a job that is gone, or that it never got.
    DeleteJobFiles {
        /// Which.
        files: Vec<FileId>,
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

/// A place in a list: the keys of the item that was last, which the store reads.
pub type TaskPosition = BTreeMap<String, String>;

/// A piece of work, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What is to be done.
    #[serde(flatten)]
    pub kind: TaskKind,
    /// Where it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TaskPosition>,
    /// Where it goes on within what comes next in that list, if that is a list itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<TaskPosition>,
    /// Whether this is its second run.
    #[serde(default)]
    pub again: bool,
    /// Before this, nobody goes on with it; later the sweep does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// When it last moved on.
    pub moved_at: Timestamp,
}

/// Indexes are a little behind the table, by a second as a rule: what a first run has missed, a second one finds.
pub const SECOND_RUN_AFTER: SignedDuration = SignedDuration::from_mins(1);

impl Task {
    /// Work to begin.
    #[must_use]
    pub fn new(kind: TaskKind, now: Timestamp) -> Self {
        Self { id: TaskId::new(now), kind, after: None, within: None, again: false, not_before: None, moved_at: now }
    }

    /// The same work, gone on to a place of its list.
    #[must_use]
    pub fn moved(&self, after: Option<TaskPosition>, now: Timestamp) -> Self {
        Self { after, within: None, not_before: None, moved_at: now, ..self.clone() }
    }

    /// The same work at the beginning of its next list.
    #[must_use]
    pub fn next(&self, kind: TaskKind, now: Timestamp) -> Self {
        Self { kind, ..self.moved(None, now) }
    }

    /// The same work later, where it stands.
    #[must_use]
    pub fn later(&self, by: SignedDuration, now: Timestamp) -> Self {
        Self { not_before: Some(now + by), moved_at: now, ..self.clone() }
    }

    /// The same work from its beginning once more, a little later; nothing if that was done.
    #[must_use]
    pub fn second_run(&self, kind: TaskKind, now: Timestamp) -> Option<Self> {
        let second = Self { again: true, ..self.next(kind, now) };
        (!self.again).then(|| second.later(SECOND_RUN_AFTER, now))
    }

    /// Whether it is time for it.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|at| at <= now)
    }
}

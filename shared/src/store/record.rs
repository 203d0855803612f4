//! Records: things with a state, changed only by someone who has read their latest version.

use std::ops::Deref;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::keys::{self, Key};
use super::{Item, StoreError, item_of, json, ttl};
use crate::clock::Timestamp;
use crate::domain::{
    Company, CompanyId, Contact, FileState, InboxRow, JobFile, Recipient, Share, ShareFile, ShareSeen, Staff, Target,
    Task, ThumbnailTask, fold,
};

/// The number of a record's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rev(u64);

impl Rev {
    pub(super) fn attribute(self) -> AttributeValue {
        AttributeValue::N(self.0.to_string())
    }

    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// What a record has before it is first written.
    pub(super) const FIRST: Self = Self(0);
}

/// A record that was read, with the version that a change of it must name.
#[derive(Debug, Clone)]
pub struct Stored<T> {
    /// The record.
    pub record: T,
    /// Its version.
    pub rev: Rev,
}

impl<T> Deref for Stored<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}

impl<T: Record> Stored<T> {
    pub(super) fn from_item(item: Item) -> Result<Self, StoreError> {
        let rev = item.get(keys::REV).and_then(|rev| rev.as_n().ok()).and_then(|rev| rev.parse().ok());
        Ok(Self { record: serde_dynamo::from_item(item)?, rev: Rev(rev.unwrap_or_default()) })
    }

    pub(super) fn from_json(item: &RawValue) -> Result<Self, StoreError> {
        let Version { rev } = json::from_item(item)?;
        Ok(Self { record: json::from_item(item)?, rev: Rev(rev) })
    }
}

/// Of a record, its version alone.
#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    rev: u64,
}

/// A thing with a state.
pub trait Record: Serialize + DeserializeOwned {
    /// Where it lies.
    fn key(&self) -> Key;

    /// Where it is listed, if it is.
    fn listed(&self) -> Option<Key> {
        None
    }

    /// Where it stands among all users, if it does.
    fn user(&self) -> Option<Key> {
        None
    }

    /// The company whose people it is one of.
    fn member_of(&self) -> Option<CompanyId> {
        None
    }

    /// When nobody needs it any more; DynamoDB deletes it some time later.
    fn expires_at(&self) -> Option<Timestamp> {
        None
    }

    /// Where it stands in the indexes of its partition: the attribute of each, and its place.
    fn sorted(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

pub(super) fn to_item<T: Record>(record: &T, rev: Rev) -> Result<Item, StoreError> {
    let mut item = item_of(record.key(), record)?;
    if let Some(listed) = record.listed() {
        item.insert(keys::LISTED_PK.to_owned(), AttributeValue::S(listed.pk));
        item.insert(keys::LISTED_SK.to_owned(), AttributeValue::S(listed.sk));
    }
    if let Some(user) = record.user() {
        item.insert(keys::USERS_PK.to_owned(), AttributeValue::S(user.pk));
        item.insert(keys::USERS_SK.to_owned(), AttributeValue::S(user.sk));
    }
    if let Some(company) = record.member_of() {
        item.insert(keys::MEMBERS_PK.to_owned(), AttributeValue::S(keys::members_of(company)));
    }
    item.extend(record.sorted().into_iter().map(|(name, place)| (name.to_owned(), AttributeValue::S(place))));
    item.extend(record.expires_at().map(|at| (keys::TTL.to_owned(), ttl(at))));
    item.insert(keys::REV.to_owned(), rev.attribute());
    Ok(item)
}

impl Record for Company {
    fn key(&self) -> Key {
        keys::company(self.id)
    }

    fn listed(&self) -> Option<Key> {
        self.merged_into.is_none().then(|| keys::companies_by_name(&fold(self.name.as_str()), self.id))
    }
}

impl Record for Contact {
    fn key(&self) -> Key {
        keys::contact(self.id)
    }

    fn listed(&self) -> Option<Key> {
        Some(keys::contacts_by_name(self.company_id, &fold(self.name.as_str()), self.id))
    }

    fn user(&self) -> Option<Key> {
        Some(keys::users(self.access.word(), &fold(self.name.as_str()), self.id))
    }

    fn member_of(&self) -> Option<CompanyId> {
        Some(self.company_id)
    }
}

impl Record for Staff {
    fn key(&self) -> Key {
        keys::staff(self.id)
    }

    fn listed(&self) -> Option<Key> {
        (!self.removed).then(|| keys::staff_by_name(&fold(self.name.as_str()), self.id))
    }
}

impl Record for Share {
    fn key(&self) -> Key {
        keys::share(self.id)
    }

    fn listed(&self) -> Option<Key> {
        self.ends_at().map(|at| keys::shares_by_end(at, self.id))
    }
}

impl Record for InboxRow {
    fn key(&self) -> Key {
        keys::inbox_row(self.of, self.share_id)
    }

    fn sorted(&self) -> Vec<(&'static str, String)> {
        let time = keys::by_time(self.received_at, self.share_id);
        let unread = self.unread.then(|| (keys::UNREAD_SK, time.clone()));
        let all = [
            (keys::TIME_SK, time),
            (keys::TITLE_SK, keys::by_title(self.title.as_str(), self.share_id)),
            (keys::SIZE_SK, keys::by_size(self.total_size, self.share_id)),
        ];
        all.into_iter().chain(unread).collect()
    }
}

impl Record for Recipient {
    fn key(&self) -> Key {
        keys::recipient(self.share_id, &self.id)
    }

    /// A contact has its inbox; whoever comes later looks here.
    fn listed(&self) -> Option<Key> {
        match &self.target {
            Target::Contact { .. } => None,
            Target::Company { company_id } => Some(keys::shared_with_company(*company_id, self.share_id)),
            Target::Address { email } => Some(keys::shared_with_address(email, self.share_id)),
        }
    }
}

impl Record for Task {
    fn key(&self) -> Key {
        keys::task(self.id)
    }
}

impl Record for ThumbnailTask {
    fn key(&self) -> Key {
        keys::thumbnail_task(self.file_id)
    }
}

impl Record for ShareSeen {
    fn key(&self) -> Key {
        keys::seen(self.share_id, &self.by)
    }
}

impl Record for JobFile {
    fn key(&self) -> Key {
        keys::job_file(self.id)
    }

    fn listed(&self) -> Option<Key> {
        match self.scan.waits_since() {
            _ if self.is_awaited() => Some(keys::awaited_job_files(self.added_at, self.id)),
            since => since.map(|since| keys::waiting_for_scan(since, self.id)),
        }
    }
}

impl Record for ShareFile {
    fn key(&self) -> Key {
        keys::file(self.share_id, self.id)
    }

    fn listed(&self) -> Option<Key> {
        match self.upload {
            FileState::Pending => Some(keys::awaited_files(self.added_at, self.id)),
            FileState::Stored => self.scan.waits_since().map(|since| keys::waiting_for_scan(since, self.id)),
        }
    }
}

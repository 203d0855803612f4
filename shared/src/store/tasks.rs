//! Work that goes on after its request, and what waits for a daily mail.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use tracing::warn;

use super::page::Listing;
use super::record::to_item;
use super::{Page, PageRequest, Store, StoreError, Stored, keys};
use crate::clock::Timestamp;
use crate::domain::{ContactId, DigestEntry, DigestSubject, ShareId, Task, TaskId};

/// What waits for a contact's daily mail: a share, or news of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingDigest {
    /// Whose mail.
    pub contact: ContactId,
    /// The line of it.
    #[serde(flatten)]
    pub entry: DigestEntry,
    /// Since when: what has come later is another line.
    pub since: Timestamp,
}

/// The rest of the lines of a mail that was too long for one transaction: they are told, and have yet to go.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ToldDigest {
    /// Whose mail.
    pub contact: ContactId,
    /// Which, and since when they waited.
    pub told: Vec<(DigestSubject, Timestamp)>,
}

impl ToldDigest {
    /// Whether a line is one of them.
    #[must_use]
    pub fn tells(&self, line: &PendingDigest) -> bool {
        self.told.contains(&(line.entry.about, line.since))
    }
}

/// What lies among the lines of daily mails. What was told comes before the lines of its contact.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum DigestItem {
    /// See there.
    Told(ToldDigest),
    /// See there.
    Line(PendingDigest),
    /// It cannot be read: it does not hold up the others.
    Unreadable {
        /// Its sort key.
        sk: String,
    },
}

impl Store {
    /// A piece of work; nothing, once it is done.
    pub async fn task(&self, id: TaskId) -> Result<Option<Stored<Task>>, StoreError> {
        self.read(keys::task(id)).await
    }

    /// What is to be done in one partition and did not move on since that time. One that cannot be read is for
    /// whoever works on it to complain of: it does not hide the others.
    pub async fn open_tasks(
        &self,
        shard: u8,
        left_since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<TaskId>, StoreError> {
        #[derive(Deserialize)]
        struct OpenTask {
            id: TaskId,
            moved_at: Timestamp,
            not_before: Option<Timestamp>,
        }
        let mut pages = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(keys::task_shard(shard)))
            .projection_expression("id, moved_at, not_before")
            .into_paginator()
            .send();
        let mut tasks = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(StoreError::call("Query"))?.items.unwrap_or_default() {
                match serde_dynamo::from_item::<_, OpenTask>(item) {
                    Ok(task) if task.moved_at < left_since && task.not_before.is_none_or(|at| at <= now) => {
                        tasks.push(task.id);
                    }
                    Ok(_) => {}
                    Err(error) => warn!(%error, shard, "a task cannot be read"),
                }
            }
        }
        Ok(tasks)
    }

    /// Work that is done.
    pub async fn finish_task(&self, id: TaskId) -> Result<(), StoreError> {
        let key = Some(keys::task(id).attributes());
        let deleted = self.client.delete_item().table_name(&*self.table).set_key(key).send().await;
        deleted.map(drop).map_err(StoreError::call("DeleteItem"))
    }

    /// What waits for daily mails in one partition, contact by contact, as it is now.
    pub async fn waiting_for_digests(&self, shard: u8, page: PageRequest) -> Result<Page<DigestItem>, StoreError> {
        let pk = &keys::digest_shard(shard);
        let listing = Listing { index: None, pk_name: keys::PK, pk, sk: None, newest_first: false, consistent: true };
        self.page(listing, page).await
    }

    /// Deletes all items of a share's own partition: files, recipients and at last the share. Its words stay until then,
    /// for tasks that are late: by these, they take it out of inboxes that it still lies in.
    pub async fn delete_share(&self, share: ShareId, words_until: Timestamp) -> Result<(), StoreError> {
        if let Some(Stored { rev, record }) = self.share_words(share).await? {
            let kept = record.kept_until(words_until);
            self.write_batch(vec![to_item(&kept, rev.next())?], Vec::new()).await?;
        }
        let mut items = self.partition(&share.to_string(), None).await?;
        items.retain(|key| key.get(keys::SK) != Some(&AttributeValue::S(keys::share_words(share).sk)));
        let (last, rest): (Vec<_>, Vec<_>) = items.into_iter().partition(|key| {
            key.get(keys::SK).is_some_and(|sk| sk == &AttributeValue::S(keys::SHARE_AND_FILES.to_owned()))
        });
        let seen = self.partition(&keys::seen_by(share), None).await?;
        self.write_batch(Vec::new(), seen).await?;
        self.write_batch(Vec::new(), rest).await?;
        self.write_batch(Vec::new(), last).await
    }
}

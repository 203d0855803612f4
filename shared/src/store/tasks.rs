//! Work that goes on after its request, and what waits for a daily mail.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::page::Listing;
use super::{Page, PageRequest, Store, StoreError, Stored, keys};
use crate::domain::{ContactId, DigestEntry, Task, TaskId};

/// A share that waits for a contact's daily mail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingDigest {
    /// Whose mail.
    pub contact: ContactId,
    /// The line of it.
    #[serde(flatten)]
    pub entry: DigestEntry,
}

impl Store {
    /// A piece of work; nothing, once it is done.
    pub async fn task(&self, id: TaskId) -> Result<Option<Stored<Task>>, StoreError> {
        self.read(keys::task(id)).await
    }

    /// What is still to be done in one partition.
    pub async fn open_tasks(&self, shard: u8) -> Result<Vec<Task>, StoreError> {
        let pk = &keys::task_shard(shard);
        let (mut tasks, mut after) = (Vec::new(), None);
        loop {
            let listing =
                Listing { index: None, pk_name: keys::PK, pk, sk: None, newest_first: false, consistent: false };
            let page = self.page(listing, PageRequest { limit: 100, after }).await?;
            tasks.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(tasks);
            }
        }
    }

    /// Work that is done.
    pub async fn finish_task(&self, id: TaskId) -> Result<(), StoreError> {
        let key = Some(keys::task(id).attributes());
        let deleted = self.client.delete_item().table_name(&*self.table).set_key(key).send().await;
        deleted.map(drop).map_err(StoreError::call("DeleteItem"))
    }

    /// What waits for daily mails in one partition, contact by contact.
    pub async fn waiting_for_digests(&self, shard: u8, page: PageRequest) -> Result<Page<PendingDigest>, StoreError> {
        let pk = &keys::digest_shard(shard);
        self.page(
            Listing { index: None, pk_name: keys::PK, pk, sk: None, newest_first: false, consistent: false },
            page,
        )
        .await
    }

    /// Deletes all items of a share's own partition: files, recipients and at last the share.
    pub async fn delete_share(&self, share: crate::domain::ShareId) -> Result<(), StoreError> {
        let items = self.partition(&share.to_string(), None).await?;
        let (last, rest): (Vec<_>, Vec<_>) = items.into_iter().partition(|key| {
            key.get(keys::SK).is_some_and(|sk| sk == &AttributeValue::S(keys::SHARE_AND_FILES.to_owned()))
        });
        self.write_batch(Vec::new(), rest).await?;
        self.write_batch(Vec::new(), last).await
    }
}

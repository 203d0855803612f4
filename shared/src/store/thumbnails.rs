//! Files whose thumbnails are to be made: each waits here from the transaction that takes it until that is done.

use serde::Deserialize;

use super::conflicts::if_it_held;
use super::page::Listing;
use super::{Page, PageRequest, Store, StoreError, keys};
use crate::clock::{SignedDuration, Timestamp};
use crate::domain::{FileId, ThumbnailTask};

/// How long whoever draws a file has it to itself: longer than its function may run.
const CLAIM: SignedDuration = SignedDuration::from_secs(70);

/// A file that waits.
#[derive(Debug, Deserialize)]
pub struct WaitingFile {
    /// Which.
    #[serde(rename = "sk")]
    pub file: FileId,
}

impl Store {
    /// Takes a file for drawing: only one draws it at a time. Nothing, if it does not wait, or somebody is at it.
    pub async fn claim_thumbnail_task(
        &self,
        file: FileId,
        now: Timestamp,
    ) -> Result<Option<ThumbnailTask>, StoreError> {
        let claimed = self.claim(keys::thumbnail_task(file), now, now + CLAIM).send().await;
        let Some(claimed) = if_it_held("UpdateItem", claimed)? else { return Ok(None) };
        Ok(Some(serde_dynamo::from_item(claimed.attributes.unwrap_or_default())?))
    }

    /// A file waits no longer.
    pub async fn finish_thumbnail_task(&self, file: FileId) -> Result<(), StoreError> {
        let key = Some(keys::thumbnail_task(file).attributes());
        let deleted = self.client.delete_item().table_name(&*self.table).set_key(key).send().await;
        deleted.map(drop).map_err(StoreError::call("DeleteItem"))
    }

    /// Files that wait in one partition.
    pub async fn waiting_for_thumbnails(&self, shard: u8, page: PageRequest) -> Result<Page<WaitingFile>, StoreError> {
        let pk = &keys::thumbnail_shard(shard);
        let listing = Listing { index: None, pk_name: keys::PK, pk, sk: None, newest_first: false, consistent: false };
        self.page(listing, page).await
    }
}

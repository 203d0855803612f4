//! The words of shares: kept beside the share, and written into each inbox that it lies in by a task.
//!
//! A row of an inbox is written in a transaction, its words are too many for one. So the transaction leaves a task, and
//! what the task writes follows from the row as it is found: it is looked at before and after, and so long as it differs,
//! the words are put right. Done twice, late or by two at once, it comes to the same.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{self, Key};
use super::{Record, Store, StoreError, Stored};
use crate::clock::Timestamp;
use crate::domain::{Direction, InboxOf, InboxRow, IndexedRow, ShareId, ShareWords, Task, TaskKind};

/// So many words are written in the request that brings them; more are left to the task.
const WRITTEN_AT_ONCE: usize = 500;

impl Record for ShareWords {
    fn key(&self) -> Key {
        keys::share_words(self.share_id)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        ShareWords::expires_at(self)
    }
}

impl Store {
    /// The words of a share.
    pub async fn share_words(&self, share: ShareId) -> Result<Option<Stored<ShareWords>>, StoreError> {
        self.read(keys::share_words(share)).await
    }

    /// The words of several shares in one round trip.
    pub(super) async fn words_of_shares(&self, shares: Vec<ShareId>) -> Result<Vec<ShareWords>, StoreError> {
        let items = self.some_items(shares.into_iter().map(keys::share_words), false).await?;
        Ok(items.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>()?)
    }

    /// Writes the words of a share into these inboxes, or takes them out of those that it does not lie in any more.
    pub async fn index_words(&self, share: ShareId, rows: &[IndexedRow]) -> Result<(), StoreError> {
        let mut found = self.indexed(share, rows).await?;
        loop {
            if let Some(words) = self.share_words(share).await? {
                // Each once, also where an inbox is named twice: a batch takes no key twice.
                let (mut puts, mut deletes) = (BTreeSet::new(), BTreeSet::new());
                for indexed in rows {
                    let item = |key: &str| keys::share_word(indexed.of, key, indexed.at, share);
                    let items = |keys: Vec<String>| keys.into_iter().map(|key| item(&key)).collect::<Vec<_>>();
                    if let Some(row) = lies_there(&found, indexed) {
                        let (added, gone) = words.keys_since(indexed.since);
                        puts.extend(items(added));
                        deletes.extend(items(gone));
                        // Which way it goes never changes while it lies there.
                        puts.extend((indexed.since == 0).then(|| item(row.direction.word())));
                    } else {
                        deletes.extend(items(words.all_keys()));
                        deletes.extend(Direction::BOTH.map(|direction| item(direction.word())));
                    }
                }
                // A row of a word is nothing but its key.
                let items = |keys: BTreeSet<Key>| keys.into_iter().map(Key::attributes).collect();
                self.write_batch(items(puts), Vec::new()).await?;
                self.write_batch(Vec::new(), items(deletes)).await?;
            }
            let again = self.indexed(share, rows).await?;
            let is_there = |found, row| lies_there(found, row).is_some();
            if rows.iter().all(|row| is_there(&again, row) == is_there(&found, row)) {
                return Ok(());
            }
            found = again;
        }
    }

    async fn indexed(&self, share: ShareId, rows: &[IndexedRow]) -> Result<BTreeMap<InboxOf, InboxRow>, StoreError> {
        let found = self.inbox_rows(rows.iter().map(|row| (row.of, share))).await?;
        Ok(found.into_iter().map(|row| (row.of, row.record)).collect())
    }

    /// Does at once what a transaction has left to a task, if it is little. What fails or is more is the task's.
    pub(super) async fn index_at_once(&self, task: &Task) {
        let TaskKind::IndexWords { share, rows } = &task.kind else { return };
        let done = async {
            let words = self.share_words(*share).await?;
            let keys = words.map_or(0, |words| words.all_keys().len());
            if keys * rows.len() <= WRITTEN_AT_ONCE {
                self.index_words(*share, rows).await?;
                self.finish_task(task.id).await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = done.await {
            tracing::warn!(%error, task = %task.id, "words are left to a task");
        }
    }
}

/// The row if it is there as it was indexed: one that came anew has words of its own.
fn lies_there<'r>(found: &'r BTreeMap<InboxOf, InboxRow>, indexed: &IndexedRow) -> Option<&'r InboxRow> {
    found.get(&indexed.of).filter(|row| row.received_at == indexed.at)
}

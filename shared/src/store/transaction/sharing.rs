//! What is written of shares: rows, the words that find them, recipients, what is still to be told.

use super::{Change, Condition, OnFailure, Transaction, Write};
use crate::clock::Timestamp;
use crate::domain::{ContactId, InboxRow, IndexedRow, Recipient, Share, ShareWords, Task, TaskKind, state_word};
use crate::store::keys::{self, Key};
use crate::store::record::{Record as _, Rev, Stored, to_item};
use crate::store::{PendingDigest, item_of};

impl Transaction<'_> {
    /// The words by which an inbox finds a share: those that its row has now, and not those that it had. The row is
    /// written here; its words are put right afterwards, by the task that is left.
    pub fn index_words(mut self, was: Option<&InboxRow>, now: Option<&InboxRow>) -> Self {
        let Some(share) = now.or(was).map(|row| row.share_id) else { return self };
        let row = |row: &InboxRow, since| IndexedRow { of: row.of, at: row.received_at, since };
        let rows: Vec<IndexedRow> = match (was, now) {
            (Some(was), Some(now)) if was.received_at == now.received_at => {
                (was.words_version != now.words_version).then(|| row(now, was.words_version)).into_iter().collect()
            }
            _ => [was, now].into_iter().flatten().map(|one| row(one, 0)).collect(),
        };
        if !rows.is_empty() {
            self.indexed.entry(share).or_default().extend(rows);
        }
        self
    }

    /// The words of a share, after a change that may have touched them.
    pub fn share_words(self, was: Option<&Stored<ShareWords>>, now: &ShareWords) -> Self {
        match was {
            Some(was) if was.record == *now => self,
            Some(was) => self.save(was.rev, now),
            None => self.create(now),
        }
    }

    /// Recipients of a share that is written with them; without the share nobody finds them.
    pub fn recipients(mut self, recipients: &[Recipient]) -> Self {
        for recipient in recipients {
            match to_item(recipient, Rev::FIRST.next()) {
                Ok(item) => self.before.push(item),
                Err(error) => self.broken = Some(error),
            }
        }
        self
    }

    /// The operator's row of a share, after each change of it, and the mark by which those in its state are listed.
    pub fn operators_row(self, was: Option<&Share>, now: &Share) -> Self {
        let (before, row) = (was.map(InboxRow::of_operator), InboxRow::of_operator(now));
        let (old, new) = (before.as_ref().map(state_mark), state_mark(&row));
        let transaction = self.replace(&row).index_words(before.as_ref(), Some(&row));
        if old.as_ref() == Some(&new) {
            return transaction;
        }
        let transaction = old.into_iter().fold(transaction, Self::delete);
        transaction.put(Ok(new.attributes()), None, OnFailure::Conflict)
    }

    /// No row of the operator's any more.
    pub fn without_operators_row(self, share: &Share) -> Self {
        let row = InboxRow::of_operator(share);
        self.delete(row.key()).delete(state_mark(&row)).index_words(Some(&row), None)
    }

    fn delete(mut self, key: Key) -> Self {
        self.writes.push(Write { change: Change::Delete(key), condition: None, on_failure: OnFailure::Conflict });
        self
    }

    /// A share that waits for its contact's daily mail.
    pub fn digest(self, waiting: &PendingDigest) -> Self {
        self.put(item_of(keys::digest(waiting.contact, waiting.entry.share), waiting), None, OnFailure::Conflict)
    }

    /// What a daily mail tells of; it must still have been waiting.
    pub fn digest_sent(mut self, waiting: &PendingDigest) -> Self {
        let condition = Some(Condition::new(format!("attribute_exists({})", keys::PK), []));
        let change = Change::Delete(keys::digest(waiting.contact, waiting.entry.share));
        self.writes.push(Write { change, condition, on_failure: OnFailure::Conflict });
        self
    }

    /// Gives a contact what was shared with its company, or with its new address, before.
    pub fn backfill(self, contact: ContactId, now: Timestamp) -> Self {
        self.create(&Task::new(TaskKind::Backfill { contact }, now))
    }
}

/// Where the operator's row of a share stands among those in the same state.
fn state_mark(row: &InboxRow) -> Key {
    keys::share_word(row.of, &state_word(row.state.word()), row.received_at, row.share_id)
}

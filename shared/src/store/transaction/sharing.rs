//! What is written of shares: rows, the words that find them, recipients, what is still to be told.

use super::{Change, Condition, OnFailure, Transaction, Write};
use crate::clock::Timestamp;
use crate::domain::{
    ContactId, InboxRow, IndexedRow, Recipient, ReconcileStep, Share, ShareFile, ShareWords, Task, TaskKind, state_word,
};
use crate::store::keys::{self, Key};
use crate::store::record::{Record as _, Rev, Stored, to_item};
use crate::store::{PendingDigest, ToldDigest, item_of};

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
                Err(error) => self.broken = Some(error.into()),
            }
        }
        self
    }

    /// The operator's row of a share, after each change of it that the row shows, and the mark by which those in its
    /// state are listed. What the staff may not know of has none.
    pub fn operators_row(self, was: Option<&Share>, now: &Share) -> Self {
        let row = |share: &Share| share.is_known_to_staff().then(|| InboxRow::of_operator(share));
        let (before, after) = (was.and_then(row), row(now));
        if before == after {
            return self;
        }
        let transaction = self.index_words(before.as_ref(), after.as_ref());
        let transaction = match (&before, &after) {
            (_, Some(after)) => transaction.replace(after),
            (Some(before), None) => transaction.delete(before.key()),
            (None, None) => transaction,
        };
        let (old, new) = (before.as_ref().map(state_mark), after.as_ref().map(state_mark));
        if old == new {
            return transaction;
        }
        let transaction = old.into_iter().fold(transaction, Self::delete);
        let marked = |transaction: Self, key: Key| transaction.put(Ok(key.attributes()), None, OnFailure::Conflict);
        new.into_iter().fold(transaction, marked)
    }

    pub(super) fn delete(mut self, key: Key) -> Self {
        self.writes.push(Write { change: Change::Delete(key), condition: None, on_failure: OnFailure::Conflict });
        self
    }

    /// Takes a file out of its share: its record at once, its bytes by a task that comes to its end. What it counted, the
    /// caller [gives back](crate::store::Store::give_back).
    pub fn withdraw_file(
        self,
        share: &Stored<Share>,
        files: &[ShareFile],
        file: &Stored<ShareFile>,
        now: Timestamp,
    ) -> Self {
        let changed = share.record.clone().without(file.id, files);
        let bytes = TaskKind::DeleteBytes { file: Box::new(file.record.clone()) };
        let transaction = self.save(share.rev, &changed).operators_row(Some(share), &changed);
        transaction.remove(file.rev, &file.record).create(&Task::new(bytes, now))
    }

    /// What waits for its contact's daily mail.
    pub fn digest(self, waiting: &PendingDigest) -> Self {
        self.put(item_of(keys::digest(waiting.contact, waiting.entry.about), waiting), None, OnFailure::Conflict)
    }

    /// What a daily mail tells of; it must still wait as it was read.
    pub fn digest_sent(mut self, waiting: &PendingDigest) -> Self {
        let since =
            item_of(keys::digest(waiting.contact, waiting.entry.about), waiting).map(|mut item| item.remove("since"));
        match since {
            Ok(since) => {
                let values = since.map(|since| (":since".to_owned(), since)).into_iter().collect();
                let condition = Some(Condition { expression: "since = :since".to_owned(), values });
                let change = Change::Delete(keys::digest(waiting.contact, waiting.entry.about));
                self.writes.push(Write { change, condition, on_failure: OnFailure::Conflict });
            }
            Err(error) => self.broken = Some(error.into()),
        }
        self
    }

    /// What a daily mail has told, where its lines do not all go with it.
    pub fn digest_told(self, told: &ToldDigest) -> Self {
        self.put(item_of(keys::told_digest(told.contact), told), Some(Condition::is_new()), OnFailure::Conflict)
    }

    /// All lines that were told are gone.
    pub fn digest_settled(mut self, contact: ContactId) -> Self {
        let condition = Some(Condition::new(format!("attribute_exists({})", keys::PK), []));
        let change = Change::Delete(keys::told_digest(contact));
        self.writes.push(Write { change, condition, on_failure: OnFailure::Conflict });
        self
    }

    /// Gives a new contact what was shared with its company, or with its address, before.
    pub fn backfill(self, contact: ContactId, now: Timestamp) -> Self {
        self.create(&Task::new(TaskKind::ReconcileInbox { contact, step: ReconcileStep::CompanyShares }, now))
    }

    /// Brings a contact's inbox in line with another company or address: what it no longer has leaves, too.
    pub fn reconcile_inbox(self, contact: ContactId, now: Timestamp) -> Self {
        self.create(&Task::new(TaskKind::ReconcileInbox { contact, step: ReconcileStep::Rows }, now))
    }
}

/// Where the operator's row of a share stands among those in the same state.
fn state_mark(row: &InboxRow) -> Key {
    keys::share_word(row.of, &state_word(row.state.word()), row.received_at, row.share_id)
}

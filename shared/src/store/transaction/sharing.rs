//! What is written of shares: rows, the words that find them, recipients, what is still to be told.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Change, Condition, OnFailure, Transaction, Write};
use crate::clock::Timestamp;
use crate::domain::{ContactId, InboxRow, Recipient, Share, Task, TaskKind};
use crate::store::keys::{self, Key};
use crate::store::record::{Record as _, Rev, to_item};
use crate::store::{PendingDigest, item_of};

impl Transaction<'_> {
    /// A row of an inbox, in whatever version.
    pub fn drop_row(mut self, row: &InboxRow) -> Self {
        self.writes.push(Write { change: Change::Delete(row.key()), condition: None, on_failure: OnFailure::Conflict });
        self
    }

    /// The words by which an inbox finds a share: those that the row has now, and not those that it had. They are
    /// written before the transaction, and taken away after it: a row tells whether a word that leads to it is right.
    pub fn finds(mut self, was: Option<&InboxRow>, now: Option<&InboxRow>) -> Self {
        let keys_of = |row: &InboxRow| {
            let key = |word: &String| (keys::find(row.of, word, row.received_at, row.share_id), word.clone());
            row.words.iter().map(key).map(|(key, word)| ((key.pk, key.sk), word)).collect::<BTreeMap<_, _>>()
        };
        let (before, after) = (was.map(keys_of).unwrap_or_default(), now.map(keys_of).unwrap_or_default());
        let share = now.or(was).map(|row| row.share_id.to_string()).unwrap_or_default();
        for ((pk, sk), word) in &after {
            if !before.contains_key(&(pk.clone(), sk.clone())) {
                let mut item = Key { pk: pk.clone(), sk: sk.clone() }.attributes();
                item.insert("word".to_owned(), AttributeValue::S(word.clone()));
                item.insert("id".to_owned(), AttributeValue::S(share.clone()));
                self.finds.0.push(item);
            }
        }
        let gone = before.into_keys().filter(|key| !after.contains_key(key));
        self.finds.1.extend(gone.map(|(pk, sk)| Key { pk, sk }.attributes()));
        self
    }

    /// Recipients of a share that is written with them; without the share nobody finds them.
    pub fn recipients(mut self, recipients: &[Recipient]) -> Self {
        for recipient in recipients {
            match to_item(recipient, Rev::FIRST.next()) {
                Ok(item) => self.finds.0.push(item),
                Err(error) => self.broken = Some(error),
            }
        }
        self
    }

    /// The operator's row of a share, after each change of it.
    pub fn operators_row(self, was: Option<&Share>, now: &Share) -> Self {
        let (before, row) = (was.map(InboxRow::of_operator), InboxRow::of_operator(now));
        self.replace(&row).finds(before.as_ref(), Some(&row))
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

//! What is written of sites, assets and jobs: the record, its reference, its row in each list, its words, its history.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::{Change, Condition, OnFailure, Transaction, Write};
use crate::domain::{CompanyRecord, JobEvent, NumberKeys, RecordLine, RecordList, RecordOrder};
use crate::store::keys::{self, Key};
use crate::store::record::{Record, Stored};
use crate::store::{Item, StoreError, item_of};

/// So many words of a record are taken out with its change. What a very long title has had beyond leads to a record that
/// does not have the word, and is not shown.
const WORDS_GONE: usize = 40;

impl Transaction<'_> {
    /// A record that is new, or was read and changed, with all by which it is found.
    pub fn save_record<T: CompanyRecord + Record>(self, was: Option<&Stored<T>>, now: &T) -> Self {
        let transaction = match was {
            Some(was) => self.save(was.rev, now),
            None => self.create(now),
        };
        let line = now.line();
        let was = was.map(|was| was.record.line());
        let moved = was.is_none_or(|was| reference_of(was) != reference_of(line));
        let transaction = if moved {
            let transaction =
                was.into_iter().fold(transaction, |transaction, was| transaction.delete(reference_of(was)));
            transaction.claim_reference(line)
        } else {
            transaction
        };
        let transaction = transaction.lists(was, Some(line));
        transaction.record_words(was, Some(line))
    }

    /// A record that is there no more.
    pub fn delete_record<T: CompanyRecord + Record>(self, was: &Stored<T>) -> Self {
        let line = was.record.line();
        let transaction = self.remove(was.rev, &was.record).delete(reference_of(line));
        transaction.lists(Some(line), None).record_words(Some(line), None)
    }

    /// Something that happened to a job.
    pub fn event(self, event: &JobEvent) -> Self {
        let item = item_of(keys::job_event(event.job_id, event.id), event);
        self.put(item, Some(Condition::is_new()), OnFailure::Conflict)
    }

    /// Makes the reference the record's own: whoever else has taken it meanwhile is read anew.
    fn claim_reference<L: RecordLine>(self, line: &L) -> Self {
        #[derive(Serialize)]
        struct Owner<'a> {
            id: &'a str,
        }
        let item = item_of(reference_of(line), &Owner { id: &line.id().to_string() });
        self.put(item, Some(Condition::is_new()), OnFailure::Conflict)
    }

    /// A row in each list that it lies in. They are written as they come: the record's `rev` keeps them in step.
    fn lists<L: RecordLine>(mut self, was: Option<&L>, now: Option<&L>) -> Self {
        let keys = |line: &L| line.lists().iter().map(|list| row_key(line, list)).collect::<BTreeSet<Key>>();
        let (before, after) = (was.map(keys).unwrap_or_default(), now.map(keys).unwrap_or_default());
        for gone in before.difference(&after) {
            self.writes.push(Write {
                change: Change::Delete(gone.clone()),
                condition: None,
                on_failure: OnFailure::Conflict,
            });
        }
        let Some(line) = now else { return self };
        after.into_iter().fold(self, |transaction, key| transaction.put(row(line, key), None, OnFailure::Conflict))
    }

    /// New words come just before, so that nothing is missing; what is gone goes with the change. A word alone shows
    /// nothing: what it leads to is looked at.
    fn record_words<L: RecordLine>(mut self, was: Option<&L>, now: Option<&L>) -> Self {
        let keys = |line: &L| {
            line.words()
                .keys_by(NumberKeys::Ends)
                .iter()
                .map(|word| keys::record_word(line, word))
                .collect::<BTreeSet<Key>>()
        };
        let (before, after) = (was.map(keys).unwrap_or_default(), now.map(keys).unwrap_or_default());
        self.before.extend(after.difference(&before).cloned().map(Key::attributes));
        if was.is_none() {
            self.undone.extend(after.iter().cloned().map(Key::attributes));
        }
        let gone = before.difference(&after).cloned();
        if was.zip(now).is_some_and(|(was, now)| was.company() == now.company()) {
            gone.take(WORDS_GONE).fold(self, Self::delete)
        } else {
            // Nobody brings them back: an id comes once, and to a company once.
            self.after.extend(gone.map(Key::attributes));
            self
        }
    }
}

fn reference_of<L: RecordLine>(line: &L) -> Key {
    keys::reference(line.company(), L::KIND, line.reference())
}

fn row_key<L: RecordLine>(line: &L, list: &RecordList) -> Key {
    Key { pk: keys::records(line.company(), L::KIND, list), sk: line.id().to_string() }
}

/// A row: its line as one text, which the indexes carry, and its place in each order.
fn row<L: RecordLine>(line: &L, key: Key) -> Result<Item, StoreError> {
    let mut item = key.attributes();
    item.insert("line".to_owned(), AttributeValue::S(serde_json::to_string(line)?));
    let places = L::ORDERS.iter().map(|order| (order.attribute(), keys::record_place(line, *order)));
    item.extend(places.map(|(name, place)| (name.to_owned(), AttributeValue::S(place))));
    Ok(item)
}

impl RecordOrder {
    /// The sort key of the index that has this order. A list of records has the indexes of an inbox: what there is its
    /// size is here the time when a job is to be done.
    pub(in crate::store) fn attribute(self) -> &'static str {
        match self {
            Self::Updated => keys::TIME_SK,
            Self::Title => keys::TITLE_SK,
            Self::Scheduled => keys::SIZE_SK,
        }
    }

    pub(in crate::store) fn index(self) -> &'static str {
        match self {
            Self::Updated => keys::BY_TIME,
            Self::Title => keys::BY_TITLE,
            Self::Scheduled => keys::BY_SIZE,
        }
    }
}

//! State, activity and mail that belong together, written together or not at all.

mod records;
mod sharing;
mod usage;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};
use ulid::Ulid;

use super::conflicts::if_it_held;
use super::keys::{self, Key};
use super::outbox::{claim_end, token_item};
use super::record::{Record, Rev, to_item};
use super::words::Searchable;
use super::{Item, Store, StoreError, Stored, item_of};
use crate::domain::{
    Activity, CompanyDomain, CompanyId, Email, IndexedRow, MailId, OutboxMail, OverQuota, PersonId, ShareId, ShareSeen,
    Task, TaskKind, Token, TokenPurpose,
};

/// A transaction has room for a hundred writes: from so many on, words are written beside it.
const WORDS_WITHIN: usize = 50;

/// How often a transaction is sent while the table is too busy for it.
const MOST_TRIES: u32 = 6;
/// The reasons of a write that was throttled (`TransactionCanceledException`).
const THROTTLED: [&str; 2] = ["ThrottlingError", "ProvisionedThroughputExceeded"];

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Somebody else changed one of the records since it was read: read again and decide again.
    #[error("a record has changed since it was read")]
    Conflict,
    /// The address belongs to another person.
    #[error("the e-mail address belongs to another person")]
    EmailTaken,
    /// Another request with the same idempotency key is at work: this one took too long, and lost its lock.
    #[error("the lock of the idempotency key was lost")]
    LockLost,
    /// A company has no room for what was announced.
    #[error(transparent)]
    OverQuota(#[from] OverQuota),
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a failed condition means.
#[derive(Debug, Clone, Copy)]
enum OnFailure {
    Conflict,
    EmailTaken,
    LockLost,
    OverQuota(OverQuota),
}

struct Write {
    change: Change,
    condition: Option<Condition>,
    on_failure: OnFailure,
}

enum Change {
    Put(Item),
    Delete(Key),
    /// So much more of a number.
    Add(Key, &'static str, i64),
    None(Key),
}

/// What must hold for a write: an expression, and the values that it names.
struct Condition {
    expression: String,
    values: HashMap<String, AttributeValue>,
}

impl Condition {
    fn new<const N: usize>(expression: impl Into<String>, values: [(&str, AttributeValue); N]) -> Self {
        Self { expression: expression.into(), values: values.map(|(name, value)| (name.to_owned(), value)).into() }
    }

    fn is_new() -> Self {
        Self::new(format!("attribute_not_exists({})", keys::PK), [])
    }

    /// Names for those attributes whose own are reserved words; DynamoDB refuses a name that is not used.
    fn names(&self) -> Option<HashMap<String, String>> {
        let reserved = ["hash", "owner"].into_iter();
        let used = reserved.filter(|name| self.expression.contains(&format!("#{name}")));
        let names: HashMap<_, _> = used.map(|name| (format!("#{name}"), name.to_owned())).collect();
        Some(names).filter(|names| !names.is_empty())
    }
}

impl Write {
    /// What it writes, as the attributes of the key.
    fn key(&self) -> Vec<String> {
        match &self.change {
            Change::Put(item) => {
                [keys::PK, keys::SK].iter().filter_map(|name| item.get(*name)?.as_s().ok().cloned()).collect()
            }
            Change::Delete(key) | Change::Add(key, ..) | Change::None(key) => vec![key.pk.clone(), key.sk.clone()],
        }
    }

    fn build(self, table: &str) -> Result<TransactWriteItem, StoreError> {
        let incomplete = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Call {
            operation: "TransactWriteItems",
            cause: error.to_string(),
        };
        let names = self.condition.as_ref().and_then(Condition::names);
        let (expression, values) = self.condition.map(|condition| (condition.expression, condition.values)).unzip();
        let values = values.filter(|values| !values.is_empty());
        let item = TransactWriteItem::builder();
        Ok(match self.change {
            Change::Put(new) => {
                let put = Put::builder().table_name(table).set_item(Some(new)).set_condition_expression(expression);
                let put = put.set_expression_attribute_names(names).set_expression_attribute_values(values);
                item.put(put.build().map_err(incomplete)?)
            }
            Change::Delete(key) => {
                let delete = Delete::builder().table_name(table).set_key(Some(key.attributes()));
                let delete = delete.set_condition_expression(expression);
                let delete = delete.set_expression_attribute_names(names).set_expression_attribute_values(values);
                item.delete(delete.build().map_err(incomplete)?)
            }
            Change::Add(key, number, more) => {
                let values = values.unwrap_or_default().into_iter();
                let more = (":more".to_owned(), AttributeValue::N(more.to_string()));
                let update = Update::builder().table_name(table).set_key(Some(key.attributes()));
                let update = update.update_expression(format!("ADD {number} :more"));
                let update = update.set_condition_expression(expression).set_expression_attribute_names(names);
                let update = update.set_expression_attribute_values(Some(values.chain([more]).collect()));
                item.update(update.build().map_err(incomplete)?)
            }
            Change::None(key) => {
                let check = ConditionCheck::builder().table_name(table).set_key(Some(key.attributes()));
                let check = check.set_condition_expression(expression);
                let check = check.set_expression_attribute_names(names).set_expression_attribute_values(values);
                item.condition_check(check.build().map_err(incomplete)?)
            }
        }
        .build())
    }
}

/// Writes that take effect together (`TransactWriteItems`: at most 100).
#[must_use = "nothing is written before commit"]
pub struct Transaction<'a> {
    store: &'a Store,
    writes: Vec<Write>,
    /// Put before: recipients of a share that is new, which nobody finds without it; words of very long names.
    before: Vec<Item>,
    /// Keys to delete after.
    after: Vec<Item>,
    /// Keys of what was put before, to delete where nothing is written: they are of an id that nothing else will have.
    undone: Vec<Item>,
    /// Whose words are to be put right afterwards.
    indexed: BTreeMap<ShareId, Vec<IndexedRow>>,
    broken: Option<CommitError>,
}

impl Store {
    /// Begins a transaction; nothing is sent before its commit.
    pub fn transaction(&self) -> Transaction<'_> {
        Transaction {
            store: self,
            writes: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
            undone: Vec::new(),
            indexed: BTreeMap::new(),
            broken: None,
        }
    }
}

impl Transaction<'_> {
    fn put(mut self, item: Result<Item, StoreError>, condition: Option<Condition>, on_failure: OnFailure) -> Self {
        match item {
            Ok(item) => self.writes.push(Write { change: Change::Put(item), condition, on_failure }),
            Err(error) => self.broken = Some(error.into()),
        }
        self
    }

    /// A record that does not exist yet.
    pub fn create<T: Record>(self, record: &T) -> Self {
        self.put(to_item(record, Rev::FIRST.next()), Some(Condition::is_new()), OnFailure::Conflict)
    }

    /// A record that was read in the version `was`, and must still be in it.
    pub fn save<T: Record>(self, was: Rev, record: &T) -> Self {
        let condition = Condition::new(format!("{} = :was", keys::REV), [(":was", was.attribute())]);
        self.put(to_item(record, was.next()), Some(condition), OnFailure::Conflict)
    }

    /// Makes the address the person's own; it must be nobody's, or that person's already.
    pub fn claim_email(self, email: &Email, owner: PersonId) -> Self {
        let owner = AttributeValue::S(owner.to_string());
        let mut item = keys::email(email).attributes();
        item.insert("owner".to_owned(), owner.clone());
        let free = format!("attribute_not_exists({}) OR #owner = :owner", keys::PK);
        let condition = Condition::new(free, [(":owner", owner)]);
        self.put(Ok(item), Some(condition), OnFailure::EmailTaken)
    }

    /// Gives the person's address up.
    pub fn release_email(mut self, email: &Email, owner: PersonId) -> Self {
        let owner = AttributeValue::S(owner.to_string());
        let condition = Some(Condition::new("#owner = :owner", [(":owner", owner)]));
        self.writes.push(Write {
            change: Change::Delete(keys::email(email)),
            condition,
            on_failure: OnFailure::Conflict,
        });
        self
    }

    /// The rows by which a thing is found: those that it has now, and not those that it had.
    pub fn words<T: Searchable>(mut self, id: impl ToString, was: Option<&T>, now: &T) -> Self {
        let id = id.to_string();
        let (was, now) = (was.map(|was| was.rows(&id)).unwrap_or_default(), now.rows(&id));
        let gone = was.difference(&now).map(|key| (key, false));
        let new = now.difference(&was).map(|key| (key, true));
        for (key, is_new) in gone.chain(new) {
            let full = self.writes.len() >= WORDS_WITHIN && keys::is_word(key);
            match (is_new, key.clone()) {
                // What a very long name has beyond is found from just before on, and a moment longer.
                (true, key) if full => self.before.push(key.attributes()),
                (false, key) if full => self.after.push(key.attributes()),
                (true, key) => self = self.put(Ok(key.attributes()), None, OnFailure::Conflict),
                (false, key) => self = self.delete(key),
            }
        }
        self
    }

    /// Makes domains a company's, and gives up those that are not its own any more.
    pub fn domains(mut self, company: CompanyId, was: &[CompanyDomain], now: &[CompanyDomain]) -> Self {
        let (was, now): (BTreeSet<_>, BTreeSet<_>) = (was.iter().collect(), now.iter().collect());
        let owner = AttributeValue::S(company.to_string());
        let own = |or: &str| Some(Condition::new(format!("{or}company_id = :owner"), [(":owner", owner.clone())]));
        for domain in was.difference(&now) {
            let change = Change::Delete(keys::domain_owner(domain));
            self.writes.push(Write { change, condition: own(""), on_failure: OnFailure::Conflict });
        }
        for domain in now.difference(&was) {
            let mut item = keys::domain_owner(domain).attributes();
            item.insert("company_id".to_owned(), owner.clone());
            let free = format!("attribute_not_exists({}) OR ", keys::PK);
            self = self.put(Ok(item), own(&free), OnFailure::Conflict);
        }
        self
    }

    /// Domains of one company are another's from now on.
    pub fn move_domains(self, domains: &[CompanyDomain], from: CompanyId, to: CompanyId) -> Self {
        domains.iter().fold(self, |transaction, domain| {
            let mut item = keys::domain_owner(domain).attributes();
            item.insert("company_id".to_owned(), AttributeValue::S(to.to_string()));
            let from = AttributeValue::S(from.to_string());
            let its_own = Condition::new("company_id = :from", [(":from", from)]);
            transaction.put(Ok(item), Some(its_own), OnFailure::Conflict)
        })
    }

    /// Takes a mail out of the outbox for others that it is written out to; it must still be there.
    pub fn settle(mut self, mail: MailId) -> Self {
        let condition = Some(Condition::new(format!("attribute_exists({})", keys::PK), []));
        self.writes.push(Write {
            change: Change::Delete(keys::outbox(mail)),
            condition,
            on_failure: OnFailure::Conflict,
        });
        self
    }

    /// The person's password, as its Argon2 hash.
    pub fn password(self, person: PersonId, hash: &str) -> Self {
        self.put(Ok(password_item(person, hash)), None, OnFailure::Conflict)
    }

    /// Another hash of the same password, if the one that was read is still there.
    pub fn password_instead(self, person: PersonId, was: &str, hash: &str) -> Self {
        let condition = Condition::new("#hash = :was", [(":was", AttributeValue::S(was.to_owned()))]);
        self.put(Ok(password_item(person, hash)), Some(condition), OnFailure::Conflict)
    }

    /// The operator's logo, in the place of the one before.
    pub fn logo(self, logo: &crate::domain::Logo) -> Self {
        self.put(item_of(keys::logo(), logo), None, OnFailure::Conflict)
    }

    /// No logo any more.
    pub fn without_logo(mut self) -> Self {
        self.writes.push(Write {
            change: Change::Delete(keys::logo()),
            condition: None,
            on_failure: OnFailure::Conflict,
        });
        self
    }

    /// A mail, to be sent once this is committed.
    pub fn mail(self, mail: &OutboxMail) -> Self {
        let item = item_of(keys::outbox(mail.id), mail).map(|mut item| {
            // Until its time it is as good as claimed by somebody.
            item.extend(mail.not_before.map(|at| (keys::CLAIMED_UNTIL.to_owned(), claim_end(at))));
            item
        });
        self.put(item, None, OnFailure::Conflict)
    }

    /// A token that is answered with it, and passed on by whoever asked.
    pub fn token(self, token: &Token, purpose: &TokenPurpose) -> Self {
        self.put(token_item(token, purpose), Some(Condition::is_new()), OnFailure::Conflict)
    }

    /// The record of who did this.
    pub fn activity(self, activity: &Activity) -> Self {
        // What was recorded is never written over.
        self.put(activity_item(activity), Some(Condition::is_new()), OnFailure::Conflict)
    }

    /// What somebody has seen of a share, in the place of what was read, if anything was.
    pub fn seen(self, was: Option<&Stored<ShareSeen>>, now: &ShareSeen) -> Self {
        match was {
            Some(was) => self.save(was.rev, now),
            None => self.create(now),
        }
    }

    /// A record in the place of whatever was there: another record that is saved with it keeps them in step.
    pub fn replace<T: Record>(self, record: &T) -> Self {
        self.put(to_item(record, Rev::FIRST.next()), None, OnFailure::Conflict)
    }

    /// A record that is there no more; it was read in the version `was`, and must still be in it.
    pub fn remove<T: Record>(mut self, was: Rev, record: &T) -> Self {
        let condition = Condition::new(format!("{} = :was", keys::REV), [(":was", was.attribute())]);
        let change = Change::Delete(record.key());
        self.writes.push(Write { change, condition: Some(condition), on_failure: OnFailure::Conflict });
        self
    }

    /// A record that must still be as it was read.
    pub fn unchanged<T: Record>(mut self, was: Rev, record: &T) -> Self {
        let condition = Condition::new(format!("{} = :was", keys::REV), [(":was", was.attribute())]);
        let change = Change::None(record.key());
        self.writes.push(Write { change, condition: Some(condition), on_failure: OnFailure::Conflict });
        self
    }

    /// Puts an item over the lock that this request holds on it.
    pub(super) fn put_for_lock(self, item: Result<Item, StoreError>, held_by: &str) -> Self {
        let condition = Condition::new("held_by = :mine", [(":mine", AttributeValue::S(held_by.to_owned()))]);
        self.put(item, Some(condition), OnFailure::LockLost)
    }

    /// How many writes it has: a hundred are the most.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// All that two transactions do, in one.
    pub fn and(mut self, other: Self) -> Self {
        self.writes.extend(other.writes);
        self.before.extend(other.before);
        self.after.extend(other.after);
        self.undone.extend(other.undone);
        for (share, rows) in other.indexed {
            self.indexed.entry(share).or_default().extend(rows);
        }
        self.broken = self.broken.or(other.broken);
        self
    }

    /// Writes all of it, or nothing and says why.
    pub async fn commit(mut self) -> Result<(), CommitError> {
        let (store, indexed) = (self.store, std::mem::take(&mut self.indexed));
        let task = |(share, rows)| Task::new(TaskKind::IndexWords { share, rows }, store.clock.now());
        let index: Vec<Task> = indexed.into_iter().map(task).collect();
        self = index.iter().fold(self, Self::create);
        if let Some(error) = self.broken {
            return Err(error);
        }
        self.store.write_batch(self.before, Vec::new()).await?;
        if self.writes.is_empty() {
            return Ok(());
        }
        let writes = one_of_each_key(self.writes)?;
        let outcomes: Vec<OnFailure> = writes.iter().map(|write| write.on_failure).collect();
        let table = &*self.store.table;
        let writes = writes.into_iter().map(|write| write.build(table)).collect::<Result<Vec<_>, _>>()?;
        // The same token each time: what was done, although nobody heard of it, is not done again.
        let token = Ulid::generate().to_string();
        for tried in 1.. {
            let transaction = store.client.transact_write_items().client_request_token(&token);
            let sent = transaction.set_transact_items(Some(writes.clone())).send().await;
            match sent.map_err(|error| failure(error, &outcomes)) {
                Ok(_) => break,
                // The SDK does not try again what is throttled within a transaction.
                Err(CommitError::Store(StoreError::Busy { .. })) if tried < MOST_TRIES => {
                    crate::back_off(50, tried).await;
                }
                Err(refused @ (CommitError::Conflict | CommitError::OverQuota(_))) => {
                    store.write_batch(Vec::new(), self.undone).await?;
                    return Err(refused);
                }
                Err(error) => return Err(error),
            }
        }
        for task in &index {
            self.store.index_at_once(task).await;
        }
        Ok(self.store.write_batch(Vec::new(), self.after).await?)
    }
}

fn password_item(person: PersonId, hash: &str) -> Item {
    let mut item = keys::password(person).attributes();
    item.insert("hash".to_owned(), AttributeValue::S(hash.to_owned()));
    item
}

/// DynamoDB refuses a transaction with two writes of one item: what is written last counts, under the condition that
/// one of them has.
fn one_of_each_key(writes: Vec<Write>) -> Result<Vec<Write>, StoreError> {
    let mut merged: Vec<Write> = Vec::with_capacity(writes.len());
    let mut places: HashMap<Vec<String>, usize> = HashMap::with_capacity(writes.len());
    for write in writes {
        let key = write.key();
        match places.get(&key).and_then(|place| merged.get_mut(*place)) {
            None => {
                places.insert(key, merged.len());
                merged.push(write);
            }
            Some(earlier) if earlier.condition.is_some() && write.condition.is_some() => {
                let cause = format!("two conditions on one item: {key:?}");
                return Err(StoreError::Call { operation: "TransactWriteItems", cause });
            }
            Some(earlier) => {
                if !matches!(write.change, Change::None(_)) {
                    earlier.change = write.change;
                }
                if write.condition.is_some() {
                    (earlier.condition, earlier.on_failure) = (write.condition, write.on_failure);
                }
            }
        }
    }
    Ok(merged)
}

/// What a transaction that was not done says of why: the first of its writes that has a reason, decides.
fn failure(error: SdkError<TransactWriteItemsError>, outcomes: &[OnFailure]) -> CommitError {
    const OPERATION: &str = "TransactWriteItems";
    if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() {
        let codes = cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None"));
        for (code, on_failure) in codes.clone().zip(outcomes) {
            match (code, on_failure) {
                ("ConditionalCheckFailed", OnFailure::EmailTaken) => return CommitError::EmailTaken,
                ("ConditionalCheckFailed", OnFailure::LockLost) => return CommitError::LockLost,
                ("ConditionalCheckFailed", OnFailure::OverQuota(refused)) => return (*refused).into(),
                ("ConditionalCheckFailed" | "TransactionConflict", _) => return CommitError::Conflict,
                _ => {}
            }
        }
        if let Some(cause) = codes.into_iter().find(|code| THROTTLED.contains(code)) {
            return StoreError::Busy { operation: OPERATION, cause: cause.to_owned() }.into();
        }
    }
    StoreError::call(OPERATION)(error).into()
}

pub(super) fn activity_item(activity: &Activity) -> Result<Item, StoreError> {
    let mut item = item_of(keys::activity(activity.at, activity.id), activity)?;
    let contact = activity.contact_id.map(|id| (keys::ABOUT_CONTACT, id.to_string()));
    let share = activity.share_id.map(|id| (keys::ABOUT_SHARE, id.to_string()));
    item.extend([contact, share].into_iter().flatten().map(|(name, id)| (name.to_owned(), AttributeValue::S(id))));
    Ok(item)
}

impl Store {
    /// The record of something that changed nothing else, such as a download.
    pub async fn note(&self, activity: &Activity) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&*self.table).set_item(Some(activity_item(activity)?));
        let put = put.condition_expression(format!("attribute_not_exists({})", keys::PK)).send().await;
        // Its id is its own: where it is there, an earlier try of this very call has written it.
        if_it_held("PutItem", put).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(pk: &str, value: &str, condition: Option<Condition>) -> Write {
        let item = [(keys::PK, pk), (keys::SK, "a"), ("value", value)];
        let item = item.map(|(name, text)| (name.to_owned(), AttributeValue::S(text.to_owned()))).into();
        Write { change: Change::Put(item), condition, on_failure: OnFailure::Conflict }
    }

    #[test]
    fn two_writes_of_one_item_are_one_under_the_condition_of_either() {
        let writes = vec![
            put("one", "first", None),
            put("two", "only", None),
            put("one", "last", Some(Condition::is_new())),
            put("one", "very last", None),
        ];
        let merged = one_of_each_key(writes).unwrap();
        let values: Vec<&str> = merged
            .iter()
            .map(|write| match &write.change {
                Change::Put(item) => item["value"].as_s().unwrap().as_str(),
                _ => "",
            })
            .collect();
        assert_eq!(values, ["very last", "only"]);
        assert!(merged[0].condition.is_some() && merged[1].condition.is_none());
        let both = vec![put("one", "a", Some(Condition::is_new())), put("one", "b", Some(Condition::is_new()))];
        assert!(one_of_each_key(both).is_err());
    }
}

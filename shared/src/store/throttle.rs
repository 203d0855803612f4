//! Against guessing and flooding: what is counted, where. The rules are [`crate::domain::throttle`]'s; here they meet
//! many requests at once. The table holds no network address and no username of these: subjects are keyed hashes.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::try_join_all;
use ring::hmac;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::{CommitError, Item, Record, Store, StoreError, Stored, Transaction, ttl};
use crate::clock::{SignedDuration, Timestamp};
use crate::domain::{Attempts, Bucket, BucketOf, HourlyLimit, KNOWN_FOR, KnownBy, SignInCounts};

/// So many attempts for one account at the very same moment are counted one after the other; more wait a second.
const MOST_AT_ONCE: u32 = 30;
/// A write that meets a transaction is sent again so often (`TransactionConflictException`).
const MOST_CONFLICTS: u32 = 8;

/// What is counted in a sliding hour.
#[derive(Debug, Clone, Copy)]
pub enum Hourly<'a> {
    /// Password resets for one address.
    ResetsFor(&'a str),
    /// Registrations for one address.
    RegistrationsFor(&'a str),
    /// Requests for access by the link in one mailbox.
    AccessFor(&'a str),
    /// Mails with an activation link to one address, whoever of contacts and staff they are for: a resend button must
    /// not become a weapon.
    InvitationsTo(&'a str),
    /// Records of the opening of one link; opening is not refused.
    OpensOf(&'a str),
    /// Shares that one customer sends.
    SharesOf(&'a str),
    /// Problems that one customer reports, and photos for them that it announces in so many requests.
    ReportsOf(&'a str),
    /// Words and files that one customer puts to jobs.
    CommentsOf(&'a str),
    /// Records that somebody who signs in to one account has to wait.
    BlockedSignIns(&'a str),
}

impl Hourly<'_> {
    fn most(self) -> usize {
        match self {
            Self::ResetsFor(_) | Self::RegistrationsFor(_) | Self::AccessFor(_) => 5,
            Self::InvitationsTo(_) | Self::OpensOf(_) => 10,
            Self::BlockedSignIns(_) => 1,
            Self::SharesOf(_) | Self::ReportsOf(_) | Self::CommentsOf(_) => 60,
        }
    }

    fn subject(self) -> (&'static str, [String; 2]) {
        let (kind, one, other) = match self {
            Self::ResetsFor(email) => ("resets-for", email, ""),
            Self::RegistrationsFor(email) => ("registrations-for", email, ""),
            Self::AccessFor(email) => ("access-for", email, ""),
            Self::InvitationsTo(email) => ("invitations-to", email, ""),
            Self::OpensOf(link) => ("opens-of", link, ""),
            Self::SharesOf(contact) => ("shares-of", contact, ""),
            Self::ReportsOf(contact) => ("reports-of", contact, ""),
            Self::CommentsOf(contact) => ("comments-of", contact, ""),
            Self::BlockedSignIns(email) => ("blocked-sign-ins", email, ""),
        };
        (kind, [one.to_owned(), other.to_owned()])
    }
}

/// One count and whose it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Counted<T> {
    subject: String,
    #[serde(flatten)]
    count: T,
}

/// What can be counted: it knows when it is forgotten.
trait Count: Serialize + DeserializeOwned {
    fn forgotten_at(&self) -> Option<Timestamp>;
}

impl Count for Attempts {
    fn forgotten_at(&self) -> Option<Timestamp> {
        Attempts::forgotten_at(self)
    }
}

impl Count for HourlyLimit {
    fn forgotten_at(&self) -> Option<Timestamp> {
        HourlyLimit::forgotten_at(self)
    }
}

impl Count for Bucket {
    fn forgotten_at(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.empty_at).ok().max(Timestamp::from_millisecond(self.last_at).ok())
    }
}

impl<T: Count> Record for Counted<T> {
    fn key(&self) -> Key {
        keys::throttle(&self.subject)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.count.forgotten_at()
    }
}

/// One more within a limit, to be written with what it limits: see [`Transaction::counted`].
#[derive(Debug)]
pub struct Allowed {
    was: Option<Stored<Counted<HourlyLimit>>>,
    now: Counted<HourlyLimit>,
}

/// Who tries to sign in, and from where: keyed hashes.
#[derive(Debug)]
struct SignInSubjects {
    account: String,
    from_network: String,
    from_device: Option<String>,
    network: String,
}

/// An attempt that was let through, and is counted.
#[derive(Debug)]
pub struct SignInAttempt {
    subjects: SignInSubjects,
    counts: SignInCounts,
    known_by: KnownBy,
    now: Timestamp,
}

impl SignInAttempt {
    /// Failures in a row, if this one fails as well.
    #[must_use]
    pub fn in_a_row(&self) -> u32 {
        self.counts.in_a_row(self.known_by, self.now)
    }
}

/// What was read of a subject.
type Read<T> = Option<Stored<Counted<T>>>;

/// The counts, and the key under which their subjects are hashed.
#[derive(Debug)]
pub struct Throttle<'a> {
    store: &'a Store,
    key: hmac::Key,
}

impl<'a> Throttle<'a> {
    /// The counts of a table.
    #[must_use]
    pub fn new(store: &'a Store, key: hmac::Key) -> Self {
        Self { store, key }
    }

    fn subject(&self, kind: &str, of: &[&str]) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        for part in ["throttle", kind].iter().chain(of) {
            // With its length, so that no two lists of parts are one text.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        format!("{kind}#{}", URL_SAFE_NO_PAD.encode(context.sign()))
    }

    fn sign_in_subjects(&self, email: &str, network: &str, device: Option<&str>) -> SignInSubjects {
        SignInSubjects {
            account: self.subject("account", &[email]),
            from_network: self.subject("account-from-network", &[email, network]),
            from_device: device.map(|device| self.subject("account-from-device", &[email, device])),
            network: self.subject("sign-ins-from", &[network]),
        }
    }

    /// Counts an attempt to sign in before it is made, everywhere that it counts or nowhere; or says until when to wait.
    /// `signed_in`: the owner has a session, and is asked once more.
    pub async fn sign_in(
        &self,
        email: &str,
        network: &str,
        device: Option<&str>,
        signed_in: bool,
        now: Timestamp,
    ) -> Result<Result<SignInAttempt, Timestamp>, StoreError> {
        let subjects = self.sign_in_subjects(email, network, device);
        for tried in 0..MOST_AT_ONCE {
            let mut rows = self.read_all(&subjects).await?;
            let account: Read<Attempts> = take(&mut rows, &subjects.account)?;
            let from_network: Read<Attempts> = take(&mut rows, &subjects.from_network)?;
            let from_device: Option<Read<Attempts>> =
                subjects.from_device.as_ref().map(|device| take(&mut rows, device)).transpose()?;
            let of_network: Read<Bucket> = take(&mut rows, &subjects.network)?;

            let counts = SignInCounts {
                account: value(account.as_ref()),
                from_network: value(from_network.as_ref()),
                from_device: from_device.as_ref().map(|device| value(device.as_ref())),
                network: value(of_network.as_ref()),
            };
            let known_by = match counts.admit(now, signed_in) {
                Ok(known_by) => known_by,
                Err(until) => return Ok(Err(until)),
            };
            let attempted = |transaction: Transaction<'a>, was: Read<Attempts>, subject: &str| {
                let count = value(was.as_ref()).attempted(now);
                put(transaction, was, Counted { subject: subject.to_owned(), count })
            };
            let transaction = self.store.transaction();
            let transaction = match (known_by, &subjects.from_device) {
                (KnownBy::Device, Some(device)) => attempted(transaction, from_device.flatten(), device),
                (KnownBy::Device | KnownBy::Network, _) => attempted(transaction, from_network, &subjects.from_network),
                (KnownBy::Nothing, _) => {
                    let transaction = attempted(transaction, from_network, &subjects.from_network);
                    let transaction = attempted(transaction, account, &subjects.account);
                    // Beyond what goes free, one of many at once is let through after each wait.
                    if counts.network.full(BucketOf::SignIns, now) {
                        let count = Bucket { last_at: now.as_millisecond(), ..counts.network };
                        put(transaction, of_network, Counted { subject: subjects.network.clone(), count })
                    } else {
                        transaction
                    }
                }
            };
            match transaction.commit().await {
                Ok(()) => return Ok(Ok(SignInAttempt { subjects, counts, known_by, now })),
                Err(CommitError::Store(error)) => return Err(error),
                Err(_) => crate::back_off(4, tried).await,
            }
        }
        Ok(Err(now + SignedDuration::from_secs(1)))
    }

    async fn read_all(&self, subjects: &SignInSubjects) -> Result<HashMap<String, Item>, StoreError> {
        let SignInSubjects { account, from_network, from_device, network } = subjects;
        let all = [account, from_network, network].into_iter().chain(from_device).map(|it| keys::throttle(it));
        let items = self.store.items(all).await?;
        let of = |item: &Item| item.get("subject").and_then(|it| it.as_s().ok()).cloned().unwrap_or_default();
        Ok(items.into_iter().map(|item| (of(&item), item)).collect())
    }

    /// The attempt failed: the network is told as well, unless the owner is known there. The call is made either way, so
    /// that its time tells nothing.
    pub async fn failed(&self, attempt: &SignInAttempt) -> Result<(), StoreError> {
        let counted = i64::from(attempt.known_by == KnownBy::Nothing);
        self.fill(&attempt.subjects.network, BucketOf::SignIns, &attempt.counts.network, counted, attempt.now).await
    }

    /// The attempt did not fail after all. That forgives the network or device that succeeded, and no other: whoever
    /// guesses elsewhere learns nothing of it. Both are known from now on.
    pub async fn succeeded(&self, attempt: &SignInAttempt, email: &str, device: &str) -> Result<(), StoreError> {
        let (subjects, now) = (&attempt.subjects, attempt.now);
        let by_network = attempt.known_by != KnownBy::Device;
        self.know(&subjects.from_network, &self.subject("account-from-device", &[email, device]), by_network, now)
            .await?;
        if attempt.known_by != KnownBy::Nothing {
            return Ok(());
        }
        let (of_account, of_network) = attempt.counts.forgiven(now);
        let account = self.store.update(&subjects.account, |update| {
            update
                .update_expression("SET failures = failures - :back ADD rev :one")
                .condition_expression("failures >= :back")
                .expression_attribute_values(":back", number(of_account))
                .expression_attribute_values(":one", number(1))
        });
        account.await?;
        if of_network > 0 {
            let back = i64::from(of_network) * BucketOf::SignIns.step();
            let network = self.store.update(&subjects.network, |update| {
                update
                    .update_expression("SET empty_at = empty_at - :back ADD rev :one")
                    .condition_expression("attribute_exists(empty_at)")
                    .expression_attribute_values(":back", number(back))
                    .expression_attribute_values(":one", number(1))
            });
            network.await?;
        }
        Ok(())
    }

    /// The owner has come in by a mail: known from now on by this network and this device, whatever was guessed before.
    pub async fn came_in(&self, email: &str, network: &str, device: &str, now: Timestamp) -> Result<(), StoreError> {
        let from_network = self.subject("account-from-network", &[email, network]);
        self.know(&from_network, &self.subject("account-from-device", &[email, device]), true, now).await
    }

    async fn know(&self, network: &str, device: &str, forgive: bool, now: Timestamp) -> Result<(), StoreError> {
        let until = now + KNOWN_FOR;
        let known = |subject: &str, forgive: bool| {
            let subject = subject.to_owned();
            async move {
                let expression = if forgive {
                    "SET subject = :subject, known_until = :until, #ttl = :ttl, failures = :zero REMOVE last_at ADD rev :one"
                } else {
                    "SET subject = :subject, known_until = :until, #ttl = :ttl, failures = if_not_exists(failures, :zero) ADD rev :one"
                };
                let known = self.store.update(&subject, |update| {
                    update
                        .update_expression(expression)
                        .expression_attribute_names("#ttl", keys::TTL)
                        .expression_attribute_values(":subject", AttributeValue::S(subject.clone()))
                        .expression_attribute_values(":until", AttributeValue::S(until.to_string()))
                        .expression_attribute_values(":ttl", ttl(until))
                        .expression_attribute_values(":zero", number(0))
                        .expression_attribute_values(":one", number(1))
                });
                known.await
            }
        };
        try_join_all([known(network, forgive), known(device, true)]).await.map(drop)
    }

    /// Counts an unknown link that somebody tried; or says until when that network has to wait, and counts nothing.
    pub async fn unknown_link(&self, network: &str, now: Timestamp) -> Result<Result<(), Timestamp>, StoreError> {
        self.take(BucketOf::Links, "links-from", network, now).await
    }

    /// Counts a request that anybody may make; or says until when that network has to wait, and counts nothing.
    pub async fn request_from(&self, network: &str, now: Timestamp) -> Result<Result<(), Timestamp>, StoreError> {
        self.take(BucketOf::Requests, "requests-from", network, now).await
    }

    async fn take(
        &self,
        of: BucketOf,
        kind: &str,
        network: &str,
        now: Timestamp,
    ) -> Result<Result<(), Timestamp>, StoreError> {
        let subject = self.subject(kind, &[network]);
        let stored = self.store.read::<Counted<Bucket>>(keys::throttle(&subject)).await?;
        let bucket = value(stored.as_ref());
        if let Some(until) = bucket.blocked_until(of, now) {
            return Ok(Err(until));
        }
        if !bucket.full(of, now) {
            return self.fill(&subject, of, &bucket, 1, now).await.map(Ok);
        }
        // After a wait there is one place, for one of many at once.
        let empty_at = bucket.empty_at.max(now.as_second()) + of.step();
        let count = Bucket { empty_at, last_at: now.as_millisecond() };
        let transaction = put(self.store.transaction(), stored, Counted { subject, count });
        match transaction.commit().await {
            Ok(()) => Ok(Ok(())),
            Err(CommitError::Store(error)) => Err(error),
            Err(_) => Ok(Err(count.blocked_until(of, now).unwrap_or(now + SignedDuration::from_secs(1)))),
        }
    }

    /// Adds to a bucket, however many do at once: nobody waits for another.
    async fn fill(
        &self,
        subject: &str,
        of: BucketOf,
        was: &Bucket,
        amount: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (now_s, step) = (now.as_second(), of.step() * amount);
        let last_at = if amount > 0 { now.as_millisecond() } else { was.last_at };
        let until = Timestamp::from_second(was.empty_at.max(now_s) + step).unwrap_or(now);
        let add = |update: UpdateItemFluentBuilder, empty_at: &str| {
            update
                .update_expression(format!(
                    "SET subject = :subject, empty_at = {empty_at} + :step, last_at = :at, #ttl = :ttl ADD rev :one"
                ))
                .expression_attribute_names("#ttl", keys::TTL)
                .expression_attribute_values(":subject", AttributeValue::S(subject.to_owned()))
                .expression_attribute_values(":now", number(now_s))
                .expression_attribute_values(":step", number(step))
                .expression_attribute_values(":at", number(last_at))
                .expression_attribute_values(":ttl", ttl(until + SignedDuration::from_hours(1)))
                .expression_attribute_values(":one", number(1))
        };
        if was.empty_at <= now_s {
            let begun = self.store.update(subject, |update| {
                add(update, ":now").condition_expression("attribute_not_exists(empty_at) OR empty_at <= :now")
            });
            if begun.await? {
                return Ok(());
            }
        }
        self.store.update(subject, |update| add(update, "if_not_exists(empty_at, :now)")).await.map(drop)
    }

    /// Whether one more is within its limit, or from when on it is: what is refused is not counted.
    pub async fn hourly(&self, what: Hourly<'_>, now: Timestamp) -> Result<Result<Allowed, Timestamp>, StoreError> {
        let (kind, [one, other]) = what.subject();
        let subject = self.subject(kind, &[&one, &other]);
        let was = self.store.read::<Counted<HourlyLimit>>(keys::throttle(&subject)).await?;
        let taken = value(was.as_ref()).take(what.most(), now);
        Ok(taken.map(|count| Allowed { was, now: Counted { subject, count } }))
    }
}

impl Transaction<'_> {
    /// Counts one more within a limit, if nobody has counted meanwhile.
    pub fn counted(self, allowed: Allowed) -> Self {
        put(self, allowed.was, allowed.now)
    }
}

/// Writes a count in the place of the one that was read.
fn put<T: Count>(transaction: Transaction<'_>, was: Read<T>, now: Counted<T>) -> Transaction<'_> {
    match was {
        Some(was) => transaction.save(was.rev, &now),
        None => transaction.create(&now),
    }
}

fn value<T: Clone + Default>(stored: Option<&Stored<Counted<T>>>) -> T {
    stored.map(|stored| stored.record.count.clone()).unwrap_or_default()
}

fn take<T: Count>(rows: &mut HashMap<String, Item>, subject: &str) -> Result<Read<T>, StoreError> {
    rows.remove(subject).map(Stored::from_item).transpose()
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

impl Store {
    /// One update of a count; whether its condition held.
    async fn update(
        &self,
        subject: &str,
        with: impl Fn(UpdateItemFluentBuilder) -> UpdateItemFluentBuilder,
    ) -> Result<bool, StoreError> {
        for tried in 0.. {
            let key = Some(keys::throttle(subject).attributes());
            let update = with(self.client.update_item().table_name(&*self.table).set_key(key));
            let Err(error) = update.send().await else { break };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => return Ok(false),
                Some(UpdateItemError::TransactionConflictException(_)) if tried < MOST_CONFLICTS => {
                    crate::back_off(4, tried).await;
                }
                _ => return Err(StoreError::call("UpdateItem")(error)),
            }
        }
        Ok(true)
    }
}

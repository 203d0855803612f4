//! The outbox: mails that were decided on and wait for SES. An item that is gone was sent.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::conflicts::if_it_held;
use super::keys::{self, Key};
use super::{Item, Record, Store, StoreError, Stored, item_of, ttl};
use crate::clock::{SignedDuration, Timestamp};
use crate::domain::{Bundle, BundleTopic, ContactId, Email, MailId, OutboxMail, StaffId, Token, TokenPurpose};

/// How long a deliverer has a mail to itself. Longer than SES is waited for, short enough to go on soon after a crash.
const CLAIM: SignedDuration = SignedDuration::from_secs(15);

/// The attribute of a mail of which nobody knows whether SES has it.
const PERHAPS_SENT: &str = "perhaps_sent";

/// How long an ended token is remembered, so that its link can say why it does not work.
const TOKEN_REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Until when a mail is nobody else's to send.
pub(super) fn claim_end(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_millisecond().to_string())
}

/// What is stored of a token: what it opens, under its hash.
pub(super) fn token_item(token: &Token, purpose: &TokenPurpose) -> Result<Item, StoreError> {
    let mut item = item_of(keys::token(&token.hash()), purpose)?;
    item.insert(keys::TTL.to_owned(), ttl(purpose.expires_at() + TOKEN_REMEMBERED));
    Ok(item)
}

impl Record for Bundle {
    fn key(&self) -> Key {
        keys::bundle(self.staff, self.topic)
    }
}

/// What came of claiming a mail.
#[derive(Debug)]
pub enum Claim {
    /// It is the caller's to send.
    Mine(Box<Claimed>),
    /// Another deliverer has it right now.
    Taken,
    /// It was sent.
    Gone,
}

/// A mail that nobody else sends for 15 seconds.
#[derive(Debug)]
pub struct Claimed {
    /// The mail.
    pub mail: OutboxMail,
    /// How often it was tried, this time included.
    pub tries: u32,
    /// Whether SES may have it from an earlier try, with the link of that try.
    pub perhaps_sent: bool,
    /// When the claim ends.
    pub until: Timestamp,
}

impl Store {
    /// Takes an item that waits for a while, and counts that: only one has it at a time. What it is, is the answer.
    pub(super) fn claim(&self, key: Key, now: Timestamp, until: Timestamp) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(&*self.table).set_key(Some(key.attributes()));
        update
            .update_expression("SET claimed_until = :until ADD tries :one")
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(claimed_until) OR claimed_until < :now)",
            )
            .expression_attribute_values(":until", claim_end(until))
            .expression_attribute_values(":now", claim_end(now))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(ReturnValue::AllNew)
    }

    /// Takes a mail for sending: only one deliverer at a time has it.
    pub async fn claim_mail(&self, id: MailId, now: Timestamp) -> Result<Claim, StoreError> {
        use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
        let until = now + CLAIM;
        let claimed = self
            .claim(keys::outbox(id), now, until)
            .return_values_on_condition_check_failure(
                aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld,
            )
            .send()
            .await;
        match claimed {
            Ok(claimed) => {
                let item = claimed.attributes.unwrap_or_default();
                let tries = item.get("tries").and_then(|n| n.as_n().ok()).and_then(|n| n.parse().ok()).unwrap_or(1);
                let perhaps_sent = item.contains_key(PERHAPS_SENT);
                Ok(Claim::Mine(Box::new(Claimed { mail: serde_dynamo::from_item(item)?, tries, perhaps_sent, until })))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(if failed.item.is_some() { Claim::Taken } else { Claim::Gone })
                }
                _ => Err(StoreError::call("UpdateItem")(error)),
            },
        }
    }

    /// Gives a mail back that could not be sent now, or of which nobody knows whether it was. Whoever has claimed it since
    /// keeps it.
    pub async fn release_mail(&self, claimed: &Claimed, perhaps_sent: bool) -> Result<(), StoreError> {
        let remember = format!("SET {PERHAPS_SENT} = :yes REMOVE claimed_until");
        let update = if perhaps_sent { remember.as_str() } else { "REMOVE claimed_until" };
        let yes = perhaps_sent.then(|| (":yes".to_owned(), AttributeValue::Bool(true)));
        let until = [(":until".to_owned(), claim_end(claimed.until))];
        let released = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(keys::outbox(claimed.mail.id).attributes()))
            .update_expression(update)
            .condition_expression("claimed_until = :until")
            .set_expression_attribute_values(Some(until.into_iter().chain(yes).collect()))
            .send()
            .await;
        if_it_held("UpdateItem", released).map(drop)
    }

    /// Records that a mail was sent, or never can be: it leaves the outbox.
    pub async fn settle_mail(&self, id: MailId) -> Result<(), StoreError> {
        let key = Some(keys::outbox(id).attributes());
        let deleted = self.client.delete_item().table_name(&*self.table).set_key(key).send().await;
        deleted.map(drop).map_err(StoreError::call("DeleteItem"))
    }

    /// Shows on the contact that a mail to this address of its did not arrive. Of an address that it no longer has
    /// nothing is shown.
    pub async fn note_mail_problem(&self, contact: ContactId, to: &Email, problem: &str) -> Result<(), StoreError> {
        let noted = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(keys::contact(contact).attributes()))
            // The version moves on, so that whoever is changing the contact right now reads this first.
            .update_expression("SET mail_problem = :problem ADD rev :one")
            .condition_expression("email = :to")
            .expression_attribute_values(":to", AttributeValue::S(to.to_string()))
            .expression_attribute_values(":problem", AttributeValue::S(problem.to_owned()))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .send()
            .await;
        if_it_held("UpdateItem", noted).map(drop)
    }

    /// The ids of mails in one partition of the outbox, oldest first.
    pub async fn waiting_mails(&self, shard: u8) -> Result<Vec<MailId>, StoreError> {
        #[derive(serde::Deserialize)]
        struct Row {
            id: MailId,
        }
        let mut pages = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(keys::outbox_shard(shard)))
            .projection_expression("id")
            .into_paginator()
            .send();
        let mut ids = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(StoreError::call("Query"))?.items.unwrap_or_default() {
                ids.push(serde_dynamo::from_item::<_, Row>(item)?.id);
            }
        }
        Ok(ids)
    }

    /// Makes a token known, just before the mail with it is sent.
    pub async fn publish_token(&self, token: &Token, purpose: &TokenPurpose) -> Result<(), StoreError> {
        self.put_plain(token_item(token, purpose)?).await
    }

    /// Takes a token back whose mail was not sent.
    pub async fn withdraw_token(&self, token: &Token) -> Result<(), StoreError> {
        let key = Some(keys::token(&token.hash()).attributes());
        let deleted = self.client.delete_item().table_name(&*self.table).set_key(key).send().await;
        deleted.map(drop).map_err(StoreError::call("DeleteItem"))
    }

    /// What one of the staff was told about a topic lately, and what waits to be told.
    pub async fn bundle(&self, staff: StaffId, topic: BundleTopic) -> Result<Option<Stored<Bundle>>, StoreError> {
        self.read(keys::bundle(staff, topic)).await
    }
}

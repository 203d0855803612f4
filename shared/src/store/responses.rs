//! What requests with an idempotency key were answered: a lock while the first is at work, then its response.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::conflicts::if_it_held;
use super::keys::{self, Key};
use super::{Store, StoreError, item_of, ttl};
use crate::clock::{SignedDuration, Timestamp, sortable};
use crate::domain::ActorId;

/// A lock ends by itself after this: no function behind the API may take as long (template.yaml, `Timeout`).
pub const LOCK_LIFETIME: SignedDuration = SignedDuration::from_secs(60);
/// How long a response is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The right to take effect for one idempotency key of one caller.
#[derive(Debug, Clone)]
pub struct ResponseLock {
    key: Key,
    request_hash: String,
    held_by: String,
}

/// A response that was stored with what it tells of.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredResponse {
    /// Its status.
    pub status: u16,
    /// Its body, without what expires and without secrets.
    pub body: String,
}

/// What there is under an idempotency key.
#[derive(Debug)]
pub enum KeyState {
    /// Nothing: the lock is the caller's now.
    Acquired(ResponseLock),
    /// The first request with this key is still at work.
    InProgress,
    /// The first request was answered so.
    Answered(StoredResponse),
    /// The first request with this key was another one.
    OtherRequest,
}

#[derive(Serialize, Deserialize)]
struct Row {
    request_hash: String,
    /// Until then the row counts: sortable, as a condition compares it as text.
    counts_until: String,
    /// Which request is at work; nobody, once it has its response.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_by: Option<String>,
    #[serde(flatten)]
    response: Option<StoredResponse>,
}

impl Store {
    /// Takes the lock of a caller's key, in one conditional write; else says what is there.
    pub async fn lock_response(
        &self,
        caller: ActorId,
        key_hash: &str,
        request_hash: &str,
        now: Timestamp,
    ) -> Result<KeyState, StoreError> {
        let key = keys::stored_response(caller, key_hash);
        let held_by = URL_SAFE_NO_PAD.encode(crate::random::<16>());
        let until = now + LOCK_LIFETIME;
        let row = Row {
            request_hash: request_hash.to_owned(),
            counts_until: sortable(until),
            held_by: Some(held_by.clone()),
            response: None,
        };
        let mut item = item_of(key.clone(), &row)?;
        item.insert(keys::TTL.to_owned(), ttl(until));
        let put = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(item))
            .condition_expression(format!("attribute_not_exists({}) OR counts_until <= :now", keys::PK))
            .expression_attribute_values(":now", AttributeValue::S(sortable(now)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = put else {
            return Ok(KeyState::Acquired(ResponseLock { key, request_hash: row.request_hash, held_by }));
        };
        let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error() else {
            return Err(StoreError::call("PutItem")(error));
        };
        // Released in this very moment: whoever comes again will get it.
        let Some(item) = failed.item() else { return Ok(KeyState::InProgress) };
        let row: Row = serde_dynamo::from_item(item.clone())?;
        Ok(match row.response {
            _ if row.request_hash != request_hash => KeyState::OtherRequest,
            Some(response) => KeyState::Answered(response),
            None => KeyState::InProgress,
        })
    }

    /// Gives a lock back, for a request that took no effect. One that is no longer held stays as it is.
    pub async fn release_response(&self, lock: &ResponseLock) -> Result<(), StoreError> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&*self.table)
            .set_key(Some(lock.key.clone().attributes()))
            .condition_expression("held_by = :mine")
            .expression_attribute_values(":mine", AttributeValue::S(lock.held_by.clone()))
            .send()
            .await;
        if_it_held("DeleteItem", deleted).map(drop)
    }
}

impl super::Transaction<'_> {
    /// Stores the response in the place of its lock, which must still be held.
    pub fn store_response(self, lock: &ResponseLock, response: StoredResponse, now: Timestamp) -> Self {
        let until = now + KEPT;
        let row = Row {
            request_hash: lock.request_hash.clone(),
            counts_until: sortable(until),
            held_by: None,
            response: Some(response),
        };
        let item = item_of(lock.key.clone(), &row).map(|mut item| {
            item.insert(keys::TTL.to_owned(), ttl(until));
            item
        });
        self.put_for_lock(item, &lock.held_by)
    }
}

//! State: one DynamoDB table. Functions see records and transactions, never attributes.

mod activity;
mod api_keys;
mod company_records;
mod conflicts;
mod endpoint;
mod fan_out;
mod first_admin;
mod inbox;
mod job_files;
mod json;
pub mod keys;
mod outbox;
mod page;
mod people;
mod record;
mod record_lists;
mod registrations;
mod responses;
mod scans;
mod settings;
mod share_words;
mod shares;
mod staff;
mod tasks;
mod throttle;
mod thumbnails;
mod transaction;
mod uploads;
mod usage;
mod words;

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::endpoint::ResolveEndpoint;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};
use futures_util::future::try_join_all;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use activity::ActivityQuery;
pub use company_records::{KnownRecords, MOST_EVENTS};
pub use fan_out::{FanOut, Reader, WRITES_PER_READER};
pub use first_admin::FirstAdmin;
pub use inbox::{InboxOrder, InboxPage, InboxPlace, InboxQuery};
pub use job_files::AwaitedJobFile;
pub use outbox::{Claim, Claimed};
pub use page::{Page, PageRequest, Position};
pub use people::{ContactCounts, Person};
pub use record::{Record, Rev, Stored};
pub use record_lists::{RecordPage, RecordPlace, RecordQuery};
pub use registrations::{AccessRequested, Asked, PendingOf, RegistrationTold};
pub use responses::{KeyState, LOCK_LIFETIME, ResponseLock, StoredResponse};
pub use scans::ScannedFile;
pub use shares::{AwaitedFile, EndedShare, Received, SharedFile};
pub use tasks::{DigestItem, PendingDigest, ToldDigest};
pub use throttle::{Allowed, Hourly, SignInAttempt, Throttle};
pub use thumbnails::WaitingFile;
pub use transaction::{CommitError, Transaction};
pub use uploads::UploadNotAccepted;
pub use words::{DomainOwner, Searchable, WordRow};

use crate::aws::Env;
use crate::clock::Clock;
use endpoint::FixedEndpoint;
use json::KeptAnswer;
use keys::Key;

/// An item as DynamoDB gives it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// What `DynamoDB` says where it is asked too much of ("Error handling with DynamoDB"); the SDK tries again, for a while.
const THROTTLED: [&str; 4] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionInProgressException",
];

/// The table could not do what it was asked, or holds what it should not.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The call failed, after the SDK's own retries.
    #[error("DynamoDB {operation}: {cause}")]
    Call {
        /// Which call.
        operation: &'static str,
        /// The whole chain of causes, for the log.
        cause: String,
    },
    /// The table is asked for more than it can do this moment, and was after all retries: the same may work soon.
    #[error("DynamoDB {operation} is throttled: {cause}")]
    Busy {
        /// Which call.
        operation: &'static str,
        /// The whole chain of causes, for the log.
        cause: String,
    },
    /// An item does not have the form that its key promises.
    #[error("an item cannot be read or written: {0}")]
    Form(#[from] serde_dynamo::Error),
    /// The same of an answer as it came.
    #[error("an item cannot be read: {0}")]
    Json(#[from] serde_json::Error),
}

impl StoreError {
    pub(crate) fn call<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug,
    {
        move |error| {
            let cause = DisplayErrorContext(&error).to_string();
            let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
            if code.is_some_and(|code| THROTTLED.contains(&code)) {
                Self::Busy { operation, cause }
            } else {
                Self::Call { operation, cause }
            }
        }
    }
}

/// Of the answer to a `GetItem`, what is read.
#[derive(Deserialize)]
struct GetAnswer<'a> {
    #[serde(rename = "Item", borrow, default)]
    item: Option<&'a RawValue>,
}

/// The table, and the connection to it.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: Arc<str>,
    clock: Clock,
}

impl Store {
    /// Makes the client; nothing is sent yet.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&env.aws);
        let fixed = match &env.endpoints.dynamodb {
            Some(url) => Some(FixedEndpoint::at(url)),
            None => env.aws.region().and_then(FixedEndpoint::of),
        };
        config.set_endpoint_resolver(fixed.map(ResolveEndpoint::into_shared_resolver));
        let config = config.retry_classifier(conflicts::RetryTransactionConflicts).build();
        Self { client: Client::from_conf(config), table: env.table.as_str().into(), clock: env.clock.clone() }
    }

    /// One record, as it is now (strongly consistent).
    pub async fn read<T: Record>(&self, key: Key) -> Result<Option<Stored<T>>, StoreError> {
        self.item(key, Stored::from_json).await
    }

    /// Something that is no record: written once, read by its key.
    pub(crate) async fn read_plain<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, StoreError> {
        self.item(key, json::from_item).await
    }

    async fn item<T>(
        &self,
        key: Key,
        parse: impl FnOnce(&RawValue) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let get = self.client.get_item().table_name(&*self.table).set_key(Some(key.attributes())).consistent_read(true);
        let kept = KeptAnswer::default();
        let answered = get.customize().interceptor(kept.clone()).send().await;
        answered.map_err(StoreError::call("GetItem"))?;
        let body = kept.take();
        json::read::<GetAnswer<'_>>(&body)?.item.map(parse).transpose()
    }

    /// Several items in one round trip, as they are now; those that do not exist are missing in the answer.
    async fn items(&self, keys: impl IntoIterator<Item = Key>) -> Result<Vec<Item>, StoreError> {
        self.some_items(keys, true).await
    }

    /// The same, at half the cost where what was written this very moment need not be seen.
    async fn some_items(&self, keys: impl IntoIterator<Item = Key>, consistent: bool) -> Result<Vec<Item>, StoreError> {
        let wanted: Vec<Item> = keys.into_iter().map(Key::attributes).collect();
        let batch = |mut wanted: Vec<Item>| async move {
            let mut found = Vec::new();
            for tried in 0.. {
                if wanted.is_empty() {
                    break;
                }
                again(tried).await?;
                let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(consistent).build();
                let request = request
                    .map_err(|error| StoreError::Call { operation: "BatchGetItem", cause: error.to_string() })?;
                let answer = self.client.batch_get_item().request_items(&*self.table, request).send().await;
                let mut answer = answer.map_err(StoreError::call("BatchGetItem"))?;
                found.extend(answer.responses.take().unwrap_or_default().into_values().flatten());
                // DynamoDB may answer a part and name the rest; it is asked for again.
                let rest = answer.unprocessed_keys.and_then(|mut rest| rest.remove(&*self.table));
                wanted = rest.map(|rest| rest.keys).unwrap_or_default();
            }
            Ok::<_, StoreError>(found)
        };
        // A hundred keys are the most that one request names.
        let found = try_join_all(wanted.chunks(100).map(<[Item]>::to_vec).map(batch)).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Puts and deletes what stands for itself, 25 in a request, some requests at a time.
    pub(crate) async fn write_batch(&self, puts: Vec<Item>, deletes: Vec<Item>) -> Result<(), StoreError> {
        let incomplete = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Call {
            operation: "BatchWriteItem",
            cause: error.to_string(),
        };
        let mut requests = Vec::with_capacity(puts.len() + deletes.len());
        for item in puts {
            let put = PutRequest::builder().set_item(Some(item)).build().map_err(incomplete)?;
            requests.push(WriteRequest::builder().put_request(put).build());
        }
        for key in deletes {
            let delete = DeleteRequest::builder().set_key(Some(key)).build().map_err(incomplete)?;
            requests.push(WriteRequest::builder().delete_request(delete).build());
        }
        let batches: Vec<Vec<WriteRequest>> = requests.chunks(25).map(<[_]>::to_vec).collect();
        let write = |mut batch: Vec<WriteRequest>| async move {
            for tried in 0.. {
                if batch.is_empty() {
                    break;
                }
                again(tried).await?;
                let sent = self.client.batch_write_item().request_items(&*self.table, batch).send().await;
                let sent = sent.map_err(StoreError::call("BatchWriteItem"))?;
                // DynamoDB may do a part and give back the rest.
                batch = sent.unprocessed_items.and_then(|mut rest| rest.remove(&*self.table)).unwrap_or_default();
            }
            Ok::<_, StoreError>(())
        };
        for some in batches.chunks(8) {
            try_join_all(some.iter().cloned().map(write)).await?;
        }
        Ok(())
    }

    /// Writes what stands for itself: no condition, nothing else with it.
    pub(crate) async fn put_plain(&self, item: Item) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&*self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(StoreError::call("PutItem"))
    }
}

/// Before what DynamoDB has left undone is asked for again; at last it is asked no more.
async fn again(tried: u32) -> Result<(), StoreError> {
    match tried {
        0 => Ok(()),
        1..12 => {
            crate::back_off(20, tried).await;
            Ok(())
        }
        _ => Err(StoreError::Busy { operation: "Batch", cause: "a part is left undone each time".to_owned() }),
    }
}

/// An item of a key and what lies there.
pub(crate) fn item_of(key: Key, body: &impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(body)?;
    item.extend(key.attributes());
    Ok(item)
}

/// `ttl`: DynamoDB deletes the item some time after this (up to days), so nothing may rely on it being gone.
pub(crate) fn ttl(at: crate::clock::Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_second().to_string())
}

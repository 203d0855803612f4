//! Functions that no caller waits for: fed by a stream, a schedule or the engineer who deploys.

use std::str::FromStr;
use std::sync::Arc;

use aws_lambda_events::event::dynamodb::EventRecord;
use aws_lambda_events::event::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use futures_util::future::BoxFuture;
use lambda_http::lambda_runtime::{self, LambdaEvent};
use lambda_http::service_fn;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::Env;
use crate::domain::ObjectVersion;
use crate::store::keys;

/// A function could not be made ready, or an event could not be handled: Lambda logs it, and tries again.
pub type StartError = lambda_http::Error;

/// One Lambda function behind a trigger.
pub trait EventFunction: Sized + Send + Sync + 'static {
    /// What it is given.
    type Event: DeserializeOwned + Send;
    /// What it gives back.
    type Outcome: Serialize + Send;

    /// Makes the function ready.
    fn connect(env: &Env) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Handles one event.
    fn handle(&self, event: Self::Event) -> impl Future<Output = Result<Self::Outcome, StartError>> + Send;
}

/// A function as the local stack triggers it: with the JSON that Lambda would hand over.
pub type Trigger = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, StartError>> + Send + Sync>;

/// Makes a function callable in this process.
pub async fn trigger<F: EventFunction>(env: &Env) -> Result<Trigger, StartError> {
    let function = Arc::new(F::connect(env).await?);
    Ok(Arc::new(move |event| {
        let function = Arc::clone(&function);
        Box::pin(async move { Ok(serde_json::to_value(function.handle(serde_json::from_value(event)?).await?)?) })
    }))
}

/// Runs a function on Lambda until its environment ends.
pub async fn run<F: EventFunction>() -> Result<(), StartError> {
    crate::logs::init();
    // Boxed: the layers of the runtime around the layers of the SDK are deeper than the compiler follows.
    let connecting: BoxFuture<'_, Result<F, StartError>> = Box::pin(async { F::connect(&Env::from_lambda()?).await });
    let function = Arc::new(connecting.await?);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<F::Event>| -> BoxFuture<'static, _> {
        let function = Arc::clone(&function);
        Box::pin(async move { function.handle(event.payload).await })
    }))
    .await
}

/// "Object Created" of Amazon S3, as `EventBridge` brings it.
#[derive(Deserialize)]
pub struct ObjectCreated {
    detail: ObjectCreatedDetail,
}

#[derive(Deserialize)]
struct ObjectCreatedDetail {
    object: S3Object,
}

#[derive(Deserialize)]
struct S3Object {
    key: String,
}

impl ObjectCreated {
    /// Where the object lies.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.detail.object.key
    }
}

/// "`GuardDuty` Malware Protection Object Scan Result" of Amazon `GuardDuty`, as `EventBridge` brings it.
#[derive(Deserialize)]
pub struct ObjectScanned {
    detail: ObjectScannedDetail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectScannedDetail {
    s3_object_details: ScannedObject,
    scan_result_details: ScanResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScannedObject {
    object_key: String,
    version_id: Option<ObjectVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScanResult {
    scan_result_status: String,
    /// `null` where there are none.
    threats: Option<Vec<Threat>>,
}

#[derive(Deserialize)]
struct Threat {
    name: String,
}

impl ObjectScanned {
    /// Where the object lies.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.detail.s3_object_details.object_key
    }

    /// Which version of it was scanned.
    #[must_use]
    pub fn version(&self) -> Option<&ObjectVersion> {
        self.detail.s3_object_details.version_id.as_ref()
    }

    /// `NO_THREATS_FOUND`, `THREATS_FOUND`, `UNSUPPORTED`, `ACCESS_DENIED` or `FAILED`.
    #[must_use]
    pub fn result(&self) -> &str {
        &self.detail.scan_result_details.scan_result_status
    }

    /// What was found, as the scanner calls it.
    #[must_use]
    pub fn threats(&self) -> Vec<&str> {
        let threats = self.detail.scan_result_details.threats.iter().flatten();
        threats.map(|threat| threat.name.as_str()).collect()
    }
}

/// A schedule's call that says nothing but that it is time.
#[derive(Debug, Deserialize)]
pub struct Time {}

/// New items of the table, by their stream; or a schedule's call to look for those that the stream left behind.
#[derive(Deserialize)]
pub struct FromTable {
    #[serde(rename = "Records", default)]
    records: Vec<EventRecord>,
    /// Whether it is the schedule's call.
    #[serde(default)]
    pub sweep: bool,
}

/// Names the records that must come again, so that Lambda brings back those and no others.
pub type Failed = DynamoDbEventResponse;

impl FromTable {
    /// Takes one record after the other, by the id in its sort key. `done` says whether that was the last of it.
    pub async fn each<I: FromStr, F: Future<Output = bool>>(&self, done: impl Fn(I) -> F) -> Failed {
        let mut failed = Failed::default();
        for record in &self.records {
            let id = match record.change.keys.get(keys::SK) {
                Some(serde_dynamo::AttributeValue::S(id)) => id.parse().ok(),
                _ => None,
            };
            let Some(id) = id else { continue };
            if !done(id).await {
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier.clone_from(&record.change.sequence_number);
                failed.batch_item_failures.push(failure);
            }
        }
        failed
    }
}

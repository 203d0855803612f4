//! DynamoDB: the table as template.yaml describes it, its stream, its TTL.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use dynoxide::Database as Engine;
use gatehouse::clock::Clock;
use gatehouse::store::keys;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tracing::{error, warn};

use crate::TABLE;
use crate::background::Pause;
use crate::functions::Functions;

/// How often the stream is looked at.
const POLL: Duration = Duration::from_millis(20);
/// How soon records that failed come again.
const RETRY: Duration = Duration::from_millis(500);
/// How often what the stream left behind is swept up. On AWS that is minutes; nobody wants to wait for them here.
const SWEEP: Duration = Duration::from_secs(2);

/// Who the stream feeds: the filters of the event sources in template.yaml. The schedules of these are their sweeps.
pub(crate) const FED: [(&str, &str); 2] = [(keys::OUTBOX, "deliver-mail"), (keys::TASK, "run-tasks")];

#[derive(Clone)]
pub(crate) struct Database {
    engine: Engine,
    clock: Clock,
}

/// The engine takes DynamoDB's own JSON.
fn request<T: DeserializeOwned>(json: Value) -> Result<T> {
    serde_json::from_value(json).context("the engine does not take a request of ours")
}

impl Database {
    pub(crate) fn open(file: Option<&Path>, table: &Value, clock: Clock) -> Result<Self> {
        let engine = match file {
            Some(file) => Engine::new(&file.to_string_lossy()),
            None => Engine::memory(),
        };
        let database = Self { engine: engine.context("the table's file cannot be opened")?, clock };
        let exists =
            request(json!({ "TableName": TABLE })).map(|request| database.engine.describe_table(request).is_ok())?;
        if !exists {
            database.create(table)?;
        }
        Ok(database)
    }

    /// CloudFormation names a table's properties as the API does, but for the stream and the TTL.
    fn create(&self, properties: &Value) -> Result<()> {
        let mut table = json!({ "TableName": TABLE });
        for name in
            ["BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes"]
        {
            if let Some(value) = properties.get(name) {
                table[name] = value.clone();
            }
        }
        table["StreamSpecification"] =
            json!({ "StreamEnabled": true, "StreamViewType": properties["StreamSpecification"]["StreamViewType"] });
        self.engine.create_table(request(table)?)?;
        let ttl = json!({ "TableName": TABLE, "TimeToLiveSpecification": properties["TimeToLiveSpecification"] });
        self.engine.update_time_to_live(request(ttl)?)?;
        Ok(())
    }

    pub(crate) async fn serve(self, listener: TcpListener) {
        dynoxide::server::serve_on(listener, self.engine).await;
    }

    /// Brings new items to the function that is fed with them, as Lambda's event source does: what fails comes again.
    pub(crate) async fn feed(
        self,
        beginning: &'static str,
        function: &'static str,
        functions: Arc<Functions>,
        pause: Pause,
    ) {
        let (mut iterator, mut waiting) = (None, Vec::new());
        let mut swept: Option<tokio::time::Instant> = None;
        loop {
            tokio::time::sleep(POLL).await;
            pause.over().await;
            if iterator.is_none() {
                iterator = self.latest().inspect_err(|error| error!(%error, "the stream cannot be read")).ok();
            }
            // The sweep comes first: before this process there may have been another, that was killed.
            if swept.is_none_or(|swept| swept.elapsed() > SWEEP) {
                swept = Some(tokio::time::Instant::now());
                if let Err(error) = functions.invoke(function, json!({ "sweep": true })).await {
                    error!(%error, "a sweep has failed");
                }
            }
            if !waiting.is_empty() {
                waiting = deliver(&functions, function, waiting).await;
                continue;
            }
            match iterator.take().map(|at| self.records(&at, beginning)) {
                Some(Ok((records, next))) => (waiting, iterator) = (records, Some(next)),
                Some(Err(error)) => warn!(%error, "the stream cannot be read"),
                None => {}
            }
        }
    }

    fn latest(&self) -> Result<String> {
        let streams = self.engine.list_streams(request(json!({ "TableName": TABLE }))?)?;
        let arn = &streams.streams.first().context("the table has no stream")?.stream_arn;
        let stream = self.engine.describe_stream(request(json!({ "StreamArn": arn }))?)?;
        let shard = stream.stream_description.shards.last().context("the stream has no shard")?;
        let start = json!({ "StreamArn": arn, "ShardId": shard.shard_id, "ShardIteratorType": "LATEST" });
        let iterator = self.engine.get_shard_iterator(request(start)?)?;
        iterator.shard_iterator.ok_or_else(|| anyhow!("the shard has no iterator"))
    }

    /// New items whose key begins so (what the event source's filter lets through), and where to go on.
    fn records(&self, iterator: &str, beginning: &str) -> Result<(Vec<Value>, String)> {
        let answer = self.engine.get_records(request(json!({ "ShardIterator": iterator, "Limit": 100 }))?)?;
        let next = answer.next_shard_iterator.context("the shard has ended")?;
        let records = answer.records.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?;
        let new = |record: &Value| {
            let pk = record["dynamodb"]["Keys"]["pk"]["S"].as_str();
            record["eventName"] == "INSERT" && pk.is_some_and(|pk| pk.starts_with(beginning))
        };
        Ok((records.into_iter().filter(new).collect(), next))
    }

    /// Deletes what has ended (TTL), by the clock of the stack.
    pub(crate) fn expire(&self) -> Result<()> {
        let now = self.clock.now().as_second().to_string();
        let mut start = Value::Null;
        loop {
            let mut scan = json!({
                "TableName": TABLE,
                "FilterExpression": "#ttl < :now",
                "ExpressionAttributeNames": { "#ttl": keys::TTL },
                "ExpressionAttributeValues": { ":now": { "N": now } },
            });
            if !start.is_null() {
                scan["ExclusiveStartKey"] = start;
            }
            let found = serde_json::to_value(self.engine.scan(request(scan)?)?)?;
            for item in found["Items"].as_array().into_iter().flatten() {
                let key = json!({ "pk": item["pk"], "sk": item["sk"] });
                self.engine.delete_item(request(json!({ "TableName": TABLE, "Key": key }))?)?;
            }
            start = found["LastEvaluatedKey"].clone();
            if start.is_null() {
                return Ok(());
            }
        }
    }

    pub(crate) fn answers(&self) -> bool {
        request(json!({ "TableName": TABLE })).is_ok_and(|table| self.engine.describe_table(table).is_ok())
    }
}

/// Hands records over; gives back those that failed, after a while.
async fn deliver(functions: &Functions, function: &str, records: Vec<Value>) -> Vec<Value> {
    let failed: Vec<Value> = match functions.invoke(function, json!({ "Records": records })).await {
        Ok(outcome) => {
            let failures = outcome["batchItemFailures"].as_array().cloned().unwrap_or_default();
            let failed = |record: &Value| {
                failures.iter().any(|failure| failure["itemIdentifier"] == record["dynamodb"]["SequenceNumber"])
            };
            records.into_iter().filter(failed).collect()
        }
        Err(error) => {
            error!(%error, "records have failed");
            records
        }
    };
    if !failed.is_empty() {
        tokio::time::sleep(RETRY).await;
    }
    failed
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}

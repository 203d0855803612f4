//! What a request asks of AWS: how many calls, how many after one another, how many capacity units.
//!
//! It stands where the SDK meets the network, so it sees what is sent and nothing is sent for its sake. It asks
//! DynamoDB for the capacity that each call consumed, and counts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use gatehouse::aws::AwsConfig;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

/// One call to AWS.
#[derive(Debug, Clone)]
pub struct Call {
    /// `Query`, or the method and path of a service that names no operation.
    pub operation: String,
    /// Read capacity units.
    pub read_units: f64,
    /// Write capacity units.
    pub write_units: f64,
    began: Instant,
    ended: Instant,
}

/// What the calls since the last look have cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// How many calls.
    pub calls: usize,
    /// How many of them after one another: the longest chain in which each began after the last had ended.
    pub round_trips: usize,
    /// Read capacity units.
    pub read_units: f64,
    /// Write capacity units.
    pub write_units: f64,
}

/// Sees every call of the functions to AWS.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Meter {
    /// The same configuration, with this meter between the SDK and the network.
    #[must_use]
    pub fn watch(&self, config: &AwsConfig) -> AwsConfig {
        let Some(inner) = config.http_client() else { return config.clone() };
        let watched = Watched { inner, meter: self.clone() };
        config.to_builder().http_client(SharedHttpClient::new(watched)).build()
    }

    /// The calls since this was asked last.
    #[must_use]
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, call: Call) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }
}

impl Cost {
    /// What these calls cost together.
    #[must_use]
    pub fn of(calls: &[Call]) -> Self {
        let mut sorted: Vec<&Call> = calls.iter().collect();
        sorted.sort_by_key(|call| call.began);
        let mut chains: Vec<usize> = Vec::with_capacity(sorted.len());
        for call in &sorted {
            let before = sorted.iter().zip(&chains).filter(|(earlier, _)| earlier.ended <= call.began);
            chains.push(1 + before.map(|(_, length)| *length).max().unwrap_or(0));
        }
        Self {
            calls: calls.len(),
            round_trips: chains.into_iter().max().unwrap_or(0),
            read_units: calls.iter().map(|call| call.read_units).sum(),
            write_units: calls.iter().map(|call| call.write_units).sum(),
        }
    }
}

#[derive(Debug)]
struct Watched<T> {
    inner: T,
    meter: Meter,
}

impl HttpClient for Watched<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Watched { inner, meter: self.meter.clone() })
    }
}

impl HttpConnector for Watched<SharedHttpConnector> {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").and_then(|target| target.split('.').next_back());
        let of_dynamodb = target.map(str::to_owned);
        let path = || request.uri().split('?').next().unwrap_or_default().to_owned();
        let operation = of_dynamodb.clone().unwrap_or_else(|| format!("{} {}", request.method(), path()));
        if of_dynamodb.is_some() {
            ask_for_capacity(&mut request);
        }
        let (inner, meter) = (self.inner.clone(), self.meter.clone());
        HttpConnectorFuture::new(async move {
            let began = Instant::now();
            let mut response = inner.call(request).await?;
            let mut units = 0.0;
            if of_dynamodb.is_some() {
                let body = std::mem::replace(response.body_mut(), SdkBody::taken());
                let bytes = body.collect().await.map_err(ConnectorError::io)?.to_bytes();
                units = consumed(&bytes);
                *response.body_mut() = SdkBody::from(bytes);
            }
            let reads = matches!(operation.as_str(), "GetItem" | "BatchGetItem" | "Query");
            let (read_units, write_units) = if reads { (units, 0.0) } else { (0.0, units) };
            meter.note(Call { operation, read_units, write_units, began, ended: Instant::now() });
            Ok(response)
        })
    }
}

fn ask_for_capacity(request: &mut HttpRequest) {
    let Some(mut body) = request.body().bytes().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok()) else {
        return;
    };
    body["ReturnConsumedCapacity"] = json!("TOTAL");
    let text = body.to_string();
    // The table of this machine does not look at signatures; the length it must be told anew.
    request.headers_mut().insert("content-length", text.len().to_string());
    *request.body_mut() = SdkBody::from(text);
}

fn consumed(answer: &[u8]) -> f64 {
    let capacity = serde_json::from_slice::<Value>(answer).ok().map(|answer| answer["ConsumedCapacity"].clone());
    match capacity {
        Some(Value::Array(tables)) => tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum(),
        Some(table) => table["CapacityUnits"].as_f64().unwrap_or_default(),
        None => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn calls_side_by_side_are_one_round_trip() {
        let start = Instant::now();
        let call = |began: u64, ended: u64| Call {
            operation: String::new(),
            read_units: 0.5,
            write_units: 0.0,
            began: start + Duration::from_millis(began),
            ended: start + Duration::from_millis(ended),
        };
        let cost = Cost::of(&[call(0, 10), call(1, 5), call(10, 20)]);
        assert_eq!((cost.calls, cost.round_trips), (3, 2));
        assert!((cost.read_units - 1.5).abs() < f64::EPSILON);
    }
}

//! What a request asks of AWS: how many calls, how many after one another, how many capacity units.
//!
//! It stands where the SDK meets the network, so it sees what is sent and nothing is sent for its sake. It asks
//! DynamoDB for the capacity that each call consumed, and counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use gatehouse::aws::AwsConfig;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::iam::{self, Guard, SESSION_TOKEN};

/// One call to AWS.
#[derive(Debug, Clone)]
pub struct Call {
    /// `Query`, or the method and path of a service that names no operation.
    pub operation: String,
    /// Read capacity units.
    pub read_units: f64,
    /// Write capacity units.
    pub write_units: f64,
    /// Whether it meets the table as it is now. A read that does not ask for that (`ConsistentRead`) may be a little behind
    /// on AWS, and never is here.
    pub consistent: bool,
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
    stop: Arc<Mutex<Option<Stop>>>,
    throttled: Arc<Mutex<HashMap<String, usize>>>,
}

/// Where calls stop.
#[derive(Debug)]
struct Stop {
    /// How many calls there are until then, with the one that `last` is about.
    left: usize,
    last: Fault,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Answered,
    /// The service does it, and the caller never learns.
    Unheard,
    Unsent,
}

impl Meter {
    /// The same configuration, with this meter and IAM between the SDK and the network.
    #[must_use]
    pub(crate) fn watch(&self, config: &AwsConfig, guard: &Guard) -> AwsConfig {
        let Some(inner) = config.http_client() else { return config.clone() };
        let watched = Watched { inner, meter: self.clone(), guard: Some(guard.clone()) };
        config.to_builder().http_client(SharedHttpClient::new(watched)).build()
    }

    /// The calls since this was asked last.
    #[must_use]
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on the `n`th call (1 is the next) and all after it hang, unsent and uncounted: the caller stands
    /// still just before that call. What hangs is to be dropped, as a crash would; [`Meter::go_on`] is for new calls.
    /// The clients give up on a call after 5 s and try again: a test drops it sooner.
    pub fn stop_at(&self, n: usize) {
        self.set_stop(Some(Stop { left: n, last: Fault::Unsent }));
    }

    /// Like [`Meter::stop_at`], but the `n`th call is sent and done, and only its answer is never heard.
    pub fn stop_after(&self, n: usize) {
        self.set_stop(Some(Stop { left: n, last: Fault::Unheard }));
    }

    /// `DynamoDB` refuses the next `n` calls of an operation: they ask too much of it at once. They are not counted.
    pub fn throttle(&self, operation: &str, n: usize) {
        self.throttled.lock().unwrap_or_else(PoisonError::into_inner).insert(operation.to_owned(), n);
    }

    fn is_throttled(&self, operation: &str) -> bool {
        match self.throttled.lock().unwrap_or_else(PoisonError::into_inner).get_mut(operation) {
            None | Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// New calls are answered again.
    pub fn go_on(&self) {
        self.set_stop(None);
    }

    fn set_stop(&self, stop: Option<Stop>) {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = stop;
    }

    fn next_fate(&self) -> Fault {
        match self.stop.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            None => Fault::Answered,
            Some(Stop { left: 0, .. }) => Fault::Unsent,
            Some(stop) => {
                stop.left -= 1;
                if stop.left == 0 { stop.last } else { Fault::Answered }
            }
        }
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
    guard: Option<Guard>,
}

impl<T> Watched<T> {
    /// `DynamoDB`'s answer to a call that is not granted, or is to fail.
    fn refusal(&self, operation: &str, request: &HttpRequest) -> Option<HttpResponse> {
        let body = || serde_json::from_slice::<Value>(request.body().bytes()?).ok();
        let token = request.headers().get(SESSION_TOKEN).unwrap_or_default();
        if let (Some(guard), Some(body)) = (&self.guard, body()) {
            for request in iam::of_dynamodb(operation, &body) {
                if let Err(denied) = guard.check(token, &request) {
                    return refused("AccessDeniedException", &denied.to_string(), Value::Null);
                }
            }
        }
        if !self.meter.is_throttled(operation) {
            return None;
        }
        if operation != "TransactWriteItems" {
            return refused(
                "ProvisionedThroughputExceededException",
                "The level of configured provisioned throughput for the table was exceeded.",
                Value::Null,
            );
        }
        let writes = body().and_then(|body| Some(body["TransactItems"].as_array()?.len())).unwrap_or_default();
        let reason = |n| json!({ "Code": if n + 1 == writes { "ThrottlingError" } else { "None" } });
        let message = "Transaction cancelled, please refer cancellation reasons for specific reasons [ThrottlingError]";
        refused("TransactionCanceledException", message, (0..writes).map(reason).collect())
    }
}

/// An error in the form of `DynamoDB`.
fn refused(kind: &str, message: &str, reasons: Value) -> Option<HttpResponse> {
    let mut body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": message });
    if !reasons.is_null() {
        body["CancellationReasons"] = reasons;
    }
    let mut response = HttpResponse::new(StatusCode::try_from(400).ok()?, SdkBody::from(body.to_string()));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    Some(response)
}

impl HttpClient for Watched<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Watched { inner, meter: self.meter.clone(), guard: self.guard.clone() })
    }
}

impl HttpConnector for Watched<SharedHttpConnector> {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").and_then(|target| target.split('.').next_back());
        let of_dynamodb = target.map(str::to_owned);
        let path = || request.uri().split('?').next().unwrap_or_default().to_owned();
        let operation = of_dynamodb.clone().unwrap_or_else(|| format!("{} {}", request.method(), path()));
        let consistent = of_dynamodb.as_deref().is_none_or(|operation| is_consistent(operation, &request));
        if of_dynamodb.is_some() {
            ask_for_capacity(&mut request);
        }
        if let Some(refusal) = of_dynamodb.as_deref().and_then(|operation| self.refusal(operation, &request)) {
            return HttpConnectorFuture::ready(Ok(refusal));
        }
        let (inner, meter) = (self.inner.clone(), self.meter.clone());
        HttpConnectorFuture::new(async move {
            let fate = meter.next_fate();
            if fate == Fault::Unsent {
                std::future::pending::<()>().await;
            }
            let began = Instant::now();
            let response = inner.call(request).await;
            if fate == Fault::Unheard {
                std::future::pending::<()>().await;
            }
            let mut response = response?;
            let mut units = 0.0;
            if of_dynamodb.is_some() {
                let body = std::mem::replace(response.body_mut(), SdkBody::taken());
                let bytes = body.collect().await.map_err(ConnectorError::io)?.to_bytes();
                units = consumed(&bytes);
                *response.body_mut() = SdkBody::from(bytes);
            }
            let reads = matches!(operation.as_str(), "GetItem" | "BatchGetItem" | "Query");
            let (read_units, write_units) = if reads { (units, 0.0) } else { (0.0, units) };
            meter.note(Call { operation, read_units, write_units, consistent, began, ended: Instant::now() });
            Ok(response)
        })
    }
}

fn is_consistent(operation: &str, request: &HttpRequest) -> bool {
    let body = || serde_json::from_slice::<Value>(request.body().bytes()?).ok();
    let says = |read: &Value| read["ConsistentRead"] == true;
    match operation {
        "GetItem" | "Query" | "Scan" => body().is_some_and(|read| says(&read)),
        "BatchGetItem" => {
            body().is_some_and(|read| read["RequestItems"].as_object().is_some_and(|of| of.values().all(says)))
        }
        _ => true,
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
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    /// A service that counts what reaches it.
    #[derive(Debug, Clone, Default)]
    struct Service(Arc<AtomicUsize>);

    impl HttpConnector for Service {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            self.0.fetch_add(1, Ordering::Relaxed);
            HttpConnectorFuture::ready(Ok(HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::empty())))
        }
    }

    #[tokio::test]
    async fn calls_stop_where_a_test_wants_a_crash() {
        let (meter, service) = (Meter::default(), Service::default());
        let inner = SharedHttpConnector::new(service.clone());
        let watched = Watched { inner, meter: meter.clone(), guard: None };
        let answered = async || {
            let call = watched.call(HttpRequest::new(SdkBody::empty()));
            tokio::time::timeout(Duration::from_millis(20), call).await.is_ok()
        };
        let sent = || service.0.load(Ordering::Relaxed);

        meter.stop_at(2);
        assert_eq!([answered().await, answered().await, answered().await], [true, false, false]);
        assert_eq!((sent(), meter.take().len()), (1, 1));

        meter.stop_after(2);
        assert_eq!([answered().await, answered().await, answered().await], [true, false, false]);
        assert_eq!((sent(), meter.take().len()), (3, 1));

        meter.go_on();
        assert!(answered().await);
        assert_eq!((sent(), meter.take().len()), (4, 1));
    }

    #[tokio::test]
    async fn a_read_is_consistent_where_it_says_so() {
        let meter = Meter::default();
        let inner = SharedHttpConnector::new(Service::default());
        let watched = Watched { inner, meter: meter.clone(), guard: None };
        for (operation, body, consistent) in [
            ("GetItem", json!({ "ConsistentRead": true }), true),
            ("GetItem", json!({}), false),
            ("Query", json!({ "ConsistentRead": false }), false),
            ("BatchGetItem", json!({ "RequestItems": { "table": { "ConsistentRead": true } } }), true),
            ("BatchGetItem", json!({ "RequestItems": { "table": {} } }), false),
            ("PutItem", json!({}), true),
        ] {
            let mut request = HttpRequest::new(SdkBody::from(body.to_string()));
            request.headers_mut().insert("x-amz-target", format!("DynamoDB_20120810.{operation}"));
            watched.call(request).await.unwrap();
            assert_eq!(meter.take()[0].consistent, consistent, "{operation} {body}");
        }
    }

    #[test]
    fn calls_side_by_side_are_one_round_trip() {
        let start = Instant::now();
        let call = |began: u64, ended: u64| Call {
            operation: String::new(),
            read_units: 0.5,
            write_units: 0.0,
            consistent: true,
            began: start + Duration::from_millis(began),
            ended: start + Duration::from_millis(ended),
        };
        let cost = Cost::of(&[call(0, 10), call(1, 5), call(10, 20)]);
        assert_eq!((cost.calls, cost.round_trips), (3, 2));
        assert!((cost.read_units - 1.5).abs() < f64::EPSILON);
    }
}

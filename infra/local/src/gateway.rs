//! API Gateway's part: finds the function, makes the payload-2.0 event, and has `lambda_http` read it as on Lambda.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse::http::ApiResponse;
use gatehouse_template::{Matched, Routes, Template, TemplateError};
use jiff::Timestamp;
use lambda_http::http::request::Parts;
use lambda_http::http::{StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use ulid::Ulid;

use crate::functions::Functions;

/// API Gateway's limits ("Quotas for configuring and running an HTTP API"): the size of a body, that of the request line
/// and all headers together, in bytes, and the time that a function may take.
const LARGEST_BODY: usize = 10 * 1024 * 1024;
const LARGEST_HEAD: usize = 10_240;
const LONGEST: Duration = Duration::from_secs(30);
/// Lambda's own limits ("Lambda quotas"): the event that a function is given, and its response, both as JSON, in bytes.
const LARGEST_EVENT: usize = 6 * 1024 * 1024;
const LARGEST_RESPONSE: usize = LARGEST_EVENT + 100;

struct Gateway {
    routes: Routes,
    /// How long each function may take.
    timeouts: HashMap<String, Duration>,
    functions: Arc<Functions>,
}

pub(crate) fn router(template: &Template, functions: Arc<Functions>) -> Result<Router, TemplateError> {
    let timeouts = template.functions.iter().map(|function| (function.name.clone(), function.timeout)).collect();
    Ok(Router::new().fallback(call).with_state(Arc::new(Gateway { routes: template.routes()?, timeouts, functions })))
}

async fn call(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    if head_size(&parts) > LARGEST_HEAD {
        return gateways_own(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large");
    }
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return gateways_own(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let matched = gateway.routes.find(parts.method.as_str(), parts.uri.path());
    let Some(endpoint) = gateway.functions.endpoints.get(matched.function.as_str()) else {
        return gateways_own(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    let event = event(&parts, &matched, &body, peer).to_string();
    if event.len() > LARGEST_EVENT {
        return gateways_own(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    }
    let Ok(request) = lambda_http::request::from_str(&event) else {
        return gateways_own(StatusCode::BAD_REQUEST, "Bad Request");
    };
    let failed = || gateways_own(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    let own = gateway.timeouts.get(&matched.function).copied().unwrap_or(LONGEST);
    // A task of its own: a panic ends the request and not the gateway, as on Lambda.
    let mut answering = tokio::spawn(endpoint(request));
    match tokio::time::timeout(own.min(LONGEST), &mut answering).await {
        Ok(Ok(answer)) if response_size(&answer) > LARGEST_RESPONSE => failed(),
        Ok(Ok(answer)) => response(answer),
        Ok(Err(_)) => failed(),
        Err(_) => {
            // Lambda ends a function that takes too long; the gateway itself only stops waiting for it.
            answering.abort();
            if own < LONGEST { failed() } else { gateways_own(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable") }
        }
    }
}

/// The request line and all headers.
fn head_size(parts: &Parts) -> usize {
    let line = parts.method.as_str().len() + parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    line + parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>()
}

/// The size of what Lambda hands back for an answer: JSON, with the body as a text in it, in base64 if it is none.
fn response_size(answer: &ApiResponse) -> usize {
    let body = match answer.body() {
        lambda_http::Body::Text(text) => json!(text),
        lambda_http::Body::Binary(bytes) => json!(STANDARD.encode(bytes)),
        _ => Value::Null,
    };
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: BTreeMap<_, _> = answer.headers().iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    let response = json!({
        "statusCode": answer.status().as_u16(), "headers": headers, "multiValueHeaders": {}, "body": body,
        "isBase64Encoded": matches!(answer.body(), lambda_http::Body::Binary(_)), "cookies": [],
    });
    response.to_string().len()
}

fn gateways_own(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "message": message }))).into_response()
}

/// "Working with AWS Lambda proxy integrations for HTTP APIs", payload format 2.0.
fn event(parts: &Parts, matched: &Matched, body: &[u8], peer: SocketAddr) -> Value {
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != header::COOKIE) {
        let joined = headers.entry(name.as_str().to_owned()).or_default();
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(&text(value));
    }
    let cookies = parts.headers.get_all(header::COOKIE).iter().map(text);
    let cookies: Vec<String> =
        cookies.flat_map(|line| line.split("; ").map(str::to_owned).collect::<Vec<_>>()).collect();
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let joined = parameters.entry(decoded(&name.replace('+', " "))).or_default();
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(&decoded(&value.replace('+', " ")));
    }
    let path_parameters: BTreeMap<_, _> =
        matched.parameters.iter().map(|(name, value)| (name, decoded(value))).collect();
    let (body, is_base64) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (STANDARD.encode(body), true),
    };
    let now = Timestamp::now();
    json!({
        "version": "2.0",
        "routeKey": matched.route_key,
        "rawPath": path,
        "rawQueryString": query,
        "cookies": cookies,
        "headers": headers,
        "queryStringParameters": parameters,
        "pathParameters": path_parameters,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": headers.get("host"),
            "domainPrefix": "local",
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": peer.ip().to_string(),
                "userAgent": headers.get("user-agent").cloned().unwrap_or_default(),
            },
            "requestId": Ulid::generate().to_string(),
            "routeKey": matched.route_key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "body": body,
        "isBase64Encoded": is_base64,
    })
}

fn response(answer: ApiResponse) -> Response {
    let (parts, body) = answer.into_parts();
    let body = match body {
        lambda_http::Body::Text(text) => Body::from(text),
        lambda_http::Body::Binary(bytes) => Body::from(bytes),
        _ => Body::empty(),
    };
    Response::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;
    use tower::ServiceExt as _;

    /// How a gateway before this function answers.
    async fn answer<F>(function: F, request: axum::http::request::Builder, body: Vec<u8>) -> (u16, Value)
    where
        F: Fn(usize) -> lambda_http::Body + Send + Sync + 'static,
    {
        let function = Arc::new(function);
        let endpoint: gatehouse::http::Endpoint = Arc::new(move |request| {
            let function = Arc::clone(&function);
            Box::pin(async move {
                if request.uri().path().ends_with("/slow") {
                    tokio::time::sleep(Duration::from_mins(1)).await;
                }
                ApiResponse::new(function(request.body().len()))
            })
        });
        let endpoints = HashMap::from([("list-shares", Arc::clone(&endpoint)), ("share", Arc::clone(&endpoint))]);
        let functions = Functions { endpoints, triggers: HashMap::new(), destinations: HashMap::new() };
        let router = router(&Template::of_workspace().unwrap(), Arc::new(functions)).unwrap();
        let peer: SocketAddr = ([127, 0, 0, 1], 1).into();
        let request = request.extension(ConnectInfo(peer)).body(Body::from(body)).unwrap();
        let answer = router.oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(bytes.len())))
    }

    fn get(path: &str) -> axum::http::request::Builder {
        Request::get(path).header("host", "portal.example")
    }

    #[tokio::test]
    async fn responses_that_lambda_would_not_carry_are_server_errors() {
        let failed = (500, json!({ "message": "Internal Server Error" }));
        let text = |size: usize| move |_: usize| lambda_http::Body::Text("a".repeat(size));
        assert_eq!(answer(text(6_200_000), get("/v1/shares"), Vec::new()).await, (200, json!(6_200_000)));
        assert_eq!(answer(text(6_291_556), get("/v1/shares"), Vec::new()).await, failed);
        // As JSON each of these is two bytes, and what is no text is in base64.
        let quotes = |_: usize| lambda_http::Body::Text("\"".repeat(3_200_000));
        assert_eq!(answer(quotes, get("/v1/shares"), Vec::new()).await, failed);
        let bytes = |size: usize| move |_: usize| lambda_http::Body::Binary(vec![0; size]);
        assert_eq!(answer(bytes(4_700_000), get("/v1/shares"), Vec::new()).await, (200, json!(4_700_000)));
        assert_eq!(answer(bytes(4_750_000), get("/v1/shares"), Vec::new()).await, failed);
    }

    #[tokio::test]
    async fn requests_that_lambda_or_the_gateway_would_not_take_reach_no_function() {
        let size = |size: usize| lambda_http::Body::Text(size.to_string());
        let post = || Request::post("/v1/shares").header("host", "portal.example");
        let too_large = (413, json!({ "message": "Request Entity Too Large" }));
        assert_eq!(answer(size, post(), vec![b'a'; 6_000_000]).await, (200, json!(6_000_000)));
        assert_eq!(answer(size, post(), vec![b'a'; 6_291_456]).await, too_large);
        assert_eq!(answer(size, post(), vec![b'a'; 11_000_000]).await, too_large);
        let too_much = (431, json!({ "message": "Request Header Fields Too Large" }));
        let with = |length: usize| get("/v1/shares").header(HeaderName::from_static("cookie"), "a".repeat(length));
        assert_eq!(answer(size, with(10_000), Vec::new()).await.0, 200);
        assert_eq!(answer(size, with(10_240), Vec::new()).await, too_much);
        assert_eq!(answer(size, get(&format!("/v1/shares?q={}", "a".repeat(10_240))), Vec::new()).await, too_much);
    }

    #[tokio::test(start_paused = true)]
    async fn a_function_that_takes_longer_than_the_template_gives_it_is_ended() {
        let nothing = |_: usize| lambda_http::Body::Empty;
        let failed = (500, json!({ "message": "Internal Server Error" }));
        let started = tokio::time::Instant::now();
        assert_eq!(answer(nothing, get("/v1/shares/slow"), Vec::new()).await, failed);
        assert_eq!(started.elapsed().as_secs(), 20);
    }
}

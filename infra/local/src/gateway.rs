//! API Gateway's part: finds the function, makes the payload-2.0 event, and has `lambda_http` read it as on Lambda.

use std::collections::BTreeMap;
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
use gatehouse_template::{Matched, Routes};
use jiff::Timestamp;
use lambda_http::http::request::Parts;
use lambda_http::http::{StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use ulid::Ulid;

use crate::functions::Functions;

/// API Gateway's limits (HTTP API quotas): the body's size, and the time that a function may take.
const LARGEST_BODY: usize = 10 * 1024 * 1024;
const LONGEST: Duration = Duration::from_secs(30);

struct Gateway {
    routes: Routes,
    functions: Arc<Functions>,
}

pub(crate) fn router(routes: Routes, functions: Arc<Functions>) -> Router {
    Router::new().fallback(call).with_state(Arc::new(Gateway { routes, functions }))
}

async fn call(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return gateways_own(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let matched = gateway.routes.find(parts.method.as_str(), parts.uri.path());
    let Some(endpoint) = gateway.functions.endpoints.get(matched.function.as_str()) else {
        return gateways_own(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    let event = event(&parts, &matched, &body, peer).to_string();
    let Ok(request) = lambda_http::request::from_str(&event) else {
        return gateways_own(StatusCode::BAD_REQUEST, "Bad Request");
    };
    // A task of its own: a panic ends the request and not the gateway, as on Lambda.
    match tokio::time::timeout(LONGEST, tokio::spawn(endpoint(request))).await {
        Ok(Ok(answer)) => response(answer),
        Ok(Err(_)) => gateways_own(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        Err(_) => gateways_own(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
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

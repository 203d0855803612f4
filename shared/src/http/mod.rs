//! Between API Gateway and a function: a request comes in as a [`ApiRequest`], an [`ApiResponse`] or a [`Problem`] goes out.

mod call;
mod contract;
mod cursor;
#[cfg(feature = "files")]
mod download_list;
mod frontend;
mod gate;
mod idempotency;
mod problem;
mod query;
#[cfg(feature = "files")]
mod thumbnail_list;
#[cfg(feature = "files")]
mod upload_request;
mod view;
mod view_as;
mod wording;

use std::sync::Arc;
use std::time::Instant;

use crate::aws::Env;
use crate::event::StartError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use lambda_http::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, service_fn};
use serde::Serialize;
use tracing::{Instrument as _, error, info, info_span};

use call::Evidence;
pub use call::{ApiRequest, LARGEST_BATCH, LARGEST_BODY, one_of_many};
pub use contract::{Answer, Callers, Operation, Received, RequestBody, SchemaOf};
pub use cursor::{List, ListView, PageQuery, PartQuery};
#[cfg(feature = "files")]
pub use download_list::{DownloadList, DownloadView, PreviewView};
pub use frontend::{Frontend, ProxyError, TrustedProxy};
pub use gate::{Caller, Customer, Gate, Operator, ShareAccess, ShareRead};
pub use idempotency::Effect;
pub use problem::{FieldError, Problem, problem_schema};
#[cfg(feature = "files")]
pub use thumbnail_list::{ThumbnailList, ThumbnailsWanted, at_most};
#[cfg(feature = "files")]
pub use upload_request::{AwaitedFile, UploadRequest, fits_beside};
pub use view::{ContactView, FileView, ShareView, device_cookie, session_cookie, signed_out_cookie};

/// What goes back to the caller.
pub type ApiResponse = lambda_http::Response<Body>;

/// One Lambda function behind the API.
pub trait Function: Sized + Send + Sync + 'static {
    /// Makes the function ready: opens its connections, so that the first request does not wait for them.
    fn connect(env: &Env) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Answers one request of one of the function's routes.
    fn handle(&self, request: &ApiRequest) -> impl Future<Output = Result<ApiResponse, Problem>> + Send;
}

/// A function as the local gateway calls it.
pub type Endpoint = Arc<dyn Fn(Request) -> BoxFuture<'static, ApiResponse> + Send + Sync>;

/// Makes a function callable in this process.
pub async fn endpoint<F: Function>(env: &Env) -> Result<Endpoint, StartError> {
    let function = Arc::new((F::connect(env).await?, frontend(env)));
    Ok(Arc::new(move |request| {
        let function = Arc::clone(&function);
        Box::pin(async move { respond(&function.0, request, &function.1).await })
    }))
}

/// Runs a function on Lambda until its environment ends.
pub async fn run<F: Function>() -> Result<(), StartError> {
    crate::logs::init();
    let env = Env::from_lambda()?;
    let (function, frontend) = (&F::connect(&env).await?, &frontend(&env));
    lambda_http::run(service_fn(move |request| async move {
        Ok::<_, std::convert::Infallible>(respond(function, request, frontend).await)
    }))
    .await
}

fn frontend(env: &Env) -> Frontend {
    Frontend { secure: view::is_secure(&env.portal_url), proxy: env.proxy.clone() }
}

/// The boundary: whatever happens inside, something well-formed goes out, and a fault is logged here, once.
async fn respond(function: &impl Function, request: Request, frontend: &Frontend) -> ApiResponse {
    let request = ApiRequest::new(request, frontend);
    let span = info_span!("call", request_id = request.request_id(), route = request.route());
    async {
        let began = Instant::now();
        let result = answer(function, &request).await;
        let slug = result.as_ref().err().map(Problem::slug);
        if let Some(cause) = result.as_ref().err().and_then(Problem::cause) {
            error!(cause, "the request failed");
        }
        let mut response = result.unwrap_or_else(|problem| problem.into_response(request.request_id()));
        let (status, ms) = (response.status().as_u16(), began.elapsed().as_millis());
        let Evidence { actor, network, account } = request.evidence();
        let [actor, network, account] = [actor, network, account].map(|said| said.get().map(String::as_str));
        info!(status, slug, ms, actor, network, account, "answered");
        let headers = response.headers_mut();
        for (name, value) in UNLESS_SAID_OTHERWISE {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        if request.method() == Method::HEAD {
            *response.body_mut() = Body::Empty;
        }
        response
    }
    .instrument(span)
    .await
}

/// What a browser is told of every response (ASVS 5.0, 3.4): it is no page, nor for another site, nor kept. Only a function
/// whose response is one, or may be kept, says otherwise.
const UNLESS_SAID_OTHERWISE: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

async fn answer(function: &impl Function, request: &ApiRequest) -> Result<ApiResponse, Problem> {
    // Where a session is asked for, that comes first: see the gate.
    if idempotency::is_public(request.route()) {
        request.refuse_unheard()?;
    }
    // On the heap: a function's future in its caller's is a type deeper than the compiler follows.
    let response = Box::pin(function.handle(request)).await?;
    if request.method().is_safe() {
        request.refuse_unread_query()?;
    }
    Ok(response)
}

/// An answer in JSON.
pub fn json(status: StatusCode, body: &impl Serialize) -> Result<ApiResponse, Problem> {
    Ok(json_text(status, serde_json::to_string(body).map_err(Problem::internal)?))
}

fn json_text(status: StatusCode, body: String) -> ApiResponse {
    let mut response = ApiResponse::new(Body::Text(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The room of one response. Lambda carries 6 MB of JSON (its quota of a synchronous invocation), in which a body is a
/// text: what is escaped there takes twice its room.
#[derive(Debug)]
pub struct ResponseRoom(usize);

impl Default for ResponseRoom {
    fn default() -> Self {
        Self(5_000_000)
    }
}

impl ResponseRoom {
    /// Takes the room of a piece of the body, if there is that much.
    pub fn take(&mut self, text: &str) -> bool {
        let escaped = text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).count();
        match self.0.checked_sub(text.len() + escaped) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }
}

/// An answer that a caller need not fetch twice: 304 without it, if it has this very one (RFC 9110 §13.1.2).
pub fn json_unless_known(request: &ApiRequest, body: &impl Serialize) -> Result<ApiResponse, Problem> {
    let mut response = json(StatusCode::OK, body)?;
    let Body::Text(text) = response.body() else { return Ok(response) };
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));
    if request.knows(&tag) {
        *response.body_mut() = Body::Empty;
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response.headers_mut().extend(HeaderValue::from_str(&tag).map(|tag| (header::ETAG, tag)));
    Ok(response)
}

/// 204.
#[must_use]
pub fn no_content() -> ApiResponse {
    let mut response = ApiResponse::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Decides again when a record has changed between its read and its write: the attempt reads it anew.
pub async fn retry_on_conflict<T, F: Future<Output = Result<T, Problem>>>(
    mut attempt: impl FnMut() -> F,
) -> Result<T, Problem> {
    const MOST: u32 = 10;
    for tried in 0..MOST {
        match attempt().await {
            Err(problem) if problem.is_conflict() => {
                crate::back_off(5, tried).await;
            }
            done => return done,
        }
    }
    attempt().await
}

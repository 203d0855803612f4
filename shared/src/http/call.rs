//! A request as a function sees it: parsed, limited, and never trusted.

use std::cmp::Reverse;
use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use cookie::Cookie;
use lambda_http::http::{HeaderMap, Method, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::frontend::Frontend;
use super::problem::Problem;
use super::query::Pairs;
use super::wording::field_problem;
use crate::domain::Token;

/// The most that a body may have, in bytes: files go to S3 directly.
pub const LARGEST_BODY: usize = 256 * 1024;
/// The same where many things are sent at once.
pub const LARGEST_BATCH: usize = 4 * 1024 * 1024;
/// Where that is.
const BATCHES: [&str; 3] =
    ["POST /v1/companies/{id}/sites", "POST /v1/companies/{id}/assets", "POST /v1/companies/{id}/jobs"];

/// What a cookie request that changes something must carry: a page of another site cannot set it (ASVS 5.0, 3.5.1).
const CSRF_HEADER: &str = "x-gatehouse";

/// "The Idempotency-Key HTTP Header Field" (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A request.
#[derive(Debug)]
pub struct ApiRequest {
    request: Request,
    route: String,
    request_id: String,
    network: String,
    secure: bool,
    query_read: AtomicBool,
    evidence: Evidence,
}

/// What the log line of a request says of whoever sent it (ASVS 5.0, 16.2.1): ids, and hashes that are others tomorrow.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Who: the id of a person or a key, as the request itself has proved it.
    pub(super) actor: OnceLock<String>,
    /// From which network.
    pub(super) network: OnceLock<String>,
    /// For which account, where somebody signs in.
    pub(super) account: OnceLock<String>,
}

impl ApiRequest {
    /// From what API Gateway sent.
    #[must_use]
    pub fn new(request: Request, frontend: &Frontend) -> Self {
        let (route, request_id, peer): (_, _, Option<IpAddr>) = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => (
                get_for_head(context.route_key.as_deref().unwrap_or_default()),
                context.request_id.clone().unwrap_or_default(),
                // The gateway's own word for the peer: a header could say anything.
                context.http.source_ip.as_deref().and_then(|ip| ip.parse().ok()),
            ),
            _ => Default::default(),
        };
        let network = frontend.network(request.headers(), peer);
        let query_read = AtomicBool::new(false);
        let (secure, evidence) = (frontend.secure, Evidence::default());
        Self { request, route, request_id, network, secure, query_read, evidence }
    }

    /// What its log line says of whoever sent it.
    pub(super) fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The route as template.yaml writes it: `GET /v1/shares/{id}`; HEAD is answered as GET is, without the body
    /// (RFC 9110 §9.3.2).
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The gateway's id of this request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The network that the request comes from, for counting: an IPv4 address, or the /64 that one household has.
    #[must_use]
    pub fn network(&self) -> &str {
        &self.network
    }

    /// The device that the browser says it is: what was put there at the last sign-in.
    #[must_use]
    pub fn device(&self) -> Option<Token> {
        self.cookie(DEVICE_COOKIE)?.parse().ok()
    }

    /// Whether the browser holds a session, which may have ended meanwhile.
    #[must_use]
    pub fn brings_session(&self) -> bool {
        self.cookie(SESSION_COOKIE).is_some()
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> &Method {
        self.request.method()
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &str {
        self.request.raw_http_path()
    }

    /// Its headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Which of these media types the caller would rather have (RFC 9110 §12.5.1): the first, if it does not say.
    pub fn prefers<'t>(&self, offered: &[&'t str]) -> &'t str {
        preferred(self.header(header::ACCEPT).unwrap_or_default(), offered)
    }

    /// Where the next part of this answer is, for a `Link` header (RFC 8288): the same request with that cursor.
    pub fn next_link(&self, cursor: &str) -> String {
        let others = form_urlencoded::parse(self.raw_query().as_bytes()).filter(|(name, _)| name != "cursor");
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(others).append_pair("cursor", cursor).finish();
        format!("<{}?{query}>; rel=\"next\"", self.path())
    }

    /// Whether the caller has the answer with that tag: compared weakly, as conditional reads are.
    pub fn knows(&self, tag: &str) -> bool {
        let known = self.header(header::IF_NONE_MATCH).unwrap_or_default();
        known.split(',').any(|one| matches!(one.trim().trim_start_matches("W/"), one if one == tag || one == "*"))
    }

    fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// An id in the path. One that cannot be an id is not found either.
    pub fn id<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        let parameters = self.request.path_parameters_ref();
        let text = parameters.and_then(|parameters| parameters.first(name));
        text.and_then(|text| text.parse().ok()).ok_or_else(Problem::not_found)
    }

    /// A text in the path that is no id: a thing may be made there, so one that cannot be is said to be wrong.
    pub fn path_text<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, Problem> {
        let parameters = self.request.path_parameters_ref();
        let text = parameters.and_then(|parameters| parameters.first(name)).unwrap_or_default();
        text.parse().map_err(|error| Problem::invalid_field(name, error))
    }

    /// The body, from JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let bytes = self.body()?;
        if bytes.is_empty() {
            return Err(Problem::invalid_body("The body is empty."));
        }
        let media_type = self.header(header::CONTENT_TYPE).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            return Err(Problem::unsupported_media_type());
        }
        // serde would fill a struct from a list, too, by position.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| Problem::invalid_body(&error.to_string()))?;
            return Err(Problem::invalid_field("body", "must be an object"));
        }
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let (path, inner) = (error.path().to_string(), error.inner());
            // serde_json calls it a fault of syntax, too, where a word of a choice is something else than a string.
            if inner.is_data() || serde_json::from_slice::<IgnoredAny>(bytes).is_ok() {
                field_problem(&path, &inner.to_string())
            } else {
                Problem::invalid_body(&inner.to_string())
            }
        })?;
        json.end().map_err(|error| Problem::invalid_body(&error.to_string()))?;
        Ok(value)
    }

    /// The body, from JSON; without a body, what goes without saying.
    pub fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body()?.is_empty() { Ok(T::default()) } else { self.json() }
    }

    /// The parameters of the query: a struct without `flatten`. Others are refused.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let pairs = self.pairs();
        let read = pairs.read()?;
        pairs.finish().map(|()| read)
    }

    /// [`Self::query`] of a list: its filters, and which page of it.
    pub fn list_query<T: DeserializeOwned, P: DeserializeOwned>(&self) -> Result<(T, P), Problem> {
        let pairs = self.pairs();
        let read = (pairs.read()?, pairs.read()?);
        pairs.finish().map(|()| read)
    }

    fn pairs(&self) -> Pairs<'_> {
        self.query_read.store(true, Ordering::Relaxed);
        Pairs::of(self.raw_query())
    }

    fn raw_query(&self) -> &str {
        self.request.uri().query().unwrap_or_default()
    }

    /// The query of a page's address, which is read in the browser: whatever is in it may be.
    pub fn query_of_page(&self) -> &str {
        self.query_read.store(true, Ordering::Relaxed);
        self.raw_query()
    }

    /// Refuses parameters that nobody has read.
    pub(super) fn refuse_unread_query(&self) -> Result<(), Problem> {
        if self.query_read.load(Ordering::Relaxed) { Ok(()) } else { Pairs::of(self.raw_query()).finish() }
    }

    /// The body as it came: for what is not JSON.
    pub fn body(&self) -> Result<&[u8], Problem> {
        let bytes: &[u8] = match self.request.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        };
        let most = if BATCHES.contains(&self.route()) { LARGEST_BATCH } else { LARGEST_BODY };
        if bytes.len() > most { Err(Problem::body_too_large(most)) } else { Ok(bytes) }
    }

    /// What makes the request this one and no other, for an idempotency key.
    pub(super) fn content(&self) -> Result<Vec<u8>, Problem> {
        let head = [self.method().as_str(), " ", self.path(), "?", self.raw_query(), "\n"].concat();
        Ok([head.as_bytes(), self.body()?].concat())
    }

    /// The idempotency key.
    pub(super) fn idempotency_key(&self) -> Result<Option<&str>, Problem> {
        let Some(key) = self.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
        // A key that was silently not heard would let a request be done twice.
        let heard = key.to_str().ok().filter(|key| !key.trim().is_empty());
        heard.map(Some).ok_or_else(|| Problem::invalid_field("Idempotency-Key", "must be visible ASCII text"))
    }

    /// Refuses an idempotency key where nothing would come of it, and parameters where there are none.
    pub(super) fn refuse_unheard(&self) -> Result<(), Problem> {
        // What only reads is refused for it afterwards.
        if !self.method().is_safe() {
            self.refuse_unread_query()?;
        }
        let ignored = *self.method() == Method::POST
            && !super::idempotency::takes_key(&self.route)
            && self.headers().contains_key(IDEMPOTENCY_KEY);
        if ignored { Err(Problem::idempotency_key_not_taken()) } else { Ok(()) }
    }

    /// The session token: from `Authorization: Bearer`, else from the cookie. A cookie is sent by the browser on
    /// its own, so a request that changes something must show that a page of ours made it.
    pub(super) fn session_token(&self) -> Result<&str, Problem> {
        self.refuse_view_as()?;
        if let Some(authorization) = self.header(header::AUTHORIZATION) {
            let (scheme, token) = authorization.split_once(' ').unwrap_or((authorization, ""));
            return if scheme.eq_ignore_ascii_case("bearer") {
                Ok(token.trim())
            } else {
                Err(Problem::sign_in_required())
            };
        }
        let token = self.cookie(SESSION_COOKIE).ok_or_else(Problem::sign_in_required)?;
        if !self.method().is_safe() && !self.headers().contains_key(CSRF_HEADER) {
            return Err(Problem::forbidden(
                "A request with the session cookie that changes something needs the header X-Gatehouse: 1.",
            ));
        }
        Ok(token)
    }

    /// The value of a cookie of ours. Over https only the one with the prefix counts, for another site of the same
    /// domain may have set the other; and of two with one name neither does (RFC 6265bis §4.1.3, §5.6).
    fn cookie(&self, name: CookieName) -> Option<&str> {
        let cookies = self.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut ours = cookies
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .filter(|cookie| cookie.name() == name.https || !self.secure && cookie.name() == name.http);
        let cookie = ours.next().filter(|_| ours.next().is_none())?;
        cookie.value_raw()
    }
}

/// The name of a cookie. A browser takes the prefix `__Host-` only from https, for this host alone (RFC 6265bis
/// §4.1.3.2); plain http is what only the local stack speaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct CookieName {
    https: &'static str,
    http: &'static str,
}

impl CookieName {
    pub(super) fn of(self, secure: bool) -> &'static str {
        if secure { self.https } else { self.http }
    }
}

/// The session.
pub(super) const SESSION_COOKIE: CookieName = CookieName { https: "__Host-gatehouse", http: "gatehouse" };
/// The device, by which its owner is known where others guess.
pub(super) const DEVICE_COOKIE: CookieName = CookieName { https: "__Host-gatehouse-device", http: "gatehouse-device" };

fn get_for_head(route: &str) -> String {
    route.strip_prefix("HEAD ").map_or_else(|| route.to_owned(), |path| format!("GET {path}"))
}

fn preferred<'t>(accept: &str, offered: &[&'t str]) -> &'t str {
    let best = offered.iter().filter_map(|media_type| Some((weight(accept, media_type)?, *media_type)));
    // Of two that are wanted alike, the one that is named before the other, and the first.
    let best = best.rev().max_by_key(|(weight, _)| *weight);
    best.map_or(offered.first().copied().unwrap_or_default(), |(_, media_type)| media_type)
}

/// How much a media type is wanted: its quality in thousandths, how exactly it is named, and how early. Nothing, if it
/// is not wanted at all.
fn weight(accept: &str, media_type: &str) -> Option<(u16, u8, Reverse<usize>)> {
    let any_of_kind = media_type.split_once('/').map_or(String::new(), |(kind, _)| format!("{kind}/*"));
    let ranges = accept.split(',').enumerate().filter_map(|(place, part)| {
        let mut part = part.split(';').map(str::trim);
        let range = part.next()?;
        let exactness = [media_type, &any_of_kind, "*/*"].iter().position(|name| range.eq_ignore_ascii_case(name))?;
        let quality = part.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().unwrap_or(0.0))
        });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
        let quality = (quality.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0).round() as u16;
        Some((2 - u8::try_from(exactness).unwrap_or(2), quality, Reverse(place)))
    });
    // The most exact range that fits says how much.
    let (exactness, quality, place) = ranges.max()?;
    (quality > 0).then_some((quality, exactness, place))
}

/// One of many things that a body holds, where each is refused for itself.
pub fn one_of_many<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Problem> {
    if !value.is_object() {
        return Err(Problem::invalid_field("body", "must be an object"));
    }
    serde_path_to_error::deserialize(value)
        .map_err(|error| field_problem(&error.path().to_string(), &error.inner().to_string()))
}

#[cfg(test)]
mod cookie_tests {
    use super::*;

    fn session(secure: bool, cookies: &[&str]) -> Option<String> {
        let event = serde_json::json!({
            "version": "2.0", "routeKey": "GET /v1/me", "rawPath": "/v1/me", "rawQueryString": "", "headers": {},
            "cookies": cookies, "isBase64Encoded": false,
            "requestContext": {
                "http": { "method": "GET", "path": "/v1/me", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "" },
                "requestId": "1", "routeKey": "GET /v1/me", "stage": "$default", "timeEpoch": 0,
            },
        });
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let request = ApiRequest::new(request, &Frontend { secure, proxy: None });
        assert_eq!(request.network(), "192.0.2.1");
        request.session_token().ok().map(str::to_owned)
    }

    #[test]
    fn over_https_only_the_hosts_own_cookie_counts_and_of_two_neither() {
        assert_eq!(session(true, &["__Host-gatehouse=ours"]).as_deref(), Some("ours"));
        assert_eq!(session(true, &["gatehouse=set-by-a-sibling"]), None);
        assert_eq!(session(true, &["gatehouse=set-by-a-sibling", "__Host-gatehouse=ours"]).as_deref(), Some("ours"));
        assert_eq!(session(true, &["__Host-gatehouse=ours", "__Host-gatehouse=another"]), None);
        assert_eq!(session(true, &["__Host-gatehouse=ours; __Host-gatehouse=ours"]), None);
        assert_eq!(session(false, &["gatehouse=ours"]).as_deref(), Some("ours"));
        assert_eq!(session(false, &["gatehouse=ours", "gatehouse=another"]), None);
        assert_eq!(session(false, &["gatehouse=ours", "__Host-gatehouse=another"]), None);
        assert_eq!(session(true, &["__Host-gatehouse-device=x"]), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERED: [&str; 2] = ["application/json", "text/csv"];

    #[test]
    fn what_the_caller_would_rather_have_is_what_it_weighs_most() {
        for json in [
            "",
            "*/*",
            "application/json",
            "application/json, text/plain, */*",
            "application/json, text/csv",
            "text/csv;q=0",
            "text/csv;q=0, */*",
            "text/csv;q=0.5, application/json",
            "text/csv; q=0.1, application/*; q=0.2",
            "image/png",
            "text/csv;q=nonsense",
        ] {
            assert_eq!(preferred(json, &OFFERED), "application/json", "{json}");
        }
        for csv in [
            "text/csv",
            "Text/CSV; charset=utf-8",
            "text/*",
            "text/csv, application/json",
            "text/csv, */*",
            "*/*;q=0.1, text/csv;q=0.2",
            "application/json;q=0.9, text/csv",
            "application/json;q=0, */*",
        ] {
            assert_eq!(preferred(csv, &OFFERED), "text/csv", "{csv}");
        }
    }
}

//! A request as a function sees it: parsed, limited, and never trusted.

use std::net::IpAddr;
use std::str::FromStr;

use cookie::Cookie;
use lambda_http::http::{HeaderMap, Method, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::frontend::Frontend;
use super::problem::Problem;
use crate::domain::Token;

/// The most that a body may have, in bytes: files go to S3 directly.
pub const LARGEST_BODY: usize = 256 * 1024;

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
}

impl ApiRequest {
    /// From what API Gateway sent.
    #[must_use]
    pub fn new(request: Request, frontend: &Frontend) -> Self {
        let (route, request_id, peer): (_, _, Option<IpAddr>) = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => (
                context.route_key.clone().unwrap_or_default(),
                context.request_id.clone().unwrap_or_default(),
                // The gateway's own word for the peer: a header could say anything.
                context.http.source_ip.as_deref().and_then(|ip| ip.parse().ok()),
            ),
            _ => Default::default(),
        };
        let network = frontend.network(request.headers(), peer);
        Self { request, route, request_id, network, secure: frontend.secure }
    }

    /// The route as template.yaml writes it: `GET /v1/shares/{id}`.
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

    /// Whether the caller asks for that media type by name.
    pub fn accepts(&self, media_type: &str) -> bool {
        let accept = self.header(header::ACCEPT).unwrap_or_default();
        accept
            .split(',')
            .any(|part| part.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(media_type)))
    }

    /// Whether the caller has the answer with that tag: compared weakly, as conditional reads are.
    pub(super) fn knows(&self, tag: &str) -> bool {
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
            if inner.is_data() {
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

    /// The parameters of the query.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let query = self.request.uri().query().unwrap_or_default();
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(pairs)
            .map_err(|error| field_problem(&error.path().to_string(), &error.inner().to_string()))
    }

    /// The body as it came: for what is not JSON.
    pub fn body(&self) -> Result<&[u8], Problem> {
        let bytes: &[u8] = match self.request.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        };
        if bytes.len() > LARGEST_BODY { Err(Problem::body_too_large(LARGEST_BODY)) } else { Ok(bytes) }
    }

    /// What makes the request this one and no other, for an idempotency key.
    pub(super) fn content(&self) -> Result<Vec<u8>, Problem> {
        let query = self.request.uri().query().unwrap_or_default();
        let head = [self.method().as_str(), " ", self.path(), "?", query, "\n"].concat();
        Ok([head.as_bytes(), self.body()?].concat())
    }

    /// The idempotency key.
    pub(super) fn idempotency_key(&self) -> Result<Option<&str>, Problem> {
        let Some(key) = self.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
        // A key that was silently not heard would let a request be done twice.
        let heard = key.to_str().ok().filter(|key| !key.trim().is_empty());
        heard.map(Some).ok_or_else(|| Problem::invalid_field("Idempotency-Key", "must be visible ASCII text"))
    }

    /// Refuses an idempotency key where nothing would come of it.
    pub(super) fn refuse_unheard_key(&self) -> Result<(), Problem> {
        let ignored = *self.method() == Method::POST
            && !super::idempotency::takes_key(&self.route)
            && self.headers().contains_key(IDEMPOTENCY_KEY);
        if ignored { Err(Problem::idempotency_key_not_taken()) } else { Ok(()) }
    }

    /// The session token: from `Authorization: Bearer`, else from the cookie. A cookie is sent by the browser on
    /// its own, so a request that changes something must show that a page of ours made it.
    pub(super) fn session_token(&self) -> Result<&str, Problem> {
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

fn field_problem(path: &str, text: &str) -> Problem {
    // serde_json says where in the body; the path says it better.
    let text = text.split(" at line ").next().unwrap_or(text);
    let missing = text.strip_prefix("missing field `").or_else(|| text.strip_prefix("unknown field `"));
    match missing.and_then(|rest| rest.split('`').next()) {
        Some(name) => {
            let parent = path.strip_suffix(name).unwrap_or(path).trim_end_matches('.');
            let field = if matches!(parent, "" | ".") { name.to_owned() } else { format!("{parent}.{name}") };
            Problem::invalid_field(field, if text.starts_with("missing") { "is needed" } else { "is not known here" })
        }
        // What a struct of ours is called is nobody's business.
        None => {
            let text = text
                .split_once("expected struct ")
                .map_or(text.to_owned(), |(got, _)| format!("{got}expected an object"));
            Problem::invalid_field(if path == "." { "body" } else { path }, text)
        }
    }
}

/// For a field of a change where `null` and nothing are different: `Some(None)` and `None`.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
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

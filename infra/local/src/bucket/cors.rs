//! CORS as S3 does it: by the rules of template.yaml, for preflights and for what follows them.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use gatehouse_template::covers;
use serde::Deserialize;

use super::refused;

/// Whom S3 answers when a browser asks for another page ("Elements of a CORS configuration").
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct CorsRule {
    pub(crate) allowed_origins: Vec<String>,
    allowed_methods: Vec<String>,
    #[serde(default)]
    allowed_headers: Vec<String>,
    #[serde(default)]
    exposed_headers: Vec<String>,
    max_age: Option<u32>,
}

/// What a request says of itself, or a preflight of the request that it asks for.
struct Asked<'a> {
    origin: &'a str,
    method: &'a str,
    headers: Vec<String>,
}

impl CorsRule {
    fn allows(&self, asked: &Asked<'_>) -> bool {
        let allowed =
            |name: &String| self.allowed_headers.iter().any(|pattern| covers(&pattern.to_ascii_lowercase(), name));
        self.allowed_origins.iter().any(|pattern| covers(pattern, asked.origin))
            && self.allowed_methods.iter().any(|method| method == asked.method)
            && asked.headers.iter().all(allowed)
    }

    fn headers(&self, asked: &Asked<'_>) -> HeaderMap {
        let any = self.allowed_origins.iter().any(|origin| origin == "*");
        let origin = if any { "*" } else { asked.origin };
        let lines = [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.to_owned()),
            (header::ACCESS_CONTROL_ALLOW_METHODS, self.allowed_methods.join(", ")),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, asked.headers.join(", ")),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed_headers.join(", ")),
            (header::ACCESS_CONTROL_MAX_AGE, self.max_age.map(|seconds| seconds.to_string()).unwrap_or_default()),
            (header::VARY, "Origin, Access-Control-Request-Headers, Access-Control-Request-Method".to_owned()),
        ];
        let lines = lines.into_iter().filter(|(_, value)| !value.is_empty());
        lines.filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?))).collect()
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Answers preflights; tells the browser of every other request whether its page may see the answer. What no rule
/// allows is done all the same, as in S3: CORS keeps pages from answers, and a preflight from harm.
pub(super) async fn apply(State(rules): State<std::sync::Arc<[CorsRule]>>, request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let origin = text(&headers, header::ORIGIN);
    if request.method() == Method::OPTIONS {
        return preflight(&rules, origin, &headers);
    }
    let method = request.method().clone();
    let mut answer = next.run(request).await;
    if let Some(origin) = origin {
        let asked = Asked { origin, method: method.as_str(), headers: Vec::new() };
        let rule = rules.iter().find(|rule| rule.allows(&asked));
        answer.headers_mut().extend(rule.map(|rule| rule.headers(&asked)).unwrap_or_default());
    }
    answer
}

fn preflight(rules: &[CorsRule], origin: Option<&str>, headers: &HeaderMap) -> Response {
    let bad = |message: &str| refused(StatusCode::BAD_REQUEST, "BadRequest", message, "");
    let Some(origin) = origin else { return bad("Insufficient information. Origin request header needed.") };
    let Some(method) = text(headers, header::ACCESS_CONTROL_REQUEST_METHOD) else {
        return bad("Invalid Access-Control-Request-Method: null");
    };
    let names = text(headers, header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
    let names = names.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty());
    let asked = Asked { origin, method, headers: names.collect() };
    match rules.iter().find(|rule| rule.allows(&asked)) {
        Some(rule) => (StatusCode::OK, rule.headers(&asked)).into_response(),
        None => refused(
            StatusCode::FORBIDDEN,
            "AccessForbidden",
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request \
             method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the \
             resource's CORS spec.",
            &format!("<Method>{method}</Method><ResourceType>OBJECT</ResourceType>"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_covers_headers_in_any_case_and_by_one_star() {
        let rule: CorsRule = serde_json::from_value(serde_json::json!({
            "AllowedOrigins": ["https://*.example"], "AllowedMethods": ["PUT"], "AllowedHeaders": ["X-Amz-*", "a"],
        }))
        .unwrap();
        let allows = |origin: &str, method: &str, headers: &[&str]| {
            rule.allows(&Asked { origin, method, headers: headers.iter().map(|&name| name.to_owned()).collect() })
        };
        assert!(allows("https://portal.example", "PUT", &["x-amz-checksum-sha256", "a"]));
        assert!(allows("https://portal.example", "PUT", &[]));
        assert!(!allows("https://portal.example", "PUT", &["x-amzn-trace-id"]));
        assert!(!allows("https://portal.example", "GET", &[]));
        assert!(!allows("http://portal.example", "PUT", &[]));
        assert!(!allows("https://.exampl", "PUT", &[]));
    }
}

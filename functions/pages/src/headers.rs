//! What a browser is told of a page, and of what a page loads: `docs/security.md` says why.

use gatehouse::aws::Env;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const ASKED_EACH_TIME: &str = "no-cache";
/// Of the browser's own abilities, the pages need none but signing in by a passkey.
const ABILITIES: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=(), \
                         publickey-credentials-get=(self)";

/// What differs between deployments.
pub(crate) struct Policies {
    page: HeaderValue,
    worker: HeaderValue,
}

impl Policies {
    /// For the bucket of this deployment, by its own origin.
    pub(crate) fn of(env: &Env) -> Result<Self, header::InvalidHeaderValue> {
        let bucket = bucket_origin(env);
        let upgrade = if env.portal_url.starts_with("https:") { "; upgrade-insecure-requests" } else { "" };
        let page = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {bucket}; \
             img-src 'self' data: blob: {bucket}; media-src {bucket}; frame-src 'self' {bucket}; worker-src 'self'; \
             object-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'; trusted-types gatehouse{upgrade}"
        );
        let worker = format!(
            "default-src 'none'; script-src 'self'; connect-src 'self' {bucket}; object-src 'none'; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        Ok(Self { page: HeaderValue::from_str(&page)?, worker: HeaderValue::from_str(&worker)? })
    }

    /// Of the shell, which is another for each language and whoever has signed in.
    pub(crate) fn page(&self, headers: &mut HeaderMap) {
        headers.insert(header::CONTENT_SECURITY_POLICY, self.page.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(ASKED_EACH_TIME));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding, accept-language, cookie"));
        headers.insert(OPENER, HeaderValue::from_static("same-origin"));
        headers.insert(PERMISSIONS, HeaderValue::from_static(ABILITIES));
    }

    /// Of the service worker, which has one address for ever.
    pub(crate) fn worker(&self, headers: &mut HeaderMap) {
        headers.insert(header::CONTENT_SECURITY_POLICY, self.worker.clone());
        asked_each_time(headers);
    }
}

const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// Of what is in a folder that is called after its content.
pub(crate) fn immutable(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(IMMUTABLE));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
}

/// Of what has one address and may be another the next time.
pub(crate) fn asked_each_time(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(ASKED_EACH_TIME));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
}

/// Where presigned addresses lead.
fn bucket_origin(env: &Env) -> String {
    let region = env.aws.region().map(ToString::to_string).unwrap_or_default();
    let on_aws = || format!("https://{}.s3.{region}.amazonaws.com", env.bucket);
    let elsewhere = env.endpoints.s3.as_deref().and_then(|url| Url::parse(url).ok());
    elsewhere.map_or_else(on_aws, |url| url.origin().ascii_serialization())
}

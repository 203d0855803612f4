//! What S3 asks of a signed request beyond the signature itself, which the service checks.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use gatehouse::clock::{Clock, SignedDuration, Timestamp};
use percent_encoding::percent_decode_str;

use super::{parameter, refused};

/// The longest that a URL may be signed for, in seconds ("Authenticating Requests: Using Query Parameters").
const LONGEST: i64 = 604_800;
/// How far the clock of whoever signed may be ahead.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Refuses what S3 refuses: a URL after its end or before its beginning, and headers of S3's own that are not signed.
/// Without that, whoever holds a URL for one upload could copy another object with it (`x-amz-copy-source`).
pub(super) async fn hold(State(clock): State<Clock>, request: Request, next: Next) -> Response {
    match refusal(&request, clock.now()) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    }
}

fn refusal(request: &Request, now: Timestamp) -> Option<Response> {
    let query = request.uri().query().unwrap_or_default();
    let presigned = parameter(query, "X-Amz-SignedHeaders");
    if presigned.is_some()
        && let Some(refusal) = out_of_time(query, now)
    {
        return Some(refusal);
    }
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let in_header = || Some(authorization?.split_once("SignedHeaders=")?.1.split(',').next()?.trim());
    // Who signs nothing is refused by the service.
    let signed = percent_decode_str(presigned.or_else(in_header)?).decode_utf8_lossy().to_ascii_lowercase();
    let is_signed = |name: &str| signed.split(';').any(|signed| signed == name);
    let names = request.headers().keys().map(header::HeaderName::as_str);
    // S3 bears the one that says the hash of a body.
    let names = names.filter(|name| name.starts_with("x-amz-") && *name != "x-amz-content-sha256" || *name == "host");
    let unsigned: Vec<&str> = names.filter(|name| !is_signed(name)).collect();
    let message = "There were headers present in the request which were not signed";
    let detail = format!("<HeadersNotSigned>{}</HeadersNotSigned>", unsigned.join(", "));
    (!unsigned.is_empty()).then(|| refused(StatusCode::FORBIDDEN, "AccessDenied", message, &detail))
}

/// Holds a URL to its time by the clock of the stack.
fn out_of_time(query: &str, now: Timestamp) -> Option<Response> {
    let malformed =
        |message: &str| Some(refused(StatusCode::BAD_REQUEST, "AuthorizationQueryParametersError", message, ""));
    let seconds = parameter(query, "X-Amz-Expires").and_then(|seconds| seconds.parse::<i64>().ok());
    let date = parameter(query, "X-Amz-Date").unwrap_or_default();
    let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok();
    let signed = signed
        .and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .and_then(|at| Timestamp::from_second(at.timestamp().as_second()).ok());
    let Some(signed) = signed else {
        return malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
    };
    let Some(seconds) = seconds else { return malformed("X-Amz-Expires should be a number") };
    if seconds < 0 {
        return malformed("X-Amz-Expires must be non-negative");
    }
    if seconds > LONGEST {
        return malformed(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than \
             604800 seconds",
        );
    }
    let ends = signed + SignedDuration::from_secs(seconds);
    let denied = |message: &str, at: Timestamp| {
        let detail = format!(
            "<X-Amz-Expires>{seconds}</X-Amz-Expires><Expires>{}</Expires><ServerTime>{}</ServerTime>",
            at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            now.strftime("%Y-%m-%dT%H:%M:%SZ")
        );
        Some(refused(StatusCode::FORBIDDEN, "AccessDenied", message, &detail))
    };
    if signed > now + SKEW {
        return denied("Request is not yet valid", ends);
    }
    if ends < now { denied("Request has expired", ends) } else { None }
}

//! S3, on a folder, with CORS for the portal's pages.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use gatehouse::clock::{Clock, SignedDuration, Timestamp};
use lambda_http::http::{StatusCode, header};
use s3s::auth::SimpleAuth;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tower::ServiceExt as _;
use tower_http::cors::{Any, CorsLayer};

use crate::{ACCESS_KEY, BUCKET, SECRET_KEY};

pub(crate) fn router(folder: &Path, clock: Clock) -> Result<Router> {
    std::fs::create_dir_all(folder.join(BUCKET)).with_context(|| format!("cannot make {}", folder.display()))?;
    let files = FileSystem::new(folder).map_err(|error| anyhow!("{}: {error:?}", folder.display()))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    // A URL that was signed by a clock that a test has moved on comes from the future. Its end is checked below.
    let mut config = S3Config::default();
    config.presigned_url_max_skew_time_secs = u32::MAX;
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    let s3 = builder.build();
    let s3 = tower::service_fn(move |request: Request| {
        let s3 = s3.clone();
        async move {
            // The service answers its own errors; what is left is a fault of this process.
            let answer = s3.oneshot(request).await.map(|answer| answer.map(axum::body::Body::new));
            Ok::<_, Infallible>(
                answer.map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), Response::from),
            )
        }
    });
    let cors = CorsLayer::new().allow_origin(Any).allow_methods(Any).allow_headers(Any).expose_headers([header::ETAG]);
    Ok(Router::new().fallback_service(s3).layer(from_fn_with_state(clock, in_time)).layer(cors))
}

/// Holds a presigned URL to its end by the clock of the stack (SigV4 query parameters).
async fn in_time(State(clock): State<Clock>, request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    if let (Some(date), Some(seconds)) = (parameter("X-Amz-Date"), parameter("X-Amz-Expires")) {
        let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok();
        let signed: Option<Timestamp> =
            signed.and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC).ok()).map(|at| at.timestamp());
        let ends = signed.zip(seconds.parse().ok()).map(|(at, seconds)| at + SignedDuration::from_secs(seconds));
        if ends.is_none_or(|ends| ends < clock.now()) {
            let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
            return (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/xml")], xml).into_response();
        }
    }
    next.run(request).await
}

//! S3, on a folder, with CORS for the portal's pages; what it tells `EventBridge`, and what its lifecycle ends.

mod cors;
mod scan;
mod signed;

use std::convert::Infallible;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context as _, Result, anyhow};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use gatehouse::clock::{Clock, SignedDuration, Timestamp};
use lambda_http::http::{HeaderName, Method, StatusCode, header};
use percent_encoding::percent_decode_str;
use s3s::auth::SimpleAuth;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower::ServiceExt as _;
use tracing::warn;
use ulid::Ulid;

use crate::iam::{self, BucketAccess, Guard};
use crate::{ACCESS_KEY, BUCKET, REGION, SECRET_KEY};
use cors::CorsRule;

/// Whose bucket it is.
const ACCOUNT: &str = "000000000000";

#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    folder: PathBuf,
    clock: Clock,
    /// How long an upload in parts may take, by the lifecycle rule of template.yaml.
    longest_upload: SignedDuration,
    cors: Arc<[CorsRule]>,
    created: UnboundedSender<Value>,
    /// Held while parts become one file, which the service does step by step, and while they are listed.
    joining: Arc<Mutex<()>>,
}

impl Bucket {
    /// Gives the events of new objects, too.
    pub(crate) fn open(
        folder: &Path,
        properties: &Value,
        portal_url: &str,
        clock: Clock,
    ) -> Result<(Self, UnboundedReceiver<Value>)> {
        fs::create_dir_all(folder.join(BUCKET)).with_context(|| format!("cannot make {}", folder.display()))?;
        let rules = properties["LifecycleConfiguration"]["Rules"].as_array().into_iter().flatten();
        let days = rules.filter_map(|rule| rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"].as_i64());
        let days = days.min().context("template.yaml's bucket keeps broken-off uploads for ever")?;
        let (created, events) = unbounded_channel();
        let longest_upload = SignedDuration::from_hours(24 * days);
        let rules = properties["CorsConfiguration"]["CorsRules"].clone();
        let mut rules: Vec<CorsRule> =
            serde_json::from_value(rules).context("the CORS rules of template.yaml's bucket cannot be read")?;
        // `!Ref PortalUrl`: where the portal is.
        for origin in rules.iter_mut().flat_map(|rule| &mut rule.allowed_origins) {
            if origin == "PortalUrl" {
                portal_url.clone_into(origin);
            }
        }
        let (folder, cors, joining) = (folder.to_owned(), rules.into(), Arc::default());
        Ok((Self { folder, clock, longest_upload, cors, created, joining }, events))
    }

    pub(crate) fn router(self, guard: &Guard) -> Result<Router> {
        let files = FileSystem::new(&self.folder).map_err(|error| anyhow!("{}: {error:?}", self.folder.display()))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let bucket = self.clone();
        let exists = Box::new(move |key: &str| bucket.version(key).is_some());
        builder.set_access(BucketAccess { guard: guard.clone(), exists });
        // A URL that was signed by a clock that a test has moved on comes from the future. Its time is held by `signed`.
        let mut config = S3Config::default();
        config.presigned_url_max_skew_time_secs = u32::MAX;
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        let s3 = builder.build();
        let s3 = tower::service_fn(move |request: Request| {
            let s3 = s3.clone();
            async move {
                // The service answers its own errors; what is left is a fault of this process.
                let answer = s3.oneshot(request).await.map(|answer| answer.map(Body::new));
                Ok::<_, Infallible>(
                    answer.map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), Response::from),
                )
            }
        });
        let router = Router::new().fallback_service(s3).layer(from_fn_with_state(self.clone(), watch));
        let router = router.layer(from_fn_with_state(self.clock, signed::hold));
        Ok(router.layer(from_fn_with_state(self.cors, cors::apply)))
    }

    /// Breaks off uploads that have taken too long: the file of each, and all others with its id in their names.
    /// What is gone meanwhile was completed or broken off.
    pub(crate) fn expire(&self) -> Result<()> {
        let names = fs::read_dir(&self.folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let names: Vec<String> = names.filter(|name| name.contains("upload")).collect();
        for begun in &names {
            let Some(id) = begun.strip_prefix(".upload-").and_then(|name| name.strip_suffix(".json")) else { continue };
            let Ok(at) = fs::metadata(self.folder.join(begun)).and_then(|file| file.modified()) else { continue };
            if Timestamp::try_from(at)? + self.longest_upload < self.clock.now() {
                for name in names.iter().filter(|name| name.contains(id)) {
                    drop(fs::remove_file(self.folder.join(name)));
                }
                self.forget(id);
            }
        }
        Ok(())
    }

    /// The version of an object, if it is there: the bucket of template.yaml keeps versions. Here it is the newest alone.
    fn version(&self, key: &str) -> Option<String> {
        let written = fs::metadata(self.folder.join(BUCKET).join(key)).ok()?.modified().ok()?;
        Some(format!("{:x}", written.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos()))
    }

    /// The file that is there as long as an upload in parts goes on.
    fn begun(&self, upload: &str) -> PathBuf {
        self.folder.join(format!(".upload-{upload}.json"))
    }

    /// The tags of an upload's parts, which the service does not keep: a file each.
    fn tags(&self, upload: &str) -> PathBuf {
        self.folder.join(format!(".upload-{upload}.tags"))
    }

    fn keep_tag(&self, upload: &str, part: &str, etag: &str) -> std::io::Result<()> {
        fs::create_dir_all(self.tags(upload))?;
        fs::write(self.tags(upload).join(part), etag)
    }

    /// The upload is over.
    fn forget(&self, upload: &str) {
        // There are none where no part has come.
        drop(fs::remove_dir_all(self.tags(upload)));
    }

    /// The list of an upload's parts, with their tags.
    fn with_tags(&self, upload: &str, list: &str) -> String {
        let mut parts = list.split("<PartNumber>");
        let head = parts.next().unwrap_or_default().to_owned();
        parts.fold(head, |list, part| {
            let number = part.split('<').next().unwrap_or_default();
            let tag = fs::read_to_string(self.tags(upload).join(number));
            let tag = tag.map(|tag| format!("<ETag>{tag}</ETag>")).unwrap_or_default();
            format!("{list}{tag}<PartNumber>{part}")
        })
    }

    /// An upload begins by the clock of the stack, and not by that of this machine.
    fn stamp(&self, upload: &str) -> std::io::Result<()> {
        let file = fs::File::options().write(true).open(self.begun(upload))?;
        file.set_modified(SystemTime::from(self.clock.now()))
    }

    /// Tells of a new object, in the words of S3 ("`EventBridge` event message structure").
    fn tell(&self, key: &str, etag: &str, reason: &str, from: IpAddr) {
        let Ok(file) = fs::metadata(self.folder.join(BUCKET).join(key)) else { return };
        let id = format!("{:032x}", u128::from(Ulid::generate()));
        let event = json!({
            "version": "0",
            "id": format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]),
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": ACCOUNT,
            "time": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": REGION,
            "resources": [format!("arn:aws:s3:::{BUCKET}")],
            "detail": {
                "version": "0",
                "bucket": { "name": BUCKET },
                "object": {
                    "key": key,
                    "size": file.len(),
                    "etag": etag,
                    "version-id": self.version(key),
                    // Of two events of one key, that of the later write is the greater.
                    "sequencer": format!("{:018X}", jiff::Timestamp::now().as_nanosecond()),
                },
                "request-id": Ulid::generate().to_string(),
                "requester": ACCOUNT,
                "source-ip-address": from.to_string(),
                "reason": reason,
            },
        });
        // Nobody listens any more when the stack ends.
        drop(self.created.send(event));
    }
}

/// Looks at what S3 has done, tells of it, and makes up for what this one does not do by itself.
async fn watch(
    State(bucket): State<Bucket>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let query = uri.query().unwrap_or_default();
    let upload = parameter(query, "uploadId");
    let joining = upload.is_some() && matches!(method, Method::GET | Method::POST);
    let _joining = if joining { Some(bucket.joining.lock().await) } else { None };
    let over = upload.is_some_and(|upload| !bucket.begun(upload).exists());
    let path = percent_decode_str(uri.path()).decode_utf8_lossy();
    let key = path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key);
    let version = bucket.version(key);
    if method == Method::DELETE && parameter(query, "versionId").is_some_and(|named| Some(named) != version.as_deref())
    {
        return StatusCode::NO_CONTENT.into_response();
    }
    let mut answer = next.run(request).await;
    if upload.is_none() && !matches!(method, Method::PUT | Method::POST) {
        // What came between the two looks has a version, too.
        let version = version.or_else(|| bucket.version(key)).filter(|_| answer.status().is_success());
        let version = version.and_then(|version| version.parse().ok());
        answer.headers_mut().extend(version.map(|version| (HeaderName::from_static("x-amz-version-id"), version)));
        return answer;
    }
    // These answers are short: at most a list of parts, and most of them say nothing at all.
    let (mut parts, body) = answer.into_parts();
    let Ok(mut body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // It was sent in chunks while it was made; now it is all here.
    parts.headers.remove(header::TRANSFER_ENCODING);
    let xml = String::from_utf8_lossy(&body).into_owned();
    let named = |name: &str| Some(xml.split_once(&format!("<{name}>"))?.1.split_once('<')?.0);
    // The service itself denies access to an upload that is over, or lists no parts of it. IAM is asked before.
    if over && named("Message").is_none_or(|message| !message.starts_with(iam::DENIED)) {
        let message = "The specified upload does not exist. It may have been aborted or completed.";
        return refused(StatusCode::NOT_FOUND, "NoSuchUpload", message, "");
    }
    let etag = parts.headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).or_else(|| named("ETag"));
    let etag = etag.map(|etag| etag.replace("&quot;", "\"").trim_matches('"').to_owned());
    match (method, upload, etag, parts.status.is_success()) {
        (Method::PUT, None, Some(etag), true) => bucket.tell(key, &etag, "PutObject", peer.ip()),
        // The service looks at the bytes when they are in place already, and leaves them there.
        (Method::PUT, None, ..) if named("Code") == Some("BadDigest") => {
            drop(fs::remove_file(bucket.folder.join(BUCKET).join(key)));
        }
        (Method::PUT, Some(upload), Some(etag), true) => {
            let part = parameter(query, "partNumber").unwrap_or_default();
            if let Err(error) = bucket.keep_tag(upload, part, &etag) {
                warn!(%error, "a part has no tag");
            }
        }
        (Method::POST, Some(upload), Some(etag), true) => {
            bucket.forget(upload);
            bucket.tell(key, &etag, "CompleteMultipartUpload", peer.ip());
        }
        (Method::POST, None, _, true) => {
            if let Some(Err(error)) = named("UploadId").map(|upload| bucket.stamp(upload)) {
                warn!(%error, "an upload begins by the wrong clock");
            }
        }
        (Method::DELETE, Some(upload), _, true) => bucket.forget(upload),
        (Method::GET, Some(upload), _, true) => {
            parts.headers.remove(header::CONTENT_LENGTH);
            body = bucket.with_tags(upload, &xml).into();
        }
        _ => {}
    }
    Response::from_parts(parts, Body::from(body))
}

/// A parameter of a query, still percent-encoded.
pub(crate) fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// An error in the form of S3; `detail` is what it says beside code and message, in XML.
fn refused(status: StatusCode, code: &str, message: &str, detail: &str) -> Response {
    let (request, host) = (Ulid::generate(), "localhost");
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{detail}\
         <RequestId>{request}</RequestId><HostId>{host}</HostId></Error>"
    );
    (status, [(header::CONTENT_TYPE, "application/xml")], xml).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> (tempfile::TempDir, Bucket, UnboundedReceiver<Value>) {
        let folder = tempfile::tempdir().unwrap();
        let days = json!({ "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 2 } });
        let properties = json!({
            "LifecycleConfiguration": { "Rules": [{ "Status": "Enabled" }, days] },
            "CorsConfiguration": { "CorsRules": [] },
        });
        let (bucket, events) = Bucket::open(folder.path(), &properties, "", Clock::default()).unwrap();
        (folder, bucket, events)
    }

    #[test]
    fn an_upload_that_is_not_completed_ends_with_all_its_parts() {
        let (folder, bucket, _events) = bucket();
        let files = |upload: &str| {
            let kinds =
                [format!(".upload_id-{upload}.part-1"), format!(".bucket-a.object-b.upload-{upload}.metadata.json")];
            [kinds.as_slice(), &[format!(".upload-{upload}.json")]].concat()
        };
        let write = |name: &String| fs::write(folder.path().join(name), "null").unwrap();
        let there = |name: &String| folder.path().join(name).exists();
        let object = ".bucket-a.object-b.internal.json".to_owned();
        write(&object);
        files("old").iter().for_each(write);
        bucket.clock.advance(SignedDuration::from_hours(47));
        files("new").iter().for_each(write);
        bucket.stamp("new").unwrap();
        bucket.expire().unwrap();
        assert!(files("old").iter().all(there));
        bucket.clock.advance(SignedDuration::from_hours(2));
        bucket.expire().unwrap();
        assert!(!files("old").iter().any(there));
        assert!(files("new").iter().all(there) && there(&object));
    }

    #[test]
    fn a_new_object_is_told_in_the_words_of_eventbridge() {
        let (folder, bucket, mut events) = bucket();
        fs::write(folder.path().join(BUCKET).join("a file"), "hello").unwrap();
        bucket.tell("a file", "5d41402abc4b2a76b9719d911017c592", "PutObject", [127, 0, 0, 1].into());
        let event = events.try_recv().unwrap();
        assert_eq!((&event["source"], &event["detail-type"]), (&json!("aws.s3"), &json!("Object Created")));
        assert_eq!(event["resources"], json!(["arn:aws:s3:::gatehouse-files"]));
        assert_eq!(event["detail"]["bucket"], json!({ "name": "gatehouse-files" }));
        let object = &event["detail"]["object"];
        assert_eq!((&object["key"], &object["size"]), (&json!("a file"), &json!(5)));
        assert_eq!(event["id"].as_str().unwrap().split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }
}

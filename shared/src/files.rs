//! Files: bytes go between the browser and S3 by presigned URLs, never through a function.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::types::ChecksumMode;
use serde::Serialize;

use crate::aws::Env;
use crate::clock::{Clock, SignedDuration, Timestamp};
use crate::domain::{FileId, ShareFile, ShareId};

/// How long an upload may take to begin.
pub const UPLOAD_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// How long a download may take to begin: what the contract allows, and what a closed contact keeps at most.
pub const DOWNLOAD_LIFETIME: SignedDuration = SignedDuration::from_secs(5 * 60);
/// The most that S3 takes in one request.
pub const LARGEST_PUT: u64 = 5 * 1024 * 1024 * 1024;

/// S3 could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("S3 {operation}: {cause}")]
pub struct FilesError {
    operation: &'static str,
    cause: String,
}

/// How to send a file's bytes.
#[derive(Debug, Serialize)]
pub struct Upload {
    method: String,
    url: String,
    /// Headers that the request must carry as they are: they are signed.
    headers: std::collections::BTreeMap<String, String>,
    expires_at: Timestamp,
}

/// Where to fetch a file's bytes.
#[derive(Debug)]
pub struct Download {
    /// The URL.
    pub url: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// What lies in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBytes {
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 in base64, if the upload carried one.
    pub sha256: Option<String>,
}

/// The bucket of files.
#[derive(Debug, Clone)]
pub struct Files {
    client: Client,
    bucket: String,
    clock: Clock,
}

/// Where a file lies: not its name, which may be anything.
fn key(share: ShareId, file: FileId) -> String {
    format!("shares/{share}/{file}")
}

impl Files {
    /// Makes the client; nothing is sent yet.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        let mut config = aws_sdk_s3::config::Builder::from(&env.aws);
        config.set_endpoint_url(env.endpoints.s3.clone());
        let config = config
            // A bucket's own host name needs DNS, which an endpoint of one's own does not have.
            .force_path_style(env.endpoints.s3.is_some())
            .build();
        Self { client: Client::from_conf(config), bucket: env.bucket.clone(), clock: env.clock.clone() }
    }

    /// A PUT for exactly this file: its size, its type and, if it was given, its checksum are signed.
    pub async fn upload(&self, file: &ShareFile) -> Result<Upload, FilesError> {
        let (config, expires_at) = self.valid_for(UPLOAD_LIFETIME)?;
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key(file.share_id, file.id))
            .content_length(i64::try_from(file.size).unwrap_or(i64::MAX))
            .content_type(file.content_type.as_str())
            .set_checksum_sha256(file.sha256.map(|sum| sum.base64()));
        let put: PresignedRequest = put
            .presigned(config)
            .await
            .map_err(|error| FilesError { operation: "PutObject", cause: DisplayErrorContext(&error).to_string() })?;
        let headers = put.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Upload { method: put.method().to_owned(), url: put.uri().to_owned(), headers, expires_at })
    }

    /// A GET that saves the file under its own name, whatever its type.
    pub async fn download(&self, file: &ShareFile) -> Result<Download, FilesError> {
        let (config, expires_at) = self.valid_for(DOWNLOAD_LIFETIME)?;
        let get = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key(file.share_id, file.id))
            .response_content_disposition(file.name.content_disposition())
            .response_content_type(file.content_type.as_str());
        let get = get
            .presigned(config)
            .await
            .map_err(|error| FilesError { operation: "GetObject", cause: DisplayErrorContext(&error).to_string() })?;
        Ok(Download { url: get.uri().to_owned(), expires_at })
    }

    /// What has arrived for a file, if anything has.
    pub async fn stored(&self, file: &ShareFile) -> Result<Option<StoredBytes>, FilesError> {
        let head = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key(file.share_id, file.id))
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        match head {
            Ok(head) => Ok(Some(StoredBytes {
                size: head.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
                sha256: head.checksum_sha256,
            })),
            Err(error) if matches!(error.as_service_error(), Some(HeadObjectError::NotFound(_))) => Ok(None),
            Err(error) => Err(FilesError { operation: "HeadObject", cause: DisplayErrorContext(&error).to_string() }),
        }
    }

    /// Signs from the clock's time on. S3 holds a URL to the seconds that it was signed for.
    fn valid_for(&self, lifetime: SignedDuration) -> Result<(PresigningConfig, Timestamp), FilesError> {
        let now = self.clock.now();
        let config = PresigningConfig::builder()
            .start_time(std::time::SystemTime::from(now))
            .expires_in(Duration::from_secs(lifetime.as_secs().unsigned_abs()))
            .build()
            .map_err(|error| FilesError { operation: "presign", cause: error.to_string() })?;
        Ok((config, now + lifetime))
    }
}

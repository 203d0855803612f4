//! Files: bytes go between the browser and S3 by presigned URLs, never through a function.

mod check;
mod sniff;
mod thumbnails;
mod upload;

use std::fmt;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::ChecksumMode;

use crate::aws::Env;
use crate::clock::{Clock, SignedDuration, Timestamp};
use crate::domain::{
    FileId, FileName, FileScan, HeldBack, JobFile, MediaType, ObjectVersion, PixelSize, Preview, Sha256, ShareFile,
    ShareId, ThumbnailSize,
};

pub use check::{SentPart, UploadError};
use sniff::harmless;
pub use sniff::{by_name, name_differs};
pub use upload::{Missing, UPLOAD_LIFETIME, Upload, UrlBudget};

/// How long a download may take to begin: what the contract allows, and what a closed contact keeps at most.
pub const DOWNLOAD_LIFETIME: SignedDuration = SignedDuration::from_secs(5 * 60);
/// From this size on a file comes in parts, in bytes.
pub const IN_PARTS_FROM: u64 = 64 * MIB;
/// The most that an object of S3 may have, in bytes ("Amazon S3 multipart upload limits").
pub const LARGEST_FILE: u64 = 5 * 1024 * 1024 * MIB;
/// The largest file in parts whose SHA-256 is checked: S3 has none of the whole, so the bytes are read once more.
pub const LARGEST_HASHED: u64 = 1024 * MIB;

const MIB: u64 = 1024 * 1024;

/// S3 could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("S3 {operation}: {cause}")]
pub struct FilesError {
    operation: &'static str,
    cause: String,
}

impl FilesError {
    fn call<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        move |error| Self { operation, cause: DisplayErrorContext(&error).to_string() }
    }
}

/// Why there is no URL to fetch a file by.
#[derive(Debug, thiserror::Error)]
pub enum NotHandedOut {
    /// It waits for its scan, or that found something.
    #[error(transparent)]
    HeldBack(#[from] HeldBack),
    /// S3 could not say.
    #[error(transparent)]
    Files(#[from] FilesError),
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
struct UploadedObject {
    size: u64,
    /// In base64, if the upload carried one.
    sha256: Option<String>,
    version: Option<ObjectVersion>,
}

/// Whether S3 says this, or one of these, is why it did not do what it was asked.
fn says<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, codes: &[&str]) -> bool {
    error.as_service_error().and_then(|error| error.meta().code()).is_some_and(|code| codes.contains(&code))
}

/// The bucket of files.
#[derive(Debug, Clone)]
pub struct Files {
    client: Client,
    bucket: String,
    clock: Clock,
    /// Whether what is taken waits for a scan.
    scans: bool,
}

/// Where a file lies in the bucket: its name, which may be anything, says nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKey {
    /// A share's.
    Share(ShareId, FileId),
    /// A job's: it has its place before its job is known.
    Job(FileId),
}

impl ObjectKey {
    /// Which file lies at a key.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        match key.split_once('/')? {
            ("shares", rest) => {
                let (share, file) = rest.split_once('/')?;
                Some(Self::Share(share.parse().ok()?, file.parse().ok()?))
            }
            ("jobs", file) => Some(Self::Job(file.parse().ok()?)),
            _ => None,
        }
    }

    /// Which file it is.
    #[must_use]
    pub fn file(self) -> FileId {
        let (Self::Share(_, file) | Self::Job(file)) = self;
        file
    }

    /// Where the thumbnail of such a file lies: not among the files, so that none is taken for one.
    fn thumbnail(self, size: ThumbnailSize) -> String {
        let size = size.word();
        match self {
            Self::Share(share, file) => format!("thumbnails/{share}/{file}/{size}.jpg"),
            Self::Job(file) => format!("thumbnails/jobs/{file}/{size}.jpg"),
        }
    }
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share, file) => write!(f, "shares/{share}/{file}"),
            Self::Job(file) => write!(f, "jobs/{file}"),
        }
    }
}

/// A file, as far as the bucket is concerned.
pub trait BucketFile: Sync {
    /// Where it lies.
    fn key(&self) -> ObjectKey;
    /// Its own name.
    fn name(&self) -> &FileName;
    /// Its size in bytes.
    fn size(&self) -> u64;
    /// Its media type, as announced.
    fn content_type(&self) -> &MediaType;
    /// What its bytes are, where they have shown it.
    fn detected(&self) -> Option<&MediaType>;
    /// What a scan has said of its bytes.
    fn scan(&self) -> &FileScan;
    /// Its size as a picture, if there are thumbnails of it.
    fn picture(&self) -> Option<PixelSize>;
    /// Its checksum, if it was announced with one.
    fn sha256(&self) -> Option<Sha256> {
        None
    }
    /// Whether it comes in parts.
    fn in_parts(&self) -> bool {
        false
    }
}

impl BucketFile for ShareFile {
    fn key(&self) -> ObjectKey {
        ObjectKey::Share(self.share_id, self.id)
    }

    fn name(&self) -> &FileName {
        &self.name
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn content_type(&self) -> &MediaType {
        &self.content_type
    }

    fn detected(&self) -> Option<&MediaType> {
        self.detected.as_ref()
    }

    fn scan(&self) -> &FileScan {
        &self.scan
    }

    fn picture(&self) -> Option<PixelSize> {
        self.picture
    }

    fn sha256(&self) -> Option<Sha256> {
        self.sha256
    }

    fn in_parts(&self) -> bool {
        self.parts.is_some()
    }
}

impl BucketFile for JobFile {
    fn key(&self) -> ObjectKey {
        ObjectKey::Job(self.id)
    }

    fn name(&self) -> &FileName {
        &self.name
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn content_type(&self) -> &MediaType {
        &self.content_type
    }

    fn detected(&self) -> Option<&MediaType> {
        self.detected.as_ref()
    }

    fn scan(&self) -> &FileScan {
        &self.scan
    }

    fn picture(&self) -> Option<PixelSize> {
        self.picture
    }
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
        let (bucket, clock) = (env.bucket.clone(), env.clock.clone());
        Self { client: Client::from_conf(config), bucket, clock, scans: env.scan_uploads }
    }

    /// A GET that saves the file under its own name, and that no browser renders, whatever it is. Every header that
    /// S3 keeps with an object is overridden: whoever put it there may have sent it unsigned.
    pub async fn download(&self, file: &impl BucketFile) -> Result<Download, NotHandedOut> {
        self.presign_get(file, file.name().content_disposition(), harmless(file).as_str()).await
    }

    /// A GET that a browser shows as that, and as nothing else: type and disposition are signed.
    pub async fn preview(&self, file: &impl BucketFile, preview: &Preview) -> Result<Download, NotHandedOut> {
        self.presign_get(file, file.name().inline_disposition(), preview.content_type).await
    }

    async fn presign_get(
        &self,
        file: &impl BucketFile,
        disposition: String,
        content_type: &str,
    ) -> Result<Download, NotHandedOut> {
        file.scan().hand_out()?;
        Ok(self.presign(file.key().into(), disposition, content_type, "private, no-store").await?)
    }

    async fn presign(
        &self,
        key: String,
        disposition: String,
        content_type: &str,
        cached: &str,
    ) -> Result<Download, FilesError> {
        let (config, expires_at) = self.valid_for(DOWNLOAD_LIFETIME)?;
        let get = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .response_content_disposition(disposition)
            .response_content_type(content_type)
            .response_content_encoding("identity")
            .response_content_language("und")
            .response_cache_control(cached)
            .response_expires(DateTime::from_secs(0));
        let get = get.presigned(config).await.map_err(FilesError::call("GetObject"))?;
        Ok(Download { url: get.uri().to_owned(), expires_at })
    }

    /// What has arrived, if anything has.
    async fn head(&self, file: &impl BucketFile) -> Result<Option<UploadedObject>, FilesError> {
        self.look(file.key().into()).await
    }

    async fn look(&self, key: String) -> Result<Option<UploadedObject>, FilesError> {
        let head = self.client.head_object().bucket(&self.bucket).key(key);
        match head.checksum_mode(ChecksumMode::Enabled).send().await {
            Ok(head) => {
                let size = head.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                let version = head.version_id.map(ObjectVersion);
                Ok(Some(UploadedObject { size, sha256: head.checksum_sha256, version }))
            }
            Err(error) if matches!(error.as_service_error(), Some(HeadObjectError::NotFound(_))) => Ok(None),
            Err(error) => Err(FilesError::call("HeadObject")(error)),
        }
    }

    /// Which version of its object a file's bytes are now; nothing, if there are none.
    pub async fn version(&self, file: &impl BucketFile) -> Result<Option<ObjectVersion>, FilesError> {
        Ok(self.head(file).await?.and_then(|arrived| arrived.version))
    }

    /// Deletes a file's bytes for good.
    pub async fn delete(&self, at: ObjectKey) -> Result<(), FilesError> {
        self.delete_at(at.into()).await
    }

    /// The bucket keeps versions, so the version is named.
    async fn delete_at(&self, key: String) -> Result<(), FilesError> {
        match self.look(key.clone()).await? {
            Some(arrived) => self.delete_version(key, arrived.version).await,
            None => Ok(()),
        }
    }

    async fn delete_version(&self, key: String, version: Option<ObjectVersion>) -> Result<(), FilesError> {
        let version = version.map(|version| version.0);
        let delete = self.client.delete_object().bucket(&self.bucket).key(key).set_version_id(version);
        delete.send().await.map(drop).map_err(FilesError::call("DeleteObject"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_which_file_it_is() {
        let (share, file) = (ShareId::new(Timestamp::UNIX_EPOCH), FileId::new(Timestamp::UNIX_EPOCH));
        for key in [ObjectKey::Share(share, file), ObjectKey::Job(file)] {
            assert_eq!(ObjectKey::parse(&key.to_string()), Some(key));
            assert_eq!(ObjectKey::parse(&key.thumbnail(ThumbnailSize::Small)), None);
        }
        for other in ["shares/../x", "jobs/../x", "jobs/"] {
            assert_eq!(ObjectKey::parse(other), None);
        }
    }
}

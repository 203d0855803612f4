//! Files: bytes go between the browser and S3 by presigned URLs, never through a function.

mod sniff;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::types::{ChecksumMode, CompletedMultipartUpload, CompletedPart};
use futures_util::future::try_join_all;
use ring::digest;
use serde::{Deserialize, Serialize};

use crate::aws::Env;
use crate::clock::{Clock, SignedDuration, Timestamp};
use crate::domain::{FileId, MediaType, Parts, ShareFile, ShareId};

pub use sniff::{announced_as, harmless};

/// How long an upload may take to begin.
pub const UPLOAD_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// How long a download may take to begin: what the contract allows, and what a closed contact keeps at most.
pub const DOWNLOAD_LIFETIME: SignedDuration = SignedDuration::from_secs(5 * 60);
/// From this size on a file comes in parts, in bytes.
pub const IN_PARTS_FROM: u64 = 64 * MIB;
/// The most that an object of S3 may have, in bytes ("Amazon S3 multipart upload limits").
pub const LARGEST_FILE: u64 = 5 * 1024 * 1024 * MIB;
/// The largest file in parts whose SHA-256 is checked: S3 has none of the whole, so the bytes are read once more.
pub const LARGEST_HASHED: u64 = 1024 * MIB;

const MIB: u64 = 1024 * 1024;
/// A part is no smaller than this, in bytes.
const SMALLEST_PART: u64 = 16 * MIB;
/// The most parts of an upload.
const MOST_PARTS: u64 = 10_000;
/// The most URLs of parts in one answer: an answer of a function has 6 MB at most.
const MOST_URLS: usize = 500;
/// What a sniffer needs to see, in bytes.
const SNIFFED: u64 = 8 * 1024;

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

/// Why bytes are not taken. But for the first and the last, they are deleted with this.
#[derive(Debug, thiserror::Error)]
pub enum UploadRefused {
    /// They have not come, or not all of them.
    #[error("{0}")]
    Missing(String),
    /// There are more or fewer of them.
    #[error("it was announced with {announced} bytes, but {arrived} have arrived; they were deleted")]
    Size {
        /// As announced.
        announced: u64,
        /// As they are.
        arrived: u64,
    },
    /// They are other bytes.
    #[error("the bytes have another SHA-256 than was announced; they were deleted")]
    Checksum,
    /// They are something else.
    #[error("it was announced as {announced}, but its bytes are {arrived}; they were deleted")]
    Type {
        /// As announced.
        announced: MediaType,
        /// As they are.
        arrived: &'static str,
    },
    /// S3 could not say.
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl UploadRefused {
    fn nothing(file: &ShareFile) -> Self {
        Self::Missing(format!("nothing has been uploaded for \"{}\" yet", file.name))
    }
}

/// How to send a file's bytes.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Upload {
    /// In one request.
    Put {
        /// `PUT`
        method: String,
        /// Where.
        url: String,
        /// Headers that the request must carry as they are: they are signed.
        headers: BTreeMap<String, String>,
        /// When it can no longer begin.
        expires_at: Timestamp,
    },
    /// In parts, in any order, some at a time, each again if it broke off.
    Parts {
        /// What is missing; after these, ask again for the rest.
        parts: Vec<PartUrl>,
        /// How many are missing in all.
        missing: usize,
        /// The size of each part but the last, in bytes.
        part_size: u64,
        /// When none can begin any more.
        expires_at: Timestamp,
    },
}

/// What of a file has not arrived yet.
#[derive(Debug)]
pub enum Missing {
    /// Nothing: it can be completed.
    Nothing,
    /// This.
    Bytes(Upload),
    /// All of it, and its parts have nowhere to go any more: they were put together and refused, or have had their
    /// time. It must [begin](Files::begin) anew.
    Upload,
}

/// Where one part goes.
#[derive(Debug, Serialize)]
pub struct PartUrl {
    number: u32,
    url: String,
}

/// A part as its sender knows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentPart {
    number: u32,
    etag: String,
}

/// Where to fetch a file's bytes.
#[derive(Debug)]
pub struct Download {
    /// The URL.
    pub url: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

struct ArrivedPart {
    size: u64,
    etag: Option<String>,
}

/// What lies in the bucket.
struct Arrived {
    size: u64,
    /// In base64, if the upload carried one.
    sha256: Option<String>,
    version: Option<String>,
}

/// Whether S3 says this, or one of these, is why it did not do what it was asked.
fn says<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, codes: &[&str]) -> bool {
    error.as_service_error().and_then(|error| error.meta().code()).is_some_and(|code| codes.contains(&code))
}

/// Bytes that were there a moment ago: somebody else has looked at them too, and refused them.
fn gone<R: std::fmt::Debug>(file: &ShareFile, error: SdkError<GetObjectError, R>) -> UploadRefused {
    if says(&error, &["NoSuchKey"]) {
        UploadRefused::nothing(file)
    } else {
        FilesError::call("GetObject")(error).into()
    }
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

/// Which file lies at a key.
#[must_use]
pub fn at_key(key: &str) -> Option<(ShareId, FileId)> {
    let (share, file) = key.strip_prefix("shares/")?.split_once('/')?;
    Some((share.parse().ok()?, file.parse().ok()?))
}

/// The size of each part but the last: so that 10,000 of them are enough.
fn part_size(size: u64) -> u64 {
    size.div_ceil(MOST_PARTS).next_multiple_of(MIB).max(SMALLEST_PART)
}

/// The parts of a file, by number, with the size of each.
fn parts(size: u64, part_size: u64) -> impl Iterator<Item = (u32, u64)> {
    (1..=u32::try_from(size.div_ceil(part_size)).unwrap_or(u32::MAX)).map(move |number| {
        let before = u64::from(number - 1) * part_size;
        (number, part_size.min(size - before))
    })
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

    /// Begins an upload in parts, where a file is large enough for that.
    pub async fn begin(
        &self,
        share: ShareId,
        id: FileId,
        size: u64,
        content_type: &MediaType,
    ) -> Result<Option<Parts>, FilesError> {
        if size < IN_PARTS_FROM {
            return Ok(None);
        }
        let began = self.client.create_multipart_upload().bucket(&self.bucket).key(key(share, id));
        let began = began.content_type(harmless(content_type)).send().await;
        let began = began.map_err(FilesError::call("CreateMultipartUpload"))?;
        Ok(began.upload_id.map(|upload_id| Parts { upload_id, part_size: part_size(size) }))
    }

    /// How to send what is still missing. What is there already is not sent over.
    pub async fn missing(&self, file: &ShareFile) -> Result<Missing, FilesError> {
        if let Some(upload) = &file.parts
            && let Some(arrived) = self.arrived_parts(file, upload).await?
        {
            return Ok(self.missing_parts(file, upload, &arrived).await?.map_or(Missing::Nothing, Missing::Bytes));
        }
        match &file.parts {
            _ if self.head(file).await?.is_some() => Ok(Missing::Nothing),
            None => self.put(file).await.map(Missing::Bytes),
            Some(_) => Ok(Missing::Upload),
        }
    }

    /// How to send a file that was announced just now.
    pub async fn first_upload(&self, file: &ShareFile) -> Result<Upload, FilesError> {
        match &file.parts {
            None => self.put(file).await,
            Some(upload) => {
                let all = self.missing_parts(file, upload, &BTreeMap::new()).await?;
                all.ok_or(FilesError { operation: "presign", cause: "a file in parts has none".to_owned() })
            }
        }
    }

    /// A PUT for exactly this file: its size, its type and, if it was given, its checksum are signed. It only creates:
    /// what was checked once cannot be put over (`If-None-Match`, "Conditional writes" of S3).
    async fn put(&self, file: &ShareFile) -> Result<Upload, FilesError> {
        let (config, expires_at) = self.valid_for(UPLOAD_LIFETIME)?;
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key(file.share_id, file.id))
            .content_length(i64::try_from(file.size).unwrap_or(i64::MAX))
            .content_type(harmless(&file.content_type))
            .if_none_match("*")
            .set_checksum_sha256(file.sha256.map(|sum| sum.base64()));
        let put: PresignedRequest = put.presigned(config).await.map_err(FilesError::call("PutObject"))?;
        let headers = put.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Upload::Put { method: put.method().to_owned(), url: put.uri().to_owned(), headers, expires_at })
    }

    async fn missing_parts(
        &self,
        file: &ShareFile,
        upload: &Parts,
        arrived: &BTreeMap<u32, ArrivedPart>,
    ) -> Result<Option<Upload>, FilesError> {
        let (config, expires_at) = self.valid_for(UPLOAD_LIFETIME)?;
        let whole = |(number, size): &(u32, u64)| arrived.get(number).is_some_and(|part| part.size == *size);
        let missing: Vec<_> = parts(file.size, upload.part_size).filter(|part| !whole(part)).collect();
        if missing.is_empty() {
            return Ok(None);
        }
        let urls = missing.iter().take(MOST_URLS).map(|(number, size)| {
            let part = self
                .client
                .upload_part()
                .bucket(&self.bucket)
                .key(key(file.share_id, file.id))
                .upload_id(&upload.upload_id)
                .part_number(i32::try_from(*number).unwrap_or(i32::MAX))
                .content_length(i64::try_from(*size).unwrap_or(i64::MAX));
            let config = config.clone();
            async move {
                let part = part.presigned(config).await.map_err(FilesError::call("UploadPart"))?;
                Ok::<_, FilesError>(PartUrl { number: *number, url: part.uri().to_owned() })
            }
        });
        let urls = try_join_all(urls).await?;
        Ok(Some(Upload::Parts { parts: urls, missing: missing.len(), part_size: upload.part_size, expires_at }))
    }

    /// Nothing, if the upload is over: its parts were put together, or given up.
    async fn arrived_parts(
        &self,
        file: &ShareFile,
        upload: &Parts,
    ) -> Result<Option<BTreeMap<u32, ArrivedPart>>, FilesError> {
        let list = self.client.list_parts().bucket(&self.bucket).key(key(file.share_id, file.id));
        let mut pages = list.upload_id(&upload.upload_id).into_paginator().send();
        let mut arrived = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Err(error) if says(&error, &["NoSuchUpload"]) => return Ok(None),
                page => page.map_err(FilesError::call("ListParts"))?,
            };
            for part in page.parts.unwrap_or_default() {
                let number = part.part_number.and_then(|number| u32::try_from(number).ok()).unwrap_or_default();
                let size = part.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                arrived.insert(number, ArrivedPart { size, etag: part.e_tag });
            }
        }
        Ok(Some(arrived))
    }

    /// Makes one file of its parts, once all are there. S3 knows which are; what their sender says is held against it.
    async fn join_parts(&self, file: &ShareFile, upload: &Parts, sent: &[SentPart]) -> Result<(), UploadRefused> {
        let Some(arrived) = self.arrived_parts(file, upload).await? else { return Ok(()) };
        let plain = |etag: &str| etag.trim_matches('"').to_owned();
        let said: BTreeMap<u32, String> = sent.iter().map(|part| (part.number, plain(&part.etag))).collect();
        let numbers = || parts(file.size, upload.part_size).map(|(number, _)| number);
        let each_once = sent.len() == said.len() && said.keys().copied().eq(numbers());
        if !sent.is_empty() && !each_once {
            let why = format!("it has {} parts, and not those that were named", numbers().count());
            return Err(UploadRefused::Missing(why));
        }
        let mut completed = CompletedMultipartUpload::builder();
        for (number, size) in parts(file.size, upload.part_size) {
            let part = arrived.get(&number).filter(|part| part.size == size);
            let part = part.ok_or_else(|| UploadRefused::Missing(format!("part {number} is missing")))?;
            let (is, said) = (part.etag.as_deref().map(plain), said.get(&number).cloned());
            if said.as_ref().zip(is.as_ref()).is_some_and(|(said, is)| said != is) {
                return Err(UploadRefused::Missing(format!("part {number} is another than the one that was named")));
            }
            let number = i32::try_from(number).unwrap_or(i32::MAX);
            completed = completed.parts(CompletedPart::builder().part_number(number).set_e_tag(is.or(said)).build());
        }
        let join = self.client.complete_multipart_upload().bucket(&self.bucket).key(key(file.share_id, file.id));
        let join = join.upload_id(&upload.upload_id).if_none_match("*").multipart_upload(completed.build());
        match join.send().await {
            // Somebody else has just put it together: whether that is the file, its bytes will say.
            Err(error) if says(&error, &["NoSuchUpload", "PreconditionFailed", "ConditionalRequestConflict"]) => Ok(()),
            Err(error) if says(&error, &["InvalidPart"]) => {
                Err(UploadRefused::Missing("a part was sent again at this moment".to_owned()))
            }
            joined => Ok(joined.map(drop).map_err(FilesError::call("CompleteMultipartUpload"))?),
        }
    }

    /// Asks the bucket what has come, and believes nobody else. What is not what was announced is deleted.
    pub async fn check(&self, file: &ShareFile, sent: &[SentPart]) -> Result<MediaType, UploadRefused> {
        let mut head = self.head(file).await?;
        if let (None, Some(upload)) = (&head, &file.parts) {
            self.join_parts(file, upload, sent).await?;
            head = self.head(file).await?;
        }
        let Some(arrived) = head else {
            return Err(UploadRefused::nothing(file));
        };
        let checked = self.check_bytes(file, &arrived).await;
        if let Err(UploadRefused::Size { .. } | UploadRefused::Checksum | UploadRefused::Type { .. }) = checked {
            // These, and not what may have come in their place meanwhile.
            self.delete_version(file.share_id, file.id, arrived.version).await?;
        }
        checked
    }

    async fn check_bytes(&self, file: &ShareFile, arrived: &Arrived) -> Result<MediaType, UploadRefused> {
        if arrived.size != file.size {
            return Err(UploadRefused::Size { announced: file.size, arrived: arrived.size });
        }
        if let Some(announced) = file.sha256 {
            let is = match &file.parts {
                None => arrived.sha256.clone(),
                Some(_) => Some(self.hash(file).await?),
            };
            if is.as_deref() != Some(announced.base64().as_str()) {
                return Err(UploadRefused::Checksum);
            }
        }
        let beginning = self.beginning(file).await?;
        announced_as(&file.content_type, &beginning)
    }

    async fn beginning(&self, file: &ShareFile) -> Result<Vec<u8>, UploadRefused> {
        if file.size == 0 {
            return Ok(Vec::new());
        }
        let get = self.client.get_object().bucket(&self.bucket).key(key(file.share_id, file.id));
        let get = get.range(format!("bytes=0-{}", SNIFFED.min(file.size) - 1)).send().await;
        let body = get.map_err(|error| gone(file, error))?.body.collect().await;
        let broken = |error: aws_sdk_s3::primitives::ByteStreamError| FilesError {
            operation: "GetObject",
            cause: error.to_string(),
        };
        Ok(body.map_err(broken)?.to_vec())
    }

    /// The SHA-256 of all bytes, read once, in base64.
    async fn hash(&self, file: &ShareFile) -> Result<String, UploadRefused> {
        use base64::Engine as _;
        let get = self.client.get_object().bucket(&self.bucket).key(key(file.share_id, file.id)).send().await;
        let mut body = get.map_err(|error| gone(file, error))?.body;
        let mut hash = digest::Context::new(&digest::SHA256);
        while let Some(bytes) = body.next().await {
            let broken = |error: aws_sdk_s3::primitives::ByteStreamError| error.to_string();
            hash.update(&bytes.map_err(broken).map_err(|cause| FilesError { operation: "GetObject", cause })?);
        }
        Ok(base64::engine::general_purpose::STANDARD.encode(hash.finish()))
    }

    /// A GET that saves the file under its own name, and that no browser renders, whatever it is.
    pub async fn download(&self, file: &ShareFile) -> Result<Download, FilesError> {
        let (config, expires_at) = self.valid_for(DOWNLOAD_LIFETIME)?;
        let get = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key(file.share_id, file.id))
            .response_content_disposition(file.name.content_disposition())
            .response_content_type(harmless(&file.content_type));
        let get = get.presigned(config).await.map_err(FilesError::call("GetObject"))?;
        Ok(Download { url: get.uri().to_owned(), expires_at })
    }

    /// What has arrived, if anything has.
    async fn head(&self, file: &ShareFile) -> Result<Option<Arrived>, FilesError> {
        self.look(key(file.share_id, file.id)).await
    }

    async fn look(&self, key: String) -> Result<Option<Arrived>, FilesError> {
        let head = self.client.head_object().bucket(&self.bucket).key(key);
        match head.checksum_mode(ChecksumMode::Enabled).send().await {
            Ok(head) => {
                let size = head.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                Ok(Some(Arrived { size, sha256: head.checksum_sha256, version: head.version_id }))
            }
            Err(error) if matches!(error.as_service_error(), Some(HeadObjectError::NotFound(_))) => Ok(None),
            Err(error) => Err(FilesError::call("HeadObject")(error)),
        }
    }

    /// Deletes a file's bytes for good: the bucket keeps versions, so the version is named.
    pub async fn delete(&self, share: ShareId, file: FileId) -> Result<(), FilesError> {
        match self.look(key(share, file)).await? {
            Some(arrived) => self.delete_version(share, file, arrived.version).await,
            None => Ok(()),
        }
    }

    async fn delete_version(&self, share: ShareId, file: FileId, version: Option<String>) -> Result<(), FilesError> {
        let delete = self.client.delete_object().bucket(&self.bucket).key(key(share, file)).set_version_id(version);
        delete.send().await.map(drop).map_err(FilesError::call("DeleteObject"))
    }

    /// Gives an upload in parts up.
    pub async fn give_up(&self, file: &ShareFile) -> Result<(), FilesError> {
        let Some(upload) = &file.parts else { return Ok(()) };
        let abort = self.client.abort_multipart_upload().bucket(&self.bucket).key(key(file.share_id, file.id));
        match abort.upload_id(&upload.upload_id).send().await {
            // The bucket's own rule may have been faster.
            Err(error) if says(&error, &["NoSuchUpload"]) => Ok(()),
            aborted => aborted.map(drop).map_err(FilesError::call("AbortMultipartUpload")),
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_hold_all_bytes_within_the_limits_of_s3(size in IN_PARTS_FROM..=LARGEST_FILE) {
            let part_size = part_size(size);
            let parts: Vec<_> = parts(size, part_size).collect();
            prop_assert_eq!(parts.iter().map(|(_, size)| size).sum::<u64>(), size);
            prop_assert!(parts.len() <= 10_000 && part_size <= 5 * 1024 * MIB);
            prop_assert!(parts.iter().all(|(_, size)| *size > 0));
        }
    }

    #[test]
    fn a_key_says_which_file_it_is() {
        let (share, file) = (ShareId::new(Timestamp::UNIX_EPOCH), FileId::new(Timestamp::UNIX_EPOCH));
        assert_eq!(at_key(&key(share, file)), Some((share, file)));
        assert_eq!(at_key("shares/../x"), None);
    }
}

//! What has come is held against what was announced, and deleted if it is something else.

use std::collections::BTreeMap;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest;
use serde::Deserialize;

use super::sniff::announced_as;
use super::upload::parts;
use super::{Files, FilesError, UploadedObject, key, says};
use crate::domain::{MediaType, Parts, ShareFile};

/// What a sniffer needs to see, in bytes.
const SNIFFED: u64 = 8 * 1024;

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

/// A part as its sender knows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentPart {
    number: u32,
    etag: String,
}

/// Bytes that were there a moment ago: somebody else has looked at them too, and refused them.
fn gone<R: std::fmt::Debug>(file: &ShareFile, error: SdkError<GetObjectError, R>) -> UploadRefused {
    if says(&error, &["NoSuchKey"]) {
        UploadRefused::nothing(file)
    } else {
        FilesError::call("GetObject")(error).into()
    }
}

impl Files {
    /// Makes one file of its parts, once all are there. S3 knows which are; what their sender says is held against it.
    async fn join_parts(&self, file: &ShareFile, upload: &Parts, sent: &[SentPart]) -> Result<(), UploadRefused> {
        let Some(arrived) = self.uploaded_parts(file, upload).await? else { return Ok(()) };
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
    /// Its parts are put together first, where its sender has said that they are all there.
    pub async fn check(&self, file: &ShareFile, sent: Option<&[SentPart]>) -> Result<MediaType, UploadRefused> {
        let mut head = self.head(file).await?;
        if let (None, Some(upload), Some(sent)) = (&head, &file.parts, sent) {
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

    async fn check_bytes(&self, file: &ShareFile, arrived: &UploadedObject) -> Result<MediaType, UploadRefused> {
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
        let get = self.client.get_object().bucket(&self.bucket).key(key(file.share_id, file.id)).send().await;
        let mut body = get.map_err(|error| gone(file, error))?.body;
        let mut hash = digest::Context::new(&digest::SHA256);
        while let Some(bytes) = body.next().await {
            let broken = |error: aws_sdk_s3::primitives::ByteStreamError| error.to_string();
            hash.update(&bytes.map_err(broken).map_err(|cause| FilesError { operation: "GetObject", cause })?);
        }
        Ok(STANDARD.encode(hash.finish()))
    }
}

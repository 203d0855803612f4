//! How a file's bytes get into the bucket: in one request, or in parts that may come in any order.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::presigning::PresignedRequest;
use futures_util::future::try_join_all;
use serde::Serialize;

use super::sniff::harmless;
use super::{BucketFile, Files, FilesError, IN_PARTS_FROM, MIB, says};
use crate::clock::{SignedDuration, Timestamp};
use crate::domain::{Parts, ShareFile};

/// A part is no smaller than this, in bytes.
const SMALLEST_PART: u64 = 16 * MIB;
/// The most parts of an upload.
const MOST_PARTS: u64 = 10_000;
/// The most URLs of parts in one answer. On Lambda each has a session's token in it, some 2 kB; an answer that is
/// remembered is an item of the table, which has 400 kB at most.
const MOST_URLS: usize = 100;

/// The room that an answer has for URLs of parts.
#[derive(Debug)]
pub struct UrlBudget(usize);

impl Default for UrlBudget {
    fn default() -> Self {
        Self(MOST_URLS)
    }
}

/// How long an upload may take to begin.
pub const UPLOAD_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// How to send a file's bytes.
#[derive(Debug, Serialize, schemars::JsonSchema)]
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
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct PartUrl {
    number: u32,
    url: String,
}

/// A part that lies in the bucket.
pub(super) struct UploadedPart {
    pub(super) size: u64,
    pub(super) etag: Option<String>,
}

/// The size of each part but the last: so that 10,000 of them are enough.
fn part_size(size: u64) -> u64 {
    size.div_ceil(MOST_PARTS).next_multiple_of(MIB).max(SMALLEST_PART)
}

/// The parts of a file, by number, with the size of each.
pub(super) fn parts(size: u64, part_size: u64) -> impl Iterator<Item = (u32, u64)> {
    (1..=u32::try_from(size.div_ceil(part_size)).unwrap_or(u32::MAX)).map(move |number| {
        let before = u64::from(number - 1) * part_size;
        (number, part_size.min(size - before))
    })
}

/// The headers that a presigned URL is signed with (`X-Amz-SignedHeaders`, in lower case, between semicolons).
fn signed_headers(url: &str) -> BTreeSet<String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let signed = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "X-Amz-SignedHeaders");
    signed.map(|(_, names)| names.split(';').map(str::to_owned).collect()).unwrap_or_default()
}

impl Files {
    /// Begins an upload in parts, where a file is large enough for that.
    pub async fn begin(&self, file: &ShareFile) -> Result<Option<Parts>, FilesError> {
        if file.size < IN_PARTS_FROM {
            return Ok(None);
        }
        let began = self.client.create_multipart_upload().bucket(&self.bucket).key(file.key());
        let began = began.content_type(harmless(file).as_str()).send().await;
        let began = began.map_err(FilesError::call("CreateMultipartUpload"))?;
        Ok(began.upload_id.map(|upload_id| Parts { upload_id, part_size: part_size(file.size) }))
    }

    /// How to send what is still missing. What is there already is not sent over.
    pub async fn missing(&self, file: &ShareFile) -> Result<Missing, FilesError> {
        if let Some(upload) = &file.parts
            && let Some(arrived) = self.uploaded_parts(file, upload).await?
        {
            return Ok(self
                .missing_parts(file, upload, &arrived, &mut UrlBudget::default())
                .await?
                .map_or(Missing::Nothing, Missing::Bytes));
        }
        match &file.parts {
            _ if self.head(file).await?.is_some() => Ok(Missing::Nothing),
            None => self.put(file).await.map(Missing::Bytes),
            Some(_) => Ok(Missing::Upload),
        }
    }

    /// How to send a file that was announced just now. All files of an answer share its room for parts; for what finds
    /// none there, the sender asks again.
    pub async fn first_upload(&self, file: &ShareFile, room: &mut UrlBudget) -> Result<Upload, FilesError> {
        match &file.parts {
            None => self.put(file).await,
            Some(upload) => {
                let all = self.missing_parts(file, upload, &BTreeMap::new(), room).await?;
                all.ok_or(FilesError { operation: "presign", cause: "a file in parts has none".to_owned() })
            }
        }
    }

    /// A PUT for exactly this file: its size, its type and, if it was given, its checksum are signed. It only creates:
    /// what was checked once cannot be put over (`If-None-Match`, "Conditional writes" of S3).
    pub async fn put(&self, file: &impl BucketFile) -> Result<Upload, FilesError> {
        let (config, expires_at) = self.valid_for(UPLOAD_LIFETIME)?;
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(file.key())
            .content_length(i64::try_from(file.size()).unwrap_or(i64::MAX))
            .content_type(harmless(file).as_str())
            .if_none_match("*")
            .set_checksum_sha256(file.sha256().map(|sum| sum.base64()));
        let put: PresignedRequest = put.presigned(config).await.map_err(FilesError::call("PutObject"))?;
        let (url, signed) = (put.uri().to_owned(), signed_headers(put.uri()));
        // What the SDK adds unsigned, such as a trace id on Lambda, would be stopped by the bucket's CORS rule.
        let headers = put.headers().filter(|(name, _)| signed.contains(&name.to_ascii_lowercase()));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Upload::Put { method: put.method().to_owned(), url, headers, expires_at })
    }

    async fn missing_parts(
        &self,
        file: &ShareFile,
        upload: &Parts,
        arrived: &BTreeMap<u32, UploadedPart>,
        room: &mut UrlBudget,
    ) -> Result<Option<Upload>, FilesError> {
        let (config, expires_at) = self.valid_for(UPLOAD_LIFETIME)?;
        let whole = |(number, size): &(u32, u64)| arrived.get(number).is_some_and(|part| part.size == *size);
        let missing: Vec<_> = parts(file.size, upload.part_size).filter(|part| !whole(part)).collect();
        if missing.is_empty() {
            return Ok(None);
        }
        let urls = missing.iter().take(room.0).map(|(number, size)| {
            let part = self
                .client
                .upload_part()
                .bucket(&self.bucket)
                .key(file.key())
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
        room.0 -= urls.len();
        Ok(Some(Upload::Parts { parts: urls, missing: missing.len(), part_size: upload.part_size, expires_at }))
    }

    /// Nothing, if the upload is over: its parts were put together, or given up.
    pub(super) async fn uploaded_parts(
        &self,
        file: &ShareFile,
        upload: &Parts,
    ) -> Result<Option<BTreeMap<u32, UploadedPart>>, FilesError> {
        let list = self.client.list_parts().bucket(&self.bucket).key(file.key());
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
                arrived.insert(number, UploadedPart { size, etag: part.e_tag });
            }
        }
        Ok(Some(arrived))
    }

    /// Gives an upload in parts up.
    pub async fn give_up(&self, file: &ShareFile) -> Result<(), FilesError> {
        let Some(upload) = &file.parts else { return Ok(()) };
        let abort = self.client.abort_multipart_upload().bucket(&self.bucket).key(file.key());
        match abort.upload_id(&upload.upload_id).send().await {
            // The bucket's own rule may have been faster.
            Err(error) if says(&error, &["NoSuchUpload"]) => Ok(()),
            aborted => aborted.map(drop).map_err(FilesError::call("AbortMultipartUpload")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::LARGEST_FILE;
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
}

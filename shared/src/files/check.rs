//! What has come is held against what was announced, and deleted if it is something else.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest;
use serde::Deserialize;
use tracing::info;

use super::sniff::{detect, name_differs};
use super::upload::parts;
use super::{BucketFile, Files, FilesError, ObjectKey, UploadedObject, says};
use crate::clock::Timestamp;
use crate::domain::{ActorId, Checked, Contact, FileState, JobFile, Parts, PersonId, ShareFile, UploadRefusal};
use crate::store::{CommitError, Store, UploadNotAccepted};

/// What a sniffer needs to see, in bytes.
const SNIFFED: u64 = 8 * 1024;
/// Who changes the share at the same time is let through so often: what was read of the bucket is not read again.
const MOST_TRIES: usize = 10;
/// How long S3 may take to put parts together: what is left of an API call after that looks for the result.
const JOINED_WITHIN: Duration = Duration::from_secs(25);
/// How often the result is looked for, and how long apart.
const LOOKS: usize = 5;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Its bytes have not come, or not all of them.
    #[error("{0}")]
    Missing(String),
    /// Others came than were announced.
    #[error(transparent)]
    Refused(UploadRefusal),
    /// The share takes none any more.
    #[error(transparent)]
    NotAccepted(#[from] UploadNotAccepted),
    /// S3 could not say.
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl UploadError {
    fn nothing(file: &impl BucketFile) -> Self {
        Self::Missing(format!("nothing has been uploaded for \"{}\" yet", file.name()))
    }
}

/// A part as its sender knows it.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SentPart {
    number: u32,
    etag: String,
}

/// Bytes that were there a moment ago: somebody else has looked at them too, and refused them.
fn gone<R: std::fmt::Debug>(file: &impl BucketFile, error: SdkError<GetObjectError, R>) -> UploadError {
    if says(&error, &["NoSuchKey"]) { UploadError::nothing(file) } else { FilesError::call("GetObject")(error).into() }
}

impl Files {
    /// Makes one file of its parts, once all are there. S3 knows which are; what their sender says is held against it.
    async fn join_parts(&self, file: &ShareFile, upload: &Parts, sent: &[SentPart]) -> Result<(), UploadError> {
        let Some(arrived) = self.uploaded_parts(file, upload).await? else { return Ok(()) };
        let plain = |etag: &str| etag.trim_matches('"').to_owned();
        let said: BTreeMap<u32, String> = sent.iter().map(|part| (part.number, plain(&part.etag))).collect();
        let numbers = || parts(file.size, upload.part_size).map(|(number, _)| number);
        let each_once = sent.len() == said.len() && said.keys().copied().eq(numbers());
        if !sent.is_empty() && !each_once {
            let why = format!("it has {} parts, and not those that were named", numbers().count());
            return Err(UploadError::Missing(why));
        }
        let mut completed = CompletedMultipartUpload::builder();
        for (number, size) in parts(file.size, upload.part_size) {
            let part = arrived.get(&number).filter(|part| part.size == size);
            let part = part.ok_or_else(|| UploadError::Missing(format!("part {number} is missing")))?;
            let (is, said) = (part.etag.as_deref().map(plain), said.get(&number).cloned());
            if said.as_ref().zip(is.as_ref()).is_some_and(|(said, is)| said != is) {
                return Err(UploadError::Missing(format!("part {number} is another than the one that was named")));
            }
            let number = i32::try_from(number).unwrap_or(i32::MAX);
            completed = completed.parts(CompletedPart::builder().part_number(number).set_e_tag(is.or(said)).build());
        }
        let join = self.client.complete_multipart_upload().bucket(&self.bucket).key(file.key());
        let join = join.upload_id(&upload.upload_id).if_none_match("*").multipart_upload(completed.build());
        // S3 may take minutes, and says nothing before it is done ("CompleteMultipartUpload"). Asking again meanwhile
        // would only be told that it is being done.
        let patient =
            TimeoutConfig::builder().operation_attempt_timeout(JOINED_WITHIN).operation_timeout(JOINED_WITHIN);
        let patient =
            aws_sdk_s3::config::Config::builder().timeout_config(patient.build()).retry_config(RetryConfig::disabled());
        match join.customize().config_override(patient).send().await {
            // Somebody else is putting it together, or has: whether that is the file, its bytes will say.
            Err(error) if says(&error, &["NoSuchUpload", "PreconditionFailed", "ConditionalRequestConflict"]) => Ok(()),
            Err(SdkError::TimeoutError(_)) => Ok(()),
            Err(error) if says(&error, &["InvalidPart"]) => {
                Err(UploadError::Missing("a part was sent again at this moment".to_owned()))
            }
            joined => Ok(joined.map(drop).map_err(FilesError::call("CompleteMultipartUpload"))?),
        }
    }

    /// Asks the bucket what has come, and believes nobody else. What is as announced is in the share from then on, and
    /// whoever is concerned is told; `by` is the contact who put it there, if it was one. What is not is deleted.
    /// Parts are put together first, where their sender has said that they are all there.
    pub async fn take(
        &self,
        store: &Store,
        file: &ShareFile,
        sent: Option<&[SentPart]>,
        by: Option<&Contact>,
        now: Timestamp,
    ) -> Result<ShareFile, UploadError> {
        let Some(arrived) = self.arrived(file, sent).await? else {
            // Whoever looked first may have refused it.
            let refused = store.file(file.share_id, file.id).await.map_err(CommitError::from);
            let refused = refused.map_err(UploadNotAccepted::from)?.and_then(|file| file.refused);
            return Err(refused.map_or_else(|| UploadError::nothing(file), UploadError::Refused));
        };
        match self.check(file, &arrived).await {
            Ok(checked) => {
                let accept = || store.accept_upload(file.share_id, file.id, checked.clone(), by, now);
                for _ in 1..MOST_TRIES {
                    match accept().await {
                        Err(UploadNotAccepted::Commit(CommitError::Conflict)) => {}
                        accepted => return Ok(accepted?),
                    }
                }
                Ok(accept().await?)
            }
            Err(UploadError::Refused(refusal)) => {
                // Noted first, so that who finds nothing finds out why.
                store.refuse_upload(file.share_id, file.id, refusal).await?;
                // These, and not what may have come in their place meanwhile.
                self.delete_version(file.key().into(), arrived.version).await?;
                Err(UploadError::Refused(refusal))
            }
            Err(error) => Err(error),
        }
    }

    /// Takes a file whose sender has not said that it is there: if its bytes are, and the sender may still put them
    /// there. Whether it is in the share then.
    pub async fn take_unsaid(&self, store: &Store, file: &ShareFile, now: Timestamp) -> Result<bool, UploadError> {
        if file.upload == FileState::Stored {
            return Ok(true);
        }
        let sender = match file.by_id {
            ActorId::Person(PersonId::Contact(contact)) => {
                let sender = store.sender(contact, file.share_id, now).await.map_err(CommitError::from);
                match sender.map_err(UploadNotAccepted::from)? {
                    // It may not, or not now: the bytes wait for the day that it may again, or are given up.
                    None => return Ok(false),
                    sender => sender,
                }
            }
            _ => None,
        };
        let (share, id) = (file.share_id, file.id);
        match self.take(store, file, None, sender.as_ref(), now).await {
            Ok(_) => return Ok(true),
            // Neither says the file's name, which may be a person's.
            Err(UploadError::Missing(_) | UploadError::NotAccepted(UploadNotAccepted::Gone)) => {}
            Err(UploadError::Refused(refusal)) => info!(%share, file = %id, %refusal, "an upload was refused"),
            Err(UploadError::NotAccepted(UploadNotAccepted::Revoked)) => {
                self.delete(ObjectKey::Share(share, id)).await?;
            }
            Err(error) => return Err(error),
        }
        Ok(false)
    }

    /// Takes a file of a job, or of a report that is still to come, if its bytes are there. Whether it is taken then.
    pub async fn take_job_file(&self, store: &Store, file: &JobFile, now: Timestamp) -> Result<bool, UploadError> {
        if file.upload == FileState::Stored {
            return Ok(true);
        }
        let Some(arrived) = self.head(file).await? else { return Ok(false) };
        match self.check(file, &arrived).await {
            Ok(checked) => {
                for _ in 1..MOST_TRIES {
                    match store.accept_job_file(file.id, checked.clone(), now).await {
                        Err(UploadNotAccepted::Commit(CommitError::Conflict)) => {}
                        Err(UploadNotAccepted::Gone) => return Ok(false),
                        accepted => return Ok(accepted.map(|()| true)?),
                    }
                }
                Err(UploadNotAccepted::Commit(CommitError::Conflict).into())
            }
            Err(UploadError::Refused(refusal)) => {
                info!(file = %file.id, %refusal, "an upload to a job was refused");
                self.delete_version(file.key().into(), arrived.version).await?;
                Ok(false)
            }
            // Somebody else has looked at them, and refused them.
            Err(UploadError::Missing(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn arrived(
        &self,
        file: &ShareFile,
        sent: Option<&[SentPart]>,
    ) -> Result<Option<UploadedObject>, UploadError> {
        let head = self.head(file).await?;
        let (None, Some(upload), Some(sent)) = (&head, &file.parts, sent) else { return Ok(head) };
        self.join_parts(file, upload, sent).await?;
        // Who was not the one to put it together may be a moment too early.
        for _ in 1..LOOKS {
            if let Some(arrived) = self.head(file).await? {
                return Ok(Some(arrived));
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(self.head(file).await?)
    }

    /// Holds what has come against what was announced; gives what it is.
    async fn check(&self, file: &impl BucketFile, arrived: &UploadedObject) -> Result<Checked, UploadError> {
        if arrived.size != file.size() {
            return Err(UploadError::Refused(UploadRefusal::Size { announced: file.size(), arrived: arrived.size }));
        }
        if let Some(announced) = file.sha256() {
            let is = if file.in_parts() { Some(self.hash(file).await?) } else { arrived.sha256.clone() };
            if is.as_deref() != Some(announced.base64().as_str()) {
                return Err(UploadError::Refused(UploadRefusal::Checksum));
            }
        }
        let detected = detect(&self.beginning(file).await?, file.content_type());
        let name_differs = name_differs(file.name(), detected.as_ref());
        Ok(Checked { detected, name_differs, version: arrived.version.clone(), scanned: self.scans })
    }

    async fn beginning(&self, file: &impl BucketFile) -> Result<Vec<u8>, UploadError> {
        if file.size() == 0 {
            return Ok(Vec::new());
        }
        let get = self.client.get_object().bucket(&self.bucket).key(file.key());
        let get = get.range(format!("bytes=0-{}", SNIFFED.min(file.size()) - 1)).send().await;
        let body = get.map_err(|error| gone(file, error))?.body.collect().await;
        let broken = |error: aws_sdk_s3::primitives::ByteStreamError| FilesError {
            operation: "GetObject",
            cause: error.to_string(),
        };
        Ok(body.map_err(broken)?.to_vec())
    }

    /// The SHA-256 of all bytes, read once, in base64.
    async fn hash(&self, file: &impl BucketFile) -> Result<String, UploadError> {
        let get = self.client.get_object().bucket(&self.bucket).key(file.key()).send().await;
        let mut body = get.map_err(|error| gone(file, error))?.body;
        let mut hash = digest::Context::new(&digest::SHA256);
        while let Some(bytes) = body.next().await {
            let broken = |error: aws_sdk_s3::primitives::ByteStreamError| error.to_string();
            hash.update(&bytes.map_err(broken).map_err(|cause| FilesError { operation: "GetObject", cause })?);
        }
        Ok(STANDARD.encode(hash.finish()))
    }
}

//! A titled set of files, its recipients, and what each of them sees of it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ActorId, ContactId, FileId, FileName, Language, MediaType, Message, PersonName, Reference, ShareId, TextError,
    Title,
};

/// How far a share has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ShareState {
    /// Its files are being uploaded; no recipient sees it.
    Draft,
    /// Its recipients have it.
    Sent {
        /// Since when.
        sent_at: Timestamp,
    },
}

impl ShareState {
    /// When it was sent.
    #[must_use]
    pub fn sent_at(self) -> Option<Timestamp> {
        match self {
            Self::Draft => None,
            Self::Sent { sent_at } => Some(sent_at),
        }
    }

    /// The word of the API for this state.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Sent { .. } => "sent",
        }
    }
}

/// A titled set of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Its id.
    pub id: ShareId,
    /// Its title.
    pub title: Title,
    /// The operator's own number for it.
    pub reference: Option<Reference>,
    /// What its sender wrote.
    pub message: Option<Message>,
    /// The language of its mails; else each recipient's own.
    pub language: Option<Language>,
    /// When it can no longer be opened.
    pub expires_at: Option<Timestamp>,
    /// Whether its recipients may add files.
    pub allow_upload: bool,
    /// How far it has come.
    #[serde(flatten)]
    pub state: ShareState,
    /// Who made it.
    pub by: ActorId,
    /// That person's name.
    pub from: PersonName,
    /// How many files its recipients see.
    pub file_count: u64,
    /// Their size in bytes.
    pub total_size: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Why a share cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendRefused {
    /// Files are missing in the bucket.
    #[error("{missing} of its files are not uploaded yet")]
    UploadIncomplete {
        /// How many.
        missing: usize,
    },
    /// There is nothing to send.
    #[error("it has no files")]
    NoFiles,
    /// There is nobody to send it to.
    #[error("it has no recipients")]
    NoRecipients,
    /// It has been sent.
    #[error("it was sent already")]
    AlreadySent,
}

impl Share {
    /// Whether its time is over.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Sends it: only once, and only with every byte in place.
    pub fn send(mut self, files: &[ShareFile], recipients: usize, now: Timestamp) -> Result<Self, SendRefused> {
        if self.state != ShareState::Draft {
            return Err(SendRefused::AlreadySent);
        }
        let missing = files.iter().filter(|file| file.upload == FileState::Pending).count();
        if missing > 0 {
            return Err(SendRefused::UploadIncomplete { missing });
        }
        if files.is_empty() {
            return Err(SendRefused::NoFiles);
        }
        if recipients == 0 {
            return Err(SendRefused::NoRecipients);
        }
        self.state = ShareState::Sent { sent_at: now };
        self.file_count = files.len() as u64;
        self.total_size = files.iter().map(|file| file.size).sum();
        Ok(self)
    }
}

/// Whether a file's bytes are in the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Announced; its bytes are awaited.
    Pending,
    /// Its bytes are in the bucket, with the size and checksum that were announced.
    Stored,
}

/// The SHA-256 of a file's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// In base64, as S3 writes it.
    #[must_use]
    pub fn base64(&self) -> String {
        STANDARD.encode(self.0)
    }
}

impl FromStr for Sha256 {
    type Err = TextError;

    /// In hexadecimal, as `sha256sum` prints it, or in base64, as S3 does.
    fn from_str(text: &str) -> Result<Self, TextError> {
        let hex = || {
            let digits = text
                .as_bytes()
                .chunks_exact(2)
                .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()));
            (text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()))
                .then(|| digits.collect::<Option<Vec<u8>>>())
                .flatten()
        };
        hex()
            .or_else(|| STANDARD.decode(text).ok())
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(TextError::Form("must be a SHA-256 in 64 hexadecimal digits or in base64"))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

impl From<Sha256> for String {
    fn from(sum: Sha256) -> Self {
        sum.to_string()
    }
}

impl TryFrom<String> for Sha256 {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        text.parse()
    }
}

/// A file as it is announced, before its bytes come.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFile {
    /// Its own name.
    pub name: FileName,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type.
    pub content_type: MediaType,
    /// Its checksum, which S3 then holds the upload to.
    #[serde(default)]
    pub sha256: Option<Sha256>,
}

/// One file of a share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareFile {
    /// Its id.
    pub id: FileId,
    /// The share that it belongs to.
    pub share_id: ShareId,
    /// Its own name.
    pub name: FileName,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type.
    pub content_type: MediaType,
    /// Its checksum.
    pub sha256: Option<Sha256>,
    /// 1 for the first, one more for each that replaces it.
    pub version: u32,
    /// Who added it.
    pub by: PersonName,
    /// When.
    pub added_at: Timestamp,
    /// Whether its bytes are in the bucket.
    pub upload: FileState,
}

/// Who a share goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// A contact.
    pub contact_id: ContactId,
}

/// A share as it lies in one contact's inbox: all that a line of the list shows, so that a page is one read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxRow {
    /// Whose inbox.
    pub contact_id: ContactId,
    /// Which share.
    pub share_id: ShareId,
    /// Its title.
    pub title: Title,
    /// The operator's own number for it.
    pub reference: Option<Reference>,
    /// What its sender wrote.
    pub message: Option<Message>,
    /// Who sent it.
    pub from: PersonName,
    /// When it came.
    pub received_at: Timestamp,
    /// When it can no longer be opened.
    pub expires_at: Option<Timestamp>,
    /// How many files it has.
    pub file_count: u64,
    /// Their size in bytes.
    pub total_size: u64,
    /// Whether the contact has yet to open it.
    pub unread: bool,
    /// Whether the contact may add files.
    pub allow_upload: bool,
}

impl InboxRow {
    /// The row of a sent share for one of its recipients.
    #[must_use]
    pub fn new(share: &Share, contact_id: ContactId, received_at: Timestamp) -> Self {
        Self {
            contact_id,
            share_id: share.id,
            title: share.title.clone(),
            reference: share.reference.clone(),
            message: share.message.clone(),
            from: share.from.clone(),
            received_at,
            expires_at: share.expires_at,
            file_count: share.file_count,
            total_size: share.total_size,
            unread: true,
            allow_upload: share.allow_upload,
        }
    }
}

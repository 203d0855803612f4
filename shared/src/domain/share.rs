//! A titled set of files, its recipients, and what each of them sees of it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::search::split;
use super::{
    ActorId, CompanyId, Contact, FileId, FileName, InboxRow, Language, MediaType, Message, PersonId, PersonName,
    RecipientId, Reference, ShareId, TextError, Title,
};

/// More words than this of one share are not looked for: a row each, in every inbox.
const MOST_WORDS: usize = 32;

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
    /// It was taken back: nobody but the staff sees it any more.
    Revoked {
        /// When it was sent, if it was.
        sent_at: Option<Timestamp>,
        /// Since when.
        revoked_at: Timestamp,
    },
}

impl ShareState {
    /// When it was sent.
    #[must_use]
    pub fn sent_at(self) -> Option<Timestamp> {
        match self {
            Self::Draft => None,
            Self::Sent { sent_at } => Some(sent_at),
            Self::Revoked { sent_at, .. } => sent_at,
        }
    }

    /// The word of the API for this state.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Sent { .. } => "sent",
            Self::Revoked { .. } => "revoked",
        }
    }
}

/// What files are, for a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Pictures.
    Image,
    /// Films.
    Video,
    /// Sound.
    Audio,
    /// Texts, tables, slides, PDF.
    Document,
    /// Anything else.
    Other,
}

impl FileKind {
    /// By the media type.
    #[must_use]
    pub fn of(media_type: &MediaType) -> Self {
        let text = media_type.as_str();
        match text.split('/').next() {
            Some("image") => Self::Image,
            Some("video") => Self::Video,
            Some("audio") => Self::Audio,
            Some("text") => Self::Document,
            _ if ["pdf", "officedocument", "opendocument", "msword", "ms-excel", "ms-powerpoint", "rtf"]
                .iter()
                .any(|part| text.contains(part)) =>
            {
                Self::Document
            }
            _ => Self::Other,
        }
    }

    /// The word that rows with such files are found by; no text has such a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "=image=",
            Self::Video => "=video=",
            Self::Audio => "=audio=",
            Self::Document => "=document=",
            Self::Other => "=other=",
        }
    }
}

/// What the recipients of a share find in it, summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// How many files.
    pub file_count: u64,
    /// Their size in bytes.
    pub total_size: u64,
    /// What they are.
    pub kinds: BTreeSet<FileKind>,
    /// The words of their names.
    pub words: BTreeSet<String>,
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
    /// The customer who sent it to the staff, if it was one.
    pub from_company: Option<CompanyId>,
    /// What its recipients find in it.
    pub contents: Contents,
    /// Files that its recipients do not see.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub excluded: BTreeSet<FileId>,
    /// Companies that are no recipients any more. Their people's rows go one by one; this counts at once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub taken_away: BTreeSet<RecipientId>,
    /// When the staff were last mailed that something was returned in it.
    pub told_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// After a mail about new files, further files of the same moment are not mailed about.
pub const TOLD_FOR: SignedDuration = SignedDuration::from_mins(10);

/// What a contact sees beyond its own shares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Nothing.
    #[default]
    Recipient,
    /// What was shared with its colleagues.
    Company,
}

/// Why a contact does not get to see a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpen {
    /// It is none of its business, or no more.
    #[error("the contact does not have this share")]
    Unseen,
    /// Its time is over.
    #[error("the share has expired")]
    Expired,
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
    /// It has been taken back.
    #[error("it was revoked")]
    Revoked,
}

impl Share {
    /// Whether its time is over.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// The customer who made it to send it to the staff.
    #[must_use]
    pub fn made_by_contact(&self) -> Option<super::ContactId> {
        match self.by {
            ActorId::Person(PersonId::Contact(contact)) => Some(contact),
            _ => None,
        }
    }

    /// Whether a contact has it: in its own inbox, in its company's where colleagues share, or as its maker.
    pub fn open_to(
        &self,
        contact: &Contact,
        own: Option<&InboxRow>,
        colleagues: Option<&InboxRow>,
        now: Timestamp,
    ) -> Result<(), NotOpen> {
        let has_it = match self.state {
            ShareState::Revoked { .. } => false,
            _ if self.made_by_contact() == Some(contact.id) => true,
            ShareState::Draft => false,
            ShareState::Sent { .. } => own.is_some_and(|row| row.counts(self)) || colleagues.is_some(),
        };
        match has_it {
            false => Err(NotOpen::Unseen),
            true if self.expired(now) => Err(NotOpen::Expired),
            true => Ok(()),
        }
    }

    /// Whether whoever got it finds the file in it: what the staff put there and did not leave out.
    #[must_use]
    pub fn shows(&self, file: &ShareFile) -> bool {
        file.upload == FileState::Stored && !self.excluded.contains(&file.id) && file.of.is_none()
            || file.upload == FileState::Stored && self.from_company.is_some() && file.of == self.from_company
    }

    /// The same for a contact, who finds what it returned as well, and what its colleagues did if they share.
    #[must_use]
    pub fn shows_to(&self, file: &ShareFile, contact: &Contact, visibility: Visibility) -> bool {
        let own = file.by_id == ActorId::Person(contact.id.into());
        let colleagues = visibility == Visibility::Company && file.of == Some(contact.company_id);
        self.shows(file) || own || (colleagues && file.upload == FileState::Stored)
    }

    /// Sums up what its recipients find in it. A draft counts what is announced.
    #[must_use]
    pub fn with_contents(mut self, files: &[ShareFile]) -> Self {
        let shown = |file: &&ShareFile| match self.state {
            ShareState::Draft => !self.excluded.contains(&file.id),
            _ => self.shows(file),
        };
        let shown: Vec<&ShareFile> = files.iter().filter(shown).collect();
        self.contents = Contents {
            file_count: shown.len() as u64,
            total_size: shown.iter().map(|file| file.size).sum(),
            kinds: shown.iter().map(|file| FileKind::of(&file.content_type)).collect(),
            words: shown.iter().flat_map(|file| split(file.name.as_str())).take(MOST_WORDS).collect(),
        };
        self
    }

    /// The words that it is found by: of its title, reference, sender and files.
    #[must_use]
    pub fn words(&self) -> BTreeSet<String> {
        let reference = self.reference.iter().flat_map(|reference| split(reference.as_str()));
        let own = split(self.title.as_str()).chain(reference).chain(split(self.from.as_str()));
        let kinds = self.contents.kinds.iter().map(|kind| kind.word().to_owned());
        // A word that is longer than anybody types is found by its beginning.
        let short = |word: String| word.chars().take(40).collect::<String>();
        own.chain(self.contents.words.iter().cloned()).map(short).take(MOST_WORDS).chain(kinds).collect()
    }

    /// Sends it: only once, and only with every byte in place of what is not left out.
    pub fn send(mut self, files: &[ShareFile], recipients: usize, now: Timestamp) -> Result<Self, SendRefused> {
        match self.state {
            ShareState::Draft => {}
            ShareState::Sent { .. } => return Err(SendRefused::AlreadySent),
            ShareState::Revoked { .. } => return Err(SendRefused::Revoked),
        }
        let kept: Vec<_> = files.iter().filter(|file| !self.excluded.contains(&file.id)).collect();
        let missing = kept.iter().filter(|file| file.upload == FileState::Pending).count();
        if missing > 0 {
            return Err(SendRefused::UploadIncomplete { missing });
        }
        if kept.is_empty() {
            return Err(SendRefused::NoFiles);
        }
        if recipients == 0 {
            return Err(SendRefused::NoRecipients);
        }
        self.state = ShareState::Sent { sent_at: now };
        Ok(self.with_contents(files))
    }

    /// Takes it back. What was revoked stays so.
    #[must_use]
    pub fn revoke(mut self, now: Timestamp) -> Self {
        if !matches!(self.state, ShareState::Revoked { .. }) {
            self.state = ShareState::Revoked { sent_at: self.state.sent_at(), revoked_at: now };
        }
        self
    }

    /// When it ended or will end: the day from which retention counts.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        match self.state {
            ShareState::Revoked { revoked_at, .. } => {
                Some(self.expires_at.map_or(revoked_at, |end| end.min(revoked_at)))
            }
            _ => self.expires_at,
        }
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
    /// Its checksum, which its bytes are held to.
    #[serde(default)]
    pub sha256: Option<Sha256>,
    /// The file that it is a new version of.
    #[serde(default)]
    pub replaces: Option<FileId>,
}

/// An upload in parts, as S3 knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// S3's id of the upload.
    pub upload_id: String,
    /// The size of each part but the last, in bytes.
    pub part_size: u64,
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
    /// Its media type: as announced, and once its bytes are there, as they say.
    pub content_type: MediaType,
    /// Its checksum.
    pub sha256: Option<Sha256>,
    /// 1 for the first, one more for each that replaces it.
    pub version: u32,
    /// The file that it is a new version of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<FileId>,
    /// The first version of it.
    pub series: FileId,
    /// Who added it.
    pub by: PersonName,
    /// The same, by id.
    pub by_id: ActorId,
    /// The company of the contact who added it; nobody's, if the staff did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<CompanyId>,
    /// When.
    pub added_at: Timestamp,
    /// Whether its bytes are in the bucket.
    pub upload: FileState,
    /// How its bytes come, if in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
}

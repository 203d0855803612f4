//! A titled set of files, its recipients, and what each of them sees of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    ActorId, CompanyId, Contact, ContactId, FileId, FileKind, FileState, Folder, InboxRow, Language, Message, PersonId,
    PersonName, PreviewKind, Reference, ShareFile, ShareId, TaskId, Title,
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

    /// All that [`Self::word`] may say.
    pub const WORDS: [&'static str; 3] = ["draft", "sent", "revoked"];

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

/// So many of a share's files stand for it in a list.
const FIRST_FILES: usize = 3;

/// A file that stands for its share in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(FileId, Option<PreviewKind>)", into = "(FileId, Option<PreviewKind>)")]
pub struct FirstFile {
    /// Which.
    pub id: FileId,
    /// As what it can be looked at, if it can.
    pub preview: Option<PreviewKind>,
}

impl From<(FileId, Option<PreviewKind>)> for FirstFile {
    fn from((id, preview): (FileId, Option<PreviewKind>)) -> Self {
        Self { id, preview }
    }
}

impl From<FirstFile> for (FileId, Option<PreviewKind>) {
    fn from(file: FirstFile) -> Self {
        (file.id, file.preview)
    }
}

impl FirstFile {
    /// The first that there are pictures of; where these are too few, others.
    fn among(files: &[&ShareFile]) -> Vec<Self> {
        let (drawn, others): (Vec<&&ShareFile>, Vec<_>) = files.iter().partition(|file| file.is_drawable());
        let first =
            |file: &&ShareFile| Self { id: file.id, preview: file.preview_by_bytes().map(|preview| preview.kind) };
        drawn.into_iter().chain(others).take(FIRST_FILES).map(first).collect()
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
    /// In how many folders they lie, the share's own not counted.
    #[serde(default)]
    pub folder_count: u64,
    /// Those that stand for it in a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_files: Vec<FirstFile>,
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
    /// The version of its words, by which it is found: see [`super::ShareWords`].
    #[serde(default)]
    pub words_version: u32,
    /// Whether it has more words than are looked for.
    #[serde(default)]
    pub words_left_out: bool,
    /// Files that its recipients do not see.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub excluded: BTreeSet<FileId>,
    /// Folders of which its recipients see nothing, whatever comes into them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub excluded_folders: BTreeSet<Folder>,
    /// Companies that are no recipients any more, until the last row of their people is gone: this counts at once. The
    /// task that goes through their people lifts it, and no other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub removed_companies: BTreeMap<CompanyId, TaskId>,
    /// Whether it is being removed for good: nothing is added to it, and nothing brings it back.
    #[serde(default)]
    pub erasing: bool,
    /// When the last file came after it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_file_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// After a mail about new files, further files of the same moment are not mailed about.
pub const NOTIFICATION_INTERVAL: SignedDuration = SignedDuration::from_mins(10);

/// What a contact sees beyond its own shares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ShareVisibility")]
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

/// Why a file stays in its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WithdrawRefused {
    /// Somebody else has put it there.
    #[error("somebody else has put it there")]
    NotYours,
    /// Its bytes are there, and whoever has the share may have them.
    #[error("the share was sent, and the file has been uploaded")]
    Stored,
    /// The share was taken back as a whole.
    #[error("the share was revoked")]
    Revoked,
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
    /// Nobody could open it any more.
    #[error("its time is over")]
    Expired,
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
    pub fn made_by_contact(&self) -> Option<ContactId> {
        match self.by {
            ActorId::Person(PersonId::Contact(contact)) => Some(contact),
            _ => None,
        }
    }

    /// Whether the operator's people may know of it: a customer's draft is its maker's alone until it is sent, and what
    /// is being erased is gone for everybody.
    #[must_use]
    pub fn is_known_to_staff(&self) -> bool {
        !self.erasing && (self.made_by_contact().is_none() || self.state.sent_at().is_some())
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
            ShareState::Sent { .. } => {
                let left = self.removed_companies.contains_key(&contact.company_id);
                own.is_some_and(|row| row.counts(self, contact)) || colleagues.is_some() && !left
            }
        };
        match has_it {
            false => Err(NotOpen::Unseen),
            true if self.expired(now) => Err(NotOpen::Expired),
            true => Ok(()),
        }
    }

    /// Whether its recipients are not to see it: by itself, or for the folder that it lies in.
    #[must_use]
    pub fn leaves_out(&self, file: &ShareFile) -> bool {
        self.excluded.contains(&file.id) || self.excluded_folders.iter().any(|folder| folder.holds(&file.folder))
    }

    /// Whether whoever got it finds the file in it: what the staff put there and did not leave out.
    #[must_use]
    pub fn shows(&self, file: &ShareFile) -> bool {
        file.upload == FileState::Stored && !self.leaves_out(file) && file.of.is_none()
            || file.upload == FileState::Stored && self.from_company.is_some() && file.of == self.from_company
    }

    /// Whether a customer has put the file there in return: who sends a share puts its own into it.
    #[must_use]
    pub fn was_returned(&self, file: &ShareFile) -> bool {
        file.upload == FileState::Stored && file.of.is_some() && file.of != self.from_company
    }

    /// The same for a contact, who finds what it returned as well, and what its colleagues did if they share.
    #[must_use]
    pub fn shows_to(&self, file: &ShareFile, contact: &Contact, visibility: Visibility) -> bool {
        let own = file.by_id == ActorId::Person(contact.id.into());
        let colleagues = visibility == Visibility::Company && file.of == Some(contact.company_id);
        self.shows(file) || own || (colleagues && file.upload == FileState::Stored)
    }

    /// Whether a file may be taken out of it by somebody who sees it: any by whoever makes the draft, which nobody else
    /// sees; out of a sent share what one has announced oneself, until it is there. What the staff announce is
    /// everyone's among the staff.
    pub fn withdraw(&self, file: &ShareFile, by: ActorId) -> Result<(), WithdrawRefused> {
        let own = match by {
            ActorId::Person(PersonId::Contact(_)) => file.by_id == by,
            _ => file.of.is_none(),
        };
        match self.state {
            ShareState::Revoked { .. } => Err(WithdrawRefused::Revoked),
            ShareState::Sent { .. } if !own => Err(WithdrawRefused::NotYours),
            ShareState::Sent { .. } if file.upload == FileState::Stored => Err(WithdrawRefused::Stored),
            ShareState::Draft | ShareState::Sent { .. } => Ok(()),
        }
    }

    /// The same share without that file; a draft is summed up anew, for it counts what is announced.
    #[must_use]
    pub fn without(mut self, file: FileId, files: &[ShareFile]) -> Self {
        self.excluded.remove(&file);
        if self.state != ShareState::Draft {
            return self;
        }
        let kept: Vec<ShareFile> = files.iter().filter(|other| other.id != file).cloned().collect();
        self.with_contents(&kept)
    }

    /// Sums up what its recipients find in it. A draft counts what is announced.
    #[must_use]
    pub fn with_contents(mut self, files: &[ShareFile]) -> Self {
        let shown = |file: &&ShareFile| match self.state {
            ShareState::Draft => !self.leaves_out(file),
            _ => self.shows(file),
        };
        let shown: Vec<&ShareFile> = files.iter().filter(shown).collect();
        let folders: BTreeSet<&Folder> =
            shown.iter().map(|file| &file.folder).filter(|folder| !folder.is_root()).collect();
        self.contents = Contents {
            file_count: shown.len() as u64,
            total_size: shown.iter().map(|file| file.size).sum(),
            kinds: shown.iter().map(|file| file.kind()).collect(),
            folder_count: folders.len() as u64,
            first_files: FirstFile::among(&shown),
        };
        self
    }

    /// Sends it: only once, and only with every byte in place of what is not left out.
    pub fn send(mut self, files: &[ShareFile], recipients: usize, now: Timestamp) -> Result<Self, SendRefused> {
        match self.state {
            ShareState::Draft => {}
            ShareState::Sent { .. } => return Err(SendRefused::AlreadySent),
            ShareState::Revoked { .. } => return Err(SendRefused::Revoked),
        }
        let kept: Vec<_> = files.iter().filter(|file| !self.leaves_out(file)).collect();
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
        if self.expired(now) {
            return Err(SendRefused::Expired);
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

    /// Takes it back for good: its rows, its bytes and itself go next.
    #[must_use]
    pub fn erase(self, now: Timestamp) -> Self {
        Self { erasing: true, ..self.revoke(now) }
    }

    /// When it ended or will end: the day from which retention counts. What was put into it later is kept as long as
    /// what was there before, whoever has set its end.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        let end = match self.state {
            ShareState::Revoked { revoked_at, .. } => self.expires_at.map_or(revoked_at, |end| end.min(revoked_at)),
            _ => self.expires_at?,
        };
        Some(self.last_file_at.map_or(end, |last| end.max(last)))
    }
}

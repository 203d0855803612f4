//! A share as it lies in an inbox: all that a line of the list shows, and by which words it is found.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::{
    CompanyId, ContactId, IdError, Message, PersonName, RecipientId, Reference, Share, ShareId, ShareState, Title,
};

/// Whose inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr)]
pub enum InboxOf {
    /// A contact's own.
    Contact(ContactId),
    /// What anybody at a company was sent: what its contacts see where colleagues share ([`super::Visibility::Company`]).
    Company(CompanyId),
    /// The operator's: every share there is, drafts and revoked ones included.
    Operator,
}

impl InboxOf {
    const OPERATOR: &'static str = "operator";
}

impl fmt::Display for InboxOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact(id) => id.fmt(f),
            Self::Company(id) => id.fmt(f),
            Self::Operator => f.write_str(Self::OPERATOR),
        }
    }
}

impl FromStr for InboxOf {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text == Self::OPERATOR {
            return Ok(Self::Operator);
        }
        text.parse().map(Self::Contact).or_else(|_: IdError| text.parse().map(Self::Company))
    }
}

/// A share as it lies in one inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxRow {
    /// Whose inbox.
    pub of: InboxOf,
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
    /// How far it has come.
    #[serde(flatten)]
    pub state: ShareState,
    /// By which recipients of the share it lies here: without one, it does not count.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub via: BTreeSet<RecipientId>,
    /// The words that it is found by.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub words: BTreeSet<String>,
    /// When its contact was last mailed about new files in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notified_at: Option<Timestamp>,
}

impl InboxRow {
    /// The row of a share that comes into an inbox now.
    #[must_use]
    pub fn new(share: &Share, of: InboxOf, via: Option<RecipientId>, received_at: Timestamp) -> Self {
        let row = Self {
            of,
            share_id: share.id,
            title: share.title.clone(),
            reference: None,
            message: None,
            from: share.from.clone(),
            received_at,
            expires_at: None,
            file_count: 0,
            total_size: 0,
            unread: matches!(of, InboxOf::Contact(_)),
            allow_upload: false,
            state: share.state,
            via: via.into_iter().collect(),
            words: BTreeSet::new(),
            notified_at: None,
        };
        row.with(share)
    }

    /// The operator's row of a share: there from its first draft on.
    #[must_use]
    pub fn of_operator(share: &Share) -> Self {
        Self::new(share, InboxOf::Operator, None, share.state.sent_at().unwrap_or(share.created_at))
    }

    /// The same row with what the share says now.
    #[must_use]
    pub fn with(self, share: &Share) -> Self {
        let mut words = share.words();
        if self.of == InboxOf::Operator {
            words.insert(state_word(share.state.word()));
        }
        Self {
            title: share.title.clone(),
            reference: share.reference.clone(),
            message: share.message.clone(),
            from: share.from.clone(),
            expires_at: share.expires_at,
            file_count: share.contents.file_count,
            total_size: share.contents.total_size,
            allow_upload: share.allow_upload,
            state: share.state,
            words,
            ..self
        }
    }

    /// Whether it still lies here by a recipient that was not taken away.
    #[must_use]
    pub fn counts(&self, share: &Share) -> bool {
        self.via.iter().any(|via| !share.removed_recipients.contains(via))
    }
}

/// The word that the operator's rows with a state are found by; no text has such a word.
#[must_use]
pub fn state_word(state: &str) -> String {
    format!("={state}=")
}

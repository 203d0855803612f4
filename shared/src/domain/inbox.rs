//! A share as it lies in an inbox: all that a line of the list shows, and by which words it is found.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::json::JsonString;
use serde_with::{DeserializeFromStr, SerializeDisplay, serde_as};

use super::{
    ActorId, CompanyId, Contact, ContactId, FirstFile, IdError, Message, PersonName, RecipientId, Reference, Share,
    ShareId, ShareState, Title, Words,
};

/// A list shows the beginning of a message, in characters: a row is the same size whatever was written.
const MESSAGE_SHOWN: usize = 200;

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
    const PARTITION: &'static str = "INBOX#";

    /// The partition of its rows.
    #[must_use]
    pub fn partition(self) -> String {
        format!("{}{self}", Self::PARTITION)
    }
}

impl InboxOf {
    /// Whether a share was sent from here.
    fn has_sent(self, share: &Share) -> bool {
        match self {
            Self::Contact(contact) => share.made_by_contact() == Some(contact),
            Self::Company(company) => share.from_company == Some(company),
            Self::Operator => share.from_company.is_none(),
        }
    }
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
#[serde(into = "InboxItem", try_from = "InboxItem")]
pub struct InboxRow {
    /// Whose inbox.
    pub of: InboxOf,
    /// Which share.
    pub share_id: ShareId,
    /// Its title.
    pub title: Title,
    /// The operator's own number for it.
    pub reference: Option<Reference>,
    /// What its sender wrote, or the beginning of it.
    pub message: Option<Message>,
    /// Whether there is more of the message.
    pub message_truncated: bool,
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
    /// Those that stand for it in a list.
    pub first_files: Vec<FirstFile>,
    /// Whether the contact has yet to open it.
    pub unread: bool,
    /// Whether the contact may add files.
    pub allow_upload: bool,
    /// How far it has come.
    pub state: ShareState,
    /// By which recipients of the share it lies here: without one, it does not count.
    pub via: BTreeSet<RecipientId>,
    /// The version of the share's words that it is found by.
    pub words_version: u32,
    /// Which way it goes, seen from here.
    pub direction: Direction,
    /// When its contact was last mailed about new files in it.
    pub notified_at: Option<Timestamp>,
    /// When it was laid for somebody who came later, unless its contact has been told of the share since.
    pub backfilled_at: Option<Timestamp>,
    /// When the newest file that it tells of came: what a second task brings of the same file is no news.
    pub news_at: Option<Timestamp>,
}

/// A row as it is stored: what a list shows is one text, so that an index carries it, and a page is read, at the price
/// of one attribute.
#[serde_as]
#[derive(Serialize, Deserialize)]
struct InboxItem {
    pk: String,
    sk: ShareId,
    #[serde_as(as = "JsonString")]
    line: Line,
    unread: bool,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    via: BTreeSet<RecipientId>,
    #[serde(default)]
    words_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notified_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backfilled_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    news_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    title: Title,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    message_truncated: bool,
    from: PersonName,
    received_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    file_count: u64,
    total_size: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    first_files: Vec<FirstFile>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    allow_upload: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    outgoing: bool,
    #[serde(flatten)]
    state: ShareState,
}

impl From<InboxRow> for InboxItem {
    fn from(row: InboxRow) -> Self {
        let line = Line {
            title: row.title,
            reference: row.reference,
            message: row.message,
            message_truncated: row.message_truncated,
            from: row.from,
            received_at: row.received_at,
            expires_at: row.expires_at,
            file_count: row.file_count,
            total_size: row.total_size,
            first_files: row.first_files,
            allow_upload: row.allow_upload,
            outgoing: row.direction == Direction::Outgoing,
            state: row.state,
        };
        let InboxRow { share_id: sk, unread, via, words_version, notified_at, backfilled_at, news_at, .. } = row;
        Self { pk: row.of.partition(), sk, line, unread, via, words_version, notified_at, backfilled_at, news_at }
    }
}

impl TryFrom<InboxItem> for InboxRow {
    type Error = IdError;

    fn try_from(item: InboxItem) -> Result<Self, IdError> {
        let InboxItem { pk, sk: share_id, line, unread, via, words_version, notified_at, backfilled_at, news_at } =
            item;
        Ok(Self {
            of: pk.strip_prefix(InboxOf::PARTITION).unwrap_or_default().parse()?,
            share_id,
            title: line.title,
            reference: line.reference,
            message: line.message,
            message_truncated: line.message_truncated,
            from: line.from,
            received_at: line.received_at,
            expires_at: line.expires_at,
            file_count: line.file_count,
            total_size: line.total_size,
            first_files: line.first_files,
            unread,
            allow_upload: line.allow_upload,
            state: line.state,
            direction: Direction::of(line.outgoing),
            via,
            words_version,
            notified_at,
            backfilled_at,
            news_at,
        })
    }
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
            message_truncated: false,
            from: share.from.clone(),
            received_at,
            expires_at: None,
            file_count: 0,
            total_size: 0,
            first_files: Vec::new(),
            unread: matches!(of, InboxOf::Contact(_)),
            allow_upload: false,
            state: share.state,
            via: via.into_iter().collect(),
            words_version: 0,
            direction: Direction::Incoming,
            notified_at: None,
            backfilled_at: None,
            news_at: None,
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
        let beginning = share.message.as_ref().map(|message| message.beginning(MESSAGE_SHOWN));
        Self {
            title: share.title.clone(),
            reference: share.reference.clone(),
            message_truncated: beginning.as_ref() != share.message.as_ref(),
            message: beginning,
            from: share.from.clone(),
            expires_at: share.expires_at,
            file_count: share.contents.file_count,
            total_size: share.contents.total_size,
            first_files: share.contents.first_files.clone(),
            allow_upload: share.allow_upload,
            state: share.state,
            words_version: share.words_version,
            direction: Direction::of(self.of.has_sent(share)),
            ..self
        }
    }

    /// The words of what it shows.
    #[must_use]
    pub fn shown_words(&self) -> Words {
        let reference = self.reference.as_ref().map(Reference::as_str);
        self.marked(Words::of([self.title.as_str(), self.from.as_str()].into_iter().chain(reference)))
    }

    /// Words with the marks of this row alone: which way it goes, and its state, by which the operator's are found.
    #[must_use]
    pub fn marked(&self, mut words: Words) -> Words {
        words.extend([self.direction.word().to_owned()]);
        words.extend((self.of == InboxOf::Operator).then(|| state_word(self.state.word())));
        words
    }

    /// Whether it still lies here by a recipient that stands for its contact and was not taken away.
    #[must_use]
    pub fn counts(&self, share: &Share, contact: &Contact) -> bool {
        let removed = |via: &RecipientId| matches!(via, RecipientId::Company(company) if share.removed_companies.contains_key(company));
        self.via.iter().any(|via| via.includes(share.id, contact) && !removed(via))
    }
}

/// By whom shares were sent: a person, a key, or anybody at a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub enum SenderId {
    /// Whoever made it.
    Actor(ActorId),
    /// The customer who made it.
    Company(CompanyId),
}

impl SenderId {
    /// The word that shares from there are found by; no text has such a word.
    #[must_use]
    pub fn word(self) -> String {
        format!("={self}=")
    }
}

impl fmt::Display for SenderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actor(id) => id.fmt(f),
            Self::Company(id) => id.fmt(f),
        }
    }
}

impl FromStr for SenderId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(Self::Company).or_else(|_: IdError| text.parse().map(Self::Actor))
    }
}

crate::schema::of_text!(
    SenderId,
    "By whom shares were sent: a person, a key, or anybody at a company.",
    { "pattern": "^(con|stf|key|com)_[0-7][0-9A-HJKMNP-TV-Z]{25}$" }
);

/// Which way a share goes, seen from the inbox that it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ShareDirection")]
pub enum Direction {
    /// It came there.
    #[serde(rename = "in")]
    Incoming,
    /// It was sent from there: by that contact, by somebody at that company, by the operator's people.
    #[serde(rename = "out")]
    Outgoing,
}

impl Direction {
    /// Both of them.
    pub const BOTH: [Self; 2] = [Self::Incoming, Self::Outgoing];

    fn of(outgoing: bool) -> Self {
        if outgoing { Self::Outgoing } else { Self::Incoming }
    }

    /// The same seen from the other side.
    #[must_use]
    pub fn turned(self) -> Self {
        Self::of(self == Self::Incoming)
    }

    /// The word that rows are found by that go this way; no text has such a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Incoming => "=incoming=",
            Self::Outgoing => "=outgoing=",
        }
    }
}

/// The word that the operator's rows with a state are found by; no text has such a word.
#[must_use]
pub fn state_word(state: &str) -> String {
    format!("={state}=")
}

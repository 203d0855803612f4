//! Ids: `<prefix>_<ULID>`, one type each, so that a contact's id never stands where a share's belongs.

use std::fmt;
use std::str::FromStr;

use crate::clock::{SignedDuration, Timestamp};
use ring::digest;
use serde_with::{DeserializeFromStr, SerializeDisplay};
use ulid::Ulid;

/// Text that is no id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an id of the form {0}_<ULID>")]
pub struct IdError(&'static str);

impl IdError {
    pub(super) const OF_RECIPIENT: Self = Self("adr");
}

macro_rules! id {
    ($($(#[doc = $doc:literal])* $name:ident = $prefix:literal;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr)]
        pub struct $name(Ulid);

        impl $name {
            /// A new id; ids made later sort later.
            #[must_use]
            pub fn new(now: Timestamp) -> Self {
                let ms = u64::try_from(now.as_millisecond()).unwrap_or_default();
                Self(Ulid::from_parts(ms, u128::from_be_bytes(crate::random())))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|ulid| Ulid::from_string(ulid).ok().filter(|parsed| parsed.to_string() == ulid))
                    .map(Self)
                    .ok_or(IdError($prefix))
            }
        }

        crate::schema::of_text!($name, concat!($($doc),*), { "pattern": concat!("^", $prefix, "_[0-7][0-9A-HJKMNP-TV-Z]{25}$") });
    )*};
}

id! {
    /// A customer of the operator.
    CompanyId = "com";
    /// A person at a company.
    ContactId = "con";
    /// A person of the operator.
    StaffId = "stf";
    /// A titled set of files with its recipients.
    ShareId = "shr";
    /// One file of a share, in one version.
    FileId = "fil";
    /// One invitation; a resend is a new one.
    InvitationId = "inv";
    /// One signed-in session.
    SessionId = "ses";
    /// One mail in the outbox.
    MailId = "mail";
    /// One record of who did what.
    ActivityId = "act";
    /// A stranger's request for access.
    RegistrationId = "reg";
    /// A key of an integration.
    KeyId = "key";
    /// A piece of work that goes on after its request.
    TaskId = "tsk";
    /// A place of a customer's: a yard, a building.
    SiteId = "sit";
    /// A thing of a customer's that is looked after: a container, a machine.
    AssetId = "ast";
    /// Work for a customer.
    JobId = "job";
    /// Something that happened to a job.
    EventId = "evt";
}

impl FileId {
    /// The id's 16 bytes.
    pub(super) fn to_bytes(self) -> [u8; 16] {
        self.0.to_bytes()
    }

    /// The id with those 16 bytes.
    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Ulid::from_bytes(bytes))
    }
}

/// What is recorded when a mail is written has that mail's place in time, and is recorded once.
impl From<MailId> for ActivityId {
    fn from(mail: MailId) -> Self {
        Self(mail.0)
    }
}

impl ActivityId {
    /// Of what is told once in each such span of time: the place at which the span begins, and the same for the same text.
    pub(super) fn once_in(span: SignedDuration, now: Timestamp, what: &str) -> Self {
        let (ms, span) = (now.as_millisecond(), i64::try_from(span.as_millis()).unwrap_or(i64::MAX).max(1));
        let begins = u64::try_from(ms - ms.rem_euclid(span)).unwrap_or_default();
        let hash = digest::digest(&digest::SHA256, what.as_bytes());
        let bytes = hash.as_ref().iter().take(10);
        Self(Ulid::from_parts(begins, bytes.fold(0, |bits, byte| bits << 8 | u128::from(*byte))))
    }

    /// When the latest may have been done that comes before it.
    pub fn latest_before(self) -> Timestamp {
        let ms = i64::try_from(self.just_before().0.timestamp_ms()).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
    }

    /// The place in the order of ids at which a time begins.
    pub fn first_at(at: Timestamp) -> Self {
        Self(Ulid::from_parts(u64::try_from(at.as_millisecond()).unwrap_or_default(), 0))
    }

    fn just_before(self) -> Self {
        Self(Ulid::from(u128::from(self.0).saturating_sub(1)))
    }

    /// The text that no id from that time on sorts before.
    pub fn lowest(from: Option<Timestamp>) -> String {
        Self::first_at(from.unwrap_or(Timestamp::UNIX_EPOCH)).to_string()
    }

    /// The text that no id before that one, and before that time, sorts after.
    pub fn below(before: Option<Self>, to: Option<Timestamp>) -> String {
        let bounds = [before, to.map(Self::first_at)].into_iter().flatten();
        bounds.min().map_or(Self(Ulid::max()), Self::just_before).to_string()
    }
}

/// Whoever acts: a person, or an integration with its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, SerializeDisplay, DeserializeFromStr)]
pub enum ActorId {
    /// A contact or one of the staff.
    Person(PersonId),
    /// An integration.
    Key(KeyId),
}

impl ActorId {
    /// The one of the staff that it is, if it is one.
    #[must_use]
    pub fn staff(self) -> Option<StaffId> {
        match self {
            Self::Person(PersonId::Staff(staff)) => Some(staff),
            _ => None,
        }
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => id.fmt(f),
            Self::Key(id) => id.fmt(f),
        }
    }
}

impl FromStr for ActorId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(Self::Key).or_else(|_: IdError| text.parse().map(Self::Person))
    }
}

crate::schema::of_text!(ActorId, "Whoever acts: a person, or an integration with its key.", { "pattern": "^(con|stf|key)_[0-7][0-9A-HJKMNP-TV-Z]{25}$" });

impl From<PersonId> for ActorId {
    fn from(id: PersonId) -> Self {
        Self::Person(id)
    }
}

impl From<KeyId> for ActorId {
    fn from(id: KeyId) -> Self {
        Self::Key(id)
    }
}

impl From<StaffId> for ActorId {
    fn from(id: StaffId) -> Self {
        Self::Person(id.into())
    }
}

/// Whoever can sign in: a contact or one of the staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, SerializeDisplay, DeserializeFromStr)]
pub enum PersonId {
    /// A contact at a company.
    Contact(ContactId),
    /// One of the operator's people.
    Staff(StaffId),
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact(id) => id.fmt(f),
            Self::Staff(id) => id.fmt(f),
        }
    }
}

impl FromStr for PersonId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(Self::Contact).or_else(|_: IdError| text.parse().map(Self::Staff))
    }
}

crate::schema::of_text!(PersonId, "Whoever can sign in: a contact or one of the staff.", { "pattern": "^(con|stf)_[0-7][0-9A-HJKMNP-TV-Z]{25}$" });

impl From<ContactId> for PersonId {
    fn from(id: ContactId) -> Self {
        Self::Contact(id)
    }
}

impl From<StaffId> for PersonId {
    fn from(id: StaffId) -> Self {
        Self::Staff(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = ContactId::new(Timestamp::UNIX_EPOCH).to_string();
        assert!(id.parse::<ContactId>().is_ok());
        assert!(id.parse::<StaffId>().is_err());
        assert!(id.to_lowercase().parse::<ContactId>().is_err(), "one spelling an id");
    }

    #[test]
    fn later_ids_sort_later() {
        let early = ShareId::new(Timestamp::UNIX_EPOCH).to_string();
        let late = ShareId::new(Timestamp::from_second(1).unwrap()).to_string();
        assert!(early < late);
    }
}

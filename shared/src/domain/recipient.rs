//! Who a share goes to.

use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::{CompanyId, Contact, ContactId, Email, IdError, ShareId};

/// A bare address as a recipient of one share: nobody reads the address from it, and it is the same each time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressId(String);

impl AddressId {
    const PREFIX: &'static str = "adr_";

    /// Of an address in a share.
    #[must_use]
    pub fn new(share: ShareId, email: &Email) -> Self {
        let hash = digest::digest(&digest::SHA256, format!("{share} {email}").as_bytes());
        Self(format!("{}{}", Self::PREFIX, URL_SAFE_NO_PAD.encode(&hash.as_ref()[..18])))
    }
}

/// Which recipient of a share: each contact, company and address is one at most once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay, DeserializeFromStr)]
pub enum RecipientId {
    /// A contact.
    Contact(ContactId),
    /// Everyone at a company.
    Company(CompanyId),
    /// A bare address.
    Address(AddressId),
}

impl RecipientId {
    /// Whether this recipient of the share stands for that contact, with the company and the address that it has now.
    #[must_use]
    pub fn includes(&self, share: ShareId, contact: &Contact) -> bool {
        match self {
            Self::Contact(id) => *id == contact.id,
            Self::Company(id) => *id == contact.company_id,
            Self::Address(id) => contact.email.as_ref().is_some_and(|email| AddressId::new(share, email) == *id),
        }
    }
}

impl fmt::Display for RecipientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact(id) => id.fmt(f),
            Self::Company(id) => id.fmt(f),
            Self::Address(AddressId(id)) => f.write_str(id),
        }
    }
}

crate::schema::of_text!(
    RecipientId,
    "Which recipient of a share: a contact, everyone at a company, or a bare address.",
    { "pattern": "^((con|com)_[0-7][0-9A-HJKMNP-TV-Z]{25}|adr_[0-9A-Za-z_-]{24})$" }
);

impl FromStr for RecipientId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.starts_with(AddressId::PREFIX) {
            let known = text.len() == AddressId::PREFIX.len() + 24
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
            return if known { Ok(Self::Address(AddressId(text.to_owned()))) } else { Err(IdError::OF_RECIPIENT) };
        }
        text.parse().map(Self::Company).or_else(|_: IdError| text.parse().map(Self::Contact))
    }
}

/// Whom a recipient stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Target {
    /// A contact.
    Contact {
        /// Who.
        contact_id: ContactId,
        /// Where that contact works: the share lies in the company's inbox, too.
        at: CompanyId,
    },
    /// Everyone at a company, those who join later included.
    Company {
        /// Which.
        company_id: CompanyId,
    },
    /// An address: it gets a link, and the share is in its inbox once it has an account.
    Address {
        /// Which.
        email: Email,
    },
}

/// One recipient of a share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Which.
    pub id: RecipientId,
    /// Of which share.
    pub share_id: ShareId,
    /// Whom it stands for.
    #[serde(flatten)]
    pub target: Target,
    /// Since when.
    pub added_at: Timestamp,
    /// When an address that nobody here has was last mailed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notified_at: Option<Timestamp>,
    /// Whether that was about new files.
    #[serde(default)]
    pub notified_of_files: bool,
    /// When a mail about the share last left for it, or for somebody at the company that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailed_at: Option<Timestamp>,
    /// Which of its links count: those that were made under this number. It grows with each that is made to be passed on,
    /// and is greater for who was taken away and put back.
    #[serde(default)]
    pub link_epoch: u32,
}

impl Recipient {
    /// A recipient of a share.
    #[must_use]
    pub fn new(share_id: ShareId, target: Target, now: Timestamp) -> Self {
        let id = match &target {
            Target::Contact { contact_id, .. } => RecipientId::Contact(*contact_id),
            Target::Company { company_id } => RecipientId::Company(*company_id),
            Target::Address { email } => RecipientId::Address(AddressId::new(share_id, email)),
        };
        Self {
            id,
            share_id,
            target,
            added_at: now,
            notified_at: None,
            notified_of_files: false,
            mailed_at: None,
            link_epoch: epoch_at(now),
        }
    }

    /// Ends its links: the next one is the first that counts.
    #[must_use]
    pub fn without_links(self, now: Timestamp) -> Self {
        Self { link_epoch: epoch_at(now).max(self.link_epoch.saturating_add(1)), ..self }
    }
}

/// A number that no earlier recipient has had: seconds since 1970.
fn epoch_at(now: Timestamp) -> u32 {
    u32::try_from(now.as_second()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_has_ended_stays_ended_also_where_its_recipient_comes_back() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let (share, email) = (ShareId::new(now), "ann@harbour.example".parse::<Email>().unwrap());
        let added = |now| Recipient::new(share, Target::Address { email: email.clone() }, now);
        let first = added(now);
        let second = first.clone().without_links(now);
        let third = second.clone().without_links(now);
        let back = added(now + crate::clock::SignedDuration::from_secs(5));
        let epochs = [&first, &second, &third, &back].map(|recipient| recipient.link_epoch);
        assert!(epochs.is_sorted_by(|one, next| one < next), "{epochs:?}");
    }

    #[test]
    fn an_address_is_the_same_recipient_each_time_and_another_in_another_share() {
        let now = Timestamp::UNIX_EPOCH;
        let email: Email = "ann@harbour.example".parse().unwrap();
        let (share, other) = (ShareId::new(now), ShareId::new(now));
        let id = |share| Recipient::new(share, Target::Address { email: email.clone() }, now).id;
        assert_eq!(id(share), id(share));
        assert_ne!(id(share), id(other));
        assert_eq!(id(share).to_string().parse(), Ok(id(share)));
        assert!("adr_x".parse::<RecipientId>().is_err() && "shr_1".parse::<RecipientId>().is_err());
        assert!(!id(share).to_string().contains("harbour"));
    }
}

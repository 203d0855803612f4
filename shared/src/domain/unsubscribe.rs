//! Whose notification mails the link in one of them turns off.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;

use super::{ContactId, Email, PersonId};

/// Whose mails. As text it is what a link carries under its seal: no address can be read from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsubscribe {
    /// A contact, as long as it has the address (named by its hash): its wish is changed, and it can change it back.
    Contact(ContactId, String),
    /// An address that is nobody's here, by its hash.
    Address(String),
}

impl Unsubscribe {
    /// What such links are sealed for.
    pub const PURPOSE: &str = "unsubscribe";

    /// Whoever gets a mail.
    #[must_use]
    pub fn of(person: Option<PersonId>, to: &Email) -> Self {
        match person {
            Some(PersonId::Contact(contact)) => Self::Contact(contact, Self::hash(to)),
            _ => Self::Address(Self::hash(to)),
        }
    }

    /// What stands for an address that wants no notifications.
    #[must_use]
    pub fn hash(email: &Email) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, email.as_str().as_bytes()))
    }

    /// From what was under a seal, so it is one or the other.
    #[must_use]
    pub fn unsealed(text: String) -> Self {
        let contact = text.split_once(' ').and_then(|(contact, hash)| Some((contact.parse().ok()?, hash.to_owned())));
        contact.map_or(Self::Address(text), |(contact, hash)| Self::Contact(contact, hash))
    }
}

impl fmt::Display for Unsubscribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact(id, hash) => write!(f, "{id} {hash}"),
            Self::Address(hash) => f.write_str(hash),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_it_is_survives_its_mail_and_no_address_is_in_it() {
        let email: Email = "ann@harbour.example".parse().unwrap();
        let contact = ContactId::new(crate::clock::Timestamp::UNIX_EPOCH);
        for whose in [Unsubscribe::of(Some(contact.into()), &email), Unsubscribe::of(None, &email)] {
            assert!(!whose.to_string().contains("harbour"));
            assert_eq!(Unsubscribe::unsealed(whose.to_string()), whose);
        }
    }
}

//! The secrets that links in mails carry. What is stored is their hash; the token itself is only in the mail.

use std::fmt;
use std::str::FromStr;

use crate::clock::{SignedDuration, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use serde::{Deserialize, Serialize};

use super::{ContactId, Email, InvitationId, PersonId, RecipientId, ShareId};

/// 256 random bits, in base64url without padding (RFC 4648 §5): 43 characters, fit for a URL's fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

/// Text that no token looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a token")]
pub struct TokenError;

impl Token {
    /// A new token from the system's random source (ASVS 5.0, 11.5.1: 128 bits at least).
    #[must_use]
    pub fn random() -> Self {
        Self(crate::random())
    }

    /// What is stored in its place: with 256 random bits a plain SHA-256 needs no salt.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &self.0)))
    }

    /// The text that goes into the link. Not `Display`, so that no log line takes it by accident.
    #[must_use]
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError)?;
        bytes.try_into().map(Self).map_err(|_| TokenError)
    }
}

impl TryFrom<String> for Token {
    type Error = TokenError;

    fn try_from(text: String) -> Result<Self, TokenError> {
        text.parse()
    }
}

/// A token as a request brings it: what no mail of ours ever carried is an unknown link, not a malformed field.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "String")]
pub struct Link(Option<Token>);

/// A body that holds a link's token and nothing else.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkBody {
    /// The token.
    pub token: Link,
}

impl Link {
    /// The token, if it can be one.
    pub fn token(&self) -> Option<&Token> {
        self.0.as_ref()
    }
}

crate::schema::of_text!(Link, "The token of a link in a mail: what follows its #.", {});

impl From<String> for Link {
    fn from(text: String) -> Self {
        // Whoever copies a link out of a mail may have got a line break with it, even in the middle.
        let token: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        Self(token.parse().ok())
    }
}

/// The SHA-256 of a token: the key under which what it opens is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(String);

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long a share's link works, whatever the share's own end is: it is looked at anew each time.
pub const SHARE_LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(365 * 24);

/// What a token opens. It never decides alone: what it names is read and asked whether the token still counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum TokenPurpose {
    /// Setting the first password of an invited person.
    Activation {
        /// Who was invited.
        person: PersonId,
        /// By which of that person's invitations.
        invitation: InvitationId,
        /// When the link stops working.
        expires_at: Timestamp,
    },
    /// Setting a new password.
    PasswordReset {
        /// Whose.
        person: PersonId,
        /// The person's epoch when it was asked for: a new password moves it on, so this works once.
        epoch: u32,
        /// When the link stops working.
        expires_at: Timestamp,
    },
    /// Opening one share, as one of its recipients, without an account.
    ShareLink {
        /// The share.
        share: ShareId,
        /// As which recipient.
        recipient: RecipientId,
        /// The contact that it was mailed to, if it was one.
        contact: Option<ContactId>,
        /// The address that it was mailed to.
        email: Email,
        /// When the link stops working, whatever the share's own end is.
        expires_at: Timestamp,
        /// The recipient's number when it was made: where that has another, the link has ended.
        #[serde(default)]
        link_epoch: u32,
    },
}

impl TokenPurpose {
    /// When the link stops working.
    pub fn expires_at(&self) -> Timestamp {
        match self {
            Self::Activation { expires_at, .. }
            | Self::PasswordReset { expires_at, .. }
            | Self::ShareLink { expires_at, .. } => *expires_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_token_survives_its_mail_and_no_other_text_is_one(text in "\\PC{0,60}") {
            let token = Token::random();
            prop_assert_eq!(token.reveal().parse::<Token>(), Ok(token.clone()));
            if let Ok(other) = text.parse::<Token>() {
                prop_assert_eq!(other.reveal(), text);
            }
        }

        #[test]
        fn a_flipped_bit_is_another_token(bit in 0_usize..256) {
            let token = Token::random();
            let mut other = token.clone();
            other.0[bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(token.hash(), other.hash());
        }
    }

    #[test]
    fn a_token_is_not_printed_by_accident() {
        let token = Token::random();
        assert!(!format!("{token:?}").contains(&token.reveal()));
    }
}

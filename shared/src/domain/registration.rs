//! A stranger's own request for access.

use crate::clock::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{CompanyName, ContactId, Email, Language, Message, PersonName, Phone, RegistrationId};

/// What has become of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Decision {
    /// Nobody has decided yet.
    Pending,
    /// The person belongs to a company, as one of its contacts.
    Mapped {
        /// Who decided.
        by: PersonName,
        /// When.
        at: Timestamp,
        /// As which contact.
        contact_id: ContactId,
    },
    /// The person does not get in.
    Declined {
        /// Who decided.
        by: PersonName,
        /// When.
        at: Timestamp,
        /// Why.
        reason: Message,
    },
}

/// A request for access, as it is made.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessRequest {
    /// The person's name.
    pub name: PersonName,
    /// Its address.
    pub email: Email,
    /// The company, as the person calls it.
    pub company: CompanyName,
    /// Its telephone number.
    pub phone: Option<Phone>,
    /// What it wrote.
    pub message: Option<Message>,
    /// The language of its mails.
    #[serde(default)]
    pub language: Language,
}

/// A stranger's own request for access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Its id.
    pub id: RegistrationId,
    /// The person's name.
    pub name: PersonName,
    /// Its address.
    pub email: Email,
    /// The company, as the person calls it.
    pub company: CompanyName,
    /// Its telephone number.
    pub phone: Option<Phone>,
    /// What it wrote.
    pub message: Option<Message>,
    /// The language of its mails.
    pub language: Language,
    /// What has become of it.
    #[serde(flatten)]
    pub decision: Decision,
    /// When it came.
    pub created_at: Timestamp,
}

/// Somebody has decided before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{by} has decided on this at {at}")]
pub struct AlreadyDecided {
    /// Who.
    pub by: PersonName,
    /// When.
    pub at: Timestamp,
}

impl Registration {
    /// Decides, if nobody has.
    pub fn decide(mut self, decision: Decision) -> Result<Self, AlreadyDecided> {
        match self.decision {
            Decision::Pending => {
                self.decision = decision;
                Ok(self)
            }
            Decision::Mapped { by, at, .. } | Decision::Declined { by, at, .. } => Err(AlreadyDecided { by, at }),
        }
    }

    /// Strangers' names and words are kept so long after the decision.
    const KEPT_DECIDED: SignedDuration = SignedDuration::from_hours(24 * 90);
    /// And so long without one, since they asked.
    pub const KEPT_UNDECIDED: SignedDuration = SignedDuration::from_hours(24 * 180);

    /// No longer than this after it came.
    pub const KEPT_AT_MOST: SignedDuration = SignedDuration::from_hours(24 * 270);

    /// When it is deleted.
    #[must_use]
    pub fn forgotten_at(&self) -> Timestamp {
        match self.decision {
            Decision::Pending => self.created_at + Self::KEPT_UNDECIDED,
            Decision::Mapped { at, .. } | Decision::Declined { at, .. } => at + Self::KEPT_DECIDED,
        }
    }

    /// The word of the API for its status.
    pub fn status(&self) -> &'static str {
        match self.decision {
            Decision::Pending => "pending",
            Decision::Mapped { .. } => "mapped",
            Decision::Declined { .. } => "declined",
        }
    }
}

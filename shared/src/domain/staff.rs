//! A person of the operator.

use std::collections::BTreeSet;

use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Access, CredentialState, Email, InviteRefused, Language, Mail, OutboxMail, PersonName, Right, Role, StaffId,
};

/// A person of the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    /// The person's id.
    pub id: StaffId,
    /// Its name.
    pub name: PersonName,
    /// Its address, which is its username.
    pub email: Email,
    /// What it may do.
    pub roles: BTreeSet<Role>,
    /// Whether it takes requests for access at the moment.
    pub on_duty: bool,
    /// Whether it may come in.
    #[serde(flatten)]
    pub access: Access,
    /// Whether it works here no longer.
    #[serde(default)]
    pub removed: bool,
    /// The language of its mails and pages.
    pub language: Language,
    /// Which of its sessions count.
    pub sessions: CredentialState,
    /// When it last signed in.
    pub last_seen_at: Option<Timestamp>,
    /// When it was entered.
    pub created_at: Timestamp,
}

impl Staff {
    /// Invites this person, or invites it again, with the mail that says so.
    pub fn invite(mut self, by: Option<StaffId>, now: Timestamp) -> Result<(Self, OutboxMail), InviteRefused> {
        let (access, invitation) = self.access.invite(by, now)?;
        self.access = access;
        let mail = Mail::StaffInvitation {
            person: self.id.into(),
            invitation: invitation.id,
            expires_at: invitation.expires_at,
        };
        let mail = OutboxMail::new(self.email.clone(), Some(self.id.into()), self.language.clone(), mail, now);
        Ok((self, mail))
    }

    /// Takes this person out: it cannot sign in again, and its address is free.
    #[must_use]
    pub fn remove(mut self) -> Self {
        self.access = self.access.close();
        self.sessions = self.sessions.without_all();
        self.on_duty = false;
        self.removed = true;
        self
    }

    /// Whether one of the person's roles grants the right.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.roles.iter().any(|role| role.grants(right))
    }
}

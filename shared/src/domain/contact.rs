//! A person at a company.

use crate::clock::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::access::{Access, Areas, INVITATION_LIFETIME, Invitation, InviteRefused};
use super::{
    Company, CompanyId, ContactId, CredentialState, Email, Language, Mail, Message, OutboxMail, PersonId, PersonName,
    Phone, StaffId,
};

/// Whoever comes back after this long begins a visit.
const SILENCE: SignedDuration = SignedDuration::from_hours(4);

/// Two requests for an invitation within this time are one.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(30);

/// Which mails about new shares a contact wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailWish {
    /// One mail for each share.
    #[default]
    Each,
    /// One mail a day with what is new.
    Daily,
    /// None; the shares are in the portal all the same.
    Off,
}

/// A contact's wishes about notifications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Notifications {
    /// By e-mail.
    #[serde(default)]
    pub email: MailWish,
}

/// A person at a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The contact's id.
    pub id: ContactId,
    /// Where the contact works.
    pub company_id: CompanyId,
    /// Its name.
    pub name: PersonName,
    /// Its address, which is its username once it is invited.
    pub email: Option<Email>,
    /// Its telephone number.
    pub phone: Option<Phone>,
    /// Whether it may come in.
    #[serde(flatten)]
    pub access: Access,
    /// What it may use once inside.
    pub areas: Areas,
    /// The language of its mails and pages.
    pub language: Language,
    /// Which mails it wants.
    pub notifications: Notifications,
    /// When it was invited last.
    pub invited_at: Option<Timestamp>,
    /// When it last signed in.
    pub last_seen_at: Option<Timestamp>,
    /// When it signed in before the present visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_visit_at: Option<Timestamp>,
    /// Why its last mail did not arrive.
    pub mail_problem: Option<String>,
    /// Which of its sessions count.
    pub sessions: CredentialState,
    /// Who of the staff looks after it: told of what it sends.
    #[serde(default)]
    pub owner_id: Option<StaffId>,
    /// Whether it is called what somebody typed who held a link to its address: until it has an account, its mails do
    /// not repeat that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub self_registered: bool,
    /// When it was entered.
    pub created_at: Timestamp,
}

impl Contact {
    /// The name to greet it by in a mail, unless that is what a stranger typed.
    #[must_use]
    pub fn greeting(&self) -> Option<&PersonName> {
        (!self.self_registered || self.access.is_active()).then_some(&self.name)
    }

    /// A contact as it is entered: by its name alone, everything else as it usually is.
    #[must_use]
    pub fn new(company_id: CompanyId, name: PersonName, now: Timestamp) -> Self {
        Self {
            id: ContactId::new(now),
            company_id,
            name,
            email: None,
            phone: None,
            access: Access::None,
            areas: Areas::default(),
            language: Language::default(),
            notifications: Notifications::default(),
            invited_at: None,
            last_seen_at: None,
            previous_visit_at: None,
            mail_problem: None,
            sessions: CredentialState::default(),
            owner_id: None,
            self_registered: false,
            created_at: now,
        }
    }

    /// Invites this contact, or invites it again: who of the staff does it, if it is one of them.
    pub fn invite(mut self, company: &Company, by: Option<StaffId>, now: Timestamp) -> Result<Invited, InviteRefused> {
        let (access, invitation) = self.access.invite(by, now)?;
        let to = self.email.clone().ok_or(InviteRefused::EmailMissing)?;
        if !company.portal_plan {
            return Err(InviteRefused::PlanLacksPortal);
        }
        self.access = access;
        self.invited_at = Some(now);
        Ok(Invited { contact: self, invitation, to })
    }
}

/// What opening a contact's access comes to.
#[derive(Debug)]
pub enum Opened {
    /// It was never open, or never used: an invitation.
    Invited(Invited),
    /// It was closed, and is as it was before.
    Restored(Contact),
    /// It is open already.
    Unchanged(Contact),
}

impl Contact {
    /// Opens access. Without the plan nothing is opened; what is open stays open.
    pub fn open(mut self, company: &Company, by: Option<StaffId>, now: Timestamp) -> Result<Opened, InviteRefused> {
        match self.access {
            Access::Invited { .. } | Access::Active { .. } => return Ok(Opened::Unchanged(self)),
            _ if !company.portal_plan => return Err(InviteRefused::PlanLacksPortal),
            Access::None => {}
            Access::Closed { .. } => {
                if let Some(active) = self.access.reopen() {
                    self.access = active;
                    return Ok(Opened::Restored(self));
                }
                self.access = Access::None;
            }
        }
        self.invite(company, by, now).map(Opened::Invited)
    }

    /// Closes access: sessions and links end with it.
    #[must_use]
    pub fn close(mut self) -> Self {
        self.access = self.access.close();
        self.sessions = self.sessions.without_all();
        self
    }
}

/// Why a contact's address cannot be changed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is this person's username: it can be changed, but not taken away")]
pub struct EmailNeeded;

/// Who has a contact's new address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressOf {
    /// The same person, whose password goes on: somebody of the staff says so.
    SamePerson,
    /// Perhaps another: the password is set anew by whoever reads the new address.
    Anybody,
}

impl Contact {
    /// Changes the address. What the old one could do ends with it: a link that was mailed to it, open sessions, and, if it
    /// may be another person's now, the password.
    pub fn with_email(mut self, email: Option<Email>, of: AddressOf) -> Result<Self, EmailNeeded> {
        if self.email == email {
            return Ok(self);
        }
        if email.is_none() && self.access != Access::None {
            return Err(EmailNeeded);
        }
        self.access = self.access.withdraw().unwrap_or(self.access);
        self.sessions = self.sessions.without_all();
        self.sessions.awaits_password |= self.access.account().is_some() && of == AddressOf::Anybody;
        self.email = email;
        self.mail_problem = None;
        Ok(self)
    }

    /// Gives the contact to another person: what there was of an account is over, and begins with an invitation.
    #[must_use]
    pub fn given_to(mut self, email: Email) -> Self {
        self.access = Access::None;
        self.sessions = self.sessions.without_all();
        self.email = Some(email);
        self.mail_problem = None;
        self
    }

    /// Signs in: after four hours of silence that is another visit.
    pub fn seen(&mut self, now: Timestamp) {
        if let Some(last) = self.last_seen_at.filter(|last| *last + SILENCE <= now) {
            self.previous_visit_at = Some(last);
        }
        self.last_seen_at = Some(now);
    }

    /// Whether it was invited once, and somebody has taken that back.
    #[must_use]
    pub fn was_withdrawn(&self) -> bool {
        self.access == Access::None && self.invited_at.is_some()
    }

    /// Whether it was invited this very moment: a second request of the same click.
    #[must_use]
    pub fn invited_just_now(&self, now: Timestamp) -> bool {
        matches!(self.access, Access::Invited { .. }) && self.invited_at.is_some_and(|at| at + AT_ONCE > now)
    }

    /// The mails that tell both addresses that the account has another one: the old, that it is none any more; the new, how
    /// to sign in.
    #[must_use]
    pub fn address_mails(&self, was: &Self, now: Timestamp) -> Vec<OutboxMail> {
        let (Some(old), Some(new)) = (&was.email, &self.email) else { return Vec::new() };
        if !was.access.is_active() || old == new {
            return Vec::new();
        }
        let id = PersonId::from(self.id);
        // The old address is nobody's here any more: what becomes of that mail says nothing about the contact.
        let gone = OutboxMail::new(old.clone(), None, self.language.clone(), Mail::AddressRemoved, now);
        let added = match self.access {
            // The invitation tells it.
            Access::None | Access::Invited { .. } | Access::Closed { .. } => return vec![gone],
            Access::Active { .. } if self.sessions.awaits_password => {
                let expires_at = now + INVITATION_LIFETIME;
                Mail::AddressAwaitsPassword { person: id, epoch: self.sessions.epoch, expires_at }
            }
            Access::Active { .. } => Mail::AddressAdded,
        };
        vec![gone, OutboxMail::new(new.clone(), Some(id), self.language.clone(), added, now)]
    }
}

/// A contact that has just been invited, and where its mail goes.
#[derive(Debug)]
pub struct Invited {
    /// The contact, now invited.
    pub contact: Contact,
    /// The invitation.
    pub invitation: Invitation,
    /// Its address.
    pub to: Email,
}

impl Invited {
    /// The mail that tells the contact.
    #[must_use]
    pub fn mail(&self, company: &Company, message: Option<Message>, now: Timestamp) -> OutboxMail {
        let mail = Mail::ContactInvitation {
            person: self.contact.id.into(),
            invitation: self.invitation.id,
            expires_at: self.invitation.expires_at,
            company: (!company.self_registered).then(|| company.name.clone()),
            message,
        };
        let person = Some(self.contact.id.into());
        OutboxMail::new(self.to.clone(), person, self.contact.language.clone(), mail, now)
    }
}

//! A person at a company.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::access::{Access, Areas, Invitation, InviteRefused};
use super::{
    Company, CompanyId, ContactId, CredentialState, Email, Language, Mail, Message, OutboxMail, PersonName, Phone,
    StaffId,
};

/// How many mails a person can be sent an hour on somebody's wish: a resend button must not become a weapon.
const MAILS_AN_HOUR: u32 = 10;

/// Which mails about new shares a contact wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notifications {
    /// By e-mail.
    #[serde(default)]
    pub email: MailWish,
}

/// How many were sent in the hour that began at `since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourlyLimit {
    since: Timestamp,
    count: u32,
}

impl HourlyLimit {
    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    /// Counts one more, or says when one more is possible.
    pub fn take(hour: Option<Self>, most: u32, now: Timestamp) -> Result<Self, Timestamp> {
        match hour {
            Some(hour) if hour.since + Self::HOUR > now => {
                if hour.count >= most {
                    return Err(hour.since + Self::HOUR);
                }
                Ok(Self { count: hour.count + 1, ..hour })
            }
            _ => Ok(Self { since: now, count: 1 }),
        }
    }
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
    /// Why its last mail did not arrive.
    pub mail_problem: Option<String>,
    /// Which of its sessions count.
    pub sessions: CredentialState,
    /// How many invitations it was sent in the last hour.
    pub invited_lately: Option<HourlyLimit>,
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
            mail_problem: None,
            sessions: CredentialState::default(),
            invited_lately: None,
            owner_id: None,
            self_registered: false,
            created_at: now,
        }
    }

    /// Invites this contact, or invites it again.
    pub fn invite(mut self, company: &Company, now: Timestamp) -> Result<Invited, InviteRefused> {
        let (access, invitation) = self.access.invite(now)?;
        let to = self.email.clone().ok_or(InviteRefused::EmailMissing)?;
        if !company.portal_plan {
            return Err(InviteRefused::PlanLacksPortal);
        }
        let lately = HourlyLimit::take(self.invited_lately, MAILS_AN_HOUR, now);
        self.invited_lately = Some(lately.map_err(|retry_at| InviteRefused::TooMany { retry_at })?);
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
    pub fn open(mut self, company: &Company, now: Timestamp) -> Result<Opened, InviteRefused> {
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
        self.invite(company, now).map(Opened::Invited)
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

impl Contact {
    /// Changes the address. What the old one could do ends with it: a link that was mailed to it, open sessions.
    pub fn with_email(mut self, email: Option<Email>) -> Result<Self, EmailNeeded> {
        if self.email == email {
            return Ok(self);
        }
        if email.is_none() && self.access != Access::None {
            return Err(EmailNeeded);
        }
        self.access = self.access.withdraw().unwrap_or(self.access);
        self.sessions = self.sessions.without_all();
        self.email = email;
        self.mail_problem = None;
        Ok(self)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_mails_an_hour_and_then_a_time_to_wait_for() {
        let now = Timestamp::UNIX_EPOCH;
        let full = (0..10).fold(None, |hour, _| Some(HourlyLimit::take(hour, 10, now).unwrap()));
        let later = now + SignedDuration::from_hours(1);
        assert_eq!(HourlyLimit::take(full, 10, now), Err(later));
        assert!(HourlyLimit::take(full, 10, later).is_ok());
    }
}

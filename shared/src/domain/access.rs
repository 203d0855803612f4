//! Whether a person may come in: one state machine for contacts and staff, used by every way in and out.

use crate::clock::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{InvitationId, StaffId};

/// How long an activation link works.
pub const INVITATION_LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One mail with an activation link. A resend is another invitation, and ends this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Which invitation: what the link's token points to.
    pub id: InvitationId,
    /// When it was asked for.
    pub sent_at: Timestamp,
    /// When its link stops working.
    pub expires_at: Timestamp,
    /// Who of the staff has invited the person, if it was one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<StaffId>,
}

/// A set password, and the invitation that it was set with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// When the person activated it.
    pub activated_at: Timestamp,
    /// The invitation that is used up by it.
    pub by: InvitationId,
}

/// A person's access: `none` → `invited` → `active` → `closed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "access", rename_all = "snake_case")]
pub enum Access {
    /// Never invited, or the invitation was withdrawn.
    None,
    /// Invited; the account does not exist yet (pages say: Access pending).
    Invited {
        /// The one invitation whose link works.
        invitation: Invitation,
    },
    /// The account exists and may be used.
    Active {
        /// The account.
        account: Account,
    },
    /// Shut by the staff; opening brings back what there was.
    Closed {
        /// The account, if there was one.
        account: Option<Account>,
    },
}

/// Why a person cannot be invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InviteRefused {
    /// There is no address to mail to.
    #[error("the contact has no e-mail address")]
    EmailMissing,
    /// The company's plan does not include the portal.
    #[error("the company's plan does not include the portal")]
    PlanLacksPortal,
    /// The account exists already.
    #[error("the account is active already")]
    AlreadyActive,
    /// Access was closed; it is opened, not invited.
    #[error("access is closed")]
    AccessClosed,
}

/// Why an activation link does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActivationRefused {
    /// Its time is over.
    #[error("the link has expired")]
    Expired,
    /// The account was activated with it.
    #[error("the link has been used")]
    Used,
    /// A newer invitation was sent.
    #[error("a newer link was sent")]
    Replaced,
    /// The invitation was taken back, or access closed.
    #[error("the invitation was withdrawn")]
    Withdrawn,
}

impl Access {
    /// Invites, or invites again: the last link dies with this. Where the person itself has asked for that, it is invited
    /// by whoever did it before.
    pub fn invite(&self, by: Option<StaffId>, now: Timestamp) -> Result<(Self, Invitation), InviteRefused> {
        match self {
            Self::None | Self::Invited { .. } => {
                let by = by.or(self.invited_by());
                let expires_at = now + INVITATION_LIFETIME;
                let invitation = Invitation { id: InvitationId::new(now), sent_at: now, expires_at, by };
                Ok((Self::Invited { invitation }, invitation))
            }
            Self::Active { .. } => Err(InviteRefused::AlreadyActive),
            Self::Closed { .. } => Err(InviteRefused::AccessClosed),
        }
    }

    fn invited_by(&self) -> Option<StaffId> {
        match self {
            Self::Invited { invitation } => invitation.by,
            _ => None,
        }
    }

    /// Takes an invitation back; nothing but an invitation can be.
    #[must_use]
    pub fn withdraw(&self) -> Option<Self> {
        matches!(self, Self::Invited { .. }).then_some(Self::None)
    }

    /// Shuts the door. What there was is kept for the day it is opened again.
    #[must_use]
    pub fn close(&self) -> Self {
        Self::Closed { account: self.account() }
    }

    /// Brings an account back that was closed; there is nothing to bring back without one.
    #[must_use]
    pub fn reopen(&self) -> Option<Self> {
        match self {
            Self::Closed { account: Some(account) } => Some(Self::Active { account: *account }),
            _ => None,
        }
    }

    /// The invitation behind a link, if that link still works.
    pub fn check(&self, link: InvitationId, now: Timestamp) -> Result<Invitation, ActivationRefused> {
        match self {
            Self::Invited { invitation } if invitation.id != link => Err(ActivationRefused::Replaced),
            Self::Invited { invitation } if invitation.expires_at <= now => Err(ActivationRefused::Expired),
            Self::Invited { invitation } => Ok(*invitation),
            Self::Active { account } if account.by == link => Err(ActivationRefused::Used),
            Self::Active { .. } => Err(ActivationRefused::Replaced),
            Self::None | Self::Closed { .. } => Err(ActivationRefused::Withdrawn),
        }
    }

    /// Uses the link up: the account exists from here on.
    pub fn activate(&self, link: InvitationId, now: Timestamp) -> Result<Self, ActivationRefused> {
        let invitation = self.check(link, now)?;
        Ok(Self::Active { account: Account { activated_at: now, by: invitation.id } })
    }

    /// Whether the person may sign in and stay signed in.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active { .. })
    }

    /// The account, open or closed.
    #[must_use]
    pub fn account(&self) -> Option<Account> {
        match self {
            Self::Active { account } => Some(*account),
            Self::Closed { account } => *account,
            Self::None | Self::Invited { .. } => None,
        }
    }

    /// All that [`Self::word`] may say.
    pub const WORDS: [&'static str; 4] = ["none", "invited", "active", "closed"];

    /// The word of the API for this state.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Invited { .. } => "invited",
            Self::Active { .. } => "active",
            Self::Closed { .. } => "closed",
        }
    }
}

/// One thing that a contact may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// See and download what was shared.
    Files,
    /// Send files.
    Upload,
    /// See the company's jobs.
    Jobs,
    /// See the company's assets.
    Assets,
    /// Report problems.
    ReportProblem,
}

/// The areas of a contact, each once and in one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Areas(std::collections::BTreeSet<Area>);

impl Areas {
    /// Whether the area is open.
    #[must_use]
    pub fn has(&self, area: Area) -> bool {
        self.0.contains(&area)
    }
}

/// What a contact gets when nobody chose: what every portal that shares files gives.
impl Default for Areas {
    fn default() -> Self {
        Self([Area::Files, Area::Upload].into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_link_works_until_a_newer_one_its_end_or_its_use() {
        let (invited, first) = Access::None.invite(None, at(0)).unwrap();
        assert_eq!(invited.check(first.id, at(1)), Ok(first));

        let (again, second) = invited.invite(None, at(10)).unwrap();
        assert_eq!(again.check(first.id, at(11)), Err(ActivationRefused::Replaced));
        assert_eq!(again.check(second.id, second.expires_at), Err(ActivationRefused::Expired));

        let active = again.activate(second.id, at(12)).unwrap();
        assert_eq!(active.check(second.id, at(13)), Err(ActivationRefused::Used));
        assert_eq!(active.check(first.id, at(13)), Err(ActivationRefused::Replaced));
        assert_eq!(active.invite(None, at(14)), Err(InviteRefused::AlreadyActive));
    }

    #[test]
    fn closing_keeps_the_account_and_opening_brings_it_back() {
        let (invited, invitation) = Access::None.invite(None, at(0)).unwrap();
        assert_eq!(invited.close(), Access::Closed { account: None });
        assert_eq!(invited.close().reopen(), None);
        let active = invited.activate(invitation.id, at(1)).unwrap();
        let closed = active.close();
        assert!(!closed.is_active() && closed.invite(None, at(2)) == Err(InviteRefused::AccessClosed));
        assert_eq!(closed.check(invitation.id, at(2)), Err(ActivationRefused::Withdrawn));
        assert_eq!(closed.reopen(), Some(active));
    }

    #[test]
    fn a_withdrawn_invitation_leaves_nothing_to_activate() {
        let (invited, invitation) = Access::None.invite(None, at(0)).unwrap();
        let withdrawn = invited.withdraw().unwrap();
        assert_eq!(withdrawn.activate(invitation.id, at(1)), Err(ActivationRefused::Withdrawn));
        assert_eq!(withdrawn.withdraw(), None);
    }
}

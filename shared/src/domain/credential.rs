//! Which sessions of a person still count.

use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};

use super::SessionId;

/// More single sign-outs than this at once, and all sessions end: the list must stay small, for it is read always.
const MOST_ENDED: usize = 20;

/// A session that its owner ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnd {
    /// Which session.
    pub id: SessionId,
    /// When it would have ended by itself, and need not be remembered any more.
    pub until: Timestamp,
}

/// Kept with the person and read with it on every request, so that a sign-out works at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialState {
    /// Raised by everything that ends all sessions: a new password, signing out everywhere, closed access.
    pub epoch: u32,
    /// Sessions of this epoch that were ended one by one.
    #[serde(default)]
    pub ended: Vec<SessionEnd>,
    /// Whether the password counts no more until it is set anew: the account has another address, and perhaps owner.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits_password: bool,
}

impl CredentialState {
    /// Whether a password that was right before still opens a session: it must be the one of this epoch.
    #[must_use]
    pub fn takes_password(&self, epoch: u32) -> bool {
        self.epoch == epoch && !self.awaits_password
    }

    /// A password was set: every session of the one before ends.
    #[must_use]
    pub fn with_password(self) -> Self {
        Self { awaits_password: false, ..self.without_all() }
    }

    /// Whether a session of that epoch still counts.
    #[must_use]
    pub fn admits(&self, session: SessionId, epoch: u32) -> bool {
        self.epoch == epoch && !self.ended.iter().any(|end| end.id == session)
    }

    /// Ends one session.
    #[must_use]
    pub fn without(mut self, session: SessionEnd, now: Timestamp) -> Self {
        self.ended.retain(|end| end.until > now && end.id != session.id);
        if self.ended.len() >= MOST_ENDED {
            return self.without_all();
        }
        self.ended.push(session);
        self
    }

    /// Ends every session.
    #[must_use]
    pub fn without_all(self) -> Self {
        Self { epoch: self.epoch.wrapping_add(1), ended: Vec::new(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_session_ends_or_all_do_and_the_list_stays_small() {
        let now = Timestamp::UNIX_EPOCH;
        let until = Timestamp::from_second(60).unwrap();
        let (one, other) = (SessionId::new(now), SessionId::new(now));
        let state = CredentialState::default().without(SessionEnd { id: one, until }, now);
        assert!(!state.admits(one, 0) && state.admits(other, 0));
        assert!(!state.clone().without_all().admits(other, 0));

        let many = (0..100).fold(state, |state, _| state.without(SessionEnd { id: SessionId::new(now), until }, now));
        assert!(many.ended.len() <= MOST_ENDED && !many.admits(one, 0));
    }
}

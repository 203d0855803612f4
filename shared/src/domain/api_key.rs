//! Keys of the operator's own systems.

use std::collections::BTreeSet;

use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};

use super::{KeyId, PersonName, Right, Scope, TokenHash};

/// What every key begins with, so that a leaked one is recognised by scanners and by the gate.
pub const KEY_PREFIX: &str = "ghk_";

/// A key of an integration. The key itself is shown once and stored as its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// What it is for.
    pub name: PersonName,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// The hash of the key.
    pub hash: TokenHash,
    /// When it stops working, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the hour.
    pub last_used_at: Option<Timestamp>,
    /// When it was last used for what it is not good for, to the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ApiKey {
    /// Whether it works.
    pub fn works(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| end > now)
    }

    /// Whether one of its scopes grants the right.
    pub fn may(&self, right: Right) -> bool {
        self.scopes.iter().any(|scope| scope.grants(right))
    }
}

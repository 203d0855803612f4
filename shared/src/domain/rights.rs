//! What staff may do: one table, and nothing that is not in it.

use serde::{Deserialize, Serialize};

/// A role of the operator's people. One person may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May do everything.
    Admin,
    /// Works with customers: companies, contacts, invitations, shares.
    Member,
    /// Decides on requests for access.
    Mapper,
    /// Sees everything and changes nothing.
    Viewer,
}

/// One thing that a route asks of the person who calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// See companies and contacts.
    ReadCustomers,
    /// Enter and change companies and contacts, invite them.
    ManageCustomers,
    /// See shares and download their files.
    ReadShares,
    /// Make shares and send them.
    ManageShares,
}

impl Role {
    /// The table. Deny by default: a right that is not named here is not given.
    #[must_use]
    pub fn grants(self, right: Right) -> bool {
        use Right::{ManageCustomers, ManageShares, ReadCustomers, ReadShares};
        match self {
            Self::Admin => matches!(right, ReadCustomers | ManageCustomers | ReadShares | ManageShares),
            Self::Member => matches!(right, ReadCustomers | ManageCustomers | ReadShares | ManageShares),
            Self::Mapper => matches!(right, ReadCustomers),
            Self::Viewer => matches!(right, ReadCustomers | ReadShares),
        }
    }
}

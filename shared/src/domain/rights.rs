//! What staff and integrations may do: one table, and nothing that is not in it.

use serde::{Deserialize, Serialize};

/// A role of the operator's people. One person may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
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

/// One thing that a route asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// See companies and contacts.
    ReadCustomers,
    /// Enter and change companies and contacts, invite them, open and close their access.
    ManageCustomers,
    /// See shares and download their files.
    ReadShares,
    /// Make shares and send them.
    ManageShares,
    /// See sites, assets and jobs.
    ReadRecords,
    /// Enter, change and delete sites, assets and jobs.
    ManageRecords,
    /// See requests for access and decide on them.
    MapRegistrations,
    /// See who did what.
    ReadActivity,
    /// See who works here.
    ReadStaff,
    /// Say who works here and what they may do.
    ManageStaff,
    /// Make and revoke the keys of integrations.
    ManageKeys,
    /// See the settings.
    ReadSettings,
    /// Change the settings.
    ManageSettings,
}

/// What an integration's key may do. There is no scope for staff and keys: a key makes no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Scope {
    /// [`Right::ReadCustomers`]
    #[serde(rename = "customers:read")]
    CustomersRead,
    /// [`Right::ManageCustomers`]
    #[serde(rename = "customers:write")]
    CustomersWrite,
    /// [`Right::ReadShares`]
    #[serde(rename = "shares:read")]
    SharesRead,
    /// [`Right::ManageShares`]
    #[serde(rename = "shares:write")]
    SharesWrite,
    /// [`Right::ReadRecords`]
    #[serde(rename = "records:read")]
    RecordsRead,
    /// [`Right::ManageRecords`]
    #[serde(rename = "records:write")]
    RecordsWrite,
    /// [`Right::MapRegistrations`]
    #[serde(rename = "registrations")]
    Registrations,
    /// [`Right::ReadActivity`]
    #[serde(rename = "activity:read")]
    ActivityRead,
}

impl Role {
    /// The table. Deny by default: a right that is not named here is not given.
    pub fn grants(self, right: Right) -> bool {
        use Right::{
            ManageCustomers, ManageKeys, ManageRecords, ManageSettings, ManageShares, ManageStaff, MapRegistrations,
            ReadActivity, ReadCustomers, ReadRecords, ReadSettings, ReadShares, ReadStaff,
        };
        matches!(
            (self, right),
            (
                Self::Admin,
                ReadCustomers
                    | ManageCustomers
                    | ReadShares
                    | ManageShares
                    | ReadRecords
                    | ManageRecords
                    | MapRegistrations
                    | ReadActivity
                    | ReadStaff
                    | ManageStaff
                    | ManageKeys
                    | ReadSettings
                    | ManageSettings,
            ) | (
                Self::Member,
                ReadCustomers
                    | ManageCustomers
                    | ReadShares
                    | ManageShares
                    | ReadRecords
                    | ManageRecords
                    | ReadActivity
                    | ReadStaff
                    | ReadSettings,
            ) | (Self::Mapper, ReadCustomers | MapRegistrations | ReadStaff | ReadSettings)
                | (Self::Viewer, ReadCustomers | ReadShares | ReadRecords | ReadActivity | ReadStaff | ReadSettings,)
        )
    }
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::CustomersRead,
        Self::CustomersWrite,
        Self::SharesRead,
        Self::SharesWrite,
        Self::RecordsRead,
        Self::RecordsWrite,
        Self::Registrations,
        Self::ActivityRead,
    ];

    /// The same for keys.
    pub fn grants(self, right: Right) -> bool {
        matches!(
            (self, right),
            (Self::CustomersRead, Right::ReadCustomers)
                | (Self::CustomersWrite, Right::ReadCustomers | Right::ManageCustomers)
                | (Self::SharesRead, Right::ReadShares)
                | (Self::SharesWrite, Right::ReadShares | Right::ManageShares)
                | (Self::RecordsRead, Right::ReadRecords)
                | (Self::RecordsWrite, Right::ReadRecords | Right::ManageRecords)
                | (Self::Registrations, Right::MapRegistrations)
                | (Self::ActivityRead, Right::ReadActivity)
        )
    }
}

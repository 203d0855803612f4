//! A customer of the operator.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::{CompanyId, CompanyName, Email, Reference, TextError};

/// A domain whose addresses belong to a company: `example.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, SerializeDisplay, DeserializeFromStr)]
pub struct CompanyDomain(String);

impl FromStr for CompanyDomain {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        // A domain is what may stand behind an @: one rule, in one place.
        format!("x@{}", text.trim())
            .parse::<Email>()
            .map(|email| Self(email.domain().to_owned()))
            .map_err(|_| TextError::Form("must be a domain such as \"example.com\""))
    }
}

impl fmt::Display for CompanyDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CompanyDomain {
    /// The domain itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Company {
    /// Each is an item of its own, and all of them are written with the company.
    pub const MOST_DOMAINS: usize = 40;
}

/// A customer of the operator: who its contacts are is known by their `company_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// Its name.
    pub name: CompanyName,
    /// The e-mail domains of its people.
    pub domains: Vec<CompanyDomain>,
    /// Whether its plan includes the portal: without it, nobody there can be invited.
    pub portal_plan: bool,
    /// The operator's own number for it.
    pub reference: Option<Reference>,
    /// Whether it is called what somebody typed who held a link, and nobody of the staff has named it since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub self_registered: bool,
    /// When it was entered.
    pub created_at: Timestamp,
}

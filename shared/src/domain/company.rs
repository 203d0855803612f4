//! A customer of the operator.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CompanyId, CompanyName, Email, Reference, TextError};

/// A domain whose addresses belong to a company: `example.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
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

impl CompanyDomain {
    /// The domain itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<CompanyDomain> for String {
    fn from(domain: CompanyDomain) -> Self {
        domain.0
    }
}

impl TryFrom<String> for CompanyDomain {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        text.parse()
    }
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
    /// When it was entered.
    pub created_at: Timestamp,
}

//! A customer of the operator.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::{CompanyId, CompanyName, Email, Reference, TextError};

/// A domain whose addresses belong to a company: `example.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, SerializeDisplay, DeserializeFromStr)]
pub struct CompanyDomain(String);

crate::schema::of_text!(CompanyDomain, "A domain whose addresses belong to a company: example.com.", { "minLength": 1, "maxLength": 253 });

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
    /// The company that it has become a part of: nothing is entered for it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<CompanyId>,
    /// Companies that become a part of it, until their people and what was shared with them have come.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub merging: BTreeSet<CompanyId>,
    /// When it was entered.
    pub created_at: Timestamp,
}

/// Why a company does not become a part of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MergeRefused {
    /// It is that company.
    #[error("is the company itself")]
    Itself,
    /// It is a part of another one already.
    #[error("was merged into {0}")]
    Merged(CompanyId),
    /// The other one is a part of a third.
    #[error("was itself merged into {0}")]
    IntoMerged(CompanyId),
    /// Another one is still becoming a part of it.
    #[error("takes in another company at this moment")]
    InProgress,
    /// The two have too many domains for one.
    #[error("would have more than {most} domains", most = Company::MOST_DOMAINS)]
    TooManyDomains,
}

impl Company {
    /// Makes it a part of another company, which gets its domains, and its reference if it has none itself. Gives both
    /// as they are from then on.
    pub fn merge(mut self, mut into: Self) -> Result<(Self, Self), MergeRefused> {
        if self.id == into.id {
            return Err(MergeRefused::Itself);
        }
        if let Some(other) = self.merged_into {
            return Err(MergeRefused::Merged(other));
        }
        if let Some(other) = into.merged_into {
            return Err(MergeRefused::IntoMerged(other));
        }
        if !self.merging.is_empty() {
            return Err(MergeRefused::InProgress);
        }
        // A domain is one company's, so none is both's.
        into.domains.append(&mut self.domains);
        if into.domains.len() > Self::MOST_DOMAINS {
            return Err(MergeRefused::TooManyDomains);
        }
        if into.reference.is_none() {
            into.reference = self.reference.take();
        }
        into.merging.insert(self.id);
        self.merged_into = Some(into.id);
        Ok((self, into))
    }
}

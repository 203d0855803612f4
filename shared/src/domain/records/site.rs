//! A place of a customer's.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_with::rust::double_option;

use super::{
    AssetLink, CompanyRecord, FieldRefused, KnownReferences, NewRecord, RecordChange, RecordKind, RecordLine,
    RecordList, RecordOrder, SiteLink, needed, words_with_reference,
};
use crate::clock::Timestamp;
use crate::domain::{Address, CompanyId, Reference, SiteId, Title, Words};

/// A place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Its id.
    pub id: SiteId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// The operator's own number for it.
    pub reference: Reference,
    /// How it is called.
    pub name: Title,
    /// Where it is.
    pub address: Option<Address>,
    /// When it was entered.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What is said of a site.
#[derive(Debug, Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteChange {
    name: Option<Title>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    address: Option<Option<Address>>,
}

impl RecordChange for SiteChange {}

impl RecordLine for Site {
    const KIND: RecordKind = RecordKind::Sites;
    const ORDERS: &'static [RecordOrder] = &[RecordOrder::Title];
    type Id = SiteId;

    fn id(&self) -> SiteId {
        self.id
    }

    fn company(&self) -> CompanyId {
        self.company_id
    }

    fn reference(&self) -> &Reference {
        &self.reference
    }

    fn title(&self) -> &str {
        self.name.as_str()
    }

    fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    fn lists(&self) -> BTreeSet<RecordList> {
        [RecordList::All].into()
    }

    fn words(&self) -> Words {
        let address = self.address.as_ref().map(Address::as_str);
        words_with_reference(&self.reference, [self.name.as_str()].into_iter().chain(address))
    }
}

impl CompanyRecord for Site {
    type Line = Self;
    type Change = SiteChange;

    fn line(&self) -> &Self {
        self
    }

    fn create(place: NewRecord<'_>, change: SiteChange, _: &KnownReferences) -> Result<Self, FieldRefused> {
        Ok(Self {
            id: SiteId::new(place.now),
            company_id: place.company,
            reference: place.reference.clone(),
            name: needed("name", change.name)?,
            address: change.address.flatten(),
            created_at: place.now,
            updated_at: place.now,
        })
    }

    fn change(&self, change: SiteChange, _: &KnownReferences, now: Timestamp) -> Result<Self, FieldRefused> {
        let changed = Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            address: change.address.unwrap_or_else(|| self.address.clone()),
            ..self.clone()
        };
        Ok(if changed == *self { changed } else { Self { updated_at: now, ..changed } })
    }

    fn moved(&self, to: CompanyId, reference: Reference, _: Option<SiteLink>, _: Option<AssetLink>) -> Self {
        Self { company_id: to, reference, ..self.clone() }
    }
}

//! A thing of a customer's that is looked after.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_with::rust::double_option;

use super::{
    AssetLink, CompanyRecord, FieldRefused, KnownReferences, NewRecord, RecordChange, RecordKind, RecordLine,
    RecordList, RecordOrder, SiteLink, needed, words_with_reference,
};
use crate::clock::Timestamp;
use crate::domain::{AssetId, CompanyId, Label, Reference, SiteId, Title, Words};

/// A thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its id.
    pub id: AssetId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// The operator's own number for it.
    pub reference: Reference,
    /// How it is called.
    pub name: Title,
    /// What kind of thing it is.
    pub kind: Option<Label>,
    /// Its maker's number.
    pub serial: Option<Label>,
    /// Where it is.
    pub site: Option<SiteLink>,
    /// The operator's own word for its state.
    pub status: Option<Label>,
    /// When it was entered.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What is said of an asset.
#[derive(Debug, Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssetChange {
    name: Option<Title>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    kind: Option<Option<Label>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    serial: Option<Option<Label>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    site_reference: Option<Option<Reference>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    status: Option<Option<Label>>,
}

impl RecordChange for AssetChange {
    fn site_reference(&self) -> Option<&Reference> {
        self.site_reference.as_ref()?.as_ref()
    }
}

impl RecordLine for Asset {
    const KIND: RecordKind = RecordKind::Assets;
    const ORDERS: &'static [RecordOrder] = &[RecordOrder::Title];
    type Id = AssetId;

    fn id(&self) -> AssetId {
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
        let site = self.site.as_ref().map(|site| RecordList::Site(site.id));
        let status = self.status.as_ref().map(|status| RecordList::status(status.as_str()));
        [RecordList::All].into_iter().chain(site).chain(status).collect()
    }

    fn words(&self) -> Words {
        let texts = [&self.kind, &self.serial].into_iter().flatten().map(Label::as_str);
        words_with_reference(&self.reference, texts.chain([self.name.as_str()]))
    }
}

impl CompanyRecord for Asset {
    type Line = Self;
    type Change = AssetChange;

    fn line(&self) -> &Self {
        self
    }

    fn create(place: NewRecord<'_>, change: AssetChange, known: &KnownReferences) -> Result<Self, FieldRefused> {
        Ok(Self {
            id: AssetId::new(place.now),
            company_id: place.company,
            reference: place.reference.clone(),
            name: needed("name", change.name)?,
            kind: change.kind.flatten(),
            serial: change.serial.flatten(),
            site: known.site(change.site_reference)?.flatten(),
            status: change.status.flatten(),
            created_at: place.now,
            updated_at: place.now,
        })
    }

    fn change(&self, change: AssetChange, known: &KnownReferences, now: Timestamp) -> Result<Self, FieldRefused> {
        let changed = Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            kind: change.kind.unwrap_or_else(|| self.kind.clone()),
            serial: change.serial.unwrap_or_else(|| self.serial.clone()),
            site: known.site(change.site_reference)?.unwrap_or_else(|| self.site.clone()),
            status: change.status.unwrap_or_else(|| self.status.clone()),
            ..self.clone()
        };
        Ok(if changed == *self { changed } else { Self { updated_at: now, ..changed } })
    }

    fn moved(&self, to: CompanyId, reference: Reference, site: Option<SiteLink>, _: Option<AssetLink>) -> Self {
        Self { company_id: to, reference, site: site.or_else(|| self.site.clone()), ..self.clone() }
    }

    fn site(&self) -> Option<SiteId> {
        self.site.as_ref().map(|site| site.id)
    }
}

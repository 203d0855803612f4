//! Sites, assets and jobs: found by their reference or their id, with what happened to them.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::page::{Listing, SortKeyRange};
use super::{Page, PageRequest, Record, Store, StoreError, Stored, keys};
use crate::domain::{
    Asset, Company, CompanyId, CompanyRecord, Job, JobEvent, JobId, KnownReferences, RecordKind, RecordLine,
    RecordList, Reference, Site,
};

/// So much of a job's history is shown, the latest.
pub const MOST_EVENTS: usize = 200;

macro_rules! records {
    ($($kind:ty),*) => {$(
        impl Record for $kind {
            fn key(&self) -> keys::Key {
                keys::record::<<$kind as CompanyRecord>::Line>(self.line().id())
            }
        }
    )*};
}

records!(Site, Asset, Job);

/// Of a company, itself, the records that were asked for by reference, and what changes of them name.
#[derive(Debug)]
pub struct KnownRecords<T> {
    /// The company, if there is one.
    pub company: Option<Stored<Company>>,
    /// The records that exist.
    pub records: Vec<Stored<T>>,
    /// The sites and assets that exist.
    pub known: KnownReferences,
}

/// Whose a reference is.
#[derive(Deserialize)]
struct Owner {
    sk: String,
    id: String,
}

impl Store {
    /// Reads what pushed records are held against: in two round trips, however many they are, a hundred items a call.
    pub async fn known_records<T: CompanyRecord + Record>(
        &self,
        company: CompanyId,
        references: BTreeSet<Reference>,
        sites: BTreeSet<Reference>,
        assets: BTreeSet<Reference>,
    ) -> Result<KnownRecords<T>, StoreError> {
        let of_kind = |kind, references: BTreeSet<Reference>| {
            references.into_iter().map(move |reference| keys::reference(company, kind, &reference))
        };
        // A site may be named by its own name, too; an item is asked for once.
        let wanted: BTreeSet<keys::Key> = of_kind(T::Line::KIND, references.clone())
            .chain(of_kind(RecordKind::Sites, sites))
            .chain(of_kind(RecordKind::Assets, assets))
            .chain([keys::company(company)])
            .collect();
        let mut known = KnownRecords { company: None, records: Vec::new(), known: KnownReferences::default() };
        let mut ids: Vec<<T::Line as RecordLine>::Id> = Vec::new();
        for item in self.items(wanted).await? {
            if item.contains_key("name") {
                known.company = Some(Stored::from_item(item)?);
                continue;
            }
            let Owner { sk, id } = serde_dynamo::from_item(item)?;
            let Some((kind, reference)) = sk.split_once('#') else { continue };
            let Ok(reference) = reference.parse::<Reference>() else { continue };
            if kind == T::Line::KIND.to_string() && references.contains(&reference) {
                ids.extend(id.parse::<<T::Line as RecordLine>::Id>().ok());
            }
            match kind {
                "sites" => known.known.sites.extend(id.parse().ok().map(|id| (reference, id))),
                "assets" => known.known.assets.extend(id.parse().ok().map(|id| (reference, id))),
                _ => {}
            }
        }
        known.records = self.records_by_id(ids).await?;
        Ok(known)
    }

    /// Records by their ids, as they are now, as far as they exist.
    pub async fn records_by_id<T: CompanyRecord + Record>(
        &self,
        ids: impl IntoIterator<Item = <T::Line as RecordLine>::Id>,
    ) -> Result<Vec<Stored<T>>, StoreError> {
        let ids: BTreeSet<_> = ids.into_iter().collect();
        let items = self.items(ids.into_iter().map(keys::record::<T::Line>)).await?;
        items.into_iter().map(Stored::from_item).collect()
    }

    /// One record.
    pub async fn company_record<T: CompanyRecord + Record>(
        &self,
        id: <T::Line as RecordLine>::Id,
    ) -> Result<Option<Stored<T>>, StoreError> {
        self.read(keys::record::<T::Line>(id)).await
    }

    /// What happened to a job, the latest first.
    pub async fn job_events(&self, job: JobId) -> Result<Page<JobEvent>, StoreError> {
        let pk = &job.to_string();
        let sk = Some((keys::SK, SortKeyRange::Beginning(keys::EVENTS.to_owned())));
        let listing = Listing { index: None, pk_name: keys::PK, pk, sk, newest_first: true, consistent: false };
        self.page(listing, PageRequest { limit: MOST_EVENTS, after: None }).await
    }

    /// Forgets what happened to a job that is about to be deleted.
    pub async fn forget_events(&self, job: JobId) -> Result<(), StoreError> {
        let mut events = self.partition(&job.to_string(), Some(keys::EVENTS)).await?;
        for event in &mut events {
            event.retain(|name, _| [keys::PK, keys::SK].contains(&name.as_str()));
        }
        self.write_batch(Vec::new(), events).await
    }

    /// The ids of a company's records, as they are now, in an order that none of them changes.
    pub async fn record_ids<L: RecordLine>(
        &self,
        company: CompanyId,
        page: PageRequest,
    ) -> Result<Page<L::Id>, StoreError> {
        #[derive(Deserialize)]
        struct Row {
            sk: String,
        }
        let pk = &keys::records(company, L::KIND, &RecordList::All);
        let listing = Listing { index: None, pk_name: keys::PK, pk, sk: None, newest_first: false, consistent: true };
        let Page { items, next } = self.page::<Row>(listing, page).await?;
        Ok(Page { items: items.into_iter().filter_map(|row| row.sk.parse().ok()).collect(), next })
    }

    /// Whose a reference is at a company, if it is anybody's.
    pub async fn has_reference(
        &self,
        company: CompanyId,
        kind: RecordKind,
        reference: &Reference,
    ) -> Result<bool, StoreError> {
        #[derive(Deserialize)]
        struct Taken {}
        let taken: Option<Taken> = self.read_plain(keys::reference(company, kind, reference)).await?;
        Ok(taken.is_some())
    }
}

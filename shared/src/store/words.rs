//! Search: a row for each word of a name, so that finding costs what is found; and whose a domain is.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::keys::{self, Key};
use super::page::{Listing, SortKeyRange};
use super::{Page, PageRequest, Position, Store, StoreError};
use crate::domain::{Company, CompanyDomain, CompanyId, Contact, ContactId, Lookup, Query, Reference, Words};

/// What can be found by its words.
pub trait Searchable {
    /// Which rows of words are its own.
    const KIND: &'static str;

    /// Its words.
    fn words(&self) -> Words;

    /// The rows by which it is found.
    fn rows(&self, id: &str) -> BTreeSet<Key> {
        self.words().keys().iter().map(|key| keys::word(Self::KIND, key, id)).collect()
    }
}

impl Searchable for Contact {
    const KIND: &'static str = "CONTACTS";

    /// Name and address, and the address's domain as its owner writes it.
    fn words(&self) -> Words {
        let domain = self.email.as_ref().map_or_else(String::new, |email| as_written(email.domain()));
        Words::of([self.name.as_str(), self.email.as_ref().map_or("", |email| email.as_str()), &domain])
    }

    fn rows(&self, id: &str) -> BTreeSet<Key> {
        let words = self.words().keys();
        let words = words.iter().map(|key| keys::word(Self::KIND, key, id));
        words.chain(self.email.iter().map(|email| keys::address_at_domain(email.domain(), id))).collect()
    }
}

impl Searchable for Company {
    const KIND: &'static str = "COMPANIES";

    /// Name, reference and domains.
    fn words(&self) -> Words {
        if self.merged_into.is_some() {
            return Words::default();
        }
        let domains: Vec<String> = self.domains.iter().map(|domain| as_written(domain.as_str())).collect();
        let texts = self.domains.iter().map(CompanyDomain::as_str).chain(domains.iter().map(String::as_str));
        let reference = self.reference.as_ref().map(Reference::as_str);
        Words::of(texts.chain([self.name.as_str()]).chain(reference))
    }
}

/// A domain with its letters instead of their code (IDNA).
fn as_written(domain: &str) -> String {
    idna::domain_to_unicode(domain).0
}

/// Who has a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DomainOwner {
    /// The company that names it as its own.
    Company(CompanyId),
    /// Nobody does, but a contact has an address there.
    Contact(ContactId),
}

/// A row of the search: by which key, and whose it is.
#[derive(Debug)]
pub struct WordRow<I> {
    /// The key of the word.
    pub word: String,
    /// Whose.
    pub id: I,
}

impl Store {
    /// The company that a domain belongs to: see [`DomainOwner`].
    pub async fn company_of_domain(&self, domain: &str) -> Result<Option<CompanyId>, StoreError> {
        Ok(match self.owner_of_domain(domain).await? {
            Some(DomainOwner::Company(company)) => Some(company),
            Some(DomainOwner::Contact(contact)) => self.contact(contact).await?.map(|contact| contact.company_id),
            None => None,
        })
    }

    /// Whose a domain is, or the one above it that somebody has.
    pub async fn owner_of_domain(&self, domain: &str) -> Result<Option<DomainOwner>, StoreError> {
        #[derive(Deserialize)]
        struct Owner {
            sk: String,
            company_id: Option<CompanyId>,
        }
        let above = std::iter::successors(Some(domain), |domain| Some(domain.split_once('.')?.1));
        let owner = |domain: String| async move {
            let listing = Listing {
                index: None,
                pk_name: keys::PK,
                pk: &domain,
                sk: None,
                newest_first: false,
                // Two colleagues who ask at the same time are of the same company.
                consistent: true,
            };
            // A company stands before contacts.
            self.page::<Owner>(listing, PageRequest { limit: 1, after: None }).await
        };
        // A top-level domain is nobody's.
        let above = above.filter(|domain| domain.contains('.')).map(|domain| owner(keys::domain(domain)));
        let mut owners = try_join_all(above).await?.into_iter().filter_map(|page| page.items.into_iter().next());
        let owner = |owner: Owner| {
            let contact = || owner.sk.parse().ok().map(DomainOwner::Contact);
            owner.company_id.map(DomainOwner::Company).or_else(contact)
        };
        Ok(owners.find_map(owner))
    }

    /// Which of these domains belong to another company than this one, and to which.
    pub async fn domains_of_others(
        &self,
        domains: &[CompanyDomain],
        company: CompanyId,
    ) -> Result<Vec<(CompanyDomain, CompanyId)>, StoreError> {
        #[derive(Deserialize)]
        struct Owner {
            pk: String,
            company_id: CompanyId,
        }
        let wanted: BTreeSet<&CompanyDomain> = domains.iter().collect();
        let items = self.items(wanted.iter().map(|domain| keys::domain_owner(domain))).await?;
        let owners = items.into_iter().map(serde_dynamo::from_item).collect::<Result<Vec<Owner>, _>>()?;
        let of_other = |owner: Owner| {
            let domain = wanted.iter().find(|domain| keys::domain(domain.as_str()) == owner.pk)?;
            (owner.company_id != company).then(|| ((*domain).clone(), owner.company_id))
        };
        Ok(owners.into_iter().filter_map(of_other).collect())
    }

    /// Rows of words that the query's best lookup finds.
    pub async fn words<T: Searchable, I: std::str::FromStr>(
        &self,
        query: &Query,
        page: PageRequest,
    ) -> Result<Page<WordRow<I>>, StoreError> {
        let Some(lookup) = query.lookups().into_iter().next() else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        self.words_found::<T, I>(&lookup, page).await
    }

    /// Rows of words that a lookup finds.
    pub async fn words_found<T: Searchable, I: std::str::FromStr>(
        &self,
        lookup: &Lookup,
        page: PageRequest,
    ) -> Result<Page<WordRow<I>>, StoreError> {
        #[derive(Deserialize)]
        struct Found {
            sk: String,
        }
        let partitions = lookup.partitions().into_iter().map(|part| keys::words(T::KIND, &part));
        let found: Page<Found> = self.rows_of_words(&partitions.collect::<Vec<_>>(), &lookup.beginning, page).await?;
        let row = |found: Found| {
            let (word, id) = found.sk.rsplit_once('#')?;
            Some(WordRow { word: word.to_owned(), id: id.parse().ok()? })
        };
        Ok(Page { items: found.items.into_iter().filter_map(row).collect(), next: found.next })
    }

    /// Rows that begin so, of one partition after the other.
    pub(super) async fn rows_of_words<T: DeserializeOwned>(
        &self,
        partitions: &[String],
        beginning: &str,
        page: PageRequest,
    ) -> Result<Page<T>, StoreError> {
        let PageRequest { limit, mut after } = page;
        let begun = after.as_ref().and_then(|Position(at)| at.get(keys::PK));
        let from = begun.and_then(|pk| partitions.iter().position(|one| one == pk)).unwrap_or_default();
        let mut found = Page { items: Vec::new(), next: None };
        for (n, pk) in partitions.iter().enumerate().skip(from) {
            let sk = Some((keys::SK, SortKeyRange::Beginning(beginning.to_owned())));
            let listing = Listing { index: None, pk_name: keys::PK, pk, sk, newest_first: false, consistent: false };
            let room = PageRequest { limit: limit - found.items.len(), after: after.take() };
            let read = self.page(listing, room).await?;
            found.items.extend(read.items);
            found.next = read.next;
            if found.next.is_some() {
                break;
            }
            if found.items.len() >= limit && n + 1 < partitions.len() {
                // The page is full, and the next begins in the next partition.
                let begin = [(keys::PK.to_owned(), partitions[n + 1].clone()), (keys::SK.to_owned(), " ".to_owned())];
                found.next = Some(Position(begin.into()));
                break;
            }
        }
        Ok(found)
    }
}

//! Search: a row for each word of a name, so that finding costs what is found.

use std::collections::BTreeSet;

use futures_util::try_join;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::page::{Listing, SortKeyRange};
use super::{Page, PageRequest, Store, StoreError, keys};
use crate::domain::{Company, CompanyId, Contact, ContactId, Query, fold, split};

/// More words than this of one name are not looked for.
const MOST_WORDS: usize = 24;

/// What can be found by its words.
pub trait Searchable {
    /// Where its words are.
    const WORDS: &'static str;

    /// Its words, folded.
    fn words(&self) -> BTreeSet<String>;
}

impl Searchable for Contact {
    const WORDS: &'static str = "WORDS#CONTACTS";

    /// Name and address; the address as a whole, too, and its domain by itself.
    fn words(&self) -> BTreeSet<String> {
        let email = self.email.iter().flat_map(|email| {
            [email.as_str().to_owned(), domain_word(email.domain())].into_iter().chain(split(email.as_str()))
        });
        split(self.name.as_str()).chain(email).take(MOST_WORDS).collect()
    }
}

impl Searchable for Company {
    const WORDS: &'static str = "WORDS#COMPANIES";

    /// Name, reference and domains.
    fn words(&self) -> BTreeSet<String> {
        let domains = self.domains.iter().map(|domain| domain.as_str().to_owned());
        let reference = self.reference.iter().map(|reference| fold(reference.as_str()));
        split(self.name.as_str()).chain(domains).chain(reference).take(MOST_WORDS).collect()
    }
}

/// The word by which contacts with an address at a domain are found.
fn domain_word(domain: &str) -> String {
    format!("@{domain}")
}

/// A row of the search: a word, and whose it is.
#[derive(Debug, Deserialize)]
pub struct WordRow<I> {
    /// The word.
    pub word: String,
    /// Whose.
    pub id: I,
}

impl Store {
    /// The company that a domain belongs to: one that names it, or one with a contact that has an address there.
    pub async fn company_of_domain(&self, domain: &str) -> Result<Option<CompanyId>, StoreError> {
        let first = PageRequest { limit: 1, after: None };
        // A key's separator ends the word: a longer domain that begins with this one is another.
        let (by_name, at) =
            (Query::of(vec![format!("{domain}#")]), Query::of(vec![format!("{}#", domain_word(domain))]));
        let Some((by_name, at)) = by_name.zip(at) else { return Ok(None) };
        let (companies, contacts) = try_join!(
            self.words::<Company, CompanyId>(&by_name, first.clone()),
            self.words::<Contact, ContactId>(&at, first)
        )?;
        match (companies.items.first(), contacts.items.first()) {
            (Some(row), _) => Ok(Some(row.id)),
            (None, Some(row)) => Ok(self.contact(row.id).await?.map(|contact| contact.company_id)),
            (None, None) => Ok(None),
        }
    }

    /// Rows of words that the query's longest term begins.
    pub async fn words<T: Searchable, I: DeserializeOwned>(
        &self,
        query: &Query,
        page: PageRequest,
    ) -> Result<Page<WordRow<I>>, StoreError> {
        let listing = Listing {
            index: None,
            pk_name: keys::PK,
            pk: T::WORDS,
            sk: Some((keys::SK, SortKeyRange::Beginning(keys::place(query.first()).to_owned()))),
            newest_first: false,
            consistent: false,
        };
        self.page(listing, page).await
    }
}

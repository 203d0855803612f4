//! Search: a row for each word of a name, so that finding costs what is found.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::page::Listing;
use super::{Page, PageRequest, Store, StoreError, fold, keys};
use crate::domain::{Company, Contact};

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

    /// Name and address; the address as a whole, too.
    fn words(&self) -> BTreeSet<String> {
        let email =
            self.email.iter().flat_map(|email| [email.as_str().to_owned()].into_iter().chain(split(email.as_str())));
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

/// A text's words, folded.
pub fn split(text: &str) -> impl Iterator<Item = String> {
    let folded = fold(text);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// What is looked for: every term must begin a word.
#[derive(Debug, Clone)]
pub struct Query {
    terms: Vec<String>,
}

impl Query {
    /// From what was typed; nothing, if nothing was.
    pub fn parse(text: &str) -> Option<Self> {
        let mut terms: Vec<String> = fold(text).split_whitespace().map(str::to_owned).collect();
        // The longest term finds the fewest rows; the others are held against what was found.
        terms.sort_by_key(|term| std::cmp::Reverse(term.len()));
        (!terms.is_empty()).then_some(Self { terms })
    }

    fn first(&self) -> &str {
        self.terms.first().map_or("", String::as_str)
    }

    /// Whether each term begins one of the words.
    pub fn matches(&self, words: &BTreeSet<String>) -> bool {
        self.terms.iter().all(|term| begins_one(words, term).is_some())
    }

    /// Whether this row is the one by which a thing with these words is found: of several that match, the first.
    pub fn found_by(&self, row: &str, words: &BTreeSet<String>) -> bool {
        begins_one(words, self.first()) == Some(row) && self.matches(words)
    }
}

fn begins_one<'a>(words: &'a BTreeSet<String>, term: &str) -> Option<&'a str> {
    words.range(term.to_owned()..).next().filter(|word| word.starts_with(term)).map(String::as_str)
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
            sk_begins: Some((keys::SK, query.first())),
            newest_first: false,
        };
        self.page(listing, page).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_must_begin_a_word_and_one_row_finds() {
        let words: BTreeSet<String> = split("Ann-Marie Annan, Zoë").collect();
        let query = Query::parse(" AN  zoe ").unwrap();
        assert!(query.matches(&words));
        assert!(!Query::parse("an bob").unwrap().matches(&words));
        let query = Query::parse("an").unwrap();
        assert!(query.found_by("ann", &words) && !query.found_by("annan", &words));
        assert!(Query::parse("   ").is_none());
    }
}

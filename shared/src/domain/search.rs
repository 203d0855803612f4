//! What is looked for, and in which words: without case and accents.

use std::collections::BTreeSet;

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// A text as it is sorted and searched: without case, without accents.
#[must_use]
pub fn fold(text: &str) -> String {
    let category = CodePointMapData::<GeneralCategory>::new();
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(text);
    let letters = decomposed.chars().filter(|c| category.get(*c) != GeneralCategory::NonspacingMark);
    letters.flat_map(char::to_lowercase).collect()
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
        Self::of(fold(text).split_whitespace().map(str::to_owned).collect())
    }

    /// Of these terms. The longest that was typed finds the fewest rows; the others are held against what was found.
    pub fn of(mut terms: Vec<String>) -> Option<Self> {
        terms.sort_by_key(|term| (term.starts_with('='), std::cmp::Reverse(term.len())));
        (!terms.is_empty()).then_some(Self { terms })
    }

    /// The term that rows are looked for by.
    #[must_use]
    pub fn first(&self) -> &str {
        self.terms.first().map_or("", String::as_str)
    }

    /// Whether it is a single mark, such as a kind of file: a whole word, and no beginning of others.
    #[must_use]
    pub fn is_one_mark(&self) -> bool {
        self.terms.len() == 1 && self.first().starts_with('=')
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_case_do_not_matter_to_a_search() {
        assert_eq!(fold("Ünïcode GmbH & Œuvre"), "unicode gmbh & œuvre");
    }

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

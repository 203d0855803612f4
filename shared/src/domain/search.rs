//! Search: how a text is cut into words, how a query is, and by which keys the one finds the other. Both are cut and
//! folded by the same function, so that a thing is found by its own name however that is written.

mod fold;

use std::collections::BTreeSet;

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, Script};
use serde::{Deserialize, Serialize};

pub use fold::fold;

/// Longer words are looked up by their beginning.
const LONGEST_KEY: usize = 40;
/// Numbers are found by any run of so many digits.
const DIGITS: usize = 4;
/// More between two numbers keeps them apart: `123456-7` is also one.
const MOST_BETWEEN: usize = 3;

/// How numbers are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKeys {
    /// By any four digits of them. Numbers that have these in common share a row: a thousand photos of one day have few.
    Parts,
    /// By all that follows a digit of them. As many rows for one number, and the more digits are typed, the fewer are
    /// found: numbers that are given one after the other differ in their ends.
    Ends,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// A word, found by its beginning.
    Word(String),
    /// Letters of a script that writes no spaces, or symbols: found in the middle.
    Dense(String),
    /// Digits, with their separators taken out: found by a run of digits, across separators or not.
    Number(Vec<String>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Digit,
    Dense,
    Letter(Script),
}

impl Class {
    fn of(c: char) -> Option<Self> {
        let category = CodePointMapData::<GeneralCategory>::new().get(c);
        if c.is_ascii_digit() {
            return Some(Self::Digit);
        }
        if category == GeneralCategory::OtherSymbol {
            return Some(Self::Dense);
        }
        c.is_alphanumeric().then(|| match CodePointMapData::<Script>::new().get(c) {
            Script::Han
            | Script::Hiragana
            | Script::Katakana
            | Script::Bopomofo
            | Script::Yi
            | Script::Thai
            | Script::Lao
            | Script::Khmer
            | Script::Myanmar
            | Script::Tibetan => Self::Dense,
            // The sound mark of both kana, which belongs to no script.
            _ if c == 'ー' => Self::Dense,
            script => Self::Letter(script),
        })
    }

    /// Whether the next character goes on with the same piece. Letters of no script of their own go with any.
    fn goes_on(self, next: Self) -> bool {
        match (self, next) {
            (Self::Letter(a), Self::Letter(b)) => a == b || [a, b].contains(&Script::Common),
            (one, other) => one == other,
        }
    }
}

/// Cuts a text where a separator stands, and where the script changes.
fn cut(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut run, mut class, mut between) = (String::new(), None, 0);
    let mut end = |run: &mut String, class: Option<Class>, between: usize| {
        let run = std::mem::take(run);
        match class {
            None => {}
            Some(Class::Letter(_)) => pieces.push(Piece::Word(run)),
            Some(Class::Dense) => pieces.push(Piece::Dense(run)),
            Some(Class::Digit) => match pieces.last_mut() {
                Some(Piece::Number(runs)) if (1..=MOST_BETWEEN).contains(&between) => runs.push(run),
                _ => pieces.push(Piece::Number(vec![run])),
            },
        }
    };
    // How far the run is from the one before it.
    let mut before = 0;
    for c in fold(text).chars() {
        let next = Class::of(c);
        if !class.zip(next).is_some_and(|(class, next): (Class, Class)| class.goes_on(next)) {
            end(&mut run, class, before);
            if class.is_some() {
                between = 0;
            }
            (class, before) = (next, between);
        }
        match next {
            Some(Class::Letter(script)) if script != Script::Common => class = next,
            None => between += 1,
            _ => {}
        }
        run.extend(next.map(|_| c));
    }
    end(&mut run, class, before);
    pieces
}

/// The words of a thing, by which it is found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(BTreeSet<String>);

impl Words {
    /// Of these texts.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        texts.into_iter().flat_map(cut).flat_map(Piece::words).collect()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    /// The keys by which they are looked up: a row each.
    #[must_use]
    pub fn keys(&self) -> BTreeSet<String> {
        self.keys_by(NumberKeys::Parts)
    }

    /// The same with numbers by other keys.
    #[must_use]
    pub fn keys_by(&self, numbers: NumberKeys) -> BTreeSet<String> {
        self.iter().flat_map(|word| keys(word, numbers)).collect()
    }

    fn begin_with(&self, beginning: &str) -> bool {
        self.0.range(beginning.to_owned()..).next().is_some_and(|word| word.starts_with(beginning))
    }

    fn contain(&self, part: &str) -> bool {
        self.iter().any(|word| word.contains(part))
    }
}

impl FromIterator<String> for Words {
    fn from_iter<I: IntoIterator<Item = String>>(words: I) -> Self {
        Self(words.into_iter().collect())
    }
}

impl Extend<String> for Words {
    fn extend<I: IntoIterator<Item = String>>(&mut self, words: I) {
        self.0.extend(words);
    }
}

impl Piece {
    fn words(self) -> Vec<String> {
        match self {
            Self::Word(word) | Self::Dense(word) => vec![word],
            Self::Number(runs) if runs.len() > 1 => {
                let joined = runs.concat();
                runs.into_iter().chain([joined]).collect()
            }
            Self::Number(runs) => runs,
        }
    }

    fn matches(&self, words: &Words) -> bool {
        match self {
            Self::Word(word) => words.begin_with(word),
            Self::Dense(text) => words.contain(text),
            Self::Number(runs) => {
                let joined = runs.concat();
                let has = |run: &String| if run.len() < DIGITS { words.begin_with(run) } else { words.contain(run) };
                joined.len() >= DIGITS && words.contain(&joined) || runs.iter().all(has)
            }
        }
    }

    fn lookup(&self, numbers: NumberKeys) -> Lookup {
        let beginning = |text: &str, decisive| Lookup { beginning: text.to_owned(), decisive };
        match self {
            Self::Word(word) => {
                let short = short(word);
                beginning(short, short.len() == word.len())
            }
            Self::Dense(text) => match text.char_indices().nth(2) {
                None if text.chars().count() == 2 => beginning(&format!("{text}#"), true),
                None => beginning(text, true),
                Some((end, _)) => beginning(&format!("{}#", &text[..end]), false),
            },
            // What is joined has each of its runs, too: the longest is likely to find the fewest.
            Self::Number(runs) if numbers == NumberKeys::Ends && runs.iter().any(|run| run.len() >= DIGITS) => {
                let longest = runs.iter().max_by_key(|run| run.len()).map_or("", String::as_str);
                beginning(short(longest), runs.len() == 1 && short(longest) == longest)
            }
            // What is joined begins as its first run does.
            Self::Number(runs) => match runs.first().map_or("", String::as_str) {
                run if run.len() >= DIGITS => {
                    beginning(&format!("{}#", &run[..DIGITS]), run.len() == DIGITS && runs.len() == 1)
                }
                run => beginning(run, false),
            },
        }
    }
}

/// As much of a word as is looked up.
fn short(word: &str) -> &str {
    word.char_indices().nth(LONGEST_KEY).map_or(word, |(end, _)| &word[..end])
}

/// The keys of one word: itself; of a number any run of digits, of a dense text any two letters and the last one.
fn keys(word: &str, numbers: NumberKeys) -> Vec<String> {
    match word.chars().next().and_then(Class::of) {
        Some(Class::Digit) if word.len() > DIGITS && numbers == NumberKeys::Ends => {
            (0..=word.len() - DIGITS).map(|at| short(&word[at..]).to_owned()).collect()
        }
        Some(Class::Digit) if word.len() > DIGITS => {
            (0..=word.len() - DIGITS).map(|at| word[at..at + DIGITS].to_owned()).collect()
        }
        Some(Class::Dense) => {
            let letters: Vec<char> = word.chars().collect();
            letters.windows(2).map(|two| two.iter().collect()).chain(letters.last().map(char::to_string)).collect()
        }
        _ => vec![short(word).to_owned()],
    }
}

/// Which part of the rows a key is in: the first letter, the first two digits. So no collection of rows grows with all.
#[must_use]
pub fn partition(key: &str) -> &str {
    let letters = if key.starts_with(|c: char| c.is_ascii_digit()) { 2 } else { 1 };
    match key.char_indices().nth(letters) {
        Some((end, _)) if !key[..end].ends_with('#') => &key[..end],
        _ => key.split('#').next().unwrap_or(key),
    }
}

/// Which rows hold what matches a term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// How they begin: `an`, or `1234#` where the whole key is meant.
    pub beginning: String,
    /// Whether each of these rows matches; else what it leads to has to be looked at.
    pub decisive: bool,
}

impl Lookup {
    /// The partitions to look into, in the order of their keys. A single digit begins numbers in eleven.
    #[must_use]
    pub fn partitions(&self) -> Vec<String> {
        let own = partition(&self.beginning).to_owned();
        let digit = self.beginning.len() == 1 && self.beginning.starts_with(|c: char| c.is_ascii_digit());
        let longer = (0..10).filter(|_| digit).map(|second| format!("{own}{second}"));
        std::iter::once(own.clone()).chain(longer).collect()
    }

    /// The same for whole words only: what is very short begins too many.
    #[must_use]
    pub fn whole(self) -> Self {
        if self.is_one_key() { self } else { Self { beginning: format!("{}#", self.beginning), ..self } }
    }

    /// Whether only one key is meant, whose rows are in an order of their own.
    #[must_use]
    pub fn is_one_key(&self) -> bool {
        self.beginning.ends_with('#')
    }
}

/// What is looked for: every term must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Piece>,
    /// Words that no text has, such as a kind of file.
    marks: Vec<String>,
}

impl Query {
    /// From what was typed; nothing, if there is no word in it.
    pub fn parse(text: &str) -> Option<Self> {
        let terms = cut(text);
        (!terms.is_empty()).then_some(Self { terms, marks: Vec::new() })
    }

    /// The same, or a new one, that asks for a mark as well.
    #[must_use]
    pub fn with_mark(query: Option<Self>, mark: &str) -> Self {
        let mut query = query.unwrap_or(Self { terms: Vec::new(), marks: Vec::new() });
        query.marks.push(mark.to_owned());
        query
    }

    /// The rows to look into, those that are likely to be the fewest first.
    #[must_use]
    pub fn lookups(&self) -> Vec<Lookup> {
        self.lookups_by(NumberKeys::Parts)
    }

    /// The same where numbers have other keys.
    #[must_use]
    pub fn lookups_by(&self, numbers: NumberKeys) -> Vec<Lookup> {
        let mark = |mark: &String| Lookup { beginning: format!("{mark}#"), decisive: true };
        let mut terms: Vec<Lookup> = self.terms.iter().map(|term| term.lookup(numbers)).collect();
        terms.sort_by_key(|lookup| std::cmp::Reverse(lookup.beginning.len()));
        terms.into_iter().chain(self.marks.iter().map(mark)).collect()
    }

    /// Whether each term matches one of the words.
    #[must_use]
    pub fn matches(&self, words: &Words) -> bool {
        self.terms.iter().all(|term| term.matches(words)) && self.marks.iter().all(|mark| words.has(mark))
    }

    /// Whether this row is the one by which a thing with these words is found: of several that match, the first.
    #[must_use]
    pub fn found_by(&self, key: &str, words: &Words) -> bool {
        self.found_by_key(key, words, NumberKeys::Parts)
    }

    /// The same where numbers have other keys.
    #[must_use]
    pub fn found_by_key(&self, key: &str, words: &Words, numbers: NumberKeys) -> bool {
        let Some(first) = self.lookups_by(numbers).into_iter().next() else { return false };
        let is_first = |key: &String| format!("{key}#").starts_with(&first.beginning);
        words.keys_by(numbers).iter().find(|key| is_first(key)).is_some_and(|first| first == key) && self.matches(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(query: &str, text: &str) -> bool {
        let words = Words::of([text]);
        let query = Query::parse(query).unwrap();
        for numbers in [NumberKeys::Parts, NumberKeys::Ends] {
            let keys = words.keys_by(numbers);
            let looked_up = |lookup: &Lookup| {
                keys.iter().any(|key| {
                    format!("{key}#").starts_with(&lookup.beginning)
                        && lookup.partitions().iter().any(|one| one == partition(key))
                })
            };
            let by_rows = query.lookups_by(numbers).iter().all(looked_up);
            assert!(by_rows || !query.matches(&words), "{text} matches and has no row");
            let finding = keys.iter().filter(|key| query.found_by_key(key, &words, numbers)).count();
            assert_eq!(finding, usize::from(query.matches(&words)));
        }
        query.matches(&words)
    }

    #[test]
    fn every_term_must_match_and_one_row_finds() {
        let words = Words::of(["Ann-Marie Annan, Zoë"]);
        assert!(Query::parse(" AN  zoe ").unwrap().matches(&words));
        assert!(!Query::parse("an bob").unwrap().matches(&words));
        let query = Query::parse("an").unwrap();
        assert!(query.found_by("ann", &words) && !query.found_by("annan", &words));
        assert!(Query::parse("   ").is_none() && Query::parse("&-").is_none());
    }

    #[test]
    fn names_with_signs_are_found_as_they_are_written() {
        for name in [
            "O'Brien & Sons",
            "Müller+Söhne GmbH",
            "A.P. Møller-Mærsk A/S",
            "C++ Devs #1",
            "4/5 Logistics",
            "\"Ost\" (West)",
            "24/7",
            "VOY 17/A",
            "X",
            "7",
            "🚢 Line",
        ] {
            assert!(found(name, name), "{name}");
            assert!(found(&name.to_uppercase(), name), "{name}");
        }
    }

    #[test]
    fn numbers_are_found_by_any_four_digits_with_and_without_separators() {
        for text in ["MSKU1234567", "MSKU 123456-7", "msku-123 456 7", "photo_MSKU1234567.jpg"] {
            for query in ["MSKU1234567", "1234567", "123456-7", "3456", "4567", "msku 123", "12-34", "MSKU 123456 7"] {
                assert!(found(query, text), "{query} in {text}");
            }
            assert!(!found("345", text) && !found("7654", text));
        }
        assert!(found("2026 11", "Report 11 of 2026") && found("2026-11-26", "IMG_20261126_143015.jpg"));
        assert!(found("1", "Hall 12") && found("1", "Hall 1") && !found("2", "Hall 12"));
    }

    #[test]
    fn words_of_scripts_without_spaces_are_found_in_the_middle() {
        for (query, text) in [
            ("港区", "東京都港区役所"),
            ("京都港", "東京都港区役所"),
            ("所", "東京都港区役所"),
            ("東", "東京都港区役所"),
            ("サーバー", "新サーバー室"),
            ("ｻｰﾊﾞｰ", "新サーバー室"),
            ("กรุงเทพ", "บริษัทกรุงเทพจำกัด"),
            ("현대", "Hyundai현대중공업"),
            ("手机", "iPhone手机"),
        ] {
            assert!(found(query, text), "{query} in {text}");
        }
        assert!(!found("京港", "東京都港区役所"));
    }

    /// Names and references of twenty scripts and more.
    fn scripts() -> impl Strategy<Value = String> {
        let script = prop::sample::select(vec![
            "Latin",
            "Greek",
            "Cyrillic",
            "Armenian",
            "Hebrew",
            "Arabic",
            "Devanagari",
            "Bengali",
            "Gurmukhi",
            "Gujarati",
            "Tamil",
            "Telugu",
            "Kannada",
            "Malayalam",
            "Sinhala",
            "Thai",
            "Lao",
            "Myanmar",
            "Georgian",
            "Ethiopic",
            "Khmer",
            "Hangul",
            "Hiragana",
            "Katakana",
            "Han",
            "Cherokee",
        ]);
        script.prop_flat_map(|script| {
            prop::string::string_regex(&format!("[\\p{{{script}}}0-9 &./+'-]{{1,24}}")).unwrap()
        })
    }

    proptest! {
        #[test]
        fn a_thing_is_found_by_its_own_name_in_any_case_and_form(name in scripts()) {
            use icu_normalizer::{ComposingNormalizerBorrowed as Composing, DecomposingNormalizerBorrowed as Decomposing};
            prop_assume!(Query::parse(&name).is_some());
            for written in [
                name.clone(),
                name.to_uppercase(),
                name.to_lowercase(),
                fold(&name),
                Composing::new_nfkc().normalize(&name).into_owned(),
                Decomposing::new_nfd().normalize(&name).into_owned(),
            ] {
                prop_assert!(found(&written, &name), "{:?} by {:?}", name, written);
                prop_assert!(found(&name, &written), "{:?} by {:?}", written, name);
            }
        }

        #[test]
        fn a_number_is_found_by_any_run_of_its_digits(
            digits in "[0-9]{4,18}", at in 0_usize..15, most in 4_usize..18, every in 1_usize..9, sign in "[-/. _]",
        ) {
            let at = at.min(digits.len() - 4);
            let run = &digits[at..(at + most).min(digits.len())];
            let parted: String =
                digits.char_indices().flat_map(|(n, c)| (n > 0 && n % every == 0).then(|| sign.clone()).into_iter().chain([c.to_string()])).collect();
            prop_assert!(found(run, &digits));
            prop_assert!(found(run, &parted), "{} in {}", run, parted);
            prop_assert!(found(&parted, &digits), "{} in {}", parted, digits);
        }

        #[test]
        fn words_are_found_by_how_they_begin(word in "[a-zäöüßéłø]{1,60}", most in 1_usize..60, around in "[a-z]{1,9}") {
            let beginning: String = word.chars().take(most).collect();
            let text = format!("{around} {word}");
            prop_assert!(found(&beginning, &text));
        }
    }
}

//! Lists of a company's records: a page of one in any order, filtered or searched, at the cost of what is found.
//!
//! Each filter is a list of its own, in each order. Where several things are asked for, the list of the first is read, and
//! its lines, which hold all that is asked about, are held against the others. Words lead to lines in the same way.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_with::json::JsonString;
use serde_with::serde_as;

use super::page::{Listing, SortKeyRange};
use super::{Page, PageRequest, Position, Store, StoreError, keys};
use crate::clock::{Timestamp, sortable};
use crate::domain::{CompanyId, Lookup, NumberKeys, Query, RecordLine, RecordList, RecordOrder};

/// More rows of words than this are not gathered for one term: they are keys, some 100 bytes each.
const MOST_FOUND: usize = 1_000;
/// More lines than this are not read to be sorted.
const MOST_SORTED: usize = 200;
/// So few are looked at themselves, instead of looking up what other terms find.
const FEW: usize = 100;
/// More terms than this are not looked up.
const MOST_LOOKUPS: usize = 4;
/// So many lines are read in one go once a page of them has not passed.
const SIFTED: usize = 100;
/// A page that filters have emptied is filled up from this many reads at most; then it is short.
const MOST_READS: usize = 4;

/// What is asked of a company's records.
#[derive(Debug, Clone)]
pub struct RecordQuery {
    /// Words that a record must have.
    pub words: Option<Query>,
    /// Lists that it must lie in.
    pub lists: BTreeSet<RecordList>,
    /// A list that it must not lie in.
    pub without: Option<RecordList>,
    /// Not changed before.
    pub since: Option<Timestamp>,
    /// In which order.
    pub order: RecordOrder,
    /// The greatest first.
    pub descending: bool,
}

/// Where the next page begins.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordPlace {
    /// In the list.
    Listed(Position),
    /// Among the rows of words.
    Words(Position),
    /// Behind this place of what was gathered and sorted.
    Sorted(String),
}

/// A page of records.
#[derive(Debug)]
pub struct RecordPage<L> {
    /// Their lines.
    pub lines: Vec<L>,
    /// Where the next page begins, if there is one.
    pub next: Option<RecordPlace>,
    /// Whether the pages come in the order that was asked for: what is too much is not sorted.
    pub sorted: bool,
}

/// A row, as it lies in a list.
#[serde_as]
#[derive(Deserialize)]
#[serde(bound = "L: RecordLine")]
struct Row<L> {
    #[serde_as(as = "JsonString")]
    line: L,
}

/// A row of a word.
#[derive(Deserialize)]
struct WordRow {
    sk: String,
}

impl WordRow {
    fn leads_to<L: RecordLine>(&self) -> Option<(&str, L::Id)> {
        let (word, id) = self.sk.rsplit_once('#')?;
        Some((word, id.parse().ok()?))
    }
}

impl RecordQuery {
    /// The list that is read: that in which there are likely to be the fewest.
    fn list(&self) -> RecordList {
        self.lists.first().cloned().unwrap_or(RecordList::All)
    }

    fn passes<L: RecordLine>(&self, line: &L) -> bool {
        let lists = line.lists();
        self.lists.is_subset(&lists)
            && self.without.as_ref().is_none_or(|without| !lists.contains(without))
            && self.since.is_none_or(|since| line.updated_at() >= since)
            && self.words.as_ref().is_none_or(|words| words.matches(&line.words()))
    }

    /// Whether a list holds lines that do not pass.
    fn sifts(&self) -> bool {
        let since = self.since.is_some() && self.order != RecordOrder::Updated;
        self.lists.len() > 1 || self.without.is_some() || self.words.is_some() || since
    }

    /// The parts of an index that are read, one after the other: what has no time comes last, whichever way.
    fn ranges(&self) -> Vec<Option<SortKeyRange>> {
        match (self.order, self.since, self.descending) {
            (RecordOrder::Updated, Some(since), _) => {
                vec![Some(SortKeyRange::Between(sortable(since), keys::UNSCHEDULED.to_owned()))]
            }
            (RecordOrder::Scheduled, _, true) => vec![
                // After the last digit, before what has no time.
                Some(SortKeyRange::Between("0".to_owned(), ":".to_owned())),
                Some(SortKeyRange::Beginning(keys::UNSCHEDULED.to_owned())),
            ],
            _ => vec![None],
        }
    }
}

impl Store {
    /// A page of a company's records.
    pub async fn records<L: RecordLine>(
        &self,
        company: CompanyId,
        query: &RecordQuery,
        limit: usize,
        after: Option<RecordPlace>,
    ) -> Result<RecordPage<L>, StoreError> {
        let (words, after) = match (&query.words, after) {
            (_, Some(RecordPlace::Listed(after))) => {
                return self.listed_records(company, query, limit, Some(after)).await;
            }
            (Some(words), Some(RecordPlace::Words(after))) => {
                return self.in_order_of_words(company, query, words, limit, Some(after)).await;
            }
            (Some(words), Some(RecordPlace::Sorted(after))) => (words, Some(after)),
            (Some(words), None) => (words, None),
            (None, _) => return self.listed_records(company, query, limit, None).await,
        };
        match self.gather_records::<L>(company, words, after.is_some()).await? {
            Some(found) => self.sorted_records(company, query, found, limit, after).await,
            // The few of another filter are gone through instead.
            None if !query.lists.is_empty() => self.listed_records(company, query, limit, None).await,
            None => self.in_order_of_words(company, query, words, limit, None).await,
        }
    }

    /// What every term has found, if it is not too much to be sorted. Who turns a page has seen the first: what has come
    /// since is allowed for.
    async fn gather_records<L: RecordLine>(
        &self,
        company: CompanyId,
        words: &Query,
        again: bool,
    ) -> Result<Option<BTreeSet<L::Id>>, StoreError> {
        let lookups = words.lookups_by(NumberKeys::Ends);
        let Some((best, others)) = lookups.split_first() else { return Ok(Some(BTreeSet::new())) };
        let all = || PageRequest { limit: MOST_FOUND, after: None };
        let mut pages = vec![self.record_word_rows::<L>(company, best, all()).await?];
        if pages[0].next.is_some() || pages[0].items.len() > FEW {
            let others = others.iter().take(MOST_LOOKUPS - 1);
            let others = others.map(|lookup| self.record_word_rows::<L>(company, lookup, all()));
            pages.extend(try_join_all(others).await?);
        }
        let complete = pages.into_iter().filter(|page| page.next.is_none());
        let ids = complete.map(|page| page.items.iter().filter_map(|row| Some(row.leads_to::<L>()?.1)).collect());
        let found: Option<BTreeSet<L::Id>> =
            ids.reduce(|one: BTreeSet<L::Id>, other| one.intersection(&other).copied().collect());
        let most = if again { 2 * MOST_SORTED } else { MOST_SORTED };
        Ok(found.filter(|found| found.len() <= most))
    }

    async fn sorted_records<L: RecordLine>(
        &self,
        company: CompanyId,
        query: &RecordQuery,
        found: BTreeSet<L::Id>,
        limit: usize,
        after: Option<String>,
    ) -> Result<RecordPage<L>, StoreError> {
        let lines = self.lines::<L>(company, found).await?;
        let mut lines: Vec<(String, L)> = lines
            .into_iter()
            .filter(|line| query.passes(line))
            .map(|line| (keys::record_place(&line, query.order), line))
            .collect();
        // What has no time comes last, whichever way.
        let untimed = |place: &str| query.order == RecordOrder::Scheduled && place.starts_with(keys::UNSCHEDULED);
        let order = |one: &str, other: &str| {
            let places = if query.descending { other.cmp(one) } else { one.cmp(other) };
            untimed(one).cmp(&untimed(other)).then(places)
        };
        lines.sort_by(|(one, _), (other, _)| order(one, other));
        if let Some(after) = after {
            lines.retain(|(place, _)| order(place, &after).is_gt());
        }
        let more = lines.len() > limit;
        lines.truncate(limit);
        let next = lines.last().filter(|_| more).map(|(place, _)| RecordPlace::Sorted(place.clone()));
        Ok(RecordPage { lines: lines.into_iter().map(|(_, line)| line).collect(), next, sorted: true })
    }

    /// A page of a list, in its order.
    async fn listed_records<L: RecordLine>(
        &self,
        company: CompanyId,
        query: &RecordQuery,
        limit: usize,
        after: Option<Position>,
    ) -> Result<RecordPage<L>, StoreError> {
        let (list, attribute) = (query.list(), query.order.attribute());
        let pk = &keys::records(company, L::KIND, &list);
        let untimed = |Position(at): &Position| at.get(attribute).is_some_and(|sk| sk.starts_with(keys::UNSCHEDULED));
        let mut ranges = query.ranges();
        if ranges.len() > 1 && after.as_ref().is_some_and(untimed) {
            ranges.remove(0);
        }
        let (mut lines, mut after, mut reads): (Vec<L>, _, _) = (Vec::with_capacity(limit), after, 0);
        for (n, range) in ranges.into_iter().enumerate() {
            if n > 0 {
                after = Some(before_untimed(pk, attribute));
            }
            loop {
                let room = limit - lines.len();
                if reads == MOST_READS || room == 0 {
                    return Ok(RecordPage { lines, next: after.map(RecordPlace::Listed), sorted: true });
                }
                reads += 1;
                // Where much does not pass, more is read at once.
                let read = if reads > 1 && query.sifts() { room.max(SIFTED) } else { room };
                let page = PageRequest { limit: read, after: after.take() };
                let listing = Listing {
                    index: Some(query.order.index()),
                    pk_name: keys::PK,
                    pk,
                    sk: range.as_ref().map(|range| (attribute, range.clone())),
                    newest_first: query.descending,
                    consistent: false,
                };
                let found: Page<Row<L>> = self.page(listing, page).await?;
                let mut passed = found.items.into_iter().map(|row| row.line).filter(|line| query.passes(line));
                lines.extend(passed.by_ref().take(room));
                if passed.next().is_some() {
                    let behind = lines.last().map(|line| position(line, &list, query.order));
                    return Ok(RecordPage { lines, next: behind.map(RecordPlace::Listed), sorted: true });
                }
                after = found.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(RecordPage { lines, next: None, sorted: true })
    }

    /// A page of what is too much to be sorted: in the order of the words, each record by the first of its own that match.
    async fn in_order_of_words<L: RecordLine>(
        &self,
        company: CompanyId,
        query: &RecordQuery,
        words: &Query,
        limit: usize,
        mut after: Option<Position>,
    ) -> Result<RecordPage<L>, StoreError> {
        let mut lines: Vec<L> = Vec::with_capacity(limit);
        for _ in 0..MOST_READS {
            let Some(lookup) = words.lookups_by(NumberKeys::Ends).into_iter().next() else { break };
            let page = PageRequest { limit: limit - lines.len(), after: after.take() };
            let found = self.record_word_rows::<L>(company, &lookup, page).await?;
            let hits: Vec<(&str, L::Id)> = found.items.iter().filter_map(WordRow::leads_to::<L>).collect();
            let read = self.lines::<L>(company, hits.iter().map(|(_, id)| *id).collect()).await?;
            lines.extend(hits.iter().filter_map(|(word, id)| {
                let line = read.iter().find(|line| line.id() == *id)?;
                (words.found_by_key(word, &line.words(), NumberKeys::Ends) && query.passes(line)).then(|| line.clone())
            }));
            after = found.next;
            if after.is_none() || lines.len() >= limit {
                break;
            }
        }
        Ok(RecordPage { lines, next: after.map(RecordPlace::Words), sorted: false })
    }

    /// The rows that a lookup finds, one partition after the other.
    async fn record_word_rows<L: RecordLine>(
        &self,
        company: CompanyId,
        lookup: &Lookup,
        page: PageRequest,
    ) -> Result<Page<WordRow>, StoreError> {
        let partitions = lookup.partitions().into_iter().map(|part| keys::record_words(company, L::KIND, &part));
        self.rows_of_words(&partitions.collect::<Vec<_>>(), &lookup.beginning, page).await
    }

    /// These records of a company, as far as they are there; what is milliseconds old may be missing.
    async fn lines<L: RecordLine>(&self, company: CompanyId, ids: BTreeSet<L::Id>) -> Result<Vec<L>, StoreError> {
        let pk = keys::records(company, L::KIND, &RecordList::All);
        let keys = ids.into_iter().map(|id| keys::Key { pk: pk.clone(), sk: id.to_string() });
        let rows = self.some_items(keys, false).await?.into_iter().map(serde_dynamo::from_item);
        Ok(rows.map(|row| row.map(|row: Row<L>| row.line)).collect::<Result<_, _>>()?)
    }
}

/// Where what has no time begins, where the latest comes first.
fn before_untimed(pk: &str, attribute: &str) -> Position {
    let beginning = [(keys::PK, pk), (keys::SK, "~"), (attribute, "~~")];
    Position(beginning.map(|(name, text)| (name.to_owned(), text.to_owned())).into())
}

/// Behind that line in a list.
fn position<L: RecordLine>(line: &L, list: &RecordList, order: RecordOrder) -> Position {
    let pk = keys::records(line.company(), L::KIND, list);
    let place = (order.attribute().to_owned(), keys::record_place(line, order));
    Position([(keys::PK.to_owned(), pk), (keys::SK.to_owned(), line.id().to_string()), place].into())
}

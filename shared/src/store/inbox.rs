//! Inboxes: a page of one in any order, filtered or searched, at the cost of what is found.
//!
//! Each order is an index of the inbox's partition, each word a row of its own. Where what is asked for is one of these in
//! its own order, a page is read from it. Where an order and a filter do not go together, what the filter finds is
//! gathered and sorted, if it is not too much; of too much, the pages come in the order of what found them.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use futures_util::try_join;
use serde::{Deserialize, Serialize};

use super::page::{Listing, SortKeyRange};
use super::{Page, PageRequest, Position, Store, StoreError, Stored, keys};
use crate::clock::{Timestamp, sortable};
use crate::domain::{ContactId, InboxOf, InboxRow, Lookup, Query, ShareId, Words};

/// More rows of words than this are not gathered for one term: they are keys, 80 bytes each.
const MOST_FOUND: usize = 1_000;
/// So few are looked at themselves, instead of looking up what other terms find.
const FEW: usize = 100;
/// More terms than this are not looked up: what they found is looked at for the others.
const MOST_LOOKUPS: usize = 4;
/// More rows than this are not read to be sorted.
const MOST_SORTED: usize = 1_000;
/// More than this is not counted.
const MOST_COUNTED: u16 = 1_000;
/// Further pages of what was gathered allow for what came in between.
const AGAIN: usize = 2;
/// A page that filters have emptied is filled up from this many reads at most; then it is short.
const MOST_READS: usize = 4;

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxOrder {
    /// When it came.
    Time,
    /// Its title.
    Title,
    /// The size of its files.
    Size,
}

impl InboxOrder {
    fn index(self) -> &'static str {
        match self {
            Self::Time => keys::BY_TIME,
            Self::Title => keys::BY_TITLE,
            Self::Size => keys::BY_SIZE,
        }
    }

    fn place(self, row: &InboxRow) -> String {
        match self {
            Self::Time => keys::by_time(row.received_at, row.share_id),
            Self::Title => keys::by_title(row.title.as_str(), row.share_id),
            Self::Size => keys::by_size(row.total_size, row.share_id),
        }
    }
}

/// What is asked of an inbox.
#[derive(Debug, Clone)]
pub struct InboxQuery {
    /// Words that a share must have.
    pub words: Option<Query>,
    /// Only what was not opened yet.
    pub unread: bool,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// In which order.
    pub order: InboxOrder,
    /// The greatest first.
    pub descending: bool,
    /// Whether all that is found is counted, up to 1,000, at the price of reading it.
    pub counted: bool,
}

/// Where the next page begins.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxPlace {
    /// In the index or among the words.
    Read(Position),
    /// Behind this place of what was gathered and sorted.
    Sorted(String),
}

/// A page of an inbox.
#[derive(Debug)]
pub struct InboxPage {
    /// Its rows.
    pub rows: Vec<InboxRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<InboxPlace>,
    /// Whether the pages come in the order that was asked for: what is too much is not sorted.
    pub sorted: bool,
    /// How many there are on all pages, up to 1,000, where that is known.
    pub total: Option<u64>,
}

/// A row of a word.
#[derive(Debug, Clone, Deserialize)]
struct WordRow {
    pk: String,
    sk: String,
}

/// What a row of a word says.
struct Hit {
    word: String,
    at: Timestamp,
    share: ShareId,
}

impl WordRow {
    fn hit(&self) -> Option<Hit> {
        keys::parse_share_word(&self.sk).map(|(word, at, share)| Hit { word: word.to_owned(), at, share })
    }
}

/// What gathering came to.
enum Gathered {
    /// Each share that is found, when it came, and whether that is certain without looking at its words.
    All { found: BTreeMap<ShareId, Timestamp>, certain: bool },
    /// With the rows of words that were found, where it was words that were looked for.
    TooMany(Option<Page<WordRow>>),
}

impl Page<WordRow> {
    /// The beginning of it, as a page of its own.
    fn first(mut self, limit: usize) -> Self {
        if self.items.len() > limit {
            self.items.truncate(limit);
            let last = self.items.last();
            let place = |row: &WordRow| {
                Position([(keys::PK.to_owned(), row.pk.clone()), (keys::SK.to_owned(), row.sk.clone())].into())
            };
            self.next = last.map(place);
        }
        self
    }
}

impl InboxQuery {
    fn within_time(&self) -> Option<SortKeyRange> {
        (self.from.is_some() || self.to.is_some()).then(|| {
            // Before all times, and after: a key is never empty.
            let from = self.from.map_or_else(|| "0".to_owned(), sortable);
            SortKeyRange::Between(from, self.to.map_or_else(|| "~".to_owned(), sortable))
        })
    }

    fn in_time(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
    }

    /// All but the words.
    fn passes(&self, row: &InboxRow) -> bool {
        (!self.unread || row.unread) && self.in_time(row.received_at)
    }

    /// Whether what it asks for is found in the order in which it asks for it.
    fn is_in_order(&self) -> bool {
        match &self.words {
            // The rows of one key are in order.
            Some(words) => {
                let lookups = words.lookups();
                let one_key = lookups.len() == 1 && lookups[0].is_one_key();
                one_key && self.order == InboxOrder::Time && self.descending
            }
            None if self.unread => self.order == InboxOrder::Time,
            None => self.order == InboxOrder::Time || self.within_time().is_none(),
        }
    }
}

/// The rows of an inbox in the order of an index, within the time that is asked for where that is it.
fn sorted_listing<'a>(pk: &'a str, query: &InboxQuery, index: &'static str) -> Listing<'a> {
    let (sk_name, by_time) = match index {
        keys::BY_TITLE => (keys::TITLE_SK, false),
        keys::BY_SIZE => (keys::SIZE_SK, false),
        keys::BY_UNREAD => (keys::UNREAD_SK, true),
        _ => (keys::TIME_SK, true),
    };
    let sk = query.within_time().filter(|_| by_time).map(|within| (sk_name, within));
    let newest_first = query.descending;
    Listing { index: Some(index), pk_name: keys::PK, pk, sk, newest_first, consistent: false }
}

impl Store {
    /// A page of an inbox. How many there are is known where they are all on the first page, or were all gathered.
    pub async fn inbox(
        &self,
        of: InboxOf,
        query: &InboxQuery,
        limit: usize,
        after: Option<InboxPlace>,
    ) -> Result<InboxPage, StoreError> {
        let first = after.is_none();
        let (mut page, counted) = try_join!(self.inbox_page(of, query, limit, after), self.counted(of, query))?;
        let all_on_it = (first && page.next.is_none()).then_some(page.rows.len() as u64);
        page.total = all_on_it.or(page.total).or(counted).map(|total| total.min(MOST_COUNTED.into()));
        Ok(page)
    }

    async fn inbox_page(
        &self,
        of: InboxOf,
        query: &InboxQuery,
        limit: usize,
        after: Option<InboxPlace>,
    ) -> Result<InboxPage, StoreError> {
        let after = match after {
            Some(InboxPlace::Read(position)) => return self.read_on(of, query, limit, Some(position), None).await,
            Some(InboxPlace::Sorted(after)) => Some(after),
            None => None,
        };
        // What is unread is mostly little, and looked at sooner than all that has a word.
        if query.unread
            && query.words.is_some()
            && let Gathered::All { found, .. } = self.gather_rows(of, query, FEW, after.is_some()).await?
        {
            return self.sorted(of, query, found, false, limit, after).await;
        }
        if after.is_none() && query.is_in_order() {
            return self.read_on(of, query, limit, None, None).await;
        }
        let gathered = match &query.words {
            Some(words) => self.gather(of, words, after.is_some()).await?,
            None => self.gather_rows(of, query, MOST_SORTED, after.is_some()).await?,
        };
        match gathered {
            Gathered::All { found, certain } => self.sorted(of, query, found, certain, limit, after).await,
            Gathered::TooMany(found) => self.read_on(of, query, limit, None, found).await,
        }
    }

    /// How many there are, where that was asked for and one list of keys says it.
    async fn counted(&self, of: InboxOf, query: &InboxQuery) -> Result<Option<u64>, StoreError> {
        if !query.counted {
            return Ok(None);
        }
        let Some(words) = &query.words else {
            let index = if query.unread { keys::BY_UNREAD } else { keys::BY_TIME };
            let pk = keys::inbox(of);
            return self.count(sorted_listing(&pk, query, index), MOST_COUNTED).await.map(Some);
        };
        let lookups = words.lookups();
        let only = lookups.first().filter(|lookup| lookups.len() == 1 && lookup.is_one_key() && lookup.decisive);
        let Some(lookup) = only.filter(|_| !query.unread && query.within_time().is_none()) else { return Ok(None) };
        let Some(partition) = lookup.partitions().pop() else { return Ok(None) };
        let pk = &keys::share_words_partition(of, &partition);
        let sk = Some((keys::SK, SortKeyRange::Beginning(lookup.beginning.clone())));
        let listing = Listing { index: None, pk_name: keys::PK, pk, sk, newest_first: false, consistent: false };
        self.count(listing, MOST_COUNTED).await.map(Some)
    }

    /// What every term has found, if it is not too much.
    async fn gather(&self, of: InboxOf, words: &Query, again: bool) -> Result<Gathered, StoreError> {
        // Who turns a page has seen the first: what has come since is left for the next look.
        let most = if again { AGAIN * MOST_FOUND } else { MOST_FOUND };
        let lookups = words.lookups();
        let all = || PageRequest { limit: most, after: None };
        let Some((best, others)) = lookups.split_first() else {
            return Ok(Gathered::All { found: BTreeMap::new(), certain: true });
        };
        let mut pages = vec![self.word_rows(of, best, all()).await?];
        if pages[0].next.is_some() || pages[0].items.len() > FEW {
            let others = others.iter().take(MOST_LOOKUPS - 1);
            pages.extend(try_join_all(others.map(|lookup| self.word_rows(of, lookup, all()))).await?);
        }
        let mut certain = lookups.len() == pages.len();
        let (mut found, mut first): (Option<BTreeMap<ShareId, Timestamp>>, _) = (None, None);
        for (lookup, page) in lookups.iter().zip(pages) {
            certain &= lookup.decisive && page.next.is_none();
            if page.next.is_some() && !again {
                first.get_or_insert(page);
                continue;
            }
            let hits = page.items.iter().filter_map(WordRow::hit).map(|hit| (hit.share, hit.at));
            let hits: BTreeMap<ShareId, Timestamp> = hits.collect();
            found = Some(match found {
                None => hits,
                Some(found) => found.into_iter().filter(|(share, at)| hits.get(share) == Some(at)).collect(),
            });
        }
        Ok(match found {
            Some(found) => Gathered::All { found, certain },
            None => Gathered::TooMany(first),
        })
    }

    /// What is unread, or of some time, if it is not too much.
    async fn gather_rows(
        &self,
        of: InboxOf,
        query: &InboxQuery,
        most: usize,
        again: bool,
    ) -> Result<Gathered, StoreError> {
        let limit = if again { AGAIN * most } else { most };
        let index = if query.unread { keys::BY_UNREAD } else { keys::BY_TIME };
        let page = self.sorted_rows(of, query, index, PageRequest { limit, after: None }).await?;
        if page.next.is_some() && !again {
            return Ok(Gathered::TooMany(None));
        }
        let found = page.items.into_iter().map(|row| (row.share_id, row.received_at)).collect();
        Ok(Gathered::All { found, certain: true })
    }

    /// A page of what was gathered, in the order that is asked for. By time, no more rows are read than it shows.
    async fn sorted(
        &self,
        of: InboxOf,
        query: &InboxQuery,
        found: BTreeMap<ShareId, Timestamp>,
        certain: bool,
        limit: usize,
        after: Option<String>,
    ) -> Result<InboxPage, StoreError> {
        let found: Vec<(ShareId, Timestamp)> = found.into_iter().filter(|(_, at)| query.in_time(*at)).collect();
        let (mut places, mut rows, order) = match query.order {
            order if order != InboxOrder::Time && found.len() <= AGAIN * MOST_SORTED => {
                let rows = self.rows(of, found.iter().map(|(share, _)| *share).collect()).await?;
                let rows: BTreeMap<ShareId, InboxRow> = rows.into_iter().map(|row| (row.share_id, row)).collect();
                let places = rows.values().map(|row| (order.place(row), row.share_id)).collect::<Vec<_>>();
                (places, Some(rows), order)
            }
            _ => {
                let place = |(share, at): &(ShareId, Timestamp)| (keys::by_time(*at, *share), *share);
                (found.iter().map(place).collect(), None, InboxOrder::Time)
            }
        };
        // What was not looked at may not be one.
        let all_count = certain && (query.words.is_none() || !query.unread);
        let total = all_count.then_some(found.len() as u64);
        let sorted = order == query.order;
        let descending = if sorted { query.descending } else { true };
        places.sort_unstable();
        if descending {
            places.reverse();
        }
        let behind = |place: &str| match after.as_deref() {
            Some(after) => {
                if descending {
                    place < after
                } else {
                    place > after
                }
            }
            None => true,
        };
        places.retain(|(place, _)| behind(place));

        let mut page = InboxPage { rows: Vec::with_capacity(limit), next: None, sorted, total };
        for some in places.chunks(limit.max(1)).take(MOST_READS) {
            let ids: BTreeSet<ShareId> = some.iter().map(|(_, share)| *share).collect();
            let read = match &mut rows {
                Some(rows) => ids.iter().filter_map(|id| rows.remove(id)).collect(),
                None => self.rows(of, ids).await?,
            };
            let mut read = self.matching(query, read, certain).await?;
            for (place, share) in some {
                if page.rows.len() >= limit {
                    return Ok(page);
                }
                if let Some(at) = read.iter().position(|row| row.share_id == *share) {
                    page.rows.push(read.swap_remove(at));
                }
                page.next = places.last().filter(|(last, _)| last != place).map(|_| InboxPlace::Sorted(place.clone()));
            }
        }
        Ok(page)
    }

    /// Those of the rows that are asked for. The words of a share are read only where nothing else tells.
    async fn matching(
        &self,
        query: &InboxQuery,
        rows: Vec<InboxRow>,
        certain: bool,
    ) -> Result<Vec<InboxRow>, StoreError> {
        let mut rows: Vec<InboxRow> = rows.into_iter().filter(|row| query.passes(row)).collect();
        let Some(words) = query.words.as_ref().filter(|_| !certain) else { return Ok(rows) };
        let open = rows.iter().filter(|row| !words.matches(&row.shown_words())).map(|row| row.share_id).collect();
        let read = self.words_of_shares(open).await?;
        let all: BTreeMap<ShareId, Words> = read.into_iter().map(|words| (words.share_id, words.words())).collect();
        rows.retain(|row| {
            let shown = row.shown_words();
            words.matches(&shown) || all.get(&row.share_id).is_some_and(|all| words.matches(&row.marked(all.clone())))
        });
        Ok(rows)
    }

    /// A page in the order of the index or of the words.
    async fn read_on(
        &self,
        of: InboxOf,
        query: &InboxQuery,
        limit: usize,
        mut after: Option<Position>,
        mut found_before: Option<Page<WordRow>>,
    ) -> Result<InboxPage, StoreError> {
        let mut rows = Vec::with_capacity(limit);
        for _ in 0..MOST_READS {
            let page = PageRequest { limit: limit - rows.len(), after: after.take() };
            let next = match &query.words {
                Some(words) => {
                    let Some(lookup) = words.lookups().into_iter().next() else { break };
                    let found = match found_before.take() {
                        Some(found) => found.first(limit),
                        None => self.word_rows(of, &lookup, page).await?,
                    };
                    rows.extend(self.hits(of, query, words, &lookup, &found.items).await?);
                    found.next
                }
                None => {
                    let index = if query.unread { keys::BY_UNREAD } else { query.order.index() };
                    let found = self.sorted_rows(of, query, index, page).await?;
                    rows.extend(found.items.into_iter().filter(|row| query.passes(row)));
                    found.next
                }
            };
            after = next;
            if after.is_none() || rows.len() >= limit {
                break;
            }
        }
        Ok(InboxPage { rows, next: after.map(InboxPlace::Read), sorted: query.is_in_order(), total: None })
    }

    /// What rows of one lookup lead to, each share once: by the first of its words that match.
    async fn hits(
        &self,
        of: InboxOf,
        query: &InboxQuery,
        words: &Query,
        lookup: &Lookup,
        found: &[WordRow],
    ) -> Result<Vec<InboxRow>, StoreError> {
        let hits: Vec<Hit> = found.iter().filter_map(WordRow::hit).collect();
        let rows = self.rows(of, hits.iter().map(|hit| hit.share).collect()).await?;
        let one_key = lookup.is_one_key() && lookup.decisive && words.lookups().len() == 1;
        let all = if one_key {
            Vec::new()
        } else {
            self.words_of_shares(rows.iter().map(|row| row.share_id).collect()).await?
        };
        let all: BTreeMap<ShareId, Words> = all.into_iter().map(|words| (words.share_id, words.words())).collect();
        let row_of = |hit: Hit| {
            let row = rows.iter().find(|row| row.share_id == hit.share && row.received_at == hit.at)?;
            let found = || all.get(&hit.share).is_some_and(|all| words.found_by(&hit.word, &row.marked(all.clone())));
            (query.passes(row) && (one_key || found())).then(|| row.clone())
        };
        Ok(hits.into_iter().filter_map(row_of).collect())
    }

    async fn sorted_rows(
        &self,
        of: InboxOf,
        query: &InboxQuery,
        index: &'static str,
        page: PageRequest,
    ) -> Result<Page<InboxRow>, StoreError> {
        self.page(sorted_listing(&keys::inbox(of), query, index), page).await
    }

    /// The rows that a lookup finds, one partition after the other.
    async fn word_rows(&self, of: InboxOf, lookup: &Lookup, page: PageRequest) -> Result<Page<WordRow>, StoreError> {
        let partitions = lookup.partitions().into_iter().map(|part| keys::share_words_partition(of, &part));
        self.rows_of_words(&partitions.collect::<Vec<_>>(), &lookup.beginning, page).await
    }

    /// How many shares in a contact's inbox it has not opened, up to so many: what its list shows as unread, also where
    /// that shows its company's.
    pub async fn count_unread(&self, contact: ContactId, most: u16) -> Result<u64, StoreError> {
        let (pk, index) = (&keys::inbox(InboxOf::Contact(contact)), Some(keys::BY_UNREAD));
        let listing = Listing { index, pk_name: keys::PK, pk, sk: None, newest_first: true, consistent: false };
        self.count(listing, most).await
    }

    /// All rows of an inbox, as they are now, in an order that none of them changes.
    pub async fn rows_of(&self, of: InboxOf, page: PageRequest) -> Result<Page<Stored<InboxRow>>, StoreError> {
        let pk = &keys::inbox(of);
        let listing = Listing { index: None, pk_name: keys::PK, pk, sk: None, newest_first: false, consistent: true };
        self.stored_page(listing, page).await
    }

    /// These rows of an inbox, as far as they are there; what is milliseconds old may be missing.
    pub async fn rows(&self, of: InboxOf, ids: BTreeSet<ShareId>) -> Result<Vec<InboxRow>, StoreError> {
        let found = self.some_items(ids.into_iter().map(|id| keys::inbox_row(of, id)), false).await?;
        Ok(found.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>()?)
    }
}

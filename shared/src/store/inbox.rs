//! Inboxes: a page of one in any order, filtered or searched, at the cost of what is found.
//!
//! Each order is a local index of the inbox's partition, each word a row of its own. Where what is asked for is one of
//! these in its own order, a page is read from it. Where an order and a filter do not go together, what the filter finds
//! is gathered and sorted, if it is not too much; of too much, the pages come in the order of what found them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::page::{Listing, SortKeyRange};
use super::{Page, PageRequest, Position, Store, StoreError, keys};
use crate::clock::{Timestamp, sortable};
use crate::domain::{InboxOf, InboxRow, Query, ShareId};

/// More rows than this are not gathered to be sorted.
const MOST_GATHERED: usize = 200;
/// Further pages of what was gathered allow for what came in between.
const MOST_GATHERED_AGAIN: usize = 2 * MOST_GATHERED;
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

/// The row of a word: whose share it is a word of.
#[derive(Debug, Deserialize)]
struct FindRow {
    pk: String,
    sk: String,
    word: String,
    id: ShareId,
}

/// What gathering came to.
enum Gathered {
    All(Vec<InboxRow>),
    /// With the words that were found, where it was words that were looked for.
    TooMany(Option<Page<FindRow>>),
}

impl FindRow {
    /// Whether it is the row's own: one that a write has left behind is not.
    fn leads_to(&self, row: &InboxRow) -> bool {
        self.sk == keys::find(row.of, &self.word, row.received_at, row.share_id).sk
    }
}

impl Page<FindRow> {
    /// The beginning of it, as a page of its own.
    fn first(mut self, limit: usize) -> Self {
        self.items.truncate(limit);
        if let Some(FindRow { pk, sk, .. }) = self.items.last() {
            let place = [(keys::PK.to_owned(), pk.clone()), (keys::SK.to_owned(), sk.clone())];
            self.next = Some(Position(place.into()));
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

    fn in_time(&self, row: &InboxRow) -> bool {
        self.from.is_none_or(|from| row.received_at >= from) && self.to.is_none_or(|to| row.received_at < to)
    }

    fn matches(&self, row: &InboxRow) -> bool {
        self.words.as_ref().is_none_or(|words| words.matches(&row.words))
            && (!self.unread || row.unread)
            && self.in_time(row)
    }
}

impl Store {
    /// A page of an inbox.
    pub async fn inbox(
        &self,
        of: InboxOf,
        query: &InboxQuery,
        limit: usize,
        after: Option<InboxPlace>,
    ) -> Result<(Vec<InboxRow>, Option<InboxPlace>), StoreError> {
        let timed = query.from.is_some() || query.to.is_some();
        let newest_first = query.order == InboxOrder::Time && query.descending;
        let own_order = match (&query.words, query.unread) {
            // The rows of one whole word are in order.
            (Some(words), _) => newest_first && words.is_one_mark(),
            (None, true) => query.order == InboxOrder::Time,
            (None, false) => query.order == InboxOrder::Time || !timed,
        };
        match after {
            Some(InboxPlace::Read(position)) => self.read_on(of, query, limit, Some(position), None).await,
            None if own_order => self.read_on(of, query, limit, None, None).await,
            place => {
                let after = match place {
                    Some(InboxPlace::Sorted(after)) => Some(after),
                    _ => None,
                };
                match self.gather(of, query, after.is_some()).await? {
                    Gathered::All(rows) => Ok(sorted(rows, query, limit, after.as_deref())),
                    Gathered::TooMany(found) => self.read_on(of, query, limit, None, found).await,
                }
            }
        }
    }

    /// All that is found, if it is not more than that.
    async fn gather(&self, of: InboxOf, query: &InboxQuery, again: bool) -> Result<Gathered, StoreError> {
        // Who turns a page has seen the first: what has come since is left for the next look.
        let most = if again { MOST_GATHERED_AGAIN } else { MOST_GATHERED };
        let all = PageRequest { limit: most, after: None };
        let rows = match &query.words {
            Some(words) => {
                let found = self.find_rows(of, words, all).await?;
                if found.next.is_some() && !again {
                    return Ok(Gathered::TooMany(Some(found)));
                }
                let ids: BTreeSet<ShareId> = found.items.into_iter().map(|row| row.id).collect();
                self.rows(of, ids).await?
            }
            None => {
                let index = if query.unread { keys::BY_UNREAD } else { keys::BY_TIME };
                let found = self.sorted_rows(of, query, index, all).await?;
                if found.next.is_some() && !again {
                    return Ok(Gathered::TooMany(None));
                }
                found.items
            }
        };
        Ok(Gathered::All(rows.into_iter().filter(|row| query.matches(row)).collect()))
    }

    /// A page in the order of the index or of the words.
    async fn read_on(
        &self,
        of: InboxOf,
        query: &InboxQuery,
        limit: usize,
        mut after: Option<Position>,
        mut found_before: Option<Page<FindRow>>,
    ) -> Result<(Vec<InboxRow>, Option<InboxPlace>), StoreError> {
        let mut rows = Vec::with_capacity(limit);
        for _ in 0..MOST_READS {
            let page = PageRequest { limit: limit - rows.len(), after: after.take() };
            let next = match &query.words {
                Some(words) => {
                    let found = match found_before.take() {
                        Some(found) => found.first(limit),
                        None => self.find_rows(of, words, page).await?,
                    };
                    let wanted = self.rows(of, found.items.iter().map(|row| row.id).collect()).await?;
                    for find in found.items {
                        let row = wanted.iter().find(|row| row.share_id == find.id);
                        // A share is found once, by the first of its words that match.
                        let row = row.filter(|row| find.leads_to(row) && words.found_by(&find.word, &row.words));
                        let row = row.filter(|row| query.matches(row));
                        rows.extend(row.cloned());
                    }
                    found.next
                }
                None => {
                    let index = if query.unread { keys::BY_UNREAD } else { query.order.index() };
                    let found = self.sorted_rows(of, query, index, page).await?;
                    rows.extend(found.items.into_iter().filter(|row| query.matches(row)));
                    found.next
                }
            };
            after = next;
            if after.is_none() || rows.len() >= limit {
                break;
            }
        }
        Ok((rows, after.map(InboxPlace::Read)))
    }

    async fn sorted_rows(
        &self,
        of: InboxOf,
        query: &InboxQuery,
        index: &'static str,
        page: PageRequest,
    ) -> Result<Page<InboxRow>, StoreError> {
        let (sk_name, by_time) = match index {
            keys::BY_TITLE => (keys::TITLE_SK, false),
            keys::BY_SIZE => (keys::SIZE_SK, false),
            keys::BY_UNREAD => (keys::UNREAD_SK, true),
            _ => (keys::TIME_SK, true),
        };
        let sk = query.within_time().filter(|_| by_time).map(|within| (sk_name, within));
        let pk = &keys::inbox(of);
        self.page(
            Listing {
                index: Some(index),
                pk_name: keys::PK,
                pk,
                sk,
                newest_first: query.descending,
                consistent: false,
            },
            page,
        )
        .await
    }

    async fn find_rows(&self, of: InboxOf, words: &Query, page: PageRequest) -> Result<Page<FindRow>, StoreError> {
        let sk = Some((keys::SK, SortKeyRange::Beginning(words.first().to_owned())));
        let pk = &keys::finds(of);
        self.page(Listing { index: None, pk_name: keys::PK, pk, sk, newest_first: false, consistent: false }, page)
            .await
    }

    /// These rows of an inbox, as far as they are there; what is milliseconds old may be missing.
    pub async fn rows(&self, of: InboxOf, ids: BTreeSet<ShareId>) -> Result<Vec<InboxRow>, StoreError> {
        let found = self.some_items(ids.into_iter().map(|id| keys::inbox_row(of, id)), false).await?;
        Ok(found.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>()?)
    }
}

/// A page of what was gathered.
fn sorted(
    mut rows: Vec<InboxRow>,
    query: &InboxQuery,
    limit: usize,
    after: Option<&str>,
) -> (Vec<InboxRow>, Option<InboxPlace>) {
    let place = |row: &InboxRow| query.order.place(row);
    rows.sort_by_cached_key(place);
    if query.descending {
        rows.reverse();
    }
    let behind = |row: &InboxRow| {
        after.is_none_or(|after| if query.descending { *place(row) < *after } else { *place(row) > *after })
    };
    rows.retain(behind);
    let next = (rows.len() > limit).then(|| InboxPlace::Sorted(place(&rows[limit - 1])));
    rows.truncate(limit);
    (rows, next)
}

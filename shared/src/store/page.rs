//! Lists, a page at a time.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Select};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::json::{self, KeptAnswer};
use super::keys::Key;
use super::keys::{
    self, LISTED_PK, LISTED_SK, MEMBERS_PK, PK, SIZE_SK, SK, TIME_SK, TITLE_SK, UNREAD_SK, USERS_PK, USERS_SK,
};
use super::{Item, Record, Store, StoreError, Stored};

/// Where the next page begins: the keys of the last item of this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub BTreeMap<String, String>);

impl Position {
    /// The keys that say where an item stands in the table and in each index that it is in.
    fn of(item: &RawValue, index: Option<&str>) -> Result<Self, StoreError> {
        let names: &[&str] = match index {
            Some(keys::LISTED) => &[PK, SK, LISTED_PK, LISTED_SK],
            Some(keys::USERS_INDEX) => &[PK, SK, USERS_PK, USERS_SK],
            Some(keys::MEMBERS) => &[PK, SK, MEMBERS_PK],
            Some(keys::BY_TITLE) => &[PK, SK, TITLE_SK],
            Some(keys::BY_SIZE) => &[PK, SK, SIZE_SK],
            Some(keys::BY_UNREAD) => &[PK, SK, UNREAD_SK],
            Some(_) => &[PK, SK, TIME_SK],
            None => &[PK, SK],
        };
        let mut all: BTreeMap<String, KeyAttribute> = serde_json::from_str(item.get())?;
        let text = |name: &&str| Some(((*name).to_owned(), all.remove(*name)?.text?));
        Ok(Self(names.iter().filter_map(text).collect()))
    }

    /// Behind that record in the table.
    pub fn behind<T: Record>(record: &T) -> Self {
        let Key { pk, sk } = record.key();
        Self([(PK.to_owned(), pk), (SK.to_owned(), sk)].into())
    }

    /// A place in one partition is a place in another that is sorted alike: which of them is asked is not the cursor's.
    fn within(self, listing: &Listing<'_>) -> Item {
        let mut item: Item = self.0.into_iter().map(|(name, text)| (name, AttributeValue::S(text))).collect();
        item.insert(listing.pk_name.to_owned(), AttributeValue::S(listing.pk.to_owned()));
        item
    }
}

/// Which page of a list is asked for.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// How many items at most.
    pub limit: usize,
    /// Where to begin; at the beginning, if there is none.
    pub after: Option<Position>,
}

/// Of the answer to a `Query`, what is read.
#[derive(Deserialize)]
struct QueryAnswer<'a> {
    #[serde(rename = "Items", borrow, default)]
    items: Vec<&'a RawValue>,
    #[serde(rename = "LastEvaluatedKey", borrow, default)]
    last: Option<&'a RawValue>,
}

/// An attribute, if it can be a key.
#[derive(Deserialize)]
struct KeyAttribute {
    #[serde(rename = "S")]
    text: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<Position>,
}

/// What a list is made of: one partition of the table or of an index, in the order of its sort key.
pub(super) struct Listing<'a> {
    pub index: Option<&'static str>,
    pub pk_name: &'static str,
    pub pk: &'a str,
    /// Which sort keys, if not all.
    pub sk: Option<(&'static str, SortKeyRange)>,
    pub newest_first: bool,
    /// As it is now, at twice the cost: only of the table itself, not of its indexes.
    pub consistent: bool,
}

/// A part of a partition.
#[derive(Debug, Clone)]
pub(super) enum SortKeyRange {
    /// Sort keys that begin with this.
    Beginning(String),
    /// Sort keys from one to another.
    Between(String, String),
}

impl Store {
    pub(super) async fn listed<T: serde::de::DeserializeOwned>(
        &self,
        pk: &str,
        begins: Option<&str>,
        newest_first: bool,
        page: PageRequest,
    ) -> Result<Page<T>, StoreError> {
        let sk = begins.map(|begins| (keys::LISTED_SK, SortKeyRange::Beginning(begins.to_owned())));
        self.page(
            Listing { index: Some(keys::LISTED), pk_name: keys::LISTED_PK, pk, sk, newest_first, consistent: false },
            page,
        )
        .await
    }

    /// What is listed up to a sort key, least first.
    pub(super) async fn listed_until<T: serde::de::DeserializeOwned>(
        &self,
        pk: &str,
        until: String,
        page: PageRequest,
    ) -> Result<Page<T>, StoreError> {
        let sk = Some((keys::LISTED_SK, SortKeyRange::Between(String::from(" "), until)));
        let listing = Listing {
            index: Some(keys::LISTED),
            pk_name: keys::LISTED_PK,
            pk,
            sk,
            newest_first: false,
            consistent: false,
        };
        self.page(listing, page).await
    }

    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        listing: Listing<'_>,
        page: PageRequest,
    ) -> Result<Page<T>, StoreError> {
        self.parsed_page(listing, page, json::from_item).await
    }

    /// The same with the version of each.
    pub(super) async fn stored_page<T: Record>(
        &self,
        listing: Listing<'_>,
        page: PageRequest,
    ) -> Result<Page<Stored<T>>, StoreError> {
        self.parsed_page(listing, page, Stored::from_json).await
    }

    /// Reads one item more than the page holds: that is how it knows whether there is a next page.
    async fn parsed_page<T>(
        &self,
        listing: Listing<'_>,
        page: PageRequest,
        parse: impl Fn(&RawValue) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let limit = page.limit;
        let query = self.query_of(&listing).limit(i32::try_from(limit).unwrap_or(i32::MAX - 1) + 1);
        let query = query.set_exclusive_start_key(page.after.map(|after| after.within(&listing)));
        let kept = KeptAnswer::default();
        let query = query.customize().interceptor(kept.clone());
        query.send().await.map_err(StoreError::call("Query"))?;
        let body = kept.take();
        let QueryAnswer { mut items, last } = json::read(&body)?;
        // DynamoDB ends a page after 1 MB, too, and says where.
        let last = if items.len() > limit { items.get(limit.saturating_sub(1)).copied() } else { last };
        let next = last.map(|item| Position::of(item, listing.index)).transpose()?;
        items.truncate(limit);
        let items = items.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    /// How many items there are, up to so many: all that are counted are read, and paid.
    pub(super) async fn count(&self, listing: Listing<'_>, most: u16) -> Result<u64, StoreError> {
        let (mut counted, mut after) = (0, None);
        loop {
            let left = i32::from(most) - counted;
            let query = self.query_of(&listing).limit(left).select(Select::Count).set_exclusive_start_key(after);
            let page = query.send().await.map_err(StoreError::call("Query"))?;
            counted += page.count;
            after = page.last_evaluated_key;
            // DynamoDB ends a page after 1 MB, too.
            if after.is_none() || counted >= i32::from(most) {
                return Ok(u64::try_from(counted).unwrap_or_default());
            }
        }
    }

    fn query_of(&self, listing: &Listing<'_>) -> QueryFluentBuilder {
        let mut condition = "#pk = :pk".to_owned();
        let mut query = self
            .client
            .query()
            .table_name(&*self.table)
            .set_index_name(listing.index.map(str::to_owned))
            .expression_attribute_names("#pk", listing.pk_name)
            .expression_attribute_values(":pk", AttributeValue::S(listing.pk.to_owned()))
            .scan_index_forward(!listing.newest_first)
            .consistent_read(listing.consistent);
        match &listing.sk {
            None => {}
            Some((name, SortKeyRange::Beginning(begin))) => {
                condition.push_str(" AND begins_with(#sk, :sk)");
                query = query
                    .expression_attribute_names("#sk", *name)
                    .expression_attribute_values(":sk", AttributeValue::S(begin.clone()));
            }
            Some((name, SortKeyRange::Between(from, to))) => {
                condition.push_str(" AND #sk BETWEEN :from AND :to");
                query = query
                    .expression_attribute_names("#sk", *name)
                    .expression_attribute_values(":from", AttributeValue::S(from.clone()))
                    .expression_attribute_values(":to", AttributeValue::S(to.clone()));
            }
        }
        query.key_condition_expression(condition)
    }
}

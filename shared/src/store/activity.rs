//! Activity: who did what, by month, by contact, by share.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::ToSpan as _;
use jiff::civil::{Date, date};

use super::{Item, Store, StoreError, keys};
use crate::clock::Timestamp;
use crate::domain::{Activity, ActivityId, ActivityKind, ActivityMonths, ContactId, ShareId};

/// Which activity is asked for.
#[derive(Debug, Clone, Default)]
pub struct ActivityQuery {
    /// About this contact.
    pub contact: Option<ContactId>,
    /// About this share.
    pub share: Option<ShareId>,
    /// Of this kind.
    pub kind: Option<ActivityKind>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

/// No portal is older: where looking back ends.
const BEGINNING: Date = date(2025, 1, 1);
/// So many pages are read for one request, and so many rows; then its page is short, and says where to go on.
const MOST_CALLS: usize = 30;
/// See [`MOST_CALLS`].
const MOST_ROWS_READ: usize = 10_000;
/// The rows of one call, where a filter is held against them: DynamoDB counts before it filters, and a kind may be rare.
const ROWS_A_CALL: usize = 1_000;

/// The months from one time back to another, as their partitions name them, with the moment at which each begins.
fn months_back(newest: Date, oldest: Option<Timestamp>) -> impl Iterator<Item = (String, Timestamp)> {
    let oldest = oldest.map_or(BEGINNING, |oldest| oldest.date_time().date().max(BEGINNING));
    let months = newest.first_of_month().series((-1).months());
    months.take_while(move |month| *month >= oldest.first_of_month()).map(|month| {
        let since_1970 =
            month.to_datetime(jiff::civil::Time::midnight()).duration_since(date(1970, 1, 1).at(0, 0, 0, 0));
        (month.strftime("%Y-%m").to_string(), Timestamp::UNIX_EPOCH + since_1970)
    })
}

/// One partition of the table, or of an index.
struct Partition {
    index: Option<&'static str>,
    name: &'static str,
    value: String,
    /// Where the one before it ends.
    begins: Option<Timestamp>,
}

impl ActivityQuery {
    fn partitions(&self, before: Option<ActivityId>, now: Timestamp) -> Vec<Partition> {
        if let Some(contact) = self.contact {
            let (index, name) = (Some(keys::ACTIVITY_OF_CONTACT), keys::ABOUT_CONTACT);
            return vec![Partition { index, name, value: contact.to_string(), begins: None }];
        }
        if let Some(share) = self.share {
            let (index, name) = (Some(keys::ACTIVITY_OF_SHARE), keys::ABOUT_SHARE);
            return vec![Partition { index, name, value: share.to_string(), begins: None }];
        }
        // Nothing is from the future, and what is looked for lies before the place that was come to.
        let newest = [self.to, before.map(ActivityId::latest_before)].into_iter().flatten().fold(now, Timestamp::min);
        let months = months_back(newest.date_time().date(), self.from);
        let of_month = |(month, begins): (String, _)| Partition {
            index: None,
            name: keys::PK,
            value: keys::activity_of_month(&month),
            begins: Some(begins),
        };
        months.map(of_month).collect()
    }

    fn is_filtered(&self) -> bool {
        self.kind.is_some() || (self.contact.is_some() && self.share.is_some())
    }
}

impl Store {
    /// Activity, newest first, from before a place, and the place where it goes on. By contact or share it is one
    /// partition of an index; else it is one partition a month, from the newest back to the beginning.
    ///
    /// A page may be short, or empty, and go on nevertheless: what little a filter lets through is not waited for.
    pub async fn activity(
        &self,
        query: &ActivityQuery,
        after: Option<ActivityId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<(Vec<Activity>, Option<ActivityId>), StoreError> {
        let rows = if query.is_filtered() { ROWS_A_CALL } else { limit + 1 };
        let (mut found, mut before, mut calls, mut rows_read) = (Vec::new(), after, 0, 0);
        for partition in query.partitions(after, now) {
            loop {
                if calls == MOST_CALLS || rows_read >= MOST_ROWS_READ {
                    return Ok((found, before));
                }
                calls += 1;
                let page = self.activity_of(&partition, query, before, rows).await?;
                rows_read += page.rows_read;
                found.extend(page.items);
                if found.len() > limit {
                    found.truncate(limit);
                    let last = found.last().map(|activity: &Activity| activity.id);
                    return Ok((found, last));
                }
                match page.last_read {
                    Some(last) => before = Some(last),
                    None => break,
                }
            }
            before = partition.begins.map(ActivityId::first_at);
        }
        Ok((found, None))
    }

    /// Deletes the activity of all months that ended before so many whole months, `most` rows at the most; how many.
    /// Whatever stops it, the next time goes on.
    pub async fn forget_activity(
        &self,
        kept: ActivityMonths,
        now: Timestamp,
        most: usize,
    ) -> Result<usize, StoreError> {
        let newest = now.date_time().date().first_of_month().checked_sub((i32::from(kept) + 1).months());
        // Nothing is as old as the calendar.
        let Ok(newest) = newest else { return Ok(0) };
        let mut forgotten = 0;
        for (month, _) in months_back(newest, None) {
            while forgotten < most {
                let rows = self.some_activity_of(&keys::activity_of_month(&month)).await?;
                if rows.is_empty() {
                    break;
                }
                forgotten += rows.len();
                self.write_batch(Vec::new(), rows).await?;
            }
        }
        Ok(forgotten)
    }

    /// The keys of up to 500 rows of a partition.
    async fn some_activity_of(&self, pk: &str) -> Result<Vec<Item>, StoreError> {
        let query = self.client.query().table_name(&*self.table).key_condition_expression("pk = :pk");
        let query = query.expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()));
        let found = query.projection_expression("pk, sk").limit(500).send().await;
        Ok(found.map_err(StoreError::call("Query"))?.items.unwrap_or_default())
    }

    async fn activity_of(
        &self,
        partition: &Partition,
        query: &ActivityQuery,
        before: Option<ActivityId>,
        rows: usize,
    ) -> Result<ActivityPage, StoreError> {
        let (from, to) = (ActivityId::lowest(query.from), ActivityId::below(before, query.to));
        if from > to {
            return Ok(ActivityPage::default());
        }
        let mut request = self
            .client
            .query()
            .table_name(&*self.table)
            .set_index_name(partition.index.map(str::to_owned))
            .key_condition_expression("#pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", partition.name)
            .expression_attribute_values(":pk", AttributeValue::S(partition.value.clone()))
            .expression_attribute_values(":from", AttributeValue::S(from))
            .expression_attribute_values(":to", AttributeValue::S(to))
            .scan_index_forward(false)
            .limit(i32::try_from(rows).unwrap_or(i32::MAX));
        if query.is_filtered() {
            let mut filters = Vec::new();
            if let Some(kind) = query.kind {
                filters.push("kind = :kind");
                request = request.expression_attribute_values(":kind", serde_dynamo::to_attribute_value(kind)?);
            }
            if let (Some(_), Some(share)) = (query.contact, query.share) {
                filters.push("share_id = :share");
                request = request.expression_attribute_values(":share", AttributeValue::S(share.to_string()));
            }
            request = request.filter_expression(filters.join(" AND "));
        }
        let answer = request.send().await.map_err(StoreError::call("Query"))?;
        let last_read = answer.last_evaluated_key.and_then(|key| key.get(keys::SK)?.as_s().ok()?.parse().ok());
        let rows_read = usize::try_from(answer.scanned_count).unwrap_or_default();
        let items = answer.items.unwrap_or_default().into_iter().map(serde_dynamo::from_item);
        Ok(ActivityPage { items: items.collect::<Result<_, _>>()?, last_read, rows_read })
    }
}

/// What one call read, and let through.
#[derive(Default)]
struct ActivityPage {
    items: Vec<Activity>,
    /// Where the rows that were read end, if there are more.
    last_read: Option<ActivityId>,
    rows_read: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_walked_back_over_the_turn_of_the_year_to_the_beginning() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let back = |newest: &str, oldest: Option<&str>| {
            months_back(at(newest).date_time().date(), oldest.map(at)).map(|(month, _)| month).collect::<Vec<_>>()
        };
        let months = back("2027-02-03T00:00:00Z", Some("2026-12-31T23:59:59Z"));
        assert_eq!(months, ["2027-02", "2027-01", "2026-12"]);
        for oldest in [None, Some("0000-01-01T00:00:00Z"), Some("1969-12-31T23:59:59Z")] {
            let months = back("2031-05-01T00:00:00Z", oldest);
            assert_eq!((months.len(), months.last().map(String::as_str)), (77, Some("2025-01")));
        }
        assert!(back("0000-01-01T00:00:00Z", None).is_empty());
        assert_eq!(back("9999-12-31T23:59:59.999Z", Some("9999-12-01T00:00:00Z")), ["9999-12"]);
        let begins = months_back(date(2026, 3, 31), None).next().unwrap().1;
        assert_eq!(begins, at("2026-03-01T00:00:00Z"));
    }
}

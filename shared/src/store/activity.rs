//! Activity: who did what, by month, by contact, by share.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::ToSpan as _;
use jiff::tz::TimeZone;

use super::{Item, Store, StoreError, keys};
use crate::clock::{SignedDuration, Timestamp};
use crate::domain::{Activity, ActivityId, ActivityKind, ContactId, ShareId};

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

/// One request looks through two years at most.
const MOST_MONTHS: usize = 24;

/// The months from one time back to another.
fn months_back(newest: Timestamp, oldest: Timestamp) -> impl Iterator<Item = String> {
    let month = |at: Timestamp| at.to_zoned(TimeZone::UTC).date().first_of_month();
    let last = month(oldest);
    let months = month(newest).series((-1).months()).take_while(move |month| *month >= last);
    months.map(|month| month.strftime("%Y-%m").to_string())
}

impl Store {
    /// Activity, newest first, from before `after`. By contact or share it is one partition of an index; else it is
    /// one partition a month, from the newest back.
    pub async fn activity(
        &self,
        query: &ActivityQuery,
        after: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<(Vec<Activity>, Option<String>), StoreError> {
        let mut before = after.map(str::to_owned);
        let mut found = Vec::new();
        let oldest = query.from.unwrap_or(now - SignedDuration::from_hours(24 * 366));
        if query.contact.is_some() || query.share.is_some() {
            let (index, name, value) = match (query.contact, query.share) {
                (Some(contact), _) => (keys::ACTIVITY_OF_CONTACT, keys::ABOUT_CONTACT, contact.to_string()),
                (None, share) => {
                    (keys::ACTIVITY_OF_SHARE, keys::ABOUT_SHARE, share.map(|id| id.to_string()).unwrap_or_default())
                }
            };
            self.activity_of(Some(index), name, &value, query, before.as_deref(), limit + 1, &mut found).await?;
        } else {
            let newest =
                before.as_deref().and_then(|id| id.parse().ok()).map_or(query.to.unwrap_or(now), ActivityId::made_at);
            for month in months_back(newest, oldest).take(MOST_MONTHS) {
                let pk = keys::activity_of_month(&month);
                let room = limit + 1 - found.len();
                self.activity_of(None, keys::PK, &pk, query, before.as_deref(), room, &mut found).await?;
                if found.len() > limit {
                    break;
                }
            }
        }
        let more = found.len() > limit;
        found.truncate(limit);
        before = if more { found.last().map(|activity| activity.id.to_string()) } else { None };
        Ok((found, before))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one query, named where it is called")]
    async fn activity_of(
        &self,
        index: Option<&'static str>,
        pk_name: &str,
        pk: &str,
        query: &ActivityQuery,
        before: Option<&str>,
        limit: usize,
        found: &mut Vec<Activity>,
    ) -> Result<(), StoreError> {
        let wanted = found.len() + limit;
        let mut start: Option<Item> = None;
        loop {
            let mut request = self
                .client
                .query()
                .table_name(&*self.table)
                .set_index_name(index.map(str::to_owned))
                .key_condition_expression("#pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_names("#pk", pk_name)
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .expression_attribute_values(":from", AttributeValue::S(ActivityId::lowest(query.from)))
                .expression_attribute_values(":to", AttributeValue::S(ActivityId::below(before, query.to)))
                .scan_index_forward(false)
                .limit(i32::try_from(limit.max(25)).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start.take());
            if query.kind.is_some() || (query.contact.is_some() && query.share.is_some()) {
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
            for item in answer.items.unwrap_or_default().into_iter().take(wanted - found.len()) {
                found.push(serde_dynamo::from_item(item)?);
            }
            if found.len() >= wanted || answer.last_evaluated_key.is_none() {
                return Ok(());
            }
            start = answer.last_evaluated_key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_walked_back_over_the_turn_of_the_year() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let months: Vec<String> = months_back(at("2027-02-03T00:00:00Z"), at("2026-12-31T23:59:59Z")).collect();
        assert_eq!(months, ["2027-02", "2027-01", "2026-12"]);
    }
}

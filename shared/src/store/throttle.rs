//! Against guessing and flooding: failures and requests are counted in the table, and forgotten by its TTL.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::try_join_all;
use ring::digest;
use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::{Store, StoreError, item_of, ttl};
use crate::clock::{SignedDuration, Timestamp};

/// Failures are counted in a row; a day without one begins a new row.
const ROW_ENDS: SignedDuration = SignedDuration::from_hours(24);
/// No wait is longer than this before the hundredth failure.
const LONGEST_WAIT_S: i64 = 15 * 60;
/// More attempts than this at the very same moment wait a second.
const MOST_AT_ONCE: u32 = 30;
/// From here on a row must end by itself, or by a password reset (NIST SP 800-63B-4, 3.2.2).
const MOST_IN_A_ROW: u32 = 100;

/// What failures are counted for.
#[derive(Debug, Clone, Copy)]
pub enum Failures<'a> {
    /// Wrong passwords for one username, whether it exists or not.
    Account(&'a str),
    /// Wrong passwords from one network address, which many people may share.
    SignInsFrom(&'a str),
    /// Unknown links from one network address.
    LinksFrom(&'a str),
}

impl Failures<'_> {
    fn key(self) -> Key {
        let (kind, subject) = match self {
            Self::Account(email) => ("account", email),
            Self::SignInsFrom(from) => ("sign-ins-from", from),
            Self::LinksFrom(from) => ("links-from", from),
        };
        keys::throttle(kind, &hash(subject))
    }

    /// How many go free before the waits begin.
    fn free(self) -> u32 {
        match self {
            Self::Account(_) => 5,
            Self::SignInsFrom(_) | Self::LinksFrom(_) => 20,
        }
    }

    fn wait(self, failures: u32) -> SignedDuration {
        match failures.checked_sub(self.free()) {
            None => SignedDuration::ZERO,
            Some(_) if failures >= MOST_IN_A_ROW => ROW_ENDS,
            Some(over) => SignedDuration::from_secs((1_i64 << over.min(20)).min(LONGEST_WAIT_S)),
        }
    }
}

/// What requests are counted for, an hour at a time.
#[derive(Debug, Clone, Copy)]
pub enum Requests<'a> {
    /// Password resets for one address.
    ResetsFor(&'a str),
    /// Registrations for one address.
    RegistrationsFor(&'a str),
    /// Either, or renewals of links, from one network address.
    From(&'a str),
}

impl Requests<'_> {
    /// How many an hour are heard.
    fn most(self) -> u32 {
        match self {
            Self::ResetsFor(_) | Self::RegistrationsFor(_) => 5,
            Self::From(_) => 60,
        }
    }

    fn key(self, now: Timestamp) -> Key {
        let (kind, subject) = match self {
            Self::ResetsFor(email) => ("resets-for", email),
            Self::RegistrationsFor(email) => ("registrations-for", email),
            Self::From(from) => ("requests-from", from),
        };
        keys::throttle(&format!("{kind}#{}", now.strftime("%Y-%m-%dT%H")), &hash(subject))
    }
}

/// The table holds no network address and no username that does not exist.
fn hash(subject: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, subject.as_bytes()))
}

#[derive(Serialize, Deserialize)]
struct Row {
    failures: u32,
    last_at: Timestamp,
}

impl Row {
    fn blocks_until(&self, what: Failures<'_>, now: Timestamp) -> Option<Timestamp> {
        let until = self.last_at + what.wait(self.failures);
        (self.last_at + ROW_ENDS > now && until > now).then_some(until)
    }
}

impl Store {
    /// Until when there is to be waited, if there is.
    pub async fn blocked_until(&self, what: Failures<'_>, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let row = self.read_plain::<Row>(what.key()).await?;
        Ok(row.and_then(|row| row.blocks_until(what, now)))
    }

    /// Counts an attempt before it is made, as if it will fail: how many there are in a row, or until when to wait.
    pub async fn attempt(&self, what: Failures<'_>, now: Timestamp) -> Result<Result<u32, Timestamp>, StoreError> {
        Ok(self.attempts([what], now).await?.map(|[failures]| failures))
    }

    /// [`Self::attempt`] for several things at once: each is counted, or none. Attempts at the same time are counted one
    /// after the other, so a burst gets no further than a row would.
    pub async fn attempts<const N: usize>(
        &self,
        whats: [Failures<'_>; N],
        now: Timestamp,
    ) -> Result<Result<[u32; N], Timestamp>, StoreError> {
        let mut counted = [None; N];
        for _ in 0..MOST_AT_ONCE {
            let rows = try_join_all(whats.iter().map(|what| self.read_plain::<Row>(what.key()))).await?;
            let open = (0..N).filter(|n| counted[*n].is_none());
            let blocked = open.clone().filter_map(|n| rows[n].as_ref()?.blocks_until(whats[n], now)).max();
            if let Some(until) = blocked {
                return Ok(Err(until));
            }
            let writes = open.clone().map(|n| {
                let recent = rows[n].as_ref().filter(|row| row.last_at + ROW_ENDS > now);
                let row = Row { failures: recent.map_or(0, |row| row.failures) + 1, last_at: now };
                let was = rows[n].as_ref();
                async move { Ok::<_, StoreError>((n, self.put_row(whats[n], &row, was).await?.then_some(row.failures))) }
            });
            for (n, failures) in try_join_all(writes.collect::<Vec<_>>()).await? {
                counted[n] = failures;
            }
            if counted.iter().all(Option::is_some) {
                return Ok(Ok(counted.map(Option::unwrap_or_default)));
            }
        }
        Ok(Err(now + SignedDuration::from_secs(1)))
    }

    /// Writes a row, if it is still as it was read.
    async fn put_row(&self, what: Failures<'_>, row: &Row, was: Option<&Row>) -> Result<bool, StoreError> {
        use aws_sdk_dynamodb::operation::put_item::PutItemError;
        let mut item = item_of(what.key(), row)?;
        item.insert(keys::TTL.to_owned(), ttl(row.last_at + ROW_ENDS));
        let put = self.client.put_item().table_name(&*self.table).set_item(Some(item));
        let put = match was {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(was) => put
                .condition_expression("last_at = :at AND failures = :failures")
                .expression_attribute_values(":at", AttributeValue::S(was.last_at.to_string()))
                .expression_attribute_values(":failures", AttributeValue::N(was.failures.to_string())),
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if matches!(error.as_service_error(), Some(PutItemError::ConditionalCheckFailedException(_))) =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::call("PutItem")(error)),
        }
    }

    /// The attempt did not fail after all. A username's row ends with it; a network address only gets this one back,
    /// or somebody with one account could clear the way for guessing others.
    pub async fn succeeded(&self, what: Failures<'_>) -> Result<(), StoreError> {
        let key = Some(what.key().attributes());
        if let Failures::Account(_) = what {
            let deleted = self.client.delete_item().table_name(&*self.table).set_key(key).send().await;
            return deleted.map(drop).map_err(StoreError::call("DeleteItem"));
        }
        let back = self.client.update_item().table_name(&*self.table).set_key(key);
        let back = back
            .update_expression("ADD failures :back")
            .expression_attribute_values(":back", AttributeValue::N("-1".to_owned()));
        back.send().await.map(drop).map_err(StoreError::call("UpdateItem"))
    }

    /// Counts one more request; whether it is heard, or when the next hour begins.
    pub async fn take(&self, what: Requests<'_>, now: Timestamp) -> Result<Result<(), Timestamp>, StoreError> {
        let hour = SignedDuration::from_hours(1);
        let next_hour = Timestamp::from_second(now.as_second() / 3600 * 3600).unwrap_or(now) + hour;
        let counted = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(what.key(now).attributes()))
            .update_expression("SET #ttl = :ttl ADD requests :one")
            .expression_attribute_names("#ttl", keys::TTL)
            .expression_attribute_values(":ttl", ttl(next_hour))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(StoreError::call("UpdateItem"))?;
        let count = counted.attributes.and_then(|item| item.get("requests")?.as_n().ok()?.parse::<u32>().ok());
        Ok(if count.unwrap_or(1) > what.most() { Err(next_hour) } else { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_the_fifth_failure_on_and_end() {
        let wait = |failures| Failures::Account("ann").wait(failures).as_secs();
        assert_eq!([1, 4, 5, 6, 10].map(wait), [0, 0, 1, 2, 32]);
        assert_eq!([15, 50, 99].map(wait), [900, 900, 900]);
        assert_eq!(wait(100), 24 * 3600);
        assert_eq!(Failures::SignInsFrom("192.0.2.1").wait(19).as_secs(), 0, "one address may be a whole office");
    }
}

//! Keys of integrations.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;

use super::{Page, PageRequest, Record, Store, StoreError, Stored, keys};
use crate::clock::{SignedDuration, Timestamp};
use crate::domain::{ApiKey, KeyId, TokenHash};

impl Record for ApiKey {
    fn key(&self) -> keys::Key {
        keys::api_key(&self.hash)
    }

    fn listed(&self) -> Option<keys::Key> {
        self.revoked_at.is_none().then(|| keys::api_keys_by_id(self.id))
    }
}

impl Store {
    /// A key by the hash of what was sent.
    pub async fn api_key(&self, hash: &TokenHash) -> Result<Option<Stored<ApiKey>>, StoreError> {
        self.read(keys::api_key(hash)).await
    }

    /// A key by its id.
    pub async fn api_key_of(&self, id: KeyId) -> Result<Option<Stored<ApiKey>>, StoreError> {
        let page = PageRequest { limit: 1, after: None };
        let found: Page<ApiKey> = self.listed(keys::API_KEYS, Some(&id.to_string()), false, page).await?;
        match found.items.into_iter().next() {
            Some(key) => self.api_key(&key.hash).await,
            None => Ok(None),
        }
    }

    /// All keys that were not revoked.
    pub async fn api_keys(&self, page: PageRequest) -> Result<Page<ApiKey>, StoreError> {
        self.listed(keys::API_KEYS, None, false, page).await
    }

    /// Notes that a key was refused, unless that was noted within the time before; whether it was.
    pub async fn refuse_key(&self, key: &ApiKey, now: Timestamp, within: SignedDuration) -> Result<bool, StoreError> {
        let refused = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(keys::api_key(&key.hash).attributes()))
            .update_expression("SET refused_at = :now")
            .condition_expression("attribute_not_exists(refused_at) OR refused_at < :before")
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()))
            .expression_attribute_values(":before", AttributeValue::S((now - within).to_string()))
            .send()
            .await;
        match refused {
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            refused => refused.map(|_| true).map_err(StoreError::call("UpdateItem")),
        }
    }

    /// Notes that a key was used; it is read on every call, so this is not written on every call.
    pub async fn touch_key(&self, key: &ApiKey, now: Timestamp) -> Result<(), StoreError> {
        let touched = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(keys::api_key(&key.hash).attributes()))
            .update_expression("SET last_used_at = :now")
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()))
            .send()
            .await;
        touched.map(drop).map_err(StoreError::call("UpdateItem"))
    }
}

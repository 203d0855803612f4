//! What an admin of the operator sets, and which addresses want no notifications.

use serde::Deserialize;

use super::keys::{self, Key};
use super::{Record, Store, StoreError, Stored};
use crate::domain::{Email, Logo, Settings, Unsubscribe, Visibility};

impl Record for Settings {
    fn key(&self) -> Key {
        keys::settings()
    }
}

impl Store {
    /// The settings; as long as nobody has set any, what goes without saying.
    pub async fn settings(&self) -> Result<Settings, StoreError> {
        Ok(self.stored_settings().await?.map(|settings| settings.record).unwrap_or_default())
    }

    /// What contacts see beyond their own shares: of all settings the one that hot reads need.
    pub async fn share_visibility(&self) -> Result<Visibility, StoreError> {
        #[derive(Deserialize)]
        struct Part {
            #[serde(default)]
            share_visibility: Visibility,
        }
        let part = self.read_plain::<Part>(keys::settings()).await?;
        Ok(part.map(|part| part.share_visibility).unwrap_or_default())
    }

    /// The settings to change, if anybody has set any.
    pub async fn stored_settings(&self) -> Result<Option<Stored<Settings>>, StoreError> {
        self.read(keys::settings()).await
    }

    /// The operator's logo: an item of its own, which the settings do not carry.
    pub async fn logo(&self) -> Result<Option<Logo>, StoreError> {
        self.read_plain(keys::logo()).await
    }

    /// Whether an address wants no notifications.
    pub async fn is_quiet(&self, email: &Email) -> Result<bool, StoreError> {
        Ok(self.item(keys::quiet(&Unsubscribe::hash(email)), |_| Ok(())).await?.is_some())
    }

    /// Notes that an address wants no notifications, by its hash. However often, it is noted once.
    pub async fn make_quiet(&self, hash: &str) -> Result<(), StoreError> {
        self.put_plain(keys::quiet(hash).attributes()).await
    }
}

//! The staff, and the team: who decides on requests, who is an admin.

use super::{Page, PageRequest, Record, Store, StoreError, Stored, keys};
use crate::domain::{Staff, StaffId, Team};

impl Record for Team {
    fn key(&self) -> keys::Key {
        keys::team()
    }
}

impl Store {
    /// Who decides, and who is an admin.
    pub async fn team(&self) -> Result<Option<Stored<Team>>, StoreError> {
        self.read(keys::team()).await
    }

    /// Several of the staff in one round trip.
    pub async fn staff_of(&self, ids: Vec<StaffId>) -> Result<Vec<Staff>, StoreError> {
        let items = self.items(ids.into_iter().map(keys::staff)).await?;
        Ok(items.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>()?)
    }

    /// All of the staff, by name.
    pub async fn all_staff(&self, page: PageRequest) -> Result<Page<Staff>, StoreError> {
        self.listed(keys::STAFF, None, false, page).await
    }
}

//! The first admin of a deployment.

use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::{Record, Store, StoreError, Stored};
use crate::domain::StaffId;

/// Says who the first admin is, so that there is one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FirstAdmin {
    /// Who.
    pub staff_id: StaffId,
}

impl Record for FirstAdmin {
    fn key(&self) -> Key {
        keys::first_admin()
    }
}

impl Store {
    /// The first admin, if there is one already.
    pub async fn first_admin(&self) -> Result<Option<Stored<FirstAdmin>>, StoreError> {
        self.read(keys::first_admin()).await
    }
}

//! Who of the staff is asked when something waits for somebody, and that there is always an admin.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Role, Staff, StaffId};

/// Changed together with each change of a person's roles or duty, so that it is never wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Who has the role `admin`.
    pub admins: BTreeSet<StaffId>,
    /// Who has the role `mapper` and is on duty.
    pub mappers_on_duty: BTreeSet<StaffId>,
    /// Who has the role `member` and is on duty.
    #[serde(default)]
    pub members_on_duty: BTreeSet<StaffId>,
}

impl Team {
    /// With a person as it is now.
    #[must_use]
    pub fn with(mut self, staff: &Staff) -> Self {
        let put = |set: &mut BTreeSet<StaffId>, belongs: bool| {
            if belongs { set.insert(staff.id) } else { set.remove(&staff.id) }
        };
        let here = !staff.removed;
        put(&mut self.admins, here && staff.roles.contains(&Role::Admin));
        put(&mut self.mappers_on_duty, here && staff.on_duty && staff.roles.contains(&Role::Mapper));
        put(&mut self.members_on_duty, here && staff.on_duty && staff.roles.contains(&Role::Member));
        self
    }
}

//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::Right;
use gatehouse::http::Callers::StaffAndCustomers;
use gatehouse::http::{Operation, PageQuery};

use crate::query::ShareListQuery;
use crate::{Rows, WithFiles};

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(
            StaffAndCustomers(Right::ReadShares),
            "GET /v1/shares",
            "listShares",
            "Lists a customer's inbox, or all shares for the staff.",
        )
        .query::<ShareListQuery>()
        .query::<PageQuery>()
        .answers::<Rows>(200)
        .cached()
        .refuses(&["area_not_open"]),
        Operation::new(
            StaffAndCustomers(Right::ReadShares),
            "GET /v1/shares/{id}",
            "getShare",
            "Shows a share with its files; a customer has read it from then on.",
        )
        .answers::<WithFiles>(200)
        .refuses(&["area_not_open", "share_expired"]),
    ]
}

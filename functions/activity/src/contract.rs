//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::Right;
use gatehouse::http::Callers::Staff;
use gatehouse::http::{ListView, Operation, PageQuery};

use crate::{Filter, View};

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(
            Staff(Right::ReadActivity),
            "GET /v1/activity",
            "listActivity",
            "Lists who did what, the newest first; as text/csv for a spreadsheet, in parts: the header Link says where the next one is.",
        )
        .query::<Filter>()
        .query::<PageQuery>()
        .answers::<ListView<View>>(200)
        .answers_as::<String>(200, "text/csv"),
    ]
}

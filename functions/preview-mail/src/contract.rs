//! What each route takes and answers, and by what it refuses.

use gatehouse::http::Callers::StaffInPerson;
use gatehouse::http::Operation;

use crate::{Shown, Wanted};

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(
            StaffInPerson,
            "POST /v1/shares/{id}/mail-preview",
            "previewMail",
            "Shows the mail that tells of a share.",
        )
        .may_take::<Wanted>()
        .answers::<Shown>(200),
    ]
}

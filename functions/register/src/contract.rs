//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::AccessRequest;
use gatehouse::http::Callers::Anybody;
use gatehouse::http::{Operation, Received};

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(
            Anybody,
            "POST /v1/registrations",
            "requestAccess",
            "Asks for access; the same answer whatever the address is.",
        )
        .takes::<AccessRequest>()
        .answers::<Received>(202),
    ]
}

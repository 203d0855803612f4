//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::LinkBody;
use gatehouse::http::Callers::Anybody;
use gatehouse::http::{Operation, Received};

use crate::{Activated, Activation, Checked};

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(
            Anybody,
            "POST /v1/activations/check",
            "checkActivation",
            "Looks at an activation link; nothing changes.",
        )
        .takes::<LinkBody>()
        .answers::<Checked>(200)
        .refuses(&["link_unknown", "link_expired", "link_used", "link_replaced", "link_withdrawn"]),
        Operation::new(
            Anybody,
            "POST /v1/activations",
            "activate",
            "Opens the account behind an activation link, and a session.",
        )
        .takes::<Activation>()
        .answers::<Activated>(201)
        .refuses(&[
            "link_unknown",
            "link_expired",
            "link_used",
            "link_replaced",
            "link_withdrawn",
            "password_too_weak",
        ]),
        Operation::new(
            Anybody,
            "POST /v1/activations/renew",
            "renewActivation",
            "Asks for a new activation link; the same answer whatever the token is.",
        )
        .takes::<LinkBody>()
        .answers::<Received>(202),
    ]
}

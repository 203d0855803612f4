//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::Right;
use gatehouse::http::Callers::Staff;
use gatehouse::http::{ContactView, Operation};

use crate::access::Switch;
use crate::{Invitation, Sent};

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(
            Staff(Right::ManageCustomers),
            "POST /v1/contacts/{id}/invitation",
            "inviteContact",
            "Sends a contact its invitation, or sends it again: the last link dies.",
        )
        .may_take::<Invitation>()
        .answers::<Sent>(202)
        .refuses(&[
            "already_active",
            "access_closed",
            "email_missing",
            "plan_lacks_portal",
            "too_many_requests",
        ]),
        Operation::new(
            Staff(Right::ManageCustomers),
            "DELETE /v1/contacts/{id}/invitation",
            "withdrawInvitation",
            "Takes an invitation back: its link dies.",
        )
        .answers_nothing(),
        Operation::new(
            Staff(Right::ManageCustomers),
            "PUT /v1/contacts/{id}/access",
            "changeAccess",
            "Opens or closes the access of a contact.",
        )
        .takes::<Switch>()
        .answers::<ContactView>(200)
        .refuses(&[
            "already_active",
            "access_closed",
            "email_missing",
            "plan_lacks_portal",
            "too_many_requests",
        ]),
    ]
}

//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::Right;
use gatehouse::http::Callers::Staff;
use gatehouse::http::{ListView, Operation, PageQuery};

use crate::decide::{Declined, MapTo, MappedView};
use crate::known::Shown;
use crate::{RegistrationView, StatusQuery};

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(
            Staff(Right::MapRegistrations),
            "GET /v1/registrations",
            "listRegistrations",
            "Lists requests for access.",
        )
        .query::<StatusQuery>()
        .query::<PageQuery>()
        .answers::<ListView<RegistrationView>>(200),
        Operation::new(
            Staff(Right::MapRegistrations),
            "GET /v1/registrations/{id}",
            "getRegistration",
            "Shows a request for access, and to whom it may belong.",
        )
        .answers::<Shown>(200),
        Operation::new(
            Staff(Right::MapRegistrations),
            "POST /v1/registrations/{id}/map",
            "mapRegistration",
            "Says to which company and contact a request belongs, and lets the person in.",
        )
        .takes::<MapTo>()
        .answers::<MappedView>(200)
        .refuses(&[
            "already_mapped",
            "email_differs",
            "contact_of_other_company",
            "email_taken",
            "already_active",
            "access_closed",
            "email_missing",
            "plan_lacks_portal",
            "too_many_requests",
        ]),
        Operation::new(
            Staff(Right::MapRegistrations),
            "POST /v1/registrations/{id}/decline",
            "declineRegistration",
            "Declines a request for access.",
        )
        .takes::<Declined>()
        .answers::<RegistrationView>(200)
        .refuses(&["already_mapped"]),
    ]
}

//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::Right;
use gatehouse::http::Callers::{Staff, StaffInPerson};
use gatehouse::http::{ListView, Operation, PageQuery};

use crate::keys::{KeyView, MadeKey, NewKey};
use crate::people::{ChangeMember, Duty, MemberView, NewMember};

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(
            Staff(Right::ManageStaff),
            "POST /v1/staff",
            "createStaff",
            "Enters one of the staff, and invites it.",
        )
        .takes::<NewMember>()
        .answers::<MemberView>(201)
        .refuses(&["email_taken", "already_active", "access_closed", "too_many_requests"]),
        Operation::new(Staff(Right::ReadStaff), "GET /v1/staff", "listStaff", "Lists the staff.")
            .query::<PageQuery>()
            .answers::<ListView<MemberView>>(200),
        Operation::new(
            Staff(Right::ManageStaff),
            "PATCH /v1/staff/{id}",
            "changeStaff",
            "Says what one of the staff may do.",
        )
        .takes::<ChangeMember>()
        .answers::<MemberView>(200)
        .refuses(&["last_admin"]),
        Operation::new(Staff(Right::ManageStaff), "DELETE /v1/staff/{id}", "removeStaff", "Removes one of the staff.")
            .answers_nothing()
            .refuses(&["last_admin"]),
        Operation::new(
            Staff(Right::ManageStaff),
            "POST /v1/staff/{id}/invitation",
            "inviteStaff",
            "Sends one of the staff its activation link again.",
        )
        .answers::<MemberView>(202)
        .refuses(&["already_active", "access_closed", "too_many_requests"]),
        Operation::new(
            StaffInPerson,
            "PUT /v1/staff/{id}/duty",
            "changeDuty",
            "Says whether one of the staff is on duty: itself, or an admin.",
        )
        .takes::<Duty>()
        .answers::<MemberView>(200),
        Operation::new(
            Staff(Right::ManageKeys),
            "POST /v1/api-keys",
            "createApiKey",
            "Makes an API key, which is shown once.",
        )
        .takes::<NewKey>()
        .answers::<MadeKey>(201),
        Operation::new(Staff(Right::ManageKeys), "GET /v1/api-keys", "listApiKeys", "Lists the API keys.")
            .query::<PageQuery>()
            .answers::<ListView<KeyView>>(200),
        Operation::new(Staff(Right::ManageKeys), "DELETE /v1/api-keys/{id}", "revokeApiKey", "Revokes an API key.")
            .answers_nothing(),
    ]
}

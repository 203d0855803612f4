//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::Right;
use gatehouse::http::Callers::{Staff, StaffAndCustomers};
use gatehouse::http::{ListView, Operation, PageQuery};

use crate::change::{Change, Changed};
use crate::draft::{Created, NewShare};
use crate::link::MadeLink;
use crate::recipient_list::RecipientView;
use crate::recipients::NewRecipient;
use crate::send::SentShare;

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(
            StaffAndCustomers(Right::ManageShares),
            "POST /v1/shares",
            "createShare",
            "Makes a draft: its recipients, and the files that are to come.",
        )
        .takes::<NewShare>()
        .answers::<Created>(201)
        .refuses(&["area_not_open", "file_too_large", "quota_exceeded"]),
        Operation::new(
            StaffAndCustomers(Right::ManageShares),
            "POST /v1/shares/{id}/send",
            "sendShare",
            "Sends a draft.",
        )
        .answers::<SentShare>(202)
        .refuses(&[
            "area_not_open",
            "upload_incomplete",
            "already_sent",
            "share_revoked",
            "share_expired",
            "too_many_requests",
        ]),
        Operation::new(Staff(Right::ManageShares), "PATCH /v1/shares/{id}", "changeShare", "Changes a share.")
            .takes::<Change>()
            .answers::<Changed>(200)
            .refuses(&["area_not_open", "share_expired", "share_revoked"]),
        Operation::new(
            StaffAndCustomers(Right::ManageShares),
            "DELETE /v1/shares/{id}",
            "deleteShare",
            "Takes a share back, or throws a draft away.",
        )
        .answers_nothing()
        .refuses(&["area_not_open", "share_expired"]),
        Operation::new(
            Staff(Right::ReadShares),
            "GET /v1/shares/{id}/recipients",
            "listRecipients",
            "Lists who has a share, and how far it has come with each.",
        )
        .query::<PageQuery>()
        .answers::<ListView<RecipientView>>(200)
        .refuses(&["area_not_open", "share_expired"]),
        Operation::new(
            Staff(Right::ManageShares),
            "POST /v1/shares/{id}/recipients",
            "addRecipient",
            "Gives a share to one more.",
        )
        .takes::<NewRecipient>()
        .answers::<RecipientView>(201)
        .refuses(&["area_not_open", "share_expired", "share_revoked"]),
        Operation::new(
            Staff(Right::ManageShares),
            "POST /v1/shares/{id}/recipients/{rid}/link",
            "makeLink",
            "Makes a recipient's link to pass on by other means; those of this recipient that came before it end.",
        )
        .answers::<MadeLink>(201)
        .refuses(&["area_not_open", "share_expired", "share_revoked", "access_closed", "email_missing"]),
        Operation::new(
            Staff(Right::ManageShares),
            "DELETE /v1/shares/{id}/recipients/{rid}",
            "removeRecipient",
            "Takes a share from one recipient.",
        )
        .answers_nothing()
        .refuses(&["area_not_open", "share_expired", "share_revoked"]),
    ]
}

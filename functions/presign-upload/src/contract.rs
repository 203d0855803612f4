//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::{NewFile, Right};
use gatehouse::http::Callers::StaffAndCustomers;
use gatehouse::http::{AwaitedFile, FileView, Operation};

use crate::{Rename, Sent};

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(
            StaffAndCustomers(Right::ManageShares),
            "POST /v1/shares/{id}/files",
            "addFile",
            "Announces a file of a share, and says how to send its bytes.",
        )
        .takes::<NewFile>()
        .answers::<AwaitedFile>(201)
        .refuses(&["area_not_open", "share_expired", "share_revoked", "file_too_large", "quota_exceeded"]),
        Operation::new(
            StaffAndCustomers(Right::ManageShares),
            "GET /v1/shares/{id}/files/{fid}/upload",
            "getUpload",
            "Says what of a file is still missing, with fresh URLs.",
        )
        .answers::<AwaitedFile>(200)
        .refuses(&["area_not_open", "share_expired", "share_revoked", "conflict"]),
        Operation::new(
            StaffAndCustomers(Right::ManageShares),
            "POST /v1/shares/{id}/files/{fid}/complete",
            "completeUpload",
            "Says that all bytes of a file are there.",
        )
        .may_take::<Sent>()
        .answers::<FileView>(200)
        .refuses(&["area_not_open", "share_expired", "share_revoked", "upload_incomplete", "upload_refused"]),
        Operation::new(
            StaffAndCustomers(Right::ManageShares),
            "PATCH /v1/shares/{id}/files/{fid}",
            "changeFile",
            "Gives a file another name or folder, before its share is sent.",
        )
        .takes::<Rename>()
        .answers::<FileView>(200)
        .refuses(&["area_not_open", "share_expired", "already_sent", "share_revoked"]),
        Operation::new(
            StaffAndCustomers(Right::ManageShares),
            "DELETE /v1/shares/{id}/files/{fid}",
            "withdrawFile",
            "Takes a file out of a draft, or one back whose bytes are awaited.",
        )
        .answers_nothing()
        .refuses(&["area_not_open", "share_expired", "file_stored", "share_revoked"]),
    ]
}

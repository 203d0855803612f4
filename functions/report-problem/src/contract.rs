//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::Right;
use gatehouse::http::Callers::{Customers, StaffAndCustomers};
use gatehouse::http::{Operation, PreviewView, ThumbnailList, ThumbnailsWanted};

use crate::files::{DownloadView, NewJobFiles, Uploads};
use crate::report::{NewReport, Reported};
use crate::{CommentView, NewComment};

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(
            Customers,
            "POST /v1/problems",
            "reportProblem",
            "Reports a problem on an asset or a site: a job at once, with photos that are to come or have come before.",
        )
        .takes::<NewReport>()
        .answers::<Reported>(201)
        .refuses(&["area_not_open", "not_found", "too_many_requests", "file_too_large", "quota_exceeded"]),
        Operation::new(
            Customers,
            "POST /v1/problem-photos",
            "announceProblemPhotos",
            "Announces photos for a report that is to follow within a day.",
        )
        .takes::<NewJobFiles>()
        .answers::<Uploads>(201)
        .refuses(&["area_not_open", "too_many_requests", "file_too_large", "quota_exceeded"]),
        Operation::new(
            StaffAndCustomers(Right::ManageRecords),
            "POST /v1/jobs/{id}/files",
            "addJobFiles",
            "Announces photos and other files of a job.",
        )
        .takes::<NewJobFiles>()
        .answers::<Uploads>(201)
        .refuses(&["area_not_open", "too_many_requests", "file_too_large", "quota_exceeded"]),
        Operation::new(
            StaffAndCustomers(Right::ManageRecords),
            "POST /v1/jobs/{id}/comments",
            "commentOnJob",
            "Writes on a job; the other side is told.",
        )
        .takes::<NewComment>()
        .answers::<CommentView>(201)
        .refuses(&["area_not_open", "too_many_requests"]),
        Operation::new(
            StaffAndCustomers(Right::ReadRecords),
            "POST /v1/jobs/{id}/files/{fid}/download",
            "downloadJobFile",
            "Says where to fetch a file of a job.",
        )
        .answers::<DownloadView>(200)
        .refuses(&["area_not_open", "not_scanned_yet", "file_withheld"]),
        Operation::new(
            StaffAndCustomers(Right::ReadRecords),
            "POST /v1/jobs/{id}/files/{fid}/preview",
            "previewJobFile",
            "Says where a browser finds a file of a job to show it.",
        )
        .answers::<PreviewView>(200)
        .refuses(&["area_not_open", "not_scanned_yet", "file_withheld", "no_preview"]),
        Operation::new(
            StaffAndCustomers(Right::ReadRecords),
            "POST /v1/jobs/{id}/thumbnails",
            "findJobThumbnails",
            "Says where to find the small pictures of a job's photos.",
        )
        .takes::<ThumbnailsWanted>()
        .answers::<ThumbnailList>(200)
        .refuses(&["area_not_open"]),
    ]
}

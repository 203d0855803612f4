//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::Right;
use gatehouse::http::Callers::StaffAndCustomers;
use gatehouse::http::{DownloadList, DownloadView, Operation, PreviewView, ThumbnailList, ThumbnailsWanted};

use crate::FileRequest;
use crate::thumbnails::Wanted;

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(
            StaffAndCustomers(Right::ReadShares),
            "POST /v1/shares/{id}/files/{fid}/download",
            "downloadFile",
            "Says where to fetch a file.",
        )
        .answers::<DownloadView>(200)
        .refuses(&["area_not_open", "share_expired", "not_scanned_yet", "file_withheld"]),
        Operation::new(
            StaffAndCustomers(Right::ReadShares),
            "POST /v1/shares/{id}/files/{fid}/preview",
            "previewFile",
            "Says where a browser finds a file to show it.",
        )
        .answers::<PreviewView>(200)
        .refuses(&["area_not_open", "share_expired", "not_scanned_yet", "file_withheld", "no_preview"]),
        Operation::new(
            StaffAndCustomers(Right::ReadShares),
            "POST /v1/shares/{id}/downloads",
            "downloadFiles",
            "Says where to fetch many files of a share.",
        )
        .may_take::<FileRequest>()
        .answers::<DownloadList>(200)
        .refuses(&["area_not_open", "share_expired"]),
        Operation::new(
            StaffAndCustomers(Right::ReadShares),
            "POST /v1/shares/{id}/thumbnails",
            "shareThumbnails",
            "Says where the small pictures of a share's files are.",
        )
        .takes::<ThumbnailsWanted>()
        .answers::<ThumbnailList>(200)
        .refuses(&["area_not_open", "share_expired"]),
        Operation::new(
            StaffAndCustomers(Right::ReadShares),
            "POST /v1/thumbnails",
            "thumbnails",
            "The same across shares, for a list: what the caller may not see is left out.",
        )
        .takes::<Wanted>()
        .answers::<ThumbnailList>(200)
        .refuses(&["area_not_open"]),
    ]
}

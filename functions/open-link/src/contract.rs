//! What each route takes and answers, and by what it refuses.

use gatehouse::domain::LinkBody;
use gatehouse::http::Callers::Anybody;
use gatehouse::http::{DownloadList, DownloadView, Operation, PreviewView, ThumbnailList};

use crate::access::{AccessAsked, GetAccess};
use crate::{FileRequest, FilesRequest, OpenedView, ThumbnailsRequest};

/// By what any link is refused.
const OF_LINKS: [&str; 6] =
    ["link_unknown", "link_expired", "link_withdrawn", "link_replaced", "share_expired", "area_not_open"];

/// The contract of this function's routes.
#[must_use]
pub fn contract() -> Vec<Operation> {
    vec![
        Operation::new(Anybody, "POST /v1/links/open", "openLink", "Opens the share behind the link in a mail.")
            .takes::<LinkBody>()
            .answers::<OpenedView>(200)
            .refuses(&OF_LINKS),
        Operation::new(Anybody, "POST /v1/links/download", "downloadByLink", "Says where to fetch a file of it.")
            .takes::<FileRequest>()
            .answers::<DownloadView>(200)
            .refuses(&OF_LINKS)
            .refuses(&["not_found", "not_scanned_yet", "file_withheld"]),
        Operation::new(
            Anybody,
            "POST /v1/links/downloads",
            "downloadManyByLink",
            "Says where to fetch many of its files.",
        )
        .takes::<FilesRequest>()
        .answers::<DownloadList>(200)
        .refuses(&OF_LINKS)
        .refuses(&["not_found"]),
        Operation::new(
            Anybody,
            "POST /v1/links/preview",
            "previewByLink",
            "Says where a browser finds a file of it to show it.",
        )
        .takes::<FileRequest>()
        .answers::<PreviewView>(200)
        .refuses(&OF_LINKS)
        .refuses(&["not_found", "not_scanned_yet", "file_withheld", "no_preview"]),
        Operation::new(
            Anybody,
            "POST /v1/links/thumbnails",
            "thumbnailsByLink",
            "Says where the small pictures of its files are.",
        )
        .takes::<ThumbnailsRequest>()
        .answers::<ThumbnailList>(200)
        .refuses(&OF_LINKS),
        Operation::new(
            Anybody,
            "POST /v1/links/get-access",
            "getAccessByLink",
            "Asks for an account, for the address that the link was mailed to.",
        )
        .takes::<GetAccess>()
        .answers::<AccessAsked>(202)
        .refuses(&OF_LINKS)
        .refuses(&[
            "forbidden",
            "already_active",
            "access_closed",
            "email_missing",
            "plan_lacks_portal",
            "too_many_requests",
        ]),
    ]
}

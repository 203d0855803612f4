//! Small pictures, for a gallery and for a list of shares: looking at these is not recorded.

use std::collections::BTreeSet;

use futures_util::try_join;
use gatehouse::domain::{Area, FileId, InboxOf, Right, Share, ShareFile, ShareId, ThumbnailSize, Visibility};
use gatehouse::http::{ApiRequest, ApiResponse, Customer, Problem, ThumbnailList, ThumbnailsWanted, at_most, json};
use lambda_http::http::StatusCode;
use serde::Deserialize;

use crate::PresignDownload;

/// As many as a page of a list shows, and half as many again.
const MOST_ITEMS: usize = 150;

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ThumbnailsAcross")]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    items: Vec<WantedFile>,
    size: ThumbnailSize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct WantedFile {
    share_id: ShareId,
    file_id: FileId,
}

impl Wanted {
    fn of(request: &ApiRequest) -> Result<Self, Problem> {
        let wanted: Self = request.json()?;
        at_most(MOST_ITEMS, "items", &wanted.items)?;
        Ok(wanted)
    }

    fn shares(&self) -> BTreeSet<ShareId> {
        self.items.iter().map(|item| item.share_id).collect()
    }

    /// Each once: the table does not like to be asked twice.
    fn files(&self) -> BTreeSet<(ShareId, FileId)> {
        self.items.iter().map(|item| (item.share_id, item.file_id)).collect()
    }
}

impl PresignDownload {
    pub(crate) async fn thumbnails_of_share(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (_, _, files) = self.find_all(request).await?;
        let wanted: ThumbnailsWanted = request.json()?;
        json(StatusCode::OK, &wanted.of(&self.files, &files, self.gate.now()).await?)
    }

    pub(crate) async fn thumbnails_across_shares(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (files, size) = match self.gate.customer(request).await? {
            Some(customer) => self.received_files(request, customer).await?,
            None => {
                let store = &self.gate.store;
                let found = async {
                    let wanted = Wanted::of(request)?;
                    let (shares, files) = try_join!(store.shares(wanted.shares()), store.files_of(wanted.files()))?;
                    Ok::<_, Problem>((shares, files, wanted.size))
                };
                let (_, (shares, files, size)) = self.gate.staff_and(request, Right::ReadShares, found).await?;
                let known = |share: &Share| share.is_known_to_staff();
                (shown(&shares, files, |share, _| known(share)), size)
            }
        };
        json(StatusCode::OK, &ThumbnailList::of(&self.files, files.iter(), size, self.gate.now()).await?)
    }

    /// Those of the files that a contact sees: each share is asked as it is when it is opened.
    async fn received_files(
        &self,
        request: &ApiRequest,
        customer: Customer,
    ) -> Result<(Vec<ShareFile>, ThumbnailSize), Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let wanted = match Wanted::of(request) {
            Ok(wanted) => wanted,
            // Who is nobody any more learns nothing of what could be asked.
            Err(wrong) => {
                customer.admit(store.contact(customer.contact).await?)?;
                return Err(wrong);
            }
        };
        let rows_of = |company| {
            let shares = wanted.shares().into_iter();
            let of = move |share| [InboxOf::Contact(customer.contact), InboxOf::Company(company)].map(|of| (of, share));
            store.inbox_rows(shares.flat_map(of))
        };
        let (contact, visibility, mut rows, shares, files) = try_join!(
            store.contact(customer.contact),
            store.share_visibility(),
            rows_of(customer.company),
            store.shares(wanted.shares()),
            store.files_of(wanted.files()),
        )?;
        let contact = customer.admit(contact)?;
        if !contact.areas.has(Area::Files) {
            return Err(Problem::area_not_open("files"));
        }
        if contact.company_id != customer.company {
            // Its company was merged into another since it signed in.
            rows = rows_of(contact.company_id).await?;
        }
        let row = |of, share| rows.iter().find(|row| row.of == of && row.share_id == share).map(|row| &row.record);
        let sees = |share: &Share, file: &ShareFile| {
            let own = row(InboxOf::Contact(contact.id), share.id);
            let colleagues = row(InboxOf::Company(contact.company_id), share.id);
            let colleagues = colleagues.filter(|_| visibility == Visibility::Company);
            let known = customer.may_know_of(share);
            known && share.open_to(&contact, own, colleagues, now).is_ok() && share.shows_to(file, &contact, visibility)
        };
        Ok((shown(&shares, files, sees), wanted.size))
    }
}

fn shown(shares: &[Share], files: Vec<ShareFile>, sees: impl Fn(&Share, &ShareFile) -> bool) -> Vec<ShareFile> {
    let share_of = |file: &ShareFile| shares.iter().find(|share| share.id == file.share_id);
    files.into_iter().filter(|file| share_of(file).is_some_and(|share| sees(share, file))).collect()
}

//! An inbox, all shares for the staff, and one share with its files.
//!
//! The hottest function: what allows a request and what it asks for are read side by side, in one round trip.

mod contract;
mod query;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::Not;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::domain::{
    Area, ContactId, FileId, FirstFile, Folder, InboxOf, InboxRow, PreviewKind, RecipientId, Right, Share, ShareFile,
    ShareId, Visibility,
};
use gatehouse::event::StartError;
use gatehouse::http::{
    ApiRequest, ApiResponse, Customer, FileView, Function, Gate, List, ListView, PageQuery, Problem, ShareAccess,
    ShareView, json, json_unless_known,
};
use gatehouse::store::{InboxPage, InboxPlace, InboxQuery, Store, StoreError};
use lambda_http::http::StatusCode;
use serde::Serialize;

use query::{ShareListQuery, Side};

pub use contract::contract;

/// The function.
pub struct ListShares {
    gate: Gate,
    /// Whether contacts saw their company's inbox when that was last looked at: so it is read beside the setting.
    colleagues: AtomicBool,
}

impl Function for ListShares {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await?, colleagues: AtomicBool::new(false) })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match (request.route(), self.gate.customer(request).await?) {
            ("GET /v1/shares", Some(customer)) => self.inbox(request, customer).await,
            ("GET /v1/shares", None) => self.all(request).await,
            ("GET /v1/shares/{id}", Some(customer)) => self.received(request, customer).await,
            ("GET /v1/shares/{id}", None) => self.one(request).await,
            _ => Err(Problem::not_found()),
        }
    }
}

/// A share as a line of a list.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ShareRow")]
struct Row {
    #[serde(flatten)]
    share: ShareView,
    /// Where the message goes on.
    #[serde(skip_serializing_if = "Not::not")]
    message_truncated: bool,
    unread: bool,
    allow_upload: bool,
    /// What stands for it in a list.
    first_files: Vec<FirstFileView>,
    /// How far it has come; for the staff, and for whoever made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<query::State>")]
    state: Option<&'static str>,
}

/// A file that stands for its share.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "FirstFile")]
struct FirstFileView {
    id: FileId,
    preview: Option<PreviewKind>,
}

impl From<FirstFile> for FirstFileView {
    fn from(FirstFile { id, preview }: FirstFile) -> Self {
        Self { id, preview }
    }
}

impl From<InboxRow> for Row {
    fn from(mut row: InboxRow) -> Self {
        let first_files = std::mem::take(&mut row.first_files).into_iter().map(FirstFileView::from).collect();
        let state = matches!(row.of, InboxOf::Operator).then(|| row.state.word());
        let (unread, allow_upload, message_truncated) = (row.unread, row.allow_upload, row.message_truncated);
        Self { unread, allow_upload, message_truncated, first_files, state, share: row.into() }
    }
}

impl From<Share> for Row {
    fn from(share: Share) -> Self {
        let state = Some(share.state.word());
        let allow_upload = share.allow_upload;
        let first_files = share.contents.first_files.iter().copied().map(FirstFileView::from).collect();
        Self { unread: false, allow_upload, message_truncated: false, first_files, state, share: share.into() }
    }
}

/// A page of a list.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ShareList")]
struct Rows {
    #[serde(flatten)]
    list: ListView<Row>,
    /// How many there are on all pages, counted up to 1,000; `null` where that would cost too much, or was not asked for.
    total: Option<u64>,
    /// `false` where it does not come in the order that was asked for; else nothing is said.
    #[serde(skip_serializing_if = "Clone::clone")]
    sorted: bool,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ShareWithFiles")]
struct WithFiles {
    #[serde(flatten)]
    row: Row,
    /// Where it is not found by all words of its files: there are too many.
    #[serde(skip_serializing_if = "Not::not")]
    search_incomplete: bool,
    /// How many of the files customers have added to it in return.
    returned_count: usize,
    files: Vec<FileView>,
    /// Files that its recipients do not see; for the staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    excluded_files: Option<BTreeSet<FileId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excluded_folders: Option<BTreeSet<Folder>>,
}

impl WithFiles {
    fn new(share: Share, files: Vec<ShareFile>) -> Self {
        let returned_count = files.iter().filter(|file| share.was_returned(file)).count();
        let (search_incomplete, files) = (share.words_left_out, files.into_iter().map(FileView::from).collect());
        let row = Row::from(share);
        Self { row, search_incomplete, returned_count, files, excluded_files: None, excluded_folders: None }
    }
}

/// A page of an inbox, as it is asked for.
struct AskedFor {
    list: List,
    query: InboxQuery,
    page: PageQuery,
    after: Option<InboxPlace>,
}

impl ListShares {
    async fn inbox(&self, request: &ApiRequest, customer: Customer) -> Result<ApiResponse, Problem> {
        let store = &self.gate.store;
        let asked = match self.asked_by_customer(request, &customer).await {
            Ok(asked) => asked,
            // Who is nobody any more learns nothing of what could be asked.
            Err(wrong) => {
                customer.admit(store.contact(customer.contact).await?)?;
                return Err(wrong);
            }
        };
        let AskedFor { list, query, page, after } = asked;
        let own = InboxOf::Contact(customer.contact);
        // What a colleague got is nobody's to be told as new.
        let of_colleagues = |company, shown: bool| if shown && !query.unread { InboxOf::Company(company) } else { own };
        let looked_into = of_colleagues(customer.company, self.colleagues.load(Ordering::Relaxed));
        let (contact, visibility, mut found) = try_join!(
            store.contact(customer.contact),
            store.share_visibility(),
            store.inbox(looked_into, &query, page.limit, after.clone())
        )?;
        let shown = visibility == Visibility::Company;
        self.colleagues.store(shown, Ordering::Relaxed);
        let contact = customer.admit(contact)?;
        if !contact.areas.has(Area::Files) {
            return Err(Problem::area_not_open("files"));
        }
        // The setting may have changed since, and the contact's company since it signed in.
        let inbox = of_colleagues(contact.company_id, shown);
        if inbox != looked_into {
            found = store.inbox(inbox, &query, page.limit, after).await?;
        }
        if inbox != own {
            unread_by(store, contact.id, &mut found.rows).await?;
        }
        self.show(request, &list, found).await
    }

    async fn show(&self, request: &ApiRequest, list: &List, page: InboxPage) -> Result<ApiResponse, Problem> {
        let rows = page.rows.into_iter().map(Row::from).collect();
        let list = self.gate.listed(list, rows, page.next.as_ref()).await?;
        json_unless_known(request, &Rows { list, total: page.total, sorted: page.sorted })
    }

    async fn asked_by_customer(&self, request: &ApiRequest, customer: &Customer) -> Result<AskedFor, Problem> {
        let (asked, page): (ShareListQuery, _) = request.list_query()?;
        asked.of_a_customer()?;
        self.asked(&asked, page, &customer.contact, Side::Customer).await
    }

    async fn asked(
        &self,
        asked: &ShareListQuery,
        page: PageQuery,
        caller: &(dyn Display + Sync),
        side: Side,
    ) -> Result<AskedFor, Problem> {
        let (list, query) = (asked.list(caller), asked.inbox(side)?);
        let after = self.gate.after(&list, &page).await?;
        Ok(AskedFor { list, query, page, after })
    }

    async fn received(&self, request: &ApiRequest, customer: Customer) -> Result<ApiResponse, Problem> {
        let (store, id) = (&self.gate.store, request.id("id")?);
        let received = store.received(customer.contact, customer.company, id);
        let (received, found) = try_join!(received, store.share_and_files(id))?;
        let (share, files) = found.unzip();
        let files = files.unwrap_or_default();
        let seen = self.gate.authorize_share(customer, received, share.as_deref(), &files).await?;
        let share = share.ok_or_else(Problem::not_found)?.record;
        if !seen.viewed {
            self.note_read(share.id, &seen).await?;
        }
        let shown: Vec<_> =
            files.into_iter().filter(|file| share.shows_to(file, &seen.contact, seen.visibility)).collect();
        let files_seen = seen.seen.as_ref().map(|seen| seen.files.clone()).unwrap_or_default();
        let made_it = share.made_by_contact() == Some(seen.contact.id);
        let mut shown = WithFiles::new(share, shown);
        let row = &mut shown.row;
        row.share.received_at = seen.row().map_or(row.share.received_at, |row| row.received_at);
        row.state = row.state.filter(|_| made_it);
        shown.files = shown.files.into_iter().map(|file| file.seen(&files_seen)).collect();
        json(StatusCode::OK, &shown)
    }

    /// That the contact has opened it, and that nothing of it is new any more.
    async fn note_read(&self, share: ShareId, by: &ShareAccess) -> Result<(), Problem> {
        let store = &self.gate.store;
        let unread = by.own.as_ref().filter(|row| row.unread);
        let contact = RecipientId::Contact(by.contact.id);
        try_join!(
            async {
                match unread {
                    Some(row) => store.mark_read(row).await,
                    None => Ok(()),
                }
            },
            async {
                match by.seen {
                    Some(_) => Ok(()),
                    None => store.note_opened(share, contact, self.gate.now()).await,
                }
            },
        )?;
        Ok(())
    }

    async fn all(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let found = async {
            let (asked, page): (ShareListQuery, _) = request.list_query()?;
            let caller = self.gate.caller_name(request).await?;
            let AskedFor { list, query, page, after } = self.asked(&asked, page, &caller, Side::Operator).await?;
            let found = self.gate.store.inbox(asked.of(), &query, page.limit, after).await?;
            Ok::<_, Problem>((list, found))
        };
        let (_, (list, found)) = self.gate.staff_and(request, Right::ReadShares, found).await?;
        self.show(request, &list, found).await
    }

    async fn one(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let found = async { Ok::<_, Problem>(self.gate.store.share_and_files(request.id("id")?).await?) };
        let (_, (share, files)) = self.gate.staff_and_share(request, Right::ReadShares, found).await?;
        let (excluded_files, excluded_folders) = (Some(share.excluded.clone()), Some(share.excluded_folders.clone()));
        let shown = WithFiles { excluded_files, excluded_folders, ..WithFiles::new(share.record, files) };
        json(StatusCode::OK, &shown)
    }
}

/// Of a company's shares, those that are the contact's own are as unread as they are to it; the others are not.
async fn unread_by(store: &Store, contact: ContactId, rows: &mut [InboxRow]) -> Result<(), StoreError> {
    let own = store.rows(InboxOf::Contact(contact), rows.iter().map(|row| row.share_id).collect()).await?;
    for row in rows {
        row.unread = own.iter().any(|own| own.share_id == row.share_id && own.unread);
    }
    Ok(())
}

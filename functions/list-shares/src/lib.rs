//! A contact's inbox, all shares for the staff, and one share with its files.
//!
//! The hottest function: what allows a request and what it asks for are read side by side, in one round trip.

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Area, Contact, ContactId, FileState, InboxRow, Message, PersonName, Reference, Right, Share, ShareFile, ShareId,
    Title,
};
use gatehouse::event::StartError;
use gatehouse::http::{Answer, Call, FileView, Function, Gate, List, PageQuery, Problem, json};
use gatehouse::session::Claims;
use lambda_http::http::StatusCode;
use serde::Serialize;

/// The function.
pub struct ListShares {
    gate: Gate,
}

impl Function for ListShares {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { gate: Gate::connect(env).await? })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match (call.route(), self.gate.contact_claims(call).await?) {
            ("GET /v1/shares", Some((claims, contact))) => self.inbox(call, claims, contact).await,
            ("GET /v1/shares", None) => self.all(call).await,
            ("GET /v1/shares/{id}", Some((claims, contact))) => self.received(call, claims, contact).await,
            ("GET /v1/shares/{id}", None) => self.one(call).await,
            _ => Err(Problem::not_found()),
        }
    }
}

/// A share as a line of a list.
#[derive(Serialize)]
struct Row {
    id: ShareId,
    title: Title,
    reference: Option<Reference>,
    message: Option<Message>,
    from: PersonName,
    received_at: Timestamp,
    expires_at: Option<Timestamp>,
    file_count: u64,
    total_size: u64,
    unread: bool,
    allow_upload: bool,
    /// How far it has come; for the staff, since a customer's have all been sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
}

impl From<InboxRow> for Row {
    fn from(row: InboxRow) -> Self {
        Self {
            id: row.share_id,
            title: row.title,
            reference: row.reference,
            message: row.message,
            from: row.from,
            received_at: row.received_at,
            expires_at: row.expires_at,
            file_count: row.file_count,
            total_size: row.total_size,
            unread: row.unread,
            allow_upload: row.allow_upload,
            state: None,
        }
    }
}

impl From<Share> for Row {
    fn from(share: Share) -> Self {
        Self {
            received_at: share.state.sent_at().unwrap_or(share.created_at),
            state: Some(share.state.word()),
            unread: false,
            id: share.id,
            title: share.title,
            reference: share.reference,
            message: share.message,
            from: share.from,
            expires_at: share.expires_at,
            file_count: share.file_count,
            total_size: share.total_size,
            allow_upload: share.allow_upload,
        }
    }
}

#[derive(Serialize)]
struct WithFiles {
    #[serde(flatten)]
    row: Row,
    files: Vec<FileView>,
}

impl WithFiles {
    fn new(row: Row, files: impl IntoIterator<Item = ShareFile>) -> Self {
        Self { row, files: files.into_iter().map(FileView::from).collect() }
    }
}

impl ListShares {
    async fn inbox(&self, call: &Call, claims: Claims, id: ContactId) -> Result<Answer, Problem> {
        let list = List::of(&[&"inbox", &id]);
        let page = self.gate.page(&list, &call.query::<PageQuery>()?).await?;
        let (contact, rows) = try_join!(self.gate.store.contact(id), self.gate.store.inbox(id, page))?;
        may_see_files(&Gate::admit_contact(claims, contact)?.record)?;
        json(StatusCode::OK, &self.gate.list(&list, rows, Row::from).await?)
    }

    async fn received(&self, call: &Call, claims: Claims, id: ContactId) -> Result<Answer, Problem> {
        let (store, share) = (&self.gate.store, call.id("id")?);
        let reads = try_join!(store.contact(id), store.inbox_row(id, share), store.share_and_files(share));
        let (contact, row, found) = reads?;
        may_see_files(&Gate::admit_contact(claims, contact)?.record)?;
        let (row, (_, files)) = row.zip(found).ok_or_else(Problem::not_found)?;
        if row.unread {
            store.mark_read(id, share).await?;
        }
        let row = Row::from(InboxRow { unread: false, ..row });
        let stored = files.into_iter().filter(|file| file.upload == FileState::Stored);
        json(StatusCode::OK, &WithFiles::new(row, stored))
    }

    async fn all(&self, call: &Call) -> Result<Answer, Problem> {
        let list = List::of(&[&"shares"]);
        let page = self.gate.page(&list, &call.query::<PageQuery>()?).await?;
        let (_, shares) = self.gate.staff_and(call, Right::ReadShares, self.gate.store.shares(page)).await?;
        json(StatusCode::OK, &self.gate.list(&list, shares, Row::from).await?)
    }

    async fn one(&self, call: &Call) -> Result<Answer, Problem> {
        let found = self.gate.store.share_and_files(call.id("id")?);
        let (_, found) = self.gate.staff_and(call, Right::ReadShares, found).await?;
        let (share, files) = found.ok_or_else(Problem::not_found)?;
        json(StatusCode::OK, &WithFiles::new(Row::from(share.record), files))
    }
}

fn may_see_files(contact: &Contact) -> Result<(), Problem> {
    if contact.areas.has(Area::Files) { Ok(()) } else { Err(Problem::area_not_open("files")) }
}

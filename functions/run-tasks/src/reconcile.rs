//! A contact's inbox after it got another company or address, or has just been entered: rows that no longer count leave
//! it, and what was shared with the company and the address before comes in. Nobody is mailed about what is not new.
//!
//! One page of a list in each step. All of it runs a second time a little later: what was shared, or who was told of it,
//! in the very moment of the change is missing in the indexes that the first run reads.

use std::collections::BTreeMap;

use gatehouse::domain::{
    AddressId, Contact, ContactId, InboxOf, InboxRow, Recipient, RecipientId, ReconcileStep, ShareEvent, ShareId, Task,
    TaskKind,
};
use gatehouse::store::{FanOut, Page, Reader, Stored};

use crate::{RunTasks, TaskError, page_after, save_or_finish};

/// Each row takes five writes of a transaction at most: itself, two recipients that are asked, a task for its words, one
/// for its company.
const ROWS: usize = 18;
/// So many recipients are looked at in one step.
const SHARES: usize = 25;

impl RunTasks {
    pub(crate) async fn reconcile(
        &self,
        task: &Stored<Task>,
        id: ContactId,
        step: ReconcileStep,
    ) -> Result<(), TaskError> {
        let Some(contact) = self.store.contact(id).await? else { return Ok(self.store.finish_task(task.id).await?) };
        match step {
            ReconcileStep::Rows => self.stale_rows(task, &contact).await,
            ReconcileStep::CompanyShares => {
                let page = page_after(task.after.clone(), SHARES);
                let shared = self.store.shared_with_company(contact.company_id, page).await?;
                self.backfill(task, &contact, shared, Some(ReconcileStep::AddressShares)).await
            }
            ReconcileStep::AddressShares => {
                let page = page_after(task.after.clone(), SHARES);
                let shared = match &contact.email {
                    Some(email) => self.store.shared_with_address(email, page).await?,
                    None => Page { items: Vec::new(), next: None },
                };
                self.backfill(task, &contact, shared, None).await
            }
        }
    }

    /// A page of the contact's own rows: each lies there by the recipients that still stand for the contact, or leaves.
    async fn stale_rows(&self, task: &Stored<Task>, contact: &Stored<Contact>) -> Result<(), TaskError> {
        let now = self.clock.now();
        let page = self.store.rows_of(InboxOf::Contact(contact.id), page_after(task.after.clone(), ROWS)).await?;
        let is_stale = |row: &&Stored<InboxRow>| row.via.iter().any(|via| !via.includes(row.share_id, contact));
        let stale: Vec<&Stored<InboxRow>> = page.items.iter().filter(is_stale).collect();
        let of_row = |row: &&Stored<InboxRow>| {
            let share = row.share_id;
            recipients_for(share, contact).map(|id| (share, id)).collect::<Vec<_>>()
        };
        let wanted: Vec<(ShareId, RecipientId)> = stale.iter().flat_map(of_row).collect();
        let recipients = self.store.recipients_among(wanted).await?;

        let moved = self.move_on(task, page.next);
        let moved = moved.or_else(|| Some(task.next(kind(contact.id, ReconcileStep::CompanyShares), now)));
        let mut transaction = save_or_finish(self.store.transaction(), task, moved);
        if !stale.is_empty() {
            transaction = transaction.unchanged(contact.rev, &contact.record);
        }
        for row in stale {
            let mut kept = row.record.clone();
            kept.via.retain(|via| via.includes(row.share_id, contact));
            for recipient in recipients.iter().filter(|recipient| recipient.share_id == row.share_id) {
                kept.via.insert(recipient.id.clone());
                transaction = transaction.unchanged(recipient.rev, &recipient.record);
            }
            transaction = if kept.via.is_empty() {
                let (share, company) = (row.share_id, contact.company_id);
                let leave = TaskKind::LeaveCompanyInbox { share, company, cleared_by: None };
                let transaction = transaction.remove(row.rev, &row.record).index_words(Some(&row.record), None);
                transaction.create(&Task::new(leave, now))
            } else {
                transaction.save(row.rev, &kept)
            };
        }
        Ok(transaction.commit().await?)
    }

    /// A page of what was shared with the contact's company or address: a row for each that it does not have.
    async fn backfill(
        &self,
        task: &Stored<Task>,
        contact: &Stored<Contact>,
        page: Page<Recipient>,
        next: Option<ReconcileStep>,
    ) -> Result<(), TaskError> {
        let now = self.clock.now();
        let inboxes = [InboxOf::Contact(contact.id), InboxOf::Company(contact.company_id)];
        let keys = page.items.iter().flat_map(|recipient| inboxes.map(|of| (of, recipient.share_id)));
        let rows = self.store.inbox_rows(keys).await?;
        let rows: BTreeMap<(InboxOf, ShareId), &InboxRow> =
            rows.iter().map(|row| ((row.of, row.share_id), &row.record)).collect();
        for recipient in page.items {
            let [own, company] = inboxes.map(|of| rows.get(&(of, recipient.share_id)));
            let has_it = own.is_some_and(|row| row.via.contains(&recipient.id)) && company.is_some();
            if !has_it {
                self.backfill_one(contact, &recipient).await?;
            }
        }
        let moved = match (self.move_on(task, page.next), next) {
            (Some(moved), _) => Some(moved),
            (None, Some(step)) => Some(task.next(kind(contact.id, step), now)),
            (None, None) => task.second_run(kind(contact.id, ReconcileStep::Rows), now),
        };
        Ok(save_or_finish(self.store.transaction(), task, moved).commit().await?)
    }

    async fn backfill_one(&self, contact: &Stored<Contact>, recipient: &Recipient) -> Result<(), TaskError> {
        let news = &ShareEvent::Backfilled;
        let Some(share) = self.share(recipient.share_id, news).await? else { return Ok(()) };
        // The list is a little behind: it must still be one.
        let Some(recipient) = self.store.recipient(share.id, &recipient.id).await? else { return Ok(()) };
        let now = share.state.sent_at().unwrap_or(share.created_at);
        let transaction = self.store.transaction().unchanged(share.rev, &share.record);
        let transaction = transaction.unchanged(recipient.rev, &recipient.record);
        let transaction = transaction.unchanged(contact.rev, &contact.record);
        let reader = Reader::of(contact.record.clone(), recipient.id.clone());
        Ok(FanOut { share: &share, news, now }.to(&self.store, transaction, &[reader]).await?.commit().await?)
    }
}

/// As which recipients of a share a contact may have it, besides as itself.
fn recipients_for(share: ShareId, contact: &Contact) -> impl Iterator<Item = RecipientId> {
    let address = contact.email.iter().map(move |email| RecipientId::Address(AddressId::new(share, email)));
    address.chain([RecipientId::Company(contact.company_id)])
}

fn kind(contact: ContactId, step: ReconcileStep) -> TaskKind {
    TaskKind::ReconcileInbox { contact, step }
}

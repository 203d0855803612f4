//! A company that was merged into another: what is shared with everyone at it, its people, its inbox, its sites, assets and
//! jobs. All of it once more a little later, for who or what came in the very moment.

use futures_util::future::join_all;
use gatehouse::domain::{
    Activity, ActivityKind, Actor, Asset, CompanyId, CompanyRecord, Contact, EventAuthor, InboxOf, InboxRow, Job,
    MergeStep, Recipient, RecipientId, RecordLine, RecordLink, ShareEvent, ShareFile, ShareId, Site, Target, Task,
    TaskKind,
};
use gatehouse::store::{PageRequest, Position, Record, Stored, Transaction};

use crate::{RunTasks, TaskError, page_after, save_or_finish, sent};

/// So many are moved in one step, one after the other.
const MOVED: usize = 10;
/// So many files are given to the other company in one transaction.
const FILES: usize = 50;

/// Which company becomes a part of which.
#[derive(Clone, Copy)]
pub(crate) struct Merge {
    pub(crate) company: CompanyId,
    pub(crate) into: CompanyId,
}

impl Merge {
    fn step(self, step: MergeStep) -> TaskKind {
        TaskKind::MergeCompany { company: self.company, into: self.into, step }
    }
}

impl RunTasks {
    /// What the people of the company have in the portal counts to the other one. A file of the one is given back to the
    /// other from the moment of the merge on, so the sum is right whichever comes first.
    async fn move_usage(&self, merge: Merge) -> Result<(), TaskError> {
        let Some(usage) = self.store.usage(merge.company).await? else { return Ok(()) };
        Ok(self.store.transaction().move_usage(merge.company, usage, merge.into).commit().await?)
    }

    /// Each step may be done twice: what has been moved is not found any more.
    pub(crate) async fn merge(&self, task: &Stored<Task>, merge: Merge, step: MergeStep) -> Result<(), TaskError> {
        let (page, now) = (page_after(task.after.clone(), MOVED), self.clock.now());
        let (next, next_step) = match step {
            MergeStep::Recipients => {
                self.move_usage(merge).await?;
                let shared = self.store.shared_with_company(merge.company, page).await?;
                for recipient in shared.items {
                    self.move_recipient(merge, recipient.share_id).await?;
                }
                (shared.next, Some(MergeStep::Contacts))
            }
            MergeStep::Contacts => {
                let members = self.store.members(merge.company, page).await?;
                for contact in members.items {
                    self.move_contact(merge, &contact).await?;
                }
                (members.next, Some(MergeStep::Inbox))
            }
            MergeStep::Inbox => {
                let rows = self.store.rows_of(InboxOf::Company(merge.company), page).await?;
                for row in rows.items {
                    self.move_row(merge, &row).await?;
                }
                (rows.next, Some(MergeStep::Sites))
            }
            MergeStep::Sites => (self.move_records::<Site>(merge, page).await?, Some(MergeStep::Assets)),
            MergeStep::Assets => (self.move_records::<Asset>(merge, page).await?, Some(MergeStep::Jobs)),
            MergeStep::Jobs => (self.move_records::<Job>(merge, page).await?, None),
        };
        let moved = match (next, next_step) {
            (Some(Position(after)), _) => Some(task.moved(Some(after), now)),
            (None, Some(step)) => Some(task.next(merge.step(step), now)),
            (None, None) => task.second_run(merge.step(MergeStep::Recipients), now),
        };
        let mut transaction = self.store.transaction();
        if moved.is_none()
            && let Some(into) = self.store.company(merge.into).await?
        {
            let mut done = into.record.clone();
            done.merging.remove(&merge.company);
            transaction = transaction.save(into.rev, &done);
        }
        Ok(save_or_finish(transaction, task, moved).commit().await?)
    }

    /// The other company is a recipient in its place. Its people keep what they have by their rows until they move.
    async fn move_recipient(&self, merge: Merge, share: ShareId) -> Result<(), TaskError> {
        let (old, now) = (RecipientId::Company(merge.company), self.clock.now());
        let Some(share) = self.store.share(share).await? else { return Ok(()) };
        let Some(old) = self.store.recipient(share.id, &old).await? else { return Ok(()) };
        let new = Recipient::new(share.id, Target::Company { company_id: merge.into }, old.added_at);
        let mut changed = share.record.clone();
        changed.removed_companies.remove(&merge.into);
        let mut transaction = self.store.transaction().save(share.rev, &changed).remove(old.rev, &old.record);
        if self.store.recipient(share.id, &new.id).await?.is_none() {
            transaction = transaction.create(&new);
        }
        if sent(&share) {
            let (company, news) = (merge.into, ShareEvent::Backfilled);
            transaction = transaction.create(&Task::new(TaskKind::Company { share: share.id, company, news }, now));
        }
        Ok(transaction.commit().await?)
    }

    async fn move_contact(&self, merge: Merge, contact: &Contact) -> Result<(), TaskError> {
        let now = self.clock.now();
        let stored = self.store.contact(contact.id).await?.filter(|contact| contact.company_id == merge.company);
        let Some(stored) = stored else { return Ok(()) };
        let moved = Contact { company_id: merge.into, ..stored.record.clone() };
        let activity = Activity::new(ActivityKind::ContactChanged, Actor::system(), now);
        let activity = activity.contact(contact.id).company(merge.into);
        let transaction = self.store.transaction().save(stored.rev, &moved).activity(&activity);
        Ok(transaction.reconcile_inbox(contact.id, now).commit().await?)
    }

    /// A page of one kind of records, side by side; where it ends.
    async fn move_records<T: CompanyRecord + Record>(
        &self,
        merge: Merge,
        page: PageRequest,
    ) -> Result<Option<Position>, TaskError> {
        let ids = self.store.record_ids::<T::Line>(merge.company, page).await?;
        // Each is gone through to its end, whatever becomes of another: none is left between its move and its words.
        let moved = join_all(ids.items.into_iter().map(|id| self.move_record::<T>(merge, id))).await;
        moved.into_iter().collect::<Result<(), _>>()?;
        Ok(ids.next)
    }

    /// The record under the other company. Where that has one with the same reference, nobody knows whether they are one:
    /// both stay, and the one that comes has its id as its reference.
    async fn move_record<T: CompanyRecord + Record>(
        &self,
        merge: Merge,
        id: <T::Line as RecordLine>::Id,
    ) -> Result<(), TaskError> {
        let stored = self.store.company_record::<T>(id).await?;
        let Some(stored) = stored.filter(|stored| stored.line().company() == merge.company) else { return Ok(()) };
        let mut reference = stored.line().reference().clone();
        if self.store.has_reference(merge.into, T::Line::KIND, &reference).await? {
            reference = id.to_string().parse().unwrap_or(reference);
        }
        let site = match stored.site() {
            Some(site) => self.store.company_record::<Site>(site).await?,
            None => None,
        };
        let asset = match stored.asset() {
            Some(asset) => self.store.company_record::<Asset>(asset).await?,
            None => None,
        };
        let site = site.map(|site| RecordLink { id: site.id, reference: site.reference.clone() });
        let asset = asset.map(|asset| RecordLink { id: asset.id, reference: asset.reference.clone() });
        let moved = stored.moved(merge.into, reference, site, asset);
        let event = T::event(Some(&stored.record), &moved, EventAuthor::System, self.clock.now());
        let transaction = self.store.transaction().save_record(Some(&stored), &moved);
        Ok(event.iter().fold(transaction, Transaction::event).commit().await?)
    }

    /// The share in the other company's inbox instead, and what its people have put into it is the other company's.
    async fn move_row(&self, merge: Merge, row: &Stored<InboxRow>) -> Result<(), TaskError> {
        let transaction = self.store.transaction().remove(row.rev, &row.record).index_words(Some(&row.record), None);
        let Some((share, files)) = self.store.share_and_files(row.share_id).await? else {
            return Ok(transaction.commit().await?);
        };
        let of_old = |file: &&ShareFile| file.of == Some(merge.company);
        for files in files.iter().filter(of_old).collect::<Vec<_>>().chunks(FILES) {
            let mut transaction = self.store.transaction();
            for file in files {
                let Some(file) = self.store.file(file.share_id, file.id).await? else { continue };
                let moved = ShareFile { of: Some(merge.into), ..file.record.clone() };
                transaction = transaction.save(file.rev, &moved);
            }
            transaction.commit().await?;
        }
        // Saved even if it is unchanged: so nobody becomes a recipient, or is none any more, at this very moment.
        let mut changed = share.record.clone();
        changed.from_company = changed.from_company.map(|of| if of == merge.company { merge.into } else { of });
        let mut transaction = transaction.save(share.rev, &changed);
        let had = sent(&share) && self.store.is_had_at(&share, merge.into).await?;
        if had && self.store.company_row(share.id, merge.into).await?.is_none() {
            let moved = InboxRow { of: InboxOf::Company(merge.into), ..row.record.clone() };
            transaction = transaction.create(&moved).index_words(None, Some(&moved));
        }
        Ok(transaction.commit().await?)
    }
}

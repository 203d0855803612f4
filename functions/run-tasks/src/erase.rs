//! Removing a share for good: its rows, its bytes, itself.

use gatehouse::clock::SignedDuration;
use gatehouse::domain::{Activity, ActivityKind, Actor, FileState, InboxOf, ShareEvent, ShareId, Task};
use gatehouse::store::{FanOut, PageRequest, Stored};

use crate::{CHUNK, RunTasks, TaskError};

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl RunTasks {
    /// Each step may be done twice, and the share itself goes last: so it can begin anew wherever it stopped.
    pub(crate) async fn erase(&self, task: &Stored<Task>, id: ShareId) -> Result<(), TaskError> {
        let (store, now) = (&self.store, self.clock.now());
        let Some((share, files)) = store.share_and_files(id).await? else {
            return Ok(store.finish_task(task.id).await?);
        };
        // Its end may have been moved since it was chosen, or retention been given up.
        let days = store.settings().await?.retention_days;
        let ended = share
            .ends_at()
            .zip(days)
            .is_some_and(|(end, days)| end + DAY * i32::try_from(days).unwrap_or(i32::MAX) <= now);
        if !ended {
            return Ok(store.finish_task(task.id).await?);
        }
        let gone = share.record.clone().revoke(now);
        let mut after = None;
        loop {
            let page = store.recipients(id, PageRequest { limit: CHUNK, after }).await?;
            let (readers, companies) = store.readers(page.items).await?;
            let fan_out = FanOut { share: &gone, news: &ShareEvent::Removed, now };
            fan_out.to(store, store.transaction(), &readers).await?.commit().await?;
            for company in companies {
                self.empty_inboxes(&fan_out, company).await?;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        for file in &files {
            if file.upload == FileState::Pending {
                self.files.give_up(file).await?;
            }
            self.files.delete(id, file.id).await?;
        }
        if !store.rows(InboxOf::Operator, [id].into()).await?.is_empty() {
            let activity = Activity::new(ActivityKind::ShareErased, Actor::system(), now).share(id);
            store.transaction().activity(&activity).without_operators_row(&share).commit().await?;
        }
        store.index_what_is_left(id).await?;
        store.delete_share(id).await?;
        Ok(store.finish_task(task.id).await?)
    }

    async fn empty_inboxes(
        &self,
        fan_out: &FanOut<'_>,
        company: gatehouse::domain::CompanyId,
    ) -> Result<(), TaskError> {
        let via = gatehouse::domain::RecipientId::Company(company);
        let mut after = None;
        loop {
            let page = self.store.contacts_of(company, PageRequest { limit: CHUNK, after }).await?;
            let reader =
                |contact| gatehouse::store::Reader::Contact { contact: Box::new(contact), via: [via.clone()].into() };
            let readers: Vec<_> = page.items.into_iter().map(reader).collect();
            fan_out.to(&self.store, self.store.transaction(), &readers).await?.commit().await?;
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

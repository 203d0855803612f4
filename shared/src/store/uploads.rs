//! A file whose bytes have come: what that changes, and who is told.

use futures_util::try_join;

use super::{CommitError, Store, StoreError};
use crate::clock::Timestamp;
use crate::domain::{
    Activity, ActivityKind, Actor, ActorId, Addressee, Area, Checked, Contact, ContactId, FileId, FileState, Language,
    Mail, OutboxMail, PersonId, Share, ShareEvent, ShareFile, ShareId, ShareState, ShareWords, Task, TaskKind,
    ThumbnailTask, UploadRefusal, Visibility,
};

/// Why bytes that came are not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadNotAccepted {
    /// The share or the file is gone.
    #[error("there is no such file")]
    Gone,
    /// The share was taken back.
    #[error("the share was revoked")]
    Revoked,
    /// It could not be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl Store {
    /// Takes a file whose bytes were checked: it is in the share from now on, and whoever is concerned is told. `by` is the
    /// contact who put it there, if it was one.
    pub async fn accept_upload(
        &self,
        share: ShareId,
        file: FileId,
        checked: Checked,
        by: Option<&Contact>,
        now: Timestamp,
    ) -> Result<ShareFile, UploadNotAccepted> {
        let found = try_join!(self.share_and_files(share), self.file(share, file), self.share_words(share));
        let (Some((share, mut files)), Some(stored), words) = found.map_err(CommitError::from)? else {
            return Err(UploadNotAccepted::Gone);
        };
        if stored.upload == FileState::Stored {
            return Ok(stored.record);
        }
        if matches!(share.state, ShareState::Revoked { .. }) {
            return Err(UploadNotAccepted::Revoked);
        }
        let file = stored.record.clone().stored(checked, now);
        let actor = Actor { id: Some(file.by_id), name: Some(file.by.clone()) };
        let mut activity = Activity::new(ActivityKind::FileUploaded, actor, now).share(share.id).files([file.id]);
        if let ActorId::Person(PersonId::Contact(contact)) = file.by_id {
            activity = activity.contact(contact);
        }
        let mut transaction = self.transaction().save(stored.rev, &file).activity(&activity);
        if file.is_drawn() {
            transaction = transaction.create(&ThumbnailTask::of(&file, now));
        }
        if file.scan.found_at().is_some() {
            // The scan was faster than the sender.
            transaction = self.share_file_withheld(transaction, &share, &files, &file, now).await?;
        }
        if matches!(share.state, ShareState::Sent { .. }) {
            files.retain(|other| other.id != file.id);
            files.push(file.clone());
            let mut changed = share.record.clone().with_contents(&files);
            changed.last_file_at = Some(now);
            let now_words = ShareWords::after(words.as_deref(), &changed, &files);
            let changed = changed.with_words(&now_words);
            transaction = transaction.share_words(words.as_ref(), &now_words);
            if let Some(contact) = by {
                transaction = transaction.mail(&self.returned(&changed, &file, contact, now).await?);
            }
            if share.record.shows(&file) {
                let news = match by {
                    None => ShareEvent::FileAdded { file: file.name.clone(), by: file.by.clone(), at: now },
                    Some(_) => ShareEvent::Changed,
                };
                transaction = transaction.create(&Task::new(TaskKind::Recipients { share: share.id, news }, now));
            }
            transaction = transaction.save(share.rev, &changed).operators_row(Some(&share), &changed);
        }
        transaction.commit().await?;
        Ok(file)
    }

    /// Notes on a file why its bytes are not kept.
    pub async fn refuse_upload(
        &self,
        share: ShareId,
        file: FileId,
        refusal: UploadRefusal,
    ) -> Result<(), UploadNotAccepted> {
        let stored = self.file(share, file).await.map_err(CommitError::from)?.ok_or(UploadNotAccepted::Gone)?;
        if stored.upload == FileState::Pending && stored.refused != Some(refusal) {
            let refused = ShareFile { refused: Some(refusal), ..stored.record.clone() };
            self.transaction().save(stored.rev, &refused).commit().await?;
        }
        Ok(())
    }

    /// A file's sender, if it may still put files into the share: what it would be asked if it said that it is there.
    pub async fn sender(
        &self,
        contact: ContactId,
        share: ShareId,
        now: Timestamp,
    ) -> Result<Option<Contact>, StoreError> {
        let found = try_join!(self.contact(contact), self.share(share), self.share_visibility())?;
        let (Some(contact), Some(share), visibility) = found else { return Ok(None) };
        let received = self.received(contact.id, contact.company_id, share.id).await?;
        let colleagues = received.colleagues.filter(|_| visibility == Visibility::Company);
        let open = share.open_to(&contact, received.own.as_deref(), colleagues.as_ref(), now).is_ok();
        let takes = share.allow_upload || share.made_by_contact() == Some(contact.id);
        let may = contact.access.is_active() && contact.areas.has(Area::Upload);
        Ok((open && takes && may).then_some(contact.record))
    }

    async fn returned(
        &self,
        share: &Share,
        file: &ShareFile,
        contact: &Contact,
        now: Timestamp,
    ) -> Result<OutboxMail, CommitError> {
        let company = self.company(contact.company_id).await?;
        let mail = Mail::FilesReturned {
            share: share.id,
            title: share.title.clone(),
            from: contact.name.clone(),
            contact: contact.id,
            company: company.ok_or(CommitError::Conflict)?.record.name,
            company_id: contact.company_id,
            file: file.name.clone(),
        };
        Ok(OutboxMail::new(share.addressee(contact), None, Language::default(), mail, now))
    }
}

impl Share {
    /// Who of the staff is told of what a customer puts there: whose share it is, or who looks after the customer.
    #[must_use]
    pub fn addressee(&self, contact: &Contact) -> Addressee {
        Addressee::Owner { owner: self.by.staff().or(contact.owner_id) }
    }
}

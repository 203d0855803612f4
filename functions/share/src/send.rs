//! Sending a share: it lies in every recipient's inbox, and each is mailed, from one moment on.

use futures_util::try_join;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity, ActivityKind, Contact, ContactId, InboxRow, Mail, MailWish, OutboxMail, Right, Share as Sent, ShareId,
};
use gatehouse::http::{Answer, Call, Once, Problem, json};
use lambda_http::http::StatusCode;

use crate::Share;

impl Share {
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let id: ShareId = call.id("id")?;
        let reads = async { try_join!(store.share_and_files(id), store.recipients(id)) };
        let (staff, (found, recipients)) = self.gate.staff_and(call, Right::ManageShares, reads).await?;
        let once = match self.gate.once(call, staff.id).await? {
            Once::Again(answer) => return Ok(answer),
            Once::First(once) => once,
        };
        let (draft, files) = found.ok_or_else(Problem::not_found)?;
        let ids: Vec<ContactId> = recipients.iter().map(|recipient| recipient.contact_id).collect();
        let recipients = store.contacts(ids).await?;
        let share = draft.record.send(&files, recipients.len(), now)?;

        let answer = json(StatusCode::ACCEPTED, &serde_json::json!({ "id": share.id, "state": share.state.word() }))?;
        let by = staff.actor();
        let activity =
            Activity::new(ActivityKind::ShareSent, by, now).share(share.id).files(files.iter().map(|f| f.id));
        let mut transaction =
            store.transaction().save(draft.rev, &share).activity(&activity).remember(&once, &answer, now);
        for contact in &recipients {
            transaction = transaction.inbox_row(&InboxRow::new(&share, contact.id, now));
            if let Some(mail) = mail(&share, contact, now) {
                transaction = transaction.mail(&mail);
            }
        }
        transaction.commit().await?;
        Ok(answer)
    }
}

/// The mail to one recipient, if it has an address and wants one.
fn mail(share: &Sent, contact: &Contact, now: Timestamp) -> Option<OutboxMail> {
    let to = contact.email.clone().filter(|_| contact.notifications.email == MailWish::Each)?;
    let mail = Mail::ShareSent {
        share: share.id,
        title: share.title.clone(),
        name: contact.name.clone(),
        from: share.from.clone(),
        message: share.message.clone(),
        file_count: share.file_count,
        total_size: share.total_size,
        expires_at: share.expires_at,
    };
    let language = share.language.clone().unwrap_or_else(|| contact.language.clone());
    Some(OutboxMail::new(to, Some(contact.id.into()), language, mail, now))
}

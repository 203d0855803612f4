//! Sending a share: a few recipients have it from one moment on, many get it one after the other.

use futures_util::try_join;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    ActivityKind, ActorId, Language, Mail, OutboxMail, PersonId, Recipient, Share as Shared, ShareEvent, ShareId,
    ShareWords, Target, Task, TaskKind,
};
use gatehouse::http::{Effect, Problem, json};
use gatehouse::store::{FanOut, Hourly, Page, PageRequest, Reader, Transaction, WRITES_PER_READER};
use lambda_http::http::StatusCode;
use serde::Serialize;

use crate::Share;
use crate::draft::Sender;

/// So many are told in the transaction that sends the share, which has room for a hundred writes.
const TOLD_AT_ONCE: usize = 60 / WRITES_PER_READER;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct SentShare {
    id: ShareId,
    #[schemars(extend("enum" = gatehouse::domain::ShareState::WORDS))]
    state: &'static str,
}

impl Share {
    pub(crate) async fn send(&self, maker: &Sender, id: ShareId) -> Result<Effect<'_>, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let first = PageRequest { limit: TOLD_AT_ONCE, after: None };
        let reads = try_join!(store.share_and_files(id), store.share_words(id), store.recipients(id, first));
        let (found, words_were, recipients) = reads?;
        let (draft, files) = found.ok_or_else(Problem::not_found)?;
        // A customer sends its own to the staff, and nothing else is its to send.
        let own = match maker.id {
            ActorId::Person(PersonId::Contact(contact)) if draft.by == maker.id => Some(contact),
            ActorId::Person(PersonId::Contact(_)) => return Err(Problem::not_found()),
            _ if !draft.is_known_to_staff() => return Err(Problem::not_found()),
            _ => None,
        };
        let count = recipients.items.len() + usize::from(own.is_some());
        let share = draft.record.clone().send(&files, count, now)?;
        let words = ShareWords::after(words_were.as_deref(), &share, &files);
        let share = share.with_words(&words);

        let response = json(StatusCode::ACCEPTED, &SentShare { id: share.id, state: share.state.word() })?;
        let activity = maker.activity(ActivityKind::ShareSent, share.id, now).files(files.iter().map(|f| f.id));
        let transaction = store.transaction().save(draft.rev, &share).operators_row(Some(&draft), &share);
        let transaction = transaction.share_words(words_were.as_ref(), &words);
        let mut transaction = transaction.activity(&activity);
        match own {
            None => transaction = self.tell_these(transaction, &share, recipients, ShareEvent::Sent, now).await?,
            Some(contact) => {
                let contact = store.contact(contact).await?.ok_or_else(Problem::not_found)?.record;
                let target = Target::Contact { contact_id: contact.id, at: contact.company_id };
                let itself = Recipient::new(share.id, target, now);
                let company = store.company(contact.company_id).await?.ok_or_else(Problem::not_found)?.record.name;
                let mail = Mail::ShareReceived {
                    share: share.id,
                    title: share.title.clone(),
                    from: contact.name.clone(),
                    contact: contact.id,
                    company,
                    company_id: contact.company_id,
                    message: share.message.clone(),
                    file_count: share.contents.file_count,
                    total_size: share.contents.total_size,
                    folder_count: share.contents.folder_count,
                };
                let mail = OutboxMail::new(share.addressee(&contact), None, Language::default(), mail, now);
                let allowed = self.gate.one_more(Hourly::SharesOf(&contact.id.to_string())).await?;
                let readers = [Reader::Contact { contact: Box::new(contact), via: [itself.id.clone()].into() }];
                transaction = transaction.create(&itself).mail(&mail).counted(allowed);
                let news = ShareEvent::Sent;
                transaction = FanOut { share: &share, news: &news, now }.to(store, transaction, &readers).await?;
            }
        }
        Ok(Effect::new(transaction, response))
    }

    /// Brings news of a share to its recipients: at once if they are few, else by a task that goes on afterwards.
    pub(crate) async fn tell<'t>(
        &self,
        transaction: Transaction<'t>,
        share: &Shared,
        news: ShareEvent,
        now: Timestamp,
    ) -> Result<Transaction<'t>, Problem> {
        let first = PageRequest { limit: TOLD_AT_ONCE, after: None };
        let recipients = self.gate.store.recipients(share.id, first).await?;
        self.tell_these(transaction, share, recipients, news, now).await
    }

    async fn tell_these<'t>(
        &self,
        transaction: Transaction<'t>,
        share: &Shared,
        recipients: Page<Recipient>,
        news: ShareEvent,
        now: Timestamp,
    ) -> Result<Transaction<'t>, Problem> {
        let store = &self.gate.store;
        let companies = recipients.items.iter().any(|to| matches!(to.target, Target::Company { .. }));
        if recipients.next.is_some() || companies {
            return Ok(transaction.create(&Task::new(TaskKind::Recipients { share: share.id, news }, now)));
        }
        let (readers, _) = store.readers(recipients.items).await?;
        Ok(FanOut { share, news: &news, now }.to(store, transaction, &readers).await?)
    }
}

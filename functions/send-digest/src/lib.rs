//! One mail a day for those who want no more: what has come since the last one and was not opened yet.

use gatehouse::aws::Env;
use gatehouse::clock::Clock;
use gatehouse::domain::{Access, Contact, ContactId, InboxOf, Mail, MailWish, OutboxMail, ShareId};
use gatehouse::event::{EventFunction, StartError};
use gatehouse::store::{CommitError, PageRequest, Store, Waiting, keys};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::warn;

/// The lines of one mail: each is a write of the transaction that also writes the mail.
const MOST_LINES: usize = 90;

/// The function.
pub struct SendDigest {
    store: Store,
    clock: Clock,
}

/// The schedule's call.
#[derive(Deserialize)]
pub struct Event {}

impl EventFunction for SendDigest {
    type Event = Event;
    type Outcome = Value;

    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { store: Store::new(env), clock: env.clock.clone() })
    }

    async fn handle(&self, _: Event) -> Result<Value, StartError> {
        let mut mails = 0;
        for shard in 0..keys::OUTBOX_SHARDS {
            // What was told is gone, so that the beginning is always new; what fails is left for tomorrow.
            let mut after = None;
            loop {
                let page = self.store.waiting_for_digests(shard, PageRequest { limit: MOST_LINES, after }).await?;
                for lines in page.items.chunk_by(|one, other| one.contact == other.contact) {
                    match self.tell(lines[0].contact, lines).await {
                        Ok(told) => mails += usize::from(told),
                        Err(CommitError::Store(error)) => return Err(error.into()),
                        Err(error) => warn!(%error, "a daily mail waits for the next day"),
                    }
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(json!({ "mails": mails }))
    }
}

impl SendDigest {
    /// The mail to one contact, in one transaction with what it tells of: whoever is faster tells it.
    async fn tell(&self, id: ContactId, lines: &[Waiting]) -> Result<bool, CommitError> {
        let contact = self.store.contact(id).await?.map(|contact| contact.record);
        let mail = match contact {
            Some(contact) => self.mail(&contact, lines).await?,
            None => None,
        };
        let told = mail.is_some();
        let transaction = lines.iter().fold(self.store.transaction(), |transaction, line| transaction.told(line));
        let transaction = mail.iter().fold(transaction, |transaction, mail| transaction.mail(mail));
        transaction.commit().await?;
        Ok(told)
    }

    async fn mail(&self, contact: &Contact, lines: &[Waiting]) -> Result<Option<OutboxMail>, CommitError> {
        let now = self.clock.now();
        let wanted = contact.notifications.email != MailWish::Off && !matches!(contact.access, Access::Closed { .. });
        let Some(to) = contact.email.clone().filter(|_| wanted) else { return Ok(None) };
        let ids: Vec<ShareId> = lines.iter().map(|line| line.entry.share).collect();
        let rows = self.store.rows(InboxOf::Contact(contact.id), ids.into_iter().collect()).await?;
        let is_news = |line: &&Waiting| {
            let row = rows.iter().find(|row| row.share_id == line.entry.share);
            row.is_some_and(|row| row.unread && row.expires_at.is_none_or(|end| end > now))
        };
        let shares: Vec<_> = lines.iter().filter(is_news).map(|line| line.entry.clone()).collect();
        if shares.is_empty() {
            return Ok(None);
        }
        let mail = Mail::Digest { name: contact.name.clone(), shares };
        Ok(Some(OutboxMail::new(to, Some(contact.id.into()), contact.language.clone(), mail, now)))
    }
}

//! One mail a day for those who want no more: what has come since the last one and was not opened yet.

use gatehouse::aws::Env;
use gatehouse::clock::Clock;
use gatehouse::domain::{Access, Contact, ContactId, DigestEntry, InboxOf, Mail, MailWish, OutboxMail, ShareId};
use gatehouse::event::{EventFunction, StartError, Time};
use gatehouse::store::{CommitError, PageRequest, PendingDigest, Store, Transaction, keys};
use serde_json::{Value, json};
use tracing::warn;

/// How many lines are read at once.
const PAGE: usize = 200;
/// The lines of one mail: with the longest titles and names they fill an item of the outbox.
const MOST_LINES: usize = 180;
/// One transaction has room for a hundred writes, one of which is the mail.
const TOLD_AT_ONCE: usize = 90;

/// The function.
pub struct SendDigest {
    store: Store,
    clock: Clock,
}

impl EventFunction for SendDigest {
    type Event = Time;
    type Outcome = Value;

    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { store: Store::new(env), clock: env.clock.clone() })
    }

    /// What fails is left for the next time: Lambda calls again, and tomorrow is another day.
    async fn handle(&self, _: Time) -> Result<Value, StartError> {
        let (mut mails, mut failed) = (0, None);
        for shard in 0..keys::OUTBOX_SHARDS {
            let (mut lines, mut after) = (Vec::<PendingDigest>::new(), None);
            loop {
                let page = self.store.waiting_for_digests(shard, PageRequest { limit: PAGE, after }).await?;
                lines.extend(page.items);
                after = page.next;
                // The last contact's lines may go on behind the page, and are for one mail.
                let open = lines.last().filter(|_| after.is_some()).map(|line| line.contact);
                let whole = lines.iter().position(|line| Some(line.contact) == open).unwrap_or(lines.len());
                let rest = lines.split_off(whole);
                let of_each = lines.chunk_by(|one, other| one.contact == other.contact);
                for lines in of_each.flat_map(|lines| lines.chunks(MOST_LINES)) {
                    match self.tell(lines[0].contact, lines).await {
                        Ok(told) => mails += usize::from(told),
                        Err(error) => {
                            warn!(%error, "a daily mail waits");
                            failed = Some(error);
                        }
                    }
                }
                lines = rest;
                if after.is_none() {
                    break;
                }
            }
        }
        failed.map_or_else(|| Ok(json!({ "mails": mails })), |error| Err(error.into()))
    }
}

impl SendDigest {
    /// The mail to one contact, in one transaction with the first of what it tells of: whoever is faster tells it.
    async fn tell(&self, id: ContactId, lines: &[PendingDigest]) -> Result<bool, CommitError> {
        let contact = self.store.contact(id).await?.map(|contact| contact.record);
        let mut mail = match contact {
            Some(contact) => self.mail(&contact, lines).await?,
            None => None,
        };
        let told = mail.is_some();
        for lines in lines.chunks(TOLD_AT_ONCE) {
            let transaction = lines.iter().fold(self.store.transaction(), Transaction::digest_sent);
            let transaction = mail.take().iter().fold(transaction, Transaction::mail);
            transaction.commit().await?;
        }
        Ok(told)
    }

    async fn mail(&self, contact: &Contact, lines: &[PendingDigest]) -> Result<Option<OutboxMail>, CommitError> {
        let now = self.clock.now();
        let wanted = contact.notifications.email != MailWish::Off && !matches!(contact.access, Access::Closed { .. });
        let Some(to) = contact.email.clone().filter(|_| wanted) else { return Ok(None) };
        let ids: Vec<ShareId> = lines.iter().map(|line| line.entry.share).collect();
        let rows = self.store.rows(InboxOf::Contact(contact.id), ids.into_iter().collect()).await?;
        let entry = |line: &PendingDigest| {
            let row = rows.iter().find(|row| row.share_id == line.entry.share)?;
            let is_news = row.unread && row.expires_at.is_none_or(|end| end > now);
            // By the title that it has by now.
            is_news.then(|| DigestEntry { title: row.title.clone(), ..line.entry.clone() })
        };
        let shares: Vec<_> = lines.iter().filter_map(entry).collect();
        if shares.is_empty() {
            return Ok(None);
        }
        let mail = Mail::Digest { shares };
        Ok(Some(OutboxMail::new(to, Some(contact.id.into()), contact.language.clone(), mail, now)))
    }
}

//! One mail a day for those who want no more: what has come since the last one and was not opened yet, and jobs that have
//! moved on.

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::clock::Clock;
use gatehouse::domain::{
    Access, Contact, ContactId, DigestEntry, DigestSubject, InboxOf, Job, Mail, MailWish, OutboxMail,
};
use gatehouse::event::{EventFunction, StartError, Time};
use gatehouse::store::{CommitError, DigestItem, PageRequest, PendingDigest, Store, ToldDigest, Transaction, keys};
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
            let (mut waiting, mut after) = (Vec::<Waiting>::new(), None);
            loop {
                let page = self.store.waiting_for_digests(shard, PageRequest { limit: PAGE, after }).await?;
                page.items.into_iter().for_each(|item| gather(&mut waiting, item));
                after = page.next;
                // The last contact's lines may go on behind the page, and are for one mail.
                let open = if after.is_some() { waiting.pop() } else { None };
                for of_one in waiting.drain(..) {
                    match self.tell(&of_one).await {
                        Ok(told) => mails += told,
                        Err(error) => {
                            warn!(%error, "a daily mail waits");
                            failed = Some(error);
                        }
                    }
                }
                waiting.extend(open);
                if after.is_none() {
                    break;
                }
            }
        }
        failed.map_or_else(|| Ok(json!({ "mails": mails })), |error| Err(error.into()))
    }
}

/// What waits for one contact's mail.
struct Waiting {
    contact: ContactId,
    /// What a run that stopped half-way has told.
    told: Option<ToldDigest>,
    lines: Vec<PendingDigest>,
}

fn gather(waiting: &mut Vec<Waiting>, item: DigestItem) {
    let contact = match &item {
        DigestItem::Told(told) => told.contact,
        DigestItem::Line(line) => line.contact,
        DigestItem::Unreadable { sk } => return warn!(%sk, "a line of a daily mail cannot be read"),
    };
    if waiting.last().is_none_or(|last| last.contact != contact) {
        waiting.push(Waiting { contact, told: None, lines: Vec::new() });
    }
    let Some(last) = waiting.last_mut() else { return };
    match item {
        DigestItem::Told(told) => last.told = Some(told),
        DigestItem::Line(line) => last.lines.push(line),
        DigestItem::Unreadable { .. } => {}
    }
}

impl SendDigest {
    /// The mails to one contact, mostly one; how many.
    async fn tell(&self, waiting: &Waiting) -> Result<usize, CommitError> {
        let is_told = |line: &&PendingDigest| waiting.told.as_ref().is_some_and(|told| told.tells(line));
        let (told, lines): (Vec<_>, Vec<_>) = waiting.lines.iter().partition(is_told);
        if waiting.told.is_some() {
            self.settle(waiting.contact, &told).await?;
        }
        let Some(contact) = self.store.contact(waiting.contact).await? else {
            return self.drop_lines(&lines).await.map(|()| 0);
        };
        let mut mails = 0;
        for lines in lines.chunks(MOST_LINES) {
            match self.mail(&contact, lines).await? {
                Some(mail) => {
                    self.send(&mail, contact.id, lines).await?;
                    mails += 1;
                }
                None => self.drop_lines(lines).await?,
            }
        }
        Ok(mails)
    }

    /// The mail, in one transaction with the first of its lines: whoever is faster tells it. The others are told, too,
    /// from then on, and go afterwards.
    async fn send(&self, mail: &OutboxMail, id: ContactId, lines: &[&PendingDigest]) -> Result<(), CommitError> {
        let (first, rest) = lines.split_at(lines.len().min(TOLD_AT_ONCE));
        let transaction = first.iter().copied().fold(self.store.transaction(), Transaction::digest_sent).mail(mail);
        if rest.is_empty() {
            return transaction.commit().await;
        }
        let told = rest.iter().map(|line| (line.entry.about, line.since)).collect();
        transaction.digest_told(&ToldDigest { contact: id, told }).commit().await?;
        self.settle(id, rest).await
    }

    /// Takes away what was told: all of it is, before that is forgotten.
    async fn settle(&self, id: ContactId, lines: &[&PendingDigest]) -> Result<(), CommitError> {
        self.drop_lines(lines).await?;
        self.store.transaction().digest_settled(id).commit().await
    }

    async fn drop_lines(&self, lines: &[&PendingDigest]) -> Result<(), CommitError> {
        for lines in lines.chunks(TOLD_AT_ONCE) {
            lines.iter().copied().fold(self.store.transaction(), Transaction::digest_sent).commit().await?;
        }
        Ok(())
    }

    async fn mail(&self, contact: &Contact, lines: &[&PendingDigest]) -> Result<Option<OutboxMail>, CommitError> {
        let now = self.clock.now();
        let wanted = contact.notifications.email != MailWish::Off && !matches!(contact.access, Access::Closed { .. });
        let Some(to) = contact.email.clone().filter(|_| wanted) else { return Ok(None) };
        let (mut shares, mut jobs) = (Vec::new(), Vec::new());
        for line in lines {
            match line.entry.about {
                DigestSubject::Share(id) => shares.push(id),
                DigestSubject::Job(id) => jobs.push(id),
            }
        }
        // As they are now: a row of this very moment is news, too.
        let rows = self.store.inbox_rows(shares.iter().map(|id| (InboxOf::Contact(contact.id), *id))).await?;
        let (shares, jobs) = try_join!(self.store.shares(shares), self.store.records_by_id::<Job>(jobs))?;
        // By the title that it has by now.
        let entry = |line: &&PendingDigest| match line.entry.about {
            DigestSubject::Share(id) => {
                let row = rows.iter().find(|row| row.share_id == id)?;
                let share = shares.iter().find(|share| share.id == id)?;
                let is_news = row.unread && share.open_to(contact, Some(row), None, now).is_ok();
                is_news.then(|| DigestEntry { title: share.title.clone(), ..line.entry.clone() })
            }
            DigestSubject::Job(id) => {
                let job = jobs.iter().find(|job| job.line.id == id).filter(|job| job.open_to(contact).is_ok())?;
                Some(DigestEntry { title: job.line.title.clone(), ..line.entry.clone() })
            }
        };
        let news: Vec<_> = lines.iter().filter_map(entry).collect();
        if news.is_empty() {
            return Ok(None);
        }
        let mail = Mail::Digest { news };
        Ok(Some(OutboxMail::new(to, Some(contact.id.into()), contact.language.clone(), mail, now)))
    }
}

//! How people learn of a share: by its row in their inbox, and by mail.

use std::collections::{BTreeMap, BTreeSet};

use super::{PageRequest, PendingDigest, Record as _, Store, StoreError, Stored, Transaction};
use crate::clock::Timestamp;
use crate::domain::{
    Access, Area, CompanyId, Contact, ContactId, DigestEntry, DigestSubject, Email, InboxOf, InboxRow, Mail, MailWish,
    NOTIFICATION_INTERVAL, OutboxMail, Recipient, RecipientId, Share, ShareEvent, ShareId, ShareState, Target,
};

/// Who learns of a share, and as which of its recipients.
#[derive(Debug, Clone)]
pub enum Reader {
    /// A contact, named itself, as one of a company's people, or by its address.
    Contact {
        /// Who.
        contact: Box<Contact>,
        /// As which recipients.
        via: BTreeSet<RecipientId>,
    },
    /// An address that nobody here has.
    Address(Stored<Recipient>, Email),
}

impl Reader {
    /// A contact, as that recipient.
    #[must_use]
    pub fn of(contact: Contact, via: RecipientId) -> Self {
        Self::Contact { contact: Box::new(contact), via: [via].into() }
    }
}

/// Brings a share's news to a few readers, as part of a transaction.
#[derive(Debug)]
pub struct FanOut<'a> {
    /// The share, as it is from now on.
    pub share: &'a Share,
    /// What is new.
    pub news: &'a ShareEvent,
    /// Now.
    pub now: Timestamp,
}

/// Each reader takes this many writes of a transaction at most: a row, its company's row, a mail.
pub const WRITES_PER_READER: usize = 3;

impl Store {
    /// Who the recipients are: companies, which have too many readers to be named here, are given back.
    pub async fn readers(&self, recipients: Vec<Recipient>) -> Result<(Vec<Reader>, Vec<CompanyId>), StoreError> {
        let owners = recipients.iter().filter_map(|recipient| match &recipient.target {
            Target::Address { email } => Some(email.clone()),
            _ => None,
        });
        let owners = self.owners_of(owners.collect()).await?;
        let mut wanted: BTreeMap<ContactId, BTreeSet<RecipientId>> = BTreeMap::new();
        let (mut companies, mut addresses) = (Vec::new(), Vec::new());
        for recipient in recipients {
            match &recipient.target {
                Target::Contact { contact_id, .. } => {
                    wanted.entry(*contact_id).or_default().insert(recipient.id.clone());
                }
                Target::Company { company_id } => companies.push(*company_id),
                Target::Address { email } => match owners.get(email) {
                    Some(contact) => {
                        wanted.entry(*contact).or_default().insert(recipient.id.clone());
                    }
                    None => addresses.push((recipient.clone(), email.clone())),
                },
            }
        }
        let contacts = self.contacts(wanted.keys().copied()).await?;
        let contacts = contacts.into_iter().filter_map(|contact| {
            let via = wanted.get(&contact.id)?.clone();
            Some(Reader::Contact { contact: Box::new(contact), via })
        });
        // Whether an address was told already is in its own record, which is saved when it is told.
        let keys = addresses.iter().map(|(recipient, _)| recipient.key());
        let stored = self.items(keys).await?.into_iter().map(Stored::from_item);
        let stored = stored.collect::<Result<Vec<Stored<Recipient>>, _>>()?;
        let addresses = stored.into_iter().filter_map(|stored| {
            let (_, email) = addresses.iter().find(|(recipient, _)| recipient.id == stored.id)?;
            Some(Reader::Address(stored, email.clone()))
        });
        Ok((contacts.chain(addresses).collect(), companies))
    }
}

impl FanOut<'_> {
    /// Adds the rows and mails of these readers. What is there already stays, so that doing it twice does it once.
    pub async fn to<'t>(
        &self,
        store: &Store,
        mut transaction: Transaction<'t>,
        readers: &[Reader],
    ) -> Result<Transaction<'t>, StoreError> {
        let contacts = readers.iter().filter_map(|reader| match reader {
            Reader::Contact { contact, .. } => Some(contact),
            Reader::Address(..) => None,
        });
        let inboxes = contacts.flat_map(|contact| [InboxOf::Contact(contact.id), InboxOf::Company(contact.company_id)]);
        let rows = store.inbox_rows(inboxes.map(|of| (of, self.share.id))).await?;
        let mut rows: BTreeMap<InboxOf, Stored<InboxRow>> = rows.into_iter().map(|row| (row.of, row)).collect();
        let mut companies = Vec::new();
        for reader in readers {
            match reader {
                Reader::Contact { contact, via } => {
                    companies.push(contact.company_id);
                    let row = rows.remove(&InboxOf::Contact(contact.id));
                    transaction = self.to_contact(transaction, contact, via, row);
                }
                Reader::Address(recipient, email) => transaction = self.to_address(transaction, recipient, email),
            }
        }
        companies.sort_unstable();
        companies.dedup();
        for company in companies {
            let of = InboxOf::Company(company);
            transaction = self.put_row(transaction, rows.remove(&of), || InboxRow::new(self.share, of, None, self.now));
        }
        Ok(transaction)
    }

    fn to_contact<'t>(
        &self,
        transaction: Transaction<'t>,
        contact: &Contact,
        via: &BTreeSet<RecipientId>,
        row: Option<Stored<InboxRow>>,
    ) -> Transaction<'t> {
        let own = self.share.made_by_contact() == Some(contact.id);
        let knew = row.as_ref().map(|row| row.record.clone());
        let mut now = match &row {
            Some(row) => row.record.clone().with(self.share),
            None => InboxRow::new(self.share, InboxOf::Contact(contact.id), None, self.now),
        };
        let mut mail = None;
        match self.news {
            ShareEvent::Removed => {
                now.via.retain(|one| !via.contains(one));
                let gone = now.via.is_empty() || !matches!(self.share.state, ShareState::Sent { .. });
                return match row {
                    Some(row) if gone => transaction.remove(row.rev, &row.record).index_words(knew.as_ref(), None),
                    Some(row) if row.record == now => transaction,
                    Some(row) => transaction.save(row.rev, &now).index_words(knew.as_ref(), Some(&now)),
                    None => transaction,
                };
            }
            // Whoever joins while it is being sent may have it already, without having been told.
            ShareEvent::Sent if !own && knew.as_ref().is_none_or(|row| row.backfilled_at.is_some() && row.unread) => {
                mail = self.mail(via.first());
                now.backfilled_at = None;
            }
            // Who does not have it yet is told of all of it when its turn comes.
            ShareEvent::Changed | ShareEvent::FileAdded { .. } if knew.is_none() => return transaction,
            ShareEvent::Backfilled => now.backfilled_at = now.backfilled_at.or(knew.is_none().then_some(self.now)),
            ShareEvent::Sent | ShareEvent::Changed => {}
            // It came before the row did, or is told of already: by another recipient that the contact is, too.
            ShareEvent::FileAdded { at, .. } if now.news_at.unwrap_or(now.received_at) >= *at => {}
            ShareEvent::FileAdded { at, .. } => {
                (now.news_at, now.backfilled_at) = (Some(*at), None);
                let told = knew.as_ref().filter(|row| row.unread).and_then(|row| row.notified_at);
                if told.is_none_or(|at| at + NOTIFICATION_INTERVAL <= self.now) {
                    mail = self.mail(via.first());
                    now.notified_at = Some(self.now);
                }
                now.unread = true;
            }
        }
        now.via.extend(via.iter().cloned());
        now.unread &= !(own && *self.news == ShareEvent::Sent);
        let transaction = match &row {
            Some(row) if row.record == now => transaction,
            Some(row) => transaction.save(row.rev, &now).index_words(knew.as_ref(), Some(&now)),
            None => transaction.create(&now).index_words(None, Some(&now)),
        };
        match mail {
            Some(mail) => self.send(transaction, contact, mail),
            None => transaction,
        }
    }

    /// By mail, as the contact wishes. Whoever is shut out is not told of what it cannot open.
    fn send<'t>(&self, transaction: Transaction<'t>, contact: &Contact, mail: Mail) -> Transaction<'t> {
        let Some(to) = contact.email.clone().filter(|_| may_open(contact)) else {
            return transaction;
        };
        match contact.notifications.email {
            MailWish::Off => transaction,
            MailWish::Daily => {
                let Share { id: share, title, from, .. } = self.share;
                let entry =
                    DigestEntry { about: DigestSubject::Share(*share), title: title.clone(), from: Some(from.clone()) };
                transaction.digest(&PendingDigest { contact: contact.id, entry, since: self.now })
            }
            MailWish::Each => {
                let language = self.share.language.clone().unwrap_or_else(|| contact.language.clone());
                transaction.mail(&OutboxMail::new(to, Some(contact.id.into()), language, mail, self.now))
            }
        }
    }

    fn to_address<'t>(
        &self,
        transaction: Transaction<'t>,
        recipient: &Stored<Recipient>,
        email: &Email,
    ) -> Transaction<'t> {
        let mut now = recipient.record.clone();
        let tell = match self.news {
            ShareEvent::Sent => now.notified_at.is_none(),
            ShareEvent::FileAdded { .. } => {
                now.notified_at.is_some_and(|at| at + NOTIFICATION_INTERVAL <= self.now || !now.notified_of_files)
            }
            ShareEvent::Changed | ShareEvent::Backfilled | ShareEvent::Removed => false,
        };
        let Some(mail) = self.mail_to(email, &now.id).filter(|_| tell) else { return transaction };
        now.notified_at = Some(self.now);
        now.notified_of_files = matches!(self.news, ShareEvent::FileAdded { .. });
        transaction.save(recipient.rev, &now).mail(&mail)
    }

    /// The mail to an address that nobody here has.
    #[must_use]
    pub fn mail_to(&self, email: &Email, recipient: &RecipientId) -> Option<OutboxMail> {
        let mail = self.mail(Some(recipient))?;
        let language = self.share.language.clone().unwrap_or_default();
        Some(OutboxMail::new(email.clone(), None, language, mail, self.now))
    }

    fn put_row<'t>(
        &self,
        transaction: Transaction<'t>,
        row: Option<Stored<InboxRow>>,
        new: impl FnOnce() -> InboxRow,
    ) -> Transaction<'t> {
        let gone = !matches!(self.share.state, ShareState::Sent { .. });
        match (row, self.news) {
            (Some(row), ShareEvent::Removed) if gone => {
                transaction.remove(row.rev, &row.record).index_words(Some(&row), None)
            }
            (None, ShareEvent::Changed | ShareEvent::FileAdded { .. } | ShareEvent::Removed) => transaction,
            (None, ShareEvent::Sent | ShareEvent::Backfilled) => {
                let row = new();
                transaction.create(&row).index_words(None, Some(&row))
            }
            (Some(row), _) => {
                let now = row.record.clone().with(self.share);
                if now == row.record {
                    return transaction;
                }
                transaction.save(row.rev, &now).index_words(Some(&row), Some(&now))
            }
        }
    }

    fn mail(&self, recipient: Option<&RecipientId>) -> Option<Mail> {
        let Share { id: share, title, expires_at, .. } = self.share;
        let (share, recipient, title, expires_at) = (*share, recipient?.clone(), title.clone(), *expires_at);
        Some(match self.news {
            ShareEvent::Sent => Mail::share_sent(self.share, recipient),
            ShareEvent::FileAdded { file, by, .. } => {
                Mail::FilesAdded { share, recipient, title, from: by.clone(), file: file.clone(), expires_at }
            }
            ShareEvent::Changed | ShareEvent::Backfilled | ShareEvent::Removed => return None,
        })
    }
}

/// Whether a contact could open what it is mailed about.
fn may_open(contact: &Contact) -> bool {
    !matches!(contact.access, Access::Closed { .. }) && contact.areas.has(Area::Files)
}

impl Store {
    /// Whether any recipient of a share is at a company: one of its contacts, all of them, or an address of one.
    pub async fn is_had_at(&self, share: &Share, company: CompanyId) -> Result<bool, StoreError> {
        let mut after = None;
        loop {
            let page = self.recipients(share.id, PageRequest { limit: 500, after }).await?;
            let (readers, companies) = self.readers(page.items).await?;
            let at =
                |reader: &Reader| matches!(reader, Reader::Contact { contact, .. } if contact.company_id == company);
            if companies.contains(&company) || readers.iter().any(at) {
                return Ok(true);
            }
            after = page.next;
            if after.is_none() {
                return Ok(false);
            }
        }
    }

    /// A share in a company's inbox.
    pub async fn company_row(
        &self,
        share: ShareId,
        company: CompanyId,
    ) -> Result<Option<Stored<InboxRow>>, StoreError> {
        Ok(self.inbox_rows([(InboxOf::Company(company), share)]).await?.pop())
    }
}

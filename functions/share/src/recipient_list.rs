//! Who has a share, and how far it has come with each: mailed, opened, looked at, downloaded.

use std::collections::{BTreeMap, HashMap};

use futures_util::try_join;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    AddressId, CompanyId, Contact, ContactId, Email, FilesSeen, Recipient, RecipientId, Right, ShareId, ShareSeen,
    Target,
};
use gatehouse::http::{ApiRequest, ApiResponse, List, PageQuery, Problem, json};
use gatehouse::store::{Page, StoreError};
use lambda_http::http::StatusCode;
use serde::Serialize;

use crate::Share;

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Recipient")]
pub(crate) struct RecipientView {
    id: RecipientId,
    #[serde(flatten)]
    target: RecipientTarget,
    added_at: Timestamp,
    mailed_at: Option<Timestamp>,
    mail_problem: Option<String>,
    /// Of one person: what everyone at a company has seen stands in the activity.
    opened_at: Option<Timestamp>,
    viewed_at: Option<Timestamp>,
    downloaded_at: Option<Timestamp>,
    downloaded_files: usize,
}

#[derive(Serialize, schemars::JsonSchema)]
#[serde(untagged)]
enum RecipientTarget {
    Contact { contact_id: ContactId },
    Company { company_id: CompanyId },
    Address { email: Email },
}

/// What is known of the people on a page.
#[derive(Default)]
struct Progress {
    contacts: HashMap<ContactId, Contact>,
    /// Whose the addresses are by now.
    owners: BTreeMap<Email, ContactId>,
    seen: HashMap<RecipientId, ShareSeen>,
}

impl Progress {
    fn view(&self, recipient: Recipient) -> RecipientView {
        let person = match &recipient.target {
            Target::Contact { contact_id, .. } => Some(*contact_id),
            Target::Company { .. } => None,
            Target::Address { email } => self.owners.get(email).copied(),
        };
        // By the link before there was an account, and as a contact since.
        let seen = person.map(RecipientId::Contact).into_iter().chain([recipient.id.clone()]);
        let seen: Vec<&ShareSeen> = seen.filter_map(|by| self.seen.get(&by)).collect();
        let last = |of: fn(&FilesSeen) -> Option<Timestamp>| seen.iter().filter_map(|seen| of(&seen.files)).max();
        RecipientView {
            mailed_at: recipient.mailed_at,
            mail_problem: person.and_then(|contact| self.contacts.get(&contact)?.mail_problem.clone()),
            opened_at: seen.iter().map(|seen| seen.opened_at).min(),
            viewed_at: last(FilesSeen::last_viewed_at),
            downloaded_at: last(FilesSeen::last_downloaded_at),
            downloaded_files: FilesSeen::downloaded_of(seen.iter().map(|seen| &seen.files)),
            id: recipient.id,
            added_at: recipient.added_at,
            target: match recipient.target {
                Target::Contact { contact_id, .. } => RecipientTarget::Contact { contact_id },
                Target::Company { company_id } => RecipientTarget::Company { company_id },
                Target::Address { email } => RecipientTarget::Address { email },
            },
        }
    }
}

impl From<Recipient> for RecipientView {
    /// One that has just become it.
    fn from(recipient: Recipient) -> Self {
        Progress::default().view(recipient)
    }
}

impl Share {
    pub(crate) async fn list_recipients(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let store = &self.gate.store;
        let reads = async {
            let id: ShareId = request.id("id")?;
            let caller = self.gate.caller_name(request).await?;
            let list = List::of(&[&"recipients", &caller, &id]);
            let page = self.gate.page(&list, &request.query::<PageQuery>()?).await?;
            let (share, recipients) = try_join!(store.share(id), store.recipients(id, page))?;
            Ok::<_, Problem>(share.map(|share| (share, (list, recipients))))
        };
        let reads = Box::pin(reads);
        let (_, (share, (list, recipients))) = self.gate.staff_and_share(request, Right::ReadShares, reads).await?;
        let progress = self.progress(share.id, &recipients).await?;
        json(StatusCode::OK, &self.gate.list(&list, recipients, |recipient| progress.view(recipient)).await?)
    }

    /// Of all on the page, at once.
    async fn progress(&self, share: ShareId, page: &Page<Recipient>) -> Result<Progress, StoreError> {
        let store = &self.gate.store;
        let address = |recipient: &Recipient| match &recipient.target {
            Target::Address { email } => Some(email.clone()),
            _ => None,
        };
        let owners = store.owners_of(page.items.iter().filter_map(address).collect()).await?;
        let named = page.items.iter().filter_map(|recipient| match recipient.target {
            Target::Contact { contact_id, .. } => Some(contact_id),
            _ => None,
        });
        let mut people: Vec<ContactId> = named.chain(owners.values().copied()).collect();
        people.sort_unstable();
        people.dedup();
        let by_link = owners.keys().map(|email| AddressId::new(share, email)).map(RecipientId::Address);
        let readers = page.items.iter().map(|recipient| recipient.id.clone()).chain(by_link);
        let readers = readers.chain(people.iter().copied().map(RecipientId::Contact));
        let (contacts, seen) = try_join!(store.contacts(people.clone()), store.seen_by(share, readers))?;
        Ok(Progress {
            contacts: contacts.into_iter().map(|contact| (contact.id, contact)).collect(),
            owners,
            seen: seen.into_iter().map(|seen| (seen.by.clone(), seen)).collect(),
        })
    }
}

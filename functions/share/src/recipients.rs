//! Who gets a share: at its beginning, and who is added or taken away later.

use std::collections::BTreeMap;

use futures_util::try_join;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity, ActivityKind, CompanyId, ContactId, Email, Recipient, Right, Share as Shared, ShareEvent, ShareId,
    ShareState, Target, Task, TaskKind,
};
use gatehouse::http::{ApiRequest, ApiResponse, Effect, Operator, Problem, json, no_content};
use gatehouse::store::{FanOut, Reader, Stored, Transaction};
use lambda_http::http::StatusCode;
use serde::Deserialize;

use crate::Share;
use crate::recipient_list::RecipientView;

/// More than this do not fit into a body either.
const MOST_RECIPIENTS: usize = 5_000;

/// A contact, everyone at a company, or an address.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRecipient {
    contact_id: Option<ContactId>,
    company_id: Option<CompanyId>,
    email: Option<Email>,
}

impl NewRecipient {
    fn one(&self) -> usize {
        usize::from(self.contact_id.is_some())
            + usize::from(self.company_id.is_some())
            + usize::from(self.email.is_some())
    }
}

impl Share {
    /// Each once, and none that does not exist. An address that a contact has is that contact.
    pub(crate) async fn known_recipients(
        &self,
        share: ShareId,
        wanted: &[NewRecipient],
        listed: bool,
        now: Timestamp,
    ) -> Result<Vec<Recipient>, Problem> {
        let store = &self.gate.store;
        let wrong = |n: usize, field: &str, why: &str| {
            let field = match (listed, field) {
                (true, "") => format!("recipients[{n}]"),
                (true, field) => format!("recipients[{n}].{field}"),
                (false, "") => "body".to_owned(),
                (false, field) => field.to_owned(),
            };
            Problem::invalid_field(field, why)
        };
        if wanted.len() > MOST_RECIPIENTS {
            return Err(Problem::invalid_field("recipients", format!("must be at most {MOST_RECIPIENTS}")));
        }
        if let Some(n) = wanted.iter().position(|wanted| wanted.one() != 1) {
            return Err(wrong(n, "", "must be one of contact_id, company_id and email"));
        }
        let owners = store.owners_of(wanted.iter().filter_map(|wanted| wanted.email.clone()).collect()).await?;
        let mut contacts: Vec<ContactId> = wanted.iter().filter_map(|wanted| wanted.contact_id).collect();
        contacts.extend(owners.values());
        let mut companies: Vec<CompanyId> = wanted.iter().filter_map(|wanted| wanted.company_id).collect();
        contacts.sort_unstable();
        contacts.dedup();
        companies.sort_unstable();
        companies.dedup();
        let (contacts, companies) = try_join!(store.contacts(contacts), store.companies_of(companies))?;
        let works_at: BTreeMap<ContactId, CompanyId> =
            contacts.into_iter().map(|contact| (contact.id, contact.company_id)).collect();

        let mut recipients = BTreeMap::new();
        for (n, wanted) in wanted.iter().enumerate() {
            let contact = wanted.contact_id.or_else(|| owners.get(wanted.email.as_ref()?).copied());
            let target = match (contact, wanted.company_id, &wanted.email) {
                (Some(contact_id), ..) => {
                    let at = works_at.get(&contact_id).ok_or_else(|| wrong(n, "contact_id", "is not known"))?;
                    Target::Contact { contact_id, at: *at }
                }
                (None, Some(company_id), _) => {
                    let known = companies.iter().find(|company| company.id == company_id);
                    match known.ok_or_else(|| wrong(n, "company_id", "is not known"))?.merged_into {
                        Some(into) => return Err(wrong(n, "company_id", &format!("was merged into {into}"))),
                        None => Target::Company { company_id },
                    }
                }
                (None, None, Some(email)) => Target::Address { email: email.clone() },
                (None, None, None) => return Err(wrong(n, "", "must be one of contact_id, company_id and email")),
            };
            let recipient = Recipient::new(share, target, now);
            recipients.insert(recipient.id.clone(), recipient);
        }
        Ok(recipients.into_values().collect())
    }

    pub(crate) async fn add_recipient(
        &self,
        staff: &Operator,
        id: ShareId,
        new: &NewRecipient,
    ) -> Result<Effect<'_>, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let share = changeable(store.share(id).await?)?;
        if share.expired(now) {
            return Err(Problem::share_expired());
        }
        let known = self.known_recipients(share.id, std::slice::from_ref(new), false, now).await?.pop();
        let recipient = known.ok_or_else(Problem::not_found)?;
        if let Some(is) = store.recipient(share.id, &recipient.id).await? {
            return Ok(Effect::none(json(StatusCode::CREATED, &RecipientView::from(is.record))?));
        }
        let mut changed = share.record.clone();
        if let Target::Company { company_id } = recipient.target {
            changed.removed_companies.remove(&company_id);
        }
        let activity = about(Activity::new(ActivityKind::RecipientAdded, staff.actor(), now), &recipient);
        let response = json(StatusCode::CREATED, &RecipientView::from(recipient.clone()))?;
        let mut transaction = store.transaction().save(share.rev, &changed).activity(&activity);
        let mut recipient = recipient;
        if matches!(share.state, ShareState::Sent { .. }) {
            transaction = match &recipient.target {
                Target::Address { email } => {
                    let mail = FanOut { share: &changed, news: &ShareEvent::Sent, now }.mail_to(email, &recipient.id);
                    recipient.notified_at = Some(now);
                    mail.iter().fold(transaction, Transaction::mail)
                }
                _ => self.tell_one(transaction, &changed, &recipient, now).await?,
            };
        }
        Ok(Effect::new(transaction.create(&recipient), response))
    }

    pub(crate) async fn remove_recipient(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let share = async { Ok::<_, Problem>(store.share(request.id("id")?).await?) };
        let (staff, share) = self.gate.staff_and_share(request, Right::ManageShares, share).await?;
        let share = changeable(Some(share))?;
        let recipient = store.recipient(share.id, &request.id("rid")?).await?.ok_or_else(Problem::not_found)?;
        let mut changed = share.record.clone();
        let activity = about(Activity::new(ActivityKind::RecipientRemoved, staff.actor(), now), &recipient);
        let mut transaction = store.transaction().activity(&activity).remove(recipient.rev, &recipient.record);
        // Nobody has got a draft yet.
        if matches!(share.state, ShareState::Sent { .. }) {
            transaction = match recipient.target {
                Target::Company { company_id } => {
                    // Whoever is on the way there from a company that was merged has it by that one still.
                    let merging = store.company(company_id).await?.map(|company| company.record.merging);
                    for company in merging.into_iter().flatten().chain([company_id]) {
                        let news = ShareEvent::Removed;
                        let task = Task::new(TaskKind::Company { share: share.id, company, news }, now);
                        changed.removed_companies.insert(company, task.id);
                        transaction = transaction.create(&task);
                    }
                    transaction
                }
                _ => self.take_from_one(transaction, &changed, &recipient, now).await?,
            };
        }
        transaction = transaction.save(share.rev, &changed);
        transaction.commit().await?;
        Ok(no_content())
    }

    /// A contact at once; everyone at a company one after the other.
    async fn tell_one<'t>(
        &self,
        transaction: Transaction<'t>,
        share: &Shared,
        recipient: &Recipient,
        now: Timestamp,
    ) -> Result<Transaction<'t>, Problem> {
        let news = ShareEvent::Sent;
        if let Target::Company { company_id: company } = recipient.target {
            return Ok(transaction.create(&Task::new(TaskKind::Company { share: share.id, company, news }, now)));
        }
        Ok(self.fan_out(transaction, share, recipient, &news, now).await?.0)
    }

    /// To the contact that it is, or whose address it is.
    async fn fan_out<'t>(
        &self,
        transaction: Transaction<'t>,
        share: &Shared,
        recipient: &Recipient,
        news: &ShareEvent,
        now: Timestamp,
    ) -> Result<(Transaction<'t>, Vec<Reader>), Problem> {
        let store = &self.gate.store;
        let (readers, _) = store.readers(vec![recipient.clone()]).await?;
        Ok((FanOut { share, news, now }.to(store, transaction, &readers).await?, readers))
    }

    async fn take_from_one<'t>(
        &self,
        transaction: Transaction<'t>,
        share: &Shared,
        recipient: &Recipient,
        now: Timestamp,
    ) -> Result<Transaction<'t>, Problem> {
        let fan_out = self.fan_out(transaction, share, recipient, &ShareEvent::Removed, now);
        let (mut transaction, readers) = fan_out.await?;
        for reader in readers {
            // Its company may have been one only by this one.
            if let Reader::Contact { contact, .. } = reader {
                let (share, company) = (share.id, contact.company_id);
                let leave = TaskKind::LeaveCompanyInbox { share, company, cleared_by: None };
                transaction = transaction.create(&Task::new(leave, now));
            }
        }
        Ok(transaction)
    }
}

/// A share that the staff may still change.
pub(crate) fn changeable(share: Option<Stored<Shared>>) -> Result<Stored<Shared>, Problem> {
    let share = share.filter(|share| share.is_known_to_staff()).ok_or_else(Problem::not_found)?;
    match share.state {
        ShareState::Revoked { .. } => Err(Problem::share_revoked()),
        _ => Ok(share),
    }
}

pub(crate) fn about(activity: Activity, recipient: &Recipient) -> Activity {
    let activity = activity.share(recipient.share_id);
    match recipient.target {
        Target::Contact { contact_id, at } => activity.contact(contact_id).company(at),
        Target::Company { company_id } => activity.company(company_id),
        Target::Address { .. } => activity,
    }
}

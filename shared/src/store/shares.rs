//! Shares, their files and recipients: how they are found.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;

use super::conflicts::if_it_held;
use super::page::Listing;
use super::{Item, Page, PageRequest, Record, Store, StoreError, Stored, keys};
use crate::clock::{Timestamp, sortable};
use crate::domain::{
    CompanyId, Contact, ContactId, FileId, InboxOf, InboxRow, Recipient, RecipientId, Share, ShareFile, ShareId,
    ShareSeen,
};

/// What decides whether a contact sees a share, read in one round trip. Each part may be missing.
#[derive(Debug)]
pub struct Received {
    /// The contact, who must still have access.
    pub contact: Option<Stored<Contact>>,
    /// The share in that contact's inbox.
    pub own: Option<Stored<InboxRow>>,
    /// The share in its company's inbox.
    pub colleagues: Option<InboxRow>,
    /// What it has seen of the share.
    pub seen: Option<Stored<ShareSeen>>,
}

/// The same, with the share and one of its files.
#[derive(Debug)]
pub struct SharedFile {
    /// What decides.
    pub received: Received,
    /// The share.
    pub share: Option<Stored<Share>>,
    /// The file.
    pub file: Option<Stored<ShareFile>>,
}

/// A share that ended: what is in the list of those is looked at one by one, so that none that cannot be read hides
/// the others.
#[derive(Debug, Deserialize)]
pub struct EndedShare {
    /// Which.
    pub id: ShareId,
    /// Whether it is being removed already.
    #[serde(default)]
    pub erasing: bool,
}

/// A file whose bytes are awaited: see [`EndedShare`].
#[derive(Debug, Deserialize)]
pub struct AwaitedFile {
    /// Of which share.
    pub share_id: ShareId,
    /// Which.
    pub id: FileId,
}

impl Store {
    /// A share.
    pub async fn share(&self, id: ShareId) -> Result<Option<Stored<Share>>, StoreError> {
        self.read(keys::share(id)).await
    }

    /// Several shares in one round trip; those that do not exist are missing in the answer.
    pub async fn shares(&self, ids: impl IntoIterator<Item = ShareId>) -> Result<Vec<Share>, StoreError> {
        let items = self.items(ids.into_iter().map(keys::share)).await?;
        Ok(items.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>()?)
    }

    /// Files of several shares; those that do not exist are missing in the answer.
    pub async fn files_of(
        &self,
        ids: impl IntoIterator<Item = (ShareId, FileId)>,
    ) -> Result<Vec<ShareFile>, StoreError> {
        let items = self.items(ids.into_iter().map(|(share, file)| keys::file(share, file))).await?;
        Ok(items.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>()?)
    }

    /// One file of a share.
    pub async fn file(&self, share: ShareId, file: FileId) -> Result<Option<Stored<ShareFile>>, StoreError> {
        self.read(keys::file(share, file)).await
    }

    /// A share and one of its files, in one round trip.
    pub async fn share_and_file(
        &self,
        share: ShareId,
        file: FileId,
    ) -> Result<Option<(Stored<Share>, Option<Stored<ShareFile>>)>, StoreError> {
        let mut items = self.items([keys::share(share), keys::file(share, file)]).await?;
        let share = stored(take(&mut items, |_, sk| sk == keys::SHARE_AND_FILES))?;
        let file = stored(items.pop())?;
        Ok(share.map(|share| (share, file)))
    }

    /// A share with all its files, in one query.
    pub async fn share_and_files(&self, id: ShareId) -> Result<Option<(Stored<Share>, Vec<ShareFile>)>, StoreError> {
        let items = self.partition(&id.to_string(), Some(keys::SHARE_AND_FILES)).await?;
        let mut items = items.into_iter();
        let Some(share) = items.next() else { return Ok(None) };
        let files = items.map(serde_dynamo::from_item).collect::<Result<_, _>>()?;
        Ok(Some((Stored::from_item(share)?, files)))
    }

    /// One recipient of a share.
    pub async fn recipient(&self, share: ShareId, id: &RecipientId) -> Result<Option<Stored<Recipient>>, StoreError> {
        self.read(keys::recipient(share, id)).await
    }

    /// Those of these recipients of shares that there are.
    pub async fn recipients_among(
        &self,
        wanted: impl IntoIterator<Item = (ShareId, RecipientId)>,
    ) -> Result<Vec<Stored<Recipient>>, StoreError> {
        let items = self.items(wanted.into_iter().map(|(share, id)| keys::recipient(share, &id))).await?;
        items.into_iter().map(Stored::from_item).collect()
    }

    /// A page of a share's recipients, as they are now.
    pub async fn recipients(&self, share: ShareId, page: PageRequest) -> Result<Page<Recipient>, StoreError> {
        let sk = Some((keys::SK, super::page::SortKeyRange::Beginning(keys::RECIPIENTS.to_owned())));
        let pk = &share.to_string();
        self.page(Listing { index: None, pk_name: keys::PK, pk, sk, newest_first: false, consistent: true }, page).await
    }

    /// What was shared with everyone at a company.
    pub async fn shared_with_company(
        &self,
        company: CompanyId,
        page: PageRequest,
    ) -> Result<Page<Recipient>, StoreError> {
        self.listed(&format!("SHARED#{company}"), None, false, page).await
    }

    /// What was shared with an address.
    pub async fn shared_with_address(
        &self,
        email: &crate::domain::Email,
        page: PageRequest,
    ) -> Result<Page<Recipient>, StoreError> {
        self.listed(&format!("SHARED#{email}"), None, false, page).await
    }

    /// The last shares that went to an address by link, newest first.
    pub async fn last_shared_with_address(
        &self,
        email: &crate::domain::Email,
        limit: usize,
    ) -> Result<Vec<Recipient>, StoreError> {
        let page = PageRequest { limit, after: None };
        Ok(self.listed(&format!("SHARED#{email}"), None, true, page).await?.items)
    }

    /// Shares that ended before that time, those that ended first before the others.
    pub async fn ended_before(&self, end: Timestamp, page: PageRequest) -> Result<Page<EndedShare>, StoreError> {
        self.listed_until(keys::ENDING, sortable(end), page).await
    }

    /// Files that were announced before that time and whose bytes have not come.
    pub async fn awaited_since(&self, time: Timestamp, page: PageRequest) -> Result<Page<AwaitedFile>, StoreError> {
        self.listed_until(keys::AWAITED, sortable(time), page).await
    }

    /// All items of a partition whose sort key begins so, as they are now; the keys alone of all there are.
    pub(super) async fn partition(&self, pk: &str, begins: Option<&str>) -> Result<Vec<Item>, StoreError> {
        let mut query = self
            .client
            .query()
            .table_name(&*self.table)
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .consistent_read(true);
        query = match begins {
            // DynamoDB takes no empty text for a key.
            None => query.key_condition_expression("pk = :pk").projection_expression("pk, sk"),
            Some(begins) => query
                .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
                .expression_attribute_values(":sk", AttributeValue::S(begins.to_owned())),
        };
        let mut pages = query.into_paginator().send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            items.extend(page.map_err(StoreError::call("Query"))?.items.unwrap_or_default());
        }
        Ok(items)
    }

    /// What decides whether a contact sees a share, in one round trip.
    pub async fn received(
        &self,
        contact: ContactId,
        company: CompanyId,
        share: ShareId,
    ) -> Result<Received, StoreError> {
        let mut items = self.items(Received::keys(contact, company, share)).await?;
        Received::of(&mut items)
    }

    /// The same with the share and one of its files, still in one round trip.
    pub async fn shared_file(
        &self,
        contact: ContactId,
        company: CompanyId,
        share: ShareId,
        file: FileId,
    ) -> Result<SharedFile, StoreError> {
        let file = keys::file(share, file);
        let file_sk = file.sk.clone();
        let wanted = Received::keys(contact, company, share).into_iter().chain([keys::share(share), file]);
        let mut items = self.items(wanted).await?;
        let received = Received::of(&mut items)?;
        Ok(SharedFile {
            received,
            share: stored(take(&mut items, |_, sk| sk == keys::SHARE_AND_FILES))?,
            file: stored(take(&mut items, |_, sk| sk == file_sk))?,
        })
    }

    /// Notes that a mail about a share has left for a recipient, if it still is one.
    pub async fn note_mailed(&self, share: ShareId, to: &RecipientId, now: Timestamp) -> Result<(), StoreError> {
        let noted = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(keys::recipient(share, to).attributes()))
            // The version moves on, so that whoever is changing the recipient right now reads this first.
            .update_expression("SET mailed_at = :now ADD rev :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .send()
            .await;
        if_it_held("UpdateItem", noted).map(drop)
    }

    /// What these people have seen of a share; those that have not opened it are missing in the answer.
    pub async fn seen_by(
        &self,
        share: ShareId,
        people: impl IntoIterator<Item = RecipientId>,
    ) -> Result<Vec<ShareSeen>, StoreError> {
        let people: BTreeSet<RecipientId> = people.into_iter().collect();
        let items = self.items(people.iter().map(|by| keys::seen(share, by))).await?;
        Ok(items.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>()?)
    }

    /// Notes that somebody has opened a share for the first time.
    pub async fn note_opened(&self, share: ShareId, by: RecipientId, now: Timestamp) -> Result<(), StoreError> {
        use aws_sdk_dynamodb::operation::put_item::PutItemError;
        let opened = ShareSeen::opened(share, by, now);
        let item = super::record::to_item(&opened, super::Rev::FIRST.next())?;
        let put = self.client.put_item().table_name(&*self.table).set_item(Some(item));
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            // At this very moment it was opened elsewhere, which is as good.
            Err(error)
                if matches!(
                    error.as_service_error(),
                    Some(
                        PutItemError::ConditionalCheckFailedException(_)
                            | PutItemError::TransactionConflictException(_)
                    )
                ) =>
            {
                Ok(())
            }
            put => put.map(drop).map_err(StoreError::call("PutItem")),
        }
    }

    /// What one person has seen of a share.
    pub async fn seen(&self, share: ShareId, by: &RecipientId) -> Result<Option<Stored<ShareSeen>>, StoreError> {
        self.read(keys::seen(share, by)).await
    }

    /// Notes that a contact has opened the share as its row said, and no more: what has come since stays unread.
    pub async fn mark_read(&self, row: &Stored<InboxRow>) -> Result<(), StoreError> {
        use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
        let marked = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(row.key().attributes()))
            .update_expression("SET unread = :no REMOVE unread_sk ADD rev :one")
            .condition_expression("rev = :was")
            .expression_attribute_values(":was", row.rev.attribute())
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .send()
            .await;
        let Err(error) = marked else { return Ok(()) };
        match error.as_service_error() {
            // Something new is being written into it: that, nobody has read.
            Some(
                UpdateItemError::ConditionalCheckFailedException(_) | UpdateItemError::TransactionConflictException(_),
            ) => Ok(()),
            _ => Err(StoreError::call("UpdateItem")(error)),
        }
    }

    /// Rows of several inboxes, as they are now.
    pub async fn inbox_rows(
        &self,
        of: impl IntoIterator<Item = (InboxOf, ShareId)>,
    ) -> Result<Vec<Stored<InboxRow>>, StoreError> {
        // The same inbox may be asked for twice, which the table does not like.
        let of: BTreeSet<(InboxOf, ShareId)> = of.into_iter().collect();
        let items = self.items(of.into_iter().map(|(of, share)| keys::inbox_row(of, share))).await?;
        items.into_iter().map(Stored::from_item).collect()
    }
}

impl Received {
    fn keys(contact: ContactId, company: CompanyId, share: ShareId) -> [keys::Key; 4] {
        let row = |of| keys::inbox_row(of, share);
        let seen = keys::seen(share, &RecipientId::Contact(contact));
        [keys::contact(contact), row(InboxOf::Contact(contact)), row(InboxOf::Company(company)), seen]
    }

    fn of(items: &mut Vec<Item>) -> Result<Self, StoreError> {
        let own = keys::inbox_begins(true);
        let colleagues = keys::inbox_begins(false);
        Ok(Self {
            contact: stored(take(items, |_, sk| sk == keys::CONTACT))?,
            own: stored(take(items, |pk, _| pk.starts_with(own)))?,
            colleagues: stored(take(items, |pk, _| pk.starts_with(colleagues)))?.map(|row: Stored<_>| row.record),
            seen: stored(take(items, |pk, _| pk.starts_with(keys::SEEN)))?,
        })
    }
}

fn take(items: &mut Vec<Item>, is: impl Fn(&str, &str) -> bool) -> Option<Item> {
    let key = |item: &Item, name| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    let at = items.iter().position(|item| is(&key(item, keys::PK), &key(item, keys::SK)))?;
    Some(items.swap_remove(at))
}

fn stored<T: Record>(item: Option<Item>) -> Result<Option<Stored<T>>, StoreError> {
    item.map(Stored::from_item).transpose()
}

//! Shares, their files and inboxes: how they are found.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;

use super::page::Listing;
use super::{Item, Page, PageRequest, Record, Store, StoreError, Stored, keys};
use crate::domain::{Contact, ContactId, FileId, InboxRow, Recipient, Share, ShareFile, ShareId};

/// What a contact's download asks for, read in one round trip. Each part may be missing.
#[derive(Debug)]
pub struct SharedFile {
    /// The contact, who must still have access.
    pub contact: Option<Stored<Contact>>,
    /// The share in that contact's inbox.
    pub row: Option<InboxRow>,
    /// The file.
    pub file: Option<Stored<ShareFile>>,
}

impl Store {
    /// A share.
    pub async fn share(&self, id: ShareId) -> Result<Option<Stored<Share>>, StoreError> {
        self.read(keys::share(id)).await
    }

    /// One file of a share.
    pub async fn file(&self, share: ShareId, file: FileId) -> Result<Option<Stored<ShareFile>>, StoreError> {
        self.read(keys::file(share, file)).await
    }

    /// A share with all its files, in one query.
    pub async fn share_and_files(&self, id: ShareId) -> Result<Option<(Stored<Share>, Vec<ShareFile>)>, StoreError> {
        let items = self.partition(&id.to_string(), keys::SHARE_AND_FILES).await?;
        let mut items = items.into_iter();
        let Some(share) = items.next() else { return Ok(None) };
        let files = items.map(serde_dynamo::from_item).collect::<Result<_, _>>()?;
        Ok(Some((Stored::from_item(share)?, files)))
    }

    /// Who a share goes to.
    pub async fn recipients(&self, id: ShareId) -> Result<Vec<Recipient>, StoreError> {
        let items = self.partition(&id.to_string(), keys::RECIPIENTS).await?;
        Ok(items.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>()?)
    }

    /// All items of a partition whose sort key begins so, as they are now.
    async fn partition(&self, pk: &str, begins: &str) -> Result<Vec<Item>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .expression_attribute_values(":sk", AttributeValue::S(begins.to_owned()))
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            items.extend(page.map_err(StoreError::call("Query"))?.items.unwrap_or_default());
        }
        Ok(items)
    }

    /// A contact's inbox, newest first.
    pub async fn inbox(&self, contact: ContactId, page: PageRequest) -> Result<Page<InboxRow>, StoreError> {
        let listing = Listing {
            index: Some(keys::BY_TIME),
            pk_name: keys::PK,
            pk: &keys::inbox(contact),
            sk_begins: None,
            newest_first: true,
        };
        self.page(listing, page).await
    }

    /// One share in a contact's inbox; without it, the contact may not see the share.
    pub async fn inbox_row(&self, contact: ContactId, share: ShareId) -> Result<Option<InboxRow>, StoreError> {
        self.read_plain(keys::inbox_row(contact, share)).await
    }

    /// Notes that the contact has opened the share, if it still lies in its inbox.
    pub async fn mark_read(&self, contact: ContactId, share: ShareId) -> Result<(), StoreError> {
        use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
        let marked = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(keys::inbox_row(contact, share).attributes()))
            .update_expression("SET unread = :no")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .send()
            .await;
        match marked {
            Err(error)
                if !matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_))) =>
            {
                Err(StoreError::call("UpdateItem")(error))
            }
            _ => Ok(()),
        }
    }

    /// All shares, newest first.
    pub async fn shares(&self, page: PageRequest) -> Result<Page<Share>, StoreError> {
        self.listed(keys::SHARES, None, true, page).await
    }

    /// What a download by a contact is decided on, in one round trip.
    pub async fn shared_file(
        &self,
        contact: ContactId,
        share: ShareId,
        file: FileId,
    ) -> Result<SharedFile, StoreError> {
        let wanted = [keys::contact(contact), keys::inbox_row(contact, share), keys::file(share, file)];
        let [contact, row, file] = wanted.each_ref().map(|key| AttributeValue::S(key.sk.clone()));
        let mut items = self.items(wanted).await?;
        let mut take = |sk: &AttributeValue| {
            let at = items.iter().position(|item| item.get(keys::SK) == Some(sk))?;
            Some(items.swap_remove(at))
        };
        let (contact, row, file) = (take(&contact), take(&row), take(&file));
        Ok(SharedFile { contact: stored(contact)?, row: plain(row)?, file: stored(file)? })
    }
}

fn stored<T: Record>(item: Option<Item>) -> Result<Option<Stored<T>>, StoreError> {
    item.map(Stored::from_item).transpose()
}

fn plain<T: DeserializeOwned>(item: Option<Item>) -> Result<Option<T>, StoreError> {
    Ok(item.map(serde_dynamo::from_item).transpose()?)
}

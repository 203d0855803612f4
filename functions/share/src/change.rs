//! What the staff change about a share afterwards, and taking it back.

use std::collections::BTreeSet;

use futures_util::try_join;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity, ActivityKind, Actor, EraseStep, FileId, Folder, Message, Right, Share as Shared, ShareEvent, ShareFile,
    ShareState, ShareWords, Task, TaskKind, Title,
};
use gatehouse::http::{ApiRequest, ApiResponse, Customer, Problem, json, no_content};
use gatehouse::store::Stored;
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_with::rust::double_option;

use crate::Share;

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ChangeShare")]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    title: Option<Title>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    message: Option<Option<Message>>,
    #[serde(default, deserialize_with = "double_option::deserialize")]
    expires_at: Option<Option<Timestamp>>,
    allow_upload: Option<bool>,
    excluded_files: Option<BTreeSet<FileId>>,
    excluded_folders: Option<BTreeSet<Folder>>,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ChangedShare")]
pub(crate) struct Changed<'a> {
    id: gatehouse::domain::ShareId,
    title: &'a Title,
    message: Option<&'a Message>,
    expires_at: Option<Timestamp>,
    allow_upload: bool,
    excluded_files: &'a BTreeSet<FileId>,
    excluded_folders: &'a BTreeSet<Folder>,
    #[schemars(extend("enum" = gatehouse::domain::ShareState::WORDS))]
    state: &'static str,
}

impl Share {
    pub(crate) async fn change(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let found = async {
            let id = request.id("id")?;
            let (found, words) = try_join!(store.share_and_files(id), store.share_words(id))?;
            Ok::<_, Problem>(found.map(|(share, files)| (share, (files, words))))
        };
        let found = self.gate.staff_and_share(request, Right::ManageShares, found).await?;
        let (staff, (share, (files, words_were))) = found;
        let change: Change = request.json()?;
        if matches!(share.state, ShareState::Revoked { .. }) {
            return Err(Problem::share_revoked());
        }
        let mut changed = share.record.clone();
        if let Some(title) = &change.title {
            changed.title = title.clone();
        }
        if let Some(message) = &change.message {
            changed.message.clone_from(message);
        }
        if let Some(expires_at) = change.expires_at {
            changed.expires_at = expires_at;
            if changed.expired(now) {
                return Err(Problem::invalid_field("expires_at", "must be in the future; DELETE takes a share back"));
            }
        }
        if let Some(allow) = change.allow_upload {
            changed.allow_upload = allow;
        }
        if let Some(excluded) = &change.excluded_files {
            let unknown = excluded.iter().position(|id| !files.iter().any(|file| file.id == *id));
            if let Some(n) = unknown {
                return Err(Problem::invalid_field(format!("excluded_files[{n}]"), "is not a file of this share"));
            }
            changed.excluded.clone_from(excluded);
        }
        if let Some(excluded) = &change.excluded_folders {
            let has = |folder: &Folder| !folder.is_root() && files.iter().any(|file| folder.holds(&file.folder));
            if let Some(n) = excluded.iter().position(|folder| !has(folder)) {
                return Err(Problem::invalid_field(format!("excluded_folders[{n}]"), "is not a folder of this share"));
            }
            changed.excluded_folders.clone_from(excluded);
        }
        let changed = changed.with_contents(&files);
        let words = ShareWords::after(words_were.as_deref(), &changed, &files);
        let changed = changed.with_words(&words);
        let activity = Activity::new(ActivityKind::ShareChanged, staff.actor(), now).share(share.id);
        let transaction = store.transaction().save(share.rev, &changed).operators_row(Some(&share), &changed);
        let mut transaction = transaction.share_words(words_were.as_ref(), &words).activity(&activity);
        if matches!(share.state, ShareState::Sent { .. }) {
            transaction = self.tell(transaction, &changed, ShareEvent::Changed, now).await?;
        }
        transaction.commit().await?;
        let view = Changed {
            id: changed.id,
            title: &changed.title,
            message: changed.message.as_ref(),
            expires_at: changed.expires_at,
            allow_upload: changed.allow_upload,
            excluded_files: &changed.excluded,
            excluded_folders: &changed.excluded_folders,
            state: changed.state.word(),
        };
        json(StatusCode::OK, &view)
    }

    /// Takes a share back: nobody but the staff sees it from this moment on. A draft is thrown away for good, also by
    /// the customer who made it.
    pub(crate) async fn delete(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let store = &self.gate.store;
        let Some(customer) = self.gate.customer(request).await? else {
            let share = async { Ok::<_, Problem>(store.share(request.id("id")?).await?) };
            let (staff, share) = self.gate.staff_and_share(request, Right::ManageShares, share).await?;
            return match share.state {
                ShareState::Draft => self.discard(&share, staff.actor()).await,
                ShareState::Sent { .. } => self.revoke(&share, staff.actor()).await,
                ShareState::Revoked { .. } => Ok(no_content()),
            };
        };
        let (contact, share) = try_join!(store.contact(customer.contact), store.share(request.id("id")?))?;
        let own = |share: &Stored<Shared>| {
            share.state == ShareState::Draft && share.made_by_contact() == Some(customer.contact)
        };
        let Some(draft) = share.filter(own) else { return self.refuse(request, customer).await };
        let contact = customer.admit(contact)?;
        self.discard(&draft, Customer::actor(&contact)).await
    }

    async fn revoke(&self, share: &Stored<Shared>, by: Actor) -> Result<ApiResponse, Problem> {
        let now = self.gate.now();
        let revoked = share.record.clone().revoke(now);
        let activity = Activity::new(ActivityKind::ShareRevoked, by, now).share(share.id);
        let transaction = self.gate.store.transaction().save(share.rev, &revoked);
        let transaction = transaction.operators_row(Some(share), &revoked).activity(&activity);
        self.tell(transaction, &revoked, ShareEvent::Removed, now).await?.commit().await?;
        Ok(no_content())
    }

    /// What a customer's files have counted is given back with the mark, which is made once.
    async fn discard(&self, draft: &Stored<Shared>, by: Actor) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let files = match draft.made_by_contact() {
            Some(_) => store.share_and_files(draft.id).await?.map(|(_, files)| files).unwrap_or_default(),
            None => Vec::new(),
        };
        let gone = draft.record.clone().erase(now);
        let activity = Activity::new(ActivityKind::ShareErased, by, now).share(draft.id);
        let activity = draft.made_by_contact().into_iter().fold(activity, Activity::contact);
        let erase = Task::new(TaskKind::Erase { share: draft.id, step: EraseStep::Bytes }, now);
        let transaction = store.transaction().save(draft.rev, &gone).operators_row(Some(draft), &gone);
        let transaction = store.give_back(transaction, files.iter().map(ShareFile::counted)).await?;
        transaction.activity(&activity).create(&erase).commit().await?;
        Ok(no_content())
    }
}

//! What the staff change about a share afterwards, and taking it back.

use std::collections::BTreeSet;

use futures_util::try_join;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{Activity, ActivityKind, FileId, Message, Right, ShareEvent, ShareState, ShareWords, Title};
use gatehouse::http::{ApiRequest, ApiResponse, Problem, given, json, no_content};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Share;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    title: Option<Title>,
    #[serde(default, deserialize_with = "given")]
    message: Option<Option<Message>>,
    #[serde(default, deserialize_with = "given")]
    expires_at: Option<Option<Timestamp>>,
    allow_upload: Option<bool>,
    excluded_files: Option<BTreeSet<FileId>>,
}

#[derive(Serialize)]
struct Changed<'a> {
    id: gatehouse::domain::ShareId,
    title: &'a Title,
    message: Option<&'a Message>,
    expires_at: Option<Timestamp>,
    allow_upload: bool,
    excluded_files: &'a BTreeSet<FileId>,
    state: &'static str,
}

impl Share {
    pub(crate) async fn change(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let found = async {
            let id = request.id("id")?;
            Ok::<_, Problem>(try_join!(store.share_and_files(id), store.share_words(id))?)
        };
        let (staff, (found, words_were)) = self.gate.staff_and(request, Right::ManageShares, found).await?;
        let change: Change = request.json()?;
        let (share, files) = found.ok_or_else(Problem::not_found)?;
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
            state: changed.state.word(),
        };
        json(StatusCode::OK, &view)
    }

    /// Takes a share back: nobody but the staff sees it from this moment on.
    pub(crate) async fn revoke(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let share = async { Ok::<_, Problem>(store.share(request.id("id")?).await?) };
        let (staff, share) = self.gate.staff_and(request, Right::ManageShares, share).await?;
        let share = share.ok_or_else(Problem::not_found)?;
        if matches!(share.state, ShareState::Revoked { .. }) {
            return Ok(no_content());
        }
        let revoked = share.record.clone().revoke(now);
        let activity = Activity::new(ActivityKind::ShareRevoked, staff.actor(), now).share(share.id);
        let transaction = store.transaction().save(share.rev, &revoked).operators_row(Some(&share), &revoked);
        let mut transaction = transaction.activity(&activity);
        if share.state.sent_at().is_some() {
            transaction = self.tell(transaction, &revoked, ShareEvent::Removed, now).await?;
        }
        transaction.commit().await?;
        Ok(no_content())
    }
}

//! A new share: its title, its recipients, and the files that are to come.

use std::collections::BTreeSet;

use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity, ActivityKind, ContactId, FileId, FileState, Language, Message, NewFile, Recipient, Reference, Right,
    Share as Draft, ShareFile, ShareId, ShareState, Title,
};
use gatehouse::files::{LARGEST_PUT, Upload};
use gatehouse::http::{Answer, Call, Once, Operator, Problem, json};
use gatehouse::store::Transaction;
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Share;

/// One transaction writes the whole draft, and another sends it: each has room for a hundred writes.
const MOST_FILES_AT_ONCE: usize = 50;
const MOST_RECIPIENTS: usize = 45;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewShare {
    title: Title,
    reference: Option<Reference>,
    message: Option<Message>,
    language: Option<Language>,
    expires_at: Option<Timestamp>,
    #[serde(default)]
    allow_upload: bool,
    #[serde(default)]
    recipients: Vec<NewRecipient>,
    #[serde(default)]
    files: Vec<NewFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRecipient {
    contact_id: ContactId,
}

#[derive(Serialize)]
struct Created {
    id: ShareId,
    state: &'static str,
    files: Vec<AwaitedFile>,
}

/// A file whose bytes are awaited, and how to send them.
#[derive(Serialize)]
pub(crate) struct AwaitedFile {
    pub(crate) id: FileId,
    pub(crate) upload: Upload,
}

/// A file as it is announced. More than one request can carry is refused before any byte is sent.
pub(crate) fn announce(
    new: &NewFile,
    share_id: ShareId,
    by: &Operator,
    now: Timestamp,
    field: &str,
) -> Result<ShareFile, Problem> {
    if new.size > LARGEST_PUT {
        return Err(Problem::invalid_field(format!("{field}size"), format!("must be at most {LARGEST_PUT} bytes")));
    }
    Ok(ShareFile {
        id: FileId::new(now),
        share_id,
        name: new.name.clone(),
        size: new.size,
        content_type: new.content_type.clone(),
        sha256: new.sha256,
        version: 1,
        by: by.name.clone(),
        added_at: now,
        upload: FileState::Pending,
    })
}

impl Share {
    pub(crate) async fn create(&self, call: &Call, new: &NewShare) -> Result<Answer, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let staff = self.gate.staff(call, Right::ManageShares).await?;
        let once = match self.gate.once(call, staff.id).await? {
            Once::Again(answer) => return Ok(answer),
            Once::First(once) => once,
        };
        let share = Draft {
            id: ShareId::new(now),
            title: new.title.clone(),
            reference: new.reference.clone(),
            message: new.message.clone(),
            language: new.language.clone(),
            expires_at: new.expires_at,
            allow_upload: new.allow_upload,
            state: ShareState::Draft,
            by: staff.id,
            from: staff.name.clone(),
            file_count: 0,
            total_size: 0,
            created_at: now,
        };
        if share.expired(now) {
            return Err(Problem::invalid_field("expires_at", "must be in the future"));
        }
        let recipients = self.known_recipients(&new.recipients).await?;
        if new.files.len() > MOST_FILES_AT_ONCE {
            let most =
                format!("must be at most {MOST_FILES_AT_ONCE} at once; add more with POST /v1/shares/{{id}}/files");
            return Err(Problem::invalid_field("files", most));
        }
        let files = new.files.iter().enumerate();
        let files = files.map(|(n, file)| announce(file, share.id, &staff, now, &format!("files[{n}].")));
        let files = files.collect::<Result<Vec<_>, _>>()?;

        let mut awaited = Vec::with_capacity(files.len());
        for file in &files {
            awaited.push(AwaitedFile { id: file.id, upload: self.files.upload(file).await? });
        }
        let answer = json(StatusCode::CREATED, &Created { id: share.id, state: share.state.word(), files: awaited })?;
        let by = staff.actor();
        let activity = Activity::new(ActivityKind::ShareCreated, by, now).share(share.id);
        let mut transaction = store.transaction().create(&share).activity(&activity).remember(&once, &answer, now);
        transaction = files.iter().fold(transaction, Transaction::create);
        transaction = recipients.iter().fold(transaction, |transaction, to| transaction.recipient(share.id, to));
        transaction.commit().await?;
        Ok(answer)
    }

    /// Each once, and none that does not exist.
    async fn known_recipients(&self, wanted: &[NewRecipient]) -> Result<Vec<Recipient>, Problem> {
        let ids: BTreeSet<ContactId> = wanted.iter().map(|recipient| recipient.contact_id).collect();
        if ids.len() > MOST_RECIPIENTS {
            return Err(Problem::invalid_field("recipients", format!("must be at most {MOST_RECIPIENTS}")));
        }
        let known = self.gate.store.contacts(ids.iter().copied()).await?;
        let unknown = wanted.iter().position(|wanted| !known.iter().any(|known| known.id == wanted.contact_id));
        if let Some(n) = unknown {
            return Err(Problem::invalid_field(format!("recipients[{n}].contact_id"), "is not known"));
        }
        Ok(ids.into_iter().map(|contact_id| Recipient { contact_id }).collect())
    }
}

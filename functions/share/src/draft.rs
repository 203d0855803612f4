//! A new share: its title, its recipients, and the files that are to come.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity, ActivityKind, Actor, ActorId, Area, CompanyId, Contents, FileState, Language, Message, NewFile, PersonId,
    PersonName, Reference, Right, Share as Draft, ShareFile, ShareId, ShareState, ShareWords, Title,
};
use gatehouse::files::UrlBudget;
use gatehouse::http::{ApiRequest, ApiResponse, AwaitedFile, Effect, Problem, UploadRequest, json};
use gatehouse::store::Transaction;
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Share;
use crate::recipients::NewRecipient;

/// One transaction writes the whole draft, and has room for a hundred writes.
const MOST_FILES_AT_ONCE: usize = 50;

#[derive(Deserialize, schemars::JsonSchema)]
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

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "CreatedShare")]
pub(crate) struct Created {
    id: ShareId,
    #[schemars(extend("enum" = gatehouse::domain::ShareState::WORDS))]
    state: Cow<'static, str>,
    files: Vec<AwaitedFile>,
}

impl Created {
    /// As it is stored: an upload's URL ends before an idempotency key does.
    fn without_uploads(&self) -> Self {
        let files = self.files.iter().map(AwaitedFile::without_upload).collect();
        Self { id: self.id, state: self.state.clone(), files }
    }
}

/// Who makes a share: one of the staff for customers, or a customer for the staff.
pub(crate) struct Sender {
    pub(crate) id: ActorId,
    pub(crate) name: PersonName,
    /// A customer's company.
    pub(crate) company: Option<CompanyId>,
}

impl Sender {
    pub(crate) fn activity(&self, kind: ActivityKind, share: ShareId, now: Timestamp) -> Activity {
        let activity = Activity::new(kind, Actor { id: Some(self.id), name: Some(self.name.clone()) }, now);
        let activity = match self.id {
            ActorId::Person(PersonId::Contact(contact)) => activity.contact(contact),
            _ => activity,
        };
        activity.share(share)
    }
}

impl Share {
    pub(crate) async fn maker(&self, request: &ApiRequest) -> Result<Sender, Problem> {
        let Some(customer) = self.gate.customer(request).await? else {
            let staff = self.gate.staff(request, Right::ManageShares).await?;
            return Ok(Sender { id: staff.id, name: staff.name, company: None });
        };
        let contact = self.gate.store.contact(customer.contact).await?;
        let contact = customer.admit(contact)?.record;
        if !contact.areas.has(Area::Upload) {
            return Err(Problem::area_not_open("upload"));
        }
        let id = PersonId::from(contact.id).into();
        Ok(Sender { id, name: contact.name, company: Some(contact.company_id) })
    }

    pub(crate) async fn create(&self, maker: &Sender, new: &NewShare) -> Result<Effect<'_>, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let draft = Draft {
            id: ShareId::new(now),
            title: new.title.clone(),
            reference: new.reference.clone(),
            message: new.message.clone(),
            language: new.language.clone(),
            expires_at: new.expires_at,
            // Who sends something to the staff may send more of it.
            allow_upload: new.allow_upload || maker.company.is_some(),
            state: ShareState::Draft,
            by: maker.id,
            from: maker.name.clone(),
            from_company: maker.company,
            contents: Contents::default(),
            words_version: 0,
            words_left_out: false,
            excluded: BTreeSet::new(),
            excluded_folders: BTreeSet::new(),
            removed_companies: BTreeMap::new(),
            erasing: false,
            last_file_at: None,
            created_at: now,
        };
        if draft.expired(now) {
            return Err(Problem::invalid_field("expires_at", "must be in the future"));
        }
        if maker.company.is_some() && !new.recipients.is_empty() {
            return Err(Problem::invalid_field("recipients", "are the staff: leave them out"));
        }
        let recipients = self.known_recipients(draft.id, &new.recipients, true, now).await?;
        if new.files.len() > MOST_FILES_AT_ONCE {
            let most =
                format!("must be at most {MOST_FILES_AT_ONCE} at once; add more with POST /v1/shares/{{id}}/files");
            return Err(Problem::invalid_field("files", most));
        }
        let sizes = new.files.iter().map(|file| file.size);
        let quota = self.gate.quota(maker.company, sizes, "files", |n| format!("files[{n}].size")).await?;
        let announcing = UploadRequest { share: draft.id, by: maker.id, name: &maker.name, of: maker.company, now };
        let mut files: Vec<ShareFile> = Vec::with_capacity(new.files.len());
        for (n, file) in new.files.iter().enumerate() {
            files.push(announcing.file(&self.files, file, &files, &format!("files[{n}].")).await?);
        }
        let share = draft.with_contents(&files);
        let words = ShareWords::new(&share, &files);
        let share = share.with_words(&words);

        let (mut awaited, mut room) = (Vec::with_capacity(files.len()), UrlBudget::default());
        for file in &files {
            let upload = Some(self.files.first_upload(file, &mut room).await?);
            awaited.push(AwaitedFile { id: file.id, name: file.name.clone(), upload });
        }
        let created = Created { id: share.id, state: share.state.word().into(), files: awaited };
        let activity = maker.activity(ActivityKind::ShareCreated, share.id, now);
        let mut transaction = store.transaction().create(&share).operators_row(None, &share).recipients(&recipients);
        transaction = transaction.share_words(None, &words);
        transaction = files.iter().fold(transaction, Transaction::create);
        transaction = quota.iter().fold(transaction, Transaction::count_bytes);
        let effect = Effect::new(transaction.activity(&activity), json(StatusCode::CREATED, &created)?);
        effect.storing(&created.without_uploads())
    }

    /// A stored answer with uploads made anew: those of the first one may have ended.
    pub(crate) async fn with_uploads(&self, stored: ApiResponse) -> Result<ApiResponse, Problem> {
        let mut created: Created = serde_json::from_slice(stored.body()).map_err(Problem::internal)?;
        let found = self.gate.store.share_and_files(created.id).await?;
        let found = found.filter(|(share, _)| !matches!(share.state, ShareState::Revoked { .. }));
        let (_, files) = found.unzip();
        let mut room = UrlBudget::default();
        for awaited in &mut created.files {
            let file = files.iter().flatten().find(|file| file.id == awaited.id);
            if let Some(file) = file.filter(|file| file.upload == FileState::Pending) {
                awaited.upload = Some(self.files.first_upload(file, &mut room).await?);
            }
        }
        json(stored.status(), &created)
    }
}

//! The record of who did what, when.

use std::borrow::Cow;
use std::fmt;

use crate::clock::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    ActivityId, ActorId, CompanyId, Contact, ContactId, FileId, JobId, JobLine, PersonId, PersonName, ShareId, Staff,
};

/// Of one of the staff who views as a contact, one look in this time is told.
const VIEW: SignedDuration = SignedDuration::from_mins(10);

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// A company was entered.
    CompanyCreated,
    /// A company was changed.
    CompanyChanged,
    /// A company was merged into another.
    CompanyMerged,
    /// A contact was entered.
    ContactCreated,
    /// A contact was changed.
    ContactChanged,
    /// One of the staff was entered.
    StaffCreated,
    /// An invitation was sent, or sent again.
    Invited,
    /// An invitation was taken back.
    InvitationWithdrawn,
    /// An account was activated.
    Activated,
    /// Somebody signed in.
    SignedIn,
    /// Somebody signed out here.
    SignedOut,
    /// Access was opened again.
    AccessOpened,
    /// Access was closed.
    AccessClosed,
    /// A password was changed, or set anew by mail.
    PasswordChanged,
    /// A password was asked for anew by mail, and there was somebody to mail it to.
    ResetRequested,
    /// An attempt to sign in has failed, not for the first time in a row: see `count`.
    SignInFailed,
    /// An attempt to sign in had to wait: told once an hour for each account.
    SignInBlocked,
    /// All sessions of somebody were ended.
    SessionsEnded,
    /// A request for access came.
    RegistrationReceived,
    /// A request for access was granted.
    RegistrationMapped,
    /// A request for access was declined.
    RegistrationDeclined,
    /// A person's roles or duty were changed.
    StaffChanged,
    /// A person of the staff was taken out.
    StaffRemoved,
    /// An integration got a key.
    KeyCreated,
    /// A key was revoked.
    KeyRevoked,
    /// A key was used that has ended, or for what its scopes do not include: told once an hour for each key.
    KeyRefused,
    /// A share was drafted.
    ShareCreated,
    /// A share was sent to its recipients.
    ShareSent,
    /// A file was uploaded.
    FileUploaded,
    /// A file of a draft got another name or folder.
    FileRenamed,
    /// A file was taken out again, before anybody had it.
    FileWithdrawn,
    /// A scan found something in a file: nobody gets it any more.
    FileWithheld,
    /// A share was changed.
    ShareChanged,
    /// A share got a recipient.
    RecipientAdded,
    /// A share lost a recipient.
    RecipientRemoved,
    /// One of the staff was given a recipient's link to pass on; those of that recipient before it ended.
    LinkMade,
    /// A share was taken back.
    ShareRevoked,
    /// A share was removed for good, with its files.
    ShareErased,
    /// A share was opened by the link in its mail.
    LinkOpened,
    /// A file was looked at, and not downloaded: once for each person, file and hour.
    FileViewed,
    /// One of the staff saw the portal as a contact sees it: told once in ten minutes.
    ViewedAs,
    /// The download of files was begun.
    FilesDownloaded,
    /// Notification mails were turned off by the link in one.
    Unsubscribed,
    /// The settings were changed.
    SettingsChanged,
    /// A site, an asset or a job was deleted, with its history.
    RecordDeleted,
    /// A customer reported a problem.
    ProblemReported,
    /// Somebody wrote on a job.
    JobCommented,
    /// A file was added to a job.
    JobFileAdded,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The person or key; nobody, where Gatehouse acted by itself.
    pub id: Option<ActorId>,
    /// Its name at that time.
    pub name: Option<PersonName>,
}

impl Actor {
    /// A person or an integration.
    #[must_use]
    pub fn new(id: impl Into<ActorId>, name: &PersonName) -> Self {
        Self { id: Some(id.into()), name: Some(name.clone()) }
    }

    /// Gatehouse itself.
    #[must_use]
    pub fn system() -> Self {
        Self { id: None, name: None }
    }
}

/// One record of who did what to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Its id.
    pub id: ActivityId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: ActivityKind,
    /// Who.
    pub actor: Actor,
    /// The company that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<CompanyId>,
    /// The contact that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<ContactId>,
    /// The share that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_id: Option<ShareId>,
    /// The job that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// The files that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileId>,
    /// Whether it was done by the link in a mail: whoever had that mail may be another than the person it was sent to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_link: bool,
    /// Whether somebody of the staff said that a changed address is the same person's, whose password went on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_person: bool,
    /// Which of the staff, or which key, it was done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<ActorId>,
    /// What has changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<FieldChange>,
    /// How often it has happened in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// A field that has another value now. Values are told of rights and switches alone, never of what somebody typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FieldChange {
    /// Its name in the API.
    pub field: Cow<'static, str>,
    /// Its value before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Its value now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl FieldChange {
    /// A field whose values are not told.
    #[must_use]
    pub fn of(field: &'static str) -> Self {
        Self { field: field.into(), before: None, after: None }
    }

    /// A field whose values are told, if they differ.
    pub fn between(field: &'static str, before: String, after: String) -> Option<Self> {
        let told = |value: String| Some(value).filter(|value| !value.is_empty());
        (before != after).then(|| Self { field: field.into(), before: told(before), after: told(after) })
    }
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.field)?;
        match (&self.before, &self.after) {
            (None, None) => Ok(()),
            (before, after) => {
                let told = |value: &Option<String>| value.clone().unwrap_or_default();
                write!(f, ": {} > {}", told(before), told(after))
            }
        }
    }
}

impl Activity {
    /// A record of something done now; what it is about is added by the methods below.
    #[must_use]
    pub fn new(kind: ActivityKind, actor: Actor, now: Timestamp) -> Self {
        let id = ActivityId::new(now);
        Self {
            id,
            at: now,
            kind,
            actor,
            company_id: None,
            contact_id: None,
            share_id: None,
            job_id: None,
            files: Vec::new(),
            by_link: false,
            same_person: false,
            target_id: None,
            changed: Vec::new(),
            count: None,
        }
    }

    /// One of the staff sees what a contact sees. Whoever looks asks for many things at once: in each ten minutes the first
    /// of the same two people is told, for all have the same id.
    #[must_use]
    pub fn viewed_as(staff: &Staff, contact: &Contact, now: Timestamp) -> Self {
        let who = format!("{} {}", staff.id, contact.id);
        let id = ActivityId::once_in(VIEW, now, &who);
        let viewed = Self { id, ..Self::new(ActivityKind::ViewedAs, Actor::new(staff.id, &staff.name), now) };
        viewed.contact(contact.id).company(contact.company_id)
    }

    /// About a person: a contact's activity can be asked for by contact.
    #[must_use]
    pub fn person(self, id: PersonId) -> Self {
        match id {
            PersonId::Contact(contact) => self.contact(contact),
            PersonId::Staff(staff) => self.target(staff),
        }
    }

    /// Done to one of the staff or to a key.
    #[must_use]
    pub fn target(mut self, id: impl Into<ActorId>) -> Self {
        self.target_id = Some(id.into());
        self
    }

    /// What has changed by it.
    #[must_use]
    pub fn changed(mut self, fields: impl IntoIterator<Item = FieldChange>) -> Self {
        self.changed.extend(fields);
        self
    }

    /// The how many-th time in a row it was.
    #[must_use]
    pub fn count(mut self, times: u32) -> Self {
        self.count = Some(times);
        self
    }

    /// About a company.
    #[must_use]
    pub fn company(mut self, id: CompanyId) -> Self {
        self.company_id = Some(id);
        self
    }

    /// About a contact.
    #[must_use]
    pub fn contact(mut self, id: ContactId) -> Self {
        self.contact_id = Some(id);
        self
    }

    /// About a share.
    #[must_use]
    pub fn share(mut self, id: ShareId) -> Self {
        self.share_id = Some(id);
        self
    }

    /// About a job of a company.
    #[must_use]
    pub fn job(mut self, job: &JobLine) -> Self {
        self.job_id = Some(job.id);
        self.company(job.company_id)
    }

    /// Done by the link in a mail.
    #[must_use]
    pub fn by_link(mut self) -> Self {
        self.by_link = true;
        self
    }

    /// About files of that share or job.
    #[must_use]
    pub fn files(mut self, ids: impl IntoIterator<Item = FileId>) -> Self {
        self.files.extend(ids);
        self
    }
}

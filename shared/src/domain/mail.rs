//! What is mailed: kinds and facts. The words are in the templates beside `mails`.

use std::fmt;

use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    BundleTopic, CompanyId, CompanyName, ContactId, Contents, Email, FileName, InvitationId, JobId, JobStatus, Label,
    Language, MailId, Message, PersonId, PersonName, RecipientId, RegistrationId, Share, ShareId, StaffId, Title,
    Urgency,
};

/// One kind of mail, with the facts that its text needs and no secret: a link's token is made when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mail {
    /// "Activate your account", to a contact.
    ContactInvitation {
        /// Who is invited.
        person: PersonId,
        /// By which invitation.
        invitation: InvitationId,
        /// When its link stops working.
        expires_at: Timestamp,
        /// The contact's company, unless it is called what a stranger typed.
        company: Option<CompanyName>,
        /// What the inviting person wrote.
        message: Option<Message>,
    },
    /// "Activate your account", to one of the staff.
    StaffInvitation {
        /// Who is invited.
        person: PersonId,
        /// By which invitation.
        invitation: InvitationId,
        /// When its link stops working.
        expires_at: Timestamp,
    },
    /// "Open report": something was shared with a contact or an address.
    ShareSent {
        /// The share.
        share: ShareId,
        /// As which of its recipients.
        recipient: RecipientId,
        /// Its title.
        title: Title,
        /// Who shares it.
        from: PersonName,
        /// What that person wrote.
        message: Option<Message>,
        /// How many files it has.
        file_count: u64,
        /// Their size in bytes.
        total_size: u64,
        /// In how many folders they lie.
        #[serde(default)]
        folder_count: u64,
        /// When it can no longer be opened.
        expires_at: Option<Timestamp>,
    },
    /// New files in a share that its recipient knows.
    FilesAdded {
        /// The share.
        share: ShareId,
        /// As which of its recipients.
        recipient: RecipientId,
        /// Its title.
        title: Title,
        /// Who added it.
        from: PersonName,
        /// The file.
        file: FileName,
        /// When the share can no longer be opened.
        expires_at: Option<Timestamp>,
    },
    /// To the staff: a customer has put a file into a share.
    FilesReturned {
        /// The share.
        share: ShareId,
        /// Its title.
        title: Title,
        /// Who returned it.
        from: PersonName,
        /// The same, by id.
        contact: ContactId,
        /// That person's company.
        company: CompanyName,
        /// The same, by id.
        company_id: CompanyId,
        /// The file.
        file: FileName,
    },
    /// To the staff: a scan has found something in a file.
    FileWithheld {
        /// The share or job that it is in; none, while it waits for a report.
        about: Option<DigestSubject>,
        /// How that is called.
        title: Option<Title>,
        /// The file.
        file: FileName,
        /// Who put it there.
        from: PersonName,
        /// That person's company, if it is a customer.
        company: Option<CompanyName>,
        /// The same, by id.
        company_id: Option<CompanyId>,
    },
    /// To who has put it there: a scan has found something in a file.
    OwnFileWithheld {
        /// The share or job that it is in; none, while it waits for a report.
        about: Option<DigestSubject>,
        /// How that is called.
        title: Option<Title>,
        /// The file.
        file: FileName,
    },
    /// To the staff: a customer has sent a share of its own.
    ShareReceived {
        /// The share.
        share: ShareId,
        /// Its title.
        title: Title,
        /// Who sent it.
        from: PersonName,
        /// The same, by id.
        contact: ContactId,
        /// That person's company.
        company: CompanyName,
        /// The same, by id.
        company_id: CompanyId,
        /// What that person wrote.
        message: Option<Message>,
        /// How many files it has.
        file_count: u64,
        /// Their size in bytes.
        total_size: u64,
        /// In how many folders they lie.
        #[serde(default)]
        folder_count: u64,
    },
    /// What has come since the last of these, to a contact that wants one mail a day.
    Digest {
        /// What has come.
        news: Vec<DigestEntry>,
    },
    /// "You already have an account", to somebody who asked for one.
    AlreadyRegistered,
    /// To the mappers on duty, or the admins: somebody asks for access. Who that is, is found when it is sent.
    RegistrationReceived {
        /// Which request.
        registration: RegistrationId,
        /// Who asks.
        name: PersonName,
        /// For which company, as that person calls it.
        company: CompanyName,
        /// What that person wrote.
        message: Option<Message>,
        /// How many requests wait; counted when the mail is sent.
        #[serde(default)]
        waiting: u64,
    },
    /// To one of the staff: what else a customer has sent since the last mail about it.
    CustomerNews {
        /// The customer.
        company: CompanyName,
        /// What it was, oldest first.
        news: Vec<StaffNews>,
        /// How much more than is listed.
        more: u64,
    },
    /// To one of those who decide on requests for access: those that came since the last mail about them.
    RegistrationsWaiting {
        /// Who asked.
        news: Vec<StaffNews>,
        /// How much more than is listed.
        more: u64,
        /// How many requests wait; counted when the mail is sent.
        waiting: u64,
    },
    /// The request was granted: how to sign in.
    RegistrationAccepted {
        /// Who is invited.
        person: PersonId,
        /// By which invitation.
        invitation: InvitationId,
        /// When its link stops working.
        expires_at: Timestamp,
        /// The company that the person now belongs to.
        company: CompanyName,
    },
    /// The request was not granted.
    RegistrationDeclined {
        /// Why.
        message: Option<Message>,
    },
    /// Access that was closed is open again.
    AccessOpened,
    /// Access is closed.
    AccessClosed,
    /// A new password, asked for by whoever knows the address. Whether there is an account is found when it is sent.
    PasswordReset,
    /// The password was changed.
    PasswordChanged,
    /// To the address that an account had: it has another one now.
    AddressRemoved,
    /// To the address that an account has now: it goes on with its password.
    AddressAdded,
    /// To the address that an account has now: a password is to be set, by the link.
    AddressAwaitsPassword {
        /// Whose account.
        person: PersonId,
        /// The epoch for which the link works: a newer password ends it.
        epoch: u32,
        /// When the link stops working.
        expires_at: Timestamp,
    },
    /// Somebody tries passwords. Whether there is an account is found when it is sent.
    SignInsFailed,
    /// To the staff: a customer has reported a problem.
    ProblemReported {
        /// The job that it is.
        job: JobId,
        /// What is wrong, in short.
        title: Title,
        /// Who reports it.
        from: PersonName,
        /// The same, by id.
        contact: ContactId,
        /// That person's company.
        company: CompanyName,
        /// The same, by id.
        company_id: CompanyId,
        /// With what, or where.
        about: Title,
        /// How soon it is needed.
        urgency: Urgency,
        /// What is wrong.
        message: Option<Message>,
    },
    /// To who has reported a problem: it was received.
    ProblemReceived {
        /// The job that it is.
        job: JobId,
        /// What is wrong, in short.
        title: Title,
    },
    /// To the customer's people who follow a job: where it stands now, or what the operator wrote.
    JobNews {
        /// Which job.
        job: JobId,
        /// How it is called.
        title: Title,
        /// How far it has come, if that is new.
        status: Option<JobStatus>,
        /// The operator's own word for it.
        status_label: Option<Label>,
        /// What was written.
        message: Option<Message>,
    },
    /// To the staff: a customer wrote on a job.
    JobCommented {
        /// Which job.
        job: JobId,
        /// How it is called.
        title: Title,
        /// Who wrote.
        from: PersonName,
        /// The same, by id.
        contact: ContactId,
        /// That person's company.
        company: CompanyName,
        /// The same, by id.
        company_id: CompanyId,
        /// What was written.
        message: Option<Message>,
    },
    /// To the staff: a customer has added a file to a job.
    JobFileAdded {
        /// Which job.
        job: JobId,
        /// How it is called.
        title: Title,
        /// Who added it.
        from: PersonName,
        /// The same, by id.
        contact: ContactId,
        /// That person's company.
        company: CompanyName,
        /// The same, by id.
        company_id: CompanyId,
        /// The file.
        file: FileName,
    },
}

impl Mail {
    /// That a share is there.
    #[must_use]
    pub fn share_sent(share: &Share, recipient: RecipientId) -> Self {
        let Contents { file_count, total_size, folder_count, .. } = share.contents;
        Self::ShareSent {
            share: share.id,
            recipient,
            title: share.title.clone(),
            from: share.from.clone(),
            message: share.message.clone(),
            file_count,
            total_size,
            folder_count,
            expires_at: share.expires_at,
        }
    }

    /// The name of this kind: of its template and in the activity.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ContactInvitation { .. } => "contact_invitation",
            Self::StaffInvitation { .. } => "staff_invitation",
            Self::ShareSent { .. } => "share_sent",
            Self::FilesAdded { .. } => "files_added",
            Self::FilesReturned { .. } => "files_returned",
            Self::FileWithheld { .. } => "file_withheld",
            Self::OwnFileWithheld { .. } => "own_file_withheld",
            Self::ShareReceived { .. } => "share_received",
            Self::Digest { .. } => "digest",
            Self::AlreadyRegistered => "already_registered",
            Self::RegistrationReceived { .. } => "registration_received",
            Self::CustomerNews { .. } => "customer_news",
            Self::RegistrationsWaiting { .. } => "registrations_waiting",
            Self::RegistrationAccepted { .. } => "registration_accepted",
            Self::RegistrationDeclined { .. } => "registration_declined",
            Self::AccessOpened => "access_opened",
            Self::AccessClosed => "access_closed",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::AddressRemoved => "address_removed",
            Self::AddressAdded => "address_added",
            Self::AddressAwaitsPassword { .. } => "address_awaits_password",
            Self::SignInsFailed => "sign_ins_failed",
            Self::ProblemReported { .. } => "problem_reported",
            Self::ProblemReceived { .. } => "problem_received",
            Self::JobNews { .. } => "job_news",
            Self::JobCommented { .. } => "job_commented",
            Self::JobFileAdded { .. } => "job_file_added",
        }
    }

    /// Whether it goes to the address that its person has by now, if that is no longer the one that it was written to.
    /// What was said to the old address about itself (its username, its invitation) is not said at all.
    #[must_use]
    pub fn follows_its_person(&self) -> bool {
        match self {
            Self::ShareSent { .. }
            | Self::FilesAdded { .. }
            | Self::Digest { .. }
            | Self::FilesReturned { .. }
            | Self::FileWithheld { .. }
            | Self::OwnFileWithheld { .. }
            | Self::ShareReceived { .. }
            | Self::CustomerNews { .. }
            | Self::RegistrationReceived { .. }
            | Self::RegistrationsWaiting { .. }
            | Self::ProblemReported { .. }
            | Self::ProblemReceived { .. }
            | Self::JobNews { .. }
            | Self::JobCommented { .. }
            | Self::JobFileAdded { .. } => true,
            Self::ContactInvitation { .. }
            | Self::StaffInvitation { .. }
            | Self::RegistrationAccepted { .. }
            | Self::RegistrationDeclined { .. }
            | Self::AlreadyRegistered
            | Self::AccessOpened
            | Self::AccessClosed
            | Self::PasswordReset
            | Self::PasswordChanged
            | Self::AddressRemoved
            | Self::AddressAdded
            | Self::AddressAwaitsPassword { .. }
            | Self::SignInsFailed => false,
        }
    }

    /// What of it a mail about several such things tells, and about what such mails are bundled; nothing for mails that
    /// stand for themselves.
    #[must_use]
    pub fn bundled(&self) -> Option<(BundleTopic, StaffNews)> {
        match self.clone() {
            Self::FilesReturned { share, title, from, file, company_id, .. } => {
                Some((BundleTopic::Customer(company_id), StaffNews::FileReturned { share, title, from, file }))
            }
            Self::FileWithheld { title, from, file, company_id: Some(company_id), .. } => {
                Some((BundleTopic::Withheld(company_id), StaffNews::FileWithheld { title, from, file }))
            }
            Self::ShareReceived { share, title, from, company_id, file_count, .. } => {
                Some((BundleTopic::Customer(company_id), StaffNews::ShareReceived { share, title, from, file_count }))
            }
            Self::RegistrationReceived { registration, name, company, .. } => {
                Some((BundleTopic::Registrations, StaffNews::AccessRequested { registration, name, company }))
            }
            // What is urgent waits for nothing.
            Self::ProblemReported { urgency: Urgency::Urgent, .. } => None,
            Self::ProblemReported { job, title, from, company_id, .. } => {
                Some((BundleTopic::Customer(company_id), StaffNews::ProblemReported { job, title, from }))
            }
            Self::JobCommented { job, title, from, company_id, .. } => {
                Some((BundleTopic::Customer(company_id), StaffNews::JobCommented { job, title, from }))
            }
            Self::JobFileAdded { job, title, from, company_id, file, .. } => {
                Some((BundleTopic::Customer(company_id), StaffNews::JobFileAdded { job, title, from, file }))
            }
            _ => None,
        }
    }

    /// The mail to one of the staff that will tell what else comes about the same.
    #[must_use]
    pub fn sequel(&self) -> Option<Self> {
        match self {
            Self::FileWithheld { company: Some(company), .. }
            | Self::FilesReturned { company, .. }
            | Self::ShareReceived { company, .. }
            | Self::ProblemReported { company, .. }
            | Self::JobCommented { company, .. }
            | Self::JobFileAdded { company, .. } => {
                Some(Self::CustomerNews { company: company.clone(), news: Vec::new(), more: 0 })
            }
            Self::RegistrationReceived { .. } => {
                Some(Self::RegistrationsWaiting { news: Vec::new(), more: 0, waiting: 0 })
            }
            _ => None,
        }
    }

    /// The same with how many requests for access wait, if it says that.
    #[must_use]
    pub fn with_waiting(mut self, now: u64) -> Self {
        if let Self::RegistrationReceived { waiting, .. } | Self::RegistrationsWaiting { waiting, .. } = &mut self {
            *waiting = now;
        }
        self
    }

    /// The same with what it tells of, if it tells of several things.
    #[must_use]
    pub fn with_news(mut self, all: Vec<StaffNews>, further: u64) -> Self {
        if let Self::CustomerNews { news, more, .. } | Self::RegistrationsWaiting { news, more, .. } = &mut self {
            (*news, *more) = (all, further);
        }
        self
    }

    /// Whether it tells of something that is in the portal all the same: whoever gets it may turn such mails off.
    #[must_use]
    pub fn can_be_turned_off(&self) -> bool {
        matches!(
            self,
            Self::ShareSent { .. }
                | Self::FilesAdded { .. }
                | Self::Digest { .. }
                | Self::ProblemReceived { .. }
                | Self::JobNews { .. }
        )
    }
}

/// What a line of a daily mail is about; its id tells which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DigestSubject {
    /// A share that has come.
    Share(ShareId),
    /// A job that has moved on.
    Job(JobId),
}

impl fmt::Display for DigestSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(id) => id.fmt(f),
            Self::Job(id) => id.fmt(f),
        }
    }
}

/// A line of a daily mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestEntry {
    /// The share, or the job.
    pub about: DigestSubject,
    /// Its title.
    pub title: Title,
    /// Who sent it, if it is a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PersonName>,
}

/// A line of a mail that tells one of the staff of several things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum StaffNews {
    /// A customer has put a file into a share.
    FileReturned {
        /// The share.
        share: ShareId,
        /// Its title.
        title: Title,
        /// Who returned it.
        from: PersonName,
        /// The file.
        file: FileName,
    },
    /// A scan has found something in a file of a customer.
    FileWithheld {
        /// How what it is in is called, if it is in anything yet.
        title: Option<Title>,
        /// Who put it there.
        from: PersonName,
        /// The file.
        file: FileName,
    },
    /// A customer has sent a share of its own.
    ShareReceived {
        /// The share.
        share: ShareId,
        /// Its title.
        title: Title,
        /// Who sent it.
        from: PersonName,
        /// How many files it has.
        file_count: u64,
    },
    /// Somebody asks for access.
    AccessRequested {
        /// Which request.
        registration: RegistrationId,
        /// Who asks.
        name: PersonName,
        /// For which company, as that person calls it.
        company: CompanyName,
    },
    /// A customer has reported a problem.
    ProblemReported {
        /// The job that it is.
        job: JobId,
        /// What is wrong, in short.
        title: Title,
        /// Who reports it.
        from: PersonName,
    },
    /// A customer wrote on a job.
    JobCommented {
        /// Which job.
        job: JobId,
        /// How it is called.
        title: Title,
        /// Who wrote.
        from: PersonName,
    },
    /// A customer has added a file to a job.
    JobFileAdded {
        /// Which job.
        job: JobId,
        /// How it is called.
        title: Title,
        /// Who added it.
        from: PersonName,
        /// The file.
        file: FileName,
    },
}

/// Where a mail goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Addressee {
    /// To an address.
    Email(Email),
    /// To a person, at the address and in the language that it has by then.
    Person {
        /// To whom.
        to_person: PersonId,
    },
    /// To those who decide on requests for access: the mappers on duty, or the admins if there are none.
    Mappers {
        /// Always `true`; keeps it apart from an address.
        mappers: bool,
    },
    /// To one of the staff, with what has gathered for it until then.
    Gathered {
        /// To whom.
        gathered_for: StaffId,
        /// About what.
        topic: BundleTopic,
    },
    /// To the customer's people who follow a job, each as it wishes.
    Followers {
        /// Which job.
        followers_of: JobId,
    },
    /// To the one of the staff whose share it is; to the members on duty, or the admins, where there is none.
    Owner {
        /// Who, if it is known.
        owner: Option<StaffId>,
    },
}

impl Addressee {
    /// Those who decide on requests for access.
    pub const MAPPERS: Self = Self::Mappers { mappers: true };
}

impl From<Email> for Addressee {
    fn from(email: Email) -> Self {
        Self::Email(email)
    }
}

/// A mail in the outbox: written in one transaction with what it tells of, gone once SES has taken it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxMail {
    /// Its id.
    pub id: MailId,
    /// Where it goes.
    pub to: Addressee,
    /// Whose address that is, if it is a person's known here.
    pub person: Option<PersonId>,
    /// In which language.
    pub language: Language,
    /// What it says.
    pub mail: Mail,
    /// When it was written.
    pub created_at: Timestamp,
    /// Before then it is not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

impl OutboxMail {
    /// A mail to be sent.
    #[must_use]
    pub fn new(
        to: impl Into<Addressee>,
        person: Option<PersonId>,
        language: Language,
        mail: Mail,
        now: Timestamp,
    ) -> Self {
        Self { id: MailId::new(now), to: to.into(), person, language, mail, created_at: now, not_before: None }
    }
}

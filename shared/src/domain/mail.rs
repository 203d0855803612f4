//! What is mailed: kinds and facts. The words are in the templates of `deliver-mail`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    CompanyName, Email, FileName, InvitationId, Language, MailId, Message, PersonId, PersonName, RecipientId,
    RegistrationId, ShareId, StaffId, Title,
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
        /// The name to greet.
        name: PersonName,
        /// The contact's company.
        company: CompanyName,
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
        /// The name to greet.
        name: PersonName,
    },
    /// "Open report": something was shared with a contact or an address.
    ShareSent {
        /// The share.
        share: ShareId,
        /// As which of its recipients.
        recipient: RecipientId,
        /// Its title.
        title: Title,
        /// The name to greet, if it is known.
        name: Option<PersonName>,
        /// Who shares it.
        from: PersonName,
        /// What that person wrote.
        message: Option<Message>,
        /// How many files it has.
        file_count: u64,
        /// Their size in bytes.
        total_size: u64,
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
        /// The name to greet, if it is known.
        name: Option<PersonName>,
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
        /// That person's company.
        company: CompanyName,
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
        /// That person's company.
        company: CompanyName,
        /// What that person wrote.
        message: Option<Message>,
        /// How many files it has.
        file_count: u64,
        /// Their size in bytes.
        total_size: u64,
    },
    /// What has come since the last of these, to a contact that wants one mail a day.
    Digest {
        /// The name to greet.
        name: PersonName,
        /// What has come.
        shares: Vec<DigestEntry>,
    },
    /// "You already have an account", to somebody who asked for one.
    AlreadyRegistered {
        /// The name to greet.
        name: PersonName,
    },
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
    },
    /// The request was granted: how to sign in.
    RegistrationAccepted {
        /// Who is invited.
        person: PersonId,
        /// By which invitation.
        invitation: InvitationId,
        /// When its link stops working.
        expires_at: Timestamp,
        /// The name to greet.
        name: PersonName,
        /// The company that the person now belongs to.
        company: CompanyName,
    },
    /// The request was not granted.
    RegistrationDeclined {
        /// The name to greet.
        name: PersonName,
        /// Why.
        message: Option<Message>,
    },
    /// Access that was closed is open again.
    AccessOpened {
        /// The name to greet.
        name: PersonName,
    },
    /// Access is closed.
    AccessClosed {
        /// The name to greet.
        name: PersonName,
    },
    /// A new password, asked for by whoever knows the address. Whether there is an account is found when it is sent.
    PasswordReset,
    /// The password was changed.
    PasswordChanged {
        /// The name to greet.
        name: PersonName,
    },
    /// Somebody tries passwords. Whether there is an account is found when it is sent.
    SignInsFailed,
}

impl Mail {
    /// The name of this kind: of its template and in the activity.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ContactInvitation { .. } => "contact_invitation",
            Self::StaffInvitation { .. } => "staff_invitation",
            Self::ShareSent { .. } => "share_sent",
            Self::FilesAdded { .. } => "files_added",
            Self::FilesReturned { .. } => "files_returned",
            Self::ShareReceived { .. } => "share_received",
            Self::Digest { .. } => "digest",
            Self::AlreadyRegistered { .. } => "already_registered",
            Self::RegistrationReceived { .. } => "registration_received",
            Self::RegistrationAccepted { .. } => "registration_accepted",
            Self::RegistrationDeclined { .. } => "registration_declined",
            Self::AccessOpened { .. } => "access_opened",
            Self::AccessClosed { .. } => "access_closed",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged { .. } => "password_changed",
            Self::SignInsFailed => "sign_ins_failed",
        }
    }

    /// Whether it tells of something that is in the portal all the same: whoever gets it may turn such mails off.
    #[must_use]
    pub fn can_be_turned_off(&self) -> bool {
        matches!(self, Self::ShareSent { .. } | Self::FilesAdded { .. } | Self::Digest { .. })
    }
}

/// A line of a daily mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestEntry {
    /// The share.
    pub share: ShareId,
    /// Its title.
    pub title: Title,
    /// Who sent it.
    pub from: PersonName,
}

/// Where a mail goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Addressee {
    /// To an address.
    Email(Email),
    /// To those who decide on requests for access: the mappers on duty, or the admins if there are none.
    Mappers {
        /// Always `true`; keeps it apart from an address.
        mappers: bool,
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
        Self { id: MailId::new(now), to: to.into(), person, language, mail, created_at: now }
    }
}

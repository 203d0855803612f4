//! What is mailed: kinds and facts. The words are in the templates of `deliver-mail`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    CompanyName, Email, InvitationId, Language, MailId, Message, PersonId, PersonName, RegistrationId, ShareId, Title,
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
    /// "Open report": something was shared with a contact.
    ShareSent {
        /// The share.
        share: ShareId,
        /// Its title.
        title: Title,
        /// The name to greet.
        name: PersonName,
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

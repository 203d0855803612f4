//! What is mailed: kinds and facts. The words are in the templates of `deliver-mail`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CompanyName, Email, InvitationId, Language, MailId, Message, PersonId, PersonName, ShareId, Title};

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
}

impl Mail {
    /// The name of this kind: of its template and in the activity.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ContactInvitation { .. } => "contact_invitation",
            Self::StaffInvitation { .. } => "staff_invitation",
            Self::ShareSent { .. } => "share_sent",
        }
    }
}

/// A mail in the outbox: written in one transaction with what it tells of, gone once SES has taken it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxMail {
    /// Its id.
    pub id: MailId,
    /// Where it goes.
    pub to: Email,
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
    pub fn new(to: Email, person: Option<PersonId>, language: Language, mail: Mail, now: Timestamp) -> Self {
        Self { id: MailId::new(now), to, person, language, mail, created_at: now }
    }
}

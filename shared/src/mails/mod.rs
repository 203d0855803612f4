//! What a mail looks like: its words in its reader's language, in the operator's face. Whom it goes to, and that it is
//! sent, is `deliver-mail`'s.

mod language;
mod operator;
mod render;

use crate::domain::{Email, Language, PersonName, Token};

pub use operator::{Operator, OperatorDefaults};
pub use render::{LOGO, Logo, MailTemplates, RenderError, RenderedMail, mailbox};

/// Who reads a mail, and what of it is for that reader alone.
#[derive(Debug)]
pub struct Recipient {
    /// Where it goes.
    pub to: Email,
    /// In which language it is.
    pub language: Language,
    /// The name to greet.
    pub name: Option<PersonName>,
    /// Whether it is a customer, and none of the staff.
    pub is_customer: bool,
    /// Who answers, where the operator has named nobody for that.
    pub reply_to: Option<Email>,
    /// The token of the button's link.
    pub token: Option<Token>,
    /// The sealed token that turns such mails off.
    pub turn_off: Option<String>,
}

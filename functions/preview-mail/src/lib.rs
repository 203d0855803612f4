//! The mail that tells of a share, to look at before it goes: the very words, in the very face.
//!
//! It is written by what writes the mails that are sent. Nothing in it opens anything: there is no token, and it leads to
//! the portal's first page.

mod contract;

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::domain::{Contact, ContactId, Language, Mail, OutboxMail, RecipientId, Right, Share, Staff};
use gatehouse::event::StartError;
use gatehouse::http::{ApiRequest, ApiResponse, Function, Gate, Problem, json};
use gatehouse::mails::{Logo, MailTemplates, OperatorDefaults, Recipient};
use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};

pub use contract::contract;

/// The function.
pub struct PreviewMail {
    gate: Gate,
    templates: MailTemplates,
    deployed: OperatorDefaults,
}

impl Function for PreviewMail {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        let (gate, deployed) = (Gate::connect(env).await?, OperatorDefaults::new(env));
        Ok(Self { gate, templates: MailTemplates::new()?, deployed })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "POST /v1/shares/{id}/mail-preview" => self.preview(request).await,
            _ => Err(Problem::not_found()),
        }
    }
}

/// Whose mail it is.
#[derive(Default, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "MailPreviewFor")]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// That contact's, in its language.
    contact_id: Option<ContactId>,
    /// In this language instead.
    language: Option<Language>,
}

/// The mail.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "MailPreview")]
struct Shown {
    subject: String,
    /// A whole document without scripts; the logo is in it.
    html: String,
    text: String,
}

impl PreviewMail {
    async fn preview(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        // Whoever of the staff sees shares sees contacts, too.
        let staff = self.gate.staff_in_person(request, |staff| staff.may(Right::ReadShares)).await?;
        let (store, id) = (&self.gate.store, request.id("id")?);
        let wanted: Wanted = request.json_or_default()?;
        let contact = async {
            match wanted.contact_id {
                Some(id) => store.contact(id).await,
                None => Ok(None),
            }
        };
        let (share, contact, operator) = try_join!(store.share(id), contact, self.deployed.operator(store))?;
        let share = share.filter(|share| share.is_known_to_staff()).ok_or_else(Problem::not_found)?;
        if wanted.contact_id.is_some() && contact.is_none() {
            return Err(Problem::invalid_field("contact_id", "is no contact"));
        }
        let reader = reader(&share, contact.as_deref(), &staff, wanted.language);
        let recipient = RecipientId::Contact(contact.map_or(ContactId::new(self.gate.now()), |contact| contact.id));
        let mail = Mail::share_sent(&share, recipient);
        let mail = OutboxMail::new(reader.to.clone(), None, reader.language.clone(), mail, self.gate.now());
        let mail = self.templates.write(&operator, &mail, &reader, Logo::Inline).map_err(Problem::internal)?;
        json(StatusCode::OK, &Shown { subject: mail.subject, html: mail.html, text: mail.text })
    }
}

/// Who reads it, as `deliver-mail` will find; where nobody is named, whoever looks.
fn reader(share: &Share, contact: Option<&Contact>, looks: &Staff, language: Option<Language>) -> Recipient {
    let own = contact.map(|contact| contact.language.clone());
    Recipient {
        to: contact.and_then(|contact| contact.email.clone()).unwrap_or_else(|| looks.email.clone()),
        language: language.or_else(|| share.language.clone()).or(own).unwrap_or_default(),
        name: contact.and_then(Contact::greeting).cloned(),
        is_customer: true,
        reply_to: None,
        token: None,
        // The footer is there, and has nothing to turn off.
        turn_off: Some(String::new()),
    }
}

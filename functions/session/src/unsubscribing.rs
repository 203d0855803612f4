//! One click in a mail, and notifications stop: by the mail program (RFC 8058), or by the page that the footer leads to.
//!
//! The token is sealed and not stored, so it works for as long as the mail is kept; all it can do is turn off.

use gatehouse::domain::{Activity, ActivityKind, Actor, Contact, ContactId, MailWish, PersonId, Unsubscribe};
use gatehouse::http::{ApiRequest, ApiResponse, Problem, json, retry_on_conflict};
use gatehouse::store::Stored;
use lambda_http::http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::Session;

/// The one field that a mail program sends, and its value (RFC 8058 §3.1).
const FIELD: &str = "List-Unsubscribe";
const ONE_CLICK: &str = "One-Click";

/// What the page's button sends.
#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Unsubscribe")]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmed {
    confirm: bool,
}

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Unsubscribed {
    #[schemars(extend("enum" = ["unsubscribed"]))]
    status: &'static str,
}

/// What a mail program sends; it is read by itself ([`confirmed`]), as a form or in parts.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "its schema alone is used")]
pub(crate) struct OneClick {
    #[schemars(rename = "List-Unsubscribe", extend("const" = ONE_CLICK))]
    field: String,
}

impl Session {
    /// The same answer however often, and whether or not there is still anything to turn off.
    pub(crate) async fn unsubscribe(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        confirmed(request)?;
        // Not counted against guessing: a seal of 256 bits needs no help, and a mail provider posts for many people.
        let token: String = request.id::<String>("token")?.split_whitespace().collect();
        let whose = self.gate.keyring.unseal(Unsubscribe::PURPOSE, &token).await?;
        match Unsubscribe::unsealed(whose.ok_or_else(Problem::link_unknown)?) {
            Unsubscribe::Contact(contact, address) => retry_on_conflict(|| self.turn_off(contact, &address)).await?,
            Unsubscribe::Address(hash) => self.gate.store.make_quiet(&hash).await?,
        }
        json(StatusCode::OK, &Unsubscribed { status: "unsubscribed" })
    }

    /// Who has another address by now gets its mails there: what came to the old one turns nothing off for it, but the
    /// old address is left in peace.
    async fn turn_off(&self, id: ContactId, address: &str) -> Result<(), Problem> {
        let contact = self.gate.store.contact(id).await?;
        let is_its =
            |contact: &Stored<Contact>| contact.email.as_ref().map(Unsubscribe::hash).as_deref() == Some(address);
        let Some(mut contact) = contact.filter(is_its) else {
            return Ok(self.gate.store.make_quiet(address).await?);
        };
        if contact.notifications.email == MailWish::Off {
            return Ok(());
        }
        contact.record.notifications.email = MailWish::Off;
        let actor = Actor::new(PersonId::from(id), &contact.name);
        let activity = Activity::new(ActivityKind::Unsubscribed, actor, self.gate.now()).contact(id);
        self.gate.store.transaction().save(contact.rev, &contact.record).activity(&activity).commit().await?;
        Ok(())
    }
}

/// Whether somebody means it: a scanner that merely follows the links of a mail sends no such body.
fn confirmed(request: &ApiRequest) -> Result<(), Problem> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (field, meant) = match media_type.as_str() {
        "application/json" => ("confirm", request.json::<Confirmed>()?.confirm),
        "application/x-www-form-urlencoded" => {
            let mut fields = form_urlencoded::parse(request.body()?);
            (FIELD, fields.any(|(name, value)| name == FIELD && value == ONE_CLICK))
        }
        "multipart/form-data" => (FIELD, in_parts(content_type, request.body()?)),
        _ => (FIELD, false),
    };
    if meant { Ok(()) } else { Err(Problem::invalid_field(field, "must say that mails are to be turned off")) }
}

/// The same field in a body of parts (RFC 7578), which a mail program may send as well.
fn in_parts(content_type: &str, body: &[u8]) -> bool {
    let boundary = content_type.split(';').find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then(|| value.trim_matches('"'))
    });
    let (Some(boundary), Ok(body)) = (boundary.filter(|boundary| !boundary.is_empty()), str::from_utf8(body)) else {
        return false;
    };
    body.split(&format!("--{boundary}")).any(|part| {
        let Some((head, value)) = part.split_once("\r\n\r\n") else { return false };
        head.contains(&format!(" name=\"{FIELD}\"")) && value.strip_suffix("\r\n") == Some(ONE_CLICK)
    })
}

#[cfg(test)]
mod tests {
    use super::in_parts;

    #[test]
    fn a_click_may_come_in_parts() {
        let part = |name: &str, value: &str| {
            let head = format!("Content-Disposition: form-data; name=\"{name}\"");
            format!("--x1\r\n{head}\r\n\r\n{value}\r\n--x1--\r\n").into_bytes()
        };
        let click = part("List-Unsubscribe", "One-Click");
        assert!(in_parts("multipart/form-data; boundary=x1", &click));
        assert!(in_parts("multipart/form-data; Boundary=\"x1\"", &click));
        assert!(!in_parts("multipart/form-data", &click));
        assert!(!in_parts("multipart/form-data; boundary=", &click));
        assert!(!in_parts("multipart/form-data; boundary=other", &click));
        assert!(!in_parts("multipart/form-data; boundary=x1", &part("List-Unsubscribe", "No")));
        assert!(!in_parts("multipart/form-data; boundary=x1", &part("Other", "One-Click")));
    }
}

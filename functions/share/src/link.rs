//! A recipient's link for the staff to pass on by other means: shown once, and the last one from then on.

use futures_util::try_join;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Access, Activity, ActivityKind, Area, Contact, Email, InviteRefused, PersonId, Recipient, RecipientId,
    SHARE_LINK_LIFETIME, ShareId, ShareState, Target, Token, TokenPurpose,
};
use gatehouse::http::{Effect, Operator, Problem, json};
use lambda_http::http::StatusCode;
use serde::Serialize;

use crate::Share;
use crate::recipients::{about, changeable};

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct MadeLink {
    /// The link itself, once and never again.
    url: Option<String>,
    expires_at: Timestamp,
}

/// Who opens a link, as far as it is a contact, and at which address.
type Opener = (Option<Contact>, Email);

impl Share {
    pub(crate) async fn make_link(
        &self,
        staff: &Operator,
        id: ShareId,
        rid: &RecipientId,
    ) -> Result<Effect<'_>, Problem> {
        let (store, now) = (&self.gate.store, self.gate.now());
        let (share, recipient, settings) = try_join!(store.share(id), store.recipient(id, rid), store.settings())?;
        let (share, recipient) = (changeable(share)?, recipient.ok_or_else(Problem::not_found)?);
        if share.state == ShareState::Draft {
            return Err(Problem::invalid_field("id", "is a draft: its recipients get their links when it is sent"));
        }
        if share.expired(now) {
            return Err(Problem::share_expired());
        }
        let (contact, email) = self.opener(&recipient).await?;
        let anew = recipient.record.clone().without_links(now);
        let (token, expires_at) = (Token::random(), now + SHARE_LINK_LIFETIME);
        let purpose = TokenPurpose::ShareLink {
            share: share.id,
            recipient: anew.id.clone(),
            contact: contact.map(|contact| contact.id),
            email,
            expires_at,
            link_epoch: anew.link_epoch,
        };
        let activity = about(Activity::new(ActivityKind::LinkMade, staff.actor(), now), &anew);
        let transaction = store.transaction().save(recipient.rev, &anew).token(&token, &purpose).activity(&activity);
        let portal_url = settings.portal_url.map_or_else(|| self.portal_url.clone(), |set| set.to_string());
        let expires_at = share.expires_at.map_or(expires_at, |end| end.min(expires_at));
        let made = MadeLink { url: Some(format!("{portal_url}/open#{}", token.reveal())), expires_at };
        // The link is nowhere but in its first answer: who has lost that makes another one.
        Effect::new(transaction, json(StatusCode::CREATED, &made)?).storing(&MadeLink { url: None, expires_at })
    }

    /// Whoever could not open the link is given none.
    async fn opener(&self, recipient: &Recipient) -> Result<Opener, Problem> {
        let store = &self.gate.store;
        let contact = match &recipient.target {
            Target::Company { .. } => {
                return Err(Problem::invalid_field("rid", "is a company: each of its people has a link of its own"));
            }
            Target::Contact { contact_id, .. } => Some(*contact_id),
            Target::Address { email } => match store.owner_of(email).await? {
                Some(PersonId::Contact(contact)) => Some(contact),
                Some(PersonId::Staff(_)) | None => None,
            },
        };
        let contact = match contact {
            Some(contact) => store.contact(contact).await?.map(|contact| contact.record),
            None => None,
        };
        let may_not_see = |contact: &Contact| !contact.areas.has(Area::Files);
        match (contact, &recipient.target) {
            (Some(contact), _) if matches!(contact.access, Access::Closed { .. }) => {
                Err(InviteRefused::AccessClosed.into())
            }
            (Some(contact), _) if may_not_see(&contact) => {
                Err(Problem::invalid_field("rid", "is a contact that may not see files: open that area first"))
            }
            (contact, Target::Address { email }) => Ok((contact, email.clone())),
            (Some(contact), _) => {
                let email = contact.email.clone().ok_or(InviteRefused::EmailMissing)?;
                Ok((Some(contact), email))
            }
            (None, _) => Err(Problem::not_found()),
        }
    }
}

//! To whom a mail goes, and what is in it for that reader alone: found and made when it is sent, and not before.

use futures_util::try_join;
use gatehouse::clock::SignedDuration;
use gatehouse::domain::{
    Access, Addressee, ContactId, Email, Language, Mail, OutboxMail, PersonId, PersonName, RecipientId, Share, ShareId,
    ShareState, Staff, StaffId, Token, TokenPurpose, Unsubscribe,
};
use gatehouse::store::StoreError;

use crate::{DeliverMail, DeliveryError, Outcome};

/// How long the link to a new password works (ASVS 5.0, 6.4.1: short).
const RESET_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// How long a share's link works, whatever the share's own end is: it is looked at anew each time.
const SHARE_LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(365 * 24);

/// One transaction writes to them all.
const MOST_PEOPLE: usize = 90;

/// Who reads a mail, and what of it is for that reader alone.
pub(crate) struct Recipient {
    pub(crate) to: Email,
    pub(crate) language: Language,
    /// The name to greet, where the mail itself does not know it.
    pub(crate) name: Option<PersonName>,
    /// The token of the button's link.
    pub(crate) token: Option<Token>,
    /// The sealed token that turns such mails off.
    pub(crate) turn_off: Option<String>,
}

impl DeliverMail {
    /// Who reads it, and the token of its link: made here and now, it is in the mail, and nowhere else but as a hash.
    pub(crate) async fn address(&self, mail: &OutboxMail, to: &Email) -> Result<Option<Recipient>, DeliveryError> {
        let mut recipient =
            Recipient { to: to.clone(), language: mail.language.clone(), name: None, token: None, turn_off: None };
        if mail.mail.can_be_turned_off() {
            let whose = Unsubscribe::of(mail.person, to);
            // What a contact wishes was asked when the mail was written; an address alone has nowhere else to say it.
            if matches!(whose, Unsubscribe::Address(_)) && self.store.is_quiet(to).await? {
                return Ok(None);
            }
            recipient.turn_off = Some(self.keyring.seal(Unsubscribe::PURPOSE, &whose.to_string()).await?);
        }
        let purpose = match &mail.mail {
            Mail::ContactInvitation { person, invitation, expires_at, .. }
            | Mail::StaffInvitation { person, invitation, expires_at, .. }
            | Mail::RegistrationAccepted { person, invitation, expires_at, .. } => {
                TokenPurpose::Activation { person: *person, invitation: *invitation, expires_at: *expires_at }
            }
            Mail::ShareSent { share, recipient, .. } | Mail::FilesAdded { share, recipient, .. } => {
                let contact = match mail.person {
                    Some(PersonId::Contact(contact)) => Some(contact),
                    _ => None,
                };
                if !self.is_still_shared(*share, recipient, contact).await? {
                    return Ok(None);
                }
                let expires_at = mail.created_at + SHARE_LINK_LIFETIME;
                let (share, recipient, email) = (*share, recipient.clone(), to.clone());
                TokenPurpose::ShareLink { share, recipient, contact, email, expires_at }
            }
            Mail::PasswordReset | Mail::SignInsFailed => {
                let owner = match self.store.owner_of(to).await? {
                    Some(owner) => self.store.person(owner).await?,
                    None => None,
                };
                let Some(person) = owner.filter(|person| person.access().is_active()) else { return Ok(None) };
                recipient.language = person.language().clone();
                recipient.name = Some(person.name().clone());
                if mail.mail == Mail::SignInsFailed {
                    return Ok(Some(recipient));
                }
                let expires_at = mail.created_at + RESET_LIFETIME;
                TokenPurpose::PasswordReset { person: person.id(), epoch: person.sessions().epoch, expires_at }
            }
            _ => return Ok(Some(recipient)),
        };
        let token = Token::random();
        self.store.publish_token(&token, &purpose).await?;
        recipient.token = Some(token);
        Ok(Some(recipient))
    }

    /// Whether what a mail tells of may still be told: much may have ended while it waited.
    async fn is_still_shared(
        &self,
        share: ShareId,
        recipient: &RecipientId,
        contact: Option<ContactId>,
    ) -> Result<bool, StoreError> {
        let contact = async {
            match contact {
                Some(contact) => Ok(self.store.contact(contact).await?.map(|contact| contact.record)),
                None => Ok(None),
            }
        };
        let reads = try_join!(self.store.share(share), self.store.recipient(share, recipient), contact);
        let (share, recipient, contact) = reads?;
        let sent = |share: &Share| matches!(share.state, ShareState::Sent { .. }) && !share.expired(self.clock.now());
        let closed = contact.is_some_and(|contact| matches!(contact.access, Access::Closed { .. }));
        Ok(share.is_some_and(|share| sent(&share)) && recipient.is_some() && !closed)
    }

    /// One mail for each of the staff whom it concerns, in place of the one to all of them.
    pub(crate) async fn write_out(&self, mail: &OutboxMail) -> Result<Outcome, DeliveryError> {
        let people = self.concerned(&mail.to).await?;
        if people.is_empty() {
            return Err(DeliveryError::Refused("nobody of the staff has an account".to_owned()));
        }
        let now = self.clock.now();
        let mut transaction = self.store.transaction().settle(mail.id);
        for person in people.into_iter().take(MOST_PEOPLE) {
            let to_one = OutboxMail::new(person.email, Some(person.id.into()), person.language, mail.mail.clone(), now);
            transaction = transaction.mail(&to_one);
        }
        transaction.commit().await.map_err(|error| DeliveryError::OutOfReach(error.to_string()))?;
        Ok(Outcome::WrittenOut)
    }

    /// The owner, if that is who it is for; else those on duty; else the admins.
    async fn concerned(&self, to: &Addressee) -> Result<Vec<Staff>, StoreError> {
        if let Addressee::Owner { owner: Some(owner) } = to {
            let owner = self.active(vec![*owner]).await?;
            if !owner.is_empty() {
                return Ok(owner);
            }
        }
        let team = self.store.team().await?.map(|team| team.record).unwrap_or_default();
        let on_duty = match to {
            Addressee::Owner { .. } => team.members_on_duty,
            _ => team.mappers_on_duty,
        };
        let on_duty = self.active(on_duty.into_iter().collect()).await?;
        if on_duty.is_empty() { self.active(team.admins.into_iter().collect()).await } else { Ok(on_duty) }
    }

    async fn active(&self, ids: Vec<StaffId>) -> Result<Vec<Staff>, StoreError> {
        let people = if ids.is_empty() { Vec::new() } else { self.store.staff_of(ids).await? };
        Ok(people.into_iter().filter(|person| person.access.is_active()).collect())
    }
}

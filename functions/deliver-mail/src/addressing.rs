//! To whom a mail goes, and what is in it for that reader alone: found and made when it is sent, and not before.

use futures_util::try_join;
use gatehouse::clock::SignedDuration;
use gatehouse::domain::{
    Access, Activity, ActivityKind, Actor, Addressee, Contact, ContactId, Email, Mail, MailWish, OutboxMail, PersonId,
    RecipientId, SHARE_LINK_LIFETIME, Share, ShareId, ShareState, Target, Token, TokenPurpose, Unsubscribe,
};
use gatehouse::mails::Recipient;
use gatehouse::store::{Person, StoreError};

use crate::{DeliverMail, DeliveryError};

/// How long the link to a new password works (ASVS 5.0, 6.4.1: short).
const RESET_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// What was found out about a mail's way.
pub(crate) enum Addressed {
    /// Somebody reads it.
    To(Box<Recipient>),
    /// There is nobody to send it to, which whoever asked for it is not to learn.
    Nobody,
    /// Others are in the outbox in its place.
    WrittenOut,
}

impl DeliverMail {
    /// Who reads it, and the token of its link: made here and now, it is in the mail, and nowhere else but as a hash.
    pub(crate) async fn address(&self, mail: &OutboxMail) -> Result<Addressed, DeliveryError> {
        let to = match &mail.to {
            Addressee::Email(to) => to,
            Addressee::Gathered { gathered_for, topic } => {
                return self.write_what_gathered(mail, *gathered_for, *topic).await;
            }
            Addressee::Person { to_person } => {
                return match self.written_to(mail, *to_person).await? {
                    Some(mail) => Box::pin(self.address(&mail)).await,
                    None => Ok(Addressed::Nobody),
                };
            }
            Addressee::Followers { followers_of } => return self.write_to_followers(mail, *followers_of).await,
            Addressee::Mappers { .. } | Addressee::Owner { .. } => return self.write_out(mail).await,
        };
        let person = match (mail.person, &mail.mail) {
            (Some(person), _) => self.store.person(person).await?,
            (None, Mail::PasswordReset | Mail::SignInsFailed) => match self.store.owner_of(to).await? {
                Some(owner) => self.store.person(owner).await?.filter(|person| person.access().is_active()),
                None => None,
            },
            _ => None,
        };
        let concerns_somebody = mail.person.is_some() || matches!(mail.mail, Mail::PasswordReset | Mail::SignInsFailed);
        let Some(to) = present_address(mail, to, person.as_ref()).filter(|_| person.is_some() || !concerns_somebody)
        else {
            return Ok(Addressed::Nobody);
        };
        let mut recipient = Recipient {
            to,
            language: mail.language.clone(),
            name: person.as_ref().and_then(Person::greeting).cloned(),
            is_customer: !matches!(person, Some(Person::Staff(_))),
            reply_to: None,
            token: None,
            turn_off: None,
        };
        if mail.mail.can_be_turned_off() {
            let whose = Unsubscribe::of(mail.person, &recipient.to);
            let unwanted = match &person {
                Some(Person::Contact(contact)) => contact.notifications.email == MailWish::Off || is_closed(contact),
                // An address alone has nowhere else to say it.
                _ => self.store.is_quiet(&recipient.to).await?,
            };
            if unwanted {
                return Ok(Addressed::Nobody);
            }
            recipient.turn_off = Some(self.keyring.seal(Unsubscribe::PURPOSE, &whose.to_string()).await?);
        }
        let purpose = match &mail.mail {
            Mail::ContactInvitation { person, invitation, expires_at, .. }
            | Mail::StaffInvitation { person, invitation, expires_at }
            | Mail::RegistrationAccepted { person, invitation, expires_at, .. } => {
                TokenPurpose::Activation { person: *person, invitation: *invitation, expires_at: *expires_at }
            }
            Mail::ShareSent { share: id, recipient: of, .. } | Mail::FilesAdded { share: id, recipient: of, .. } => {
                let Some((share, link_epoch)) = self.still_shared(*id, of, &recipient.to).await? else {
                    return Ok(Addressed::Nobody);
                };
                recipient.reply_to = self.sharer(&share).await?;
                let contact = match mail.person {
                    Some(PersonId::Contact(contact)) => Some(contact),
                    _ => None,
                };
                let (share, email) = (share.id, recipient.to.clone());
                let expires_at = mail.created_at + SHARE_LINK_LIFETIME;
                TokenPurpose::ShareLink { share, recipient: of.clone(), contact, email, expires_at, link_epoch }
            }
            Mail::FilesReturned { contact, .. }
            | Mail::ShareReceived { contact, .. }
            | Mail::ProblemReported { contact, .. }
            | Mail::JobCommented { contact, .. }
            | Mail::JobFileAdded { contact, .. } => {
                recipient.reply_to = self.customer(*contact).await?;
                return Ok(Addressed::To(Box::new(recipient)));
            }
            Mail::AddressAwaitsPassword { person, epoch, expires_at } => {
                TokenPurpose::PasswordReset { person: *person, epoch: *epoch, expires_at: *expires_at }
            }
            Mail::PasswordReset | Mail::SignInsFailed => {
                let Some(person) = person else { return Ok(Addressed::Nobody) };
                recipient.language = person.language().clone();
                if mail.mail == Mail::SignInsFailed {
                    return Ok(Addressed::To(Box::new(recipient)));
                }
                let (id, expires_at) = (person.id(), mail.created_at + RESET_LIFETIME);
                // Only here it is known that there is an account; sent again, it is the same record.
                let requested = Activity::new(ActivityKind::ResetRequested, Actor::system(), mail.created_at);
                self.store.note(&Activity { id: mail.id.into(), ..requested }.person(id)).await?;
                TokenPurpose::PasswordReset { person: id, epoch: person.sessions().epoch, expires_at }
            }
            _ => return Ok(Addressed::To(Box::new(recipient))),
        };
        let token = Token::random();
        self.store.publish_token(&token, &purpose).await?;
        recipient.token = Some(token);
        Ok(Addressed::To(Box::new(recipient)))
    }

    /// The mail to a person at its own address, if it has access.
    async fn written_to(&self, mail: &OutboxMail, person: PersonId) -> Result<Option<OutboxMail>, StoreError> {
        let person = self.store.person(person).await?.filter(|person| person.access().is_active());
        let to = person.as_ref().and_then(|person| Some((person.email()?.clone(), person.language().clone())));
        Ok(to.map(|(to, language)| OutboxMail { to: Addressee::Email(to), language, ..mail.clone() }))
    }

    /// The share, if what a mail tells of it may still be told to that address: much may have ended while it waited. With
    /// the number under which a link counts by now.
    async fn still_shared(
        &self,
        id: ShareId,
        of: &RecipientId,
        to: &Email,
    ) -> Result<Option<(Share, u32)>, StoreError> {
        let (share, of) = try_join!(self.store.share(id), self.store.recipient(id, of))?;
        let of = of.filter(|of| match &of.target {
            // Who has the address no more gets nothing of what was shared with it.
            Target::Address { email } => email == to,
            Target::Contact { .. } | Target::Company { .. } => true,
        });
        let sent = |share: &Share| matches!(share.state, ShareState::Sent { .. }) && !share.expired(self.clock.now());
        let share = share.map(|share| share.record).filter(sent);
        Ok(share.zip(of.map(|of| of.link_epoch)))
    }

    /// The one of the staff who shared it.
    async fn sharer(&self, share: &Share) -> Result<Option<Email>, StoreError> {
        let Some(staff) = share.by.staff() else { return Ok(None) };
        let staff = self.store.staff_of(vec![staff]).await?.pop();
        Ok(staff.filter(|staff| staff.access.is_active()).map(|staff| staff.email))
    }

    /// Where a customer reads an answer.
    async fn customer(&self, contact: ContactId) -> Result<Option<Email>, StoreError> {
        Ok(self.store.contact(contact).await?.and_then(|contact| contact.record.email))
    }
}

fn is_closed(contact: &Contact) -> bool {
    matches!(contact.access, Access::Closed { .. })
}

/// Where it goes by now: its person may have another address, or be shut out, since it was written.
fn present_address(mail: &OutboxMail, to: &Email, person: Option<&Person>) -> Option<Email> {
    let Some(person) = person else { return Some(to.clone()) };
    let gone = matches!(person, Person::Staff(staff) if !staff.access.is_active() && mail.mail.follows_its_person());
    match person.email() {
        _ if gone => None,
        Some(present) if present == to => Some(present.clone()),
        Some(present) if mail.mail.follows_its_person() => Some(present.clone()),
        _ => None,
    }
}

//! From the outbox to SES: each mail once, and none lost.
//!
//! The table's stream is the fast way: it brings a mail here as soon as it is written. The schedule is the sure
//! way: it looks for mails that the fast way left behind. Both do the same: claim, make the link, send, settle.
//! A crash between two steps leaves the mail in the outbox; only what SES has taken leaves it.

mod addressing;
mod bundling;

use std::time::Duration;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{
    Attachment, AttachmentContentDisposition, AttachmentContentTransferEncoding, Body, Content, Destination,
    EmailContent, Message, MessageHeader, MessageTag,
};
use gatehouse::aws::Env;
use gatehouse::clock::{Clock, SignedDuration};
use gatehouse::domain::{Mail, MailId, OutboxMail, PersonId};
use gatehouse::event::{EventFunction, Failed, FromTable, StartError};
use gatehouse::mails::{
    LOGO, Logo, MailTemplates, Operator, OperatorDefaults, Recipient, RenderError, RenderedMail, mailbox,
};
use gatehouse::session::Keyring;
use gatehouse::store::{Claim, Claimed, Store, StoreError, keys};
use tokio::time::{Instant, timeout_at};
use tracing::{error, info, warn};

use addressing::Addressed;

/// A mail that SES refuses is tried this long: the cause may be ours (an unverified sender), and be put right.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// A mail is the deliverer's own until its claim ends. What would take longer than this before that, the claim's own
/// answer included, is left to the next one.
const CLAIM_LEFT_MS: i64 = 2_000;

/// The function.
pub struct DeliverMail {
    store: Store,
    clock: Clock,
    ses: Client,
    letters: MailTemplates,
    keyring: Keyring,
    deployed: OperatorDefaults,
    mail_from: String,
    mail_events: Option<String>,
}

/// A mail could not be sent this time.
#[derive(Debug, thiserror::Error)]
enum DeliveryError {
    /// SES or the table is out of reach: the next try may succeed at once. SES's own words stay out of the log:
    /// they may name the address.
    #[error("out of reach: {0}")]
    OutOfReach(String),
    /// There was no answer: SES may have it all the same.
    #[error("no answer")]
    NoAnswer,
    /// This function may not send: nothing will leave until that is put right.
    #[error("SES denies this function to send: {0}")]
    Denied(String),
    /// SES does not take this mail: trying again soon would only hold up those behind it.
    #[error("SES refuses it: {0}")]
    Refused(String),
    /// It cannot be written.
    #[error("{0}")]
    RenderedMail(#[from] RenderError),
}

impl From<StoreError> for DeliveryError {
    fn from(error: StoreError) -> Self {
        Self::OutOfReach(error.to_string())
    }
}

impl EventFunction for DeliverMail {
    type Event = FromTable;
    type Outcome = Failed;

    async fn connect(env: &Env) -> Result<Self, StartError> {
        let mut config = aws_sdk_sesv2::config::Builder::from(&env.aws);
        config.set_endpoint_url(env.endpoints.ses.clone());
        // The outbox tries again, and longer than the client would.
        config.set_retry_config(Some(RetryConfig::disabled()));
        let store = Store::new(env);
        Ok(Self {
            keyring: Keyring::open(store.clone(), env.clock.clone()).await?,
            store,
            clock: env.clock.clone(),
            ses: Client::from_conf(config.build()),
            letters: MailTemplates::new()?,
            deployed: OperatorDefaults::new(env),
            mail_from: env.mail_from.clone(),
            mail_events: env.mail_events.clone(),
        })
    }

    async fn handle(&self, event: FromTable) -> Result<Failed, StartError> {
        let operator = &self.deployed.operator(&self.store).await?;
        // What SES refuses does not come again at once: it would only hold up those behind it.
        let deliver = |id| async move {
            use DeliveryError::{Denied, NoAnswer, OutOfReach};
            !matches!(self.deliver_logged(operator, id).await, Err(OutOfReach(_) | NoAnswer | Denied(_)))
        };
        let failed = event.each(deliver).await;
        if event.sweep {
            for shard in 0..keys::OUTBOX_SHARDS {
                for id in self.store.waiting_mails(shard).await? {
                    // Its failure is logged, and the next sweep comes.
                    let _ = self.deliver_logged(operator, id).await;
                }
            }
        }
        Ok(failed)
    }
}

impl DeliverMail {
    async fn deliver_logged(&self, operator: &Operator, id: MailId) -> Result<(), DeliveryError> {
        let delivered = self.deliver(operator, id).await;
        match &delivered {
            Err(cause @ DeliveryError::Denied(_)) => error!(%id, %cause, "a mail stays in the outbox"),
            Err(cause) => warn!(%id, %cause, "a mail stays in the outbox"),
            Ok(()) => {}
        }
        delivered
    }

    async fn deliver(&self, operator: &Operator, id: MailId) -> Result<(), DeliveryError> {
        let claimed = match self.store.claim_mail(id, self.clock.now()).await? {
            Claim::Mine(claimed) => *claimed,
            // Sent, or not yet to be sent, or with another deliverer; if that one fails, the sweep comes for it.
            Claim::Gone | Claim::Taken => return Ok(()),
        };
        let Claimed { mail, tries, perhaps_sent, until } = &claimed;
        let left_ms = until.as_millisecond() - self.clock.now().as_millisecond() - CLAIM_LEFT_MS;
        let Ok(left_ms) = u64::try_from(left_ms) else {
            return Err(DeliveryError::OutOfReach("the claim took too long".to_owned()));
        };
        let until = Instant::now() + Duration::from_millis(left_ms);
        let addressed = match timeout_at(until, self.address(mail)).await {
            Ok(addressed) => addressed,
            Err(_) => Err(DeliveryError::OutOfReach("not done in time".to_owned())),
        };
        let recipient = match addressed {
            Ok(Addressed::To(recipient)) => recipient,
            Ok(Addressed::Nobody) => return Ok(self.store.settle_mail(id).await?),
            Ok(Addressed::WrittenOut) => return Ok(()),
            Err(refused) => return self.not_sent(&claimed, refused, false).await,
        };
        let sent = timeout_at(until, self.send(operator, mail, &recipient)).await;
        match sent.unwrap_or(Err(DeliveryError::NoAnswer)) {
            Ok(()) => {
                info!(%id, kind = mail.mail.kind(), tries, "mail sent");
                self.store.settle_mail(id).await?;
                self.note_mailed(mail).await;
                Ok(())
            }
            Err(refused) => {
                // A link that may be in somebody's mailbox works; of further ones none is kept.
                let kept = matches!(refused, DeliveryError::NoAnswer) && !perhaps_sent;
                if let (Some(token), false) = (&recipient.token, kept) {
                    self.store.withdraw_token(token).await?;
                }
                if let (DeliveryError::Refused(_), Some(PersonId::Contact(contact))) = (&refused, mail.person) {
                    // A contact that is gone has no problem any more; the mail goes its way all the same.
                    if let Err(error) = self.store.note_mail_problem(contact, &recipient.to, &refused.to_string()).await
                    {
                        warn!(%id, %error, "a mail's problem is not shown on its contact");
                    }
                }
                self.not_sent(&claimed, refused, kept).await
            }
        }
    }

    /// So that whoever shares sees that it has left. The mail has: what fails here is not tried again.
    async fn note_mailed(&self, mail: &OutboxMail) {
        let (Mail::ShareSent { share, recipient, .. } | Mail::FilesAdded { share, recipient, .. }) = &mail.mail else {
            return;
        };
        if let Err(error) = self.store.note_mailed(*share, recipient, self.clock.now()).await {
            warn!(id = %mail.id, %error, "that a mail was sent is not shown on its recipient");
        }
    }

    /// It stays in the outbox, unless SES has refused it for long enough.
    async fn not_sent(&self, claimed: &Claimed, why: DeliveryError, perhaps_sent: bool) -> Result<(), DeliveryError> {
        let mail = &claimed.mail;
        let of_this_mail = matches!(why, DeliveryError::Refused(_) | DeliveryError::RenderedMail(_));
        if of_this_mail && mail.created_at + GIVE_UP_AFTER < self.clock.now() {
            error!(id = %mail.id, kind = mail.mail.kind(), cause = %why, "a mail is given up");
            self.store.settle_mail(mail.id).await?;
        } else {
            self.store.release_mail(claimed, perhaps_sent).await?;
        }
        Err(why)
    }

    async fn send(&self, operator: &Operator, mail: &OutboxMail, recipient: &Recipient) -> Result<(), DeliveryError> {
        let letter = self.letters.write(operator, mail, recipient, Logo::Attached)?;
        // Whose mail it is comes back with what becomes of it: no address need be looked up.
        let contact = match mail.person {
            Some(PersonId::Contact(contact)) => Some(tag("contact", &contact.to_string())?),
            _ => None,
        };
        let answers_to =
            operator.support_email.as_ref().filter(|_| recipient.is_customer).or(recipient.reply_to.as_ref());
        let sent = self
            .ses
            .send_email()
            .from_email_address(mailbox(&operator.name, &self.mail_from))
            .set_reply_to_addresses(answers_to.map(|address| vec![address.to_string()]))
            .destination(Destination::builder().to_addresses(recipient.to.as_str()).build())
            .content(content(letter, operator)?)
            .set_email_tags(contact.map(|contact| vec![contact]))
            .set_configuration_set_name(self.mail_events.clone())
            .send()
            .await;
        sent.map(drop).map_err(failure)
    }
}

/// What a failed call to SES says: about this mail, about us, or nothing at all.
fn failure(error: SdkError<SendEmailError>) -> DeliveryError {
    use SendEmailError::{BadRequestException, MailFromDomainNotVerifiedException, MessageRejected, NotFoundException};
    let code = error.code().map(str::to_owned);
    match (error.as_service_error(), code) {
        (
            Some(
                BadRequestException(_)
                | MailFromDomainNotVerifiedException(_)
                | MessageRejected(_)
                | NotFoundException(_),
            ),
            code,
        ) => DeliveryError::Refused(code.unwrap_or_else(|| "unknown".to_owned())),
        // Not among SES's own errors: it is the answer of IAM.
        (_, Some(code)) if code.starts_with("AccessDenied") => DeliveryError::Denied(code),
        (Some(_), code) => DeliveryError::OutOfReach(code.unwrap_or_else(|| "unknown".to_owned())),
        (None, _) => DeliveryError::NoAnswer,
    }
}

fn tag(name: &str, value: &str) -> Result<MessageTag, DeliveryError> {
    let tag = MessageTag::builder().name(name).value(value).build();
    tag.map_err(|error| DeliveryError::Refused(error.to_string()))
}

fn content(letter: RenderedMail, operator: &Operator) -> Result<EmailContent, DeliveryError> {
    let incomplete = |error: aws_sdk_sesv2::error::BuildError| DeliveryError::Refused(error.to_string());
    let text = |data: String| Content::builder().data(data).charset("UTF-8").build().map_err(incomplete);
    let body = Body::builder().text(text(letter.text)?).html(text(letter.html)?).build();
    let mut message = Message::builder().subject(text(letter.subject)?).body(body);
    for (name, value) in letter.headers {
        message = message.headers(MessageHeader::builder().name(name).value(value).build().map_err(incomplete)?);
    }
    if let Some(png) = &operator.logo {
        let logo = Attachment::builder()
            .raw_content(Blob::new(png.to_vec()))
            .file_name("logo.png")
            .content_type("image/png")
            .content_id(LOGO)
            .content_disposition(AttachmentContentDisposition::Inline)
            // SES would take it for seven-bit text.
            .content_transfer_encoding(AttachmentContentTransferEncoding::Base64);
        message = message.attachments(logo.build().map_err(incomplete)?);
    }
    Ok(EmailContent::builder().simple(message.build()).build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sesv2::config::http::HttpResponse;
    use aws_sdk_sesv2::error::ErrorMetadata;

    #[test]
    fn what_iam_denies_what_ses_refuses_and_an_outage_are_told_apart() {
        let answered = |code: &str| {
            let error = SendEmailError::generic(ErrorMetadata::builder().code(code).build());
            failure(SdkError::service_error(error, HttpResponse::new(403.try_into().unwrap(), "".into())))
        };
        assert!(matches!(answered("AccessDeniedException"), DeliveryError::Denied(_)));
        assert!(matches!(answered("ThrottlingException"), DeliveryError::OutOfReach(_)));
        assert!(matches!(failure(SdkError::timeout_error("slow")), DeliveryError::NoAnswer));
        let rejected = aws_sdk_sesv2::types::error::MessageRejected::builder().build();
        let rejected = SdkError::service_error(
            SendEmailError::MessageRejected(rejected),
            HttpResponse::new(400.try_into().unwrap(), "".into()),
        );
        assert!(matches!(failure(rejected), DeliveryError::Refused(_)));
    }
}

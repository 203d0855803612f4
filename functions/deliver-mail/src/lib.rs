//! From the outbox to SES: each mail once, and none lost.
//!
//! The table's stream is the fast way: it brings a mail here as soon as it is written. The schedule is the sure
//! way: it looks for mails that the fast way left behind. Both do the same: claim, make the link, send, settle.
//! A crash between two steps leaves the mail in the outbox; only what SES has taken leaves it.

mod addressing;
mod operator;
mod render;

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
use gatehouse::domain::{Addressee, MailId, OutboxMail, PersonId};
use gatehouse::event::{EventFunction, Failed, FromTable, StartError};
use gatehouse::session::Keyring;
use gatehouse::store::{Claim, Claimed, Store, StoreError, keys};
use tracing::{error, info, warn};

use operator::{Operator, OperatorDefaults};
use render::{LOGO, MailTemplates, RenderedMail};

/// A mail that SES refuses is tried this long: the cause may be ours (an unverified sender), and be put right.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// A mail is the deliverer's own for 15 seconds: what takes longer is left to the next one.
const SEND_WITHIN: Duration = Duration::from_secs(13);

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
    /// SES does not take this mail: trying again soon would only hold up those behind it.
    #[error("SES refuses it: {0}")]
    Refused(String),
    /// It cannot be written.
    #[error("{0}")]
    RenderedMail(#[from] render::RenderError),
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
        let deliver =
            |id| async move { !matches!(self.deliver_logged(operator, id).await, Err(DeliveryError::OutOfReach(_))) };
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
        if let Err(cause) = &delivered {
            warn!(%id, %cause, "a mail stays in the outbox");
        }
        delivered
    }

    async fn deliver(&self, operator: &Operator, id: MailId) -> Result<(), DeliveryError> {
        let Claimed { mail, tries } = match self.store.claim_mail(id, self.clock.now()).await? {
            Claim::Mine(claimed) => *claimed,
            // Sent, or with another deliverer; if that one fails, the sweep comes for it.
            Claim::Gone | Claim::Taken => return Ok(()),
        };
        let sent = tokio::time::timeout(SEND_WITHIN, self.send(operator, &mail)).await;
        match sent.unwrap_or_else(|_| Err(DeliveryError::OutOfReach("not done in time".to_owned()))) {
            Ok(Outcome::WrittenOut) => Ok(()),
            Ok(outcome) => {
                if matches!(outcome, Outcome::WithSes) {
                    info!(%id, kind = mail.mail.kind(), tries, "mail sent");
                }
                Ok(self.store.settle_mail(id).await?)
            }
            Err(refused) => {
                if let (DeliveryError::Refused(_), Some(PersonId::Contact(contact))) = (&refused, mail.person) {
                    // A contact that is gone has no problem any more; the mail goes its way all the same.
                    if let Err(error) = self.store.note_mail_problem(contact, &refused.to_string()).await {
                        warn!(%id, %error, "a mail's problem is not shown on its contact");
                    }
                }
                if mail.created_at + GIVE_UP_AFTER < self.clock.now()
                    && !matches!(refused, DeliveryError::OutOfReach(_))
                {
                    error!(%id, kind = mail.mail.kind(), cause = %refused, "a mail is given up");
                    self.store.settle_mail(id).await?;
                } else {
                    self.store.release_mail(id).await?;
                }
                Err(refused)
            }
        }
    }

    /// Finds out to whom and with which link, and sends. Some mails turn out to be for nobody; one to whomever of the
    /// staff it concerns turns into one for each.
    async fn send(&self, operator: &Operator, mail: &OutboxMail) -> Result<Outcome, DeliveryError> {
        let Addressee::Email(to) = &mail.to else { return self.write_out(mail).await };
        let Some(recipient) = self.address(mail, to).await? else { return Ok(Outcome::ToNobody) };
        let letter = self.letters.write(operator, mail, &recipient)?;
        // Whose mail it is comes back with what becomes of it: no address need be looked up.
        let contact = match mail.person {
            Some(PersonId::Contact(contact)) => Some(tag("contact", &contact.to_string())?),
            _ => None,
        };
        let sent = self
            .ses
            .send_email()
            .from_email_address(render::mailbox(&operator.name, &self.mail_from))
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(content(letter, operator)?)
            .set_email_tags(contact.map(|contact| vec![contact]))
            .set_configuration_set_name(self.mail_events.clone())
            .send()
            .await;
        sent.map(|_| Outcome::WithSes).map_err(|error| {
            if refuses(&error) {
                DeliveryError::Refused(error.code().unwrap_or("unknown").to_owned())
            } else {
                DeliveryError::OutOfReach(error.code().unwrap_or("no answer").to_owned())
            }
        })
    }
}

/// What has become of a mail.
enum Outcome {
    /// SES has it.
    WithSes,
    /// There is nobody to send it to, which whoever asked for it is not to learn.
    ToNobody,
    /// Others are in the outbox in its place.
    WrittenOut,
}

/// Whether it is about this mail, and not about SES being out of reach or us being too fast.
fn refuses(error: &SdkError<SendEmailError>) -> bool {
    use SendEmailError::{BadRequestException, MailFromDomainNotVerifiedException, MessageRejected, NotFoundException};
    let refusal = |error: &SendEmailError| {
        matches!(
            error,
            BadRequestException(_) | MailFromDomainNotVerifiedException(_) | MessageRejected(_) | NotFoundException(_)
        )
    };
    error.as_service_error().is_some_and(refusal)
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

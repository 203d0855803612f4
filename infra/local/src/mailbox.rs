//! SES's part: takes every mail and keeps it, for people and for tests to read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse::clock::{Clock, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use ulid::Ulid;

/// A mail that was sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SentMail {
    pub(crate) id: String,
    pub(crate) to: Vec<String>,
    pub(crate) from: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) attachments: Vec<SentAttachment>,
    pub(crate) sent_at: Timestamp,
}

/// What came with a mail. Its bytes are not kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SentAttachment {
    pub(crate) content_id: String,
    pub(crate) content_type: String,
    /// In bytes.
    pub(crate) size: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    folder: Arc<PathBuf>,
    clock: Clock,
    out_of_order: Arc<AtomicBool>,
    refusing: Arc<AtomicBool>,
    /// Oldest first.
    mails: Arc<Mutex<Vec<SentMail>>>,
    bounced: UnboundedSender<Value>,
}

/// A mail to this address comes back, as it does from SES itself ("mailbox simulator").
const BOUNCES: &str = "bounce@simulator.amazonses.com";
/// A mail to this one is not delivered either, but its mailbox exists. SES's own simulator has none such.
const FULL: &str = "full@simulator.amazonses.com";

impl Mailbox {
    /// Gives the events of mails that came back, too.
    pub(crate) fn open(folder: &Path, clock: Clock) -> Result<(Self, UnboundedReceiver<Value>)> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let files = std::fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path());
        let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        let mut mails =
            files.map(|path| Ok(serde_json::from_slice(&std::fs::read(path)?)?)).collect::<Result<Vec<SentMail>>>()?;
        mails.sort_by(|a, b| a.id.cmp(&b.id));
        let mails = Arc::new(Mutex::new(mails));
        let (out_of_order, refusing) = (Arc::default(), Arc::default());
        let (bounced, events) = unbounded_channel();
        Ok((Self { folder: Arc::new(folder.to_owned()), clock, out_of_order, refusing, mails, bounced }, events))
    }

    /// Whether SES is to be out of order, or to refuse each mail for good.
    pub(crate) fn set_outage(&self, out_of_order: bool, refusing: bool) {
        self.out_of_order.store(out_of_order, Ordering::Relaxed);
        self.refusing.store(refusing, Ordering::Relaxed);
    }

    pub(crate) fn out_of_order(&self) -> bool {
        self.out_of_order.load(Ordering::Relaxed)
    }

    pub(crate) fn refuses(&self) -> bool {
        self.refusing.load(Ordering::Relaxed)
    }

    /// Takes a `SendEmail` request; what is answered with an id is on the disk.
    pub(crate) fn take(&self, request: &Value) -> Result<String> {
        let text = |pointer: &str| request.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let list = |pointer: &str| request.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        let to = list("/Destination/ToAddresses").filter_map(Value::as_str).map(str::to_owned);
        let headers = list("/Content/Simple/Headers")
            .filter_map(|header| Some((header["Name"].as_str()?.to_owned(), header["Value"].as_str()?.to_owned())));
        let reply_to: Vec<&str> = list("/ReplyToAddresses").filter_map(Value::as_str).collect();
        let reply_to = (!reply_to.is_empty()).then(|| ("Reply-To".to_owned(), reply_to.join(", ")));
        let attachments = list("/Content/Simple/Attachments").map(|attachment| {
            let text = |name: &str| attachment[name].as_str().unwrap_or_default();
            let size = STANDARD.decode(text("RawContent")).context("an attachment is not in base64")?.len();
            let (content_id, content_type) = (text("ContentId").to_owned(), text("ContentType").to_owned());
            Ok(SentAttachment { content_id, content_type, size })
        });
        let mail = SentMail {
            id: Ulid::generate().to_string(),
            to: to.collect(),
            from: text("/FromEmailAddress"),
            subject: text("/Content/Simple/Subject/Data"),
            text: text("/Content/Simple/Body/Text/Data"),
            html: text("/Content/Simple/Body/Html/Data"),
            headers: headers.chain(reply_to).collect(),
            attachments: attachments.collect::<Result<_>>()?,
            sent_at: self.clock.now(),
        };
        let file = self.folder.join(format!("{}.json", mail.id));
        let half = file.with_extension("part");
        std::fs::write(&half, serde_json::to_vec_pretty(&mail)?)?;
        std::fs::rename(&half, &file)?;
        let id = mail.id.clone();
        for (address, kind) in [(BOUNCES, ("Permanent", "General")), (FULL, ("Transient", "MailboxFull"))] {
            if mail.to.iter().any(|to| to == address) {
                // Nobody listens any more when the stack ends.
                drop(self.bounced.send(bounce(&mail, request, kind)));
            }
        }
        self.lock().push(mail);
        Ok(id)
    }

    /// Newest first; to one address, if one is named.
    pub(crate) fn list(&self, to: Option<&str>) -> Vec<SentMail> {
        let is_to =
            |mail: &&SentMail| to.is_none_or(|to| mail.to.iter().any(|address| address.eq_ignore_ascii_case(to)));
        self.lock().iter().rev().filter(is_to).cloned().collect()
    }

    /// The newest link of a kind that an address was sent.
    pub(crate) fn link(&self, to: &str, kind: &str) -> Option<String> {
        let mails = self.list(Some(to));
        mails.iter().find_map(|mail| mail.text.split_whitespace().find(|word| word.contains(kind)).map(str::to_owned))
    }

    pub(crate) fn clear(&self) -> Result<()> {
        for mail in self.lock().drain(..) {
            std::fs::remove_file(self.folder.join(format!("{}.json", mail.id)))?;
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SentMail>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// "Email Bounced", in the words of SES ("Examples of event data that Amazon SES sends to `EventBridge`").
fn bounce(mail: &SentMail, request: &Value, (kind, sub_kind): (&str, &str)) -> Value {
    let tags = request["EmailTags"].as_array().into_iter().flatten();
    let tags: serde_json::Map<String, Value> =
        tags.filter_map(|tag| Some((tag["Name"].as_str()?.to_owned(), json!([tag["Value"]])))).collect();
    json!({
        "version": "0",
        "id": Ulid::generate().to_string(),
        "detail-type": "Email Bounced",
        "source": "aws.ses",
        "account": "000000000000",
        "time": mail.sent_at,
        "region": crate::REGION,
        "resources": [],
        "detail": {
            "eventType": "Bounce",
            "bounce": { "bounceType": kind, "bounceSubType": sub_kind, "timestamp": mail.sent_at },
            "mail": { "timestamp": mail.sent_at, "messageId": mail.id, "destination": mail.to, "tags": tags },
        },
    })
}

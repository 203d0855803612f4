//! A mail that SES took came back, or its reader called it spam: the contact shows it, so that staff ask for another
//! address. The mail names its contact by a tag; what no contact was sent is nobody's to show.

use gatehouse::aws::Env;
use gatehouse::domain::{ContactId, Email};
use gatehouse::event::{EventFunction, StartError};
use gatehouse::store::Store;
use serde::Deserialize;
use serde_json::Value;

/// The function.
pub struct NoteBounce {
    store: Store,
}

/// "Email Bounced" and "Email Complaint Received" of Amazon SES, as `EventBridge` brings them.
#[derive(Deserialize)]
pub struct Event {
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    mail: Mail,
    /// Absent where it is a complaint.
    bounce: Option<Bounce>,
}

#[derive(Deserialize)]
struct Mail {
    #[serde(default)]
    tags: Tags,
    /// The addresses that it was sent to.
    #[serde(default)]
    destination: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Tags {
    #[serde(default)]
    contact: Vec<ContactId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    bounce_sub_type: String,
}

impl EventFunction for NoteBounce {
    type Event = Event;
    type Outcome = Value;

    async fn connect(env: &Env) -> Result<Self, StartError> {
        Ok(Self { store: Store::new(env) })
    }

    async fn handle(&self, event: Event) -> Result<Value, StartError> {
        let problem = match event.detail.bounce {
            Some(Bounce { bounce_type, bounce_sub_type }) if bounce_type == "Permanent" => {
                format!("it came back: {bounce_type}, {bounce_sub_type}")
            }
            // A full mailbox, or a server that was out of order for hours: the address may be right.
            Some(Bounce { bounce_type, bounce_sub_type }) => {
                format!(
                    "the last mail was not delivered, though the address may be right: {bounce_type}, {bounce_sub_type}"
                )
            }
            None => "it was called spam by its reader".to_owned(),
        };
        let Detail { mail: Mail { tags, destination }, .. } = event.detail;
        let addresses: Vec<Email> = destination.iter().filter_map(|address| address.parse().ok()).collect();
        for contact in tags.contact {
            for address in &addresses {
                self.store.note_mail_problem(contact, address, &problem).await?;
            }
        }
        Ok(Value::Null)
    }
}

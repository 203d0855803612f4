//! What is known of a request for access beside itself: what its address has got before, and who knows of it.

use gatehouse::clock::Timestamp;
use gatehouse::domain::{Email, PersonName, RegistrationId, ShareId, StaffId, Title};
use gatehouse::http::Problem;
use serde::Serialize;

use crate::suggest::Suggestions;
use crate::{Map, RegistrationView};

/// So many of the last shares are shown.
const MOST_SHARES: usize = 20;

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "RegistrationWithSuggestions")]
pub(crate) struct Shown {
    #[serde(flatten)]
    pub(crate) registration: RegistrationView,
    pub(crate) suggestions: Suggestions,
    /// The last 20 shares that its address has got by link, newest first.
    pub(crate) shared_before: Vec<SharedBefore>,
    /// Who was mailed about it, at once or with the next mail.
    pub(crate) told: Vec<Told>,
}

/// Whoever may not see shares learns that there was one, and not what.
#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct SharedBefore {
    id: ShareId,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Title>,
    sent_at: Timestamp,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ToldStaff")]
pub(crate) struct Told {
    id: StaffId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<PersonName>,
}

impl Map {
    pub(crate) async fn shared_before(&self, email: &Email, titles: bool) -> Result<Vec<SharedBefore>, Problem> {
        let store = &self.gate.store;
        let recipients = store.last_shared_with_address(email, MOST_SHARES).await?;
        let ids: Vec<ShareId> = recipients.iter().map(|recipient| recipient.share_id).collect();
        let shares = store.shares(ids.iter().copied()).await?;
        let of = |id: &ShareId| shares.iter().find(|share| share.id == *id && share.is_known_to_staff());
        let shown = ids.iter().filter_map(of).filter_map(|share| {
            let title = titles.then(|| share.title.clone());
            Some(SharedBefore { id: share.id, title, sent_at: share.state.sent_at()? })
        });
        Ok(shown.collect())
    }

    pub(crate) async fn told(&self, id: RegistrationId, names: bool) -> Result<Vec<Told>, Problem> {
        let store = &self.gate.store;
        let Some(told) = store.registration_told(id).await? else { return Ok(Vec::new()) };
        let people = store.staff_of(told.staff.into_iter().collect()).await?;
        Ok(people.into_iter().map(|staff| Told { id: staff.id, name: names.then_some(staff.name) }).collect())
    }
}

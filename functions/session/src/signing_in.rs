//! Signing in, against guessing: every attempt counts before it is made, for the username and for the network.

use futures_util::try_join;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{Activity, ActivityKind, Actor, ContactId, Email, Language, Mail, OutboxMail, PersonId};
use gatehouse::http::{ApiRequest, ApiResponse, Problem, retry_on_conflict};
use gatehouse::password::{self, Password};
use gatehouse::store::{Failures, Person};
use lambda_http::http::StatusCode;
use serde::Deserialize;

use crate::{Session, about};

/// At this many failures in a row the owner is told, once.
const TELL_AT: u32 = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    email: Email,
    password: Password,
}

impl Session {
    /// Takes the same calls and the same hash for everybody, so that time does not tell who has an account.
    pub(crate) async fn sign_in(&self, request: &ApiRequest, body: SignIn) -> Result<ApiResponse, Problem> {
        let (store, now, network) = (&self.gate.store, self.gate.now(), request.network());
        let (account, from) = (Failures::Account(body.email.as_str()), Failures::SignInsFrom(&network));
        let (owner, in_a_row) = try_join!(store.owner_of(&body.email), store.attempts([account, from], now))?;
        let [in_a_row, _] = in_a_row.map_err(|until| Problem::too_many_requests(until, now))?;
        let id = owner.unwrap_or_else(|| PersonId::Contact(ContactId::new(now)));
        let stored = store.password(id).await?;
        let (typed, against) = (body.password.clone(), stored.clone());
        let right = tokio::task::spawn_blocking(move || password::matches(&typed, against.as_deref())).await;
        let right = right.map_err(Problem::internal)?;

        let signed_in = retry_on_conflict(|| self.open_session(id, right, now)).await;
        match &signed_in {
            Ok(_) => {
                try_join!(store.succeeded(account), store.succeeded(from))?;
                if stored.as_deref().is_some_and(password::outdated) {
                    let hash = tokio::task::spawn_blocking(move || password::hash(&body.password)).await;
                    let hash = hash.map_err(Problem::internal)?.map_err(Problem::internal)?;
                    store.transaction().password(id, &hash).commit().await?;
                }
            }
            // Whether there is anybody to tell is found when the mail is sent.
            Err(_) if in_a_row == TELL_AT => {
                let mail = OutboxMail::new(body.email, None, Language::default(), Mail::SignInsFailed, now);
                store.transaction().mail(&mail).commit().await?;
            }
            Err(_) => {}
        }
        signed_in
    }

    async fn open_session(&self, id: PersonId, right: bool, now: Timestamp) -> Result<ApiResponse, Problem> {
        let person = self.gate.store.person(id).await?;
        let person: Option<Person> = person.filter(|person| right && person.access().is_active());
        let mut person = person.ok_or_else(Problem::wrong_credentials)?;
        person.change(|person| *person.last_seen_at = Some(now));
        let activity = about(Activity::new(ActivityKind::SignedIn, Actor::new(id, person.name()), now), id);
        self.gate.store.transaction().save_person(&person).activity(&activity).commit().await?;
        self.signed_in(StatusCode::CREATED, &person)
    }
}

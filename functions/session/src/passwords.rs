//! A new password: by mail, or by whoever knows the old one. Every other session ends with it.

use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    ActivationRefused, Activity, ActivityKind, Actor, Email, Language, Link, Mail, OutboxMail, PersonId, Token,
    TokenPurpose,
};
use gatehouse::http::{ApiRequest, ApiResponse, Problem, Received, json, retry_on_conflict};
use gatehouse::password::{self, Password, Verified};
use gatehouse::store::{Hourly, Person};
use lambda_http::http::StatusCode;
use serde::Deserialize;

use crate::Session;

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "RequestPasswordReset")]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetRequest {
    email: Email,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ResetPassword")]
#[serde(deny_unknown_fields)]
pub(crate) struct Reset {
    token: Link,
    password: Password,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ChangePassword")]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    current_password: Password,
    password: Password,
}

impl Session {
    /// The same for every address: whether there is an account is found when the mail is sent.
    pub(crate) async fn request_reset(&self, request: &ApiRequest, body: ResetRequest) -> Result<ApiResponse, Problem> {
        let (throttle, now) = (self.gate.throttle(request).await?, self.gate.now());
        self.gate.log_account(request, &body.email).await?;
        let heard = throttle.request_from(request.network(), now).await?;
        heard.map_err(|until| Problem::too_many_requests(until, now))?;
        retry_on_conflict(|| async {
            if let Ok(allowed) = throttle.hourly(Hourly::ResetsFor(body.email.as_str()), now).await? {
                let mail = OutboxMail::new(body.email.clone(), None, Language::default(), Mail::PasswordReset, now);
                self.gate.store.transaction().counted(allowed).mail(&mail).commit().await?;
            }
            Ok(())
        })
        .await?;
        json(StatusCode::ACCEPTED, &Received::RECEIVED)
    }

    pub(crate) async fn reset(&self, request: &ApiRequest, body: Reset) -> Result<ApiResponse, Problem> {
        let person = self.by_reset_link(&body.token).await?;
        let hash = self.new_hash(&person, &body.password).await?;
        let device = request.device().unwrap_or_else(Token::random);
        let set = || async { self.set_password(self.by_reset_link(&body.token).await?, &hash, &device).await };
        let response = retry_on_conflict(set).await?;
        // Whoever could read the mail need not wait, here and with this browser, for what strangers have tried.
        if let Some(email) = person.email() {
            let throttle = self.gate.throttle(request).await?;
            throttle.came_in(email.as_str(), request.network(), &device.reveal(), self.gate.now()).await?;
        }
        Ok(response)
    }

    pub(crate) async fn change_password(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (store, throttle, now) = (&self.gate.store, self.gate.throttle(request).await?, self.gate.now());
        let person = self.gate.caller(request).await?.person;
        let body: Change = request.json()?;
        let email = person.email().map(Email::to_string).unwrap_or_default();
        let device = request.device();
        let given = device.as_ref().map(Token::reveal);
        // Nobody elsewhere can make somebody wait who is signed in.
        let attempt = throttle.sign_in(&email, request.network(), given.as_deref(), true, now).await?;
        let attempt = attempt.map_err(|until| Problem::too_many_requests(until, now))?;
        let stored = store.password(person.id()).await?;
        if self.verify(&body.current_password, stored).await? == Verified::Wrong {
            return Err(Problem::wrong_credentials());
        }
        let device = device.unwrap_or_else(Token::random);
        throttle.succeeded(&attempt, &email, &device.reveal()).await?;
        let hash = self.new_hash(&person, &body.password).await?;
        let set = || async { self.set_password(self.gate.caller(request).await?.person, &hash, &device).await };
        retry_on_conflict(set).await
    }

    /// Whose password the link sets. A new password, signing out everywhere and a closed access end it.
    async fn by_reset_link(&self, link: &Link) -> Result<Person, Problem> {
        let token = link.token().ok_or_else(Problem::link_unknown)?;
        let Some(TokenPurpose::PasswordReset { person, epoch, expires_at }) = self.gate.store.token(token).await?
        else {
            return Err(Problem::link_unknown());
        };
        let person = self.gate.store.person(person).await?.ok_or_else(Problem::link_unknown)?;
        if !person.access().is_active() {
            return Err(ActivationRefused::Withdrawn.into());
        }
        if person.sessions().epoch != epoch {
            return Err(ActivationRefused::Used.into());
        }
        if expires_at <= self.gate.now() { Err(ActivationRefused::Expired.into()) } else { Ok(person) }
    }

    async fn new_hash(&self, person: &Person, password: &Password) -> Result<String, Problem> {
        let email = person.email().map(Email::as_str).unwrap_or_default();
        let company = self.gate.store.company_of(person).await?;
        let company = company.map_or_else(|| self.operator.clone(), |company| company.name.to_string());
        password.acceptable(&[person.name().as_str(), email, &company]).map_err(Problem::password_too_weak)?;
        let password = password.clone();
        let hash = password::in_turn(move || password::hash(&password)).await;
        hash.map_err(Problem::internal)?.map_err(Problem::internal)
    }

    async fn set_password(&self, mut person: Person, hash: &str, device: &Token) -> Result<ApiResponse, Problem> {
        let now: Timestamp = self.gate.now();
        let id: PersonId = person.id();
        person.change(|person| {
            *person.sessions = std::mem::take(person.sessions).with_password();
        });
        person.seen(now);
        let activity = Activity::new(ActivityKind::PasswordChanged, Actor::new(id, person.name()), now).person(id);
        let mut transaction = self.gate.store.transaction().save_person(&person).password(id, hash).activity(&activity);
        if let Some(email) = person.email() {
            let language = person.language().clone();
            let mail = OutboxMail::new(email.clone(), Some(id), language, Mail::PasswordChanged, now);
            transaction = transaction.mail(&mail);
        }
        transaction.commit().await?;
        self.signed_in(StatusCode::CREATED, &person, device)
    }
}

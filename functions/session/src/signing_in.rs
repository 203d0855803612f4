//! Signing in, against guessing: every attempt counts before it is made, for the account and from where it comes.

use futures_util::try_join;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{Activity, ActivityKind, Actor, ContactId, Email, Language, Mail, OutboxMail, PersonId, Token};
use gatehouse::http::{ApiRequest, ApiResponse, Problem, retry_on_conflict};
use gatehouse::password::{self, Password, Verified};
use gatehouse::store::{CommitError, Hourly, Person, Throttle};
use lambda_http::http::StatusCode;
use serde::Deserialize;

use crate::Session;

/// From this many failures in a row on, each is recorded: nobody mistypes so often.
const RECORD_FROM: u32 = 5;
/// At this many failures in a row the owner is told, once.
const TELL_AT: u32 = 10;

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    email: Email,
    password: Password,
}

impl Session {
    /// Takes the same calls and the same hash for everybody, so that time does not tell who has an account.
    pub(crate) async fn sign_in(&self, request: &ApiRequest, body: SignIn) -> Result<ApiResponse, Problem> {
        let (store, throttle, now) = (&self.gate.store, self.gate.throttle(request).await?, self.gate.now());
        let (email, device) = (body.email.as_str(), request.device());
        let given = device.as_ref().map(Token::reveal);
        let attempt = throttle.sign_in(email, request.network(), given.as_deref(), false, now);
        self.gate.log_account(request, &body.email).await?;
        let (attempt, (id, person)) = try_join!(attempt, self.whose(&body.email, now))?;
        let about = person.as_ref().map(Person::id);
        let attempt = match attempt {
            Ok(attempt) => attempt,
            Err(until) => {
                self.record_blocked(&throttle, &body.email, about, now).await?;
                return Err(Problem::too_many_requests(until, now));
            }
        };

        // After the person: a password that is set meanwhile moves the person's epoch on, so the hash that is read here is
        // the one of that epoch, or a newer one, which an older password does not match.
        let stored = store.password(id).await?;
        let verified = self.verify(&body.password, stored.clone()).await?;
        let person = person.filter(|_| verified != Verified::Wrong);
        let device = device.unwrap_or_else(Token::random);
        let signed_in = self.open_session(id, person, &device, now).await;
        match &signed_in {
            Ok(_) => {
                throttle.succeeded(&attempt, email, &device.reveal()).await?;
                if let (Verified::Outdated, Some(was)) = (verified, stored) {
                    self.rehash(id, &was, body.password).await?;
                }
            }
            Err(problem) if problem.cause().is_some() => {}
            Err(_) => {
                throttle.failed(&attempt).await?;
                self.record_failed(attempt.in_a_row(), body.email, about, now).await?;
            }
        }
        signed_in
    }

    /// The same is written whether there is such an account or not: time must not tell.
    async fn record_failed(
        &self,
        in_a_row: u32,
        email: Email,
        about: Option<PersonId>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if in_a_row < RECORD_FROM {
            return Ok(());
        }
        let failed = Activity::new(ActivityKind::SignInFailed, Actor::system(), now).count(in_a_row);
        let mut transaction = self.gate.store.transaction().activity(&of_account(failed, about));
        if in_a_row == TELL_AT {
            // Whether there is anybody to tell is found when the mail is sent.
            let mail = OutboxMail::new(email, None, Language::default(), Mail::SignInsFailed, now);
            transaction = transaction.mail(&mail);
        }
        Ok(transaction.commit().await?)
    }

    /// That somebody has to wait is recorded once an hour for each account.
    async fn record_blocked(
        &self,
        throttle: &Throttle<'_>,
        email: &Email,
        about: Option<PersonId>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let Ok(first) = throttle.hourly(Hourly::BlockedSignIns(email.as_str()), now).await? else { return Ok(()) };
        let blocked = of_account(Activity::new(ActivityKind::SignInBlocked, Actor::system(), now), about);
        match self.gate.store.transaction().counted(first).activity(&blocked).commit().await {
            // Of many at once one has recorded it.
            Ok(()) | Err(CommitError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whose username it is; nobody is looked for as well.
    async fn whose(
        &self,
        email: &Email,
        now: Timestamp,
    ) -> Result<(PersonId, Option<Person>), gatehouse::store::StoreError> {
        let id = self.gate.store.owner_of(email).await?.unwrap_or_else(|| PersonId::Contact(ContactId::new(now)));
        Ok((id, self.gate.store.person(id).await?))
    }

    /// Holds a password against a hash, beside other requests.
    pub(crate) async fn verify(&self, password: &Password, stored: Option<String>) -> Result<Verified, Problem> {
        let typed = password.clone();
        let verified = password::in_turn(move || password::verify(&typed, stored.as_deref())).await;
        verified.map_err(Problem::internal)
    }

    /// Opens a session of the person that was read before its password was found to be right: what has ended all
    /// sessions since then, has ended this one, too.
    async fn open_session(
        &self,
        id: PersonId,
        right: Option<Person>,
        device: &Token,
        now: Timestamp,
    ) -> Result<ApiResponse, Problem> {
        let right = right.ok_or_else(Problem::wrong_credentials)?;
        let epoch = right.sessions().epoch;
        let mut first = Some(right);
        let open = |first: Option<Person>| async move {
            let person = match first {
                Some(person) => Some(person),
                None => self.gate.store.person(id).await?,
            };
            let may = |person: &Person| person.access().is_active() && person.sessions().takes_password(epoch);
            let mut person = person.filter(may).ok_or_else(Problem::wrong_credentials)?;
            person.seen(now);
            let activity = Activity::new(ActivityKind::SignedIn, Actor::new(id, person.name()), now).person(id);
            self.gate.store.transaction().save_person(&person).activity(&activity).commit().await?;
            self.signed_in(StatusCode::CREATED, &person, device)
        };
        retry_on_conflict(|| open(first.take())).await
    }

    /// Hashes a password anew as passwords are hashed today, if it still is this person's.
    async fn rehash(&self, id: PersonId, was: &str, password: Password) -> Result<(), Problem> {
        let hash = password::in_turn(move || password::hash(&password)).await;
        let hash = hash.map_err(Problem::internal)?.map_err(Problem::internal)?;
        match self.gate.store.transaction().password_instead(id, was, &hash).commit().await {
            // It was set anew meanwhile.
            Ok(()) | Err(CommitError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// About the person of an account, if there is one.
fn of_account(activity: Activity, person: Option<PersonId>) -> Activity {
    match person {
        Some(person) => activity.person(person),
        None => activity,
    }
}

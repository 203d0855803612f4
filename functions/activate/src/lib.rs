//! What an activation link opens: a look at it, which changes nothing; the account; or a new link.
//!
//! The token comes in the body, from the fragment of the link's URL, so no log on the way has seen it.

mod contract;

use futures_util::try_join;
use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    ActivationRefused, Activity, ActivityKind, Actor, Area, Company, CompanyName, Decision, Email, InvitationId,
    Language, Link, LinkBody, PersonId, PersonName, Token, TokenPurpose,
};
use gatehouse::event::StartError;
use gatehouse::http::{
    ApiRequest, ApiResponse, Function, Gate, Problem, Received, device_cookie, json, retry_on_conflict, session_cookie,
};
use gatehouse::password::{self, Password};
use gatehouse::session::Signer;
use gatehouse::store::{Hourly, Person};
use lambda_http::http::{StatusCode, header};
use serde::{Deserialize, Serialize};

pub use contract::contract;

/// More waiting shares than this are not counted.
const MOST_COUNTED: u16 = 100;

/// The function.
pub struct Activate {
    gate: Gate,
    signer: Signer,
    operator: String,
    portal_url: String,
}

impl Function for Activate {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        let gate = Gate::connect(env).await?;
        let signer = Signer::connect(env, &gate.keyring).await?;
        Ok(Self { gate, signer, operator: env.operator.clone(), portal_url: env.portal_url.clone() })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "POST /v1/activations/check" => self.check(request, request.json()?).await,
            "POST /v1/activations" => self.activate(request, request.json()?).await,
            "POST /v1/activations/renew" => self.renew(request, request.json()?).await,
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Activation {
    token: Link,
    password: Password,
    name: Option<PersonName>,
    language: Option<Language>,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ActivationCheck")]
struct Checked<'a> {
    name: &'a PersonName,
    email: Option<&'a Email>,
    company: String,
    operator: &'a str,
    expires_at: Timestamp,
    /// Who of the staff has invited the person, if that is known.
    invited_by: Option<PersonName>,
    /// How many shares lie in its inbox that it has not opened, counted up to 100.
    waiting_shares: u64,
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ActivatedSession")]
struct Activated<'a> {
    token: &'a str,
    expires_at: Timestamp,
    #[schemars(extend("enum" = ["customer", "staff"]))]
    kind: &'static str,
    name: &'a PersonName,
}

impl Activate {
    /// Whom the link was sent to, and by which invitation.
    async fn open(&self, request: &ApiRequest, link: &Link) -> Result<(Person, InvitationId), Problem> {
        self.gate.resolve_link(request, self.find(link)).await
    }

    async fn find(&self, link: &Link) -> Result<(Person, InvitationId), Problem> {
        let token = link.token().ok_or_else(Problem::link_unknown)?;
        let Some(TokenPurpose::Activation { person, invitation, .. }) = self.gate.store.token(token).await? else {
            return Err(Problem::link_unknown());
        };
        let person = self.gate.store.person(person).await?.ok_or_else(Problem::link_unknown)?;
        Ok((person, invitation))
    }

    async fn check(&self, request: &ApiRequest, body: LinkBody) -> Result<ApiResponse, Problem> {
        let (person, link) = self.open(request, &body.token).await?;
        let invitation = person.access().check(link, self.gate.now())?;
        let store = &self.gate.store;
        let waiting = async {
            match &person {
                Person::Contact(contact) if contact.areas.has(Area::Files) => {
                    store.count_unread(contact.id, MOST_COUNTED).await
                }
                _ => Ok(0),
            }
        };
        let inviter = async {
            match invitation.by {
                Some(staff) => store.staff(staff).await,
                None => Ok(None),
            }
        };
        let reads = try_join!(store.company_of(&person), store.settings(), inviter, waiting)?;
        let (company, settings, inviter, waiting_shares) = reads;
        let company = open_to(&person, company)?;
        let operator = settings.operator_name.map_or_else(|| self.operator.clone(), |name| name.to_string());
        let company = company.map_or_else(|| operator.clone(), |name| name.to_string());
        let checked = Checked {
            name: person.name(),
            email: person.email(),
            company,
            operator: &operator,
            expires_at: invitation.expires_at,
            invited_by: inviter.map(|inviter| inviter.record.name),
            waiting_shares,
        };
        json(StatusCode::OK, &checked)
    }

    async fn activate(&self, request: &ApiRequest, body: Activation) -> Result<ApiResponse, Problem> {
        // A dead link is told of before a weak password, and before the work of a hash.
        let (person, link) = self.open(request, &body.token).await?;
        person.access().check(link, self.gate.now())?;
        let company = open_to(&person, self.gate.store.company_of(&person).await?)?;
        let company = company.map_or_else(|| self.operator.clone(), |name| name.to_string());
        let (name, email) = (body.name.as_ref().unwrap_or(person.name()), person.email());
        let known = [name.as_str(), email.map(Email::as_str).unwrap_or_default(), &company];
        body.password.acceptable(&known).map_err(Problem::password_too_weak)?;
        let password = body.password.clone();
        let hash = password::in_turn(move || password::hash(&password)).await;
        let hash = hash.map_err(Problem::internal)?.map_err(Problem::internal)?;
        let device = request.device().unwrap_or_else(Token::random);
        let response = retry_on_conflict(|| self.open_account(&body, &hash, &device)).await?;
        if let Some(email) = person.email() {
            let throttle = self.gate.throttle(request).await?;
            throttle.came_in(email.as_str(), request.network(), &device.reveal(), self.gate.now()).await?;
        }
        Ok(response)
    }

    /// Of many at once, one writes; the others read again, and find the link used.
    async fn open_account(&self, body: &Activation, hash: &str, device: &Token) -> Result<ApiResponse, Problem> {
        let now = self.gate.now();
        let (mut person, link) = self.find(&body.token).await?;
        let before = person.clone();
        let active = person.access().activate(link, now)?;
        person.change(|person| {
            *person.access = active;
            *person.sessions = std::mem::take(person.sessions).with_password();
            if let Some(name) = &body.name {
                *person.name = name.clone();
            }
            if let Some(language) = &body.language {
                *person.language = language.clone();
            }
        });
        person.seen(now);
        let mut activity = Activity::new(ActivityKind::Activated, Actor::new(person.id(), person.name()), now);
        if let Person::Contact(contact) = &person {
            activity = activity.contact(contact.id).company(contact.company_id);
        }
        let mut transaction = self.gate.store.transaction().save_person(&person).password(person.id(), hash);
        transaction = transaction.words_of_person(&before, &person);
        if let Person::Contact(contact) = &person {
            // A request of the same address that still waits is answered by this.
            let decision = Decision::Mapped { by: contact.name.clone(), at: now, contact_id: contact.id };
            transaction = self.gate.store.decided_by_itself(transaction, contact, decision).await?;
        }
        transaction.activity(&activity).commit().await?;

        let session = self.signer.issue(&person).map_err(Problem::internal)?;
        let kind = if matches!(person, Person::Contact(_)) { "customer" } else { "staff" };
        let body = Activated { token: &session.token, expires_at: session.expires_at, kind, name: person.name() };
        let mut response = json(StatusCode::CREATED, &body)?;
        let cookies = [session_cookie(&session.token, &self.portal_url), device_cookie(device, &self.portal_url)];
        for cookie in cookies.into_iter().flatten() {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    /// Answers the same whatever the token is: only the mailbox that was invited learns more.
    async fn renew(&self, request: &ApiRequest, body: LinkBody) -> Result<ApiResponse, Problem> {
        let now = self.gate.now();
        let heard = self.gate.throttle(request).await?.request_from(request.network(), now).await?;
        heard.map_err(|until| Problem::too_many_requests(until, now))?;
        match retry_on_conflict(|| self.send_anew(request, &body.token)).await {
            Err(problem) if problem.cause().is_some() => Err(problem),
            _ => json(StatusCode::ACCEPTED, &Received::RECEIVED),
        }
    }

    async fn send_anew(&self, request: &ApiRequest, link: &Link) -> Result<(), Problem> {
        let (store, throttle, now) = (&self.gate.store, self.gate.throttle(request).await?, self.gate.now());
        let (person, link) = self.find(link).await?;
        // A link that works needs no other; one that was replaced or used gets none.
        if person.access().check(link, now) != Err(ActivationRefused::Expired) {
            return Ok(());
        }
        let to = person.email().map(Email::as_str).unwrap_or_default();
        let Ok(allowed) = throttle.hourly(Hourly::InvitationsTo(to), now).await? else { return Ok(()) };
        match person {
            Person::Contact(contact) => {
                let company = store.company(contact.company_id).await?.ok_or_else(Problem::not_found)?;
                let by = Actor::new(PersonId::from(contact.id), &contact.name);
                let activity = Activity::new(ActivityKind::Invited, by, now).contact(contact.id).company(company.id);
                let invited = contact.record.invite(&company, None, now)?;
                let mail = invited.mail(&company, None, now);
                let transaction = store.transaction().save(contact.rev, &invited.contact).counted(allowed).mail(&mail);
                Ok(transaction.activity(&activity).commit().await?)
            }
            Person::Staff(staff) => {
                let by = Actor::new(staff.id, &staff.name);
                let activity = Activity::new(ActivityKind::Invited, by, now).target(staff.id);
                let (invited, mail) = staff.record.invite(None, now)?;
                let transaction = store.transaction().save(staff.rev, &invited).counted(allowed).mail(&mail);
                Ok(transaction.activity(&activity).commit().await?)
            }
        }
    }
}

/// What the person's company is called; the operator's own people have none here. Where the plan has lost the portal since
/// the invitation, nobody is let in, as long as it has.
fn open_to(person: &Person, company: Option<Company>) -> Result<Option<CompanyName>, ActivationRefused> {
    match (person, company) {
        (Person::Staff(_), _) => Ok(None),
        (Person::Contact(_), Some(company)) if company.portal_plan => Ok(Some(company.name)),
        (Person::Contact(_), _) => Err(ActivationRefused::Withdrawn),
    }
}

//! Signing in and out, for contacts and staff alike, a person's own record, and the end of its mails.

mod contract;
mod passwords;
mod signing_in;
mod unsubscribing;

use futures_util::join;
use gatehouse::aws::Env;
use gatehouse::clock::Timestamp;
use gatehouse::domain::{
    Activity, ActivityKind, Area, Areas, CompanyId, Email, Language, Notifications, PersonId, PersonName, Right, Role,
    Token,
};
use gatehouse::event::StartError;
use gatehouse::http::{
    ApiRequest, ApiResponse, Caller, Function, Gate, Problem, device_cookie, json, no_content, retry_on_conflict,
    session_cookie, signed_out_cookie,
};
use gatehouse::password;
use gatehouse::session::Signer;
use gatehouse::store::Person;
use lambda_http::http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

pub use contract::contract;

/// The function.
pub struct Session {
    gate: Gate,
    signer: Signer,
    portal_url: String,
    operator: String,
}

impl Function for Session {
    async fn connect(env: &Env) -> Result<Self, StartError> {
        password::prepare();
        let gate = Gate::connect(env).await?;
        let signer = Signer::connect(env, &gate.keyring).await?;
        Ok(Self { gate, signer, portal_url: env.portal_url.clone(), operator: env.operator.clone() })
    }

    async fn handle(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        match request.route() {
            "POST /v1/sessions" => self.sign_in(request, request.json()?).await,
            "POST /v1/password-resets" => self.request_reset(request, request.json()?).await,
            "POST /v1/password-resets/confirm" => self.reset(request, request.json()?).await,
            "PUT /v1/me/password" => self.change_password(request).await,
            "DELETE /v1/sessions/current" => retry_on_conflict(|| self.sign_out(request, Which::This)).await,
            "DELETE /v1/sessions" => retry_on_conflict(|| self.sign_out(request, Which::All)).await,
            "GET /v1/me" => self.me(request).await,
            "POST /v1/unsubscribe/{token}" => self.unsubscribe(request).await,
            "PATCH /v1/me" => retry_on_conflict(|| self.change_me(request)).await,
            _ => Err(Problem::not_found()),
        }
    }
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "AccountKind")]
#[serde(rename_all = "snake_case")]
enum Kind {
    Customer,
    Staff,
}

impl Kind {
    fn of(person: &Person) -> Self {
        match person {
            Person::Contact(_) => Self::Customer,
            Person::Staff(_) => Self::Staff,
        }
    }
}

#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Session")]
struct SignedIn {
    token: String,
    expires_at: Timestamp,
    kind: Kind,
    name: PersonName,
}

/// More than this is not counted.
const MOST_COUNTED: u16 = 100;

#[derive(Clone, Copy)]
enum Which {
    This,
    All,
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangeMe {
    name: Option<PersonName>,
    language: Option<Language>,
    notifications: Option<Notifications>,
}

impl Session {
    /// The answer that opens a session.
    fn signed_in(&self, status: StatusCode, person: &Person, device: &Token) -> Result<ApiResponse, Problem> {
        let issued = self.signer.issue(person).map_err(Problem::internal)?;
        let cookies = [session_cookie(&issued.token, &self.portal_url), device_cookie(device, &self.portal_url)];
        let (kind, name) = (Kind::of(person), person.name().clone());
        let body = SignedIn { token: issued.token, expires_at: issued.expires_at, kind, name };
        Ok(cookies.into_iter().fold(json(status, &body)?, with_cookie))
    }

    async fn sign_out(&self, request: &ApiRequest, which: Which) -> Result<ApiResponse, Problem> {
        let mut caller = self.gate.caller(request).await?;
        let (now, session) = (self.gate.now(), caller.claims.end());
        caller.person.change(|person| {
            let sessions = std::mem::take(person.sessions);
            *person.sessions = match which {
                Which::This => sessions.without(session, now),
                Which::All => sessions.without_all(),
            };
        });
        let kind = match which {
            Which::This => ActivityKind::SignedOut,
            Which::All => ActivityKind::SessionsEnded,
        };
        let activity = Activity::new(kind, caller.actor(), now).person(caller.person.id());
        self.gate.store.transaction().save_person(&caller.person).activity(&activity).commit().await?;
        let mut response = with_cookie(no_content(), signed_out_cookie(&self.portal_url));
        // What a page of ours has kept in that browser goes, too (ASVS 5.0, 14.3.1).
        response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
        Ok(response)
    }

    async fn me(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        if let Some(contact) = self.gate.viewed_contact(request).await? {
            let unread = self.gate.store.count_unread(contact.id, MOST_COUNTED).await?;
            return json(StatusCode::OK, &Me::of(Person::Contact(Box::new(contact)), unread));
        }
        let (caller, waiting) = self.caller_and_waiting(request).await?;
        json(StatusCode::OK, &Me::of(caller.person, waiting))
    }

    /// Whoever is signed in, and beside it how much waits for it.
    async fn caller_and_waiting(&self, request: &ApiRequest) -> Result<(Caller, u64), Problem> {
        let (store, id) = (&self.gate.store, self.gate.claims(request).await?.sub);
        let waiting = async {
            match id {
                PersonId::Contact(contact) => store.count_unread(contact, MOST_COUNTED).await,
                PersonId::Staff(_) => store.count_registrations("pending", MOST_COUNTED).await,
            }
        };
        let (caller, waiting) = join!(self.gate.caller(request), waiting);
        Ok((caller?, waiting?))
    }

    async fn change_me(&self, request: &ApiRequest) -> Result<ApiResponse, Problem> {
        let (Caller { mut person, .. }, waiting) = self.caller_and_waiting(request).await?;
        let change: ChangeMe = request.json()?;
        let before = person.clone();
        if let Some(notifications) = change.notifications {
            let Person::Contact(contact) = &mut person else {
                return Err(Problem::invalid_field(
                    "notifications",
                    "are a customer's; staff are told what concerns them",
                ));
            };
            contact.record.notifications = notifications;
        }
        person.change(|person| {
            change.name.clone_into_some(person.name);
            change.language.clone_into_some(person.language);
        });
        self.gate.store.transaction().save_person(&person).words_of_person(&before, &person).commit().await?;
        json(StatusCode::OK, &Me::of(person, waiting))
    }
}

/// What a change names is set; what it leaves out stays.
trait CloneIntoSome<T> {
    fn clone_into_some(&self, target: &mut T);
}

impl<T: Clone> CloneIntoSome<T> for Option<T> {
    fn clone_into_some(&self, target: &mut T) {
        if let Some(value) = self {
            target.clone_from(value);
        }
    }
}

fn with_cookie(mut response: ApiResponse, cookie: Option<HeaderValue>) -> ApiResponse {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// A person as it sees itself.
#[derive(Serialize, schemars::JsonSchema)]
struct Me {
    id: PersonId,
    kind: Kind,
    name: PersonName,
    email: Option<Email>,
    language: Language,
    #[serde(flatten)]
    details: PersonDetails,
}

#[derive(Serialize, schemars::JsonSchema)]
#[serde(untagged)]
enum PersonDetails {
    Customer {
        company_id: CompanyId,
        areas: Areas,
        notifications: Notifications,
        /// How many shares in its inbox it has not opened, counted up to 100.
        unread: u64,
        /// When it signed in before the present visit, if it did: one begins with signing in after four hours or more.
        previous_visit_at: Option<Timestamp>,
    },
    Staff {
        roles: Vec<Role>,
        on_duty: bool,
        /// How many requests for access wait, counted up to 100; for whoever may decide on them.
        pending_registrations: Option<u64>,
    },
}

impl Me {
    /// With how much waits for it.
    fn of(person: Person, waiting: u64) -> Self {
        let (id, kind, email) = (person.id(), Kind::of(&person), person.email().cloned());
        match person {
            Person::Contact(contact) => {
                let contact = contact.record;
                // Without the area the inbox is closed to it.
                let unread = if contact.areas.has(Area::Files) { waiting } else { 0 };
                let details = PersonDetails::Customer {
                    company_id: contact.company_id,
                    areas: contact.areas,
                    notifications: contact.notifications,
                    unread,
                    previous_visit_at: contact.previous_visit_at,
                };
                Self { id, kind, name: contact.name, email, language: contact.language, details }
            }
            Person::Staff(staff) => {
                let staff = staff.record;
                let pending_registrations = staff.may(Right::MapRegistrations).then_some(waiting);
                let roles = staff.roles.into_iter().collect();
                let details = PersonDetails::Staff { roles, on_duty: staff.on_duty, pending_registrations };
                Self { id, kind, name: staff.name, email, language: staff.language, details }
            }
        }
    }
}
